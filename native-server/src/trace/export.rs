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
use tokio::time::timeout;

use super::{Collector, Span, TraceContext};
use crate::crypto::random_octets;
use crate::proxy::Connector;
use crate::tls;

/// Spans that wait, at most.
const QUEUE: usize = 2048;
const BATCH: usize = 512;
const PAUSE: Duration = Duration::from_secs(1);
const SEND_LIMIT: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Makes spans and takes them when they are over.
pub(crate) struct Tracer {
    sender: Sender<Span>,
    dropped: Arc<AtomicU64>,
}

/// Sends spans.
pub(crate) struct Export {
    spans: Receiver<Span>,
    collector: Collector,
    connector: Connector,
    dropped: Arc<AtomicU64>,
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
        let dropped = Arc::new(AtomicU64::new(0));
        let export = Export {
            spans,
            collector,
            connector,
            dropped: Arc::clone(&dropped),
        };
        Ok(Some((Self { sender, dropped }, export)))
    }

    /// Returns how many spans were lost.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
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
        if self.sender.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Export {
    /// Sends what comes, in batches, until nobody makes spans any more.
    pub(crate) async fn run(mut self) {
        let client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
        let (mut batch, mut failing) = (Vec::new(), false);
        while self.spans.recv_many(&mut batch, BATCH).await > 0 {
            let sent = timeout(SEND_LIMIT, post(&client, &self.collector, &batch)).await;
            let problem = match sent {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(_) => Some("no answer in time".into()),
            };
            if let Some(problem) = &problem {
                let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
                self.dropped.fetch_add(count, Ordering::Relaxed);
                if !failing {
                    let place = self.collector.place();
                    tracing::warn!("spans are lost, {place} says: {problem}");
                }
            }
            failing = problem.is_some();
            batch.clear();
            // The next ones gather meanwhile.
            tokio::time::sleep(PAUSE).await;
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
