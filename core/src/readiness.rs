//! `/health`, and `/ready`: whether tokens can be checked and the protected resource answers.

use alloc::vec::Vec;

use crate::ambient::UnixSeconds;
use crate::decision::LocalResponse;
use crate::denial::json_response;
use crate::reason::Reason;
use crate::upstream::{CallFailure, CallOutcome, Reach, UpstreamCall};
use crate::url::HttpUrl;

const TIMEOUT_SECONDS: u32 = 2;
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// How long the protected resource's answer counts, so that probes cannot flood it, in seconds.
const REUSE_SECONDS: u64 = 2;

/// What was last seen of the protected resource.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    seen: Option<(UnixSeconds, bool)>,
}

/// A probe that waits, and what it waited for already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AwaitReady {
    pub(crate) jwks_tried: bool,
    pub(crate) resource_tried: bool,
    pub(crate) out_of_time: bool,
}

impl AwaitReady {
    /// A probe that may not wait for anything more.
    pub(crate) const OUT_OF_TIME: Self = Self {
        jwks_tried: true,
        resource_tried: true,
        out_of_time: true,
    };

    /// Returns what waiting for the protected resource showed, however long ago: a host may be
    /// late with telling.
    pub(crate) const fn resource(self, readiness: &Readiness) -> Component {
        match readiness.seen {
            Some((_, true)) if !self.out_of_time => Component::Reachable,
            Some(_) | None => Component::Unreachable,
        }
    }
}

/// One thing that readiness depends on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Component {
    Reachable,
    Unreachable,
    /// The mode has none, or it was not named.
    Unused,
}

impl Readiness {
    /// Returns whether the protected resource answered, if that was seen a moment ago.
    pub(crate) fn resource(&self, now: UnixSeconds) -> Option<Component> {
        let (seen, reachable) = self.seen?;
        let recent = seen <= now && now.since(seen) < REUSE_SECONDS;
        recent.then_some(if reachable {
            Component::Reachable
        } else {
            Component::Unreachable
        })
    }

    /// Takes what a probe showed.
    pub(crate) const fn finish(&mut self, reachable: bool, now: UnixSeconds) {
        self.seen = Some((now, reachable));
    }
}

/// Tells what a probe shows. Any answer that is not a server error will do: most MCP servers have
/// nothing at this path.
pub(crate) fn shows_reachable(outcome: &CallOutcome) -> bool {
    match outcome {
        Ok(response) => response.status < 500,
        Err(failure) => *failure == CallFailure::TooLarge,
    }
}

/// Makes the probe of the protected resource.
pub(crate) fn probe(resource: &HttpUrl) -> UpstreamCall {
    UpstreamCall {
        url: resource.with_path("/health"),
        method: "GET",
        headers: [("accept", b"application/json".to_vec())].into(),
        body: Vec::new(),
        timeout_seconds: TIMEOUT_SECONDS,
        max_response_bytes: MAX_ANSWER_BYTES,
        reach: Reach::Anywhere,
    }
}

/// Makes the answer to `/health`: the gateway runs.
pub(crate) fn health() -> LocalResponse {
    json_response(
        200,
        Vec::new(),
        br#"{"status":"ok"}"#.to_vec(),
        Reason::Health,
        None,
    )
}

/// Makes the answer to `/ready`.
pub(crate) fn respond(jwks: Component, resource: Component) -> LocalResponse {
    let ready = jwks != Component::Unreachable && resource != Component::Unreachable;
    let (status, word, reason) = if ready {
        (200, "ready", Reason::Ready)
    } else {
        (503, "unavailable", Reason::NotReady)
    };
    let body = alloc::format!(
        "{{\"status\":\"{word}\",\"jwks\":\"{}\",\"protected_resource\":\"{}\"}}",
        jwks.word(),
        resource.word()
    );
    json_response(status, Vec::new(), body.into_bytes(), reason, None)
}

impl Component {
    const fn word(self) -> &'static str {
        match self {
            Self::Reachable => "ok",
            Self::Unreachable => "unavailable",
            Self::Unused => "unused",
        }
    }
}
