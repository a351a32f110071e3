//! Public keys, already checked, with the encodings that verifiers take.

use alloc::vec::Vec;

/// A public key that can check signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PublicKey {
    /// RSA, 2048 to 8192 bits.
    Rsa(RsaKey),
    /// A point on a NIST curve.
    Ec(EcKey),
    /// Ed25519 (RFC 8032), 32 octets.
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// Returns the type, and the size or curve.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Rsa(key) => match key.modulus.len() {
                ..=256 => "RSA 2048",
                257..=384 => "RSA 3072",
                385..=512 => "RSA 4096",
                _ => "RSA over 4096",
            },
            Self::Ec(key) => match key.curve {
                Curve::P256 => "EC P-256",
                Curve::P384 => "EC P-384",
                Curve::P521 => "EC P-521",
            },
            Self::Ed25519(_) => "Ed25519",
        }
    }
}

/// An RSA public key (RFC 7518 §6.3.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RsaKey {
    /// The modulus, big-endian, without leading zeros.
    pub modulus: Vec<u8>,
    /// The exponent, big-endian, without leading zeros; odd, at least 3, at most 33 bits.
    pub exponent: Vec<u8>,
    /// The key as a DER `SubjectPublicKeyInfo` (RFC 3279 §2.3.1), built once.
    pub spki: Vec<u8>,
}

/// A public key on a NIST curve (RFC 7518 §6.2.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EcKey {
    /// The curve.
    pub curve: Curve,
    /// The point, uncompressed: `04 || x || y` (SEC 1 §2.3.3). Whether it lies on the curve is for
    /// the verifier to check.
    pub point: Vec<u8>,
    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5480 §2), built once.
    pub spki: Vec<u8>,
}

impl EcKey {
    /// Turns a signature in JWS form, `r || s` (RFC 7518 §3.4), into the DER form (RFC 3279
    /// §2.2.3) that most libraries take; `None` when it is none on this curve.
    #[must_use]
    pub fn der_signature(&self, raw: &[u8]) -> Option<Vec<u8>> {
        let size = self.curve.coordinate_bytes();
        let (r, s) = raw.split_at_checked(size)?;
        (s.len() == size).then(|| super::der::ecdsa_signature(r, s))?
    }
}

/// A NIST curve.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    /// Returns the length of a coordinate, in octets (RFC 7518 §6.2.1.2).
    #[must_use]
    pub const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn der(curve: Curve, raw: &[u8]) -> Option<Vec<u8>> {
        let (point, spki) = (Vec::new(), Vec::new());
        EcKey { curve, point, spki }.der_signature(raw)
    }

    #[test]
    fn der_signature_has_minimal_positive_integers() {
        let mut raw = vec![0; 64];
        assert_eq!(der(Curve::P256, &raw), None, "zero is no signature");
        raw[31] = 0x80;
        raw[63] = 1;
        let expected = [0x30, 7, 2, 2, 0, 0x80, 2, 1, 1];
        assert_eq!(der(Curve::P256, &raw).as_deref(), Some(&expected[..]));
        assert_eq!(der(Curve::P256, &raw[..63]), None);
        assert_eq!(der(Curve::P384, &raw), None);
        let long = der(Curve::P521, &[0xff; 132]).expect("a signature");
        assert_eq!(
            (&long[..3], long.len()),
            (&[0x30, 0x81, 0x8a][..], 3 + 0x8a)
        );
    }
}
