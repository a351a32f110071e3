//! What a warm decision takes from the heap: nothing but what the answer is made of.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use allocation_counter::measure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::jose::PortableVerifier;
use portcullis_core::{
    Ambient, Decision, Digest, Engine, Peer, RequestHead, Seed, Step, UnixSeconds, UpstreamCall,
    UpstreamResponse,
};

const NOW: u64 = 1_800_000_000;
const STATE_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const API_KEY: (&str, &str) = ("ZSCALER_MCP_AUTH_API_KEY", "correct horse");
const JWKS_URI: (&str, &str) = ("ZSCALER_MCP_AUTH_JWKS_URI", "https://idp.example.com/jwks");
const TOKEN_URL: (&str, &str) = ("PORTCULLIS_TOKEN_URL", "https://idp.example.com/token");
const NO_MODE: (&str, &str) = ("ZSCALER_MCP_AUTH_MODE", "none");

fn engine(settings: &[(&str, &str)]) -> Engine {
    let mut all = Settings::default();
    all.read_environment([("PORTCULLIS_STATE_KEYS", STATE_KEY)]);
    all.read_environment(settings.iter().copied());
    let resolution = resolve(&all, Site::Filter).unwrap();
    Engine::new(
        resolution.config,
        Box::new(PortableVerifier::new()),
        Seed::new([0; 32]),
    )
}

const AMBIENT: Ambient = Ambient {
    now: UnixSeconds(NOW),
};

