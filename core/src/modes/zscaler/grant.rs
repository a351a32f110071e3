//! What the token endpoint says of client credentials (RFC 6749 §5).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::ambient::UnixSeconds;
use crate::cache::CLOCK_SLACK;
use crate::denial::{Denial, Outage};
use crate::json;
use crate::upstream::{CallOutcome, UpstreamResponse};

/// A validation is never used longer, whatever the token's life: this is how long a revoked
/// secret may go on working, in seconds.
const MAX_REUSE_SECONDS: u64 = 60 * 60;

/// Taken off the token's life, so that no validation outlives its token, in seconds.
const MARGIN_SECONDS: u64 = 60;

/// How long a refusal is remembered: long enough to spare the authorization server a client that
/// repeats itself, short enough for a secret that was just made, in seconds.
pub(super) const REFUSAL_SECONDS: u64 = 10;

/// What the token endpoint said of client credentials, without the token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum GrantFinding {
    /// They are right, and need no other check until then.
    Granted {
        until: UnixSeconds,
        entitlements: Option<String>,
    },
    Refused,
    Unavailable(Outage),
}

impl GrantFinding {
    /// Condenses the answer of the token endpoint that came `now`.
    pub(super) fn from_outcome(
        outcome: CallOutcome,
        forward_entitlements: bool,
        now: UnixSeconds,
    ) -> Self {
        match TokenGrant::from_outcome(outcome) {
            Ok(grant) => Self::Granted {
                until: now.plus(reuse_seconds(grant.expires_in)),
                entitlements: forward_entitlements.then(|| entitlements(&grant.access_token)),
            },
            Err(Denial::AuthorizationServerUnavailable(outage)) => Self::Unavailable(outage),
            Err(_) => Self::Refused,
        }
    }

    /// Tells whether what another engine found at `at` will do in place of a call. Who `waited`
    /// for it takes what its own call would have brought.
    pub(crate) fn is_usable(&self, at: UnixSeconds, waited: bool, now: UnixSeconds) -> bool {
        let usable = match self {
            Self::Granted { until, .. } => {
                *until <= at.plus(MAX_REUSE_SECONDS) && (waited || now < *until)
            }
            Self::Refused => waited || now.since(at) < REFUSAL_SECONDS,
            Self::Unavailable(_) => waited,
        };
        usable && at <= now.plus(CLOCK_SLACK)
    }
}

/// A successful answer of the token endpoint (RFC 6749 §5.1).
struct TokenGrant {
    access_token: String,
    expires_in: Option<u64>,
}

impl TokenGrant {
    fn from_outcome(outcome: CallOutcome) -> Result<Self, Denial> {
        let unavailable = Denial::AuthorizationServerUnavailable;
        let response = outcome.map_err(|failure| unavailable(Outage::Call(failure)))?;
        match response.status {
            200 => Self::parse(&response).ok_or_else(|| unavailable(Outage::Garbage)),
            400 | 401 | 403 if is_oauth_error(&response) => Err(Denial::ClientCredentialsRefused),
            status => Err(unavailable(Outage::Status(status))),
        }
    }

    fn parse(response: &UpstreamResponse) -> Option<Self> {
        #[derive(Deserialize)]
        struct Raw {
            access_token: String,
            expires_in: Option<Value>,
        }
        let raw: Raw = json::parse(&response.body)?;
        let expires_in = match raw.expires_in {
            Some(Value::Number(seconds)) => seconds
                .as_u64()
                .or_else(|| seconds.as_f64().and_then(json::whole)),
            // Some authorization servers write the number as a string.
            Some(Value::String(seconds)) => seconds.parse().ok(),
            _ => None,
        };
        (!raw.access_token.is_empty()).then_some(Self {
            access_token: raw.access_token,
            expires_in,
        })
    }
}

