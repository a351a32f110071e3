//! Requests whose body is part of the decision.

use portcullis_core::{Decision, PendingBody, RequestBody, UnixSeconds};

use super::Gate;
use crate::exchange::Exchange;
use crate::host;

/// A request whose body the host collects.
pub(super) struct Collecting {
    pub(super) since: UnixSeconds,
    pub(super) max_octets: usize,
    /// How many octets the host has.
    pub(super) octets: usize,
    pub(super) pending: PendingBody,
    pub(super) exchange: Exchange,
}

impl Gate {
    /// Takes note that the host has `octets` of the body of a request; returns the decision, if
    /// there is one.
    pub(crate) fn note_body(&self, exchange: &Exchange, octets: usize) -> Option<Decision> {
        let mut state = self.state.borrow_mut();
        let collecting = state.collecting.get_mut(&exchange.context)?;
        collecting.octets = octets;
        let too_large = octets > collecting.max_octets;
        drop(state);
        too_large.then(|| self.end_body(exchange)).flatten()
    }

    /// Goes on with a request of whose body no more is wanted; returns the decision, unless the
    /// request is parked.
    pub(crate) fn end_body(&self, exchange: &Exchange) -> Option<Decision> {
        let collecting = self
            .state
            .borrow_mut()
            .collecting
            .remove(&exchange.context)?;
        let read = if collecting.octets > collecting.max_octets {
            Err(RequestBody::TooLarge)
        } else {
            host::request_body(collecting.octets).ok_or(RequestBody::Missing)
        };
        let body = match &read {
            Ok(whole) => RequestBody::Whole(whole),
            Err(fault) => *fault,
        };
        let ambient = host::ambient();
        let mut state = self.state.borrow_mut();
        let step = state.engine.handle_body(collecting.pending, body, ambient);
        drop(state);
        let decision = self.settle(step, exchange, ambient.now);
        self.signal_work();
        decision
    }
}
