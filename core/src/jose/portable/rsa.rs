//! RSA signatures (RFC 8017 §8), verification only.

use alloc::vec;
use alloc::vec::Vec;

use portcullis_modular::Modulus;

use crate::jose::{Hash, RsaKey};

const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 8192;

/// The longest exponent, in bits; AWS-LC has the same.
const MAX_EXPONENT_BITS: u32 = 33;

/// An RSA key that is ready to check signatures.
#[derive(Debug)]
pub(super) struct PreparedRsa {
    modulus: Modulus,
    exponent: u64,
}

impl PreparedRsa {
    /// Prepares a key; `None` when its size or exponent is out of bounds or either number is even.
    pub(super) fn new(key: &RsaKey) -> Option<Self> {
        let modulus = Modulus::new(&key.modulus)?;
        let exponent = exponent(&key.exponent)?;
        let sized = (MIN_BITS..=MAX_BITS).contains(&modulus.bits());
        sized.then_some(Self { modulus, exponent })
    }

    /// Checks RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2): what the signature holds must be, octet by
    /// octet, what a signer would have encoded, so nothing of it is parsed.
    pub(super) fn verify_pkcs1(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let encoded = self.encoded(signature);
        encoded.is_some_and(|encoded| encoded == pkcs1_encoding(hash, message, encoded.len()))
    }

    /// Checks RSASSA-PSS (RFC 8017 §8.1.2) with MGF1 on the same hash and a salt of its length.
    pub(super) fn verify_pss(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let encoded = self.encoded(signature);
        let bits = self.modulus.bits().saturating_sub(1);
        encoded.and_then(|encoded| is_pss_encoding(hash, message, &encoded, bits)) == Some(true)
    }

    /// Returns what was signed, as long as the modulus.
    fn encoded(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let sized = signature.len() == self.modulus.octets();
        sized.then(|| self.modulus.power(signature, self.exponent))?
    }
}

/// Reads an exponent: odd, at least 3, without leading zeros.
fn exponent(octets: &[u8]) -> Option<u64> {
    let number = octets.iter().try_fold(0_u64, |number, octet| {
        Some(number.checked_mul(256)? | u64::from(*octet))
    })?;
    let sized = number >= 3 && number.ilog2() < MAX_EXPONENT_BITS;
    (sized && number & 1 == 1 && octets.first() != Some(&0)).then_some(number)
}

/// Encodes a message as EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
fn pkcs1_encoding(hash: Hash, message: &[u8], length: usize) -> Vec<u8> {
    let digest = hash.digest(&[message]);
    let info = digest_info(hash);
    // The smallest key leaves room for padding whatever the hash.
    let padding = length.saturating_sub(3 + info.len() + digest.len());
    [&[0, 1], &*vec![0xff; padding], &[0], info, &digest].concat()
}

/// `DigestInfo` up to the digest (RFC 8017 §9.2, note 1).
const fn digest_info(hash: Hash) -> &'static [u8; 19] {
    match hash {
        Hash::Sha256 => {
            b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
        }
        Hash::Sha384 => {
            b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
        }
        Hash::Sha512 => {
            b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
        }
    }
}

/// Tells whether `encoded`, of which the lowest `bits` count, encodes the message as EMSA-PSS (RFC
/// 8017 §9.1.2; the numbers are those of its steps).
fn is_pss_encoding(hash: Hash, message: &[u8], encoded: &[u8], bits: usize) -> Option<bool> {
    let digest = hash.digest(&[message]);
    // A modulus of 8n + 1 bits has an octet more than the encoding.
    let surplus = encoded.len().checked_sub(bits.div_ceil(8))?;
    let (surplus, encoded) = encoded.split_at_checked(surplus)?;
    let used = 0xff_u8 >> ((encoded.len() * 8 - bits) % 8);
    let (trailer, encoded) = encoded.split_last()?;
    let (masked, proof) = encoded.split_at_checked(encoded.len().checked_sub(digest.len())?)?; // 5
    let highest = masked.first()?;
    let reduced = surplus.iter().all(|octet| *octet == 0) && highest & !used == 0; // 6
    let mut block = unmask(hash, proof, masked); // 8
    *block.first_mut()? &= used; // 9
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(digest.len())?)?; // 3
    let (one, zeros) = padding.split_last()?;
    let padded = *one == 1 && zeros.iter().all(|octet| *octet == 0); // 10
    let proven = hash.digest(&[&[0; 8], &digest, salt]) == proof; // 14
    Some(*trailer == 0xbc && reduced && padded && proven) // 4
}

/// Takes the mask off that MGF1 (RFC 8017, appendix B.2.1) makes of `seed`.
fn unmask(hash: Hash, seed: &[u8], masked: &[u8]) -> Vec<u8> {
    let blocks = (0_u32..).flat_map(|counter| hash.digest(&[seed, &counter.to_be_bytes()]));
    masked
        .iter()
        .zip(blocks)
        .map(|(octet, mask)| octet ^ mask)
        .collect()
}
