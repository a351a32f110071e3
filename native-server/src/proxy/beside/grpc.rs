//! Envoy's authorization service by gRPC: one call, one message each way.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};
use portcullis_core::{Decision, Forward, LocalResponse};
use prost::Message as _;

use super::Asker;
use super::allowance::removed;
use super::messages::{
    self as wire, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValueOption, HttpRequest,
    HttpStatus, OVERWRITE, OkHttpResponse,
};
use crate::proxy::answer::Failure;
use crate::proxy::body::ResponseBody;
use crate::proxy::head::{Head, MAX_FIELDS};
use crate::proxy::scribe::Scribe;
use crate::proxy::upload::Upload;

/// Where the call is.
pub(super) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

const CONTENT: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// Codes of gRPC.
const OK: i32 = 0;
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
/// A head of the largest size, with what is around it.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// A flag and a length (gRPC over HTTP/2, "Length-Prefixed-Message").
const PREFIX_BYTES: usize = 5;

/// Tells whether a request is a call. Calls are made by HTTP/2 only: what a proxy sends on for a
/// client by HTTP/1.1 is not its own question.
pub(super) fn is_call(parts: &Parts) -> bool {
    let content = parts.headers.get(CONTENT_TYPE);
    parts.version == Version::HTTP_2
        && parts.method == Method::POST
        && content.is_some_and(|content| content.as_bytes().starts_with(CONTENT.as_bytes()))
}

/// Answers one call; what cannot be decided is refused in words for the client.
pub(super) async fn answer(
    scribe: &Scribe<'_>,
    asker: Asker,
    parts: &Parts,
    mut upload: Upload,
) -> Response<ResponseBody> {
    let message = upload.read(MAX_MESSAGE_BYTES).await;
    let request = message.ok().and_then(|message| parse(&message));
    let Some(request) = request else {
        return respond(Bytes::new(), INVALID_ARGUMENT);
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
    respond(frame(&answer), OK)
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

/// Reads the only message of a call, which must not be compressed.
fn parse(body: &[u8]) -> Option<CheckRequest> {
    let (prefix, message) = body.split_first_chunk::<PREFIX_BYTES>()?;
    let [flag, length @ ..] = *prefix;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    if flag != 0 || length != message.len() {
        return None;
    }
    CheckRequest::decode(message).ok()
}

fn frame(answer: &CheckResponse) -> Bytes {
    let length = u32::try_from(answer.encoded_len()).unwrap_or_default();
    let prefix = [&[0], length.to_be_bytes().as_slice()].concat();
    [prefix, answer.encode_to_vec()].concat().into()
}

fn respond(body: Bytes, status: i32) -> Response<ResponseBody> {
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from(status));
    let mut response = Response::new(ResponseBody::trailed(body, trailers));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_parse(body: &[u8], expected: bool) {
        assert_eq!(parse(body).is_some(), expected, "{}", body.escape_ascii());
    }

    #[test]
    fn a_call_has_one_whole_message() {
        check_parse(b"\0\0\0\0\0", true);
        // A field of a later version is passed over.
        check_parse(b"\0\0\0\0\x02\x78\x01", true);
        check_parse(b"", false);
        check_parse(b"\0\0\0\0", false);
        check_parse(b"\x01\0\0\0\0", false);
        check_parse(b"\0\0\0\0\x01", false);
        check_parse(b"\0\0\0\0\0\0", false);
        check_parse(b"\0\xff\xff\xff\xff\0", false);
        check_parse(b"\0\0\0\0\x01\xff", false);
    }

    #[test]
    fn a_question_without_a_request_is_none() {
        assert!(described(&CheckRequest::default()).is_none());
    }
}
