//! What the native host checks signatures with.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use portcullis_core::jose::{Algorithm, EcKey, PublicKey, SignatureVerifier};

pub(crate) struct NativeVerifier;

impl SignatureVerifier for NativeVerifier {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let bytes = match key {
            PublicKey::Rsa(key) => key.spki.as_slice(),
            PublicKey::Ec(key) => key.point.as_slice(),
            PublicKey::Ed25519(key) => key.as_slice(),
        };
        UnparsedPublicKey::new(method(algorithm), bytes)
            .verify(message, signature)
            .is_ok()
    }

    fn name(&self) -> &'static str {
        "native"
    }
}

/// Checks ECDSA as hosts do that take signatures in DER, such as Envoy's library.
pub(crate) fn verifies_in_der(
    algorithm: Algorithm,
    key: &EcKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let method = match algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_ASN1,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_ASN1,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_ASN1,
        other => panic!("{} is no ECDSA", other.name()),
    };
    key.der_signature(signature).is_some_and(|der| {
        UnparsedPublicKey::new(method, &key.point)
            .verify(message, &der)
            .is_ok()
    })
}

fn method(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDsa => &signature::ED25519,
    }
}