/// Tells whether a response is an error of the protocol (RFC 6749 §5.2), and not of some proxy on
/// the way.
fn is_oauth_error(response: &UpstreamResponse) -> bool {
    #[derive(Deserialize)]
    struct Raw {
        error: String,
    }
    json::parse(&response.body).is_some_and(|raw: Raw| !raw.error.is_empty())
}

/// Returns how long a validation may be reused, in seconds.
///
/// This is `expires_in` (RFC 6749 §5.1) less a margin, and never more than an hour. Without
/// `expires_in` it is not reused: the result is zero.
fn reuse_seconds(expires_in: Option<u64>) -> u64 {
    expires_in
        .unwrap_or(0)
        .saturating_sub(MARGIN_SECONDS)
        .min(MAX_REUSE_SECONDS)
}

/// Reads the products out of `service-info[].prd` of an access token, which came straight from
/// the token endpoint over TLS, so that its signature adds nothing. Names are letters, digits,
/// `_` and `-`; others are left out.
fn entitlements(access_token: &str) -> String {
    #[derive(Deserialize)]
    struct Raw {
        #[serde(rename = "service-info")]
        service_info: Vec<Value>,
    }
    let payload = access_token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD
        .decode(payload.trim_end_matches('='))
        .unwrap_or_default();
    let services = json::parse(&payload).map_or_else(Vec::new, |raw: Raw| raw.service_info);
    let is_name = |name: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        !name.is_empty() && name.bytes().all(allowed)
    };
    let mut products: Vec<String> = services
        .iter()
        .filter_map(|service| service.get("prd").and_then(Value::as_str))
        .filter(is_name)
        .map(ToString::to_string)
        .collect();
    products.sort_unstable();
    products.dedup();
    products.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn response(status: u16, body: &str) -> CallOutcome {
        Ok(UpstreamResponse {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: Result<u64, Denial>) {
        let grant = TokenGrant::from_outcome(response(status, body));
        assert_eq!(
            grant.map(|grant| reuse_seconds(grant.expires_in)),
            expected,
            "{status} {body}"
        );
    }

    #[test]
    fn only_an_oauth_error_refuses_and_everything_else_is_an_outage() {
        let outage = |outage| Err(Denial::AuthorizationServerUnavailable(outage));
        check(200, r#"{"access_token":"t","expires_in":3600}"#, Ok(3540));
        check(200, r#"{"access_token":"t","expires_in":"900"}"#, Ok(840));
        check(200, r#"{"access_token":"t","expires_in":99999}"#, Ok(3600));
        check(200, r#"{"access_token":"t","expires_in":5}"#, Ok(0));
        check(200, r#"{"access_token":"t"}"#, Ok(0));
        for garbage in [
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            "[]",
            "<html>",
            "",
        ] {
            check(200, garbage, outage(Outage::Garbage));
        }
        for status in [400, 401, 403] {
            check(
                status,
                r#"{"error":"invalid_client"}"#,
                Err(Denial::ClientCredentialsRefused),
            );
            check(status, "<html>", outage(Outage::Status(status)));
            check(
                status,
                r#"{"message":"Forbidden"}"#,
                outage(Outage::Status(status)),
            );
        }
        for status in [201, 204, 302, 404, 429, 500, 503, 504] {
            check(
                status,
                r#"{"error":"invalid_client"}"#,
                outage(Outage::Status(status)),
            );
        }
    }

    #[test]
    fn products_are_read_and_odd_ones_left_out() {
        let token = |payload: &str| format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(payload));
        let payload =
            r#"{"service-info":[{"prd":"ZPA"},{"prd":"ZIA"},{"prd":"ZIA"},{"prd":"a,b"},7]}"#;
        assert_eq!(entitlements(&token(payload)), "ZIA,ZPA");
        for empty in [
            "opaque",
            "",
            "e30.!.AA",
            &token("[]"),
            &token(r#"{"service-info":7}"#),
        ] {
            assert_eq!(entitlements(empty), "", "{empty}");
        }
    }
}
