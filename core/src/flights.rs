//! Calls under way, and the requests that wait for them.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::digest::Digest;
use crate::step::{PendingCall, Ticket};
use crate::upstream::UpstreamCall;

/// Different calls that may be under way at once: more credentials to check than this, and new
/// ones are turned away until some are decided.
const MAX_FLIGHTS: usize = 256;

/// What a call is for. Of each there is one under way at most.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Errand {
    Jwks,
    ClientCredentials(Digest),
    ProtectedResource,
}

/// Calls that are to be sent or under way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    last_ticket: u64,
    waiting: BTreeMap<Errand, Vec<Ticket>>,
    outgoing: VecDeque<(UpstreamCall, PendingCall)>,
}

impl Flights {
    /// Tells whether a call for `errand` is under way.
    pub(crate) fn is_under_way(&self, errand: &Errand) -> bool {
        self.waiting.contains_key(errand)
    }

    /// Tells whether there is room for one more call.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_FLIGHTS
    }

    /// Starts a call, for which nobody waits yet.
    pub(crate) fn start(&mut self, pending: PendingCall, call: UpstreamCall) {
        self.waiting.entry(pending.errand()).or_default();
        self.outgoing.push_back((call, pending));
    }

    /// Makes one more request wait for a call that is under way.
    pub(crate) fn join(&mut self, errand: &Errand) -> Option<Ticket> {
        let waiting = self.waiting.get_mut(errand)?;
        self.last_ticket = self.last_ticket.wrapping_add(1);
        let ticket = Ticket::new(self.last_ticket);
        waiting.push(ticket);
        Some(ticket)
    }

    /// Ends a call, and returns who waited.
    pub(crate) fn finish(&mut self, errand: &Errand) -> Vec<Ticket> {
        self.waiting.remove(errand).unwrap_or_default()
    }

    /// Returns the next call to send.
    pub(crate) fn next_call(&mut self) -> Option<(UpstreamCall, PendingCall)> {
        self.outgoing.pop_front()
    }
}
