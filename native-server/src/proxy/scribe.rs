//! Writes down what was decided.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::request::Parts;
use portcullis_core::audit::{AuditRecord, Basis, plain_path};
use portcullis_core::{Decision, HeaderEdits, Outcome, Peer, Reason, RequestHead};

use super::answer::Failure;
use super::decide::Decided;
use super::service::Service;
use crate::telemetry::{Refusal, Shard};
use crate::trace::{Cause, TraceContext};

/// Tells of the decisions of one service, in the figures of one worker.
pub(super) struct Scribe<'a> {
    pub(super) service: &'a Service,
    pub(super) shard: &'a Shard,
}

/// What is written down of a request.
struct Entry<'a> {
    head: &'a RequestHead<'a>,
    outcome: Outcome,
    reason: Reason,
    /// The status of an answer of our own.
    status: Option<u16>,
    identity: Option<&'a HeaderEdits>,
    basis: Basis,
    took: Duration,
    trace: Option<TraceContext>,
}

impl Scribe<'_> {
    /// Notes a decision.
    pub(super) fn note(&self, head: &RequestHead<'_>, decided: &Decided, cause: Option<&Cause>) {
        self.shard.engine.note(decided.engine);
        self.shard.waits.note(decided.whole);
        let decision = &decided.decision;
        let (status, identity) = match decision {
            Decision::Forward(forward) => (None, Some(&forward.request)),
            Decision::Respond(local) => (Some(local.status), None),
        };
        self.enter(&Entry {
            head,
            outcome: decision.outcome(),
            reason: decision.reason(),
            status,
            identity,
            basis: decided.basis,
            took: decided.whole,
            trace: cause.map(|cause| cause.context),
        });
    }

    /// Notes a request that is none to the engine.
    pub(super) fn note_failure(&self, failure: Failure, parts: &Parts, peer: IpAddr) {
        let head = RequestHead {
            method: parts.method.as_str().as_bytes(),
            authority: b"",
            path: parts.uri.path().as_bytes(),
            headers: &[],
            peer: Peer::Address(peer),
        };
        self.enter(&Entry {
            head: &head,
            outcome: failure.outcome(),
            reason: failure.reason(),
            status: Some(failure.status().as_u16()),
            identity: None,
            basis: Basis::Request,
            took: Duration::ZERO,
            trace: None,
        });
    }

    fn enter(&self, entry: &Entry<'_>) {
        let (gate, telemetry) = (&self.service.gate, &self.service.telemetry);
        let (outcome, reason) = (entry.outcome, entry.reason);
        self.shard.count(gate.mode, outcome, reason);
        let source = entry.basis.name();
        tracing::debug!(reason = reason.name(), source, "decided");
        if let Some(audit) = telemetry.audit.as_ref()
            && audit.wants(outcome)
        {
            audit.write(&AuditRecord {
                at: SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default(),
                head: entry.head,
                outcome,
                reason,
                status: entry.status,
                identity: entry.identity,
                mode: gate.mode.name(),
                own_id: Some(audit.request_id()),
                client: gate.client(entry.head),
                basis: entry.basis,
                took: entry.took,
                trace_id: entry.trace.map(|trace| trace.trace_id()),
            });
        }
        if let (Some(status), Outcome::Refused | Outcome::Failed) = (entry.status, outcome) {
            telemetry.refusals().keep(|| Refusal {
                at: SystemTime::now(),
                reason,
                status,
                method: plain_path(entry.head.method),
                path: plain_path(entry.head.path),
                client: gate.client(entry.head),
            });
        }
    }
}
