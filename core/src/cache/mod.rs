//! Bounded memory of what calls brought.

mod expiring;
mod freshness;
mod key_set;
mod keys_finding;
mod pool;
mod provider;

/// How far clocks of threads may differ, in seconds. What is further ahead of the present than this
/// was written before the clock was set back.
pub(crate) const CLOCK_SLACK: u64 = 60;

pub(crate) use expiring::ExpiringMap;
pub(crate) use freshness::{DEFAULT_SECONDS, freshness_seconds};
pub(crate) use key_set::{KeySet, KeySetState};
pub(crate) use keys_finding::KeysFinding;
pub(crate) use pool::Pool;
pub(crate) use provider::{Described, ProviderFinding, issuer_of};