fn ed25519() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn token() -> String {
    let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let claims = format!(r#"{{"sub":"alice","scope":"a b","exp":{}}}"#, NOW + 600);
    let message = format!("{}.{}", encode(r#"{"alg":"EdDSA"}"#), encode(&claims));
    let signature = ed25519().sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn answer(call: &UpstreamCall) -> UpstreamResponse {
    let body = match call.method {
        "GET" => {
            let x = URL_SAFE_NO_PAD.encode(ed25519().verifying_key().as_bytes());
            format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#)
        }
        _ => r#"{"access_token":"t","expires_in":900}"#.into(),
    };
    UpstreamResponse {
        status: 200,
        headers: Vec::new(),
        body: body.into(),
    }
}

/// Sends a request and all calls that it causes.
fn warm(engine: &mut Engine, head: &RequestHead<'_>) {
    for _ in 0..2 {
        drop(engine.handle_request(head, AMBIENT));
        while let Some((call, pending)) = engine.poll_call() {
            drop(engine.handle_upstream(pending, Ok(answer(&call)), AMBIENT));
        }
    }
}

/// Checks how many times the third decision of the same request allocates.
#[track_caller]
fn check(settings: &[(&str, &str)], headers: &[(&str, &[u8])], admitted: bool, at_most: u64) {
    let mut engine = engine(settings);
    let common: [(&str, &[u8]); 4] = [
        ("user-agent", b"test/1.0"),
        ("accept", b"application/json, text/event-stream"),
        ("content-type", b"application/json"),
        ("mcp-protocol-version", b"2025-11-25"),
    ];
    let headers: Vec<(&str, &[u8])> = common.iter().chain(headers).copied().collect();
    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example.com",
        path: b"/mcp",
        headers: &headers,
        peer: Peer::Address([10, 0, 0, 1].into()),
    };
    warm(&mut engine, &head);
    let mut decision = None;
    let info = measure(|| match engine.handle_request(&head, AMBIENT) {
        Step::Decide(decided) => {
            let edited = match &decided {
                Decision::Forward(forward) => forward.request.fields().count(),
                Decision::Respond(_) => 0,
            };
            decision = Some((decided, edited));
        }
        Step::Wait { .. } | Step::ReadBody { .. } => panic!("it waits"),
    });
    let (decision, _) = decision.unwrap();
    let forwarded = matches!(decision, Decision::Forward(_));
    assert_eq!(forwarded, admitted, "{}", decision.reason());
    let count = info.count_total;
    assert!(count <= at_most, "{count} allocations");
}

#[test]
fn mode_none_allocates_nothing() {
    check(&[NO_MODE], &[], true, 0);
}

#[test]
fn a_good_api_key_allocates_nothing() {
    check(
        &[API_KEY],
        &[("authorization", b"Bearer correct horse")],
        true,
        0,
    );
    check(&[API_KEY], &[("x-api-key", b"correct horse")], true, 0);
}

/// A list of `count` keys that nobody knows, with one in their midst that is known.
fn key_list(count: u32) -> String {
    let known = Digest::plain(b"correct horse");
    let others = (0..count).map(|number| Digest::of(&[&number.to_be_bytes()]));
    let entries = others.chain([known]).enumerate().map(|(number, digest)| {
        let hex: String = digest
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!(r#"{{"name":"key-{number}","sha256":"{hex}","sources":["10.0.0.0/8"]}}"#)
    });
    format!("[{}]", entries.collect::<Vec<_>>().join(","))
}

#[test]
fn one_key_of_a_hundred_thousand_allocates_nothing() {
    let list = key_list(100_000);
    let good: [(&str, &[u8]); 1] = [("authorization", b"Bearer correct horse")];
    check(&[("PORTCULLIS_API_KEYS", &list)], &good, true, 0);
    let wrong: [(&str, &[u8]); 1] = [("authorization", b"Bearer wrong")];
    check(&[("PORTCULLIS_API_KEYS", &list)], &wrong, false, 6);
}

/// Settings are dropped by then, and what is kept is small: 11 MB are a hundred thousand keys.
#[test]
fn a_hundred_thousand_keys_take_little_memory() {
    const MOST_BYTES: i64 = 110;
    let list = key_list(100_000);
    let mut made = None;
    let info = measure(|| made = Some(engine(&[("PORTCULLIS_API_KEYS", &list)])));
    let bytes = info.bytes_current / 100_000;
    assert!(bytes <= MOST_BYTES, "{bytes} bytes a key");
    drop(made);
}

#[test]
fn a_known_token_allocates_nothing() {
    let value = format!("Bearer {}", token());
    check(&[JWKS_URI], &[("authorization", value.as_bytes())], true, 0);
}

#[test]
fn known_client_credentials_allocate_nothing() {
    let pair: [(&str, &[u8]); 2] = [
        ("x-zscaler-client-id", b"id"),
        ("x-zscaler-client-secret", b"secret"),
    ];
    check(&[TOKEN_URL], &pair, true, 0);
    check(
        &[TOKEN_URL],
        &[("authorization", b"Basic aWQ6c2VjcmV0")],
        true,
        0,
    );
}

#[test]
fn rules_allocate_nothing() {
    let rules = [
        API_KEY,
        ("ZSCALER_MCP_ALLOWED_HOSTS", "*.example.com, a, b"),
        ("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "192.0.2.0/24"),
        ("PORTCULLIS_TRUSTED_PROXIES", "10.0.0.0/8"),
    ];
    let headers: [(&str, &[u8]); 2] = [
        ("authorization", b"Bearer correct horse"),
        ("x-forwarded-for", b"192.0.2.1, 10.0.0.9"),
    ];
    check(&rules, &headers, true, 0);
}

#[test]
fn a_session_and_an_origin_allocate_what_the_response_needs() {
    let settings = [
        API_KEY,
        ("ZSCALER_MCP_ALLOWED_ORIGINS", "https://app.example.com"),
    ];
    let mut engine = engine(&settings);
    let key: (&str, &[u8]) = ("authorization", b"Bearer correct horse");
    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example.com",
        path: b"/mcp",
        headers: &[key],
        peer: Peer::Unknown,
    };
    let Step::Decide(Decision::Forward(forward)) = engine.handle_request(&head, AMBIENT) else {
        panic!("refused");
    };
    let response: [(&str, &[u8]); 1] = [("mcp-session-id", b"s-1")];
    let edits = forward.response_edits(&response);
    let (_, sealed) = edits.fields().next().unwrap();
    let session: (&str, &[u8]) = ("mcp-session-id", sealed);
    check(&settings, &[key, session], true, 4);
    let origin: (&str, &[u8]) = ("origin", b"https://app.example.com");
    check(&settings, &[key, origin], true, 2);
}

#[test]
fn allocations_are_counted() {
    let info = measure(|| drop(Box::new(NOW)));
    assert_eq!(info.count_total, 1);
}

/// Header fields and the body of an answer, and no more.
#[test]
fn a_refusal_allocates_its_answer() {
    check(&[API_KEY], &[("authorization", b"Bearer wrong")], false, 6);
    check(&[JWKS_URI], &[], false, 7);
}
