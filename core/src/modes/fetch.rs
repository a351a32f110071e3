//! When the keys of an issuer are fetched.

use crate::ambient::UnixSeconds;
use crate::cache::KeySet;
use crate::flights::{Errand, Flights};
use crate::step::PendingCall;

/// Sees to it that a fetch is under way, if one is allowed.
pub(crate) fn fetch(keys: &mut KeySet, flights: &mut Flights, now: UnixSeconds) -> bool {
    if flights.is_under_way(&Errand::Jwks, now) {
        return true;
    }
    let allowed = keys.may_fetch(now) && flights.has_room(now);
    if allowed {
        let (underway, call) = keys.start_fetch_for_request(now);
        flights.start(PendingCall::new(underway), call, now);
    }
    allowed
}

/// Begins a fetch in the background if one is due.
pub(crate) fn refresh(keys: &mut KeySet, flights: &mut Flights, now: UnixSeconds) {
    let due = keys.next_refresh().is_some_and(|due| due <= now);
    if due && !flights.is_under_way(&Errand::Jwks, now) {
        let (underway, call) = keys.start_fetch(now);
        flights.start(PendingCall::new(underway), call, now);
    }
}
