//! Sends spans by OTLP, over HTTP in JSON: what every collector takes, and takes no library of its
//! own to write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::{Span, TraceContext};
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
    receiving: Receiving,
    connector: Connector,
    dropped: Arc<AtomicU64>,
}

/// Where spans go.
struct Receiving {
    uri: Uri,
    headers: HeaderMap,
    service: String,
}

impl Tracer {
    /// Makes one where the environment says where spans go, in OpenTelemetry's own variables,
    /// with what sends them.
    ///
    /// # Errors
    ///
    /// Refuses an endpoint that is no URL, headers that are none, and other protocols than HTTP.
    pub(crate) fn from_environment() -> anyhow::Result<Option<(Self, Export)>> {
        let Some(receiving) = Receiving::from(|name| std::env::var(name).ok())? else {
            return Ok(None);
        };
        let https = receiving.uri.scheme_str() == Some("https");
        let connector = Connector::new(tls::client_config(https)?);
        tracing::info!("spans go to {}", receiving.uri);
        let (sender, spans) = channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let export = Export {
            spans,
            receiving,
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

impl Receiving {
    fn from(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let all = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let (name, url) = match (set(own), set(all)) {
            (Some(url), _) => (own, url),
            (None, Some(base)) => (all, format!("{}/v1/traces", base.trim_end_matches('/'))),
            (None, None) => return Ok(None),
        };
        let protocol = set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL");
        match protocol
            .or_else(|| set("OTEL_EXPORTER_OTLP_PROTOCOL"))
            .as_deref()
        {
            None | Some("http/json" | "http/protobuf") => {}
            Some(other) => bail!(
                "OTEL_EXPORTER_OTLP_PROTOCOL {other} is not spoken here: set http/json, and give \
                 {name} the port of the collector's HTTP receiver, usually 4318"
            ),
        }
        let uri: Uri = url.parse().with_context(|| format!("{name} is no URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() {
            bail!("{name} must be a URL such as http://127.0.0.1:4318");
        }
        let listed = set("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        Ok(Some(Self {
            uri,
            headers: headers(&listed).context(
                "OTEL_EXPORTER_OTLP_HEADERS must be a list such as name=value,other=value",
            )?,
            service: set("OTEL_SERVICE_NAME").unwrap_or_else(|| "portcullis".into()),
        }))
    }

    fn document(&self, spans: &[Span]) -> String {
        let spans: Vec<Value> = spans.iter().map(Span::to_json).collect();
        let attribute =
            |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let version = env!("CARGO_PKG_VERSION");
        let resource = [
            attribute("service.name", &self.service),
            attribute("service.version", version),
        ];
        let scope = json!({ "name": "portcullis", "version": version });
        json!({
            "resourceSpans": [{
                "resource": { "attributes": resource },
                "scopeSpans": [{ "scope": scope, "spans": spans }],
            }]
        })
        .to_string()
    }
}

fn headers(listed: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for item in listed.split(',').filter(|item| !item.trim().is_empty()) {
        let (name, value) = item.split_once('=')?;
        let name = HeaderName::try_from(name.trim()).ok()?;
        let mut value = HeaderValue::try_from(value.trim()).ok()?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Some(headers)
}

impl Export {
    /// Sends what comes, in batches, until nobody makes spans any more.
    pub(crate) async fn run(mut self) {
        let client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
        let (mut batch, mut failing) = (Vec::new(), false);
        while self.spans.recv_many(&mut batch, BATCH).await > 0 {
            let sent = timeout(SEND_LIMIT, send(&client, &self.receiving, &batch)).await;
            let problem = match sent {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(_) => Some("no answer in time".into()),
            };
            if let Some(problem) = &problem {
                let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
                self.dropped.fetch_add(count, Ordering::Relaxed);
                if !failing {
                    let to = &self.receiving.uri;
                    tracing::warn!("spans are lost, {to} says: {problem}");
                }
            }
            failing = problem.is_some();
            batch.clear();
            // The next ones gather meanwhile.
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn send(
    client: &Client<Connector, Full<Bytes>>,
    receiving: &Receiving,
    spans: &[Span],
) -> anyhow::Result<()> {
    let mut request = Request::post(receiving.uri.clone())
        .body(Full::new(Bytes::from(receiving.document(spans))))?;
    *request.headers_mut() = receiving.headers.clone();
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    let response = client.request(request).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn receiving(pairs: &[(&str, &str)]) -> Result<Option<String>, String> {
        let variable = |name: &str| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let receiving = Receiving::from(variable).map_err(|error| format!("{error:#}"))?;
        Ok(receiving.map(|receiving| receiving.uri.to_string()))
    }

    #[test]
    fn the_endpoint_is_where_opentelemetry_says() {
        assert_eq!(receiving(&[]), Ok(None));
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
        assert_eq!(
            receiving(&[base]),
            Ok(Some("http://c:4318/v1/traces".into()))
        );
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://d:1/x");
        assert_eq!(receiving(&[base, own]), Ok(Some("http://d:1/x".into())));
        assert_eq!(receiving(&[base, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        for bad in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "no equals sign"),
        ] {
            let message = receiving(&[bad, base]).expect_err("refused");
            assert!(message.contains("OTEL_EXPORTER_OTLP_"), "{message}");
        }
    }
}
