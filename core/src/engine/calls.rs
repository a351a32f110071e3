//! The calls of an engine, and what they bring.

use alloc::vec::Vec;

use super::Engine;
use crate::ambient::Ambient;
use crate::finding::{Finding, Found};
use crate::modes::Authenticator;
use crate::oauth::{DocumentFinding, TokensFinding, revocation};
use crate::readiness;
use crate::step::{Answer, Brought, Origin, PendingCall, Underway, Wake};
use crate::upstream::{CallOutcome, UpstreamCall};

impl Engine {
    /// Returns the next call to send, until there is none.
    pub fn poll_call(&mut self) -> Option<(UpstreamCall, PendingCall)> {
        self.flights.next_call()
    }

    /// Takes the outcome of a call.
    pub fn handle_upstream(
        &mut self,
        pending: PendingCall,
        outcome: CallOutcome,
        ambient: Ambient,
    ) -> Wake {
        let finding = self.condense(&pending, outcome, ambient);
        self.handle_finding(pending, finding, Origin::OwnCall, ambient)
    }

    /// Condenses the outcome of a call, for this engine and for others with the same settings.
    #[must_use]
    pub fn condense(
        &mut self,
        pending: &PendingCall,
        outcome: CallOutcome,
        ambient: Ambient,
    ) -> Finding {
        let at = ambient.now;
        let found = match (&pending.underway, &mut self.authenticator) {
            (Underway::Jwks, authenticator) => match authenticator.keys() {
                Some(keys) => Found::Keys(keys.condense(outcome, at)),
                None => Found::Nothing,
            },
            (Underway::Discovery, authenticator) => match authenticator.keys() {
                Some(keys) => Found::Provider(keys.condense_document(outcome)),
                None => Found::Nothing,
            },
            (Underway::Exchange(_), _) => Found::Tokens(TokensFinding::of(outcome)),
            (Underway::Refresh(digest), Authenticator::OidcProxy(proxy)) => {
                let finding = TokensFinding::of(outcome);
                let shared = proxy.server.share(*digest, &finding, at);
                Found::Renewed(finding, shared)
            }
            (Underway::ClientDocument(client_id), _) => {
                Found::ClientDocument(DocumentFinding::of(client_id, outcome, at))
            }
            (Underway::Revocation(_), _) => Found::Revoked(revocation(outcome)),
            (Underway::Validation(_), Authenticator::Zscaler(zscaler)) => {
                Found::Grant(zscaler.condense(outcome, at))
            }
            (Underway::ProtectedResource, _) => {
                Found::Resource(readiness::shows_reachable(&outcome))
            }
            (Underway::Validation(_) | Underway::Refresh(_), _) => Found::Nothing,
        };
        Finding { at, found }
    }

    /// Tells whether the finding of another engine will do in place of a call that
    /// [`Self::poll_call`] returned. Who `waited` for it takes whatever it is.
    #[must_use]
    pub fn accepts(
        &self,
        pending: &PendingCall,
        finding: &Finding,
        waited: bool,
        ambient: Ambient,
    ) -> bool {
        let (at, now) = (finding.at, ambient.now);
        match (&pending.underway, &finding.found, &self.authenticator) {
            (Underway::Jwks, Found::Keys(found), authenticator) => authenticator
                .keys()
                .is_some_and(|keys| keys.accepts(found, at, waited, now)),
            (Underway::Validation(_), Found::Grant(found), Authenticator::Zscaler(_)) => {
                found.is_usable(at, waited, now)
            }
            (Underway::Refresh(digest), Found::Shared(shared), Authenticator::OidcProxy(proxy)) => {
                proxy.server.open_shared(digest, shared, now).is_some()
            }
            _ => false,
        }
    }

    /// Takes a finding in place of the outcome of a call: of its own, or of another engine's that
    /// it [accepts](Self::accepts).
    pub fn handle_finding(
        &mut self,
        pending: PendingCall,
        finding: Finding,
        origin: Origin,
        ambient: Ambient,
    ) -> Wake {
        let Some(tickets) = self.flights.finish(&pending) else {
            return Wake {
                tickets: Vec::new(),
                answer: Answer::timed_out(),
            };
        };
        let Finding { at, found } = finding;
        let brought = match (pending.underway, found, &mut self.authenticator) {
            (Underway::Discovery, Found::Provider(found), authenticator) => {
                if let Some(call) = authenticator.finish_discovery(found, at) {
                    let keys = PendingCall::new(Underway::Jwks);
                    self.flights.carry_on(keys, call, tickets, ambient.now);
                    return Wake {
                        tickets: Vec::new(),
                        answer: Answer(Brought::News),
                    };
                }
                Brought::News
            }
            (Underway::Jwks, Found::Keys(found), authenticator) => {
                authenticator.finish_fetch(found, at);
                Brought::News
            }
            (
                Underway::Validation(validation),
                Found::Grant(found),
                Authenticator::Zscaler(zscaler),
            ) => {
                let digest = validation.digest;
                let result = zscaler.finish(validation, found, origin, ambient.now);
                Brought::Validated(digest, result)
            }
            (Underway::ProtectedResource, Found::Resource(reachable), _) => {
                self.readiness.finish(reachable, at);
                Brought::News
            }
            (underway, found, Authenticator::OidcProxy(proxy)) => {
                proxy.server.take(underway, found, ambient.now)
            }
            _ => Brought::NothingInTime,
        };
        Wake {
            tickets,
            answer: Answer(brought),
        }
    }
}
