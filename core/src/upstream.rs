//! Calls that the gateway itself makes, as data: the host sends them.

use alloc::string::String;
use alloc::vec::Vec;

use crate::url::HttpUrl;

/// One HTTP request for the host to send.
///
/// The host follows no redirect, sends exactly these header fields (and what HTTP itself needs:
/// `host` from the URL, `content-length`), and answers with [`CallOutcome`].
#[derive(Clone, Eq, PartialEq)]
pub struct UpstreamCall {
    /// Where to.
    pub url: HttpUrl,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Header fields, names in lower case.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The body; empty for `GET`. It may hold a secret: never log it.
    pub body: Vec<u8>,
    /// Time allowed from the start of the call to the last byte of the response, in seconds.
    pub timeout_seconds: u32,
    /// The largest response body to accept, in bytes; a larger one is [`CallFailure::TooLarge`].
    pub max_response_bytes: usize,
    /// Which addresses may be asked.
    pub reach: Reach,
}

/// Which addresses a call may go to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// All: the settings name the host, or the OpenID provider does.
    Anywhere,
    /// Those of public hosts only: a stranger named the host. Every address that its name resolves
    /// to must be public, and the connection must go to one of these.
    Public,
}

impl core::fmt::Debug for UpstreamCall {
    /// Writes method and URL; the body and the header fields may hold secrets.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// A response to an [`UpstreamCall`].
#[derive(Clone, Eq, PartialEq)]
pub struct UpstreamResponse {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl core::fmt::Debug for UpstreamResponse {
    /// Writes status and length; the body may hold an access token.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} with {} octets", self.status, self.body.len())
    }
}

impl UpstreamResponse {
    /// Returns the first value of the field `name` as text, `None` when absent or not UTF-8.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(field, _)| field == name)?;
        core::str::from_utf8(value).ok()
    }

    /// Returns the values of the field `name`, one per field line; what is not UTF-8 is empty.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.headers.iter().filter(move |(field, _)| field == name);
        lines.map(|(_, value)| core::str::from_utf8(value).unwrap_or_default())
    }
}

/// Why a call brought no response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallFailure {
    /// The host could not send the call: unknown cluster, no route, queue full.
    NotSent,
    /// No connection: name, TCP or TLS.
    Unreachable,
    /// No complete response in time.
    TimedOut,
    /// The response ended in the middle.
    Cut,
    /// The response body is larger than allowed.
    TooLarge,
}

impl CallFailure {
    /// Returns the stable name of the failure, for logs and metrics.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Cut => "cut",
            Self::TooLarge => "too_large",
        }
    }
}

/// Returns the stable name of what came of a call, for logs and metrics.
#[must_use]
pub fn call_outcome_name(outcome: &CallOutcome) -> &'static str {
    match outcome {
        Ok(response) if response.status >= 500 => "server_error",
        Ok(_) => "response",
        Err(failure) => failure.reason(),
    }
}

/// What came of an [`UpstreamCall`].
///
/// Envoy reports calls that failed as responses of its own with status 503 or 504, so every 5xx
/// counts as an outage and never as an answer of the authorization server.
pub type CallOutcome = Result<UpstreamResponse, CallFailure>;
