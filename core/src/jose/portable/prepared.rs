//! Keys in the form that checks are quickest with, kept between checks.

use alloc::sync::Arc;
use alloc::vec::Vec;

use p256::ecdsa::signature::Verifier;
use p256::elliptic_curve::point::AffineCoordinates;

use super::ecdsa::{P256Multiples, PreparedP256};
use super::eddsa::{Ed25519Key, EdwardsMultiples};
use super::rsa::PreparedRsa;
use crate::jose::{Algorithm, Curve, EcKey, PublicKey};

/// The most keys that are kept. Together with the tables of the generators they take 0.7 MB at
/// most.
const MAX_KEYS: usize = 8;

/// A kept key gives way to another after this many checks without it. So keys that take turns,
/// too many to be kept all, are not prepared again and again.
const RESTING_CHECKS: u64 = 64;

/// The keys that were used last.
#[derive(Debug, Default)]
pub(super) struct PreparedKeys {
    kept: Vec<Kept>,
    generators: Generators,
    checks: u64,
}

/// The tables of the generators, made when they are first needed.
#[derive(Debug, Default)]
struct Generators {
    p256: Option<Arc<P256Multiples>>,
    ed25519: Option<Arc<EdwardsMultiples>>,
}

#[derive(Debug)]
struct Kept {
    key: PublicKey,
    prepared: PreparedKey,
    last_check: u64,
}

/// A key that passed the checks of its type.
#[derive(Debug)]
enum PreparedKey {
    Rsa(PreparedRsa),
    P256(PreparedP256),
    /// Without tables, for a key that will not be kept.
    PassingP256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(Ed25519Key),
}

impl PreparedKeys {
    pub(super) const fn new() -> Self {
        Self {
            kept: Vec::new(),
            generators: Generators {
                p256: None,
                ed25519: None,
            },
            checks: 0,
        }
    }

    pub(super) fn verify(
        &mut self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.checks = self.checks.saturating_add(1);
        let checks = self.checks;
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.key == *key) {
            kept.last_check = checks;
            return kept.prepared.verify(algorithm, message, signature);
        }
        let has_room = self.make_room();
        let prepared = if has_room {
            self.prepare(key)
        } else {
            PreparedKey::passing(key)
        };
        let Some(prepared) = prepared else {
            return false;
        };
        let verdict = prepared.verify(algorithm, message, signature);
        if has_room {
            self.kept.push(Kept {
                key: key.clone(),
                prepared,
                last_check: checks,
            });
        }
        verdict
    }

    /// Forgets a key that rests if there are too many; tells whether one more may be kept.
    fn make_room(&mut self) -> bool {
        if self.kept.len() < MAX_KEYS {
            return true;
        }
        let resting_since = self.checks.saturating_sub(RESTING_CHECKS);
        let mut kept = self.kept.iter();
        let resting = kept.position(|kept| kept.last_check < resting_since);
        resting.map(|index| self.kept.swap_remove(index)).is_some()
    }

    fn prepare(&mut self, key: &PublicKey) -> Option<PreparedKey> {
        let Generators { p256, ed25519 } = &mut self.generators;
        Some(match PreparedKey::passing(key)? {
            PreparedKey::PassingP256(key) => {
                let make = || Arc::new(PreparedP256::generator());
                let generator = Arc::clone(p256.get_or_insert_with(make));
                PreparedKey::P256(PreparedP256::new(&key, generator))
            }
            PreparedKey::Ed25519(key) => {
                let make = || Arc::new(Ed25519Key::generator());
                let generator = Arc::clone(ed25519.get_or_insert_with(make));
                PreparedKey::Ed25519(key.with_tables(generator))
            }
            prepared @ (PreparedKey::Rsa(_)
            | PreparedKey::P256(_)
            | PreparedKey::P384(_)
            | PreparedKey::P521(_)) => prepared,
        })
    }
}

impl PreparedKey {
    /// Prepares a key with little effort.
    fn passing(key: &PublicKey) -> Option<Self> {
        match key {
            PublicKey::Rsa(key) => PreparedRsa::new(key).map(Self::Rsa),
            PublicKey::Ec(key) => Self::on_curve(key),
            PublicKey::Ed25519(key) => Ed25519Key::new(key).map(Self::Ed25519),
        }
    }

    fn on_curve(key: &EcKey) -> Option<Self> {
        let point = &key.point;
        match key.curve {
            Curve::P256 => {
                let key = p256::ecdsa::VerifyingKey::from_affine(uncompressed(point)?);
                key.ok().map(Self::PassingP256)
            }
            Curve::P384 => {
                let key = p384::ecdsa::VerifyingKey::from_affine(uncompressed(point)?);
                key.ok().map(Self::P384)
            }
            Curve::P521 => {
                let key = p521::ecdsa::VerifyingKey::from_affine(uncompressed(point)?);
                key.ok().map(Self::P521)
            }
        }
    }

