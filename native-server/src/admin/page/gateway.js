// Questions to the gateway, with the admin credential where it wants one.

const PLACE = 'portcullis-admin-credential';

let credential = sessionStorage.getItem(PLACE);

/** Takes a credential: for this page only, or until the tab is closed. It is never part of a URL. */
export function take(value, keep) {
  credential = value;
  if (keep) {
    sessionStorage.setItem(PLACE, value);
  } else {
    sessionStorage.removeItem(PLACE);
  }
}

/** Forgets a credential that the gateway does not want; tells whether there was one. */
export function forget() {
  const had = credential !== null;
  credential = null;
  sessionStorage.removeItem(PLACE);
  return had;
}

/** Asks for the status: `{ status }`, `{ refused: true }` or `{ problem }`. */
export async function ask() {
  const headers = credential === null ? {} : { authorization: `Bearer ${credential}` };
  try {
    const answer = await fetch('api/status', { headers, cache: 'no-store', signal: AbortSignal.timeout(10_000) });
    if (answer.status === 401) return { refused: true };
    if (!answer.ok) return { problem: `the gateway answered ${answer.status}` };
    return { status: await answer.json() };
  } catch {
    return { problem: 'the gateway cannot be reached' };
  }
}
