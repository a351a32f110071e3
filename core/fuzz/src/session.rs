//! Session ids, as protected resources make them and as clients send them.

use portcullis_core::jose::PortableVerifier;
use portcullis_core::modes::{ApiKeyMode, Mode};
use portcullis_core::{Config, Decision, Forward};

use super::gate::{API_KEY, Gate, api_key, is_field_value, post, state_keys};

const FIELD: &str = "mcp-session-id";

/// Reads an id.
pub fn session(data: &[u8]) {
    if !is_field_value(data) {
        return;
    }
    // No client makes up an id.
    assert!(present(&mut gate(API_KEY), API_KEY, Some(data)).is_none());
    let forward = present(&mut gate(API_KEY), API_KEY, None).unwrap();
    assert_eq!(forward.response_fields(), [FIELD]);
    let edits = forward.response_edits(&[(FIELD, data)]);
    let (_, sealed) = edits.fields().find(|(name, _)| *name == FIELD).unwrap();
    // The one that was given to a client comes back as the protected resource made it.
    let forward = present(&mut gate(API_KEY), API_KEY, Some(sealed)).unwrap();
    let (_, opened) = forward
        .request
        .fields()
        .find(|(name, _)| *name == FIELD)
        .unwrap();
    assert_eq!(opened, data.trim_ascii());
    // It is worth nothing to others, and nothing once it changes.
    assert!(present(&mut gate("another"), "another", Some(sealed)).is_none());
    for index in [0, sealed.len() / 2, sealed.len() - 1] {
        let mut changed = sealed.to_vec();
        changed[index] ^= 1;
        if is_field_value(&changed) && changed.trim_ascii() == changed {
            assert!(present(&mut gate(API_KEY), API_KEY, Some(&changed)).is_none());
        }
        assert!(present(&mut gate(API_KEY), API_KEY, Some(&sealed[..index])).is_none());
    }
}

fn gate(key: &str) -> Gate {
    let mut config: Config = api_key();
    config.mode = Mode::ApiKey(ApiKeyMode::parse(key).unwrap());
    config.session_keys = Some(state_keys());
    Gate::new(config, Box::new(PortableVerifier::new()))
}

fn present(gate: &mut Gate, key: &str, session: Option<&[u8]>) -> Option<Forward> {
    let mut headers = vec![("x-api-key", key.as_bytes())];
    headers.extend(session.map(|session| (FIELD, session)));
    match gate.decide(&post(&headers)) {
        Decision::Forward(forward) => Some(forward),
        Decision::Respond(response) => {
            assert_eq!(response.status, 404, "{}", response.reason);
            None
        }
    }
}
