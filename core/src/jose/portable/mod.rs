//! A verifier in portable Rust, for hosts without a signature library of their own.
//!
//! Curves are those of the RustCrypto and dalek crates; RSA is ours, on numbers of 32-bit limbs,
//! since in wasm the crates for it take two to seven times as long. jwt-simple is not used: it is
//! the reference that the tests hold this against. It needs `std`; it verifies whole tokens only
//! and reads header and claims in its own way, by default on its own clock; and it has no ES512.

mod ecdsa;
mod eddsa;
mod hash;
mod multiples;
mod prepared;
mod rsa;

use core::cell::RefCell;

use self::prepared::PreparedKeys;
use crate::jose::{Algorithm, PublicKey, SignatureVerifier};

/// Checks signatures with portable code: every algorithm on every target, without `std`,
/// randomness or private keys.
///
/// Its verdicts are those of AWS-LC, so that hosts agree: the salt of RSASSA-PSS is exactly as
/// long as the hash (RFC 7518 §3.5), an ECDSA signature may have a high `s`, and EdDSA is checked
/// as RFC 8032 §5.1.7 has it, without the cofactor: `S` below the order, key and `R` in their only
/// encoding, no rule against keys of small order.
///
/// It keeps the last few keys in the form that is quickest to check with, at most 0.7 MB in all.
/// Nothing of that is there before the first check.
#[derive(Debug, Default)]
pub struct PortableVerifier(RefCell<PreparedKeys>);

impl PortableVerifier {
    /// Returns a verifier that keeps no keys yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(PreparedKeys::new()))
    }
}

impl SignatureVerifier for PortableVerifier {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        // Nothing in a check comes back here.
        self.0
            .try_borrow_mut()
            .is_ok_and(|mut keys| keys.verify(algorithm, key, message, signature))
    }

    fn name(&self) -> &'static str {
        "portable"
    }
}
