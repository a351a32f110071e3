//! Between the core's types and those of the interface.

use std::net::IpAddr;

use portcullis_core as core;

use crate::interface::exports::portcullis::gate::gate as wit;
use crate::pending::{Body, Passage, Request};

/// Returns field lines as a request or response head of the core has them.
pub(crate) fn lines(fields: &[wit::Field]) -> Vec<(&str, &[u8])> {
    let fields = fields.iter();
    fields.map(|field| (&*field.name, &*field.value)).collect()
}

/// Reads an address; Node.js and others write IPv4 addresses as IPv6 ones where they listen on
/// both.
pub(crate) fn peer(address: Option<&str>) -> core::Peer<'_> {
    let address = address.and_then(|text| text.parse::<IpAddr>().ok());
    address.map_or(core::Peer::Unknown, |address| {
        core::Peer::Address(address.to_canonical())
    })
}

/// Returns what the host read of a body.
pub(crate) fn body(body: &wit::RequestBody) -> core::RequestBody<'_> {
    match body {
        wit::RequestBody::Whole(octets) => core::RequestBody::Whole(octets),
        wit::RequestBody::TooLarge => core::RequestBody::TooLarge,
        wit::RequestBody::Missing => core::RequestBody::Missing,
    }
}

/// Returns what became of a call.
pub(crate) fn outcome(
    outcome: Result<wit::UpstreamResponse, wit::CallFailure>,
) -> core::CallOutcome {
    match outcome {
        Ok(response) => Ok(core::UpstreamResponse {
            status: response.status,
            headers: response
                .headers
                .into_iter()
                .map(|field| (field.name, field.value))
                .collect(),
            body: response.body,
        }),
        Err(failure) => Err(match failure {
            wit::CallFailure::NotSent => core::CallFailure::NotSent,
            wit::CallFailure::Unreachable => core::CallFailure::Unreachable,
            wit::CallFailure::TimedOut => core::CallFailure::TimedOut,
            wit::CallFailure::Cut => core::CallFailure::Cut,
            wit::CallFailure::TooLarge => core::CallFailure::TooLarge,
        }),
    }
}

/// Returns what the host does next; what is pending goes along as a resource.
pub(crate) fn step(step: core::Step) -> wit::Step {
    match step {
        core::Step::Decide(decision) => wit::Step::Decide(self::decision(decision)),
        core::Step::ReadBody {
            max_octets,
            pending,
        } => wit::Step::ReadBody(wit::BodyWanted {
            max_octets: wide(max_octets),
            pending: wit::PendingBody::new(Body(pending)),
        }),
        core::Step::Wait { ticket, pending } => wit::Step::Wait(wit::Parked {
            ticket: ticket.number(),
            pending: wit::PendingRequest::new(Request(pending)),
        }),
    }
}

fn decision(decision: core::Decision) -> wit::Decision {
    match decision {
        core::Decision::Forward(forward) => wit::Decision::Forward(wit::Forward {
            request: edits(&forward.request),
            passage: wit::Passage::new(Passage(forward)),
        }),
        core::Decision::Respond(response) => wit::Decision::Respond(wit::LocalResponse {
            status: response.status,
            headers: response
                .headers
                .into_iter()
                .map(|(name, value)| field(name, value.as_bytes()))
                .collect(),
            body: response.body,
            reason: response.reason.name().to_owned(),
        }),
    }
}

/// Returns edits of a head.
pub(crate) fn edits(edits: &core::HeaderEdits) -> wit::HeaderEdits {
    let removals = edits.removals();
    wit::HeaderEdits {
        remove: removals.map(str::to_owned).collect(),
        add: fields(edits.additions()),
        set: fields(edits.replacements()),
    }
}

/// Returns a call that the host is to send.
pub(crate) fn call(call: core::UpstreamCall) -> wit::UpstreamCall {
    wit::UpstreamCall {
        method: call.method.to_owned(),
        url: call.url.to_string(),
        headers: fields(call.headers.iter().map(|(name, value)| (*name, &**value))),
        body: call.body,
        timeout_seconds: call.timeout_seconds,
        max_response_octets: wide(call.max_response_bytes),
        reach: match call.reach {
            core::Reach::Anywhere => wit::Reach::Anywhere,
            core::Reach::Public => wit::Reach::PublicOnly,
        },
    }
}

fn fields<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<wit::Field> {
    fields.map(|(name, value)| field(name, value)).collect()
}

fn field(name: &str, value: &[u8]) -> wit::Field {
    wit::Field {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn wide(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX)
}
