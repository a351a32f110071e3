//! The answer to one request, for the host to carry out.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::identity::{Presence, Principal};
use crate::reason::Reason;
use crate::rules::{CorsGrant, OWNED, VARY};
use crate::session::{self, SessionBinding};

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
    /// Returns the reason, for logs and metrics.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Forward(_) => Reason::Allowed,
            Self::Respond(response) => response.reason,
        }
    }

    /// Returns what became of the request.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Forward(_) => Outcome::Forwarded,
            Self::Respond(response) => Outcome::of(response.status, response.reason),
        }
    }
}

/// What became of a request, for logs and metrics.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// It was passed to the protected resource.
    Forwarded,
    /// The gateway answered it as it asked: metadata, a token, a preflight, a probe.
    Answered,
    /// It was refused.
    Refused,
    /// It could be neither allowed nor refused, since something is out of order.
    Failed,
}

impl Outcome {
    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 4] = [Self::Forwarded, Self::Answered, Self::Refused, Self::Failed];

    /// Returns the place in [`Self::ALL`].
    #[must_use]
    #[expect(
        clippy::as_conversions,
        reason = "the number of a variant, which no conversion trait gives"
    )]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns what an answer of the gateway with this status and for this reason is.
    #[must_use]
    pub const fn of(status: u16, reason: Reason) -> Self {
        match (status, reason) {
            // What every client looks for, and is told properly.
            (_, Reason::NoOAuth) | (..400, _) => Self::Answered,
            (400..500, _) => Self::Refused,
            (500.., _) => Self::Failed,
        }
    }

    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
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
    /// Returns the names of the response's fields that [`Self::response_edits`] reads; where there
    /// are none, it has nothing to edit.
    #[must_use]
    pub const fn response_fields(&self) -> &'static [&'static str] {
        match (&self.session, &self.cors) {
            (None, None) => &[],
            (Some(_), None) => &[session::FIELD],
            (_, Some(_)) => &CORS_FIELDS,
        }
    }

    /// Returns the edits for the response of the protected resource; `headers` are its lines of
    /// [`Self::response_fields`], or more than those, with names in lower case.
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
}

/// The fields of a response that a browser's permission and a session are about.
const CORS_FIELDS: [&str; 5] = {
    let [origin, credentials, expose] = OWNED;
    [session::FIELD, origin, credentials, expose, VARY]
};

/// Edits of a header section: first all removals, then all additions, then every field is set,
/// which replaces all its values. Names are in lower case; values hold no CR, LF or NUL.
///
/// No line of a field that is added is left after the removals, so that a host need not look for
/// one; and no more than one line of a field that is set in a request, so that a host which
/// replaces only the first line need not clear the field before.
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

    /// Returns the fields to add, then those to set.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.additions().chain(self.replacements())
    }

    /// Returns the fields to add.
    pub fn additions(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let principal = self.principal.iter();
        principal.flat_map(|principal| principal.fields())
    }

    /// Returns the fields to set.
    pub fn replacements(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let set = self.set.iter();
        set.map(|(name, value)| (*name, value.as_slice()))
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
    /// The reason, for logs and metrics; never sent.
    pub reason: Reason,
}
