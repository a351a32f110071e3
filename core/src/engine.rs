//! The engine: dispatch, no policy.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ambient::{Ambient, UnixSeconds};
use crate::config::Config;
use crate::decision::{Decision, Forward};
use crate::jose::SignatureVerifier;
use crate::request::RequestHead;
use crate::upstream::{CallOutcome, UpstreamCall};

/// What the host does next with a request.
#[must_use]
#[derive(Debug)]
pub enum Step {
    /// The request is decided.
    Decide(Decision),
    /// Park the request until a [`Wake`] names `ticket`, then give its answer and `pending` to
    /// [`Engine::handle_wake`]. Dropping `pending` is all it takes to give up.
    Wait {
        /// Names this request in [`Wake::tickets`].
        ticket: Ticket,
        /// The suspended request.
        pending: PendingRequest,
    },
}

/// Names one parked request within one engine.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(u64);

/// A request that waits for a call, owned by the host.
#[derive(Debug)]
pub struct PendingRequest(());

/// A call that is under way, owned by the host.
#[derive(Debug)]
pub struct PendingCall(());

/// What a call brought, for every request that waited for it.
#[derive(Clone, Debug)]
pub struct Answer(());

impl Answer {
    /// Returns the answer for a request that its host will not let wait any longer.
    #[must_use]
    pub const fn timed_out() -> Self {
        Self(())
    }
}

/// The requests that a finished call wakes.
#[must_use]
#[derive(Debug)]
pub struct Wake {
    /// The requests, oldest first; the host ignores those that are gone.
    pub tickets: Vec<Ticket>,
    /// What each of them is given.
    pub answer: Answer,
}

/// Decides requests for one set of settings. It does no I/O and reads no clock.
pub struct Engine {
    config: Config,
    verifier: Box<dyn SignatureVerifier + Send>,
}

impl Engine {
    /// Makes an engine with empty caches.
    #[must_use]
    pub fn new(config: Config, verifier: Box<dyn SignatureVerifier + Send>) -> Self {
        Self { config, verifier }
    }

    /// Returns the settings it decides by.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Tells whether [`RequestHead::peer`] must be given.
    #[must_use]
    pub const fn needs_peer(&self) -> bool {
        false
    }

    /// Begins a request.
    pub fn handle_request(&mut self, head: &RequestHead<'_>, ambient: Ambient) -> Step {
        let _ = (head, ambient, &self.verifier);
        Step::Decide(Decision::Forward(Forward::default()))
    }

    /// Goes on with a parked request.
    pub fn handle_wake(
        &mut self,
        pending: PendingRequest,
        answer: &Answer,
        ambient: Ambient,
    ) -> Step {
        let _ = (pending, answer, ambient);
        Step::Decide(Decision::Forward(Forward::default()))
    }

    /// Returns the next call to send, until there is none. The host asks after every method of
    /// this type that takes `&mut self`.
    pub fn poll_call(&mut self) -> Option<(UpstreamCall, PendingCall)> {
        None
    }

    /// Takes the outcome of a call.
    pub fn handle_upstream(
        &mut self,
        pending: PendingCall,
        outcome: CallOutcome,
        ambient: Ambient,
    ) -> Wake {
        let _ = (pending, outcome, ambient);
        Wake {
            tickets: Vec::new(),
            answer: Answer(()),
        }
    }

    /// Returns when [`Self::handle_timeout`] is due, if ever. A time in the past means at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixSeconds> {
        None
    }

    /// Does what is due, such as asking for a refresh of the JWKS.
    pub fn handle_timeout(&mut self, ambient: Ambient) {
        let _ = ambient;
    }
}
