//! The budget for wrong secrets that all workers of a process share.

use portcullis_core::attempts::{
    Attempt, AttemptEnd, AttemptLedger, AttemptLimits, RetryAfter, Source, Window,
};
use portcullis_core::{Digest, UnixSeconds};

use crate::store::{MAX_TRIES, Space, Store};

/// Records of sources. Sources that fall on the same one share its budget, which is rare: with the
/// default limits, no more than ten of these can be used up at a time.
const SLOTS: u16 = 512;

/// A budget in the space that the workers share.
pub(crate) struct SharedAttempts<S> {
    space: Space<S>,
    limits: AttemptLimits,
}

impl<S: Store> SharedAttempts<S> {
    /// Makes the ledger of one worker.
    pub(crate) const fn new(space: Space<S>, limits: AttemptLimits) -> Self {
        Self { space, limits }
    }

    fn own_slot(&self, source: Source) -> String {
        let concealed = self.space.conceal(&source.octets());
        self.space.slot("source", &concealed, SLOTS)
    }

    fn all_slot(&self) -> String {
        self.space.slot("all", &Digest::plain(b""), 1)
    }

    /// Changes a window. Where others keep changing it, the attempt has to wait.
    fn update<T>(
        &self,
        slot: &str,
        now: UnixSeconds,
        change: impl Fn(&mut Window) -> Result<T, RetryAfter>,
    ) -> Result<T, RetryAfter> {
        for _ in 0..MAX_TRIES {
            let (record, stamp) = self.space.store.read(slot).unzip();
            let window = record.and_then(|record| Window::from_octets(&record));
            let mut window = window.unwrap_or_default();
            window.advance(now);
            let result = change(&mut window)?;
            if self.space.store.write(slot, &window.to_octets(), stamp) {
                return Ok(result);
            }
        }
        Err(RetryAfter(1))
    }

    fn give_back(&self, slot: &str, slice: u64, now: UnixSeconds) {
        // Where it cannot be given back it stays used for a minute.
        let _ = self.update(slot, now, |window| {
            window.give_back(slice);
            Ok(())
        });
    }

    fn note_wrong(&self, slot: &str, slice: u64, now: UnixSeconds) {
        // It counts already, as an attempt under way.
        let _ = self.update(slot, now, |window| {
            window.note_wrong(slice);
            Ok(())
        });
    }
}

impl<S: Store> AttemptLedger for SharedAttempts<S> {
    fn reserve(&mut self, source: Source, now: UnixSeconds) -> Result<Attempt, RetryAfter> {
        let slot = self.own_slot(source);
        let (first, own) = self.update(&slot, now, |window| {
            window.check(self.limits.per_source, now)?;
            Ok((window.is_empty(), window.take()))
        })?;
        let all = self.update(&self.all_slot(), now, |window| {
            window.check(self.limits.in_all_for(first), now)?;
            Ok(window.take())
        });
        match all {
            Ok(all) => Ok(Attempt {
                source,
                slices: (own, all),
            }),
            Err(wait) => {
                self.give_back(&slot, own, now);
                Err(wait)
            }
        }
    }

    fn end(&mut self, attempt: &Attempt, end: AttemptEnd, now: UnixSeconds) {
        let (own, all) = attempt.slices;
        let slots = [(self.own_slot(attempt.source), own), (self.all_slot(), all)];
        for (slot, slice) in slots {
            match end {
                AttemptEnd::Wrong => self.note_wrong(&slot, slice, now),
                AttemptEnd::Spared => self.give_back(&slot, slice, now),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{Memory, space};

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
    const LIMITS: AttemptLimits = AttemptLimits {
        per_source: 3,
        in_all: 8,
    };

    fn workers(memory: &Memory) -> [SharedAttempts<Memory>; 4] {
        [(); 4].map(|()| SharedAttempts::new(space(memory), LIMITS))
    }

    fn guess(worker: &mut SharedAttempts<Memory>, source: u32) -> bool {
        let attempt = worker.reserve(Source::V4(source), NOW);
        if let Ok(attempt) = &attempt {
            worker.end(attempt, AttemptEnd::Wrong, NOW);
        }
        attempt.is_ok()
    }

    #[test]
    fn workers_share_the_budget_of_a_source_and_that_of_all() {
        let memory = Memory::default();
        let mut workers = workers(&memory);
        let guesses = (0..40).filter(|number| guess(&mut workers[number % 4], 1));
        assert_eq!(guesses.count(), 3);
        let others = (2..100).filter(|source| guess(&mut workers[0], *source));
        assert_eq!(others.count(), 5, "eight in all");
        assert!(
            memory.records.borrow().len() < 100,
            "refused ones leave no record"
        );
    }

    #[test]
    fn attempts_that_are_spared_use_up_nothing() {
        let memory = Memory::default();
        let mut workers = workers(&memory);
        for number in 0..100 {
            let attempt = workers[number % 4].reserve(Source::Unknown, NOW);
            let attempt = attempt.expect("room");
            workers[(number + 1) % 4].end(&attempt, AttemptEnd::Spared, NOW);
        }
        assert!(guess(&mut workers[0], 1));
    }

    #[test]
    fn there_are_no_more_records_than_slots() {
        let memory = Memory::default();
        let limits = AttemptLimits {
            per_source: 1000,
            in_all: 10_000,
        };
        let mut worker = SharedAttempts::new(space(&memory), limits);
        let guesses = (0..5000).filter(|source| guess(&mut worker, *source));
        assert_eq!(guesses.count(), 5000);
        let most = usize::from(SLOTS) + 2;
        assert!(memory.records.borrow().len() <= most);
    }
}
