//! From an unverified token to verified claims.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::SignatureVerifier;
use super::claims::{SignatureVerified, TokenPolicy, VerifiedClaims};
use super::jwk::Jwk;
use super::token::UnverifiedToken;
use crate::ambient::UnixSeconds;
use crate::denial::Denial;
use crate::digest::Fingerprint;

/// The signature of a token that is still to be checked: the one part of a decision that takes
/// long, and needs nothing of the engine.
pub struct SignatureCheck<'a> {
    /// Of the token.
    pub(crate) fingerprint: Fingerprint,
    pub(crate) token: UnverifiedToken<'a>,
    /// The keys that may have made it.
    pub(crate) keys: Vec<Arc<Jwk>>,
}

/// What a [`SignatureCheck`] found out; only it makes one.
pub struct CheckedSignature<'a> {
    fingerprint: Fingerprint,
    token: UnverifiedToken<'a>,
    signer: Option<Arc<Jwk>>,
}

impl<'a> SignatureCheck<'a> {
    /// Checks a token that is looked up by nothing.
    pub(crate) const fn of(token: UnverifiedToken<'a>, keys: Vec<Arc<Jwk>>) -> Self {
        let fingerprint = Fingerprint::NONE;
        Self {
            fingerprint,
            token,
            keys,
        }
    }

    /// Checks the signature, with the verifier that the engine was made with.
    #[must_use]
    pub fn run(self, verifier: &dyn SignatureVerifier) -> CheckedSignature<'a> {
        let Self {
            fingerprint,
            token,
            keys,
        } = self;
        let signed_by = |jwk: &Arc<Jwk>| {
            verifier.verify(
                token.algorithm,
                &jwk.key,
                token.signing_input,
                &token.signature,
            )
        };
        let signer = keys.into_iter().find(signed_by);
        CheckedSignature {
            fingerprint,
            token,
            signer,
        }
    }
}

impl<'a> CheckedSignature<'a> {
    /// Returns what the token is looked up by.
    pub(crate) const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns what the signature is over.
    pub(crate) const fn signing_input(&self) -> &'a [u8] {
        self.token.signing_input
    }

    /// Tells whether one of the keys made the signature.
    pub(crate) const fn is_good(&self) -> bool {
        self.signer.is_some()
    }

    /// Checks the claims, if one of the keys made the signature; returns the key too, since the
    /// result must not outlive it.
    pub(crate) fn claims(
        self,
        policy: &TokenPolicy,
        now: UnixSeconds,
    ) -> Result<(VerifiedClaims, Arc<Jwk>), Denial> {
        let jwk = self.signer.ok_or(Denial::BadSignature)?;
        let claims = self.token.claims(&SignatureVerified(()), policy, now)?;
        Ok((claims, jwk))
    }
}
