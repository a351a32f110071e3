//! A request to the authorization server, as far as it needs it: what outlives a wait.

use alloc::vec::Vec;
use core::fmt;

use crate::request::{RequestHead, Single};
use crate::rules::CorsGrant;

/// What a path of the authorization server is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OAuthEndpoint {
    /// RFC 8414.
    Metadata,
    /// RFC 7591.
    Register,
    /// RFC 6749 §3.1.
    Authorize,
    /// Where the consent page's form goes.
    Consent,
    /// Where the OpenID provider sends the browser back to.
    Callback,
    /// RFC 6749 §3.2.
    Token,
    /// RFC 7009.
    Revoke,
}

impl OAuthEndpoint {
    /// Tells whether requests of this method are answered.
    pub(crate) fn takes(self, method: &[u8]) -> bool {
        match self.max_body() {
            Some(_) => method == b"POST",
            None => matches!(method, b"GET" | b"HEAD"),
        }
    }

    /// Returns the value of `Allow` (RFC 9110 §10.2.1).
    pub(crate) const fn allow(self) -> &'static str {
        match self.max_body() {
            Some(_) => "POST",
            None => "GET, HEAD",
        }
    }

    /// Returns the most octets of a body that are read, where one is.
    pub(crate) const fn max_body(self) -> Option<usize> {
        match self {
            Self::Register => Some(super::register::MAX_OCTETS),
            Self::Consent | Self::Token | Self::Revoke => Some(super::form::MAX_OCTETS),
            Self::Metadata | Self::Authorize | Self::Callback => None,
        }
    }

    /// Tells whether scripts of other origins may call it.
    pub(crate) const fn is_for_scripts(self) -> bool {
        match self {
            Self::Metadata | Self::Register | Self::Token | Self::Revoke => true,
            Self::Authorize | Self::Consent | Self::Callback => false,
        }
    }
}

/// One request.
pub(crate) struct Visit {
    pub(crate) endpoint: OAuthEndpoint,
    /// Path and query.
    pub(super) path: Vec<u8>,
    cookies: Vec<Vec<u8>>,
    /// Whether a person looks at the answer.
    pub(super) shows_pages: bool,
    /// Whether it comes from one of our own pages, or from no page.
    pub(super) is_same_origin: bool,
    pub(crate) cors: Option<CorsGrant>,
}

impl Visit {
    /// Takes what is needed of a request to the server with the origin `own`.
    pub(crate) fn of(
        head: &RequestHead<'_>,
        endpoint: OAuthEndpoint,
        cors: Option<CorsGrant>,
        own: &str,
    ) -> Self {
        let html = |value: &[u8]| {
            let mut windows = value.windows(b"text/html".len());
            windows.any(|window| window.eq_ignore_ascii_case(b"text/html"))
        };
        let is = |name: &str, expected: &[u8]| match head.single(name) {
            Single::Absent => true,
            Single::Value(value) => value == expected,
            Single::Repeated => false,
        };
        Self {
            endpoint,
            path: head.path.to_vec(),
            cookies: head.values("cookie").map(<[u8]>::to_vec).collect(),
            shows_pages: head.values("accept").any(html),
            is_same_origin: is("origin", own.as_bytes()) && is("sec-fetch-site", b"same-origin"),
            cors,
        }
    }

    /// Returns the lines of `Cookie`.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &[u8]> {
        self.cookies.iter().map(Vec::as_slice)
    }
}

/// Codes and sealed state are in the query and the cookies.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visit({:?}, …)", self.endpoint)
    }
}
