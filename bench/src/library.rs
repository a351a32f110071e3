//! What the parts cost alone: a bare signature check, and a warm decision of the core.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::config::{Settings as CoreSettings, Site, resolve};
use portcullis_core::jose::PortableVerifier;
use portcullis_core::{
    Ambient, Decision, Engine, Peer, RequestHead, Seed, Step, UnixSeconds, UpstreamResponse,
};
use portcullis_tests::Alg;
use serde_json::Value;

use crate::pem::rsa_public_key;
use crate::usage::processor_time;
use crate::world::World;

/// Returns the time of one check of an RS256 signature over a token, in microseconds.
pub(crate) fn verify_rs256(world: &World) -> f64 {
    verify(
        &RSA_PKCS1_2048_8192_SHA256,
        &rsa_public_key(&world.keys),
        &world.rs256,
    )
}

/// As [`verify_rs256`], for ES256.
pub(crate) fn verify_es256(world: &World) -> f64 {
    let jwk = world.keys.of(Alg::Es256).jwk();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [&[4], part("x").as_slice(), &part("y")].concat();
    verify(&ECDSA_P256_SHA256_FIXED, &point, &world.es256)
}

fn verify(algorithm: &'static dyn VerificationAlgorithm, key: &[u8], tokens: &[String]) -> f64 {
    let parts: Vec<(&str, Vec<u8>)> = tokens
        .iter()
        .take(2000)
        .map(|token| {
            let (message, signature) = token.rsplit_once('.').unwrap();
            (message, URL_SAFE_NO_PAD.decode(signature).unwrap())
        })
        .collect();
    let key = ParsedPublicKey::new(algorithm, key).unwrap();
    microseconds_each(parts.len(), |index| {
        let (message, signature) = &parts[index];
        key.verify_sig(message.as_bytes(), signature).unwrap();
    })
}

/// Returns the time of one warm decision of the core, in microseconds.
pub(crate) fn decision(world: &World, mode: &str, credential: &str) -> f64 {
    const COUNT: usize = 100_000;
    let mut settings = CoreSettings::default();
    let json = Value::Object(world.settings(mode)).to_string();
    settings.read_json(json.as_bytes()).unwrap();
    let config = resolve(&settings, Site::Filter).unwrap().config;
    let mut engine = Engine::new(
        config,
        Box::new(PortableVerifier::new()),
        Seed::new([0; 32]),
    );
    let (_, value) = credential.trim_end().split_once(": ").unwrap();
    let headers: [(&str, &[u8]); 6] = [
        ("user-agent", b"mcp-remote/0.1"),
        ("accept", b"application/json, text/event-stream"),
        ("content-type", b"application/json"),
        ("mcp-protocol-version", b"2025-11-25"),
        ("authorization", value.as_bytes()),
        ("content-length", b"104"),
    ];
    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example.com",
        path: b"/mcp",
        headers: &headers,
        peer: Peer::Unknown,
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = UnixSeconds(since.as_secs());
    first_request(world, &mut engine, &head, now);
    microseconds_each(COUNT, |_| {
        let step = engine.handle_request(black_box(&head), Ambient { now });
        assert!(matches!(
            black_box(&step),
            Step::Decide(Decision::Forward(_))
        ));
    })
}

/// Returns the processor time of one of `count` actions: the wall clock would count what else
/// runs on this core.
fn microseconds_each(count: usize, mut act: impl FnMut(usize)) -> f64 {
    let own = [std::process::id()];
    let before = processor_time(&own);
    for index in 0..count {
        act(index);
    }
    let time = processor_time(&own).saturating_sub(before);
    time.as_secs_f64() * 1e6 / count as f64
}

/// Answers the calls of the first request.
fn first_request(world: &World, engine: &mut Engine, head: &RequestHead<'_>, now: UnixSeconds) {
    let step = engine.handle_request(head, Ambient { now });
    while let Some((call, pending)) = engine.poll_call() {
        let body = if call.method == "GET" {
            world.keys.jwks().to_string()
        } else {
            r#"{"access_token":"opaque","expires_in":3600}"#.to_owned()
        };
        let response = UpstreamResponse {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        };
        let _ = engine.handle_upstream(pending, Ok(response), Ambient { now });
    }
    // A request that waited is only here to fetch; the next one is warm or makes itself so.
    drop(step);
    let _ = engine.handle_request(head, Ambient { now });
}
