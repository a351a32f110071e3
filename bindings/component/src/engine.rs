//! The engine, as a resource of the component.

use std::cell::RefCell;

use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::jose::PortableVerifier;
use portcullis_core::{self as core, Ambient, RequestHead, Seed, UnixSeconds};

use crate::interface::exports::portcullis::gate::gate as wit;
use crate::pending::{Answer, Body, Call, Request};
use crate::translate;

/// An engine, and what its settings were taken for.
pub(crate) struct Engine {
    /// Borrowed for one call only; nothing in a call comes back here.
    engine: RefCell<core::Engine>,
    why: String,
    warnings: Vec<String>,
}

impl wit::GuestEngine for Engine {
    fn make(settings: String, seed: Vec<u8>) -> Result<wit::Engine, String> {
        let seed = seed
            .try_into()
            .map_err(|_| "the seed must have 32 octets, from a source of random numbers")?;
        let mut given = Settings::default();
        given
            .read_json(settings.as_bytes())
            .map_err(|error| error.to_string())?;
        // As the filter, it does not see where its host listens.
        let resolution = resolve(&given, Site::Filter).map_err(|error| error.to_string())?;
        let verifier = Box::new(PortableVerifier::new());
        let engine = core::Engine::new(resolution.config, verifier, Seed::new(seed));
        Ok(wit::Engine::new(Self {
            engine: RefCell::new(engine),
            why: resolution.why,
            warnings: resolution.warnings,
        }))
    }

    fn mode(&self) -> (String, String) {
        let name = self.engine.borrow().config().mode_name();
        (name.to_owned(), self.why.clone())
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn handle_request(&self, head: wit::RequestHead, now: u64) -> wit::Step {
        let headers = translate::lines(&head.headers);
        let head = RequestHead {
            method: &head.method,
            authority: &head.authority,
            path: &head.path,
            headers: &headers,
            peer: translate::peer(head.peer.as_deref()),
        };
        translate::step(self.engine.borrow_mut().handle_request(&head, at(now)))
    }

    fn handle_body(
        &self,
        pending: wit::PendingBody,
        body: wit::RequestBody,
        now: u64,
    ) -> wit::Step {
        let Body(pending) = pending.into_inner();
        let body = translate::body(&body);
        translate::step(self.engine.borrow_mut().handle_body(pending, body, at(now)))
    }

    fn handle_wake(
        &self,
        pending: wit::PendingRequest,
        answer: wit::AnswerBorrow<'_>,
        now: u64,
    ) -> wit::Step {
        let Request(pending) = pending.into_inner();
        let Answer(answer) = answer.get();
        let mut engine = self.engine.borrow_mut();
        translate::step(engine.handle_wake(pending, answer, at(now)))
    }

    fn poll_call(&self) -> Option<wit::Call> {
        let (call, pending) = self.engine.borrow_mut().poll_call()?;
        Some(wit::Call {
            request: translate::call(call),
            pending: wit::PendingCall::new(Call(pending)),
        })
    }

    fn handle_upstream(
        &self,
        pending: wit::PendingCall,
        outcome: Result<wit::UpstreamResponse, wit::CallFailure>,
        now: u64,
    ) -> wit::Wake {
        let Call(pending) = pending.into_inner();
        let outcome = translate::outcome(outcome);
        let mut engine = self.engine.borrow_mut();
        let wake = engine.handle_upstream(pending, outcome, at(now));
        wit::Wake {
            tickets: wake.tickets.iter().map(|ticket| ticket.number()).collect(),
            answer: wit::Answer::new(Answer(wake.answer)),
        }
    }

    fn poll_timeout(&self) -> Option<u64> {
        self.engine.borrow().poll_timeout().map(|due| due.0)
    }

    fn handle_timeout(&self, now: u64) {
        self.engine.borrow_mut().handle_timeout(at(now));
    }
}

const fn at(now: u64) -> Ambient {
    Ambient {
        now: UnixSeconds(now),
    }
}
