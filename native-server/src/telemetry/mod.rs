//! What the program tells of itself: counters and times, what was lately, what was refused.
//!
//! Requests count in the shard of their worker, so that cores do not pass counters around; who
//! asks for the figures adds the shards up.

mod decisions;
mod exposition;
mod families;
mod histogram;
mod history;
mod process;
mod refusals;
mod shard;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portcullis_core::config::ModeName;
use portcullis_core::{CallOutcome, Outcome, Reason, call_outcome_name};

use crate::audit::AuditLog;
use crate::trace::Tracer;

pub(crate) use decisions::Tallied;
pub(crate) use exposition::CONTENT_TYPE;
pub(crate) use families::{IssuerKeys, KeyUse, Present, render};
pub(crate) use histogram::{BOUNDS, Histogram, quantile};
pub(crate) use history::{History, SAMPLE_SECONDS};
pub(crate) use refusals::{Refusal, Refusals};
pub(crate) use shard::Shard;

/// What may come of a call, in the words of [`call_outcome_name`].
const CALL_OUTCOMES: [&str; 7] = [
    "response",
    "server_error",
    "not_sent",
    "unreachable",
    "timed_out",
    "cut",
    "too_large",
];

/// Everything that is counted and kept, for as long as the process lives.
pub(crate) struct Telemetry {
    started: SystemTime,
    shards: Mutex<Vec<Arc<Shard>>>,
    calls: [[AtomicU64; CALL_OUTCOMES.len()]; ModeName::ALL.len()],
    call_times: Histogram,
    forward_failures: Mutex<Vec<(Reason, u64)>>,
    reloads: Reloads,
    history: Mutex<History>,
    refusals: Refusals,
    /// Takes a record of each decision.
    pub(crate) audit: Option<AuditLog>,
    /// Takes spans.
    pub(crate) tracer: Option<Tracer>,
}

/// How changed settings were received.
#[derive(Default)]
struct Reloads {
    good: AtomicU64,
    refused: AtomicU64,
    /// The time of the last good one, the start included, in seconds since 1970.
    last_good: AtomicU64,
    /// Whether the last one was refused.
    is_refused: AtomicU64,
}

impl Telemetry {
    /// Begins counting; refusals are kept to be looked at where `keeps_refusals`.
    pub(crate) fn new(
        keeps_refusals: bool,
        audit: Option<AuditLog>,
        tracer: Option<Tracer>,
    ) -> Arc<Self> {
        let telemetry = Self {
            started: SystemTime::now(),
            shards: Mutex::default(),
            calls: Default::default(),
            call_times: Histogram::default(),
            forward_failures: Mutex::default(),
            reloads: Reloads::default(),
            history: Mutex::default(),
            refusals: Refusals::new(keeps_refusals),
            audit,
            tracer,
        };
        let now = seconds(telemetry.started);
        telemetry.reloads.last_good.store(now, Ordering::Relaxed);
        Arc::new(telemetry)
    }

    /// Makes the counters of one more worker.
    pub(crate) fn new_shard(&self) -> Arc<Shard> {
        let shard = Arc::new(Shard::default());
        lock(&self.shards).push(Arc::clone(&shard));
        shard
    }

    /// Counts a call and how long it took.
    pub(crate) fn count_call(&self, mode: ModeName, outcome: &CallOutcome, took: Duration) {
        let name = call_outcome_name(outcome);
        let place = CALL_OUTCOMES.iter().position(|word| *word == name);
        let row = self.calls.get(mode.index());
        if let Some(count) = row.zip(place).and_then(|(row, place)| row.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.call_times.note(took);
    }

    /// Returns what came of calls, those of every mode together.
    pub(crate) fn call_outcomes(&self) -> Vec<(&'static str, u64)> {
        let sum = |place: usize| {
            let counts = self.calls.iter().filter_map(|row| row.get(place));
            counts.map(|count| count.load(Ordering::Relaxed)).sum()
        };
        let names = CALL_OUTCOMES.iter().enumerate();
        let counts = names.map(|(place, name)| (*name, sum(place)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Returns when the process started, in seconds since 1970.
    pub(crate) fn started(&self) -> u64 {
        seconds(self.started)
    }

    /// Counts a request that was allowed and could not be carried out.
    pub(crate) fn count_forward_failure(&self, reason: Reason) {
        let mut failures = lock(&self.forward_failures);
        match failures.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => failures.push((reason, 1)),
        }
    }

    /// Counts settings that were put in force after the start, or refused.
    pub(crate) fn count_reload(&self, good: bool) {
        if good {
            let now = seconds(SystemTime::now());
            self.reloads.last_good.store(now, Ordering::Relaxed);
            self.reloads.good.fetch_add(1, Ordering::Relaxed);
        } else {
            self.reloads.refused.fetch_add(1, Ordering::Relaxed);
        }
        let refused = u64::from(!good);
        self.reloads.is_refused.store(refused, Ordering::Relaxed);
    }

    /// Returns the refusals that are kept.
    pub(crate) const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Returns what was decided since the start, by mode, outcome and reason.
    pub(crate) fn decisions(&self) -> Tallied {
        let mut all = Tallied::default();
        for shard in lock(&self.shards).iter() {
            all.add(&shard.decisions);
        }
        all
    }

    /// Returns the times of all workers that `which` names.
    pub(crate) fn times(&self, which: impl Fn(&Shard) -> &Histogram) -> Histogram {
        let all = Histogram::default();
        for shard in lock(&self.shards).iter() {
            all.add(which(shard));
        }
        all
    }

    /// Returns how many connections are open, and how many ever were.
    pub(crate) fn connections(&self) -> (usize, u64) {
        let shards = lock(&self.shards);
        let open = shards.iter().map(|shard| shard.open()).sum();
        (open, shards.iter().map(|shard| shard.accepted()).sum())
    }

    /// Returns what was lately, the oldest first.
    pub(crate) fn history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&lock(&self.history))
    }

    /// Samples the figures every few seconds, and logs every minute what was refused, for ever.
    pub(crate) async fn keep_up(&self) {
        let mut ticks = tokio::time::interval(Duration::from_secs(SAMPLE_SECONDS));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut reported = Tallied::default();
        for tick in 0_u64.. {
            ticks.tick().await;
            let decisions = self.decisions();
            if tick % (60 / SAMPLE_SECONDS) == 0 {
                report(&decisions, &reported);
                reported = decisions.clone();
            }
            let times = self.times(|shard| &shard.requests);
            let now = seconds(SystemTime::now());
            lock(&self.history).note(now, decisions, &times);
        }
    }

    /// Logs all that was refused since the start, for the end.
    pub(crate) fn report(&self) {
        report(&self.decisions(), &Tallied::default());
    }
}

/// Logs what was refused since `before`, if anything.
fn report(now: &Tallied, before: &Tallied) {
    let mut words = Vec::new();
    for (cell, count) in now.since(before) {
        if matches!(cell.outcome, Outcome::Refused | Outcome::Failed) {
            words.push(format!("{}={count}", cell.reason));
        }
    }
    if !words.is_empty() {
        let refusals = words.join(" ");
        tracing::info!(refusals, "requests refused");
    }
}

/// Returns whole seconds since 1970; a clock before that counts as 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Locks, also after a panic: what the locks guard is whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
