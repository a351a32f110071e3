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
