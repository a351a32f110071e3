//! What happened lately, as JSON.

use portcullis_core::explain::Cause;
use serde_json::{Value, json};

use crate::telemetry::{SAMPLE_SECONDS, Telemetry, quantile, seconds};

/// Returns what was decided in the last quarter of an hour, the oldest first: for each few seconds
/// the counts by outcome and reason, and how long requests took.
pub(super) fn recent(telemetry: &Telemetry) -> Value {
    let moments: Vec<_> = telemetry.history(|history| {
        let moments = history.moments().map(|moment| {
            let decisions = moment.decisions.iter().map(|(cell, count)| {
                json!({
                    "mode": cell.mode.name(),
                    "outcome": cell.outcome.name(),
                    "reason": cell.reason.name(),
                    "count": count,
                })
            });
            let seconds = |share| quantile(&moment.times, share).map(|time| time.as_secs_f64());
            json!({
                "at": moment.at,
                "decisions": decisions.collect::<Vec<_>>(),
                "seconds": { "p50": seconds(0.5), "p95": seconds(0.95), "p99": seconds(0.99) },
            })
        });
        moments.collect()
    });
    json!({ "every_seconds": SAMPLE_SECONDS, "moments": moments })
}

/// Returns what was refused last, the latest first.
pub(super) fn refusals(telemetry: &Telemetry) -> Value {
    let refusals = telemetry.refusals().all();
    let refusals = refusals.iter().map(|refusal| {
        let cause = Cause::of(refusal.reason);
        json!({
            "at": seconds(refusal.at),
            "reason": refusal.reason.name(),
            "cause": cause.map(|cause| cause.cause),
            "remedy": cause.map(|cause| cause.remedy),
            "status": refusal.status,
            "method": refusal.method,
            "path": refusal.path,
            "client": refusal.client.map(|client| client.to_string()),
        })
    });
    Value::Array(refusals.collect())
}
