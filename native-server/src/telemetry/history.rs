//! The last quarter of an hour.

use std::collections::VecDeque;

use super::decisions::{Cell, Tallied};
use super::histogram::{BUCKETS, Histogram};

/// How far samples are apart, in seconds.
pub(crate) const SAMPLE_SECONDS: u64 = 5;

/// Fifteen minutes.
const MOMENTS: usize = 180;

/// What happened between two samples.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Moment {
    /// Its end, in seconds since 1970.
    pub(crate) at: u64,
    /// What was decided, and how often.
    pub(crate) decisions: Vec<(Cell, u64)>,
    /// How long requests took until the head of their response: the count of each bucket.
    pub(crate) times: [u64; BUCKETS],
}

/// What happened lately, the oldest first.
#[derive(Default)]
pub(crate) struct History {
    moments: VecDeque<Moment>,
    before: Option<(Tallied, [u64; BUCKETS])>,
}

impl History {
    /// Returns what happened, the oldest first.
    pub(crate) fn moments(&self) -> impl Iterator<Item = &Moment> {
        self.moments.iter()
    }

    /// Takes the figures since the start, as they are at `at`.
    pub(super) fn note(&mut self, at: u64, decisions: Tallied, times: &Histogram) {
        let counts = times.counts();
        if let Some((earlier, earlier_counts)) = &self.before {
            let mut times = counts;
            for (count, earlier) in times.iter_mut().zip(earlier_counts) {
                *count = count.saturating_sub(*earlier);
            }
            if self.moments.len() == MOMENTS {
                self.moments.pop_front();
            }
            self.moments.push_back(Moment {
                at,
                decisions: decisions.since(earlier).collect(),
                times,
            });
        }
        self.before = Some((decisions, counts));
    }
}

#[cfg(test)]
mod tests {
    use super::super::shard::Shard;
    use super::*;
    use portcullis_core::config::ModeName;
    use portcullis_core::{Outcome, Reason};
    use std::time::Duration;

    #[test]
    fn a_moment_holds_what_happened_since_the_one_before() {
        let (mut history, shard) = (History::default(), Shard::default());
        let sample = |at, history: &mut History| {
            let mut all = Tallied::default();
            all.add(&shard.decisions);
            history.note(at, all, &shard.requests);
            shard.count(ModeName::None, Outcome::Forwarded, Reason::Allowed);
            shard.requests.note(Duration::from_micros(3));
        };
        for at in 0..200 {
            sample(at, &mut history);
        }
        let moments: Vec<_> = history.moments().collect();
        assert_eq!((moments.len(), moments[0].at), (180, 20));
        for moment in moments {
            assert_eq!(moment.decisions.len(), 1);
            assert_eq!((moment.decisions[0].1, moment.times[2]), (1, 1));
        }
    }
}
