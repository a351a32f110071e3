//! One question to one endpoint.

use std::time::Duration;

use portcullis_core::{HttpUrl, Reach, UnixSeconds, UpstreamCall, UpstreamResponse};

use super::document::header;
use super::report::{Finding, Report, Section};
use super::trouble::Trouble;
use crate::moment::{now, span};
use crate::proxy::CallClient;
use crate::terminal::Progress;

/// What is asked for.
const DOCUMENTS: &str = "application/json, application/jwk-set+json";

/// As the engine's own calls.
const TIMEOUT_SECONDS: u32 = 10;
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// A difference of the clocks that is worth a word, in seconds.
const CLOCK_TOLERANCE: u64 = 5;

/// Asks endpoints, and reports what is wrong with all of them alike.
pub(super) struct Asker<'a> {
    pub(super) calls: &'a CallClient,
    pub(super) timeout_seconds: u32,
    pub(super) report: &'a mut Report,
    pub(super) progress: Progress,
    /// How far the clocks of authorization servers may be off before tokens are refused.
    pub(super) leeway_seconds: u64,
}

impl Asker<'_> {
    pub(super) fn add(&mut self, finding: Finding) {
        self.report.add(Section::Online, finding);
    }

    /// Fetches a document.
    pub(super) async fn get(&mut self, url: &HttpUrl) -> Option<UpstreamResponse> {
        self.ask(call(url, "GET", DOCUMENTS, None)).await
    }

    /// Sends a form without credentials, as a token endpoint refuses it.
    pub(super) async fn post_form(
        &mut self,
        url: &HttpUrl,
        form: &str,
    ) -> Option<UpstreamResponse> {
        let body = ("application/x-www-form-urlencoded", form);
        self.ask(call(url, "POST", "application/json", Some(body)))
            .await
    }

    /// Sends a message to an MCP server.
    pub(super) async fn post_message(
        &mut self,
        url: &HttpUrl,
        message: &str,
    ) -> Option<UpstreamResponse> {
        let accepted = "application/json, text/event-stream";
        let body = ("application/json", message);
        self.ask(call(url, "POST", accepted, Some(body))).await
    }

    /// Sends a call; one that brings no response is reported.
    pub(super) async fn ask(&mut self, mut call: UpstreamCall) -> Option<UpstreamResponse> {
        call.timeout_seconds = self.timeout_seconds;
        self.progress.show(&format!("asking {}", call.url));
        match self.calls.probe(&call).await {
            Ok(response) => Some(response),
            Err(failed) => {
                let trouble = Trouble::of(&failed, &call.url, call.timeout_seconds);
                let problem = Finding::problem(call.url.to_string(), trouble.message);
                self.add(problem.advise(trouble.advice));
                None
            }
        }
    }

    /// Compares the clock of this machine with a server's, to the second.
    pub(super) fn compare_clocks(&mut self, url: &HttpUrl, response: &UpstreamResponse) {
        let Some(theirs) = date(response) else {
            return;
        };
        let ours = now();
        let (off, way) = if ours < theirs {
            (theirs.since(ours), "behind")
        } else {
            (ours.since(theirs), "ahead of")
        };
        if off <= CLOCK_TOLERANCE {
            return;
        }
        let message = format!(
            "the clock of this machine is {} {way} that of {}",
            span(off),
            url.host()
        );
        let finding = if off > self.leeway_seconds {
            Finding::problem("clock", message)
                .advise("set it by NTP: good tokens would be refused, or expired ones accepted")
        } else {
            Finding::warning("clock", message).advise("set it by NTP")
        };
        self.add(finding);
    }
}

/// Fetches a document without a report.
pub(super) async fn get(calls: &CallClient, url: &HttpUrl) -> Result<UpstreamResponse, Trouble> {
    let mut call = call(url, "GET", DOCUMENTS, None);
    call.timeout_seconds = TIMEOUT_SECONDS;
    let outcome = calls.probe(&call).await;
    outcome.map_err(|failed| Trouble::of(&failed, url, TIMEOUT_SECONDS))
}

/// Makes a call; a body comes with its type.
fn call(
    url: &HttpUrl,
    method: &'static str,
    accepted: &str,
    body: Option<(&str, &str)>,
) -> UpstreamCall {
    let mut headers = vec![("accept", accepted.as_bytes().to_vec())];
    if let Some((kind, _)) = body {
        headers.push(("content-type", kind.as_bytes().to_vec()));
    }
    UpstreamCall {
        url: url.clone(),
        method,
        headers,
        body: body.map_or_else(Vec::new, |(_, body)| body.as_bytes().to_vec()),
        timeout_seconds: 0,
        max_response_bytes: MAX_DOCUMENT_BYTES,
        reach: Reach::Anywhere,
    }
}

/// Reads the field `Date` (RFC 9110 §6.6.1).
fn date(response: &UpstreamResponse) -> Option<UnixSeconds> {
    let date = httpdate::parse_http_date(&header(response, "date")?).ok()?;
    let since: Duration = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(UnixSeconds(since.as_secs()))
}
