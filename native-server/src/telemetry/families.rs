//! Every metric of the native proxy. Those that the filter has too are called the same there, but
//! for the unit of times: Envoy's histograms hold whole numbers.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use portcullis_core::config::ModeName;
use portcullis_core::modes::ApiKeyStatus;
use portcullis_core::{KeyFacts, KeySetFacts, Observation, UnixSeconds};

use super::exposition::{Kind, Page};
use super::process::ProcessFacts;
use crate::audit::AuditLog;
use crate::trace::Tracer;

use super::{CALL_OUTCOMES, Telemetry, lock, seconds};

/// What is not counted but looked at when somebody asks.
pub(crate) struct Present {
    /// The mode in force.
    pub(crate) mode: ModeName,
    /// What the engine in force knows.
    pub(crate) engine: Observation,
    /// Requests that wait for a call.
    pub(crate) waiting: usize,
    /// The API keys of a set.
    pub(crate) keys: Vec<KeyUse>,
}

/// The keys of an issuer, to be looked at.
pub(crate) struct IssuerKeys {
    /// How the set is.
    pub(crate) set: KeySetFacts,
    /// What each key is.
    pub(crate) keys: Vec<KeyFacts>,
    /// The set as a document, once it was fetched.
    pub(crate) jwks: Option<String>,
}

/// One named API key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyUse {
    /// Its name.
    pub(crate) name: String,
    /// When it was last used, as far as this process knows.
    pub(crate) last_used: Option<UnixSeconds>,
    /// When it ends.
    pub(crate) expires: Option<UnixSeconds>,
}

impl KeyUse {
    /// Tells of the keys by their names: one that is being changed has two for a while, of which
    /// the later end counts.
    pub(crate) fn by_name<'a>(keys: impl Iterator<Item = ApiKeyStatus<'a>>) -> Vec<Self> {
        let mut all: BTreeMap<&str, ApiKeyStatus<'a>> = BTreeMap::new();
        for key in keys {
            let known = all.entry(key.name).or_insert(key);
            known.last_used = known.last_used.max(key.last_used);
            // A key without an end outlasts every other.
            let ends = known.expires.zip(key.expires);
            known.expires = ends.map(|(one, other)| one.max(other));
        }
        let owned = |key: ApiKeyStatus<'_>| Self {
            name: key.name.to_owned(),
            last_used: key.last_used,
            expires: key.expires,
        };
        all.into_values().map(owned).collect()
    }
}

/// Writes everything in the text format of Prometheus.
pub(crate) fn render(telemetry: &Telemetry, present: &Present) -> String {
    let mut page = Page::default();
    program(&mut page, telemetry, present);
    decisions(&mut page, telemetry);
    times(&mut page, telemetry);
    calls(&mut page, telemetry);
    cache(&mut page, present);
    issuer_keys(&mut page, present);
    api_keys(&mut page, present);
    reloads(&mut page, telemetry);
    records(&mut page, telemetry);
    process(&mut page, telemetry);
    page.into_text()
}

fn program(page: &mut Page, telemetry: &Telemetry, present: &Present) {
    let version = env!("CARGO_PKG_VERSION");
    page.family(
        "portcullis_build_info",
        Kind::Gauge,
        "The program, always 1.",
    )
    .sample(&[("version", version), ("host", "native")], 1);
    page.family(
        "portcullis_mode_info",
        Kind::Gauge,
        "The mode in force, always 1.",
    )
    .sample(&[("mode", present.mode.label())], 1);
    let (open, accepted) = telemetry.connections();
    page.family(
        "portcullis_connections",
        Kind::Gauge,
        "Connections of clients that are open.",
    )
    .value(open);
    page.family(
        "portcullis_connections_total",
        Kind::Counter,
        "Connections of clients that were accepted.",
    )
    .value(accepted);
    page.family(
        "portcullis_waiting_requests",
        Kind::Gauge,
        "Requests that wait for a call to an authorization server.",
    )
    .value(present.waiting);
}

