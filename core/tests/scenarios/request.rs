//! Requests of a test, owned.

use std::net::IpAddr;

use portcullis_core::{Peer, RequestHead};

/// A request to the gateway.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) authority: Vec<u8>,
    pub(crate) path: Vec<u8>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.into(),
            authority: b"mcp.example.com".into(),
            path: path.as_ref().into(),
            headers: Vec::new(),
            peer: Some([192, 0, 2, 1].into()),
            body: Vec::new(),
        }
    }

    /// A message of a client that has nothing but the given header fields.
    pub(crate) fn post() -> Self {
        Self::new("POST", "/mcp")
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().into()));
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().into();
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn pair(self, id: &str, secret: &str) -> Self {
        self.with("x-zscaler-client-id", id)
            .with("x-zscaler-client-secret", secret)
    }

    pub(crate) fn host(mut self, authority: impl AsRef<[u8]>) -> Self {
        self.authority = authority.as_ref().into();
        self
    }

    pub(crate) fn peer(mut self, peer: &str) -> Self {
        self.peer = Some(peer.parse().unwrap());
        self
    }

    /// Lends the request to `act` in the form that engines take.
    pub(crate) fn lend<T>(&self, act: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        act(&RequestHead {
            method: self.method.as_bytes(),
            authority: &self.authority,
            path: &self.path,
            headers: &headers,
            peer: self.peer.map_or(Peer::Unknown, Peer::Address),
        })
    }
}
