//! The calls of a gate: made here, or by another worker for all.

use std::time::Duration;

use portcullis_core::{CallOutcome, Finding, Origin, PendingCall, UpstreamCall, call_outcome_name};

use super::{Gate, MAX_PER_CALLBACK};
use crate::host;
use crate::lease::{Look, Promise, Waiting};
use crate::metrics::Counter;
use crate::trace::TraceFields;

/// A call that is to be made, here or elsewhere.
pub(super) struct Outgoing {
    pub(super) call: UpstreamCall,
    pub(super) pending: PendingCall,
    /// The trace that it is a part of.
    pub(super) trace: TraceFields,
    /// What its worker waits for, where another makes the call.
    pub(super) waiting: Option<Waiting>,
}

/// A call that was sent.
pub(super) struct Flight {
    pending: PendingCall,
    pub(super) max_bytes: usize,
    /// When it was sent.
    pub(super) sent: Duration,
    /// Whom its outcome was promised to.
    promise: Option<Promise>,
    /// The trace that it is a part of, and what follows from it.
    trace: TraceFields,
}

impl Gate {
    pub(super) fn send_calls(&self) {
        for _ in 0..MAX_PER_CALLBACK {
            let next = self.state.borrow_mut().outgoing.pop_front();
            let Some(outgoing) = next else { return };
            match self.look(&outgoing) {
                Look::Alone => self.send(outgoing, None),
                Look::Lead(promise) => self.send(outgoing, Some(promise)),
                Look::Follow(waiting) => {
                    let waiting = Some(waiting);
                    let following = Outgoing {
                        waiting,
                        ..outgoing
                    };
                    self.state.borrow_mut().following.push(following);
                }
                Look::Take(finding) => {
                    self.metrics.count(Counter::Call("shared"));
                    let Outgoing { pending, trace, .. } = outgoing;
                    self.take_finding(pending, finding, Origin::OtherEngine, &trace);
                }
            }
        }
    }

    /// Looks whether another worker makes a call.
    fn look(&self, outgoing: &Outgoing) -> Look {
        let (Some(lease), Some(name)) = (&self.lease, outgoing.pending.name()) else {
            return Look::Alone;
        };
        let ambient = host::ambient();
        let state = self.state.borrow();
        let accepts = |finding: &Finding, waited| {
            let pending = &outgoing.pending;
            state.engine.accepts(pending, finding, waited, ambient)
        };
        let mut lease = lease.borrow_mut();
        lease.look(&name, outgoing.waiting, ambient.now, accepts)
    }

    fn send(&self, outgoing: Outgoing, promise: Option<Promise>) {
        let Outgoing {
            mut call,
            pending,
            trace,
            ..
        } = outgoing;
        call.headers.extend(trace.iter().cloned());
        let flight = Flight {
            pending,
            max_bytes: call.max_response_bytes,
            sent: host::time(),
            promise,
            trace,
        };
        match host::dispatch(&call, &self.clusters.of(&call.url)) {
            Ok(token) => {
                self.state.borrow_mut().flights.insert(token, flight);
            }
            Err(failure) => {
                log::warn!(
                    "call to {} not sent: its cluster is missing or full",
                    call.url
                );
                self.take_outcome(flight, Err(failure));
            }
        }
    }

    pub(super) fn take_outcome(&self, flight: Flight, outcome: CallOutcome) {
        let Flight {
            pending,
            promise,
            trace,
            ..
        } = flight;
        let outcome_name = call_outcome_name(&outcome);
        self.metrics.count(Counter::Call(outcome_name));
        let ambient = host::ambient();
        let mut state = self.state.borrow_mut();
        let finding = state.engine.condense(&pending, outcome, ambient);
        drop(state);
        if let Some(lease) = &self.lease {
            if let Some(promise) = &promise {
                lease.borrow_mut().give(promise, &finding);
            }
            if let Some(name) = pending.name().filter(|_| finding.admits()) {
                lease.borrow().remember(&name, &finding);
            }
        }
        self.take_finding(pending, finding, Origin::OwnCall, &trace);
    }

    fn take_finding(
        &self,
        pending: PendingCall,
        finding: Finding,
        origin: Origin,
        trace: &TraceFields,
    ) {
        let ambient = host::ambient();
        let mut state = self.state.borrow_mut();
        let engine = &mut state.engine;
        let wake = engine.handle_finding(pending, finding, origin, ambient);
        state.note_woken(wake);
        state.collect_calls(|| trace.clone());
    }
}
