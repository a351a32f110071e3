//! Passes requests on to the protected resource, streaming both ways.

use std::sync::Arc;
use std::time::Duration;

use http::header::{COOKIE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use portcullis_core::{Forward, HeaderEdits, HttpUrl};

use super::answer::Failure;
use super::body::{BodyFault, RequestBody, ResponseBody};
use super::connector::Connector;
use super::forwarded::{self, Via};
use super::{hop, tunnel};

/// Shorter than the 5 s after which usual servers of MCP (uvicorn, Node) close an idle
/// connection, so that a request is not sent on one that is just being closed.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// The way to the protected resource.
pub(crate) struct Forwarder {
    client: Client<Connector, RequestBody>,
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
    max_body: u64,
}

impl Forwarder {
    /// Makes the way to `upstream`, of which only scheme and authority count; bodies of requests
    /// are limited to `max_body` bytes.
    ///
    /// # Errors
    ///
    /// Fails when the authority is not one to hyper.
    pub(crate) fn new(
        connector: Connector,
        upstream: &HttpUrl,
        max_body: u64,
    ) -> Result<Self, http::Error> {
        let authority = upstream.authority();
        Ok(Self {
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(POOL_IDLE)
                .build(connector),
            scheme: if upstream.is_https() {
                Scheme::HTTPS
            } else {
                Scheme::HTTP
            },
            host: HeaderValue::try_from(authority.as_str())?,
            authority: Authority::try_from(authority)?,
            max_body,
        })
    }

    /// Sends the request on as `forward` says, and returns the response as soon as its head is
    /// here.
    pub(super) async fn forward(
        &self,
        forward: &Forward,
        request: Request<Incoming>,
        via: &Via,
    ) -> Result<Response<ResponseBody>, Failure> {
        let (mut parts, body) = request.into_parts();
        let upgrade = take_upgrade(&mut parts);
        let body = RequestBody::new(body, self.max_body).map_err(Failure::from)?;
        self.rewrite(&mut parts, &forward.request, via)?;
        if upgrade.is_some() {
            hop::set_websocket(&mut parts.headers);
        }
        let mut response = self
            .client
            .request(Request::from_parts(parts, body))
            .await
            .map_err(|error| failure(&error))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return switch(forward, &mut response, upgrade, via);
        }
        // Each connection has a version of its own.
        *response.version_mut() = Version::HTTP_11;
        hop::strip(response.headers_mut());
        edit_response(forward, response.headers_mut())?;
        Ok(response.map(ResponseBody::upstream))
    }

    /// Turns the head of the client's request into that of ours.
    fn rewrite(&self, parts: &mut Parts, edits: &HeaderEdits, via: &Via) -> Result<(), Failure> {
        let original_host = parts
            .uri
            .authority()
            .and_then(|authority| HeaderValue::try_from(authority.as_str()).ok())
            .or_else(|| parts.headers.get(HOST).cloned());
        let path = parts.uri.path_and_query().cloned();
        parts.uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path.unwrap_or_else(|| http::uri::PathAndQuery::from_static("/")))
            .build()
            .map_err(|_| Failure::BadEdit)?;
        if parts.version == Version::HTTP_2 {
            join_cookies(&mut parts.headers);
        }
        parts.version = Version::HTTP_11;
        parts.extensions.clear();
        let headers = &mut parts.headers;
        // What the client says of its connection comes first: it must not name a field that is
        // set below.
        hop::strip(headers);
        // The gateway itself answers with 100 Continue, when the body is first wanted.
        headers.remove(EXPECT);
        forwarded::set(headers, original_host, via);
        apply(headers, edits)?;
        headers.insert(HOST, self.host.clone());
        Ok(())
    }
}

impl From<BodyFault> for Failure {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::BodyTooLarge,
            BodyFault::Stalled => Self::BodyStalled,
            BodyFault::Cut => Self::BodyCut,
        }
    }
}

fn failure(error: &hyper_util::client::legacy::Error) -> Failure {
    if let Some(fault) = BodyFault::cause_of(error) {
        fault.into()
    } else if error.is_connect() {
        Failure::Unreachable
    } else {
        Failure::BadResponse
    }
}

/// Takes the client's side of a WebSocket handshake.
fn take_upgrade(parts: &mut Parts) -> Option<OnUpgrade> {
    let handshake = parts.version == Version::HTTP_11 && hop::is_websocket(&parts.headers);
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    upgrade.filter(|_| handshake)
}

/// Passes the agreement to a WebSocket on, and joins both connections once it has left.
fn switch(
    forward: &Forward,
    response: &mut Response<Incoming>,
    client: Option<OnUpgrade>,
    via: &Via,
) -> Result<Response<ResponseBody>, Failure> {
    let Some(client) = client.filter(|_| hop::is_websocket(response.headers())) else {
        return Err(Failure::BadResponse);
    };
    let upstream = hyper::upgrade::on(&mut *response);
    tokio::spawn(tunnel::join(client, upstream, Arc::clone(&via.permit)));
    let mut answer = Response::new(ResponseBody::local(http_body_util::Full::default()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    std::mem::swap(headers, response.headers_mut());
    hop::strip(headers);
    edit_response(forward, headers)?;
    hop::set_websocket(headers);
    Ok(answer)
}

/// Joins what h2 may split into many fields (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<_> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(b"; ".as_slice()))
    {
        headers.insert(COOKIE, joined);
    }
}

fn edit_response(forward: &Forward, headers: &mut HeaderMap) -> Result<(), Failure> {
    if !forward.edits_response() {
        return Ok(());
    }
    let fields: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let edits = forward.response_edits(&fields);
    apply(headers, &edits)
}

/// Carries out `edits`: all removals first, then every field replaces all its values.
fn apply(headers: &mut HeaderMap, edits: &HeaderEdits) -> Result<(), Failure> {
    for name in edits.removals() {
        headers.remove(name);
    }
    for (name, value) in edits.fields() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Failure::BadEdit)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| Failure::BadEdit)?;
        headers.insert(name, value);
    }
    Ok(())
}
