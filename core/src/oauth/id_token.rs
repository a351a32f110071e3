//! The ID token: who signed in (OpenID Connect Core 1.0 §3.1.3.7).

use alloc::string::{String, ToString as _};
use alloc::vec;

use crate::ambient::UnixSeconds;
use crate::denial::Denial;
use crate::jose::{CheckedSignature, TokenPolicy, VerifiedClaims};
use crate::reason::Reason;

/// How far the provider's clock may be ahead or behind, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// What an ID token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    /// The gateway's identifier at the provider.
    pub(super) client_id: &'a str,
    /// The nonce of the flow; a refresh has none (§12.2).
    pub(super) nonce: Option<&'a str>,
}

impl Expected<'_> {
    /// Returns the subject.
    pub(super) fn subject(
        &self,
        checked: CheckedSignature<'_>,
        now: UnixSeconds,
    ) -> Result<String, Reason> {
        let policy = TokenPolicy {
            issuers: vec![self.issuer.to_string()],
            audiences: vec![self.client_id.to_string()],
            leeway_seconds: LEEWAY_SECONDS,
        };
        let (claims, _key) = checked
            .claims(&policy, now)
            .map_err(|denial| reason(&denial))?;
        self.check(claims)
    }

    fn check(&self, claims: VerifiedClaims) -> Result<String, Reason> {
        if self.nonce.is_some() && claims.nonce.as_deref() != self.nonce {
            return Err(Reason::IdTokenNonce);
        }
        // A token for several clients must say which of them asked for it.
        let party = claims.authorized_party.as_deref();
        let is_ours = party.is_none_or(|party| party == self.client_id);
        if !is_ours || (claims.has_many_audiences && party.is_none()) {
            return Err(Reason::IdTokenAuthorizedParty);
        }
        let subject = claims.subject.filter(|subject| !subject.is_empty());
        subject.ok_or(Reason::IdTokenSubject)
    }
}

/// Names what is wrong with an ID token; other tokens' reasons would be taken for the client's.
pub(super) const fn reason(denial: &Denial) -> Reason {
    match denial {
        Denial::BadSignature | Denial::UnknownKey => Reason::IdTokenSignature,
        Denial::UnacceptableAlgorithm => Reason::IdTokenAlgorithm,
        Denial::WrongIssuer => Reason::IdTokenIssuer,
        Denial::WrongAudience => Reason::IdTokenAudience,
        Denial::MissingExpiry
        | Denial::Expired { .. }
        | Denial::NotYetValid { .. }
        | Denial::IssuedInFuture { .. } => Reason::IdTokenTimes,
        Denial::MissingCredentials
        | Denial::UnsupportedScheme
        | Denial::RepeatedCredential
        | Denial::MalformedCredential
        | Denial::WrongApiKey
        | Denial::ApiKeyExpired
        | Denial::ApiKeySourceNotAllowed
        | Denial::MalformedToken
        | Denial::TokenTooLarge
        | Denial::UnacceptableHeader
        | Denial::MalformedClaims
        | Denial::UnknownAccessToken
        | Denial::Revoked
        | Denial::InsufficientScope
        | Denial::ClientCredentialsRefused
        | Denial::AuthorizationServerUnavailable(_)
        | Denial::TooManyCalls
        | Denial::TooManyWrongSecrets(_)
        | Denial::SessionNotFound
        | Denial::HostNotAllowed
        | Denial::OriginNotAllowed
        | Denial::AddressNotAllowed => Reason::IdTokenMalformed,
    }
}