    /// Checks with the hash that belongs to the algorithm (RFC 7518 §3, RFC 8032 §5.1).
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        use Algorithm as A;
        match (self, algorithm) {
            (Self::Rsa(key), A::Rs256 | A::Rs384 | A::Rs512) => {
                key.verify_pkcs1(algorithm.hash(), message, signature)
            }
            (Self::Rsa(key), A::Ps256 | A::Ps384 | A::Ps512) => {
                key.verify_pss(algorithm.hash(), message, signature)
            }
            (Self::P256(key), A::Es256) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature)),
            (Self::PassingP256(key), A::Es256) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            (Self::P384(key), A::Es384) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            (Self::P521(key), A::Es512) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            (Self::Ed25519(key), A::EdDsa) => key.verify(message, signature),
            (
                Self::Rsa(_)
                | Self::P256(_)
                | Self::PassingP256(_)
                | Self::P384(_)
                | Self::P521(_)
                | Self::Ed25519(_),
                _,
            ) => false,
        }
    }
}

/// Reads an uncompressed point (SEC 1 §2.3.4); `None` where it is not on the curve. The library's
/// own reader takes compressed ones too, with a square root for each curve.
fn uncompressed<P: AffineCoordinates>(point: &[u8]) -> Option<P>
where
    for<'a> P::FieldRepr: TryFrom<&'a [u8]>,
{
    let coordinates = point.strip_prefix(&[4])?;
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    let [x, y] = [x, y].map(|coordinate| P::FieldRepr::try_from(coordinate).ok());
    P::from_coordinates(&x?, &y?).into_option()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use p256::elliptic_curve::sec1::ToSec1Point as _;

    use super::*;

    fn check(keys: &mut PreparedKeys, key: &PublicKey) {
        assert!(!keys.verify(Algorithm::EdDsa, key, b"", &[0; 64]));
    }

    /// Returns keys that are points, and one that is none.
    fn points() -> (Vec<PublicKey>, PublicKey) {
        let key = |y: u8| {
            let mut octets = [0; 32];
            octets[0] = y;
            PublicKey::Ed25519(octets)
        };
        let (points, others): (Vec<_>, Vec<_>) = (3..60)
            .map(key)
            .partition(|key| PreparedKey::passing(key).is_some());
        (points, others[0].clone())
    }

    #[test]
    fn keys_are_kept_up_to_a_bound() {
        let mut keys = PreparedKeys::new();
        let (points, other) = points();
        check(&mut keys, &other);
        assert!(keys.kept.is_empty(), "what is no key is not kept");
        assert!(points.len() > MAX_KEYS);
        for point in &points {
            check(&mut keys, point);
        }
        let kept: Vec<&PublicKey> = keys.kept.iter().map(|kept| &kept.key).collect();
        assert!(
            kept.iter().copied().eq(&points[..MAX_KEYS]),
            "the first ones stay: {kept:?}"
        );
        assert!(
            keys.generators.p256.is_none(),
            "no table without a key on P-256"
        );
    }

    #[test]
    fn a_kept_key_that_rests_gives_way() {
        let mut keys = PreparedKeys::new();
        let (points, _) = points();
        for point in &points[..MAX_KEYS] {
            check(&mut keys, point);
        }
        let newcomer = &points[MAX_KEYS];
        for _ in 0..RESTING_CHECKS {
            check(&mut keys, newcomer);
            check(&mut keys, &points[0]);
        }
        assert_eq!(keys.kept.len(), MAX_KEYS);
        assert!(keys.kept.iter().any(|kept| kept.key == *newcomer));
        assert!(keys.kept.iter().any(|kept| kept.key == points[0]));
    }

    fn check_curve(curve: Curve, point: &[u8]) {
        let is_key = |point: &[u8]| {
            let (point, spki) = (point.to_vec(), Vec::new());
            PreparedKey::passing(&PublicKey::Ec(EcKey { curve, point, spki })).is_some()
        };
        assert!(is_key(point), "{curve:?}");
        let (tag, last) = (&point[..1], point.len() - 1);
        let (x, y) = point[1..].split_at(last / 2);
        let mut beside = point.to_vec();
        beside[last] ^= 1;
        for other in [
            // Not on the curve, the other way round, larger than the field.
            beside,
            [tag, y, x].concat(),
            [tag, &[0xff].repeat(x.len()), y].concat(),
            // Compressed, hybrid, the identity (SEC 1 §2.3.3).
            [&[2], x].concat(),
            [&[6], x, y].concat(),
            vec![0],
            // No point at all.
            Vec::new(),
            tag.to_vec(),
            point[..last].to_vec(),
            [point, &[0]].concat(),
            [tag, &vec![0; last]].concat(),
        ] {
            assert!(!is_key(&other), "{curve:?} {other:02x?}");
        }
    }

    #[test]
    fn a_key_is_a_whole_point_on_its_curve() {
        let p256 = p256::AffinePoint::GENERATOR.to_sec1_point(false);
        check_curve(Curve::P256, p256.as_bytes());
        let p384 = p384::AffinePoint::GENERATOR.to_sec1_point(false);
        check_curve(Curve::P384, p384.as_bytes());
        let p521 = p521::AffinePoint::GENERATOR.to_sec1_point(false);
        check_curve(Curve::P521, p521.as_bytes());
    }
}
