//! Counts refusals, which single log entries tell of at debug level only.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

const INTERVAL: Duration = Duration::from_secs(60);

/// Refusals by reason since the last report. The reasons are fixed words, so the map stays small.
#[derive(Default)]
pub(crate) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// Counts one refusal.
    pub(super) fn count(&self, reason: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// Logs what was counted, if anything, and begins anew.
    pub(crate) fn report(&self) {
        if let Some(refusals) = self.take() {
            tracing::info!(refusals, "requests refused");
        }
    }

    /// Reports every minute, for ever.
    pub(crate) async fn report_regularly(&self) {
        loop {
            sleep(INTERVAL).await;
            self.report();
        }
    }

    fn take(&self) -> Option<String> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let words: Vec<_> = counts
            .iter()
            .map(|(reason, count)| format!("{reason}={count}"))
            .collect();
        (!words.is_empty()).then(|| words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_report_begins_anew() {
        let tally = Tally::default();
        assert_eq!(tally.take(), None);
        for reason in ["wrong_api_key", "expired", "wrong_api_key"] {
            tally.count(reason);
        }
        assert_eq!(tally.take().as_deref(), Some("expired=1 wrong_api_key=2"));
        assert_eq!(tally.take(), None);
    }
}
