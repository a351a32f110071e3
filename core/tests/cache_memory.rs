//! What a remembered credential costs: the cache is bounded in entries, so each must be small.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use allocation_counter::measure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::jose::{Algorithm, PublicKey, SignatureVerifier};
use portcullis_core::{
    Ambient, Engine, Peer, RequestHead, Seed, UnixSeconds, UpstreamCall, UpstreamResponse,
};

/// Ten thousand of them in 2.5 MB. Pointers are twice as long here as in the filter.
const MOST_BYTES: i64 = 250;

const AMBIENT: Ambient = Ambient {
    now: UnixSeconds(1_800_000_000),
};

/// Accepts every signature: what is measured is what is kept, and checks take their time.
struct Anything;

impl SignatureVerifier for Anything {
    fn verify(&self, _: Algorithm, _: &PublicKey, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "anything"
    }
}

fn engine(setting: (&str, &str), entries: &str) -> Engine {
    let mut all = Settings::default();
    all.read_environment([
        (
            "PORTCULLIS_STATE_KEYS",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        ("PORTCULLIS_CACHE_ENTRIES", entries),
        setting,
    ]);
    let resolution = resolve(&all, Site::Filter).unwrap();
    Engine::new(resolution.config, Box::new(Anything), Seed::new([0; 32]))
}

fn answer(call: &UpstreamCall) -> UpstreamResponse {
    let body = match call.method {
        "GET" => {
            let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
            let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
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

/// Sends a request with this `Authorization`, and all calls that it causes.
fn send(engine: &mut Engine, authorization: &str) {
    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example.com",
        path: b"/mcp",
        headers: &[("authorization", authorization.as_bytes())],
        peer: Peer::Unknown,
    };
    drop(engine.handle_request(&head, AMBIENT));
    while let Some((call, pending)) = engine.poll_call() {
        drop(engine.handle_upstream(pending, Ok(answer(&call)), AMBIENT));
        drop(engine.handle_request(&head, AMBIENT));
    }
}

/// Claims as the access tokens of usual providers have them, of a user of their own.
fn token(number: usize) -> String {
    let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let claims = format!(
        r#"{{"iss":"https://login.example.com/oauth2/default","aud":"https://mcp.example.com",
            "sub":"00u1a2b3c4d5e6f{number:05}","client_id":"0oa9z8y7x6w5v4u3t2s1",
            "scope":"openid profile mcp:read mcp:write","exp":1800007200}}"#
    );
    let message = format!("{}.{}", encode(r#"{"alg":"EdDSA"}"#), encode(&claims));
    let signature = SigningKey::from_bytes(&[7; 32]).sign(b"").to_bytes();
    format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn client_credentials(number: usize) -> String {
    let pair = format!("3kd7ts9w2m5x8c1v4b6n{number:05}:secret");
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    )
}

/// Checks how much memory each further credential takes, once the cache has some.
#[track_caller]
fn check(setting: (&str, &str), credential: fn(usize) -> String) {
    let mut small = engine(setting, "10000");
    send(&mut small, &credential(0));
    let info = measure(|| (1..10_000).for_each(|number| send(&mut small, &credential(number))));
    let each = info.bytes_current / 10_000;
    assert!(each <= MOST_BYTES, "{each} bytes for each credential");
    let more =
        measure(|| (10_000..20_000).for_each(|number| send(&mut small, &credential(number))));
    let growth = more.bytes_current;
    assert!(growth < 200_000, "full, and yet {growth} bytes more");
}

#[test]
fn a_remembered_token_is_small_and_the_cache_is_bounded() {
    let jwks = ("ZSCALER_MCP_AUTH_JWKS_URI", "https://idp.example.com/jwks");
    check(jwks, token);
}

#[test]
fn remembered_client_credentials_are_small_and_the_cache_is_bounded() {
    let token_url = ("PORTCULLIS_TOKEN_URL", "https://idp.example.com/token");
    check(token_url, client_credentials);
}
