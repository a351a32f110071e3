//! The loop over the engine's steps.

use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use portcullis_core::audit::Basis;
use portcullis_core::jose::SignatureCheck;
use portcullis_core::{
    Decision, Engine, Opening, PendingBody, PendingCheck, PendingRequest, RequestBody, RequestHead,
    Step,
};
use tokio::time::Instant;

use super::Gate;
use super::body::BodyFault;
use super::parked::Parked;
use super::upload::Upload;
use crate::moment::ambient;
use crate::trace::Cause;

/// A decision, and what it took.
pub(super) struct Decided {
    pub(super) decision: Decision,
    pub(super) basis: Basis,
    /// How long the engine was at work.
    pub(super) engine: Duration,
    /// How long it took in all, with calls and the body.
    pub(super) whole: Duration,
}

impl Gate {
    /// Decides a request, and reads its body where that is part of the decision. Dropping the
    /// future gives the request up and cancels no call.
    pub(super) async fn decide(
        self: &Arc<Self>,
        head: &RequestHead<'_>,
        upload: &mut Upload,
        cause: Option<&Cause>,
    ) -> Decided {
        let begun = Clock::now();
        let mut deadline = None;
        let (mut turn, mut basis) = self.open(head, cause);
        let mut engine = begun.elapsed();
        let mut whole = engine;
        loop {
            let resumed;
            turn = match turn {
                Turn::Decided(decision) => {
                    return Decided {
                        decision,
                        basis,
                        engine,
                        whole,
                    };
                }
                Turn::Bodiless(max_octets, pending) => {
                    let read = upload.read(max_octets).await;
                    let body = match &read {
                        Ok(whole) => RequestBody::Whole(whole),
                        Err(BodyFault::TooLarge) => RequestBody::TooLarge,
                        Err(BodyFault::Stalled | BodyFault::Cut) => RequestBody::Missing,
                    };
                    resumed = Clock::now();
                    self.take_turn(cause, |engine| engine.handle_body(pending, body, ambient()))
                }
                Turn::Parked(pending, parked) => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                    let answer = parked.answer(deadline).await;
                    basis = Basis::Call;
                    resumed = Clock::now();
                    self.take_turn(cause, |engine| {
                        engine.handle_wake(pending, &answer, ambient())
                    })
                }
            };
            engine = engine.saturating_add(resumed.elapsed());
            whole = begun.elapsed();
        }
    }

    /// Begins a request. Signatures are checked outside the lock: everything else takes a
    /// microsecond or a few, a signature tens of them.
    fn open(self: &Arc<Self>, head: &RequestHead<'_>, cause: Option<&Cause>) -> (Turn, Basis) {
        let (opened, basis) = self.with_engine(cause, |state| {
            let hits = state.engine.cache_hits();
            let opened = match state.engine.open_request(head, ambient()) {
                Opening::Step(step) => Opened::Turn(self.turn(step)),
                Opening::Check { check, pending } => Opened::Unchecked(check, pending),
            };
            let basis = if state.engine.cache_hits() == hits {
                Basis::Request
            } else {
                Basis::Cache
            };
            (opened, basis)
        });
        let turn = match opened {
            Opened::Turn(turn) => turn,
            Opened::Unchecked(check, pending) => {
                let checked = check.run(self.verifier.as_ref());
                self.take_turn(cause, |engine| {
                    engine.handle_check(pending, checked, ambient())
                })
            }
        };
        (turn, basis)
    }

    fn take_turn(
        self: &Arc<Self>,
        cause: Option<&Cause>,
        act: impl FnOnce(&mut Engine) -> Step,
    ) -> Turn {
        self.with_engine(cause, |state| self.turn(act(&mut state.engine)))
    }

    /// Parks a request that has to wait; under the same lock as the step, so that no wake can come
    /// in between.
    fn turn(self: &Arc<Self>, step: Step) -> Turn {
        match step {
            Step::Decide(decision) => Turn::Decided(decision),
            Step::ReadBody {
                max_octets,
                pending,
            } => Turn::Bodiless(max_octets, pending),
            Step::Wait { ticket, pending } => Turn::Parked(pending, self.parked.park(ticket)),
        }
    }
}

/// Where a request stands.
enum Turn {
    Decided(Decision),
    /// Its body is wanted, of at most so many octets.
    Bodiless(usize, PendingBody),
    Parked(PendingRequest, Parked),
}

/// Where a request stands after its first turn.
enum Opened<'a> {
    Turn(Turn),
    Unchecked(SignatureCheck<'a>, PendingCheck),
}

/// How long a request may wait for calls, all together.
const PATIENCE: Duration = Duration::from_secs(15);
