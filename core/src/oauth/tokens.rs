//! What the provider's token endpoint says (RFC 6749 §5, OpenID Connect Core 1.0 §3.1.3.3).

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

use serde_json::Value;

use crate::denial::Outage;
use crate::json;
use crate::reason::Reason;
use crate::upstream::CallOutcome;

/// What a call for tokens brought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum TokensFinding {
    Granted(Tokens),
    /// The code or refresh token is spent, revoked or too old.
    Refused,
    /// The provider does not know the gateway, or not for this: its operator must act. The value is
    /// the reason.
    Misconfigured(Reason),
    Unavailable(Outage),
}

/// The provider's tokens, as far as they are used: its access token is not.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) id_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
}

impl Tokens {
    /// Reads a successful answer; `None` when it is no object, or a token in it is no text.
    fn read(answer: &Value) -> Option<Self> {
        let answer = answer.as_object()?;
        let token = |name: &str| match answer.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(token) => Some(Some(token.as_str()?.to_owned())),
        };
        Some(Self {
            id_token: token("id_token")?,
            refresh_token: token("refresh_token")?,
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// Condenses the outcome of a revocation: a provider that does not know the token has nothing left
/// to revoke (RFC 7009 §2.2); all else that it refuses is not done.
pub(crate) fn revocation(outcome: CallOutcome) -> Result<(), Outage> {
    let response = outcome.map_err(Outage::Call)?;
    let fault: Option<Value> = json::parse(&response.body);
    let error = fault
        .as_ref()
        .and_then(|fault| fault.get("error")?.as_str());
    match (response.status, error) {
        (200..=299, _) | (400, Some("invalid_token" | "invalid_grant")) => Ok(()),
        (status, _) => Err(Outage::Status(status)),
    }
}

impl TokensFinding {
    /// Condenses an outcome.
    pub(crate) fn of(outcome: CallOutcome) -> Self {
        let response = match outcome {
            Ok(response) => response,
            Err(failure) => return Self::Unavailable(Outage::Call(failure)),
        };
        match response.status {
            200 => json::parse(&response.body)
                .and_then(|answer: Value| Tokens::read(&answer))
                .map_or(Self::Unavailable(Outage::Garbage), Self::Granted),
            // Google and others say 401 or 403 where RFC 6749 §5.2 has 400.
            400 | 401 | 403 => {
                let fault: Option<Value> = json::parse(&response.body);
                match fault
                    .as_ref()
                    .and_then(|fault| fault.get("error")?.as_str())
                {
                    Some(error) => Self::of_error(error),
                    None => Self::Unavailable(Outage::Status(response.status)),
                }
            }
            status => Self::Unavailable(Outage::Status(status)),
        }
    }

    fn of_error(error: &str) -> Self {
        match error {
            // Others than the first are words of Entra, Google and Auth0 for a person who must sign
            // in again, or may not.
            "invalid_grant"
            | "interaction_required"
            | "login_required"
            | "consent_required"
            | "access_denied"
            | "unauthorized" => Self::Refused,
            "invalid_client" => Self::Misconfigured(Reason::IdpInvalidClient),
            "unauthorized_client" => Self::Misconfigured(Reason::IdpUnauthorizedClient),
            "invalid_scope" => Self::Misconfigured(Reason::IdpInvalidScope),
            "invalid_request" => Self::Misconfigured(Reason::IdpInvalidRequest),
            "unsupported_grant_type" => Self::Misconfigured(Reason::IdpUnsupportedGrantType),
            "temporarily_unavailable" | "server_error" => Self::Unavailable(Outage::Status(503)),
            _ => Self::Misconfigured(Reason::IdpOtherError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{CallFailure, UpstreamResponse};
    use alloc::vec;

    #[track_caller]
    fn check(status: u16, body: &str, expected: &TokensFinding) {
        let response = UpstreamResponse {
            status,
            headers: vec![],
            body: body.into(),
        };
        assert_eq!(
            TokensFinding::of(Ok(response)),
            *expected,
            "{status} {body}"
        );
    }

    #[test]
    fn only_a_refused_grant_costs_a_client_its_tokens() {
        let error = |error: &str| alloc::format!(r#"{{"error":"{error}"}}"#);
        for status in [400, 401, 403] {
            check(status, &error("invalid_grant"), &TokensFinding::Refused);
            let garbage = TokensFinding::Unavailable(Outage::Status(status));
            check(status, "<html>", &garbage);
        }
        let ours = TokensFinding::Misconfigured(Reason::IdpInvalidClient);
        check(401, &error("invalid_client"), &ours);
        let other = TokensFinding::Misconfigured(Reason::IdpOtherError);
        check(400, &error("something"), &other);
        for (word, reason) in [
            ("unauthorized_client", Reason::IdpUnauthorizedClient),
            ("invalid_scope", Reason::IdpInvalidScope),
            ("invalid_request", Reason::IdpInvalidRequest),
            ("unsupported_grant_type", Reason::IdpUnsupportedGrantType),
        ] {
            check(400, &error(word), &TokensFinding::Misconfigured(reason));
        }
        for status in [302, 404, 429, 500, 503] {
            let outage = TokensFinding::Unavailable(Outage::Status(status));
            check(status, &error("invalid_grant"), &outage);
        }
        let cut = TokensFinding::of(Err(CallFailure::Cut));
        assert_eq!(
            cut,
            TokensFinding::Unavailable(Outage::Call(CallFailure::Cut))
        );
    }

    #[test]
    fn an_answer_may_lack_either_token() {
        let granted = |id: Option<&str>, refresh: Option<&str>| {
            TokensFinding::Granted(Tokens {
                id_token: id.map(Into::into),
                refresh_token: refresh.map(Into::into),
            })
        };
        let both = r#"{"access_token":"a","id_token":"i","refresh_token":"r","expires_in":1}"#;
        check(200, both, &granted(Some("i"), Some("r")));
        check(200, r#"{"id_token":"i"}"#, &granted(Some("i"), None));
        check(200, r#"{"refresh_token":null}"#, &granted(None, None));
        for garbage in ["", "[", "7", r#"{"id_token":7}"#] {
            check(200, garbage, &TokensFinding::Unavailable(Outage::Garbage));
        }
    }
}
