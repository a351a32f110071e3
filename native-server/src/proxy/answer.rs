//! Responses that the gateway makes itself.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use portcullis_core::{LocalResponse, Outcome, Reason};

use super::body::ResponseBody;

/// The methods of MCP's transport, those of probes and of browsers.
const METHODS: &str = "GET, HEAD, POST, DELETE, OPTIONS";

/// A failure of the host, where the core has decided nothing or its decision cannot be carried
/// out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// `Host` is missing, repeated or contradicts the request target (RFC 9112 §3.2).
    BadHost,
    /// The method is not for an origin server.
    BadMethod,
    /// Too many header fields.
    TooManyFields,
    /// The request body is larger than allowed.
    BodyTooLarge,
    /// The request body stopped coming.
    BodyStalled,
    /// The request body ended too early.
    BodyCut,
    /// The protected resource takes no connections.
    Unreachable,
    /// The protected resource broke its connection off, or spoke no HTTP.
    BadResponse,
    /// An edit of a header field is no valid field.
    BadEdit,
    /// Who asks for a decision is no proxy whose word counts.
    AskerNotTrusted,
    /// The proxy that asks does not say what was asked of it.
    NoOriginal,
    /// The proxy that asks could not take out a field that the protected resource must not see.
    FieldStays,
    /// The gateway answers by itself what a proxy would pass on.
    OwnAnswer,
    /// There is no protected resource to pass the request on to.
    NoUpstream,
}

impl Failure {
    /// Returns the reason, for logs and metrics.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::BadHost => Reason::BadHost,
            Self::BadMethod => Reason::BadMethod,
            Self::TooManyFields => Reason::TooManyFields,
            Self::BodyTooLarge => Reason::BodyTooLarge,
            Self::BodyStalled => Reason::BodyStalled,
            Self::BodyCut => Reason::BodyCut,
            Self::Unreachable => Reason::UpstreamUnreachable,
            Self::BadResponse => Reason::UpstreamBadResponse,
            Self::BadEdit => Reason::BadEdit,
            Self::AskerNotTrusted => Reason::AskerNotTrusted,
            Self::NoOriginal => Reason::NoOriginalRequest,
            Self::FieldStays => Reason::FieldStays,
            Self::OwnAnswer => Reason::OwnAnswer,
            Self::NoUpstream => Reason::NoUpstream,
        }
    }

    /// Returns the status of the answer.
    pub(super) const fn status(self) -> StatusCode {
        self.wire().0
    }

    /// Returns what became of the request.
    pub(super) const fn outcome(self) -> Outcome {
        Outcome::of(self.status().as_u16(), self.reason())
    }

    const fn wire(self) -> (StatusCode, &'static str) {
        match self {
            Self::BadHost => (StatusCode::BAD_REQUEST, "Bad request: one Host is needed"),
            Self::BadMethod => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::TooManyFields => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Too many header fields",
            ),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request body too large"),
            Self::BodyStalled => (StatusCode::REQUEST_TIMEOUT, "Request body too slow"),
            Self::BodyCut => (StatusCode::BAD_REQUEST, "Request body incomplete"),
            Self::Unreachable => (
                StatusCode::BAD_GATEWAY,
                "Bad gateway: the MCP server cannot be reached",
            ),
            Self::BadResponse => (
                StatusCode::BAD_GATEWAY,
                "Bad gateway: the MCP server gave no valid response",
            ),
            Self::BadEdit => (StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
            Self::AskerNotTrusted => (
                StatusCode::FORBIDDEN,
                "Forbidden: only proxies named by PORTCULLIS_TRUSTED_PROXIES may ask here",
            ),
            Self::NoOriginal => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Service unavailable: the proxy does not say which request it asks about",
            ),
            Self::FieldStays => (
                StatusCode::BAD_REQUEST,
                "Bad request: a header field is misspelled or repeated",
            ),
            Self::OwnAnswer => (
                StatusCode::FORBIDDEN,
                "Forbidden: the proxy must send requests for this path to the gateway itself",
            ),
            Self::NoUpstream => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Service unavailable: this gateway only decides and passes nothing on; try again",
            ),
        }
    }

    /// Logs it.
    pub(super) fn log(self) {
        let reason = self.reason().name();
        if self.outcome() == Outcome::Refused {
            tracing::debug!(reason, "request refused");
        } else {
            tracing::warn!(reason, "request failed");
        }
    }

    /// Makes the response.
    pub(super) fn respond(self, method: &Method) -> Response<ResponseBody> {
        respond(self.into_local(), method)
    }

    /// Returns the response as if the core had decided it.
    pub(super) fn into_local(self) -> LocalResponse {
        let (status, message) = self.wire();
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":-32001,"message":"{message}"}}}}"#
        );
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ];
        // RFC 9110 §15.5.6: this status comes with the methods that there are.
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.push(("allow", METHODS.to_owned()));
        }
        LocalResponse {
            status: status.as_u16(),
            headers,
            body: body.into_bytes(),
            reason: self.reason(),
        }
    }
}

/// Makes the response that the core decided on.
pub(super) fn respond(local: LocalResponse, method: &Method) -> Response<ResponseBody> {
    let mut response = Response::new(());
    let Ok(status) = StatusCode::from_u16(local.status) else {
        return Failure::BadEdit.respond(method);
    };
    *response.status_mut() = status;
    for (name, value) in local.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
        else {
            return Failure::BadEdit.respond(method);
        };
        response.headers_mut().append(name, value);
    }
    with_body(response, local.body.into(), method)
}

/// Adds the body, or for `HEAD` its length only (RFC 9110 §9.3.2).
fn with_body(mut response: Response<()>, body: Bytes, method: &Method) -> Response<ResponseBody> {
    // RFC 9110 §8.6: no length where there can be no content.
    if response.status() != StatusCode::NO_CONTENT {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let body = if *method == Method::HEAD {
        Bytes::new()
    } else {
        body
    };
    response.map(|()| ResponseBody::local(Full::new(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_reason_and_a_status() {
        for (failure, reason, status) in [
            (Failure::BadHost, Reason::BadHost, 400),
            (Failure::BadMethod, Reason::BadMethod, 405),
            (Failure::TooManyFields, Reason::TooManyFields, 431),
            (Failure::BodyTooLarge, Reason::BodyTooLarge, 413),
            (Failure::BodyStalled, Reason::BodyStalled, 408),
            (Failure::BodyCut, Reason::BodyCut, 400),
            (Failure::Unreachable, Reason::UpstreamUnreachable, 502),
            (Failure::BadResponse, Reason::UpstreamBadResponse, 502),
            (Failure::BadEdit, Reason::BadEdit, 503),
            (Failure::AskerNotTrusted, Reason::AskerNotTrusted, 403),
            (Failure::NoOriginal, Reason::NoOriginalRequest, 503),
            (Failure::FieldStays, Reason::FieldStays, 400),
            (Failure::OwnAnswer, Reason::OwnAnswer, 403),
            (Failure::NoUpstream, Reason::NoUpstream, 503),
        ] {
            assert_eq!(
                (failure.reason(), failure.status().as_u16()),
                (reason, status)
            );
        }
    }
}
