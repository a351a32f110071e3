//! EdDSA on Ed25519.

use alloc::sync::Arc;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar};

use super::multiples::{Multiples, digits, shift};
use crate::jose::Hash;

/// Of so many windows, one has a table.
const DISTANCE: usize = 2;

/// The tables of a point.
pub(super) type EdwardsMultiples = Multiples<EdwardsPoint>;

/// A key of Ed25519.
#[derive(Debug)]
pub(super) struct Ed25519Key {
    octets: [u8; 32],
    /// The negative of the key.
    negative: EdwardsPoint,
    /// Those of the base point and of the negative of the key.
    tables: Option<(Arc<EdwardsMultiples>, EdwardsMultiples)>,
}

impl Ed25519Key {
    /// Decodes a key; `None` when it is no point, or not in its only encoding.
    pub(super) fn new(octets: &[u8; 32]) -> Option<Self> {
        if !is_canonical(octets) {
            return None;
        }
        let point = CompressedEdwardsY(*octets).decompress()?;
        Some(Self {
            octets: *octets,
            negative: -point,
            tables: None,
        })
    }

    /// Adds tables, which halve the time of a check. They take 67 KB, and some three checks' time
    /// to make.
    pub(super) fn with_tables(self, generator: Arc<EdwardsMultiples>) -> Self {
        Self {
            tables: Some((generator, tables(self.negative))),
            ..self
        }
    }

    /// Makes the tables of the base point, which all keys share.
    pub(super) fn generator() -> EdwardsMultiples {
        tables(ED25519_BASEPOINT_POINT)
    }

    /// Checks Ed25519 (RFC 8032 §5.1.7): computes the `R` that fits, in its only encoding. Time
    /// varies with what is public anyway.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some((r, s)) = signature.split_at_checked(32) else {
            return false;
        };
        let Some(s) = s.try_into().ok().and_then(below_order) else {
            return false;
        };
        let digest = Hash::Sha512.digest(&[r, &self.octets, message]);
        let Ok(digest) = digest.as_slice().try_into() else {
            return false;
        };
        let k = Scalar::from_bytes_mod_order_wide(digest);
        let fitting = match &self.tables {
            Some((generator, key)) => sum([(generator, &s), (key, &k)]),
            None => EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &self.negative, &s),
        };
        fitting.compress().as_bytes() == r
    }
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

fn below_order(number: [u8; 32]) -> Option<Scalar> {
    Scalar::from_canonical_bytes(number).into()
}

fn tables(point: EdwardsPoint) -> EdwardsMultiples {
    Multiples::of(point, DISTANCE, |multiples| *multiples)
}

/// Adds the points up, each multiplied. A scalar is taken as the number that it is: a key may have
/// a part of small order, for which numbers that are equal modulo the order of the base point are
/// not the same.
fn sum(products: [(&EdwardsMultiples, &Scalar); 2]) -> EdwardsPoint {
    let mut sum = EdwardsPoint::default();
    for window in (0..DISTANCE).rev() {
        shift(&mut sum);
        for (point, by) in products {
            let digits = digits(by.as_bytes().iter());
            point.add_multiple(&mut sum, digits.skip(window).step_by(DISTANCE));
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::EIGHT_TORSION;
    use proptest::prelude::*;
    use proptest::test_runner::Config;

    /// Checks multiples of the base point and of one with a part of order 8.
    fn check(octets: [u8; 32], others: [u8; 32]) {
        let [s, k] = [octets, others].map(Scalar::from_bytes_mod_order);
        let base = Ed25519Key::generator();
        let [_, eighth, ..] = EIGHT_TORSION;
        let mixed = ED25519_BASEPOINT_POINT * Scalar::from(3_u8) + eighth;
        let expected = ED25519_BASEPOINT_POINT * s + mixed * k;
        let found = sum([(&base, &s), (&tables(mixed), &k)]);
        assert_eq!(found, expected, "{octets:02x?} {others:02x?}");
    }

    #[test]
    fn multiples_are_those_of_the_library_at_the_edges_of_windows() {
        for low in [0, 1, 15, 16, 17, 31, 32, 33] {
            let mut octets = [0; 32];
            octets[0] = low;
            check(octets, (-Scalar::from(low)).to_bytes());
            octets[31] = 0x0f;
            check(octets, [low; 32]);
        }
        check([0xff; 32], (-Scalar::ONE).to_bytes());
        // Every digit is 16, then every digit is 15 below the next window.
        check([0x84; 32], [0x8c; 32]);
        check([0x10; 32], [0x42; 32]);
    }

    proptest! {
        #![proptest_config(Config { cases: 20, failure_persistence: None, ..Config::default() })]

        #[test]
        fn multiples_are_those_of_the_library(octets: [u8; 32], others: [u8; 32]) {
            check(octets, others);
        }
    }
}
