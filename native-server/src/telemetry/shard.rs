//! The counters of one worker.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use portcullis_core::config::ModeName;
use portcullis_core::{Outcome, Reason};

use super::decisions::{Cell, Decisions};
use super::histogram::Histogram;

/// What one worker counts; nobody else writes to it.
#[derive(Default)]
pub(crate) struct Shard {
    pub(super) decisions: Decisions,
    /// How long the engine was at work for a request.
    pub(crate) engine: Histogram,
    /// How long a request waited for its decision: the engine, and calls and bodies besides.
    pub(crate) waits: Histogram,
    /// How long a request took until the head of its response.
    pub(crate) requests: Histogram,
    open: AtomicUsize,
    accepted: AtomicU64,
}

impl Shard {
    /// Counts a decision of a gate in `mode`.
    pub(crate) fn count(&self, mode: ModeName, outcome: Outcome, reason: Reason) {
        self.decisions.count(Cell {
            mode,
            outcome,
            reason,
        });
    }

    /// Returns how many connections the worker has.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Returns how many connections the worker was given.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Counts a connection that begins.
    pub(crate) fn begin_connection(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection that ends.
    pub(crate) fn end_connection(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
