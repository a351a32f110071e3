//! What an engine knows, for metrics and the people who run it.

use alloc::string::String;

use crate::ambient::UnixSeconds;

/// What an engine remembers and fetched.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Observation {
    /// The credentials that it remembers, where the mode remembers any.
    pub cache: Option<CacheFacts>,
    /// The keys of the issuer, where the mode has one.
    pub keys: Option<KeySetFacts>,
}

/// What a cache of credentials holds, and how it served.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CacheFacts {
    /// Credentials that are remembered, those included whose time has passed since they were last
    /// asked for.
    pub entries: usize,
    /// The most that are.
    pub capacity: usize,
    /// Requests that were decided by what was remembered.
    pub hits: u64,
    /// Requests that were not.
    pub misses: u64,
}

/// How the keys of an issuer are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeySetFacts {
    /// How many can be used.
    pub keys: usize,
    /// When they were fetched, or last found unchanged; `None` before the first time.
    pub fetched: Option<UnixSeconds>,
    /// How long they are fresh from then on, in seconds.
    pub life_seconds: u64,
    /// Whether the last fetch failed.
    pub is_failing: bool,
}

/// One key of an issuer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyFacts {
    /// Its name, as the issuer wrote it.
    pub kid: Option<String>,
    /// Its type and size, such as `RSA 2048`.
    pub kind: &'static str,
    /// The only algorithm it is for, if it says one.
    pub algorithm: Option<&'static str>,
}
