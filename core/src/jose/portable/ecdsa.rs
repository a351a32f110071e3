//! ES256 with tables of multiples.

use alloc::sync::Arc;

use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::BatchNormalize;
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

use super::multiples::{Multiples, digits};
use crate::jose::Hash;

/// The tables of a point, one for each window, so that nothing is left to double.
pub(super) type P256Multiples = Multiples<AffinePoint>;

/// A key of P-256 that is ready to check signatures. Its tables take 57 KB, and some ten checks'
/// time to make.
#[derive(Debug)]
pub(super) struct PreparedP256 {
    key: P256Multiples,
    generator: Arc<P256Multiples>,
}

impl PreparedP256 {
    pub(super) fn new(key: &VerifyingKey, generator: Arc<P256Multiples>) -> Self {
        let key = tables(*key.as_affine());
        Self { key, generator }
    }

    /// Makes the tables of the generator, which all keys share.
    pub(super) fn generator() -> P256Multiples {
        tables(AffinePoint::GENERATOR)
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
        add_multiple(&self.generator, &mut sum, scalar(&digest) * inverse);
        add_multiple(&self.key, &mut sum, *r * inverse);
        let sum = sum.to_affine();
        // The identity has no `x`, though the library gives it zero, which is no `r`.
        scalar(&sum.x()) == *r
    }
}

fn tables(point: AffinePoint) -> P256Multiples {
    Multiples::of(ProjectivePoint::from(point), 1, |multiples| {
        ProjectivePoint::batch_normalize(multiples)
    })
}

fn add_multiple(tables: &P256Multiples, sum: &mut ProjectivePoint, by: Scalar) {
    tables.add_multiple(sum, digits(by.to_bytes().iter().rev()));
}

fn scalar(octets: &FieldBytes) -> Scalar {
    Reduce::<FieldBytes>::reduce(octets)
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
        add_multiple(&PreparedP256::generator(), &mut sum, scalar);
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
    }
}
