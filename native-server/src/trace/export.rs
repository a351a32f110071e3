//! Makes spans, keeps those that are over and sends them in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Collector, Span, TraceContext};
use crate::crypto::random_octets;
use crate::proxy::Connector;
use crate::tls;

/// Spans that wait, at most.
const QUEUE: usize = 2048;
const BATCH: usize = 512;
const PAUSE: Duration = Duration::from_secs(1);
const SEND_LIMIT: Duration = Duration::from_secs(10);
const LAST_MOMENT: Duration = Duration::from_secs(1);
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Makes spans and takes them when they are over.
pub(crate) struct Tracer {
    sender: Sender<Span>,
    tally: Arc<Tally>,
}

/// Sends spans.
pub(crate) struct Export {
    spans: Receiver<Span>,
    collector: Collector,
    connector: Connector,
    tally: Arc<Tally>,
    /// Whether the last batch was lost.
    failing: bool,
}

/// An export at work.
pub(crate) struct Exporting {
    task: JoinHandle<()>,
    /// Goes when no span comes any more.
    close: oneshot::Sender<()>,
    tally: Arc<Tally>,
}

/// What becomes of spans.
#[derive(Default)]
struct Tally {
    /// Those that were taken and neither sent nor lost so far.
    waiting: AtomicU64,
    lost: AtomicU64,
}

impl Tracer {
    /// Makes one where the environment says where spans go, in OpenTelemetry's own variables,
    /// with what sends them.
    ///
    /// # Errors
    ///
    /// Refuses what [`Collector::from_environment`] refuses.
    pub(crate) fn from_environment() -> anyhow::Result<Option<(Self, Export)>> {
        let Some(collector) = Collector::from_environment()? else {
            return Ok(None);
        };
        let connector = Connector::new(tls::client_config(collector.is_https())?);
        tracing::info!("spans go to {}", collector.place());
        if let Some(warning) = &collector.warning {
            tracing::warn!("{warning}");
        }
        let (sender, spans) = channel(QUEUE);
        let tally = Arc::<Tally>::default();
        let export = Export {
            spans,
            collector,
            connector,
            tally: Arc::clone(&tally),
            failing: false,
        };
        Ok(Some((Self { sender, tally }, export)))
    }

    /// Returns how many spans were lost.
    pub(crate) fn dropped(&self) -> u64 {
        self.tally.lost.load(Ordering::Relaxed)
    }

    /// Begins a span: below `parent`, or in a trace of its own. `None` where the caller keeps no
    /// spans of this trace.
    pub(crate) fn begin(&self, parent: Option<TraceContext>) -> Option<TraceContext> {
        if parent.is_some_and(|parent| !parent.sampled) {
            return None;
        }
        // An id of zeros is none.
        let span = u64::from_be_bytes(random_octets().ok()?).max(1);
        let trace = match parent {
            Some(parent) => parent.trace,
            None => u128::from_be_bytes(random_octets().ok()?).max(1),
        };
        Some(TraceContext {
            trace,
            span,
            sampled: true,
        })
    }

    /// Takes a span that is over; never waits.
    pub(crate) fn end(&self, span: Span) {
        // Before it can be sent, so that the number never is below what is there.
        self.tally.waiting.fetch_add(1, Ordering::Relaxed);
        if self.sender.try_send(span).is_err() {
            self.tally.settle(1, false);
        }
    }
}

impl Export {
    /// Begins to send what comes, in batches, in a task of its own.
    pub(crate) fn start(self) -> Exporting {
        let tally = Arc::clone(&self.tally);
        let (close, closing) = oneshot::channel();
        Exporting {
            task: tokio::spawn(self.run(closing)),
            close,
            tally,
        }
    }

    async fn run(mut self, mut closing: oneshot::Receiver<()>) {
        let client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                count = self.spans.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                }
                _ = &mut closing, if !self.spans.is_closed() => self.spans.close(),
            }
            if batch.is_empty() {
                continue;
            }
            self.send(&client, &batch).await;
            batch.clear();
            // The next ones gather meanwhile.
            if !self.spans.is_closed() && timeout(PAUSE, &mut closing).await.is_ok() {
                self.spans.close();
            }
        }
    }

    async fn send(&mut self, client: &Client<Connector, Full<Bytes>>, batch: &[Span]) {
        let sent = timeout(SEND_LIMIT, post(client, &self.collector, batch)).await;
        let problem = match sent {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(_) => Some("no answer in time".into()),
        };
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.tally.settle(count, problem.is_none());
        if let Some(problem) = problem.as_ref().filter(|_| !self.failing) {
            let place = self.collector.place();
            tracing::warn!("spans are lost, {place} says: {problem}");
        }
        self.failing = problem.is_some();
    }
}

impl Exporting {
    /// Sends what waits and ends, at the latest at `until`, but for a second that there is in any
    /// case: streams that had to be cut take all the time until then. What is left is lost.
    pub(crate) async fn finish(mut self, until: Instant) {
        drop(self.close);
        let until = until.max(Instant::now() + LAST_MOMENT);
        if timeout_at(until, &mut self.task).await.is_err() {
            self.task.abort();
        }
        let left = self.tally.waiting.load(Ordering::Relaxed);
        self.tally.settle(left, false);
        let lost = self.tally.lost.load(Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(lost, "spans did not reach the collector");
        }
    }
}

impl Tally {
    fn settle(&self, count: u64, sent: bool) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        if !sent {
            self.lost.fetch_add(count, Ordering::Relaxed);
        }
    }
}

async fn post(
    client: &Client<Connector, Full<Bytes>>,
    collector: &Collector,
    spans: &[Span],
) -> anyhow::Result<()> {
    let response = client.request(collector.request(spans)?).await?;
    let status = response.status();
    // Read to its end, so that the connection can be used again.
    drop(
        Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await,
    );
    if !status.is_success() {
        bail!("status {status}");
    }
    Ok(())
}
