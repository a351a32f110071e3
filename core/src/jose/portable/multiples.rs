//! ES256 with tables of multiples, which leave nothing to double.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::array;

use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::BatchNormalize;
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

use crate::jose::Hash;

/// The bits of a scalar that one table serves.
const WINDOW_BITS: u32 = 5;

/// Windows of a scalar of 256 bits, with room for the carry out of the last but one.
const WINDOWS: usize = 52;

/// Multiples in a table: the digits of a window are -15 to 16, and a point is negated for nothing.
const MULTIPLES: usize = 16;

/// A key of P-256 that is ready to check signatures. Its table takes 57 KB, and some ten checks'
/// time to make.
#[derive(Debug)]
pub(super) struct PreparedP256 {
    key: Multiples,
    generator: Arc<Multiples>,
}

/// For each window `w` of a scalar: the first multiples of 2^(5w) times a point.
#[derive(Debug)]
pub(super) struct Multiples(Vec<[AffinePoint; MULTIPLES]>);

impl PreparedP256 {
    pub(super) fn new(key: &VerifyingKey, generator: Arc<Multiples>) -> Self {
        let key = Multiples::of(*key.as_affine());
        Self { key, generator }
    }

    /// Checks ECDSA with SHA-256 (FIPS 186-5 §6.4.2). Time varies with what is public anyway.
    pub(super) fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let (r, s) = signature.split_scalars();
        let digest = Hash::Sha256.digest(&[message]);
        let Ok(digest) = FieldBytes::try_from(digest.as_slice()) else {
            return false;
        };
        let inverse = *s.invert_vartime();
        let mut sum = ProjectivePoint::IDENTITY;
        let by_generator = scalar(&digest) * inverse;
        self.generator.add_multiple(&mut sum, &by_generator);
        self.key.add_multiple(&mut sum, &(*r * inverse));
        let sum = sum.to_affine();
        // The identity has no `x`, though the library gives it zero, which is no `r`.
        scalar(&sum.x()) == *r
    }
}

impl Multiples {
    /// Makes the tables of the generator of the curve.
    pub(super) fn of_generator() -> Self {
        Self::of(AffinePoint::GENERATOR)
    }

    fn of(point: AffinePoint) -> Self {
        let mut base = ProjectivePoint::from(point);
        let table = |_| {
            let mut multiple = ProjectivePoint::IDENTITY;
            let multiples: [ProjectivePoint; MULTIPLES] = array::from_fn(|_| {
                multiple += base;
                multiple
            });
            base = multiple + multiple;
            ProjectivePoint::batch_normalize(&multiples)
        };
        Self((0..WINDOWS).map(table).collect())
    }

    fn add_multiple(&self, sum: &mut ProjectivePoint, scalar: &Scalar) {
        for (table, digit) in self.0.iter().zip(digits(&scalar.to_bytes())) {
            let index = digit.magnitude.checked_sub(1);
            match index.and_then(|index| table.get(index)) {
                Some(point) if digit.negative => *sum -= point,
                Some(point) => *sum += point,
                None => {}
            }
        }
    }
}

fn scalar(octets: &FieldBytes) -> Scalar {
    Reduce::<FieldBytes>::reduce(octets)
}

struct Digit {
    magnitude: usize,
    negative: bool,
}

/// Writes a big-endian number in digits to the base of 2^5, the lowest first.
fn digits(number: &[u8]) -> impl Iterator<Item = Digit> {
    const BASE: usize = 1 << WINDOW_BITS;
    let mut octets = number.iter().rev();
    let (mut pending, mut bits, mut carry) = (0_usize, 0, 0);
    (0..WINDOWS).map(move |_| {
        if bits < WINDOW_BITS {
            pending |= octets.next().map_or(0, |octet| usize::from(*octet)) << bits;
            bits += 8;
        }
        let digit = pending % BASE + carry;
        pending /= BASE;
        bits -= WINDOW_BITS;
        let negative = digit > MULTIPLES;
        carry = usize::from(negative);
        let magnitude = if negative { BASE - digit } else { digit };
        Digit {
            magnitude,
            negative,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::elliptic_curve::PrimeField;
    use proptest::prelude::*;
    use proptest::test_runner::Config;

    fn check(octets: [u8; 32]) {
        let scalar = scalar(&octets.into());
        let mut sum = ProjectivePoint::IDENTITY;
        Multiples::of_generator().add_multiple(&mut sum, &scalar);
        assert_eq!(sum, ProjectivePoint::GENERATOR * scalar, "{octets:02x?}");
    }

    #[test]
    fn multiples_are_those_of_the_library_at_the_edges_of_windows() {
        for low in [0, 1, 15, 16, 17, 31, 32, 33] {
            let mut octets = [0; 32];
            octets[31] = low;
            check(octets);
            octets[0] = 0xff;
            check(octets);
        }
        check([0xff; 32]);
        check((-Scalar::ONE).to_repr().into());
        // Every digit is 16, then every digit is 15 below the next window.
        check([0x84; 32]);
        check([0x8c; 32]);
    }

    proptest! {
        #![proptest_config(Config { cases: 20, failure_persistence: None, ..Config::default() })]

        #[test]
        fn multiples_are_those_of_the_library(octets: [u8; 32]) {
            check(octets);
        }

        #[test]
        fn digits_add_up_to_the_number(octets: [u8; 16]) {
            let number = i128::from_be_bytes(octets) >> 1 & i128::MAX;
            let octets = number.to_be_bytes();
            let digits: Vec<Digit> = digits(&octets).collect();
            let value = digits.iter().rev().fold(0_i128, |value, digit| {
                let magnitude = i128::try_from(digit.magnitude).unwrap();
                assert!(digit.magnitude <= MULTIPLES);
                value * 32 + if digit.negative { -magnitude } else { magnitude }
            });
            prop_assert_eq!(value, number);
        }
    }
}
