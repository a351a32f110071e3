//! Times in fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets: from a microsecond, in which a warm decision is made, to ten
/// seconds, after which a call is given up.
pub(crate) const BOUNDS: [Duration; 21] = [
    Duration::from_micros(1),
    Duration::from_nanos(2_500),
    Duration::from_micros(5),
    Duration::from_micros(10),
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(10),
];

/// One bucket for each bound, and one for what is longer.
pub(crate) const BUCKETS: usize = BOUNDS.len() + 1;

/// Counts times.
#[derive(Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    nanoseconds: AtomicU64,
}

impl Histogram {
    /// Counts one.
    pub(crate) fn note(&self, took: Duration) {
        let bucket = BOUNDS.partition_point(|bound| *bound < took);
        if let Some(count) = self.buckets.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Adds what another has counted.
    pub(super) fn add(&self, other: &Self) {
        for (sum, count) in self.buckets.iter().zip(&other.buckets) {
            sum.fetch_add(count.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let nanoseconds = other.nanoseconds.load(Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Returns the count of each bucket.
    pub(crate) fn counts(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|bucket| {
            let count = self.buckets.get(bucket);
            count.map_or(0, |count| count.load(Ordering::Relaxed))
        })
    }

    /// Returns the sum of all times.
    pub(crate) fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }
}

/// Returns the time that `share` of those in `counts` did not take longer than, by the bound of
/// their bucket; `None` where there are none.
pub(crate) fn quantile(counts: &[u64; BUCKETS], share: f64) -> Option<Duration> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let mut wanted = share_of(total, share);
    for (count, bound) in counts.iter().zip(&BOUNDS) {
        if wanted <= *count {
            return Some(*bound);
        }
        wanted = wanted.saturating_sub(*count);
    }
    BOUNDS.last().copied()
}

/// Returns how many are `share` of `total`, at least one.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share between 0 and 1 of a count, where the last digits do not matter"
)]
fn share_of(total: u64, share: f64) -> u64 {
    ((total as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for micros in [0, 1, 2, 3, 20_000_000] {
            histogram.note(Duration::from_micros(micros));
        }
        let counts = histogram.counts();
        assert_eq!(counts[..3], [2, 1, 1]);
        assert_eq!(counts[BUCKETS - 1], 1);
        assert_eq!(histogram.sum(), Duration::from_micros(20_000_006));
    }

    #[test]
    fn quantiles_are_bounds_of_buckets() {
        let histogram = Histogram::default();
        assert_eq!(quantile(&histogram.counts(), 0.5), None);
        for _ in 0..99 {
            histogram.note(Duration::from_micros(30));
        }
        histogram.note(Duration::from_millis(200));
        let at = |share| quantile(&histogram.counts(), share);
        assert_eq!(at(0.5), Some(Duration::from_micros(50)));
        assert_eq!(at(0.99), Some(Duration::from_micros(50)));
        assert_eq!(at(1.0), Some(Duration::from_millis(250)));
    }
}
