//! Public keys and signatures in DER, the form in which signature libraries take them.

use alloc::vec::Vec;

use super::Curve;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// `AlgorithmIdentifier` of rsaEncryption with its NULL (RFC 3279 §2.3.1).
const RSA_ENCRYPTION: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Object identifier of id-ecPublicKey (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// Encodes an RSA key as `SubjectPublicKeyInfo`; both numbers are big-endian without leading
/// zeros.
pub(super) fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = element(SEQUENCE, &[&unsigned(modulus), &unsigned(exponent)]);
    element(
        SEQUENCE,
        &[RSA_ENCRYPTION, &element(BIT_STRING, &[&[0], &key])],
    )
}

/// Encodes an uncompressed point as `SubjectPublicKeyInfo`.
pub(super) fn ec_spki(curve: Curve, point: &[u8]) -> Vec<u8> {
    let algorithm = element(SEQUENCE, &[EC_PUBLIC_KEY, curve_identifier(curve)]);
    element(
        SEQUENCE,
        &[&algorithm, &element(BIT_STRING, &[&[0], point])],
    )
}

/// Encodes an ECDSA signature (RFC 3279 §2.2.3); zero is no part of one.
pub(super) fn ecdsa_signature(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let number = number.get(zeros..).filter(|number| !number.is_empty())?;
        Some(unsigned(number))
    };
    Some(element(SEQUENCE, &[&integer(r)?, &integer(s)?]))
}

const fn curve_identifier(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        Curve::P384 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
        Curve::P521 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
    }
}

fn unsigned(number: &[u8]) -> Vec<u8> {
    let negative_looking = number.first().is_none_or(|first| *first >= 0x80);
    let pad: &[u8] = if negative_looking { &[0] } else { &[] };
    element(INTEGER, &[pad, number])
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let significant = length
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(length.len());
    let length = length.get(significant..).unwrap_or_default();
    let mut encoded = Vec::with_capacity(content.len().saturating_add(10));
    encoded.push(tag);
    match (length, u8::try_from(length.len())) {
        ([], _) => encoded.push(0),
        ([short], _) if *short < 0x80 => encoded.push(*short),
        (_, count) => {
            encoded.push(0x80 | count.unwrap_or(0));
            encoded.extend_from_slice(length);
        }
    }
    encoded.extend_from_slice(&content);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_short_form_and_both_long_ones() {
        assert_eq!(element(INTEGER, &[&[1]]), [2, 1, 1]);
        assert_eq!(element(INTEGER, &[&[0; 127]])[..2], [2, 127]);
        assert_eq!(element(INTEGER, &[&[0; 128]])[..3], [2, 0x81, 128]);
        assert_eq!(element(INTEGER, &[&[0; 256]])[..4], [2, 0x82, 1, 0]);
    }

    #[test]
    fn integers_never_look_negative() {
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[0x7f]), [2, 1, 0x7f]);
    }
}
