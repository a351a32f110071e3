//! Accepts connections until told to stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout_at};

use super::connection::Accepted;
use super::service::Current;
use super::slot::Slot;
use super::worker::Workers;
use crate::telemetry::Telemetry;

/// How long requests under way may take when the program is told to stop.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `listener` as `current` says, with at most `max_connections` at a time, until `stop`
/// completes; then takes no more connections, and gives those that are open 10 s. Returns when
/// these are over, which may be later.
///
/// # Errors
///
/// Fails when the system has no room for a thread for each core.
pub(crate) async fn serve(
    listener: TcpListener,
    current: Arc<Current>,
    telemetry: &Telemetry,
    max_connections: u32,
    stop: impl Future<Output = ()>,
) -> io::Result<Instant> {
    let workers = Workers::start(current, telemetry)?;
    let slots = usize::try_from(max_connections).unwrap_or(usize::MAX);
    let connections = Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS)));
    let (close, closing) = watch::channel(false);
    let accepting = async {
        loop {
            let Ok(permit) = Arc::clone(&connections).acquire_owned().await else {
                return;
            };
            let (stream, peer) = accept(&listener).await;
            let given = workers.give(stream, |shard| Accepted {
                peer,
                slot: Slot::new(permit, shard),
                closing: closing.clone(),
            });
            if let Err(error) = given {
                tracing::warn!(%error, "cannot serve a connection");
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop(listener);
    tracing::info!("shutting down");
    close.send_replace(true);
    let until = Instant::now() + GRACE;
    // All permits are back when all connections have ended.
    if timeout_at(until, connections.acquire_many(max_connections))
        .await
        .is_err()
    {
        tracing::info!("cutting streams that are still open");
    }
    workers.stop();
    Ok(until)
}

async fn accept(listener: &TcpListener) -> (tokio::net::TcpStream, std::net::SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            // Out of file descriptors or memory: trying again at once would only burn a core.
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
