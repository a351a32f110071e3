//! Answers of the token endpoint.

use portcullis_core::{CallFailure, Decision};
use serde::Deserialize;

use super::gate::{Gate, answer, post};
use super::request::cut;

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Reads a line with the status, then the body.
pub fn token_endpoint(data: &[u8]) {
    let (status, body) = cut(data, b'\n');
    let status: Option<u16> = core::str::from_utf8(status)
        .ok()
        .and_then(|status| status.trim().parse().ok());
    let outcome = match status {
        Some(status) => answer(status, body),
        None => Err(CallFailure::Cut),
    };
    let mut gate = Gate::zscaler(outcome);
    let headers: [(&str, &[u8]); 2] = [
        ("x-zscaler-client-id", b"id"),
        ("x-zscaler-client-secret", b"secret"),
    ];
    match gate.decide(&post(&headers)) {
        Decision::Forward(_) => {
            assert_eq!(status, Some(200));
            // Whatever the answer says, nothing is kept for longer than an hour.
            gate = gate.answering(Err(CallFailure::Unreachable));
            gate.now += 3600;
            let later = gate.decide(&post(&headers));
            assert!(matches!(later, Decision::Respond(response) if response.status == 503));
        }
        Decision::Respond(response) if response.status == 401 => {
            assert!(matches!(status, Some(400 | 401 | 403)), "{status:?}");
            let Refusal { error } = serde_json::from_slice(body).unwrap();
            assert!(!error.is_empty());
        }
        Decision::Respond(response) => assert_eq!(response.status, 503),
    }
}
