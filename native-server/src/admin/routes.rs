//! What the admin listener answers.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;

use super::access::{Access, TurnedAway};
use super::{activity, page, status};
use crate::proxy::Current;
use crate::telemetry::{self, Telemetry};

/// What answers are made of.
pub(super) struct Desk {
    pub(super) access: Access,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) current: Arc<Current>,
}

impl Desk {
    /// Answers one request. Whatever is added here only reads: a browser of the operator may be
    /// led here by any page.
    pub(super) fn answer(&self, request: &Parts) -> Response<Full<Bytes>> {
        let path = request.uri.path();
        let reads = matches!(request.method, Method::GET | Method::HEAD);
        // The page says nothing of the gateway; what it shows, it asks for with a credential.
        if reads && let Some(asset) = page::asset(path) {
            return asset;
        }
        // A probe has no credential, and learns nothing.
        if path != "/health"
            && let Err(turned_away) = self.access.check(&request.headers)
        {
            return turn_away(turned_away, path);
        }
        if !reads {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        match path {
            "/health" => with_type(StatusCode::OK, "application/json", "{\"status\":\"ok\"}"),
            "/metrics" => self.metrics(),
            "/api/status" => json(&status::status(&self.telemetry, &self.current)),
            "/api/activity" => json(&activity::recent(&self.telemetry)),
            "/api/refusals" => json(&activity::refusals(&self.telemetry)),
            _ => text(
                StatusCode::NOT_FOUND,
                "not found; the page is at /, metrics at /metrics\n",
            ),
        }
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let present = self.current.present();
        let page = telemetry::render(&self.telemetry, &present);
        with_type(StatusCode::OK, telemetry::CONTENT_TYPE, page)
    }
}

/// Makes the answer for want of one.
pub(super) fn failed() -> Response<Full<Bytes>> {
    text(StatusCode::INTERNAL_SERVER_ERROR, "no answer\n")
}

fn turn_away(turned_away: TurnedAway, path: &str) -> Response<Full<Bytes>> {
    match turned_away {
        TurnedAway::WrongHost => text(
            StatusCode::MISDIRECTED_REQUEST,
            "ask for this at localhost or 127.0.0.1\n",
        ),
        TurnedAway::NoToken => {
            let words = "the token of --admin-token-file is needed, as a bearer token or as the \
                         password of any name\n";
            let mut response = text(StatusCode::UNAUTHORIZED, words);
            let headers = response.headers_mut();
            headers.append(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"admin\""),
            );
            // The page asks by itself: a browser's own question would come on top of it.
            if !path.starts_with("/api/") {
                let challenge = HeaderValue::from_static("Basic realm=\"admin\"");
                headers.append(WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

fn json(value: &Value) -> Response<Full<Bytes>> {
    with_type(StatusCode::OK, "application/json", value.to_string())
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    with_type(status, "text/plain; charset=utf-8", body)
}

/// Makes an answer that no cache keeps and no browser takes for something else.
pub(super) fn with_type(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
