//! What caused a call.

use portcullis_core::{RequestHead, TraceState};

use super::context::TraceContext;

/// The part of a trace that a call belongs to, as the call is to tell it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cause {
    pub(crate) context: TraceContext,
    pub(crate) state: Option<TraceState>,
}

impl Cause {
    /// Returns what a request says of its trace, if that can be passed on.
    pub(crate) fn of(head: &RequestHead<'_>) -> Option<Self> {
        let mut values = head.values("traceparent");
        let context = match (values.next(), values.next()) {
            (Some(value), None) => TraceContext::parse(value)?,
            (Some(_), Some(_)) | (None, _) => return None,
        };
        Some(Self {
            context,
            state: TraceState::of(head.values("tracestate")),
        })
    }
}
