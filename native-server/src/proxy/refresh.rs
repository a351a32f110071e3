//! Background work that is due by the engine's clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Gate;
use crate::moment::now;

/// Sleeps until the engine has something to do, for ever.
pub(crate) async fn refresh(gate: Arc<Gate>) {
    loop {
        let due_changed = gate.due_changed.notified();
        let Some(due) = gate.tick() else {
            due_changed.await;
            continue;
        };
        // The clock has whole seconds, and an engine whose due time stays in the past must not
        // keep a core busy.
        let pause = Duration::from_secs(due.since(now()).max(1));
        tokio::select! {
            () = sleep(pause) => {}
            () = due_changed => {}
        }
    }
}
