//! Connections to the protected resource that wait for their next request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::link::Link;
use super::target::Target;

/// Shorter than the 5 s after which usual servers of MCP (uvicorn, Node) close an idle
/// connection, so that a request is not sent on one that is just being closed.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// The connections of one worker, so that no core waits for another.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// Those that have waited longest come first.
    links: Vec<(Instant, Link)>,
    /// Whether a task is there that closes what has waited for too long.
    reaped: bool,
}

impl Pool {
    /// Takes the connection to `target` that was used last. Those to another one, which is no
    /// longer asked for, are closed on the way.
    pub(super) async fn take(&self, target: &Arc<Target>) -> Option<Link> {
        std::future::poll_fn(|context| Poll::Ready(self.take_now(target, context))).await
    }

    fn take_now(&self, target: &Arc<Target>, context: &mut Context<'_>) -> Option<Link> {
        loop {
            let (since, mut link) = self.lock().links.pop()?;
            if since.elapsed() > IDLE_LIMIT || !link.leads_to(target) {
                continue;
            }
            // Nobody has looked whether the other end has closed it meanwhile.
            link.drive(context);
            if link.is_idle() {
                return Some(link);
            }
        }
    }

    /// Takes a connection back whose response has ended, to be used again if that may be.
    pub(super) fn give_back(self: &Arc<Self>, mut link: Link, context: &mut Context<'_>) {
        if !link.is_idle() {
            link.drive(context);
        }
        self.settle(link);
    }

    /// As [`Self::give_back`], of a connection that may still be busy: it gets a task of its own
    /// until it can be used again.
    pub(super) fn settle(self: &Arc<Self>, mut link: Link) {
        if link.is_idle() {
            self.keep(link);
        } else if link.is_open() {
            let pool = Arc::clone(self);
            tokio::spawn(async move {
                if link.finish().await {
                    pool.keep(link);
                }
            });
        }
    }

    fn keep(self: &Arc<Self>, link: Link) {
        let mut idle = self.lock();
        idle.links.push((Instant::now(), link));
        if !idle.reaped {
            idle.reaped = true;
            tokio::spawn(reap(Arc::downgrade(self)));
        }
    }

    /// Closes what has waited for too long; false when nothing is left.
    fn close_old(&self) -> bool {
        let mut idle = self.lock();
        let old = idle
            .links
            .partition_point(|(since, _)| since.elapsed() > IDLE_LIMIT);
        let closed: Vec<_> = idle.links.drain(..old).collect();
        idle.reaped = !idle.links.is_empty();
        let more = idle.reaped;
        drop(idle);
        drop(closed);
        more
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes old connections until none is left.
async fn reap(pool: Weak<Pool>) {
    loop {
        sleep(IDLE_LIMIT).await;
        if !pool.upgrade().is_some_and(|pool| pool.close_old()) {
            return;
        }
    }
}
