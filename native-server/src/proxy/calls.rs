//! Sends the calls of the engine.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use portcullis_core::{CallFailure, CallOutcome, UpstreamCall, UpstreamResponse};
use tokio::time::timeout;

use super::connector::Connector;

/// Sends calls. It follows no redirect and keeps no connection: calls are rare, as their results
/// are cached, and a fresh connection is never one that the other end has just closed.
pub(crate) struct CallClient(Client<Connector, Full<Bytes>>);

impl CallClient {
    /// Makes a client over `connector`.
    pub(crate) fn new(connector: Connector) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Self(client)
    }

    /// Sends one call, within its limits.
    pub(super) async fn send(&self, call: &UpstreamCall) -> CallOutcome {
        let limit = Duration::from_secs(u64::from(call.timeout_seconds));
        let outcome = timeout(limit, self.exchange(call))
            .await
            .unwrap_or(Err(CallFailure::TimedOut));
        let host = call.url.host();
        match &outcome {
            Ok(response) => tracing::debug!(host, status = response.status, "call answered"),
            Err(failure) => tracing::warn!(host, reason = failure.reason(), "call failed"),
        }
        outcome
    }

    async fn exchange(&self, call: &UpstreamCall) -> CallOutcome {
        let request = build(call).map_err(|_| CallFailure::NotSent)?;
        let response = self.0.request(request).await.map_err(|error| {
            if error.is_connect() {
                CallFailure::Unreachable
            } else {
                CallFailure::Cut
            }
        })?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, call.max_response_bytes)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    CallFailure::TooLarge
                } else {
                    CallFailure::Cut
                }
            })?
            .to_bytes();
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        Ok(UpstreamResponse {
            status: head.status.as_u16(),
            headers,
            body: body.to_vec(),
        })
    }
}

fn build(call: &UpstreamCall) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::builder()
        .method(call.method)
        .uri(call.url.to_string());
    for (name, value) in &call.headers {
        request = request.header(
            HeaderName::try_from(*name)?,
            HeaderValue::from_bytes(value)?,
        );
    }
    request.body(Full::from(call.body.clone()))
}
