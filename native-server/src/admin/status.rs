//! What the page shows, as JSON.

use std::time::SystemTime;

use portcullis_core::UnixSeconds;
use serde_json::{Value, json};

use super::activity;
use crate::proxy::Current;
use crate::telemetry::{BOUNDS, IssuerKeys, KeyUse, Telemetry, seconds};

/// Returns all of it.
pub(super) fn status(telemetry: &Telemetry, current: &Current) -> Value {
    let (summary, present) = (current.summary(), current.present());
    let settings = summary
        .settings
        .iter()
        .map(|shown| json!({ "name": shown.name, "value": shown.value, "source": shown.source }));
    let cache = present.engine.cache.map(|cache| {
        json!({
            "entries": cache.entries,
            "capacity": cache.capacity,
            "hits": cache.hits,
            "misses": cache.misses,
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "now": seconds(SystemTime::now()),
        "started": telemetry.started(),
        "gateway": if summary.is_loopback { "loopback" } else { "native" },
        "listen": summary.listen,
        "upstream": summary.upstream,
        "mode": { "name": summary.mode, "why": summary.why },
        "warnings": summary.warnings,
        "settings": settings.collect::<Vec<_>>(),
        "totals": totals(telemetry),
        "activity": activity::recent(telemetry),
        "refusals": activity::refusals(telemetry),
        "decision_seconds": times(telemetry),
        "cache": cache,
        "calls": calls(telemetry),
        "waiting": present.waiting,
        "keys": current.issuer_keys().as_ref().map(issuer_keys),
        "api_keys": present.keys.iter().map(api_key).collect::<Vec<_>>(),
    })
}

/// What was decided since the start, whatever the mode then was.
fn totals(telemetry: &Telemetry) -> Vec<Value> {
    let mut totals: Vec<(&str, &str, u64)> = Vec::new();
    for (cell, count) in telemetry.decisions().all() {
        let (outcome, reason) = (cell.outcome.name(), cell.reason.name());
        let known = totals
            .iter_mut()
            .find(|total| (total.0, total.1) == (outcome, reason));
        match known {
            Some(total) => total.2 = total.2.saturating_add(count),
            None => totals.push((outcome, reason, count)),
        }
    }
    let total =
        |(outcome, reason, count)| json!({ "outcome": outcome, "reason": reason, "count": count });
    totals.into_iter().map(total).collect()
}

/// How many decisions took at most each time, and longer than the one before; the last has none.
fn times(telemetry: &Telemetry) -> Vec<Value> {
    let counts = telemetry.times(|shard| &shard.waits).counts();
    let bounds = BOUNDS.iter().map(|bound| Some(bound.as_secs_f64()));
    let bounds = bounds.chain([None]);
    let bucket = |(bound, count)| json!({ "at_most": bound, "count": count });
    bounds.zip(counts).map(bucket).collect()
}

fn calls(telemetry: &Telemetry) -> Vec<Value> {
    let calls = telemetry.call_outcomes().into_iter();
    let call = |(outcome, count)| json!({ "outcome": outcome, "count": count });
    calls.map(call).collect()
}

fn issuer_keys(keys: &IssuerKeys) -> Value {
    let each = keys
        .keys
        .iter()
        .map(|key| json!({ "kid": key.kid, "kind": key.kind, "algorithm": key.algorithm }));
    json!({
        "fetched": keys.set.fetched.map(|UnixSeconds(at)| at),
        "life_seconds": keys.set.life_seconds,
        "is_failing": keys.set.is_failing,
        "keys": each.collect::<Vec<_>>(),
        "jwks": keys.jwks,
    })
}

fn api_key(key: &KeyUse) -> Value {
    json!({
        "name": key.name,
        "last_used": key.last_used.map(|UnixSeconds(at)| at),
        "expires": key.expires.map(|UnixSeconds(at)| at),
    })
}
