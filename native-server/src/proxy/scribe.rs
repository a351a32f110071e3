//! Writes down what was decided.

use std::net::IpAddr;
use std::time::SystemTime;

use http::request::Parts;
use portcullis_core::{Decision, Outcome, Reason, RequestHead};

use super::answer::Failure;
use super::decide::Decided;
use super::service::Service;
use crate::telemetry::{Refusal, Shard, plain_path};

/// Tells of the decisions of one service, in the figures of one worker.
pub(super) struct Scribe<'a> {
    pub(super) service: &'a Service,
    pub(super) shard: &'a Shard,
}

impl Scribe<'_> {
    /// Notes a decision.
    pub(super) fn note(&self, head: &RequestHead<'_>, decided: &Decided) {
        let decision = &decided.decision;
        let (outcome, reason) = (decision.outcome(), decision.reason());
        self.shard.count(self.service.gate.mode, outcome, reason);
        self.shard.engine.note(decided.engine);
        self.shard.waits.note(decided.whole);
        tracing::debug!(
            reason = reason.name(),
            source = decided.source.name(),
            "decided"
        );
        if let (Decision::Respond(local), Outcome::Refused | Outcome::Failed) = (decision, outcome)
        {
            let client = || self.service.gate.client(head);
            self.keep_refusal(reason, local.status, head.method, head.path, client);
        }
    }

    /// Notes a request that is none to the engine.
    pub(super) fn note_failure(&self, failure: Failure, parts: &Parts, peer: IpAddr) {
        let (outcome, reason) = (failure.outcome(), failure.reason());
        self.shard.count(self.service.gate.mode, outcome, reason);
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        let (method, path) = (method.as_bytes(), path.as_bytes());
        self.keep_refusal(reason, failure.status().as_u16(), method, path, || {
            Some(peer)
        });
    }

    fn keep_refusal(
        &self,
        reason: Reason,
        status: u16,
        method: &[u8],
        path: &[u8],
        client: impl FnOnce() -> Option<IpAddr>,
    ) {
        self.service.telemetry.refusals().keep(|| Refusal {
            at: SystemTime::now(),
            reason,
            status,
            method: plain_path(method),
            path: plain_path(path),
            client: client(),
        });
    }
}
