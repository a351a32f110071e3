//! Tokens, their headers and their claims.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Number;

use super::gate::{Gate, TOKEN, is_field_value};

/// Reads a whole token. No second form of a good token is good, in any gateway.
pub fn token(data: &[u8]) {
    if !is_field_value(data) {
        return;
    }
    let authorization = [b"Bearer ", data].concat();
    let genuine = data.trim_ascii() == TOKEN.as_bytes();
    let mut gate = Gate::jwt();
    assert_eq!(gate.admits(&authorization), genuine);
    assert_eq!(
        gate.admits(&authorization),
        genuine,
        "the second time differs"
    );
    let _ = Gate::credulous().admits(&authorization);
}

/// Reads the header of a token whose signature is taken for good.
pub fn header(data: &[u8]) {
    let header = URL_SAFE_NO_PAD.encode(data);
    let (_, rest) = TOKEN.split_once('.').unwrap();
    let authorization = format!("Bearer {header}.{rest}");
    let admitted = Gate::credulous().admits(authorization.as_bytes());
    if let Ok(header) = serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(data) {
        let tricks = ["crit", "jwk", "jku", "x5u", "x5c"];
        let tricky = tricks.into_iter().any(|name| header.contains_key(name));
        assert!(!(admitted && tricky), "admitted with {header:?}");
    } else {
        assert!(!admitted, "admitted without a header");
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    exp: Number,
}

/// Reads the claims of a token whose signature is taken for good.
pub fn claims(data: &[u8]) {
    let (header, _) = TOKEN.split_once('.').unwrap();
    let claims = URL_SAFE_NO_PAD.encode(data);
    let authorization = format!("Bearer {header}.{claims}.AA");
    let mut gate = Gate::credulous();
    let admitted = gate.admits(authorization.as_bytes());
    if admitted {
        let Claims { iss, exp } = serde_json::from_slice(data).unwrap();
        assert_eq!(iss, "https://issuer.example");
        let exp = exp.as_u64().or_else(|| exp.as_f64().map(|exp| exp as u64));
        let until = exp.unwrap().saturating_add(30);
        assert!(until > gate.now, "admitted though expired");
        // Nothing outlives its token, not even in the cache.
        gate.now = until;
        assert!(!gate.admits(authorization.as_bytes()), "admitted too long");
    }
}
