//! The random octets that one engine begins with.

use core::fmt;

use crate::digest::{Digest, FingerprintKey};
use crate::entropy::Entropy;

/// 32 random octets, drawn by the host for one engine and used for nothing else: the core draws
/// none by itself. The same seed and the same requests give the same answers.
pub struct Seed([u8; 32]);

impl Seed {
    /// Takes 32 octets from the host's source of random numbers.
    #[must_use]
    pub const fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// Returns what credentials are looked up under.
    pub(crate) fn fingerprint_key(&self) -> FingerprintKey {
        FingerprintKey::of(&self.derive(b"fingerprints"))
    }

    /// Returns what nonces and states are drawn from.
    pub(crate) fn entropy(&self) -> Entropy {
        Entropy::new(*self.derive(b"entropy").as_bytes())
    }

    fn derive(&self, purpose: &[u8]) -> Digest {
        Digest::of(&[purpose, &self.0])
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}
