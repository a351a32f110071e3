//! Bounded memory of what calls brought.

mod expiring;
mod freshness;
mod key_set;
mod keys_finding;
mod pool;
mod provider;

/// How often what is remembered decided a request, and how often it did not.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

impl Lookups {
    /// Returns how `map` served.
    pub(crate) fn facts<K: Key, V>(&self, map: &ExpiringMap<K, V>) -> CacheFacts {
        CacheFacts {
            entries: map.len(),
            capacity: map.capacity(),
            hits: self.hits,
            misses: self.misses,
        }
    }

    /// Counts a hit, or a miss.
    pub(crate) const fn note(&mut self, hit: bool) {
        if hit {
            self.hits = self.hits.wrapping_add(1);
        } else {
            self.misses = self.misses.wrapping_add(1);
        }
    }
}

/// How far clocks of threads may differ, in seconds. What is further ahead of the present than this
/// was written before the clock was set back.
pub(crate) const CLOCK_SLACK: u64 = 60;

use expiring::Key;

use crate::observation::CacheFacts;

pub(crate) use expiring::ExpiringMap;
pub(crate) use freshness::{DEFAULT_SECONDS, freshness_seconds};
pub(crate) use key_set::{KeySet, KeySetState};
pub(crate) use keys_finding::KeysFinding;
pub(crate) use pool::{Common, Pool};
pub(crate) use provider::{Described, ProviderFinding, issuer_of};
