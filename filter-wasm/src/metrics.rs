//! Counters of the host.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

/// Counters, each defined when it is first needed. Names are made of fixed words only, as Envoy
/// keeps every name for ever. Labels are written `.label.value`, which `stats_tags` of a bootstrap
/// can cut out and which reads well without.
#[derive(Default)]
pub(crate) struct Metrics {
    mode: String,
    counters: RefCell<BTreeMap<(Kind, &'static str), u32>>,
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Forward,
    Respond,
    Call,
}

impl Metrics {
    /// Makes the counters of a gate in `mode`.
    pub(crate) fn new(mode: &str) -> Self {
        Self {
            mode: word(mode),
            counters: RefCell::default(),
        }
    }

    /// Counts a request that was passed on.
    pub(crate) fn count_forward(&self, reason: &'static str) {
        self.count(Kind::Forward, reason);
    }

    /// Counts a request that was answered here.
    pub(crate) fn count_respond(&self, reason: &'static str) {
        self.count(Kind::Respond, reason);
    }

    /// Counts a call by its outcome.
    pub(crate) fn count_call(&self, outcome: &'static str) {
        self.count(Kind::Call, outcome);
    }

    fn count(&self, kind: Kind, reason: &'static str) {
        let mut counters = self.counters.borrow_mut();
        let id = *counters.entry((kind, reason)).or_insert_with(|| {
            let name = name(kind, &self.mode, reason);
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

fn name(kind: Kind, mode: &str, reason: &str) -> String {
    let (counter, outcome) = match kind {
        Kind::Forward => ("decisions", "forward"),
        Kind::Respond => ("decisions", "respond"),
        Kind::Call => {
            return format!(
                "portcullis_calls_total.mode.{mode}.outcome.{}",
                word(reason)
            );
        }
    };
    let reason = word(reason);
    format!("portcullis_{counter}_total.mode.{mode}.outcome.{outcome}.reason.{reason}")
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
        assert_eq!(
            name(Kind::Respond, &word("api-key"), "missing"),
            "portcullis_decisions_total.mode.api_key.outcome.respond.reason.missing"
        );
        assert_eq!(
            name(Kind::Call, "jwt", "timed_out"),
            "portcullis_calls_total.mode.jwt.outcome.timed_out"
        );
    }
}
