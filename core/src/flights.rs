//! Calls under way, and the requests that wait for them.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::ambient::UnixSeconds;
use crate::digest::Digest;
use crate::step::{PendingCall, Ticket};
use crate::upstream::UpstreamCall;

/// Different calls that may be under way at once: more credentials to check than this, and new
/// ones are turned away until some are decided.
const MAX_FLIGHTS: usize = 256;

/// Codes that may be spent at once.
const MAX_EXCHANGES: usize = 64;

/// Different documents of clients that may be under way at once, in all and at one host.
const MAX_DOCUMENTS: usize = 16;
const MAX_DOCUMENTS_OF_HOST: usize = 2;

/// A call without an outcome for so long counts as lost, in seconds; every call has a shorter limit
/// of its own.
const LOST_AFTER_SECONDS: u64 = 30;

/// What a call is for. Of each there is one under way at most.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Errand {
    Jwks,
    ClientCredentials(Digest),
    /// The provider's tokens for the code with this digest.
    Exchange(Digest),
    /// The provider's tokens for the refresh token with this digest.
    Renewal(Digest),
    /// The revocation of a token with this digest.
    Revocation(Digest),
    /// The document of a client, by the digests of its host and of its identifier.
    ClientDocument(Digest, Digest),
    ProtectedResource,
}

/// Calls that are to be sent or under way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    last_ticket: u64,
    last_flight: u64,
    under_way: BTreeMap<Errand, Flight>,
    outgoing: VecDeque<(UpstreamCall, PendingCall)>,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    lost_at: UnixSeconds,
    waiting: Vec<Ticket>,
}

impl Flights {
    /// Tells whether a call for `errand` is under way.
    pub(crate) fn is_under_way(&self, errand: &Errand, now: UnixSeconds) -> bool {
        self.lost_at(errand).is_some_and(|lost_at| now < lost_at)
    }

    /// Returns when the call for `errand` counts as lost, if there is one.
    pub(crate) fn lost_at(&self, errand: &Errand) -> Option<UnixSeconds> {
        self.under_way.get(errand).map(|flight| flight.lost_at)
    }

    /// Tells whether there is room for one more call.
    pub(crate) fn has_room(&mut self, now: UnixSeconds) -> bool {
        if self.under_way.len() >= MAX_FLIGHTS {
            self.under_way.retain(|_, flight| now < flight.lost_at);
        }
        self.under_way.len() < MAX_FLIGHTS
    }

    /// Tells whether there is room for one more code to be spent: anybody can make up codes, and
    /// refreshes and keys must go on meanwhile.
    pub(crate) fn has_room_for_exchange(&mut self, now: UnixSeconds) -> bool {
        let exchanges = self.count(now, |errand| matches!(errand, Errand::Exchange(_)));
        exchanges < MAX_EXCHANGES && self.has_room(now)
    }

    /// Tells whether there is room for one more call to a host that a stranger named.
    pub(crate) fn has_room_for_document(&mut self, host: &Digest, now: UnixSeconds) -> bool {
        let all = self.count(now, |errand| matches!(errand, Errand::ClientDocument(..)));
        let of_host = self.count(
            now,
            |errand| matches!(errand, Errand::ClientDocument(other, _) if other == host),
        );
        all < MAX_DOCUMENTS && of_host < MAX_DOCUMENTS_OF_HOST && self.has_room(now)
    }

    fn count(&self, now: UnixSeconds, of: impl Fn(&Errand) -> bool) -> usize {
        let alive = |(errand, flight): &(&Errand, &Flight)| of(errand) && now < flight.lost_at;
        self.under_way.iter().filter(alive).count()
    }

    /// Starts a call; those who waited for one that was lost wait for this one.
    pub(crate) fn start(&mut self, mut pending: PendingCall, call: UpstreamCall, now: UnixSeconds) {
        self.last_flight = self.last_flight.wrapping_add(1);
        pending.flight = self.last_flight;
        let errand = pending.errand();
        let lost = self.under_way.remove(&errand);
        let flight = Flight {
            number: self.last_flight,
            lost_at: now.plus(LOST_AFTER_SECONDS),
            waiting: lost.map(|lost| lost.waiting).unwrap_or_default(),
        };
        self.under_way.insert(errand, flight);
        self.outgoing.push_back((call, pending));
    }

    /// Starts a call that follows from one that has ended, for those who waited for that.
    pub(crate) fn carry_on(
        &mut self,
        pending: PendingCall,
        call: UpstreamCall,
        waiting: Vec<Ticket>,
        now: UnixSeconds,
    ) {
        let errand = pending.errand();
        self.start(pending, call, now);
        if let Some(flight) = self.under_way.get_mut(&errand) {
            flight.waiting.extend(waiting);
        }
    }

    /// Makes one more request wait for a call that is under way.
    pub(crate) fn join(&mut self, errand: &Errand) -> Option<Ticket> {
        let flight = self.under_way.get_mut(errand)?;
        self.last_ticket = self.last_ticket.wrapping_add(1);
        let ticket = Ticket::new(self.last_ticket);
        flight.waiting.push(ticket);
        Some(ticket)
    }

    /// Ends a call, and returns who waited; `None` when it is not under way any more, so that its
    /// outcome says nothing about the present.
    pub(crate) fn finish(&mut self, pending: &PendingCall) -> Option<Vec<Ticket>> {
        let errand = pending.errand();
        let flight = self.under_way.get(&errand)?;
        if flight.number != pending.flight {
            return None;
        }
        self.under_way.remove(&errand).map(|flight| flight.waiting)
    }

    /// Returns the next call to send.
    pub(crate) fn next_call(&mut self) -> Option<(UpstreamCall, PendingCall)> {
        self.outgoing.pop_front()
    }
}
