//! Ed25519 keys and signatures on which implementations are known to differ.

use portcullis_core::jose::{Algorithm, PublicKey};

use crate::verdict;

/// The order of the base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A point of order 8.
const ORDER_EIGHT: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
    0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];

/// Another, whose `y` is the negative of that one's.
const ORDER_EIGHT_TOO: [u8; 32] = [
    0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
    0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
];

/// Returns the encoding with the value `y`, and the sign of `x`.
fn low(y: u8, negative: bool) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = y;
    bytes[31] = u8::from(negative) << 7;
    bytes
}

/// Returns the encoding with the value 2^255 - 1 - `distance` for `y`, and the sign of `x`.
fn high(distance: u8, negative: bool) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xff - distance;
    bytes[31] = if negative { 0xff } else { 0x7f };
    bytes
}

/// Returns every encoding of the points of small order, the forbidden ones too.
fn keys() -> Vec<[u8; 32]> {
    let mut keys = Vec::new();
    for negative in [false, true] {
        // y = 0, y = 1, y = -1, then the first two again with the prime added.
        keys.extend([low(0, negative), low(1, negative), high(19, negative)]);
        keys.extend([high(18, negative), high(17, negative)]);
        for mut key in [ORDER_EIGHT, ORDER_EIGHT_TOO] {
            key[31] |= u8::from(negative) << 7;
            keys.push(key);
        }
    }
    keys
}

/// With `S` zero a key of small order accepts the right `R` whatever the message, so that the
/// verdict tells how the key was decoded.
#[test]
fn strange_keys_get_the_verdict_of_the_native_host() {
    let points = [
        low(0, false),
        low(1, false),
        high(19, false),
        high(17, false),
    ];
    let mut accepted = 0;
    for key in keys() {
        for point in points {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&point);
            for message in [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"] {
                let case = format!("key {key:02x?}, R {point:02x?}");
                let key = PublicKey::Ed25519(key);
                let accepts = verdict(Algorithm::EdDsa, &key, message, &signature, &case);
                accepted += u32::from(accepts);
            }
        }
    }
    assert!(accepted > 0, "the points of small order are wrong");
}

#[test]
fn s_must_be_below_the_order() {
    // The identity as key and `R`: any multiple of the order is right for `S` but for its size.
    let identity = low(1, false);
    let key = PublicKey::Ed25519(identity);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&identity);
    let zero = verdict(Algorithm::EdDsa, &key, b"", &signature, "S = 0");
    signature[32..].copy_from_slice(&ORDER);
    let order = verdict(Algorithm::EdDsa, &key, b"", &signature, "S = order");
    assert_eq!((zero, order), (true, false));
}