fn decisions(page: &mut Page, telemetry: &Telemetry) {
    let help = "Requests that were decided, by what became of them and why.";
    let mut family = page.family("portcullis_decisions_total", Kind::Counter, help);
    for (cell, count) in telemetry.decisions().all() {
        let labels = [
            ("mode", cell.mode.label()),
            ("outcome", cell.outcome.name()),
            ("reason", cell.reason.name()),
        ];
        family.sample(&labels, count);
    }
    let help = "Requests that were allowed and could not be passed on, by reason.";
    let mut family = page.family("portcullis_forward_failures_total", Kind::Counter, help);
    for (reason, count) in lock(&telemetry.forward_failures).iter() {
        family.sample(&[("reason", reason.name())], count);
    }
}

fn times(page: &mut Page, telemetry: &Telemetry) {
    let help = "Time that the engine was at work for a request.";
    page.family("portcullis_engine_seconds", Kind::Histogram, help)
        .times(&telemetry.times(|shard| &shard.engine));
    let help = "Time until a request was decided, calls included.";
    page.family("portcullis_decision_seconds", Kind::Histogram, help)
        .times(&telemetry.times(|shard| &shard.waits));
    let help = "Time until the head of the response, that of the protected resource included.";
    page.family("portcullis_request_seconds", Kind::Histogram, help)
        .times(&telemetry.times(|shard| &shard.requests));
}

fn calls(page: &mut Page, telemetry: &Telemetry) {
    let help = "Calls to authorization servers and probes, by what came of them.";
    let mut family = page.family("portcullis_calls_total", Kind::Counter, help);
    for (mode, counts) in ModeName::ALL.iter().zip(&telemetry.calls) {
        for (outcome, count) in CALL_OUTCOMES.iter().zip(counts) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                family.sample(&[("mode", mode.label()), ("outcome", outcome)], count);
            }
        }
    }
    let help = "Time that a call took.";
    page.family("portcullis_call_seconds", Kind::Histogram, help)
        .times(&telemetry.call_times);
}

fn cache(page: &mut Page, present: &Present) {
    let Some(cache) = present.engine.cache else {
        return;
    };
    page.family(
        "portcullis_cache_entries",
        Kind::Gauge,
        "Credentials that are remembered.",
    )
    .value(cache.entries);
    page.family(
        "portcullis_cache_capacity",
        Kind::Gauge,
        "The most credentials that are.",
    )
    .value(cache.capacity);
    let help = "Requests that were decided by what is remembered.";
    page.family("portcullis_cache_hits_total", Kind::Counter, help)
        .value(cache.hits);
    let help = "Requests whose credential was not remembered.";
    page.family("portcullis_cache_misses_total", Kind::Counter, help)
        .value(cache.misses);
}

fn issuer_keys(page: &mut Page, present: &Present) {
    let Some(keys) = present.engine.keys else {
        return;
    };
    page.family(
        "portcullis_jwks_keys",
        Kind::Gauge,
        "Keys of the issuer that can be used.",
    )
    .value(keys.keys);
    let help = "Whether the last fetch of the keys failed.";
    page.family("portcullis_jwks_failing", Kind::Gauge, help)
        .value(u8::from(keys.is_failing));
    if let Some(fetched) = keys.fetched {
        let help = "When the keys of the issuer were fetched.";
        page.family(
            "portcullis_jwks_fetched_timestamp_seconds",
            Kind::Gauge,
            help,
        )
        .value(fetched.0);
        let help = "Until when they are fresh.";
        page.family(
            "portcullis_jwks_fresh_until_timestamp_seconds",
            Kind::Gauge,
            help,
        )
        .value(fetched.0.saturating_add(keys.life_seconds));
    }
}

fn api_keys(page: &mut Page, present: &Present) {
    let keys = &present.keys;
    let help = "When an API key was last used.";
    let name = "portcullis_api_key_last_used_timestamp_seconds";
    timestamps(page, name, help, keys, |key| key.last_used);
    let help = "When an API key ends.";
    let name = "portcullis_api_key_expires_timestamp_seconds";
    timestamps(page, name, help, keys, |key| key.expires);
}

