//! Hashes, chosen at run time: one copy of each in the code, whoever asks.

use alloc::vec::Vec;

use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::jose::Hash;

impl Hash {
    /// Returns the hash of all `parts` in a row.
    pub(super) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha384 => digest::<Sha384>(parts),
            Self::Sha512 => digest::<Sha512>(parts),
        }
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}
