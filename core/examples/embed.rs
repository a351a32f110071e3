//! Embeds the engine in a program of one's own: configuration in code, calls sent by the program.
//!
//! Run it with `cargo run -p portcullis-core --example embed`. It asks for mode `zscaler`, lets one
//! request wait for the token endpoint (here a function; in your program your HTTP client), and
//! prints what becomes of it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_core::attempts::AttemptLimits;
use portcullis_core::config::StateKeys;
use portcullis_core::jose::PortableVerifier;
use portcullis_core::modes::{Mode, ZscalerMode};
use portcullis_core::rules::{AccessRules, HostList};
use portcullis_core::{
    Ambient, CallOutcome, Config, Decision, Engine, HttpUrl, Peer, PendingRequest, RequestBody,
    RequestHead, Seed, Step, Ticket, UnixSeconds, UpstreamCall, UpstreamResponse,
};

fn main() {
    #[expect(clippy::print_stdout, reason = "an example shows its result")]
    match run() {
        Ok(decision) => println!("{decision:?}"),
        Err(problem) => println!("the configuration is wrong: it {problem}"),
    }
}

/// Decides one request from beginning to end.
///
/// # Errors
///
/// Returns what is wrong with the configuration.
fn run() -> Result<Decision, &'static str> {
    let mut engine = Engine::new(
        config()?,
        Box::new(PortableVerifier::new()),
        Seed::new([0; 32]),
    );
    let mut parked: BTreeMap<Ticket, PendingRequest> = BTreeMap::new();

    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example.com",
        path: b"/mcp",
        headers: &[("authorization", b"Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0")],
        peer: Peer::Unknown,
    };
    let mut step = engine.handle_request(&head, ambient());
    loop {
        match step {
            Step::Decide(decision) => return Ok(decision),
            Step::Wait { ticket, pending } => {
                parked.insert(ticket, pending);
            }
            // Only mode `oidcproxy` reads bodies.
            Step::ReadBody { pending, .. } => {
                step = engine.handle_body(pending, RequestBody::Missing, ambient());
                continue;
            }
        }
        // A server does this in a task of its own: a call belongs to no request.
        let (call, under_way) = engine.poll_call().ok_or("waits for nothing")?;
        let wake = engine.handle_upstream(under_way, send(&call), ambient());
        let mut woken = wake
            .tickets
            .iter()
            .filter_map(|ticket| parked.remove(ticket));
        let pending = woken.next().ok_or("woke nobody")?;
        step = engine.handle_wake(pending, &wake.answer, ambient());
    }
}

fn config() -> Result<Config, &'static str> {
    let token_url = HttpUrl::parse("https://acme.zslogin.net/oauth2/v1/token")?;
    let mut config = Config::new(Mode::Zscaler(ZscalerMode {
        token_url,
        forward_entitlements: false,
        attempts: AttemptLimits::default(),
    }));
    config.access = AccessRules {
        hosts: Some(HostList::parse("mcp.example.com")?),
        ..AccessRules::default()
    };
    // Take 32 random octets of your own: whoever knows them can take over sessions.
    config.session_keys = Some(StateKeys::parse(
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    )?);
    Ok(config)
}

/// Stands for your HTTP client: it sends `call` within its limits and follows no redirect.
fn send(call: &UpstreamCall) -> CallOutcome {
    let form = b"client_id=the-client&client_secret=the-secret&";
    let known = call.body.windows(form.len()).any(|window| window == form);
    let (status, body): (u16, &[u8]) = if known {
        (200, br#"{"access_token":"opaque","expires_in":3600}"#)
    } else {
        (401, br#"{"error":"invalid_client"}"#)
    };
    Ok(UpstreamResponse {
        status,
        headers: Vec::new(),
        body: body.to_vec(),
    })
}

fn ambient() -> Ambient {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Ambient {
        now: UnixSeconds(since.map_or(0, |since| since.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_passes_and_its_credential_does_not() {
        let Ok(Decision::Forward(forward)) = run() else {
            panic!("not forwarded")
        };
        assert_eq!(
            forward.request.removals().collect::<Vec<_>>(),
            ["authorization"]
        );
        let principal = forward
            .request
            .fields()
            .find(|(name, _)| *name == "x-mcp-auth-principal");
        assert_eq!(
            principal,
            Some(("x-mcp-auth-principal", &b"the-client"[..]))
        );
    }
}
