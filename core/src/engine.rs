//! The engine: dispatch, no policy.

mod calls;
mod metadata;
mod oauth;
mod observe;
mod ready;
mod succession;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::ambient::{Ambient, UnixSeconds};
use crate::attempts::AttemptLedger;
use crate::config::Config;
use crate::decision::Decision;
use crate::denial::{Denial, Outage, json_response};
use crate::endpoint::Endpoint;
use crate::finding::Hearsay;
use crate::flights::{Errand, Flights};
use crate::identity::Principal;
use crate::jose::{CheckedSignature, SignatureVerifier};
use crate::modes::{
    ApiKeyUses, Authenticator, Awaiting, Chance, Desk, Judgement, Mode, Verdict, refresh,
};
use crate::passage::Passage;
use crate::readiness::{self, AwaitReady, Readiness};
use crate::reason::Reason;
use crate::request::RequestHead;
use crate::rules::{CorsGrant, is_preflight};
use crate::seed::Seed;
use crate::session::SessionBinding;
use crate::step::{Answer, Brought, Opening, PendingCheck, PendingRequest, Step, Suspended};

/// Decides requests for one set of settings. It does no I/O and reads no clock.
///
/// After every call of a method that takes `&mut self`, the host asks [`Self::poll_call`] until
/// there is no call left to send.
pub struct Engine {
    config: Config,
    verifier: Box<dyn SignatureVerifier + Send>,
    authenticator: Authenticator,
    flights: Flights,
    readiness: Readiness,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("mode", &self.config.mode.name())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Makes an engine with empty caches, whose random octets come from `seed`.
    #[must_use]
    pub fn new(config: Config, verifier: Box<dyn SignatureVerifier + Send>, seed: Seed) -> Self {
        let authenticator = Authenticator::new(&config, &seed);
        let (flights, readiness) = (Flights::default(), Readiness::default());
        Self {
            config,
            verifier,
            authenticator,
            flights,
            readiness,
        }
    }

    /// Has attempts kept by `ledger`, which other engines may share.
    #[must_use]
    pub fn with_attempt_ledger(mut self, ledger: Box<dyn AttemptLedger + Send>) -> Self {
        if let Authenticator::Zscaler(zscaler) = &mut self.authenticator {
            zscaler.keep_attempts_in(ledger);
        }
        self
    }

    /// Has it take what other engines found, before it makes a call of its own.
    #[must_use]
    pub fn with_hearsay(mut self, hearsay: Box<dyn Hearsay + Send>) -> Self {
        if let Authenticator::Zscaler(zscaler) = &mut self.authenticator {
            zscaler.listen_to(hearsay);
        }
        self
    }

    /// Returns the settings it decides by.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the keys of mode `api-key` and their uses, in the order in which they were given.
    #[must_use]
    pub fn api_keys(&self) -> ApiKeyUses {
        match &self.authenticator {
            Authenticator::ApiKey(keys) => keys.uses(),
            Authenticator::None(_)
            | Authenticator::Jwt(_)
            | Authenticator::OidcProxy(_)
            | Authenticator::Zscaler(_) => ApiKeyUses::default(),
        }
    }

    /// Begins a request.
    pub fn handle_request(&mut self, head: &RequestHead<'_>, ambient: Ambient) -> Step {
        match self.open_request(head, ambient) {
            Opening::Step(step) => step,
            Opening::Check { check, pending } => {
                let checked = check.run(self.verifier.as_ref());
                self.handle_check(pending, checked, ambient)
            }
        }
    }