fn timestamps(
    page: &mut Page,
    name: &'static str,
    help: &str,
    keys: &[KeyUse],
    time: impl Fn(&KeyUse) -> Option<UnixSeconds>,
) {
    let known: Vec<_> = keys
        .iter()
        .filter_map(|key| Some((&key.name, time(key)?)))
        .collect();
    if known.is_empty() {
        return;
    }
    let mut family = page.family(name, Kind::Gauge, help);
    for (key, at) in known {
        family.sample(&[("key", key)], at.0);
    }
}

fn reloads(page: &mut Page, telemetry: &Telemetry) {
    let reloads = &telemetry.reloads;
    let help = "Changed settings, by whether they were put in force.";
    let mut family = page.family("portcullis_reloads_total", Kind::Counter, help);
    family.sample(&[("outcome", "good")], reloads.good.load(Ordering::Relaxed));
    family.sample(
        &[("outcome", "refused")],
        reloads.refused.load(Ordering::Relaxed),
    );
    let help = "Whether the settings that were read last are in force.";
    let refused = reloads.is_refused.load(Ordering::Relaxed);
    page.family("portcullis_last_reload_successful", Kind::Gauge, help)
        .value(1_u64.saturating_sub(refused));
    let help = "When the settings in force were read.";
    page.family("portcullis_settings_timestamp_seconds", Kind::Gauge, help)
        .value(reloads.last_good.load(Ordering::Relaxed));
}

fn records(page: &mut Page, telemetry: &Telemetry) {
    let help = "Audit records, by whether they were written.";
    let mut family = page.family("portcullis_audit_records_total", Kind::Counter, help);
    let counts = telemetry.audit.as_ref().map(AuditLog::counts);
    let written = counts.map_or(0, |counts| counts.written.load(Ordering::Relaxed));
    family.sample(&[("outcome", "written")], written);
    let dropped = counts.map_or(0, |counts| counts.dropped.load(Ordering::Relaxed));
    family.sample(&[("outcome", "dropped")], dropped);
    let help = "Spans that found no room in the queue, or no receiver.";
    page.family("portcullis_spans_dropped_total", Kind::Counter, help)
        .value(telemetry.tracer.as_ref().map_or(0, Tracer::dropped));
}

fn process(page: &mut Page, telemetry: &Telemetry) {
    let facts = ProcessFacts::read();
    let help = "When the process started.";
    page.family("process_start_time_seconds", Kind::Gauge, help)
        .value(seconds(telemetry.started));
    if let Some(cpu) = facts.cpu_seconds {
        let help = "CPU time of the process, user and system.";
        page.family("process_cpu_seconds_total", Kind::Counter, help)
            .value(cpu);
    }
    if let Some(bytes) = facts.resident_bytes {
        let help = "Memory of the process.";
        page.family("process_resident_memory_bytes", Kind::Gauge, help)
            .value(bytes);
    }
    if let Some(open) = facts.open_files {
        page.family("process_open_fds", Kind::Gauge, "Open files and sockets.")
            .value(open);
    }
    if let Some(max) = facts.max_files {
        page.family("process_max_fds", Kind::Gauge, "The most that may be open.")
            .value(max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_name_are_told_of_once() {
        let at = |seconds: Option<u64>| seconds.map(UnixSeconds);
        let check = |keys: &[(Option<u64>, Option<u64>)], last_used, expires| {
            let statuses = keys.iter().map(|(last_used, expires)| ApiKeyStatus {
                name: "ci",
                last_used: at(*last_used),
                expires: at(*expires),
            });
            let told = KeyUse {
                name: "ci".to_owned(),
                last_used: at(last_used),
                expires: at(expires),
            };
            assert_eq!(KeyUse::by_name(statuses), [told]);
        };
        check(&[(Some(5), Some(9))], Some(5), Some(9));
        check(&[(Some(5), Some(9)), (None, Some(7))], Some(5), Some(9));
        check(&[(None, Some(9)), (Some(3), None)], Some(3), None);
        check(&[(None, None), (None, Some(9))], None, None);
    }
}
