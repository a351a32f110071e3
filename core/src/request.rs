//! The head of a request, as both hosts hand it in.

use core::net::IpAddr;

/// The head of one request (RFC 9110 §6), borrowed from the host.
///
/// Values are bytes: nothing here assumes UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method, case-sensitive.
    pub method: &'a [u8],
    /// `Host` or `:authority`; empty when the client sent none.
    pub authority: &'a [u8],
    /// Path and query as sent, not decoded and not normalised.
    pub path: &'a [u8],
    /// All other fields in order, one entry a field line, names in lower case. `host` and pseudo
    /// fields are not among them.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The address of the connection's other end; `None` when the host did not look it up, which
    /// is allowed only where [`Engine::needs_peer`](crate::Engine::needs_peer) is false.
    pub peer: Option<IpAddr>,
}

impl<'a> RequestHead<'a> {
    /// Returns the values of the field `name` (lower case), one per field line.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let headers = self.headers;
        headers
            .iter()
            .filter(move |(field, _)| *field == name)
            .map(|(_, value)| *value)
    }

    /// Returns the only value of the field `name`, without blanks around it.
    pub(crate) fn single(&self, name: &str) -> Single<'a> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (None, _) => Single::Absent,
            (Some(value), None) => Single::Value(value.trim_ascii()),
            (Some(_), Some(_)) => Single::Repeated,
        }
    }

    /// Returns the path without its query.
    pub(crate) fn path_only(&self) -> &'a [u8] {
        self.path
            .split(|byte| *byte == b'?')
            .next()
            .unwrap_or_default()
    }
}

/// How often a field occurs that may occur once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Single<'a> {
    Absent,
    Value(&'a [u8]),
    Repeated,
}
