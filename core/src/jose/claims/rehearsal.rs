//! What the policy would say of each claim, were the signature good. It proves nothing.

use alloc::string::String;
use alloc::vec::Vec;

use super::{NumericDate, RawClaims, TokenPolicy, scope};
use crate::ambient::UnixSeconds;
use crate::denial::Denial;
use crate::jose::UnverifiedToken;
use crate::jose::token::decode;
use crate::json;
use crate::scope::has_all;

/// One claim, and what the policy says of it.
pub(crate) struct ClaimCheck {
    pub(crate) claim: &'static str,
    /// Absent where the token has no such claim.
    pub(crate) value: Option<ClaimValue>,
    pub(crate) result: Result<(), Denial>,
}

/// The value of a claim.
pub(crate) enum ClaimValue {
    Time(UnixSeconds),
    Text(String),
}

impl TokenPolicy {
    /// Checks every claim by itself, in the order in which [`Self::check`] does.
    pub(crate) fn rehearse(
        &self,
        token: &UnverifiedToken<'_>,
        required_scopes: &[String],
        now: UnixSeconds,
    ) -> Result<Vec<ClaimCheck>, Denial> {
        let payload = decode(token.payload).map_err(|_| Denial::MalformedClaims)?;
        let claims: RawClaims = json::parse(&payload).ok_or(Denial::MalformedClaims)?;
        let time = |claim: Option<NumericDate>| claim.map(|NumericDate(at)| ClaimValue::Time(at));
        let audiences = claims.aud.0.join(", ");
        let audiences = (!claims.aud.0.is_empty()).then_some(ClaimValue::Text(audiences));
        let mut checks = Vec::from([
            ClaimCheck {
                claim: "exp",
                value: time(claims.exp),
                result: self.check_expiry(&claims, now).map(|_| ()),
            },
            ClaimCheck {
                claim: "nbf",
                value: time(claims.nbf),
                result: self.check_not_before(&claims, now),
            },
            ClaimCheck {
                claim: "iat",
                value: time(claims.iat),
                result: self.check_issued_at(&claims, now),
            },
            ClaimCheck {
                claim: "iss",
                value: claims.iss.clone().map(ClaimValue::Text),
                result: self.check_issuer(&claims),
            },
            ClaimCheck {
                claim: "aud",
                value: audiences,
                result: self.check_audience(&claims),
            },
        ]);
        let granted = scope(claims.scope, claims.scp);
        let enough = has_all(granted.as_deref(), required_scopes);
        checks.push(ClaimCheck {
            claim: "scope",
            value: granted.map(ClaimValue::Text),
            result: enough.then_some(()).ok_or(Denial::InsufficientScope),
        });
        Ok(checks)
    }
}
