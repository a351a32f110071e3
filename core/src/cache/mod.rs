//! Bounded memory of what calls brought.

mod expiring;
mod freshness;
mod key_set;

pub(crate) use expiring::ExpiringMap;
pub(crate) use key_set::{KeySet, KeySetState};
