/** What is to be explained. */
export interface Input {
  /**
   * The gateway's settings, as in its JSON configuration. Secrets may be left out or be
   * "(hidden)"; what depends on them is then left open.
   */
  settings: Record<string, unknown>;
  /** Where the gateway runs; "native" unless said: the binary on other than a loopback address. */
  gateway?: "native" | "loopback" | "envoy";
  /** Header lines, a curl command, a JSON object of header fields, or a bare token. */
  request: string;
  /** Overrides what the request says, or says what it does not. */
  method?: string;
  path?: string;
  host?: string;
  /** The address that the request comes from. */
  address?: string;
  /** The document at the JWKS URI, to check signatures with. */
  jwks?: string;
  /** The time of the request, in seconds since 1970. */
  now: number;
}

/** What was found out. */
export interface Report {
  request: { form: string; method: string; path: string; host: string; fields: string[] };
  mode: string;
  warnings: string[];
  checks: Check[];
  /** As they were written; trust them no further than the signature. */
  token?: { header: string; claims: string; signature: "verified" | "refused" | "unchecked" };
  result: Result;
}

export interface Check {
  subject: string;
  outcome: "passed" | "failed" | "open" | "note";
  /** The reason code, where the check failed. */
  reason?: string;
  text: string;
}

export interface Result {
  /** "open": it depends on something that is not known here. */
  decision: "forwarded" | "answered" | "open";
  /** In plain words. */
  text: string;
  /** The reason code. */
  reason?: string;
  remedy?: string;
  /** What the client gets, where the gateway answers. */
  status?: number;
  body?: string;
  /** The fields of the answer, or those that the protected resource is told. */
  fields?: [string, string][];
}
