//! The place of a connection among those that may be open.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::telemetry::Shard;

/// A place that is taken; dropping it frees it.
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    shard: Arc<Shard>,
}

impl Slot {
    /// Takes a place, at the worker that counts in `shard`.
    pub(super) fn new(permit: OwnedSemaphorePermit, shard: &Arc<Shard>) -> Self {
        shard.begin_connection();
        Self {
            _permit: permit,
            shard: Arc::clone(shard),
        }
    }

    /// Returns where the worker counts.
    pub(super) fn shard(&self) -> &Shard {
        &self.shard
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shard.end_connection();
    }
}
