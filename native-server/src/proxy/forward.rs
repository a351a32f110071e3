//! Passes requests on to the protected resource, streaming both ways.

use std::sync::{Arc, LazyLock};

use http::header::{COOKIE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderName};
use http::request::Parts;
use http::uri::Scheme;
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::upgrade::OnUpgrade;
use portcullis_core::rules::AddressList;
use portcullis_core::{Forward, HeaderEdits, HttpUrl, IDENTITY_FIELDS};

use super::answer::Failure;
use super::body::{BodyFault, RequestBody, ResponseBody, Upstream};
use super::forwarded::{self, Via};
use super::link::Link;
use super::pool::Pool;
use super::target::Target;
use super::{Connector, hop, tunnel};

/// The way to the protected resource.
pub(crate) struct Forwarder {
    target: Arc<Target>,
    host: HeaderValue,
    /// Proxies whose forwarded fields are believed.
    trusted_proxies: Option<AddressList>,
    max_body: u64,
}

impl Forwarder {
    /// Makes the way to `upstream`, of which only scheme and authority count, through `connector`;
    /// bodies of requests are limited to `max_body` bytes.
    ///
    /// # Errors
    ///
    /// Fails when the authority is not one to hyper.
    pub(crate) fn new(
        upstream: &HttpUrl,
        connector: Connector,
        trusted_proxies: Option<AddressList>,
        max_body: u64,
    ) -> Result<Self, http::Error> {
        let authority = upstream.authority();
        let scheme = if upstream.is_https() {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        };
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(authority.as_str())
            .path_and_query("/")
            .build()?;
        Ok(Self {
            target: Arc::new(Target::new(connector, uri)),
            host: HeaderValue::try_from(authority.as_str())?,
            trusted_proxies,
            max_body,
        })
    }

    /// Sends the request on as `forward` says, on a connection that waits in `pool` or a new one,
    /// and returns the response as soon as its head is here.
    pub(super) async fn forward(
        &self,
        forward: &Forward,
        request: Request<Incoming>,
        via: &Via,
        pool: &Arc<Pool>,
    ) -> Result<Response<ResponseBody>, Failure> {
        let (mut parts, body) = request.into_parts();
        let upgrade = take_upgrade(&mut parts);
        let body = RequestBody::new(body, self.max_body).map_err(Failure::from)?;
        self.rewrite(&mut parts, &forward.request, via)?;
        let request = Request::from_parts(parts, body);
        let mut response = match upgrade {
            None => exchange(&self.target, pool, request).await?,
            Some(client) => {
                let response = handshake(&self.target, request).await?;
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    return switch(forward, response, client, via);
                }
                response.map(Upstream::driven)
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failure::BadResponse);
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
        if parts.uri.authority().is_some() || parts.uri.path_and_query().is_none() {
            let path = parts.uri.path_and_query().cloned();
            parts.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
        }
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
        let trusted = self.trusted_proxies.as_ref();
        let trusted = trusted.is_some_and(|proxies| proxies.contains(via.peer));
        forwarded::set(headers, original_host, via, trusted);
        apply(headers, edits)?;
        headers.insert(HOST, self.host.clone());
        Ok(())
    }
}

/// Sends a request to `target`, on a connection of `pool`.
///
/// One that waited there may turn out to be closed before anything of the request was sent; then
/// the next is tried, at last a fresh one.
async fn exchange(
    target: &Arc<Target>,
    pool: &Arc<Pool>,
    mut request: Request<RequestBody>,
) -> Result<Response<Upstream>, Failure> {
    loop {
        let kept = pool.take(target).await;
        let used_before = kept.is_some();
        let mut link = match kept {
            Some(link) => link,
            None => open(target).await?,
        };
        let mut error = match link.exchange(request).await {
            Ok(response) => return Ok(response.map(|body| attach(body, link, pool))),
            Err(error) => error,
        };
        request = match error.take_message() {
            Some(request) if used_before => request,
            Some(_) | None => return Err(failure(&error.into_error())),
        };
    }
}

async fn open(target: &Arc<Target>) -> Result<Link, Failure> {
    let stream = target.connect().await.map_err(|_| Failure::Unreachable)?;
    let link = Link::open(stream, target).await;
    link.map_err(|error| failure(&error))
}

/// Leaves the connection with the body that comes on it.
fn attach(body: Incoming, link: Link, pool: &Arc<Pool>) -> Upstream {
    // While the request is still on its way, a client that is slow to read the response must not
    // hold it up; and what is over needs nobody to drive it.
    if link.has_sent() && !body.is_end_stream() {
        return Upstream::driving(body, link, Arc::clone(pool));
    }
    pool.settle(link);
    Upstream::driven(body)
}

/// Sends the handshake of a WebSocket, on a connection of its own.
async fn handshake(
    target: &Target,
    mut request: Request<RequestBody>,
) -> Result<Response<Incoming>, Failure> {
    hop::set_websocket(request.headers_mut());
    let stream = target.connect().await.map_err(|_| Failure::Unreachable)?;
    let handshake = http1::handshake(stream).await;
    let (mut sender, connection) = handshake.map_err(|error| failure(&error))?;
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await;
    response.map_err(|error| failure(&error))
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

fn failure(error: &hyper::Error) -> Failure {
    BodyFault::cause_of(error).map_or(Failure::BadResponse, Failure::from)
}

/// Takes the client's side of a WebSocket handshake.
fn take_upgrade(parts: &mut Parts) -> Option<OnUpgrade> {
    let upgrade = parts.extensions.remove::<OnUpgrade>()?;
    let handshake = parts.version == Version::HTTP_11 && hop::is_websocket(&parts.headers);
    handshake.then_some(upgrade)
}

/// Passes the agreement to a WebSocket on, and joins both connections once it has left.
fn switch(
    forward: &Forward,
    mut response: Response<Incoming>,
    client: OnUpgrade,
    via: &Via,
) -> Result<Response<ResponseBody>, Failure> {
    if !hop::is_websocket(response.headers()) {
        return Err(Failure::BadResponse);
    }
    let upstream = hyper::upgrade::on(&mut response);
    tokio::spawn(tunnel::join(client, upstream, Arc::clone(&via.slot)));
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
    let names = forward.response_fields().iter();
    let lines: Vec<_> = names
        .flat_map(|name| {
            headers
                .get_all(*name)
                .iter()
                .map(|value| (*name, value.as_bytes()))
        })
        .collect();
    let edits = forward.response_edits(&lines);
    apply(headers, &edits)
}

/// Names that most requests are given, made once: a new one is parsed, and copied to the heap.
static IDENTITY: LazyLock<[HeaderName; 7]> =
    LazyLock::new(|| IDENTITY_FIELDS.map(HeaderName::from_static));

/// Carries out `edits`: all removals first, then every field replaces all its values.
fn apply(headers: &mut HeaderMap, edits: &HeaderEdits) -> Result<(), Failure> {
    for name in edits.removals() {
        headers.remove(name);
    }
    for (name, value) in edits.fields() {
        let name = field_name(name).map_err(|_| Failure::BadEdit)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| Failure::BadEdit)?;
        headers.insert(name, value);
    }
    Ok(())
}

fn field_name(name: &str) -> Result<HeaderName, InvalidHeaderName> {
    let mut ready = IDENTITY.iter();
    let ready = ready.find(|ready| ready.as_str() == name);
    ready.map_or_else(
        || HeaderName::from_bytes(name.as_bytes()),
        |ready| Ok(ready.clone()),
    )
}
