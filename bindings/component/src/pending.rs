//! What a host holds and gives back: each can be taken out once.

use portcullis_core as core;

use crate::interface::exports::portcullis::gate::gate as wit;
use crate::translate;

/// A request whose body is wanted.
pub(crate) struct Body(pub(crate) core::PendingBody);

/// A request that waits for an answer.
pub(crate) struct Request(pub(crate) core::PendingRequest);

/// A call that is under way.
pub(crate) struct Call(pub(crate) core::PendingCall);

/// What requests that wait are woken with.
pub(crate) struct Answer(pub(crate) core::Answer);

/// What the engine knows of a request that was passed on.
pub(crate) struct Passage(pub(crate) core::Forward);

impl wit::GuestPendingBody for Body {}

impl wit::GuestPendingRequest for Request {}

impl wit::GuestPendingCall for Call {}

impl wit::GuestAnswer for Answer {
    fn timed_out() -> wit::Answer {
        wit::Answer::new(Self(core::Answer::timed_out()))
    }
}

impl wit::GuestPassage for Passage {
    fn response_fields(&self) -> Vec<String> {
        let names = self.0.response_fields().iter();
        names.map(|name| (*name).to_owned()).collect()
    }

    fn response_edits(&self, headers: Vec<wit::Field>) -> wit::HeaderEdits {
        let headers = translate::lines(&headers);
        translate::edits(&self.0.response_edits(&headers))
    }
}
