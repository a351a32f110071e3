//! What the host knows and the core may not ask for: the time.

/// A point in time, in whole seconds since 1970-01-01T00:00:00Z (RFC 7519 `NumericDate`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// Returns the time `seconds` later, or the last representable time.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Returns the seconds from `earlier` to `self`, zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The surroundings of one engine call, read by the host right before it.
#[derive(Clone, Copy, Debug)]
pub struct Ambient {
    /// Wall clock.
    pub now: UnixSeconds,
}
