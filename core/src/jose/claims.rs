//! Claims (RFC 7519 §4.1), and the policy that they must meet.

mod rehearsal;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub(crate) use rehearsal::{ClaimCheck, ClaimValue};

use super::token::{UnverifiedToken, decode};
use crate::ambient::UnixSeconds;
use crate::denial::Denial;
use crate::json;

/// What claims must say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TokenPolicy {
    /// Accepted issuers; empty accepts any.
    pub issuers: Vec<String>,
    /// Accepted audiences; empty accepts any.
    pub audiences: Vec<String>,
    /// Clock skew allowed for `exp`, `nbf` and `iat`, in seconds.
    pub leeway_seconds: u64,
}

/// Claims of a token whose signature, issuer, audience and times were all checked.
#[derive(Debug)]
pub(crate) struct VerifiedClaims {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) scope: Option<String>,
    /// Of ID tokens (OpenID Connect Core 1.0 §2).
    pub(crate) nonce: Option<String>,
    /// Of ID tokens, `azp`.
    pub(crate) authorized_party: Option<String>,
    pub(crate) has_many_audiences: bool,
    /// When the token stops being accepted, leeway included.
    pub(crate) accepted_until: UnixSeconds,
}

/// The mark of a good signature; only [`super::verify`] makes one.
pub(super) struct SignatureVerified(pub(super) ());

impl UnverifiedToken<'_> {
    /// Reads the claims of a token with a good signature and checks them.
    pub(super) fn claims(
        &self,
        _proof: &SignatureVerified,
        policy: &TokenPolicy,
        now: UnixSeconds,
    ) -> Result<VerifiedClaims, Denial> {
        let payload = decode(self.payload).map_err(|_| Denial::MalformedClaims)?;
        let claims: RawClaims = json::parse(&payload).ok_or(Denial::MalformedClaims)?;
        policy.check(claims, now)
    }
}

impl TokenPolicy {
    fn check(&self, claims: RawClaims, now: UnixSeconds) -> Result<VerifiedClaims, Denial> {
        let accepted_until = self.check_expiry(&claims, now)?;
        self.check_not_before(&claims, now)?;
        self.check_issued_at(&claims, now)?;
        self.check_issuer(&claims)?;
        self.check_audience(&claims)?;
        let azp = claims.azp.and_then(text);
        let client_id = claims.client_id.and_then(text);
        let client_id = client_id.or_else(|| azp.clone());
        Ok(VerifiedClaims {
            nonce: claims.nonce.and_then(text),
            has_many_audiences: claims.aud.0.len() > 1,
            issuer: claims.iss,
            subject: claims.sub,
            client_id: client_id.or_else(|| claims.appid.and_then(text)),
            authorized_party: azp,
            scope: scope(claims.scope, claims.scp),
            accepted_until,
        })
    }

    /// Returns when the token stops being accepted.
    fn check_expiry(&self, claims: &RawClaims, now: UnixSeconds) -> Result<UnixSeconds, Denial> {
        let exp = claims.exp.ok_or(Denial::MissingExpiry)?.0;
        let accepted_until = exp.plus(self.leeway_seconds);
        if accepted_until <= now {
            return Err(Denial::Expired { exp, now });
        }
        Ok(accepted_until)
    }

