//! Signatures of tokens by aws-lc, and random secrets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::jose::{Algorithm, Curve, PublicKey, SignatureVerifier};

/// Checks signatures with aws-lc.
#[derive(Default)]
pub(crate) struct NativeVerifier {
    /// Keys as aws-lc takes them, the latest last: reading an RSA key takes it longer than a check.
    prepared: Mutex<Vec<Arc<Prepared>>>,
}

/// A key, ready for one algorithm; `parsed` is `None` where aws-lc does not accept it.
struct Prepared {
    algorithm: Algorithm,
    key: PublicKey,
    parsed: Option<ParsedPublicKey>,
}

/// More than a set of keys has; what it lacks only takes longer.
const MAX_PREPARED: usize = 128;

impl SignatureVerifier for NativeVerifier {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let prepared = self.prepare(algorithm, key);
        let parsed = prepared.parsed.as_ref();
        parsed.is_some_and(|parsed| parsed.verify_sig(message, signature).is_ok())
    }

    fn name(&self) -> &'static str {
        "aws-lc"
    }
}

impl NativeVerifier {
    fn prepare(&self, algorithm: Algorithm, key: &PublicKey) -> Arc<Prepared> {
        let is_it =
            |prepared: &&Arc<Prepared>| prepared.algorithm == algorithm && prepared.key == *key;
        if let Some(found) = self.lock().iter().find(is_it) {
            return Arc::clone(found);
        }
        let fresh = Arc::new(Prepared {
            algorithm,
            key: key.clone(),
            parsed: parse(algorithm, key),
        });
        let mut all = self.lock();
        if all.len() >= MAX_PREPARED {
            all.remove(0);
        }
        all.push(Arc::clone(&fresh));
        fresh
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Prepared>>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(algorithm: Algorithm, key: &PublicKey) -> Option<ParsedPublicKey> {
    match (scheme(algorithm), key) {
        (Scheme::Rsa(parameters), PublicKey::Rsa(key)) => RsaPublicKeyComponents {
            n: &key.modulus,
            e: &key.exponent,
        }
        .to_parsed_public_key(parameters)
        .ok(),
        (Scheme::Ec(curve, parameters), PublicKey::Ec(key)) if key.curve == curve => {
            ParsedPublicKey::new(parameters, &key.point).ok()
        }
        (Scheme::Ed25519, PublicKey::Ed25519(key)) => ParsedPublicKey::new(&ED25519, key).ok(),
        (Scheme::Rsa(_) | Scheme::Ec(..) | Scheme::Ed25519, _) => None,
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

/// Returns random octets.
///
/// # Errors
///
/// Fails when the system has no randomness.
pub(crate) fn random_octets<const LEN: usize>() -> Result<[u8; LEN], Unspecified> {
    let mut octets = [0; LEN];
    aws_lc_rs::rand::fill(&mut octets)?;
    Ok(octets)
}

/// Returns 256 random bits as base64url.
///
/// # Errors
///
/// Fails when the system has no randomness.
pub(crate) fn random_token() -> Result<String, Unspecified> {
    Ok(URL_SAFE_NO_PAD.encode(random_octets::<32>()?))
}

#[cfg(test)]
mod tests;
