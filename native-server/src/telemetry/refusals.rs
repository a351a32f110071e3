//! What was refused last, for people to look at.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::SystemTime;

use portcullis_core::Reason;

const KEPT: usize = 100;

/// A request that was refused, without a credential and without a query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    /// When.
    pub(crate) at: SystemTime,
    /// Why.
    pub(crate) reason: Reason,
    /// The status of the answer.
    pub(crate) status: u16,
    /// The method.
    pub(crate) method: String,
    /// The path, cut where it is long; what is not ASCII is replaced.
    pub(crate) path: String,
    /// Who asked, by its address; `None` where the proxies in between do not say.
    pub(crate) client: Option<IpAddr>,
}

/// The last refusals, the latest first.
pub(crate) struct Refusals {
    kept: Option<Mutex<VecDeque<Refusal>>>,
}

impl Refusals {
    pub(super) fn new(kept: bool) -> Self {
        Self {
            kept: kept.then(Mutex::default),
        }
    }

    /// Keeps the refusal that `make` tells of, where any are kept. Where many come at once some
    /// are left out: nobody waits here.
    pub(crate) fn keep(&self, make: impl FnOnce() -> Refusal) {
        let Some(kept) = &self.kept else { return };
        let mut kept = match kept.try_lock() {
            Ok(kept) => kept,
            Err(TryLockError::Poisoned(kept)) => kept.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        kept.truncate(KEPT - 1);
        kept.push_front(make());
    }

    /// Returns those that are kept, the latest first.
    pub(crate) fn all(&self) -> Vec<Refusal> {
        let Some(kept) = &self.kept else {
            return Vec::new();
        };
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(number: usize) -> Refusal {
        Refusal {
            at: SystemTime::UNIX_EPOCH,
            reason: Reason::Expired,
            status: 401,
            method: "GET".into(),
            path: format!("/{number}"),
            client: None,
        }
    }

    #[test]
    fn the_last_hundred_are_kept_latest_first() {
        let refusals = Refusals::new(true);
        for number in 0..150 {
            refusals.keep(|| refusal(number));
        }
        let all = refusals.all();
        assert_eq!(
            (all.len(), &*all[0].path, &*all[99].path),
            (100, "/149", "/50")
        );
    }

    #[test]
    fn nothing_is_kept_where_nobody_looks() {
        let refusals = Refusals::new(false);
        refusals.keep(|| panic!("made for nobody"));
        assert_eq!(refusals.all(), []);
    }
}
