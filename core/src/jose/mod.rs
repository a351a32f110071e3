//! JSON object signing: compact tokens (RFC 7515), keys (RFC 7517), algorithms (RFC 7518).

mod algorithm;
mod claims;
mod der;
mod jwk;
mod portable;
mod public_key;
mod publication;
mod token;
mod verify;

use alloc::sync::Arc;

pub use algorithm::{Algorithm, Hash};
pub use claims::TokenPolicy;
pub use portable::PortableVerifier;
pub use public_key::{Curve, EcKey, PublicKey, RsaKey};
pub use token::TokenText;
pub use verify::{CheckedSignature, SignatureCheck};

pub(crate) use claims::{ClaimCheck, ClaimValue, VerifiedClaims};
pub(crate) use jwk::{Jwk, Jwks, NoKey};
pub(crate) use token::UnverifiedToken;

/// Returns how many keys of a JWKS may check signatures, `None` where the document is no set: for
/// hosts that say what is wrong with one.
#[must_use]
pub fn usable_keys(document: &[u8]) -> Option<usize> {
    Jwks::parse(document).map(|keys| keys.len())
}

/// Checks signatures. The host hands in the quickest one it has: Envoy's own library, a native
/// one, or `PortableVerifier`.
pub trait SignatureVerifier {
    /// Tells whether `signature` (in JWS form: raw `r || s` for ECDSA, RFC 7518 §3.4) over
    /// `message` was made by the owner of `key` with `algorithm`.
    ///
    /// `key` already fits `algorithm`. Any failure, whatever its cause, is `false`.
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool;

    /// Names the implementation, for logs and metrics.
    fn name(&self) -> &'static str;
}

/// One verifier for an engine and for those who run its checks outside.
impl<V: SignatureVerifier + ?Sized> SignatureVerifier for Arc<V> {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        (**self).verify(algorithm, key, message, signature)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}
