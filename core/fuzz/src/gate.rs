//! A gateway in one mode, with an authorization server that always says the same.

use portcullis_core::attempts::AttemptLimits;
use portcullis_core::config::StateKeys;
use portcullis_core::jose::{
    Algorithm, Curve, PortableVerifier, PublicKey, SignatureVerifier, TokenPolicy,
};
use portcullis_core::modes::{ApiKeyMode, JwtMode, KeySource, Mode, ZscalerMode};
use portcullis_core::{
    Ambient, CallOutcome, Config, Decision, Engine, Forward, HeaderEdits, HttpUrl, LocalResponse,
    Peer, RequestBody, RequestHead, Seed, Step, UnixSeconds, UpstreamCall, UpstreamResponse,
};

pub const NOW: u64 = 1_800_000_000;
pub const API_KEY: &str = "correct-horse";

/// Signed by the key `e` of [`JWKS`]; it expires in the year 2033.
pub const TOKEN: &str = "eyJhbGciOiJFZERTQSIsImtpZCI6ImUiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoibWNwIiwic3ViIjoiYWxpY2UiLCJjbGllbnRfaWQiOiJhcHAiLCJzY29wZSI6InJlYWQgd3JpdGUiLCJleHAiOjIwMDAwMDAwMDAsImlhdCI6MTc5OTk5OTk5MH0.O1UAoHi3uK810tyP7cAg4DoHHDO-MUWPmlGpzlF5gsoBOEQlM9C9lsNwZeEcT9ZnVNHmihGPqwaLctJOt_33AA";

pub const JWKS: &str = r#"{"keys":[
    {"kty":"OKP","crv":"Ed25519","kid":"e","x":"OeuHUDdjslGE-RAiGRJlLM-Z8PcEI1M0ACUdIv7kGGY"},
    {"kty":"EC","crv":"P-256","kid":"p","x":"jzgtOMIacWqEsKvEQtg66BlJOaxhAkzhbDseJ91VOdU","y":"lbaiH1YeF_ZD3IbLJ-6OchSyhC0VOCB9t9cJPqovXZA"}
]}"#;

/// No request may cause more calls than this.
const MAX_CALLS: usize = 4;

/// A gateway, and what every call of it brings.
pub struct Gate {
    pub engine: Engine,
    pub now: u64,
    outcome: CallOutcome,
    pub body: Vec<u8>,
}

impl Gate {
    pub fn new(config: Config, verifier: Box<dyn SignatureVerifier + Send>) -> Self {
        let engine = Engine::new(config, verifier, Seed::new([0; 32]));
        let (now, outcome) = (NOW, answer(200, b""));
        Self {
            engine,
            now,
            outcome,
            body: Vec::new(),
        }
    }

    pub fn none() -> Self {
        Self::new(Config::new(Mode::None), Box::new(PortableVerifier::new()))
    }

    pub fn api_key() -> Self {
        Self::new(api_key(), Box::new(PortableVerifier::new()))
    }

    /// Verifies tokens in earnest.
    pub fn jwt() -> Self {
        let gate = Self::new(
            Config::new(Mode::Jwt(jwt())),
            Box::new(PortableVerifier::new()),
        );
        gate.answering(answer(200, JWKS.as_bytes()))
    }

    /// Takes every signature for good, so that what comes after it is reached.
    pub fn credulous() -> Self {
        let gate = Self::new(Config::new(Mode::Jwt(jwt())), Box::new(Credulous));
        gate.answering(answer(200, JWKS.as_bytes()))
    }

    pub fn zscaler(outcome: CallOutcome) -> Self {
        let config = Config::new(Mode::Zscaler(zscaler()));
        Self::new(config, Box::new(PortableVerifier::new())).answering(outcome)
    }

    pub fn answering(mut self, outcome: CallOutcome) -> Self {
        self.outcome = outcome;
        self
    }

    pub const fn ambient(&self) -> Ambient {
        Ambient {
            now: UnixSeconds(self.now),
        }
    }

    /// Takes a request to its decision, and checks what holds for every decision.
    pub fn decide(&mut self, head: &RequestHead<'_>) -> Decision {
        let mut step = self.engine.handle_request(head, self.ambient());
        let decision = loop {
            step = match step {
                Step::Decide(decision) => break decision,
                Step::ReadBody { pending, .. } => {
                    let body = RequestBody::Whole(&self.body);
                    self.engine.handle_body(pending, body, self.ambient())
                }
                Step::Wait { ticket, pending } => {
                    let mut answer = None;
                    for _ in 0..MAX_CALLS {
                        let Some((call, underway)) = self.engine.poll_call() else {
                            break;
                        };
                        check_call(&call);
                        let ambient = self.ambient();
                        let outcome = self.outcome.clone();
                        let wake = self.engine.handle_upstream(underway, outcome, ambient);
                        answer = wake.tickets.contains(&ticket).then_some(wake.answer);
                    }
                    let answer = answer.expect("a parked request is woken");
                    self.engine.handle_wake(pending, &answer, self.ambient())
                }
            };
        };
        match &decision {
            Decision::Forward(forward) => check_forward(head, forward),
            Decision::Respond(response) => check_response(response),
        }
        decision
    }

    /// Tells whether a request with one `Authorization` field passes.
    pub fn admits(&mut self, authorization: &[u8]) -> bool {
        let headers = [("authorization", authorization)];
        matches!(self.decide(&post(&headers)), Decision::Forward(_))
    }
}

