//! Mode `zscaler`: OneAPI client credentials, checked at the token endpoint.

mod grant;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, mem};

pub(crate) use grant::GrantFinding;

use self::grant::REFUSAL_SECONDS;
use super::{Awaiting, Desk, Verdict};
use crate::ambient::UnixSeconds;
use crate::attempts::{Attempt, AttemptBudget, AttemptEnd, AttemptLedger, AttemptLimits, Source};
use crate::cache::{ExpiringMap, Lookups};
use crate::config::ModeName;
use crate::credentials::{ClientCredentials, Decoded};
use crate::denial::{Denial, Outage};
use crate::digest::Digest;
use crate::finding::{Found, Hearsay, NoHearsay};
use crate::flights::Errand;
use crate::identity::{OwnField, Principal};
use crate::observation::CacheFacts;
use crate::request::RequestHead;
use crate::step::{Origin, PendingCall, Underway};
use crate::upstream::{CallOutcome, Reach, UpstreamCall};
use crate::url::HttpUrl;

const TIMEOUT_SECONDS: u32 = 10;

/// The largest answer of a token endpoint, in octets.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

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
    lookups: Lookups,
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
            lookups: Lookups::default(),
            refusals: ExpiringMap::new(cache_entries),
        }
    }

    pub(crate) fn keep_attempts_in(&mut self, ledger: Box<dyn AttemptLedger + Send>) {
        self.attempts = ledger;
    }

    pub(crate) fn listen_to(&mut self, hearsay: Box<dyn Hearsay + Send>) {
        self.hearsay = hearsay;
    }

    /// Takes over the verdicts of the same token endpoint.
    pub(crate) fn succeed(&mut self, earlier: &mut Self) {
        let same_endpoint = self.mode.token_url == earlier.mode.token_url;
        if same_endpoint && self.mode.forward_entitlements == earlier.mode.forward_entitlements {
            mem::swap(&mut self.validations, &mut earlier.validations);
            mem::swap(&mut self.refusals, &mut earlier.refusals);
            mem::swap(&mut self.lookups, &mut earlier.lookups);
        }
    }

    /// Returns what is remembered.
    pub(crate) fn cache(&self) -> CacheFacts {
        self.lookups.facts(&self.validations)
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
            self.lookups.note(true);
            return Verdict::Admit(Arc::clone(&validated.principal));
        }
        let was_wrong = self.refusals.get(&digest, desk.now).is_some();
        self.lookups.note(was_wrong);
        if was_wrong {
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
            Found::Grant(_)
            | Found::Keys(_)
            | Found::Provider(_)
            | Found::Tokens(_)
            | Found::Renewed(..)
            | Found::Shared(_)
            | Found::Revoked(_)
            | Found::ClientDocument(_)
            | Found::Resource(_)
            | Found::Nothing => None,
        }
    }

    /// Condenses the outcome of a check.
    pub(crate) fn condense(&self, outcome: CallOutcome, now: UnixSeconds) -> GrantFinding {
        GrantFinding::from_outcome(outcome, self.mode.forward_entitlements, now)
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
            reach: Reach::Anywhere,
        }
    }
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

    #[test]
    fn forms_encode_all_that_could_part_fields() {
        let mut out = Vec::new();
        form_encode("a b&c=d+é%".as_bytes(), &mut out);
        assert_eq!(out, b"a+b%26c%3Dd%2B%C3%A9%25");
    }
}
