//! Signatures of tokens by aws-lc, and random secrets.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::jose::{Algorithm, Curve, PublicKey, SignatureVerifier};

/// Checks signatures with aws-lc.
pub(crate) struct NativeVerifier;

impl SignatureVerifier for NativeVerifier {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        match (scheme(algorithm), key) {
            (Scheme::Rsa(parameters), PublicKey::Rsa(key)) => RsaPublicKeyComponents {
                n: &key.modulus,
                e: &key.exponent,
            }
            .verify(parameters, message, signature)
            .is_ok(),
            (Scheme::Ec(curve, parameters), PublicKey::Ec(key)) if key.curve == curve => {
                UnparsedPublicKey::new(parameters, &key.point)
                    .verify(message, signature)
                    .is_ok()
            }
            (Scheme::Ed25519, PublicKey::Ed25519(key)) => UnparsedPublicKey::new(&ED25519, key)
                .verify(message, signature)
                .is_ok(),
            (Scheme::Rsa(_) | Scheme::Ec(..) | Scheme::Ed25519, _) => false,
        }
    }

    fn name(&self) -> &'static str {
        "aws-lc"
    }
}

/// What aws-lc calls an algorithm, and the curve that JOSE ties to it (RFC 7518 §3.4).
enum Scheme {
    Rsa(&'static RsaParameters),
    Ec(Curve, &'static EcdsaVerificationAlgorithm),
    Ed25519,
}

fn scheme(algorithm: Algorithm) -> Scheme {
    match algorithm {
        Algorithm::Rs256 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 => Scheme::Ec(Curve::P256, &ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Scheme::Ec(Curve::P384, &ECDSA_P384_SHA384_FIXED),
        Algorithm::Es512 => Scheme::Ec(Curve::P521, &ECDSA_P521_SHA512_FIXED),
        Algorithm::EdDsa => Scheme::Ed25519,
    }
}

/// Returns 256 random bits as base64url.
///
/// # Errors
///
/// Fails when the system has no randomness.
pub(crate) fn random_token() -> Result<String, Unspecified> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests;
