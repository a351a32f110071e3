//! What the host counts for us.

use std::cell::RefCell;
use std::collections::BTreeMap;

use portcullis_core::{Outcome, Reason};
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
    mode: String,
    ids: RefCell<BTreeMap<Counter, u32>>,
}

impl Metrics {
    /// Makes the counters of a gate in `mode`.
    pub(crate) fn new(mode: &str) -> Self {
        let (mode, ids) = (word(mode), RefCell::default());
        Self { mode, ids }
    }

    /// Counts one.
    pub(crate) fn count(&self, counter: Counter) {
        let mut ids = self.ids.borrow_mut();
        let id = *ids.entry(counter).or_insert_with(|| {
            let name = name(counter, &self.mode);
            hostcalls::define_metric(MetricType::Counter, &name).unwrap_or_default()
        });
        let _ = hostcalls::increment_metric(id, 1);
    }
}

/// Records how many signature algorithms the host's own library checks.
pub(crate) fn record_host_algorithms(count: usize) {
    let gauge = "portcullis_host_signature_algorithms";
    if let Ok(id) = hostcalls::define_metric(MetricType::Gauge, gauge) {
        let _ = hostcalls::record_metric(id, u64::try_from(count).unwrap_or_default());
    }
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

/// Writes `text` with letters, digits and underscores only, as label values must be.
fn word(text: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_labels() {
        let decision = Counter::Decision(Outcome::Refused, Reason::MissingCredentials);
        assert_eq!(
            name(decision, &word("api-key")),
            "portcullis_decisions_total.mode.api_key.outcome.refused.reason.missing_credentials"
        );
        assert_eq!(
            name(Counter::Call("timed_out"), "jwt"),
            "portcullis_calls_total.mode.jwt.outcome.timed_out"
        );
    }
}
