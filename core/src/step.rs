//! What goes between engine and host: steps, suspended requests, calls under way.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decision::{Decision, LocalResponse};
use crate::denial::{Denial, Outage};
use crate::digest::Digest;
use crate::flights::Errand;
use crate::identity::Principal;
use crate::jose::SignatureCheck;
use crate::modes::{Awaiting, Validation};
use crate::oauth::{TokensFinding, Visit, Waiting, document_errand};
use crate::passage::Passage;
use crate::readiness::AwaitReady;
use crate::rules::CorsGrant;

/// What the host does next with a request.
#[must_use]
#[derive(Debug)]
pub enum Step {
    /// The request is decided.
    Decide(Decision),
    /// Read the body of the request, of at most `max_octets`, then give it and `pending` to
    /// [`Engine::handle_body`](crate::Engine::handle_body). Nothing of it may reach the protected
    /// resource.
    ReadBody {
        /// The most octets to read.
        max_octets: usize,
        /// The suspended request.
        pending: PendingBody,
    },
    /// Park the request until a [`Wake`] names `ticket`, then give its answer and `pending` to
    /// [`Engine::handle_wake`](crate::Engine::handle_wake). Dropping `pending` is all it takes to give up.
    Wait {
        /// Names this request in [`Wake::tickets`].
        ticket: Ticket,
        /// The suspended request.
        pending: PendingRequest,
    },
}

impl Step {
    pub(crate) const fn respond(response: LocalResponse) -> Self {
        Self::Decide(Decision::Respond(response))
    }
}

/// How a request begins; see [`Engine::open_request`](crate::Engine::open_request).
#[must_use]
pub enum Opening<'a> {
    /// As after [`Engine::handle_request`](crate::Engine::handle_request).
    Step(Step),
    /// Run `check`, then give the result and `pending` to
    /// [`Engine::handle_check`](crate::Engine::handle_check).
    Check {
        /// The signature of the request's token.
        check: SignatureCheck<'a>,
        /// The suspended request.
        pending: PendingCheck,
    },
}

impl From<Step> for Opening<'_> {
    fn from(step: Step) -> Self {
        Self::Step(step)
    }
}

/// A request whose signature is being checked, owned by the host.
#[derive(Debug)]
pub struct PendingCheck(pub(crate) Passage);

/// A request whose body is being read, owned by the host.
#[derive(Debug)]
pub struct PendingBody(pub(crate) Visit);

/// The body of a request, as far as the host could read it.
#[derive(Clone, Copy)]
pub enum RequestBody<'a> {
    /// All of it, no longer than was allowed.
    Whole(&'a [u8]),
    /// It is longer than was allowed.
    TooLarge,
    /// It did not come in time, or the host cannot have it.
    Missing,
}

/// Names one parked request within one engine.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(u64);

impl Ticket {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number that stands for it where values have no types of their own.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// A request that waits for a call, owned by the host.
#[derive(Debug)]
pub struct PendingRequest(pub(crate) Suspended);

#[derive(Debug)]
pub(crate) enum Suspended {
    Protected {
        passage: Passage,
        awaiting: Awaiting,
    },
    Ready(AwaitReady),
    Metadata(Option<CorsGrant>),
    Visit(Box<Waiting>),
}

/// A call that is under way, owned by the host.
#[derive(Debug)]
pub struct PendingCall {
    pub(crate) underway: Underway,
    /// The number that it was given when it started.
    pub(crate) flight: u64,
}

#[derive(Debug)]
pub(crate) enum Underway {
    Discovery,
    Jwks,
    Validation(Validation),
    /// The provider's tokens for the code with this digest.
    Exchange(Digest),
    /// The provider's tokens for the refresh token with this digest.
    Refresh(Digest),
    Revocation(Digest),
    /// The document of the client with this identifier.
    ClientDocument(String),
    ProtectedResource,
}

impl PendingCall {
    pub(crate) const fn new(underway: Underway) -> Self {
        Self {
            underway,
            flight: 0,
        }
    }

    /// Returns what names the call to engines with the same settings in other workers, of which
    /// one makes it for all; `None` where each makes its own. It is the digest of a credential, so
    /// it is not to be shown without a key.
    #[must_use]
    pub fn name(&self) -> Option<Digest> {
        match &self.underway {
            Underway::Jwks => Some(Digest::of(&[b"jwks"])),
            Underway::Validation(validation) => Some(validation.name()),
            Underway::Refresh(digest) => Some(Digest::of(&[b"renewal", digest.as_bytes()])),
            Underway::Discovery
            | Underway::Exchange(_)
            | Underway::Revocation(_)
            | Underway::ClientDocument(_)
            | Underway::ProtectedResource => None,
        }
    }

    pub(crate) fn errand(&self) -> Errand {
        match &self.underway {
            // Who waits for keys waits for both.
            Underway::Discovery | Underway::Jwks => Errand::Jwks,
            Underway::Validation(validation) => Errand::ClientCredentials(validation.digest),
            Underway::Exchange(digest) => Errand::Exchange(*digest),
            Underway::Refresh(digest) => Errand::Renewal(*digest),
            Underway::Revocation(digest) => Errand::Revocation(*digest),
            Underway::ClientDocument(client_id) => document_errand(client_id),
            Underway::ProtectedResource => Errand::ProtectedResource,
        }
    }
}

/// Whose call a finding is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The engine's own.
    OwnCall,
    /// That of another engine with the same settings.
    OtherEngine,
}

/// What a call brought, for every request that waited for it.
#[derive(Clone, Debug)]
pub struct Answer(pub(crate) Brought);

#[derive(Clone, Debug)]
pub(crate) enum Brought {
    /// The engine took it in; look again.
    News,
    /// What the token endpoint said of the credential with this digest.
    Validated(Digest, Result<Arc<Principal>, Denial>),
    /// What the provider's token endpoint said.
    Tokens(Arc<TokensFinding>),
    /// Whether the provider revoked a token.
    Revoked(Result<(), Outage>),
    NothingInTime,
}

impl Answer {
    /// Returns the answer for a request that its host will not let wait any longer.
    #[must_use]
    pub const fn timed_out() -> Self {
        Self(Brought::NothingInTime)
    }
}

/// The requests that a finished call wakes.
#[must_use]
#[derive(Debug)]
pub struct Wake {
    /// The requests, oldest first; the host ignores those that are gone.
    pub tickets: Vec<Ticket>,
    /// What each of them is given.
    pub answer: Answer,
}
