//! A verifier in portable Rust, for hosts without a signature library of their own.
//!
//! Curves are those of the RustCrypto and dalek crates; RSA is ours, on numbers of 32-bit limbs,
//! since in wasm the crates for it take two to seven times as long. jwt-simple is not used: it is
//! the reference that the tests hold this against. It needs `std`; it verifies whole tokens only
//! and reads header and claims in its own way, by default on its own clock; and it has no ES512.

mod hash;
mod rsa;

use p256::ecdsa::signature::Verifier;

use self::rsa::PreparedRsa;
use crate::jose::{Algorithm, Curve, EcKey, PublicKey, SignatureVerifier};

/// Checks signatures with portable code: every algorithm on every target, without `std`,
/// randomness or private keys.
///
/// Its verdicts are those of AWS-LC, so that hosts agree: the salt of RSASSA-PSS is exactly as
/// long as the hash (RFC 7518 §3.5), an ECDSA signature may have a high `s`, and EdDSA is checked
/// as RFC 8032 §5.1.7 has it, without the cofactor: `S` below the order, key and `R` in their only
/// encoding, no rule against keys of small order.
#[derive(Clone, Copy, Debug, Default)]
pub struct PortableVerifier;

impl SignatureVerifier for PortableVerifier {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        match (algorithm, key) {
            (Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512, PublicKey::Rsa(key)) => {
                PreparedRsa::new(key)
                    .is_some_and(|key| key.verify_pkcs1(algorithm.hash(), message, signature))
            }
            (Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512, PublicKey::Rsa(key)) => {
                PreparedRsa::new(key)
                    .is_some_and(|key| key.verify_pss(algorithm.hash(), message, signature))
            }
            (Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512, PublicKey::Ec(key)) => {
                verify_ecdsa(algorithm, key, message, signature)
            }
            (Algorithm::EdDsa, PublicKey::Ed25519(key)) => verify_ed25519(key, message, signature),
            (_, PublicKey::Rsa(_) | PublicKey::Ec(_) | PublicKey::Ed25519(_)) => false,
        }
    }

    fn name(&self) -> &'static str {
        "portable"
    }
}

fn verify_ecdsa(algorithm: Algorithm, key: &EcKey, message: &[u8], signature: &[u8]) -> bool {
    match (algorithm, key.curve) {
        (Algorithm::Es256, Curve::P256) => {
            use p256::ecdsa::{Signature, VerifyingKey};
            check(
                VerifyingKey::from_sec1_bytes(&key.point),
                message,
                Signature::from_slice(signature),
            )
        }
        (Algorithm::Es384, Curve::P384) => {
            use p384::ecdsa::{Signature, VerifyingKey};
            check(
                VerifyingKey::from_sec1_bytes(&key.point),
                message,
                Signature::from_slice(signature),
            )
        }
        (Algorithm::Es512, Curve::P521) => {
            use p521::ecdsa::{Signature, VerifyingKey};
            check(
                VerifyingKey::from_sec1_bytes(&key.point),
                message,
                Signature::from_slice(signature),
            )
        }
        _ => false,
    }
}

/// Checks with the hash that belongs to the curve (RFC 7518 §3.4, RFC 8032 §5.1).
fn check<K: Verifier<S>, S, E>(key: Result<K, E>, message: &[u8], signature: Result<S, E>) -> bool {
    match (key, signature) {
        (Ok(key), Ok(signature)) => key.verify(message, &signature).is_ok(),
        (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    use ed25519_dalek::{Signature, VerifyingKey};
    is_canonical(key)
        && check(
            VerifyingKey::from_bytes(key),
            message,
            Signature::from_slice(signature),
        )
}

/// Tells whether an encoded Edwards point is the only encoding of that point (RFC 8032 §5.1.3),
/// which dalek leaves to its callers: `y` is below the prime, and where `x` is zero its sign is
/// not set.
fn is_canonical(point: &[u8; 32]) -> bool {
    /// 2^255 - 19, little-endian but for its first octet.
    const PRIME_HIGH: [u8; 31] = {
        let mut octets = [0xff; 31];
        octets[30] = 0x7f;
        octets
    };
    let [low, high @ ..] = *point;
    let [.., last] = *point;
    let mut y = high;
    y[30] &= 0x7f;
    let signed = last & 0x80 != 0;
    // x is zero at y = 1 and y = -1 only.
    let x_is_zero = (low, y) == (1, [0; 31]) || (low, y) == (0xec, PRIME_HIGH);
    let y_is_reduced = y != PRIME_HIGH || low < 0xed;
    y_is_reduced && !(x_is_zero && signed)
}
