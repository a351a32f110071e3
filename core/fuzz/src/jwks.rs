//! JWKS documents, and how long they count.

use portcullis_core::UpstreamResponse;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::gate::{Gate, JWKS, NOW, TOKEN, answer};
use super::request::cut;

/// One token for each family of keys, without a key name and with one.
const HEADERS: [&str; 4] = [
    "eyJhbGciOiJSUzI1NiJ9",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InAifQ",
    "eyJhbGciOiJFUzUxMiJ9",
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImUifQ",
];

#[derive(Deserialize)]
struct Set {
    keys: Vec<IgnoredAny>,
}

/// Reads a document.
pub fn jwks(data: &[u8]) {
    let (_, rest) = TOKEN.split_once('.').unwrap();
    let mut gate = Gate::credulous().answering(answer(200, data));
    for header in HEADERS {
        let admitted = gate.admits(format!("Bearer {header}.{rest}").as_bytes());
        let set = serde_json::from_slice::<Set>(data);
        let any = set.is_ok_and(|set| !set.keys.is_empty());
        assert!(!admitted || any, "admitted without keys");
    }
    let _ = Gate::jwt()
        .answering(answer(200, data))
        .admits(format!("Bearer {TOKEN}").as_bytes());
}

/// Reads the header fields of a JWKS response.
pub fn freshness(data: &[u8]) {
    let headers = data
        .split(|byte| *byte == b'\n')
        .map(|line| cut(line, b':'))
        .map(|(name, value)| {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            (name, value.trim_ascii().to_vec())
        })
        .collect();
    let response = UpstreamResponse {
        status: 200,
        headers,
        body: JWKS.into(),
    };
    let mut gate = Gate::jwt().answering(Ok(response));
    assert!(gate.admits(format!("Bearer {TOKEN}").as_bytes()));
    let due = gate
        .engine
        .poll_timeout()
        .expect("used keys are refreshed")
        .0;
    // A life of 1 minute to 24 hours, refreshed a tenth of it early.
    assert!((NOW + 54..=NOW + 86_400).contains(&due), "due at {due}");
    gate.now = due;
    gate.engine.handle_timeout(gate.ambient());
    assert!(
        gate.engine.poll_call().is_some(),
        "no call though one is due"
    );
    assert!(gate.engine.poll_call().is_none(), "two calls at once");
}
