//! One request on its way through the gate, seen by its HTTP context and by the gate.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use portcullis_core::audit::Basis;
use portcullis_core::{Forward, Ticket};

use crate::trace::TraceFields;

/// How far a request has come.
#[derive(Debug, Default)]
pub(crate) enum Phase {
    /// Nothing is decided; nothing may pass.
    #[default]
    Undecided,
    /// Kept by the gate.
    Waiting(Place),
    /// Passed on; the value says how to edit the response.
    Forwarded(Forward),
    /// Answered here; nothing may pass and our own answer is left alone.
    Answered,
}

/// Where the gate keeps a request that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// Under a ticket, until an answer comes.
    Parked(Ticket),
    /// Under its context, until its body has come.
    Collecting,
}

/// A request and its context, shared so that the gate can carry out a late decision.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// The id of the HTTP context.
    pub(crate) context: u32,
    shared: Rc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    phase: RefCell<Phase>,
    /// When the request came, where that is to be known.
    since: Cell<Duration>,
    basis: Cell<Basis>,
    /// The trace of a request that waits.
    trace: RefCell<TraceFields>,
}

impl Exchange {
    /// Begins a request.
    pub(crate) fn new(context: u32) -> Self {
        let shared = Rc::default();
        Self { context, shared }
    }

    /// Moves on to `phase`.
    pub(crate) fn set(&self, phase: Phase) {
        self.shared.phase.replace(phase);
    }

    /// Takes note of when its request came.
    pub(crate) fn began(&self, since: Duration) {
        self.shared.since.set(since);
    }

    /// Takes note of what its decision will rest on.
    pub(crate) fn rest_on(&self, basis: Basis) {
        self.shared.basis.set(basis);
    }

    /// Takes note of the trace that its calls are a part of.
    pub(crate) fn follow(&self, trace: TraceFields) {
        self.shared.trace.replace(trace);
    }

    /// Returns that trace.
    pub(crate) fn trace(&self) -> TraceFields {
        self.shared.trace.borrow().clone()
    }

    /// Returns when its request came.
    pub(crate) fn since(&self) -> Duration {
        self.shared.since.get()
    }

    /// Returns what its decision rests on.
    pub(crate) fn basis(&self) -> Basis {
        self.shared.basis.get()
    }

    /// Tells whether body and trailers may pass.
    pub(crate) fn passes(&self) -> bool {
        matches!(*self.shared.phase.borrow(), Phase::Forwarded(_))
    }

    /// Tells whether its body is wanted for the decision.
    pub(crate) fn is_collecting(&self) -> bool {
        matches!(self.place(), Some(Place::Collecting))
    }

    /// Returns where the gate keeps it.
    pub(crate) fn place(&self) -> Option<Place> {
        match *self.shared.phase.borrow() {
            Phase::Waiting(place) => Some(place),
            Phase::Undecided | Phase::Forwarded(_) | Phase::Answered => None,
        }
    }

    /// Takes what the response needs once; later it needs nothing.
    pub(crate) fn take_forward(&self) -> Option<Forward> {
        match &mut *self.shared.phase.borrow_mut() {
            Phase::Forwarded(forward) => Some(std::mem::take(forward)),
            Phase::Undecided | Phase::Waiting(_) | Phase::Answered => None,
        }
    }
}
