//! The head of a request, as the core takes it.

use std::net::IpAddr;

use http::header::HOST;
use http::request::Parts;
use portcullis_core::{Peer, RequestHead};

use super::answer::Failure;

/// As many as hyper takes.
pub(super) const MAX_FIELDS: usize = 100;

/// The parts of a request head, borrowed from hyper's.
pub(super) struct Head<'a> {
    pub(super) method: &'a [u8],
    pub(super) authority: &'a [u8],
    pub(super) path: &'a [u8],
    pub(super) headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Head<'a> {
    /// Translates `parts`.
    ///
    /// # Errors
    ///
    /// Refuses more than 100 fields, and a `Host` that is missing, repeated or contradicted by
    /// `:authority` (RFC 9112 §3.2, RFC 9113 §8.3.1).
    pub(super) fn of(parts: &'a Parts) -> Result<Self, Failure> {
        Ok(Self {
            headers: fields(parts)?,
            method: parts.method.as_str().as_bytes(),
            authority: authority(parts)?,
            path: parts
                .uri
                .path_and_query()
                .map_or(b"/".as_slice(), |path| path.as_str().as_bytes()),
        })
    }

    /// Returns what the core takes.
    pub(super) fn as_request(&self, peer: IpAddr) -> RequestHead<'_> {
        RequestHead {
            method: self.method,
            authority: self.authority,
            path: self.path,
            headers: &self.headers,
            peer: Peer::Address(peer),
        }
    }
}

/// Returns all fields but `Host`.
pub(super) fn fields(parts: &Parts) -> Result<Vec<(&str, &[u8])>, Failure> {
    if parts.headers.len() > MAX_FIELDS {
        return Err(Failure::TooManyFields);
    }
    let proper = parts.headers.iter().filter(|(name, _)| **name != HOST);
    let mut headers = Vec::with_capacity(parts.headers.len());
    headers.extend(proper.map(|(name, value)| (name.as_str(), value.as_bytes())));
    Ok(headers)
}

fn authority(parts: &Parts) -> Result<&[u8], Failure> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next().map(http::HeaderValue::as_bytes);
    if hosts.next().is_some() {
        return Err(Failure::BadHost);
    }
    let target = parts
        .uri
        .authority()
        .map(|target| target.as_str().as_bytes());
    match (target, host) {
        // In HTTP/1.1 an absolute target wins over `Host`; two that differ are a trick.
        (Some(target), Some(host)) if !target.eq_ignore_ascii_case(host) => Err(Failure::BadHost),
        (Some(authority), _) | (None, Some(authority)) => Ok(authority),
        (None, None) if parts.version < http::Version::HTTP_11 => Ok(b""),
        (None, None) => Err(Failure::BadHost),
    }
}
