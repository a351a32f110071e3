//! Sends the calls of the engine.

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use portcullis_core::{CallFailure, CallOutcome, Reach, UpstreamCall, UpstreamResponse};
use tokio::time::timeout;

use super::connector::Connector;

/// Sends calls. It follows no redirect and keeps no connection: calls are rare, as their results
/// are cached, and a fresh connection is never one that the other end has just closed.
pub(crate) struct CallClient {
    anywhere: Client<Connector, Full<Bytes>>,
    public: Client<Connector, Full<Bytes>>,
}

/// A call that brought no response.
#[derive(Debug)]
pub(crate) struct FailedCall {
    /// What the engine is told.
    pub(crate) failure: CallFailure,
    /// What went wrong in detail, for people who ask.
    pub(crate) cause: Option<Box<dyn Error + Send + Sync>>,
}

impl From<CallFailure> for FailedCall {
    fn from(failure: CallFailure) -> Self {
        let cause = None;
        Self { failure, cause }
    }
}

impl CallClient {
    /// Makes a client whose calls go through `anywhere`, but for those to hosts that strangers
    /// named, which go through `public`.
    pub(crate) fn new(anywhere: Connector, public: Connector) -> Self {
        let client = |connector| {
            Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build(connector)
        };
        Self {
            anywhere: client(anywhere),
            public: client(public),
        }
    }

    /// Sends one call, within its limits.
    pub(super) async fn send(&self, call: &UpstreamCall) -> CallOutcome {
        let outcome = self.probe(call).await.map_err(|failed| failed.failure);
        let host = call.url.host();
        match &outcome {
            Ok(response) => tracing::debug!(host, status = response.status, "call answered"),
            Err(failure) => tracing::warn!(host, reason = failure.reason(), "call failed"),
        }
        outcome
    }

    /// Sends one call, within its limits, and tells in detail why it failed.
    ///
    /// # Errors
    ///
    /// Fails where there is no whole response in time.
    pub(crate) async fn probe(&self, call: &UpstreamCall) -> Result<UpstreamResponse, FailedCall> {
        let limit = Duration::from_secs(u64::from(call.timeout_seconds));
        timeout(limit, self.exchange(call))
            .await
            .unwrap_or_else(|_| Err(CallFailure::TimedOut.into()))
    }

    async fn exchange(&self, call: &UpstreamCall) -> Result<UpstreamResponse, FailedCall> {
        let request = build(call).map_err(|_| CallFailure::NotSent)?;
        let client = match call.reach {
            Reach::Anywhere => &self.anywhere,
            // Addresses are connected to without being resolved; the engine lets none be named.
            Reach::Public if is_address(call.url.host()) => return Err(CallFailure::NotSent.into()),
            Reach::Public => &self.public,
        };
        let response = client.request(request).await.map_err(|error| {
            let failure = if error.is_connect() {
                CallFailure::Unreachable
            } else {
                CallFailure::Cut
            };
            let cause = Some(error.into());
            FailedCall { failure, cause }
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

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
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
