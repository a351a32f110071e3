//! A set of keys as JSON again, for whoever is to check signatures with the same ones.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Algorithm, Curve, Jwk, PublicKey};

/// Writes keys as a JWKS (RFC 7517 §5).
pub(super) fn document<'a>(keys: impl Iterator<Item = &'a Jwk>) -> String {
    let keys: Vec<Value> = keys.map(jwk).collect();
    json!({ "keys": keys }).to_string()
}

fn jwk(jwk: &Jwk) -> Value {
    let mut value = match &jwk.key {
        PublicKey::Rsa(key) => json!({
            "kty": "RSA", "n": text(&key.modulus), "e": text(&key.exponent),
        }),
        PublicKey::Ec(key) => {
            let (curve, size) = (name(key.curve), key.curve.coordinate_bytes());
            let point = key.point.get(1..).unwrap_or_default();
            let (x, y) = point.split_at_checked(size).unwrap_or_default();
            json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
        }
        PublicKey::Ed25519(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key) }),
    };
    if let Value::Object(members) = &mut value {
        members.insert("use".to_string(), "sig".into());
        members.extend(jwk.kid.clone().map(|kid| ("kid".to_string(), kid.into())));
        let alg = jwk.alg.map(Algorithm::name);
        members.extend(alg.map(|alg| ("alg".to_string(), alg.into())));
    }
    value
}

const fn name(curve: Curve) -> &'static str {
    match curve {
        Curve::P256 => "P-256",
        Curve::P384 => "P-384",
        Curve::P521 => "P-521",
    }
}

fn text(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}
