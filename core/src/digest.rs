//! Digests of secrets: never printed, compared in constant time.

use core::fmt;
use core::hash::Hasher as _;

use sha2::{Digest as _, Sha256};
use siphasher::sip128::{Hasher128 as _, SipHasher24};
use subtle::ConstantTimeEq as _;

/// The SHA-256 digest of a credential: what caches and comparisons use in its place.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digests `parts`, each led by its length, so that no two lists of parts are alike.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// Digests `bytes` as they are: the form in which users write `sha256:HEX`.
    #[must_use]
    pub fn plain(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps a digest that was computed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(index * 2..index * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Returns the 32 octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns a number that is as good as random for the digest of a secret.
    pub(crate) const fn leading_bits(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_le_bytes([a, b, c, d])
    }

    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.words().ct_eq(&other.words()).into()
    }

    fn words(&self) -> [u64; 4] {
        let (words, _) = self.0.as_chunks();
        core::array::from_fn(|index| words.get(index).map_or(0, |word| u64::from_ne_bytes(*word)))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// What one engine looks long credentials up under: 128 bits that nobody knows.
#[derive(Clone, Copy)]
pub(crate) struct FingerprintKey(u64, u64);

impl FingerprintKey {
    /// Takes half of a digest of what is random.
    pub(crate) const fn of(random: &Digest) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = random.0;
        Self::new([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }

    const fn new(octets: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, rest @ ..] = octets;
        Self(
            u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            u64::from_le_bytes(rest),
        )
    }

    /// Tells `credential` from every other.
    pub(crate) fn fingerprint(&self, credential: &[u8]) -> Fingerprint {
        let mut hasher = SipHasher24::new_with_keys(self.0, self.1);
        hasher.write(credential);
        let hash = hasher.finish128();
        Fingerprint([hash.h1, hash.h2])
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(…)")
    }
}

/// What a long credential is looked up by: SipHash-2-4 with 128 bits of output under a key that
/// nobody knows. Without the key nobody can make two credentials of one fingerprint, and in the VM
/// it takes a quarter of the time of SHA-256. It means nothing outside its engine.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// That of what is never looked up.
    pub(crate) const NONE: Self = Self([0; 2]);

    /// Returns both halves.
    pub(crate) const fn halves(self) -> [u64; 2] {
        self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two 128-bit vectors of SipHash's reference implementation: the key is 00 to 0f.
    #[test]
    fn fingerprints_are_those_of_siphash() {
        let key = FingerprintKey::new(core::array::from_fn(|index| u8::try_from(index).unwrap()));
        let check = |input: &[u8], expected: [u64; 2]| {
            let expected = expected.map(u64::swap_bytes);
            assert_eq!(key.fingerprint(input).halves(), expected);
        };
        check(&[], [0xa381_7f04_ba25_a8e6, 0x6df6_7214_c755_0293]);
        check(&[0], [0xda87_c1d8_6b99_af44, 0x3476_5911_9b22_fc45]);
    }

    #[test]
    fn every_bit_of_key_and_credential_counts() {
        let (key, credential) = ([7; 16], [7; 40]);
        let whole = FingerprintKey::new(key).fingerprint(&credential);
        for bit in 0..16 * 8 {
            let mut other = key;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(FingerprintKey::new(other).fingerprint(&credential), whole);
        }
        for bit in 0..40 * 8 {
            let mut other = credential;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(FingerprintKey::new(key).fingerprint(&other), whole);
        }
    }
}
