//! What can be out of order with a call by gRPC, and the codes for it.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

use super::grpc_frame::CONTENT;
use crate::proxy::body::{BodyFault, ResponseBody};

pub(super) const OK: i32 = 0;
const DEADLINE_EXCEEDED: i32 = 4;
pub(super) const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;

pub(super) const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// It is none: its content is of another type.
    Content,
    /// There is no such method.
    Method,
    /// Its messages are compressed in a way that is not understood.
    Encoding,
    /// A message is compressed, and nothing says how.
    UnnamedEncoding,
    /// A message begins with a flag that there is not.
    Flag,
    /// There is no message, or more than one.
    Count,
    TooLarge,
    /// The message ends too soon.
    Cut,
    /// The message did not come in time.
    Stalled,
    /// The message is no protobuf of its type.
    Protobuf,
}

impl Fault {
    /// Returns what is out of order, in a word or two.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Content => "content type",
            Self::Method => "method",
            Self::Encoding => "encoding",
            Self::UnnamedEncoding => "unnamed encoding",
            Self::Flag => "flag",
            Self::Count => "message count",
            Self::TooLarge => "message too large",
            Self::Cut => "message cut",
            Self::Stalled => "message stalled",
            Self::Protobuf => "protobuf",
        }
    }

    /// Ends the call, with a status of gRPC where it is a call: in the headers, as nothing follows.
    pub(super) fn respond(self) -> Response<ResponseBody> {
        let mut response = Response::new(ResponseBody::local(Full::default()));
        let Some((code, message)) = self.status() else {
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return response;
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
        headers.insert(STATUS, HeaderValue::from(code));
        headers.insert(MESSAGE, HeaderValue::from_static(message));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        response
    }

    /// Returns the code (as gRPC's own libraries have them) and words for people, without a
    /// percent sign, which would have to be escaped.
    const fn status(self) -> Option<(i32, &'static str)> {
        let status = match self {
            Self::Content => return None,
            Self::Method => (UNIMPLEMENTED, "there is no such method: only Check"),
            Self::Encoding => (
                UNIMPLEMENTED,
                "this grpc-encoding is not understood: send messages as they are",
            ),
            Self::UnnamedEncoding => (INTERNAL, "compressed, but grpc-encoding does not say how"),
            Self::Flag => (INTERNAL, "the message has an unknown flag"),
            Self::Count => (UNIMPLEMENTED, "a call has exactly one message"),
            Self::TooLarge => (
                RESOURCE_EXHAUSTED,
                "the message is larger than 262144 octets",
            ),
            Self::Cut => (INTERNAL, "the message is cut"),
            Self::Stalled => (DEADLINE_EXCEEDED, "the message did not come in time"),
            Self::Protobuf => (INTERNAL, "the message is no protobuf of its type"),
        };
        Some(status)
    }
}

impl From<BodyFault> for Fault {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::TooLarge,
            BodyFault::Stalled => Self::Stalled,
            BodyFault::Cut => Self::Cut,
        }
    }
}
