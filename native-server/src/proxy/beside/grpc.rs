//! Envoy's authorization service by gRPC: one call, one message each way.

use std::net::IpAddr;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, Version};
use portcullis_core::{Decision, Forward, LocalResponse};

use super::Asker;
use super::allowance::removed;
use super::grpc_fault::{Fault, OK, PERMISSION_DENIED};
use super::grpc_frame as frame;
use super::messages::{
    self as wire, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValueOption, HttpRequest,
    HttpStatus, OVERWRITE, OkHttpResponse,
};
use crate::proxy::answer::Failure;
use crate::proxy::body::ResponseBody;
use crate::proxy::head::{Head, MAX_FIELDS};
use crate::proxy::scribe::Scribe;
use crate::proxy::upload::Upload;

/// Where the service is.
const SERVICE: &str = "/envoy.service.auth.v3.Authorization/";
const METHOD: &str = "Check";

/// Tells whether a request is a call. Calls are made by HTTP/2 only: what a proxy sends on for a
/// client by HTTP/1.1 is not its own question.
///
/// Other services have no answer in gRPC's words, which come with a status of 200: to a proxy that
/// asks at the path of its client it would be a permission.
pub(super) fn is_call(parts: &Parts) -> bool {
    parts.version == Version::HTTP_2
        && parts.method == Method::POST
        && parts.uri.path().starts_with(SERVICE)
}

/// Answers one call; what cannot be decided is refused in words for the client.
pub(super) async fn answer(
    scribe: &Scribe<'_>,
    asker: Asker,
    parts: &Parts,
    mut upload: Upload,
) -> Response<ResponseBody> {
    let request = match question(parts, &mut upload).await {
        Ok(request) => request,
        Err(fault) => {
            tracing::debug!(fault = fault.name(), "a call by gRPC is out of order");
            upload.drain();
            return fault.respond();
        }
    };
    let answer = match original(&request, asker) {
        Ok((head, client)) => {
            match super::decide(scribe, &head.as_request(client), &mut upload).await {
                Decision::Forward(forward) => allowed(&forward),
                Decision::Respond(local) => denied(local),
            }
        }
        Err(failure) => {
            scribe.note_failure(failure, parts, asker.peer);
            failure.log();
            denied(failure.into_local())
        }
    };
    frame::respond(&answer)
}

async fn question(parts: &Parts, upload: &mut Upload) -> Result<CheckRequest, Fault> {
    frame::check_fields(&parts.headers)?;
    if parts.uri.path().strip_prefix(SERVICE) != Some(METHOD) {
        return Err(Fault::Method);
    }
    frame::read(upload).await
}

/// Returns the request to decide on, and where it came from.
fn original(request: &CheckRequest, asker: Asker) -> Result<(Head<'_>, IpAddr), Failure> {
    if !asker.is_trusted {
        return Err(Failure::AskerNotTrusted);
    }
    let (head, client) = described(request).ok_or(Failure::NoOriginal)?;
    if head.headers.len() > MAX_FIELDS {
        return Err(Failure::TooManyFields);
    }
    Ok((head, client))
}

fn described(request: &CheckRequest) -> Option<(Head<'_>, IpAddr)> {
    let attributes = request.attributes.as_ref()?;
    let source = attributes.source.as_ref()?.address.as_ref()?;
    let client = source.socket_address.as_ref()?.address.parse().ok()?;
    let http = attributes.request.as_ref()?.http.as_ref()?;
    let said = [&http.method, &http.host, &http.path];
    if said.iter().any(|part| part.is_empty()) {
        return None;
    }
    let head = Head {
        method: http.method.as_bytes(),
        authority: http.host.as_bytes(),
        path: http.path.as_bytes(),
        headers: fields(http),
    };
    Some((head, client))
}

/// Returns all fields but `Host` and those that are none.
fn fields(http: &HttpRequest) -> Vec<(&str, &[u8])> {
    let is_proper = |name: &str| !name.starts_with(':') && name != "host";
    match &http.header_map {
        Some(map) => {
            let proper = map.headers.iter().filter(|line| is_proper(&line.key));
            proper.map(line_of).collect()
        }
        None => {
            let proper = http.headers.iter().filter(|(name, _)| is_proper(name));
            proper
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect()
        }
    }
}

fn line_of(line: &wire::HeaderValue) -> (&str, &[u8]) {
    let value = if line.raw_value.is_empty() {
        line.value.as_bytes()
    } else {
        &line.raw_value
    };
    (&line.key, value)
}

fn allowed(forward: &Forward) -> CheckResponse {
    let response_edits = forward.response_edits(&[]);
    let ok = OkHttpResponse {
        headers: forward.request.fields().map(overwriting).collect(),
        headers_to_remove: removed(&forward.request)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        response_headers_to_add: response_edits.fields().map(overwriting).collect(),
    };
    CheckResponse {
        status: Some(wire::Status { code: OK }),
        ok_response: Some(ok),
        denied_response: None,
    }
}

fn denied(local: LocalResponse) -> CheckResponse {
    let headers = local.headers.iter();
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus {
            code: i32::from(local.status),
        }),
        headers: headers
            .map(|(name, value)| HeaderValueOption {
                header: Some(header(name, value.as_bytes())),
                append_action: 0,
            })
            .collect(),
        body: String::from_utf8_lossy(&local.body).into_owned(),
    };
    CheckResponse {
        status: Some(wire::Status {
            code: PERMISSION_DENIED,
        }),
        denied_response: Some(denied),
        ok_response: None,
    }
}

fn overwriting((name, value): (&str, &[u8])) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(header(name, value)),
        append_action: OVERWRITE,
    }
}

fn header(name: &str, value: &[u8]) -> wire::HeaderValue {
    wire::HeaderValue {
        key: name.to_owned(),
        value: String::from_utf8_lossy(value).into_owned(),
        raw_value: Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_without_a_request_is_none() {
        assert!(described(&CheckRequest::default()).is_none());
    }
}
