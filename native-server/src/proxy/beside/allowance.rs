//! The answer to a question about a request that is allowed.

use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use portcullis_core::{Forward, HeaderEdits, IDENTITY_FIELDS};

use crate::proxy::answer::Failure;
use crate::proxy::body::ResponseBody;

/// Names the fields that Envoy takes out.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// Fields that a proxy replaces, or takes out, whatever we say. `origin` may stay: the protected
/// resource then applies a rule of its own to it.
const REPLACED: [&str; 5] = [
    "authorization",
    "x-api-key",
    "x-zscaler-client-id",
    "x-zscaler-client-secret",
    "origin",
];

/// How a proxy takes out what the protected resource must not see.
#[derive(Clone, Copy)]
pub(super) enum Removal {
    /// As its configuration says: credentials and identity fields, by their names.
    ByConfiguration,
    /// As the answer says.
    ByAnswer,
}

impl Removal {
    /// Tells whether such a proxy takes an answer of this status for a permission.
    pub(super) const fn is_consent(self, status: u16) -> bool {
        match self {
            Self::ByConfiguration => 200 <= status && status < 300,
            Self::ByAnswer => status == 200,
        }
    }
}

/// Makes the answer: the fields for the protected resource, those for the browser, and for Envoy
/// the names of those to take out.
///
/// # Errors
///
/// Refuses a request with a field that the proxy would not take out.
pub(super) fn respond(
    forward: &Forward,
    removal: Removal,
) -> Result<Response<ResponseBody>, Failure> {
    let mut response = Response::new(ResponseBody::local(Full::default()));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    match removal {
        Removal::ByConfiguration => {
            if needs_removal(forward) {
                return Err(Failure::FieldStays);
            }
        }
        Removal::ByAnswer => {
            let names = removed(&forward.request).join(",");
            let names = HeaderValue::try_from(names).map_err(|_| Failure::BadEdit)?;
            headers.insert(TO_REMOVE, names);
        }
    }
    let response_edits = forward.response_edits(&[]);
    for (name, value) in forward.request.fields().chain(response_edits.fields()) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Failure::BadEdit)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| Failure::BadEdit)?;
        headers.insert(name, value);
    }
    Ok(response)
}

/// Returns the names to take out. Envoy does that last, so what is set must not be among them.
pub(super) fn removed(edits: &HeaderEdits) -> Vec<&str> {
    let is_set = |name: &str| edits.fields().any(|(field, _)| field == name);
    edits.removals().filter(|name| !is_set(name)).collect()
}

/// Tells whether a request has a field to take out that is not known by its name.
pub(super) fn needs_removal(forward: &Forward) -> bool {
    let known = |name| REPLACED.contains(&name) || IDENTITY_FIELDS.contains(&name);
    !forward.request.removals().all(known)
}