    fn check_not_before(&self, claims: &RawClaims, now: UnixSeconds) -> Result<(), Denial> {
        match claims.nbf {
            Some(NumericDate(nbf)) if nbf > now.plus(self.leeway_seconds) => {
                Err(Denial::NotYetValid { nbf, now })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_issued_at(&self, claims: &RawClaims, now: UnixSeconds) -> Result<(), Denial> {
        match claims.iat {
            Some(NumericDate(iat)) if iat > now.plus(self.leeway_seconds) => {
                Err(Denial::IssuedInFuture { iat, now })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_issuer(&self, claims: &RawClaims) -> Result<(), Denial> {
        let issued_by = |issuer: &String| claims.iss.as_ref() == Some(issuer);
        if !self.issuers.is_empty() && !self.issuers.iter().any(issued_by) {
            return Err(Denial::WrongIssuer);
        }
        Ok(())
    }

    fn check_audience(&self, claims: &RawClaims) -> Result<(), Denial> {
        let meant_for = |audience: &String| claims.aud.0.contains(audience);
        if !self.audiences.is_empty() && !self.audiences.iter().any(meant_for) {
            return Err(Denial::WrongAudience);
        }
        Ok(())
    }
}

/// Returns the granted scopes, blanks between them.
fn scope(scope: Option<Value>, scp: Option<Value>) -> Option<String> {
    [scope, scp].into_iter().flatten().find_map(text_or_list)
}

/// The claims that matter; a repeated one is refused, others are ignored.
#[derive(Deserialize)]
struct RawClaims {
    iss: Option<String>,
    sub: Option<String>,
    #[serde(default)]
    aud: OneOrMany,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    // What only describes the caller never makes a token bad, whatever its shape.
    client_id: Option<Value>,
    azp: Option<Value>,
    appid: Option<Value>,
    nonce: Option<Value>,
    scope: Option<Value>,
    scp: Option<Value>,
}

/// `NumericDate` (RFC 7519 §2): a JSON number, fractions cut off.
#[derive(Clone, Copy)]
struct NumericDate(UnixSeconds);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds since 1970")
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<NumericDate, E> {
                Ok(NumericDate(UnixSeconds(seconds)))
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                json::whole(seconds)
                    .map(|seconds| NumericDate(UnixSeconds(seconds)))
                    .ok_or_else(|| E::custom("time out of range"))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// `aud` (RFC 7519 §4.1.3): one string or a list of them.
#[derive(Default)]
struct OneOrMany(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: serde::de::Error>(self, one: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany([one.to_string()].into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut many = Vec::new();
                while let Some(one) = list.next_element()? {
                    if many.len() == 1000 {
                        return Err(A::Error::custom("too many audiences"));
                    }
                    many.push(one);
                }
                Ok(OneOrMany(many))
            }
        }
        deserializer.deserialize_any(Strings)
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// Scopes are a string of words (RFC 8693 §4.2) or, at some authorization servers, a list.
fn text_or_list(value: Value) -> Option<String> {
    let Some(items) = value.as_array() else {
        return text(value);
    };
    let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    (!items.is_empty()).then(|| items.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_000);

    fn policy() -> TokenPolicy {
        let list = |items: &[&str]| items.iter().map(ToString::to_string).collect();
        TokenPolicy {
            issuers: list(&["i", "j"]),
            audiences: list(&["a", "b"]),
            leeway_seconds: 10,
        }
    }

    #[track_caller]
    fn check(claims: &str, expected: Result<u64, Denial>) {
        let outcome = json::parse(claims.as_bytes())
            .ok_or(Denial::MalformedClaims)
            .and_then(|claims| policy().check(claims, NOW));
        assert_eq!(
            outcome.map(|claims| claims.accepted_until.0),
            expected,
            "{claims}"
        );
    }

    #[test]
    fn times_are_checked_with_the_leeway() {
        check(r#"{"iss":"i","aud":"a","exp":991}"#, Ok(1001));
        let exp = UnixSeconds(990);
        check(
            r#"{"iss":"i","aud":"a","exp":990}"#,
            Err(Denial::Expired { exp, now: NOW }),
        );
        check(r#"{"iss":"i","aud":"a"}"#, Err(Denial::MissingExpiry));
        check(
            r#"{"iss":"i","aud":"a","exp":2e3,"nbf":1010,"iat":1010.9}"#,
            Ok(2010),
        );
        let nbf = UnixSeconds(1011);
        check(
            r#"{"iss":"i","aud":"a","exp":2000,"nbf":1011}"#,
            Err(Denial::NotYetValid { nbf, now: NOW }),
        );
        check(
            r#"{"iss":"i","aud":"a","exp":2000,"iat":1011}"#,
            Err(Denial::IssuedInFuture { iat: nbf, now: NOW }),
        );
    }

    #[test]
    fn issuer_and_audience_match_exactly() {
        check(r#"{"iss":"j","aud":["x","b"],"exp":2000}"#, Ok(2010));
        check(
            r#"{"iss":"i/","aud":"a","exp":2000}"#,
            Err(Denial::WrongIssuer),
        );
        check(r#"{"aud":"a","exp":2000}"#, Err(Denial::WrongIssuer));
        check(
            r#"{"iss":"i","aud":"ab","exp":2000}"#,
            Err(Denial::WrongAudience),
        );
        check(
            r#"{"iss":"i","aud":[],"exp":2000}"#,
            Err(Denial::WrongAudience),
        );
        check(r#"{"iss":"i","exp":2000}"#, Err(Denial::WrongAudience));
    }

    #[test]
    fn claims_of_another_type_are_refused() {
        for bad in [
            r#"{"iss":"i","aud":"a","exp":"2000"}"#,
            r#"{"iss":"i","aud":"a","exp":-1}"#,
            r#"{"iss":"i","aud":"a","exp":1e300}"#,
            r#"{"iss":"i","aud":"a","exp":2000,"exp":2000}"#,
            r#"{"iss":7,"aud":"a","exp":2000}"#,
            r#"{"iss":"i","aud":7,"exp":2000}"#,
            r#"{"iss":"i","aud":["a",7],"exp":2000}"#,
            r#"{"iss":"i","aud":"a","exp":2000,"sub":7}"#,
            "[]",
            "",
        ] {
            check(bad, Err(Denial::MalformedClaims));
        }
    }

    #[test]
    fn odd_descriptions_of_the_caller_are_passed_over() {
        check(
            r#"{"iss":"i","aud":"a","exp":2000,"scope":7,"scp":[1],"azp":{}}"#,
            Ok(2010),
        );
    }
}
