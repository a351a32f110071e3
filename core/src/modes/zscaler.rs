//! Mode `zscaler`: OneAPI client credentials, checked at the token endpoint.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::{Awaiting, Desk, Verdict};
use crate::ambient::UnixSeconds;
use crate::attempts::{Attempt, AttemptBudget, AttemptEnd, AttemptLedger, AttemptLimits, Source};
use crate::cache::{CLOCK_SLACK, ExpiringMap};
use crate::config::ModeName;
use crate::credentials::{ClientCredentials, Decoded};
use crate::denial::{Denial, Outage};
use crate::digest::Digest;
use crate::finding::{Found, Hearsay, NoHearsay};
use crate::flights::Errand;
use crate::identity::{OwnField, Principal};
use crate::json;
use crate::request::RequestHead;
use crate::step::{Origin, PendingCall, Underway};
use crate::upstream::{CallOutcome, UpstreamCall, UpstreamResponse};
use crate::url::HttpUrl;

const TIMEOUT_SECONDS: u32 = 10;

/// The largest answer of a token endpoint, in octets.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// A validation is never used longer, whatever the token's life: this is how long a revoked
/// secret may go on working, in seconds.
const MAX_REUSE_SECONDS: u64 = 60 * 60;

/// Taken off the token's life, so that no validation outlives its token, in seconds.
const MARGIN_SECONDS: u64 = 60;

/// How long a refusal is remembered: long enough to spare the authorization server a client that
/// repeats itself, short enough for a secret that was just made, in seconds.
const REFUSAL_SECONDS: u64 = 10;

/// How long credentials that were right are checked again without a part of the budget for wrong
/// ones: their user must not be kept out by those who guess, in seconds.
const KNOWN_SECONDS: u64 = 24 * 60 * 60;

/// Settings of mode `zscaler`.
#[derive(Clone, Debug)]
pub struct ZscalerMode {
    /// The token endpoint.
    pub token_url: HttpUrl,
    /// Whether product entitlements are passed on as `x-mcp-auth-entitlements`.
    pub forward_entitlements: bool,
    /// How many wrong secrets the token endpoint is asked about.
    pub attempts: AttemptLimits,
}

/// Mode `zscaler` with its caches.
pub(crate) struct ZscalerAuthenticator {
    mode: ZscalerMode,
    validations: ExpiringMap<Digest, Validated>,
    refusals: ExpiringMap<Digest, ()>,
    attempts: Box<dyn AttemptLedger + Send>,
    hearsay: Box<dyn Hearsay + Send>,
}

/// Credentials that were right when they were last checked.
#[derive(Debug)]
struct Validated {
    principal: Arc<Principal>,
    /// Until then they need no other check.
    until: UnixSeconds,
}

/// A request that waits for the token endpoint's answer about its credentials.
#[derive(Debug)]
pub(crate) struct AwaitTokenEndpoint {
    pub(crate) digest: Digest,
}

/// The check of one pair of credentials, under way.
#[derive(Debug)]
pub(crate) struct Validation {
    pub(crate) digest: Digest,
    principal: Principal,
    /// What is ended with the check; credentials that were right before need none.
    attempt: Option<Attempt>,
}

impl Validation {
    /// Returns what names the check to other engines.
    pub(crate) fn name(&self) -> Digest {
        Digest::of(&[b"token", self.digest.as_bytes()])
    }
}

impl fmt::Debug for ZscalerAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ZscalerAuthenticator(…)")
    }
}

impl ZscalerAuthenticator {
    pub(crate) fn new(mode: ZscalerMode, cache_entries: usize) -> Self {
        Self {
            attempts: Box::new(AttemptBudget::new(mode.attempts)),
            hearsay: Box::new(NoHearsay),
            mode,
            validations: ExpiringMap::new(cache_entries),
            refusals: ExpiringMap::new(cache_entries),
        }
    }

    pub(crate) fn keep_attempts_in(&mut self, ledger: Box<dyn AttemptLedger + Send>) {
        self.attempts = ledger;
    }

    pub(crate) fn listen_to(&mut self, hearsay: Box<dyn Hearsay + Send>) {
        self.hearsay = hearsay;
    }

    pub(crate) fn authenticate(&mut self, head: &RequestHead<'_>, desk: &mut Desk<'_>) -> Verdict {
        let mut decoded = Decoded::default();
        let credentials = match ClientCredentials::read(head, &mut decoded) {
            Ok(credentials) => credentials,
            Err(denial) => return Verdict::Deny(denial),
        };
        let digest = credentials.digest();
        let validated = self.validations.get(&digest, desk.now);
        let was_right = validated.is_some();
        if let Some(validated) = validated.filter(|validated| desk.now < validated.until) {
            return Verdict::Admit(Arc::clone(&validated.principal));
        }
        if self.refusals.get(&digest, desk.now).is_some() {
            return Verdict::Deny(Denial::ClientCredentialsRefused);
        }
        let errand = Errand::ClientCredentials(digest);
        if desk.flights.is_under_way(&errand, desk.now) {
            return Verdict::Await(Awaiting::TokenEndpoint(AwaitTokenEndpoint { digest }));
        }
        let id = credentials.client_id;
        let Some(principal) = Principal::new(ModeName::Zscaler, id, &[id.as_bytes()]) else {
            return Verdict::Deny(Denial::MalformedCredential);
        };
        let validation = Validation {
            digest,
            principal,
            attempt: None,
        };
        if let Some(finding) = self.heard(&validation, desk.now) {
            let origin = Origin::OtherEngine;
            return self.finish(validation, finding, origin, desk.now).into();
        }
        if !desk.flights.has_room(desk.now) {
            return Verdict::Deny(Denial::TooManyCalls);
        }
        let attempt = if was_right {
            None
        } else {
            let source = Source::of(desk.access.client(head));
            match self.attempts.reserve(source, desk.now) {
                Ok(attempt) => Some(attempt),
                Err(wait) => return Verdict::Deny(Denial::TooManyWrongSecrets(wait)),
            }
        };
        let validation = Validation {
            attempt,
            ..validation
        };
        let pending = PendingCall::new(Underway::Validation(validation));
        let call = self.call(&credentials);
        desk.flights.start(pending, call, desk.now);
        Verdict::Await(Awaiting::TokenEndpoint(AwaitTokenEndpoint { digest }))
    }

