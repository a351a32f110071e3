//! What a request needs once its caller is known: edits of its head and of its response.

use alloc::borrow::ToOwned as _;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decision::{Forward, HeaderEdits};
use crate::denial::Denial;
use crate::identity::{self, Principal};
use crate::modes::Authenticator;
use crate::request::{RequestHead, Single};
use crate::rules::CorsGrant;
use crate::session::{FIELD as SESSION, SessionBinding};

/// The part of a request that outlives a wait. It holds no credential.
#[derive(Debug)]
pub(crate) struct Passage {
    edits: HeaderEdits,
    session: PresentedSession,
    cors: Option<CorsGrant>,
}

#[derive(Debug)]
enum PresentedSession {
    None,
    One(Vec<u8>),
    Several,
}

impl Passage {
    pub(crate) fn of(
        head: &RequestHead<'_>,
        authenticator: &Authenticator,
        cors: Option<CorsGrant>,
    ) -> Self {
        let mut edits = HeaderEdits::default();
        identity::strip(head, authenticator.credential_fields(), &mut edits);
        for (name, _) in head.headers {
            // A server that takes another spelling for the field must not see an unbound id.
            if *name != SESSION && identity::same_field(name, SESSION) {
                edits.remove((*name).to_owned());
            }
        }
        if cors.is_some() {
            // It was checked here; the protected resource knows nothing of the gateway's origins.
            edits.remove("origin");
        }
        if head.values(SESSION).nth(1).is_some() {
            // Of what is set later, one line at most may be left: see `HeaderEdits`.
            edits.remove(SESSION);
        }
        let session = match head.single(SESSION) {
            Single::Absent => PresentedSession::None,
            Single::Value(id) => PresentedSession::One(id.to_vec()),
            Single::Repeated => PresentedSession::Several,
        };
        Self {
            edits,
            session,
            cors,
        }
    }

    /// Lets a request pass to where the authorization server is: as it is, but for an identity that
    /// nobody has.
    pub(crate) fn of_nobody(head: &RequestHead<'_>) -> Forward {
        let mut request = HeaderEdits::default();
        identity::strip(head, &[], &mut request);
        Forward {
            request,
            session: None,
            cors: None,
        }
    }

    pub(crate) const fn cors(&self) -> Option<&CorsGrant> {
        self.cors.as_ref()
    }

    /// Replaces the session id that the client presented by the protected resource's, if it is
    /// one of the sessions that `binding` is about.
    pub(crate) fn open_session(&mut self, binding: &SessionBinding) -> Result<(), Denial> {
        match &self.session {
            PresentedSession::None => {}
            PresentedSession::One(presented) => {
                let id = binding.open(presented).ok_or(Denial::SessionNotFound)?;
                self.edits.set(SESSION, id);
            }
            PresentedSession::Several => return Err(Denial::SessionNotFound),
        }
        Ok(())
    }

    /// Lets the request of `principal` pass.
    pub(crate) fn forward(
        self,
        principal: Arc<Principal>,
        session: Option<SessionBinding>,
    ) -> Forward {
        let mut request = self.edits;
        request.introduce(principal);
        Forward {
            request,
            session,
            cors: self.cors,
        }
    }
}
