//! The answer to one request, for the host to carry out.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::identity::{Presence, Principal};
use crate::rules::CorsGrant;
use crate::session::SessionBinding;

/// The answer to one request.
#[must_use]
#[derive(Debug)]
pub enum Decision {
    /// Pass the request to the protected resource.
    Forward(Forward),
    /// Answer from the gateway; nothing reaches the protected resource.
    Respond(LocalResponse),
}

impl Decision {
    /// Returns the stable name of the reason, for logs and metrics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Forward(_) => "allowed",
            Self::Respond(response) => response.reason,
        }
    }
}

/// How to pass a request on, and what to do with its response.
#[derive(Debug, Default)]
pub struct Forward {
    /// Edits of the request's header fields.
    pub request: HeaderEdits,
    pub(crate) session: Option<SessionBinding>,
    pub(crate) cors: Option<CorsGrant>,
}

impl Forward {
    /// Returns the edits for the response of the protected resource, whose `headers` are given
    /// with names in lower case.
    pub fn response_edits(&self, headers: &[(&str, &[u8])]) -> HeaderEdits {
        let mut edits = HeaderEdits::default();
        if let Some(session) = &self.session {
            session.bind_response(headers, &mut edits);
        }
        if let Some(cors) = &self.cors {
            cors.expose_response(headers, &mut edits);
        }
        edits
    }

    /// Tells whether [`Self::response_edits`] can ever be other than empty.
    #[must_use]
    pub const fn edits_response(&self) -> bool {
        self.session.is_some() || self.cors.is_some()
    }
}

/// Edits of a header section: first all removals, then every field is set, which replaces all its
/// values. Names are in lower case; values hold no CR, LF or NUL.
///
/// The edits of a usual request are shared or fixed, so that making them allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct HeaderEdits {
    credentials: Presence,
    remove: Vec<Cow<'static, str>>,
    principal: Option<Arc<Principal>>,
    set: Vec<(&'static str, Vec<u8>)>,
}

impl HeaderEdits {
    /// Returns the names of the fields to remove.
    pub fn removals(&self) -> impl Iterator<Item = &str> {
        self.credentials
            .names()
            .chain(self.remove.iter().map(AsRef::as_ref))
    }

    /// Returns the fields to set.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let principal = self
            .principal
            .iter()
            .flat_map(|principal| principal.fields());
        principal.chain(
            self.set
                .iter()
                .map(|(name, value)| (*name, value.as_slice())),
        )
    }

    pub(crate) const fn remove_credentials(&mut self, present: Presence) {
        self.credentials = present;
    }

    pub(crate) fn remove(&mut self, name: impl Into<Cow<'static, str>>) {
        self.remove.push(name.into());
    }

    pub(crate) fn introduce(&mut self, principal: Arc<Principal>) {
        self.principal = Some(principal);
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Vec<u8>>) {
        self.set.push((name, value.into()));
    }
}

/// A response made by the gateway.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalResponse {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case; `content-length` is the host's business.
    pub headers: Vec<(&'static str, String)>,
    /// The body. For `HEAD` the host sends its length only (RFC 9110 §9.3.2).
    pub body: Vec<u8>,
    /// The stable name of the reason, for logs and metrics; never sent.
    pub reason: &'static str,
}
