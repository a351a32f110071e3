//! What the engine tells of itself.

use alloc::string::String;
use alloc::vec::Vec;

use super::Engine;
use crate::observation::{KeyFacts, Observation};

impl Engine {
    /// Returns what it remembers and fetched.
    #[must_use]
    pub fn observe(&self) -> Observation {
        Observation {
            cache: self.authenticator.cache(),
            keys: self.authenticator.keys().map(|keys| keys.facts()),
        }
    }

    /// Returns how many requests were decided by what was remembered.
    #[must_use]
    pub fn cache_hits(&self) -> u64 {
        self.authenticator.cache().map_or(0, |cache| cache.hits)
    }

    /// Returns the keys of the issuer, for people to look at.
    #[must_use]
    pub fn describe_keys(&self) -> Vec<KeyFacts> {
        let keys = self.authenticator.keys();
        keys.map(|keys| keys.describe()).unwrap_or_default()
    }

    /// Writes the keys of the issuer as a JWKS, where it has some: for whoever is to check the same
    /// signatures elsewhere.
    #[must_use]
    pub fn publish_keys(&self) -> Option<String> {
        self.authenticator.keys()?.publish()
    }
}
