//! The threads that serve connections, one for each core.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, available_parallelism};

use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::connection::{self, Accepted};
use super::pool::Pool;
use super::service::Current;
use crate::telemetry::{Shard, Telemetry};

/// All workers. A connection stays with the one that it was given to, and so does what its
/// requests need of the protected resource: the cores meet in the engine only.
pub(super) struct Workers {
    all: Vec<Worker>,
    current: Arc<Current>,
}

struct Worker {
    shard: Arc<Shard>,
    place: Place,
}

enum Place {
    /// The thread that accepts.
    Here(Arc<Pool>),
    /// A thread of its own, which ends when the sender goes.
    There(
        UnboundedSender<(std::net::TcpStream, Accepted)>,
        JoinHandle<()>,
    ),
}

impl Workers {
    /// Starts one for each core that this process may use; the first is the calling thread.
    ///
    /// # Errors
    ///
    /// Fails when the system has no room for them.
    pub(super) fn start(current: Arc<Current>, telemetry: &Telemetry) -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let here = Worker {
            shard: telemetry.new_shard(),
            place: Place::Here(Arc::default()),
        };
        let mut all = vec![here];
        for _ in 1..cores {
            all.push(Worker {
                shard: telemetry.new_shard(),
                place: start_thread(Arc::clone(&current))?,
            });
        }
        Ok(Self { all, current })
    }

    /// Gives a connection to the worker that has fewest, the first of several: what is done one
    /// after the other then finds the connections of the last time.
    ///
    /// # Errors
    ///
    /// Fails when the connection cannot be handed over; it is closed then.
    pub(super) fn give(
        &self,
        stream: TcpStream,
        accept: impl FnOnce(&Arc<Shard>) -> Accepted,
    ) -> io::Result<()> {
        let Some(worker) = self.all.iter().min_by_key(|worker| worker.shard.open()) else {
            return Ok(());
        };
        let accepted = accept(&worker.shard);
        match &worker.place {
            Place::Here(pool) => spawn(&self.current, pool, stream, accepted),
            Place::There(sender, _) => {
                let moved = sender.send((stream.into_std()?, accepted));
                moved.map_err(|_| io::ErrorKind::BrokenPipe)?;
            }
        }
        Ok(())
    }

    /// Ends the threads, and with them the connections that are still open.
    pub(super) fn stop(self) {
        for worker in self.all {
            if let Place::There(sender, thread) = worker.place {
                drop(sender);
                // A thread that panicked has ended, too.
                drop(thread.join());
            }
        }
    }
}

fn start_thread(current: Arc<Current>) -> io::Result<Place> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (sender, receiver) = unbounded_channel();
    let thread = Builder::new().name("worker".into()).spawn(move || {
        runtime.block_on(work(current, receiver));
        // Looking a name up cannot be broken off, and nobody waits for the result.
        runtime.shutdown_background();
    })?;
    Ok(Place::There(sender, thread))
}

async fn work(
    current: Arc<Current>,
    mut receiver: UnboundedReceiver<(std::net::TcpStream, Accepted)>,
) {
    let pool = Arc::default();
    while let Some((stream, accepted)) = receiver.recv().await {
        match TcpStream::from_std(stream) {
            Ok(stream) => spawn(&current, &pool, stream, accepted),
            Err(error) => tracing::warn!(%error, "cannot serve a connection"),
        }
    }
}

fn spawn(current: &Arc<Current>, pool: &Arc<Pool>, stream: TcpStream, accepted: Accepted) {
    let (current, pool) = (Arc::clone(current), Arc::clone(pool));
    tokio::spawn(connection::serve(current, pool, stream, accepted));
}
