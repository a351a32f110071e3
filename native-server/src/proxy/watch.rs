//! Time limits of a connection: for a request head, and for doing nothing.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// From its first byte to its last; also from the connection's start to the first request.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Longer than the 60 s after which usual load balancers give an idle connection up, so that the
/// side that reuses connections is the one that closes them.
const IDLE_LIMIT: Duration = Duration::from_secs(75);
const STEP: Duration = Duration::from_secs(1);

/// What a connection is doing, as far as its time limits are concerned.
pub(super) struct Watch(Mutex<State>);

struct State {
    under_way: usize,
    deadline: Instant,
    /// Whether bytes of the next request have come.
    in_head: bool,
}

impl Watch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            under_way: 0,
            deadline: Instant::now() + HEAD_LIMIT,
            // The first request has the limit of a head, even before its first byte.
            in_head: true,
        })))
    }

    /// Notes that a request begins, until the result is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        let mut state = self.lock();
        state.under_way = state.under_way.saturating_add(1);
        state.in_head = false;
        drop(state);
        Busy(Arc::clone(self))
    }

    /// Returns when a limit has passed.
    pub(super) async fn overdue(&self) {
        loop {
            let (under_way, deadline) = {
                let state = self.lock();
                (state.under_way, state.deadline)
            };
            let now = Instant::now();
            if under_way == 0 && now >= deadline {
                return;
            }
            let step = now + STEP;
            let next = if under_way == 0 {
                deadline.min(step)
            } else {
                step
            };
            sleep_until(next).await;
        }
    }

    fn note_read(&self) {
        let mut state = self.lock();
        if state.under_way == 0 && !state.in_head {
            state.in_head = true;
            state.deadline = Instant::now() + HEAD_LIMIT;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way.
pub(super) struct Busy(Arc<Watch>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.under_way = state.under_way.saturating_sub(1);
        state.deadline = Instant::now() + IDLE_LIMIT;
    }
}

/// A stream that tells a [`Watch`] when bytes come in.
pub(super) struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
}

impl<S> Watched<S> {
    pub(super) const fn new(stream: S, watch: Arc<Watch>) -> Self {
        Self { stream, watch }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.watch.note_read();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, timeout};

    /// Checks that `watch` reports a limit after `seconds` more, and not before.
    #[track_caller]
    fn check(watch: &Arc<Watch>, seconds: u64) -> impl Future<Output = ()> {
        let watch = Arc::clone(watch);
        async move {
            let limit = Duration::from_secs(seconds);
            let before = limit - Duration::from_millis(1);
            assert!(timeout(before, watch.overdue()).await.is_err(), "too early");
            let after = Duration::from_millis(2);
            assert!(timeout(after, watch.overdue()).await.is_ok(), "too late");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn first_request_has_ten_seconds() {
        let watch = Watch::new();
        // Bytes that come in earn no delay.
        advance(Duration::from_secs(4)).await;
        watch.note_read();
        check(&watch, 6).await;
    }

    #[tokio::test(start_paused = true)]
    async fn request_under_way_has_no_limit() {
        let watch = Watch::new();
        let first = watch.begin();
        let second = watch.begin();
        watch.note_read();
        drop(first);
        let hour = Duration::from_secs(3600);
        assert!(timeout(hour, watch.overdue()).await.is_err());
        drop(second);
        check(&watch, 75).await;
    }

    #[tokio::test(start_paused = true)]
    async fn next_head_has_ten_seconds_from_its_first_byte() {
        let watch = Watch::new();
        drop(watch.begin());
        advance(Duration::from_secs(60)).await;
        watch.note_read();
        advance(Duration::from_secs(1)).await;
        watch.note_read();
        check(&watch, 9).await;
    }
}
