//! What the host counts for us.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_core::{CacheFacts, Observation, Outcome, Reason};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

/// What is counted.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Counter {
    /// Requests, by what became of them and why.
    Decision(Outcome, Reason),
    /// Calls, by outcome.
    Call(&'static str),
}

/// Counters, each defined when it is first needed. Names are made of fixed words only, as Envoy
/// keeps every name for ever. Labels are written `.label.value`, which `stats_tags` of a bootstrap
/// can cut out and which reads well without.
pub(crate) struct Metrics {
    mode: &'static str,
    ids: RefCell<BTreeMap<Counter, u32>>,
}

impl Metrics {
    /// Makes the counters of a gate in `mode`.
    pub(crate) const fn new(mode: &'static str) -> Self {
        let ids = RefCell::new(BTreeMap::new());
        Self { mode, ids }
    }

    /// Counts one.
    pub(crate) fn count(&self, counter: Counter) {
        let mut ids = self.ids.borrow_mut();
        let id = *ids.entry(counter).or_insert_with(|| {
            let name = name(counter, self.mode);
            hostcalls::define_metric(MetricType::Counter, &name).unwrap_or_default()
        });
        let _ = hostcalls::increment_metric(id, 1);
    }
}

/// What the engine knows, told to the host on each tick where it has changed. A gauge is added up
/// over the workers where each has a part of it.
#[derive(Default)]
pub(crate) struct Told(RefCell<Observation>);

impl Told {
    /// Tells what has changed.
    pub(crate) fn tell(&self, now: Observation) {
        let before = self.0.replace(now);
        let (old, new) = (
            before.cache.unwrap_or_default(),
            now.cache.unwrap_or_default(),
        );
        let entries = |cache: CacheFacts| i64::try_from(cache.entries).unwrap_or_default();
        let more = entries(new).saturating_sub(entries(old));
        add(MetricType::Gauge, "portcullis_cache_entries", more);
        for (name, old, new) in [
            ("portcullis_cache_hits_total", old.hits, new.hits),
            ("portcullis_cache_misses_total", old.misses, new.misses),
        ] {
            let more = i64::try_from(new.saturating_sub(old)).unwrap_or_default();
            add(MetricType::Counter, name, more);
        }
        let failing = |seen: &Observation| i64::from(seen.keys.is_some_and(|keys| keys.is_failing));
        let more = failing(&now).saturating_sub(failing(&before));
        add(MetricType::Gauge, "portcullis_jwks_failing", more);
        if let Some(keys) = now.keys.filter(|_| now.keys != before.keys)
            && let Some(fetched) = keys.fetched
        {
            let count = u64::try_from(keys.keys).unwrap_or_default();
            record(MetricType::Gauge, "portcullis_jwks_keys", count);
            let name = "portcullis_jwks_fetched_timestamp_seconds";
            record(MetricType::Gauge, name, fetched.0);
            let until = fetched.0.saturating_add(keys.life_seconds);
            let name = "portcullis_jwks_fresh_until_timestamp_seconds";
            record(MetricType::Gauge, name, until);
        }
    }
}

impl Drop for Told {
    /// What a worker has forgotten is no part of the sum.
    fn drop(&mut self) {
        self.tell(Observation::default());
    }
}

/// Records how long a call took.
pub(crate) fn record_call(took: Duration) {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    record(
        MetricType::Histogram,
        "portcullis_call_milliseconds",
        millis,
    );
}

/// Records how long the engine took for a request.
pub(crate) fn record_engine(took: Duration) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    record(
        MetricType::Histogram,
        "portcullis_engine_microseconds",
        micros,
    );
}

// What is told rarely is looked up by its name each time: the host gives the same id again.

fn record(kind: MetricType, name: &str, value: u64) {
    if let Ok(id) = hostcalls::define_metric(kind, name) {
        let _ = hostcalls::record_metric(id, value);
    }
}

fn add(kind: MetricType, name: &str, more: i64) {
    // The host refuses to add nothing.
    if more != 0
        && let Ok(id) = hostcalls::define_metric(kind, name)
    {
        let _ = hostcalls::increment_metric(id, more);
    }
}

/// Records how many signature algorithms the host's own library checks.
pub(crate) fn record_host_algorithms(count: usize) {
    let count = u64::try_from(count).unwrap_or_default();
    record(
        MetricType::Gauge,
        "portcullis_host_signature_algorithms",
        count,
    );
}

fn name(counter: Counter, mode: &str) -> String {
    match counter {
        Counter::Decision(outcome, reason) => format!(
            "portcullis_decisions_total.mode.{mode}.outcome.{}.reason.{reason}",
            outcome.name()
        ),
        Counter::Call(outcome) => {
            format!("portcullis_calls_total.mode.{mode}.outcome.{outcome}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_labels() {
        let decision = Counter::Decision(Outcome::Refused, Reason::MissingCredentials);
        assert_eq!(
            name(decision, "api_key"),
            "portcullis_decisions_total.mode.api_key.outcome.refused.reason.missing_credentials"
        );
        assert_eq!(
            name(Counter::Call("timed_out"), "jwt"),
            "portcullis_calls_total.mode.jwt.outcome.timed_out"
        );
    }
}
