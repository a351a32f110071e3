//! What the engine alone takes for a decision: `make bench-core`.
//!
//! Signatures are not part of it: the verifier says yes to all of them.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use divan::{Bencher, black_box};
use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::jose::{Algorithm, PublicKey, SignatureVerifier};
use portcullis_core::{
    Ambient, Decision, Engine, Peer, RequestHead, Step, UnixSeconds, UpstreamResponse,
};

const NOW: Ambient = Ambient {
    now: UnixSeconds(1_800_000_000),
};
const KEY: &str = "k7Jc2uY0cTn4u4b9wq8v1Xz3Lr6Sd5Ff0Gh2Jk4Qm8A";
const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

fn main() {
    divan::main();
}

/// The same credential again.
#[divan::bench(args = ["none", "api-key", "jwt", "zscaler"])]
fn warm(bencher: Bencher<'_, '_>, mode: &str) {
    let mut engine = engine(mode);
    let credential = credential(mode, 0);
    decide(&mut engine, &credential);
    bencher.bench_local(|| decide(black_box(&mut engine), black_box(&credential)));
}

/// A token that was never seen: parsing, claims, the cache, but not the signature.
#[divan::bench]
fn first_sight(bencher: Bencher<'_, '_>) {
    let mut engine = engine("jwt");
    decide(&mut engine, &credential("jwt", 0));
    let number = AtomicUsize::new(1);
    bencher
        .with_inputs(|| credential("jwt", number.fetch_add(1, Ordering::Relaxed)))
        .bench_local_values(|credential| decide(black_box(&mut engine), &credential));
}

fn engine(mode: &str) -> Engine {
    let mut settings = Settings::default();
    let json = format!(
        r#"{{"ZSCALER_MCP_AUTH_MODE":"{mode}","PORTCULLIS_STATE_KEYS":"{STATE_KEY}",
            "ZSCALER_MCP_AUTH_API_KEY":"{KEY}",
            "ZSCALER_MCP_AUTH_JWKS_URI":"https://login.example.com/jwks",
            "PORTCULLIS_TOKEN_URL":"https://login.example.com/token"}}"#
    );
    settings.read_json(json.as_bytes()).expect("settings");
    let resolution = resolve(&settings, Site::Filter).expect("settings");
    Engine::new(resolution.config, Box::new(Yes))
}

/// Lets a request pass, and answers the calls that it takes.
fn decide(engine: &mut Engine, credential: &[u8]) {
    let headers: [(&str, &[u8]); 6] = [
        ("user-agent", b"mcp-remote/0.1"),
        ("accept", b"application/json, text/event-stream"),
        ("content-type", b"application/json"),
        ("mcp-protocol-version", b"2025-11-25"),
        ("authorization", credential),
        ("content-length", b"104"),
    ];
    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example.com",
        path: b"/mcp",
        headers: &headers,
        peer: Peer::Unknown,
    };
    let mut step = engine.handle_request(&head, NOW);
    if let Step::Wait { pending, .. } = step {
        let (call, under_way) = engine.poll_call().expect("a call");
        let body = if call.method == "GET" {
            jwks()
        } else {
            r#"{"access_token":"opaque","expires_in":3600}"#.to_owned()
        };
        let response = UpstreamResponse {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        };
        let wake = engine.handle_upstream(under_way, Ok(response), NOW);
        step = engine.handle_wake(pending, &wake.answer, NOW);
    }
    assert!(matches!(
        black_box(&step),
        Step::Decide(Decision::Forward(_))
    ));
}

/// Makes what a client of `mode` sends; a token has some 800 bytes.
fn credential(mode: &str, number: usize) -> Vec<u8> {
    match mode {
        "jwt" => format!("Bearer {}", token(number)).into(),
        "zscaler" => format!(
            "Basic {}",
            STANDARD.encode("client-1:a-secret-of-32-characters")
        )
        .into(),
        _ => format!("Bearer {KEY}").into(),
    }
}

fn token(number: usize) -> String {
    let header = r#"{"alg":"RS256","kid":"key","typ":"JWT"}"#;
    let claims = format!(
        r#"{{"iss":"https://login.example.com/oauth2/default","aud":"https://mcp.example.com/mcp",
            "sub":"00u1a2b3c4d5e6f7g8h9","cid":"0oa9z8y7x6w5v4u3t2s1","scope":"mcp:read mcp:write",
            "iat":1799999000,"exp":1800003600,"jti":"AT.{number:032x}"}}"#
    );
    [header.as_bytes(), claims.as_bytes(), &[7; 256]]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

fn jwks() -> String {
    let modulus = URL_SAFE_NO_PAD.encode([0xb7; 256]);
    format!(r#"{{"keys":[{{"kty":"RSA","kid":"key","n":"{modulus}","e":"AQAB"}}]}}"#)
}

struct Yes;

impl SignatureVerifier for Yes {
    fn verify(&self, _: Algorithm, _: &PublicKey, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "yes"
    }
}
