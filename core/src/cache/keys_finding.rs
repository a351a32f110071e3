//! What a fetch of a JWKS brought, condensed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::freshness::{DEFAULT_SECONDS, freshness_seconds};
use crate::ambient::UnixSeconds;
use crate::denial::Outage;
use crate::upstream::CallOutcome;

/// What a fetch of a JWKS brought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum KeysFinding {
    /// A document, not read yet, and its life in seconds.
    Document {
        body: Vec<u8>,
        etag: Option<String>,
        life: u64,
    },
    /// The document with this entity tag is as it was; its life is too, where none is given.
    Unchanged {
        etag: Option<String>,
        life: Option<u64>,
    },
    Unavailable(Outage),
}

impl KeysFinding {
    /// Condenses the outcome, which came at `now`, of a fetch that was conditional on `asked`.
    pub(crate) fn of(outcome: CallOutcome, asked: Option<&str>, now: UnixSeconds) -> Self {
        let response = match outcome {
            Ok(response) => response,
            Err(failure) => return Self::Unavailable(Outage::Call(failure)),
        };
        let life = freshness_seconds(&response, now);
        match response.status {
            200 => Self::Document {
                etag: response
                    .header("etag")
                    .filter(|etag| is_etag(etag))
                    .map(ToString::to_string),
                life: life.unwrap_or(DEFAULT_SECONDS),
                body: response.body,
            },
            304 => Self::Unchanged {
                etag: asked.map(ToString::to_string),
                life,
            },
            status => Self::Unavailable(Outage::Status(status)),
        }
    }
}

/// An entity tag (RFC 9110 §8.8.3) fit to be sent back.
fn is_etag(etag: &str) -> bool {
    etag.len() <= 256 && etag.bytes().all(|byte| byte.is_ascii_graphic())
}
