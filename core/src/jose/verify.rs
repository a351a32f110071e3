//! From an unverified token to verified claims.

use alloc::sync::Arc;

use super::SignatureVerifier;
use super::claims::{SignatureVerified, TokenPolicy, VerifiedClaims};
use super::jwk::Jwk;
use super::token::UnverifiedToken;
use crate::ambient::UnixSeconds;
use crate::denial::Denial;

/// Checks the signature with the first of `keys` that made it, then the claims; returns the key
/// too, since the result must not outlive it.
pub(crate) fn verify(
    token: &UnverifiedToken<'_>,
    keys: &[Arc<Jwk>],
    verifier: &dyn SignatureVerifier,
    policy: &TokenPolicy,
    now: UnixSeconds,
) -> Result<(VerifiedClaims, Arc<Jwk>), Denial> {
    let signed_by = |jwk: &&Arc<Jwk>| {
        verifier.verify(
            token.algorithm,
            &jwk.key,
            token.signing_input,
            &token.signature,
        )
    };
    let jwk = keys.iter().find(signed_by).ok_or(Denial::BadSignature)?;
    let claims = token.claims(&SignatureVerified(()), policy, now)?;
    Ok((claims, Arc::clone(jwk)))
}