    /// Returns what another engine found of these credentials, if that still counts.
    fn heard(&mut self, validation: &Validation, now: UnixSeconds) -> Option<GrantFinding> {
        let finding = self.hearsay.recall(&validation.name())?;
        match finding.found {
            Found::Grant(found) if found.is_usable(finding.at, false, now) => Some(found),
            Found::Grant(_) | Found::Keys(_) | Found::Resource(_) | Found::Nothing => None,
        }
    }

    /// Condenses the outcome of a check.
    pub(crate) fn condense(&self, outcome: CallOutcome, now: UnixSeconds) -> GrantFinding {
        let forward = self.mode.forward_entitlements;
        match TokenGrant::from_outcome(outcome) {
            Ok(grant) => GrantFinding::Granted {
                until: now.plus(reuse_seconds(grant.expires_in)),
                entitlements: forward.then(|| entitlements(&grant.access_token)),
            },
            Err(Denial::AuthorizationServerUnavailable(outage)) => {
                GrantFinding::Unavailable(outage)
            }
            Err(_) => GrantFinding::Refused,
        }
    }

    /// Takes what the token endpoint said; what it returns goes to every request that waited.
    /// Whose own call it was, that engine's budget pays for it.
    pub(crate) fn finish(
        &mut self,
        validation: Validation,
        finding: GrantFinding,
        origin: Origin,
        now: UnixSeconds,
    ) -> Result<Arc<Principal>, Denial> {
        let digest = validation.digest;
        let wrong = finding == GrantFinding::Refused;
        if let Some(attempt) = &validation.attempt {
            let end = if wrong && origin == Origin::OwnCall {
                AttemptEnd::Wrong
            } else {
                AttemptEnd::Spared
            };
            self.attempts.end(attempt, end, now);
        }
        if wrong {
            self.validations.remove(&digest);
            self.refusals
                .insert(digest, (), now, now.plus(REFUSAL_SECONDS));
        }
        let (until, entitlements) = match finding {
            GrantFinding::Granted {
                until,
                entitlements,
            } => (until, entitlements),
            GrantFinding::Refused => return Err(Denial::ClientCredentialsRefused),
            GrantFinding::Unavailable(outage) => {
                return Err(Denial::AuthorizationServerUnavailable(outage));
            }
        };
        let principal = validation
            .principal
            .with(OwnField::Entitlements, entitlements.as_deref())
            .ok_or(Denial::AuthorizationServerUnavailable(Outage::Garbage))?;
        let principal = Arc::new(principal);
        let validated = Validated {
            principal: Arc::clone(&principal),
            until,
        };
        self.validations
            .insert(digest, validated, now, now.plus(KNOWN_SECONDS));
        Ok(principal)
    }

    /// Makes the token request (RFC 6749 §4.4.2), in the form that OneAPI documents.
    fn call(&self, credentials: &ClientCredentials<'_>) -> UpstreamCall {
        let mut body = b"grant_type=client_credentials&client_id=".to_vec();
        form_encode(credentials.client_id.as_bytes(), &mut body);
        body.extend_from_slice(b"&client_secret=");
        form_encode(credentials.client_secret, &mut body);
        body.extend_from_slice(b"&audience=https%3A%2F%2Fapi.zscaler.com");
        UpstreamCall {
            url: self.mode.token_url.clone(),
            method: "POST",
            headers: [
                ("accept", b"application/json".to_vec()),
                (
                    "content-type",
                    b"application/x-www-form-urlencoded".to_vec(),
                ),
            ]
            .into(),
            body,
            timeout_seconds: TIMEOUT_SECONDS,
            max_response_bytes: MAX_ANSWER_BYTES,
        }
    }
}

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

/// Encodes as `application/x-www-form-urlencoded`.
fn form_encode(value: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    for byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(*byte),
            b' ' => out.push(b'+'),
            _ => out.extend([b'%', digit(byte >> 4), digit(byte & 0x0f)]),
        }
    }
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

    #[test]
    fn forms_encode_all_that_could_part_fields() {
        let mut out = Vec::new();
        form_encode("a b&c=d+é%".as_bytes(), &mut out);
        assert_eq!(out, b"a+b%26c%3Dd%2B%C3%A9%25");
    }
}
