//! Envoy's function `verify_signature`, by another library: the filter asks it for known answers
//! before it trusts it.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};

/// Checks what the four fields of a protobuf message say: hash, key, signature, text.
pub(crate) fn verify(message: &[u8]) -> bool {
    let mut fields: [&[u8]; 4] = [&[]; 4];
    let mut rest = message;
    while let [tag, after @ ..] = rest {
        let (length, after) = varint(after);
        let (value, after) = after.split_at(length);
        fields[usize::from(tag >> 3) - 1] = value;
        rest = after;
    }
    let [hash, key, signature, text] = fields;
    let algorithms: [&dyn VerificationAlgorithm; 2] = match hash {
        b"sha256" => [&RSA_PKCS1_2048_8192_SHA256, &ECDSA_P256_SHA256_ASN1],
        b"sha384" => [&RSA_PKCS1_2048_8192_SHA384, &ECDSA_P384_SHA384_ASN1],
        b"sha512" => [&RSA_PKCS1_2048_8192_SHA512, &ECDSA_P521_SHA512_ASN1],
        _ => return false,
    };
    // A key is of one kind and says which.
    algorithms.into_iter().any(|algorithm| {
        let key = UnparsedPublicKey::new(algorithm, key);
        key.verify(text, signature).is_ok()
    })
}

fn varint(mut bytes: &[u8]) -> (usize, &[u8]) {
    let (mut number, mut shift) = (0, 0);
    while let [byte, rest @ ..] = bytes {
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        bytes = rest;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (number, bytes)
}
