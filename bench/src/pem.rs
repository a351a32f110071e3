//! A public RSA key as a PEM file, for those who read no JWKS.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_tests::Alg;

use crate::credentials::Keys;

/// The algorithm identifier of RSA: object 1.2.840.113549.1.1.1 and NULL (RFC 3279 §2.3.1).
const RSA: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Returns the RS256 key as `SubjectPublicKeyInfo` in PEM.
pub(crate) fn public_key_pem(keys: &Keys) -> String {
    let text = STANDARD.encode(spki(&rsa_public_key(keys)));
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    )
}

/// Returns the RS256 key as `RSAPublicKey` (RFC 8017 §A.1.1).
pub(crate) fn rsa_public_key(keys: &Keys) -> Vec<u8> {
    let jwk = keys.of(Alg::Rs256).jwk();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    element(0x30, &[integer(&part("n")), integer(&part("e"))].concat())
}

fn spki(key: &[u8]) -> Vec<u8> {
    // A bit string says first how many bits of its last octet are unused.
    let bits = element(0x03, &[&[0], key].concat());
    element(0x30, &[RSA.as_slice(), &bits].concat())
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    // A leading one bit would make it negative.
    let zero: &[u8] = if bytes[0] & 0x80 == 0 { &[] } else { &[0] };
    element(0x02, &[zero, bytes].concat())
}

fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let mut element = match (high, low) {
        (0, 0..=127) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    element.extend(contents);
    element
}