pub fn api_key() -> Config {
    Config::new(Mode::ApiKey(ApiKeyMode::parse(API_KEY).unwrap()))
}

pub fn jwt() -> JwtMode {
    JwtMode {
        keys: KeySource::Jwks(HttpUrl::parse("https://issuer.example/jwks").unwrap()),
        policy: TokenPolicy {
            issuers: vec!["https://issuer.example".to_owned()],
            audiences: vec!["mcp".to_owned()],
            leeway_seconds: 30,
        },
        algorithms: Algorithm::ALL.to_vec(),
    }
}

pub fn zscaler() -> ZscalerMode {
    ZscalerMode {
        token_url: HttpUrl::parse("https://issuer.example/token").unwrap(),
        forward_entitlements: true,
        attempts: AttemptLimits::default(),
    }
}

pub fn state_keys() -> StateKeys {
    StateKeys::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap()
}

/// Makes the answer to a call.
pub fn answer(status: u16, body: &[u8]) -> CallOutcome {
    Ok(UpstreamResponse {
        status,
        headers: Vec::new(),
        body: body.to_vec(),
    })
}

/// Makes a request as MCP clients send it.
pub fn post<'a>(headers: &'a [(&'a str, &'a [u8])]) -> RequestHead<'a> {
    RequestHead {
        method: b"POST",
        authority: b"mcp.example",
        path: b"/mcp",
        headers,
        peer: Peer::Address([192, 0, 2, 1].into()),
    }
}

/// Tells whether HTTP lets a field have this value (RFC 9110 §5.5); hosts let no other in.
pub fn is_field_value(value: &[u8]) -> bool {
    !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

fn check_call(call: &UpstreamCall) {
    assert!(matches!(call.method, "GET" | "POST"), "{call:?}");
    assert!(call.headers.iter().all(|(_, value)| is_field_value(value)));
    assert!((1..=10).contains(&call.timeout_seconds), "{call:?}");
    assert!(call.max_response_bytes <= 1 << 20, "{call:?}");
}

fn check_forward(head: &RequestHead<'_>, forward: &Forward) {
    check_edits(&forward.request);
    let removed = |name: &str| forward.request.removals().any(|removal| removal == name);
    let set = |name: &str| forward.request.fields().any(|(field, _)| field == name);
    for (name, _) in head.headers {
        let spelled_alike = name.to_ascii_lowercase().replace('_', "-");
        if spelled_alike.starts_with("x-mcp-auth-") {
            assert!(removed(name) || set(name), "{name} passes");
        }
    }
}

fn check_edits(edits: &HeaderEdits) {
    for (name, value) in edits.fields() {
        assert!(is_field_value(value), "{name}: {}", value.escape_ascii());
        assert_eq!(name, name.to_ascii_lowercase());
    }
}

fn check_response(response: &LocalResponse) {
    let statuses = [200, 201, 204, 303, 400, 401, 403, 404, 405, 413, 421, 503];
    assert!(statuses.contains(&response.status), "{}", response.status);
    let challenged = response
        .headers
        .iter()
        .any(|(name, _)| *name == "www-authenticate");
    // A browser would ask its person for a password.
    let unchallenged = response.reason == portcullis_core::Reason::InvalidClient;
    let expected = response.status == 401 && !unchallenged;
    assert_eq!(challenged, expected, "{}", response.reason);
    for (name, value) in &response.headers {
        assert!(is_field_value(value.as_bytes()), "{name}: {value:?}");
    }
    let is_json =
        |(name, value): &(&str, String)| *name == "content-type" && value == "application/json";
    if response.headers.iter().any(is_json) {
        let body: Result<serde_json::Value, _> = serde_json::from_slice(&response.body);
        assert!(body.is_ok(), "{}", response.body.escape_ascii());
    }
}

/// Takes every signature for good, and checks that keys are what their type promises.
struct Credulous;

impl SignatureVerifier for Credulous {
    fn verify(&self, algorithm: Algorithm, key: &PublicKey, _: &[u8], signature: &[u8]) -> bool {
        match key {
            PublicKey::Rsa(key) => {
                let bits = |number: &[u8]| {
                    let leading = number.first().map_or(0, |first| first.leading_zeros());
                    number.len() * 8 - leading as usize
                };
                assert!((2048..=8192).contains(&bits(&key.modulus)));
                assert_eq!(key.modulus.last().map(|last| last & 1), Some(1));
                assert_eq!(key.exponent.last().map(|last| last & 1), Some(1));
                assert!((2..=33).contains(&bits(&key.exponent)));
            }
            PublicKey::Ec(key) => {
                let curve = match algorithm {
                    Algorithm::Es256 => Curve::P256,
                    Algorithm::Es384 => Curve::P384,
                    Algorithm::Es512 => Curve::P521,
                    other => panic!("{} with a curve", other.name()),
                };
                assert_eq!(key.curve, curve);
                assert_eq!(key.point.len(), 1 + 2 * curve.coordinate_bytes());
            }
            PublicKey::Ed25519(_) => assert_eq!(algorithm, Algorithm::EdDsa),
        }
        // The real one must not panic either, whatever the key.
        let _ = PortableVerifier::new().verify(algorithm, key, b"", signature);
        true
    }

    fn name(&self) -> &'static str {
        "credulous"
    }
}
