//! The traces of requests and of the calls that they cause.

use std::time::SystemTime;

use http::request::Parts;
use http::{HeaderMap, Method};
use portcullis_core::audit::{Basis, plain_path};
use portcullis_core::{CallOutcome, Outcome, Reason, UpstreamCall, call_outcome_name};

use crate::telemetry::Telemetry;
use crate::trace::{Cause, Incoming, Kind, Span, TraceContext};

/// The trace of one request.
pub(super) struct Trail {
    incoming: Incoming,
    own: Option<Own>,
    /// What is passed on to calls.
    cause: Option<Cause>,
}

/// A span of ours.
struct Own {
    context: TraceContext,
    start: SystemTime,
    method: &'static str,
    path: String,
}

/// What a span of a request tells.
pub(super) struct Told {
    pub(super) mode: &'static str,
    pub(super) outcome: Outcome,
    pub(super) reason: Reason,
    pub(super) basis: Basis,
    /// The status that the client gets.
    pub(super) status: u16,
}

impl Trail {
    /// Begins with what the client says, and with a span where spans are wanted.
    pub(super) fn begin(telemetry: &Telemetry, parts: &Parts) -> Self {
        let incoming = Incoming::of(&parts.headers);
        let tracer = telemetry.tracer.as_ref();
        let context = tracer.and_then(|tracer| tracer.begin(incoming.context()));
        let own = context.map(|context| Own {
            context,
            start: SystemTime::now(),
            method: known_method(&parts.method),
            path: plain_path(parts.uri.path().as_bytes()),
        });
        let cause = incoming.cause(context, &parts.headers);
        Self {
            incoming,
            own,
            cause,
        }
    }

    /// Returns what is passed on: a span of ours, or else what came.
    pub(super) const fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// Leaves in `headers` what the protected resource is to know.
    pub(super) fn pass_on(&self, headers: &mut HeaderMap) {
        let own = self.own.as_ref().map(|own| &own.context);
        self.incoming.pass_on(own, headers);
    }

    /// Ends the span, if there is one.
    pub(super) fn end(self, telemetry: &Telemetry, told: &Told) {
        let (Some(own), Some(tracer)) = (self.own, &telemetry.tracer) else {
            return;
        };
        tracer.end(Span {
            context: own.context,
            parent: self.incoming.context().map(|parent| parent.span),
            name: "request",
            kind: Kind::Server,
            start: own.start,
            end: SystemTime::now(),
            attributes: vec![
                ("http.request.method", own.method.into()),
                ("url.path", own.path.into()),
                ("http.response.status_code", told.status.into()),
                ("portcullis.mode", told.mode.into()),
                ("portcullis.outcome", told.outcome.name().into()),
                ("portcullis.reason", told.reason.name().into()),
                ("portcullis.source", told.basis.name().into()),
            ],
            failed: told.status >= 500,
        });
    }
}

/// The trace of one call.
pub(super) struct CallTrace {
    parent: Option<TraceContext>,
    own: Option<TraceContext>,
    start: SystemTime,
}

impl CallTrace {
    /// Begins a span below `cause`, and has the call name it.
    pub(super) fn begin(
        telemetry: &Telemetry,
        cause: Option<&Cause>,
        call: &mut UpstreamCall,
    ) -> Self {
        let tracer = telemetry.tracer.as_ref();
        let parent = cause.map(|cause| cause.context);
        let own = tracer.and_then(|tracer| tracer.begin(parent));
        if let Some(context) = own.or(parent) {
            let value = context.to_string().into_bytes();
            call.headers.push(("traceparent", value));
        }
        if let Some(state) = cause.and_then(|cause| cause.state.as_ref()) {
            let value = state.as_str().as_bytes().to_vec();
            call.headers.push(("tracestate", value));
        }
        Self {
            parent,
            own,
            start: SystemTime::now(),
        }
    }

    /// Ends the span, if there is one.
    pub(super) fn end(self, telemetry: &Telemetry, call: &UpstreamCall, outcome: &CallOutcome) {
        let (Some(context), Some(tracer)) = (self.own, &telemetry.tracer) else {
            return;
        };
        let mut attributes = vec![
            ("http.request.method", call.method.into()),
            ("server.address", call.url.host().into()),
            ("portcullis.outcome", call_outcome_name(outcome).into()),
        ];
        if let Ok(response) = outcome {
            attributes.push(("http.response.status_code", response.status.into()));
        }
        tracer.end(Span {
            context,
            parent: self.parent.map(|parent| parent.span),
            name: "call",
            kind: Kind::Client,
            start: self.start,
            end: SystemTime::now(),
            attributes,
            failed: call_outcome_name(outcome) != "response",
        });
    }
}

/// Returns a method by its name, or what OpenTelemetry has for one that nobody knows: it may be as
/// long as a client likes.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    let known = KNOWN.into_iter().find(|known| method == known);
    known.unwrap_or("_OTHER")
}
