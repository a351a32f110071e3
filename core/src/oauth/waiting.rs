//! What a request waits for, and how it goes on.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::grant::{Code, RefreshToken};
use super::tokens::{Tokens, TokensFinding};
use super::visit::Visit;
use crate::decision::LocalResponse;
use crate::denial::Outage;
use crate::flights::Errand;
use crate::rules::CorsGrant;

/// How far a request came.
#[derive(Debug)]
pub(crate) enum Served {
    Answer(LocalResponse),
    Await(Errand, Box<Waiting>),
}

/// What an answer waits for.
pub(crate) enum Waiting {
    /// To know the provider or the client: the request begins anew.
    Again(Visit, Vec<u8>, Tried),
    /// The provider's tokens.
    Tokens(Redemption),
    /// The provider's keys, to check an ID token.
    Keys(Redemption, Arc<Tokens>),
    /// That the provider revokes a token.
    Revocation(Option<CorsGrant>),
}

/// Codes and tokens are in it.
impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting(…)")
    }
}

/// What a request has waited for already; for nothing it waits twice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tried {
    pub(super) provider: bool,
    pub(super) client: bool,
}

/// What a client redeems for tokens, checked already.
pub(crate) struct Redemption {
    pub(super) grant: Grant,
    pub(super) cors: Option<CorsGrant>,
}

pub(super) enum Grant {
    Code(Code),
    RefreshToken(RefreshToken),
}

/// What a call brought to whoever waited for it.
pub(crate) enum Arrived<'a> {
    News,
    Tokens(&'a TokensFinding),
    Revoked(Result<(), Outage>),
    /// Nothing in time.
    Nothing,
}

/// Why an endpoint cannot answer yet, or at all.
pub(super) enum Stop {
    /// It begins anew after this.
    Again(Errand),
    Await(Errand, Box<Waiting>),
    Answer(LocalResponse),
}

impl From<LocalResponse> for Stop {
    fn from(response: LocalResponse) -> Self {
        Self::Answer(response)
    }
}

/// Why the provider cannot be asked.
pub(super) enum NoProvider {
    /// It is being looked up.
    Wait,
    Outage(Outage),
}

/// Why a client is not known.
pub(super) enum NoClient {
    Unknown,
    /// It is being looked up.
    Wait(Errand),
    Outage(Outage),
}