    /// Begins a request as [`Self::handle_request`] does, but leaves the check of a signature, all
    /// that takes long, to a host that must not hold its engine meanwhile.
    pub fn open_request<'a>(&mut self, head: &RequestHead<'a>, ambient: Ambient) -> Opening<'a> {
        let endpoint = Endpoint::of(head, &self.config);
        match endpoint {
            Endpoint::Health => return Step::respond(readiness::health()).into(),
            Endpoint::Ready => return self.ready(ambient.now, AwaitReady::default()).into(),
            Endpoint::OAuthDiscovery
            | Endpoint::ResourceMetadata
            | Endpoint::AuthorizationServer(_)
            | Endpoint::Protected => {}
        }
        let config = &self.config;
        let cors = match config.access.check(head, endpoint.is_public()) {
            Ok(cors) => cors,
            // The form of our own page says where it comes from; whether that is so is seen later.
            Err(Denial::OriginNotAllowed) if endpoint.is_consent() => None,
            Err(denial) => return Step::respond(denial.respond(config, None)).into(),
        };
        let open = matches!(config.mode, Mode::None);
        let response = match (&cors, endpoint) {
            (Some(cors), _) if is_preflight(head) => cors.preflight(head),
            (None, endpoint) if is_preflight(head) && endpoint.is_public() => {
                CorsGrant::anybody().preflight(head)
            }
            (None, _) if is_preflight(head) && !open => {
                Denial::OriginNotAllowed.respond(config, None)
            }
            (_, Endpoint::ResourceMetadata) => {
                return self.resource_metadata(cors, Chance::First, ambient).into();
            }
            (_, Endpoint::AuthorizationServer(endpoint))
                if self.passes_on()
                    && (endpoint.takes(head.method) || head.method == b"OPTIONS") =>
            {
                return Step::Decide(Decision::Forward(Passage::of_nobody(head))).into();
            }
            (_, Endpoint::AuthorizationServer(endpoint)) => {
                return self.visit(head, endpoint, cors, ambient).into();
            }
            (_, Endpoint::OAuthDiscovery) if !open => {
                let body = br#"{"error":"not_found"}"#.to_vec();
                json_response(404, Vec::new(), body, Reason::NoOAuth, cors.as_ref())
            }
            _ => {
                let passage = Passage::of(head, &self.authenticator, cors);
                return self.authenticate(head, passage, ambient);
            }
        };
        Step::respond(response).into()
    }

    /// Goes on with a request whose signature was checked.
    pub fn handle_check(
        &mut self,
        pending: PendingCheck,
        checked: CheckedSignature<'_>,
        ambient: Ambient,
    ) -> Step {
        let verdict = match &mut self.authenticator {
            Authenticator::Jwt(jwt) => jwt.admit(checked, ambient.now).into(),
            Authenticator::None(_)
            | Authenticator::ApiKey(_)
            | Authenticator::OidcProxy(_)
            | Authenticator::Zscaler(_) => lost(),
        };
        self.conclude(pending.0, verdict)
    }

    /// Goes on with a parked request.
    pub fn handle_wake(
        &mut self,
        pending: PendingRequest,
        answer: &Answer,
        ambient: Ambient,
    ) -> Step {
        let (passage, awaiting) = match pending.0 {
            Suspended::Ready(waited) => {
                let in_time = !matches!(answer.0, Brought::NothingInTime);
                let waited = if in_time {
                    waited
                } else {
                    AwaitReady::OUT_OF_TIME
                };
                return self.ready(ambient.now, waited);
            }
            Suspended::Metadata(cors) => {
                return self.resource_metadata(cors, Chance::Last, ambient);
            }
            Suspended::Visit(waiting) => return self.resume_visit(*waiting, &answer.0, ambient),
            Suspended::Protected { passage, awaiting } => (passage, awaiting),
        };
        let verdict = match (awaiting, &answer.0) {
            (Awaiting::Jwks(waiting), _) => {
                let (authenticator, mut desk) = self.desk(ambient.now);
                match authenticator {
                    Authenticator::Jwt(jwt) => jwt.resume(&waiting, &mut desk),
                    Authenticator::None(_)
                    | Authenticator::ApiKey(_)
                    | Authenticator::OidcProxy(_)
                    | Authenticator::Zscaler(_) => lost(),
                }
            }
            (Awaiting::TokenEndpoint(waiting), Brought::Validated(digest, result))
                if waiting.digest == *digest =>
            {
                result.clone().into()
            }
            (Awaiting::TokenEndpoint(_), _) => lost(),
        };
        self.conclude(passage, verdict)
    }

    /// Returns when [`Self::handle_timeout`] is due, if ever. A time in the past means at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixSeconds> {
        let due = self.authenticator.keys()?.next_refresh()?;
        let lost_at = self.flights.lost_at(&Errand::Jwks);
        Some(lost_at.map_or(due, |lost_at| lost_at.max(due)))
    }

    /// Does what is due, such as asking for a refresh of the JWKS.
    pub fn handle_timeout(&mut self, ambient: Ambient) {
        if let Some(keys) = self.authenticator.keys_mut() {
            refresh(keys, &mut self.flights, ambient.now);
        }
    }

    fn authenticate<'a>(
        &mut self,
        head: &RequestHead<'a>,
        passage: Passage,
        ambient: Ambient,
    ) -> Opening<'a> {
        let (authenticator, mut desk) = self.desk(ambient.now);
        match authenticator.authenticate(head, &mut desk) {
            Judgement::Verdict(verdict) => self.conclude(passage, verdict).into(),
            Judgement::Unchecked(check) => Opening::Check {
                check,
                pending: PendingCheck(passage),
            },
        }
    }

    fn desk(&mut self, now: UnixSeconds) -> (&mut Authenticator, Desk<'_>) {
        let verifier = self.verifier.as_ref();
        (
            &mut self.authenticator,
            Desk {
                now,
                verifier,
                flights: &mut self.flights,
                access: &self.config.access,
            },
        )
    }

    fn conclude(&mut self, mut passage: Passage, verdict: Verdict) -> Step {
        let denial = match verdict {
            Verdict::Admit(principal) => {
                let binding = self.session_binding(&principal);
                let opened = binding
                    .as_ref()
                    .map_or(Ok(()), |own| passage.open_session(own));
                match opened {
                    Ok(()) => {
                        let forward = passage.forward(principal, binding);
                        return Step::Decide(Decision::Forward(forward));
                    }
                    Err(denial) => denial,
                }
            }
            Verdict::Deny(denial) => denial,
            Verdict::Await(awaiting) => {
                let errand = match &awaiting {
                    Awaiting::Jwks(_) => Errand::Jwks,
                    Awaiting::TokenEndpoint(waiting) => Errand::ClientCredentials(waiting.digest),
                };
                match self.flights.join(&errand) {
                    Some(ticket) => {
                        let suspended = Suspended::Protected { passage, awaiting };
                        return Step::Wait {
                            ticket,
                            pending: PendingRequest(suspended),
                        };
                    }
                    None => Denial::AuthorizationServerUnavailable(Outage::WaitedTooLong),
                }
            }
        };
        Step::respond(denial.respond(&self.config, passage.cors()))
    }

    fn session_binding(&self, principal: &Principal) -> Option<SessionBinding> {
        let keys = match self.config.mode {
            Mode::None => None,
            Mode::ApiKey(_)
            | Mode::Jwt(_)
            | Mode::Oidc(_)
            | Mode::OidcProxy(_)
            | Mode::Zscaler(_) => self.config.session_keys.as_ref(),
        };
        keys.map(|keys| SessionBinding::new(keys.clone(), *principal.binding()))
    }
}

/// The verdict for a request whose answer went astray.
const fn lost() -> Verdict {
    Verdict::Deny(Denial::AuthorizationServerUnavailable(
        Outage::WaitedTooLong,
    ))
}
