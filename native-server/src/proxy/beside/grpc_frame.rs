//! How the messages of a call by gRPC are wrapped (gRPC over HTTP/2).

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use prost::Message as _;

use super::grpc_fault::{Fault, OK, STATUS};
use super::messages::{CheckRequest, CheckResponse};
use crate::proxy::body::ResponseBody;
use crate::proxy::upload::Upload;

pub(super) const CONTENT: &str = "application/grpc";
const CONTENT_IN_FULL: &str = "application/grpc+proto";
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// A head of the largest size, with what is around it.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// A flag and a length ("Length-Prefixed-Message").
const PREFIX_BYTES: usize = 5;

/// Checks the fields of a call.
///
/// # Errors
///
/// Refuses content of another type, and of an encoding.
pub(super) fn check_fields(headers: &HeaderMap) -> Result<(), Fault> {
    let mut contents = headers.get_all(CONTENT_TYPE).iter();
    match (contents.next(), contents.next()) {
        (Some(content), None) if is_proper(content) => {}
        (Some(_), _) | (None, _) => return Err(Fault::Content),
    }
    let mut encodings = headers.get_all(ENCODING).iter();
    if encodings.all(|encoding| encoding.as_bytes() == b"identity") {
        Ok(())
    } else {
        Err(Fault::Encoding)
    }
}

/// Reads the only message of a call.
///
/// # Errors
///
/// Refuses a body that is not exactly one message as it is.
pub(super) async fn read(upload: &mut Upload) -> Result<CheckRequest, Fault> {
    let body = upload.read(PREFIX_BYTES + MAX_MESSAGE_BYTES).await?;
    parse(&body)
}

/// Answers a call with its only message.
pub(super) fn respond(answer: &CheckResponse) -> Response<ResponseBody> {
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from(OK));
    let mut response = Response::new(ResponseBody::trailed(frame(answer), trailers));
    let content = HeaderValue::from_static(CONTENT);
    response.headers_mut().insert(CONTENT_TYPE, content);
    response
}

/// Tells whether content is of a type that is read here; parameters mean nothing.
fn is_proper(content: &HeaderValue) -> bool {
    let mut parts = content.as_bytes().split(|octet| *octet == b';');
    let essence = parts.next().unwrap_or_default().trim_ascii();
    [CONTENT, CONTENT_IN_FULL]
        .iter()
        .any(|proper| essence.eq_ignore_ascii_case(proper.as_bytes()))
}

fn parse(body: &[u8]) -> Result<CheckRequest, Fault> {
    if body.is_empty() {
        return Err(Fault::Count);
    }
    let (prefix, rest) = body.split_first_chunk::<PREFIX_BYTES>().ok_or(Fault::Cut)?;
    let [flag, length @ ..] = *prefix;
    match flag {
        0 => {}
        1 => return Err(Fault::UnnamedEncoding),
        _ => return Err(Fault::Flag),
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_MESSAGE_BYTES {
        return Err(Fault::TooLarge);
    }
    let (message, more) = rest.split_at_checked(length).ok_or(Fault::Cut)?;
    if !more.is_empty() {
        return Err(Fault::Count);
    }
    CheckRequest::decode(message).map_err(|_| Fault::Protobuf)
}

fn frame(answer: &CheckResponse) -> Bytes {
    let length = u32::try_from(answer.encoded_len()).unwrap_or_default();
    let prefix = [&[0], length.to_be_bytes().as_slice()].concat();
    [prefix, answer.encode_to_vec()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_parse(body: &[u8], expected: Result<(), Fault>) {
        let parsed = parse(body).map(|_| ());
        assert_eq!(parsed, expected, "{}", body.escape_ascii());
    }

    #[test]
    fn a_call_has_one_whole_message() {
        check_parse(b"\0\0\0\0\0", Ok(()));
        // A field of a later version is passed over.
        check_parse(b"\0\0\0\0\x02\x78\x01", Ok(()));
        check_parse(b"", Err(Fault::Count));
        check_parse(b"\0\0\0\0", Err(Fault::Cut));
        check_parse(b"\x01\0\0\0\0", Err(Fault::UnnamedEncoding));
        check_parse(b"\x02\0\0\0\0", Err(Fault::Flag));
        check_parse(b"\0\0\0\0\x01", Err(Fault::Cut));
        check_parse(b"\0\0\0\0\0\0", Err(Fault::Count));
        check_parse(b"\0\xff\xff\xff\xff\0", Err(Fault::TooLarge));
        check_parse(b"\0\0\0\0\x01\xff", Err(Fault::Protobuf));
    }
}
