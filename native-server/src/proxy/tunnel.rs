//! Joins two upgraded connections.

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::slot::Slot;

/// Copies bytes both ways until one side ends.
pub(super) async fn join(client: OnUpgrade, upstream: OnUpgrade, slot: Arc<Slot>) {
    let (Ok(client), Ok(upstream)) = tokio::join!(client, upstream) else {
        tracing::debug!("upgrade not completed");
        return;
    };
    let mut client = TokioIo::new(client);
    let mut upstream = TokioIo::new(upstream);
    if let Err(error) = copy_bidirectional(&mut client, &mut upstream).await {
        tracing::debug!(%error, "tunnel broke");
    }
    drop(slot);
}
