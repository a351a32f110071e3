//! Decides for other proxies: they ask about each request, and pass on what is allowed.
//!
//! | Who asks | Where | The request in question |
//! | --- | --- | --- |
//! | HAProxy, Traefik, Caddy | `/decide` | `X-Forwarded-Method`, `-Host`, `-Uri`, `-For`, and its fields |
//! | nginx | `/decide/briefly` | as there; the answer to a refusal is a bare 403 |
//! | Envoy `ext_authz` by gRPC | its own path | in the message |
//! | Envoy `ext_authz` by HTTP | `/ext-authz` and its path | the question's own method, host and fields, `X-Forwarded-For` |
//!
//! Every other path is answered as by any gateway: the OAuth endpoints, `/health` and `/ready`,
//! and refusals, where a proxy cannot repeat ours.

mod allowance;
mod grpc;
mod grpc_fault;
mod grpc_frame;
mod messages;
mod original;

use std::net::IpAddr;

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use portcullis_core::rules::AddressList;
use portcullis_core::{Decision, Outcome, RequestHead};

use self::allowance::Removal;
use super::answer::{self, Failure};
use super::body::ResponseBody;
use super::head::Head;
use super::scribe::Scribe;
use super::upload::Upload;
use crate::trace::Cause;

const DECIDE: &str = "/decide";
const BRIEFLY: &str = "/decide/briefly";
const EXT_AUTHZ: &str = "/ext-authz";

/// Who asks.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    peer: IpAddr,
    /// Whether its word counts.
    is_trusted: bool,
}

impl Asker {
    /// Takes the other end of a connection, and who may ask.
    pub(super) fn new(peer: IpAddr, trusted: Option<&AddressList>) -> Self {
        Self {
            peer,
            is_trusted: trusted.is_some_and(|list| list.contains(peer)),
        }
    }
}

/// Answers one request to a gateway without a protected resource.
pub(super) async fn answer(
    scribe: &Scribe<'_>,
    asker: Asker,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Failure> {
    let (parts, body) = request.into_parts();
    let mut upload = Upload::new(body, &parts.headers);
    let asked = Asked::of(&parts);
    if matches!(asked, Asked::Grpc) {
        return Ok(grpc::answer(scribe, asker, &parts, upload).await);
    }
    let head = asked.original(&parts, asker).inspect_err(|failure| {
        scribe.note_failure(*failure, &parts, asker.peer);
    })?;
    let decision = decide(scribe, &head.as_request(asker.peer), &mut upload).await;
    upload.drain();
    let answer = match asked {
        Asked::Itself | Asked::Grpc => speak(decision, &parts.method),
        Asked::Decide | Asked::Briefly => reply(decision, &parts.method, Removal::ByConfiguration),
        Asked::ExtAuthz => reply(decision, &parts.method, Removal::ByAnswer),
    };
    let answer = answer.inspect_err(|failure| {
        let telemetry = &scribe.service.telemetry;
        telemetry.count_forward_failure(failure.reason());
    });
    match (asked, answer) {
        (Asked::Briefly, Ok(answer)) if !answer.status().is_success() => Ok(bare_refusal()),
        (Asked::Briefly, Err(failure)) if failure.outcome() == Outcome::Refused => {
            Ok(bare_refusal())
        }
        (_, answer) => answer,
    }
}

/// What a request to us is.
#[derive(Clone, Copy)]
enum Asked {
    /// One for us to answer.
    Itself,
    /// A question, with the request in fields.
    Decide,
    /// The same, from a proxy that can tell its client nothing but yes or no.
    Briefly,
    /// A question that is the request, but for the start of its path.
    ExtAuthz,
    /// A question in a message.
    Grpc,
}

impl Asked {
    fn of(parts: &Parts) -> Self {
        // A client's preflight may come here with any path and any fields, by a proxy that is
        // trusted.
        let asks = parts.method != Method::OPTIONS;
        match parts.uri.path() {
            DECIDE if asks => Self::Decide,
            BRIEFLY if asks => Self::Briefly,
            _ if grpc::is_call(parts) => Self::Grpc,
            path if path
                .strip_prefix(EXT_AUTHZ)
                .is_some_and(|rest| rest.starts_with('/')) =>
            {
                Self::ExtAuthz
            }
            _ => Self::Itself,
        }
    }

    /// Returns the request to decide on.
    fn original(self, parts: &Parts, asker: Asker) -> Result<Head<'_>, Failure> {
        match self {
            Self::Itself | Self::Grpc => Head::of(parts),
            _ if !asker.is_trusted => Err(Failure::AskerNotTrusted),
            Self::Decide | Self::Briefly => original::forwarded(parts),
            Self::ExtAuthz => original::sent_on(parts, EXT_AUTHZ),
        }
    }
}

async fn decide(scribe: &Scribe<'_>, head: &RequestHead<'_>, upload: &mut Upload) -> Decision {
    // The proxy in front has the span; ours would only say the same again.
    let cause = Cause::of(head);
    let cause = cause.as_ref();
    let decided = scribe.service.gate.decide(head, upload, cause).await;
    scribe.note(head, &decided, cause);
    decided.decision
}

/// Tells a proxy what was decided.
fn reply(
    decision: Decision,
    method: &Method,
    removal: Removal,
) -> Result<Response<ResponseBody>, Failure> {
    match decision {
        Decision::Forward(forward) => allowance::respond(&forward, removal),
        // To who asks it would say that the request is allowed.
        Decision::Respond(local) if removal.is_consent(local.status) => Err(Failure::OwnAnswer),
        Decision::Respond(local) => Ok(answer::respond(local, method)),
    }
}

/// Tells a client what was decided.
fn speak(decision: Decision, method: &Method) -> Result<Response<ResponseBody>, Failure> {
    match decision {
        Decision::Respond(local) => Ok(answer::respond(local, method)),
        Decision::Forward(_) if *method == Method::CONNECT => Err(Failure::BadMethod),
        // A proxy that was refused so comes here for the words.
        Decision::Forward(forward) if allowance::needs_removal(&forward) => {
            Err(Failure::FieldStays)
        }
        Decision::Forward(_) => Err(Failure::NoUpstream),
    }
}

fn bare_refusal() -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::local(Full::default()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}
