//! The request that a question is about.

use http::HeaderName;
use http::request::Parts;

use crate::proxy::answer::Failure;
use crate::proxy::head::{self, Head};

const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Reads it from the fields in which proxies describe it.
///
/// # Errors
///
/// Refuses a question in which a field is missing, empty or repeated: what a client sent under
/// these names must not count beside what the proxy says.
pub(super) fn forwarded(parts: &Parts) -> Result<Head<'_>, Failure> {
    let original = Head {
        method: only(parts, &METHOD)?,
        authority: only(parts, &HOST)?,
        path: only(parts, &URI)?,
        headers: head::fields(parts)?,
    };
    with_address(original, parts)
}

/// Reads it from a question that has the request's own method, host and fields, and its path
/// behind `prefix`.
///
/// # Errors
///
/// Refuses a question that does not say from where the request came.
pub(super) fn sent_on<'a>(parts: &'a Parts, prefix: &str) -> Result<Head<'a>, Failure> {
    let question = Head::of(parts)?;
    let path = question.path.strip_prefix(prefix.as_bytes());
    let original = Head {
        path: path.ok_or(Failure::NoOriginal)?,
        ..question
    };
    with_address(original, parts)
}

/// The core takes the address from there, as the connection is that of a trusted proxy.
fn with_address<'a>(original: Head<'a>, parts: &Parts) -> Result<Head<'a>, Failure> {
    let mut given = parts.headers.get_all(FOR).iter();
    if given.all(|value| value.as_bytes().trim_ascii().is_empty()) {
        return Err(Failure::NoOriginal);
    }
    Ok(original)
}

fn only<'a>(parts: &'a Parts, name: &HeaderName) -> Result<&'a [u8], Failure> {
    let mut values = parts.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Ok(value.as_bytes()),
        _ => Err(Failure::NoOriginal),
    }
}
