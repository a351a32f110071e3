//! The budget for wrong secrets that all engines of the process share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_core::UnixSeconds;
use portcullis_core::attempts::{
    Attempt, AttemptBudget, AttemptEnd, AttemptLedger, AttemptLimits, RetryAfter, Source,
};

/// A budget behind a lock; clones share it.
#[derive(Clone)]
pub(crate) struct SharedLedger {
    limits: AttemptLimits,
    budget: Arc<Mutex<AttemptBudget>>,
}

impl SharedLedger {
    /// Makes a budget of which nothing is used.
    pub(crate) fn new(limits: AttemptLimits) -> Self {
        Self {
            limits,
            budget: Arc::new(Mutex::new(AttemptBudget::new(limits))),
        }
    }

    /// Returns a ledger with these limits: this one, with what is used of it, where they are its
    /// own.
    pub(crate) fn under(&self, limits: AttemptLimits) -> Self {
        if self.limits == limits {
            self.clone()
        } else {
            Self::new(limits)
        }
    }

    /// Locks, also after a panic: counts are right or a little too high at every moment.
    fn lock(&self) -> MutexGuard<'_, AttemptBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AttemptLedger for SharedLedger {
    fn reserve(&mut self, source: Source, now: UnixSeconds) -> Result<Attempt, RetryAfter> {
        self.lock().reserve(source, now)
    }

    fn end(&mut self, attempt: &Attempt, end: AttemptEnd, now: UnixSeconds) {
        self.lock().end(attempt, end, now);
    }
}
