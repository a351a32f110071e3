//! The place of a connection among those that may be open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::OwnedSemaphorePermit;

/// A place that is taken; dropping it frees it.
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    load: Load,
}

impl Slot {
    /// Takes a place, at a worker with this load.
    pub(super) fn new(permit: OwnedSemaphorePermit, load: &Load) -> Self {
        load.0.fetch_add(1, Ordering::Relaxed);
        Self {
            _permit: permit,
            load: load.clone(),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.load.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many connections a worker has.
#[derive(Clone, Default)]
pub(super) struct Load(Arc<AtomicUsize>);

impl Load {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
