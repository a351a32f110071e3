//! The budget for attempts, and who keeps it.

use alloc::collections::BTreeMap;

use super::{RetryAfter, Source, Window};
use crate::ambient::UnixSeconds;

/// How many wrong secrets the authorization server may be asked about in any minute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AttemptLimits {
    /// From one source.
    pub per_source: u16,
    /// In all.
    pub in_all: u16,
}

impl AttemptLimits {
    /// Returns how much of the whole budget a source may see used: its last quarter is for those
    /// who have used nothing, so that a few who guess leave room for a right credential.
    #[must_use]
    pub const fn in_all_for(self, first: bool) -> u16 {
        if first {
            self.in_all
        } else {
            self.in_all.saturating_sub(self.in_all / 4)
        }
    }
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self {
            per_source: 30,
            in_all: 300,
        }
    }
}

/// An attempt under way.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Who makes it.
    pub source: Source,
    /// The slice of the source's window, and of the window of all, that it was taken from.
    pub slices: (u64, u64),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AttemptEnd {
    /// The authorization server refused the credential.
    Wrong,
    /// It accepted it, or said nothing of it: the budget is given back.
    Spared,
}

/// Keeps the budget. Engines that share one ledger share its budget.
pub trait AttemptLedger {
    /// Reserves an attempt. One that is never ended counts as if it were wrong.
    ///
    /// # Errors
    ///
    /// Says when there is room again.
    fn reserve(&mut self, source: Source, now: UnixSeconds) -> Result<Attempt, RetryAfter>;

    /// Ends an attempt.
    fn end(&mut self, attempt: &Attempt, end: AttemptEnd, now: UnixSeconds);
}

/// The ledger of one engine, or of several behind a lock.
///
/// It remembers no more sources than [`AttemptLimits::in_all`]: each of them has an attempt of
/// the last minute.
#[derive(Clone, Debug, Default)]
pub struct AttemptBudget {
    limits: AttemptLimits,
    sources: BTreeMap<Source, Window>,
    all: Window,
}

impl AttemptBudget {
    /// Makes a budget of which nothing is used.
    #[must_use]
    pub fn new(limits: AttemptLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }
}

impl AttemptLedger for AttemptBudget {
    fn reserve(&mut self, source: Source, now: UnixSeconds) -> Result<Attempt, RetryAfter> {
        let mut own = self.sources.get(&source).copied().unwrap_or_default();
        own.advance(now);
        own.check(self.limits.per_source, now)?;
        self.all.advance(now);
        let in_all = self.limits.in_all_for(own.is_empty());
        self.all.check(in_all, now)?;
        let slices = (own.take(), self.all.take());
        if self.sources.len() >= usize::from(self.limits.in_all) {
            self.sources.retain(|_, window| {
                window.advance(now);
                !window.is_empty()
            });
        }
        self.sources.insert(source, own);
        Ok(Attempt { source, slices })
    }

    fn end(&mut self, attempt: &Attempt, end: AttemptEnd, now: UnixSeconds) {
        let (own_slice, all_slice) = attempt.slices;
        self.all.advance(now);
        let own = self.sources.get_mut(&attempt.source);
        match end {
            AttemptEnd::Wrong => {
                self.all.note_wrong(all_slice);
                if let Some(own) = own {
                    own.note_wrong(own_slice);
                }
            }
            AttemptEnd::Spared => {
                self.all.give_back(all_slice);
                if let Some(own) = own {
                    own.give_back(own_slice);
                    if own.is_empty() {
                        self.sources.remove(&attempt.source);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
    const LIMITS: AttemptLimits = AttemptLimits {
        per_source: 3,
        in_all: 8,
    };

    fn guess(budget: &mut AttemptBudget, source: u32, now: UnixSeconds) -> bool {
        let attempt = budget.reserve(Source::V4(source), now);
        if let Ok(attempt) = &attempt {
            budget.end(attempt, AttemptEnd::Wrong, now);
        }
        attempt.is_ok()
    }

    #[test]
    fn one_source_cannot_use_up_the_budget_of_the_others() {
        let mut budget = AttemptBudget::new(LIMITS);
        let guesses = (0..100).filter(|_| guess(&mut budget, 1, NOW)).count();
        assert_eq!(guesses, 3);
        assert!(guess(&mut budget, 2, NOW));
    }

    #[test]
    fn the_last_quarter_is_for_those_who_have_used_nothing() {
        let mut budget = AttemptBudget::new(LIMITS);
        let many = (0..100).filter(|number| guess(&mut budget, number % 3, NOW));
        assert_eq!(many.count(), 6);
        let newcomers = (10..100).filter(|number| guess(&mut budget, *number, NOW));
        assert_eq!(newcomers.count(), 2);
        assert!(guess(&mut budget, 1, NOW.plus(70)));
    }

    #[test]
    fn attempts_that_are_spared_use_up_nothing() {
        let mut budget = AttemptBudget::new(LIMITS);
        for number in 0..1000 {
            let attempt = budget.reserve(Source::V4(number % 5), NOW).unwrap();
            budget.end(&attempt, AttemptEnd::Spared, NOW);
        }
        assert!(budget.sources.is_empty());
        assert_eq!(budget.all.check(1, NOW), Ok(()));
    }

    #[test]
    fn attempts_under_way_count() {
        let mut budget = AttemptBudget::new(LIMITS);
        let under_way: Vec<_> = (0..100)
            .filter_map(|_| budget.reserve(Source::Unknown, NOW).ok())
            .collect();
        assert_eq!(under_way.len(), 3);
        let wait = budget.reserve(Source::Unknown, NOW).unwrap_err();
        assert_eq!(wait, RetryAfter(1));
        budget.end(&under_way[0], AttemptEnd::Spared, NOW);
        assert!(budget.reserve(Source::Unknown, NOW).is_ok());
    }

    #[test]
    fn no_more_sources_are_remembered_than_the_budget_has_attempts() {
        let mut budget = AttemptBudget::new(LIMITS);
        for number in 0..10_000 {
            let now = NOW.plus(u64::from(number / 10));
            guess(&mut budget, number, now);
            assert!(budget.sources.len() <= 8);
        }
    }
}
