//! The answer to `/ready`.

use super::Engine;
use crate::ambient::UnixSeconds;
use crate::cache::KeySetState;
use crate::flights::Errand;
use crate::modes::fetch;
use crate::readiness::{self, AwaitReady, Component};
use crate::step::{PendingCall, PendingRequest, Step, Suspended, Underway};

impl Engine {
    /// Answers `/ready`, after fetching what is not known.
    pub(super) fn ready(&mut self, now: UnixSeconds, waited: AwaitReady) -> Step {
        let jwks = match self.authenticator.keys_mut() {
            Some(keys) if keys.state(now) != KeySetState::Absent => Component::Reachable,
            Some(keys) => {
                if !waited.jwks_tried && fetch(keys, &mut self.flights, now) {
                    let jwks_tried = true;
                    return self.wait_ready(
                        &Errand::Jwks,
                        AwaitReady {
                            jwks_tried,
                            ..waited
                        },
                    );
                }
                Component::Unreachable
            }
            None => Component::Unused,
        };
        let resource = match (&self.config.upstream, self.readiness.resource(now)) {
            (None, _) => Component::Unused,
            (Some(_), Some(component)) => component,
            (Some(_), None) if waited.resource_tried => waited.resource(&self.readiness),
            (Some(url), None) => {
                let errand = Errand::ProtectedResource;
                if !self.flights.is_under_way(&errand, now) {
                    let pending = PendingCall::new(Underway::ProtectedResource);
                    self.flights.start(pending, readiness::probe(url), now);
                }
                let resource_tried = true;
                return self.wait_ready(
                    &errand,
                    AwaitReady {
                        resource_tried,
                        ..waited
                    },
                );
            }
        };
        Step::respond(readiness::respond(jwks, resource))
    }

    fn wait_ready(&mut self, errand: &Errand, waited: AwaitReady) -> Step {
        match self.flights.join(errand) {
            Some(ticket) => Step::Wait {
                ticket,
                pending: PendingRequest(Suspended::Ready(waited)),
            },
            None => Step::respond(readiness::respond(
                Component::Unreachable,
                Component::Unused,
            )),
        }
    }
}
