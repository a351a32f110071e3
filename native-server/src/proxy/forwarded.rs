//! Header fields that tell the protected resource of the client's side.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::slot::Slot;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What a request tells about the connection that it came on.
pub(super) struct Via {
    pub(super) peer: IpAddr,
    /// The peer, made once for all requests of a connection.
    pub(super) address: HeaderValue,
    pub(super) https: bool,
    /// Kept by a tunnel, which counts as a connection.
    pub(super) slot: Arc<Slot>,
}

/// Adds the address of the connection's other end to those that the client gave, and says by
/// which scheme and host we were asked, unless that end is a trusted proxy, which knows better.
pub(super) fn set(headers: &mut HeaderMap, host: Option<HeaderValue>, via: &Via, trusted: bool) {
    if let Some(addresses) = addresses(headers, via) {
        headers.insert(X_FORWARDED_FOR, addresses);
    }
    let scheme = HeaderValue::from_static(if via.https { "https" } else { "http" });
    for (name, value) in [(X_FORWARDED_PROTO, Some(scheme)), (X_FORWARDED_HOST, host)] {
        if trusted && headers.contains_key(&name) {
            continue;
        }
        match value {
            Some(value) => headers.insert(name, value),
            None => headers.remove(name),
        };
    }
}

fn addresses(headers: &HeaderMap, via: &Via) -> Option<HeaderValue> {
    let mut given = headers.get_all(X_FORWARDED_FOR).iter().peekable();
    if given.peek().is_none() {
        return Some(via.address.clone());
    }
    let all: Vec<&[u8]> = given
        .chain([&via.address])
        .map(HeaderValue::as_bytes)
        .collect();
    HeaderValue::try_from(all.join(b", ".as_slice())).ok()
}
