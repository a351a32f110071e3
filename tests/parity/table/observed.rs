//! What came of a request, and what of it counts.

use portcullis_tests::Response;
use portcullis_tests::resource::visible_fields;
use portcullis_tests::server::Incoming;

/// Response fields that are the plumbing's own, and so may differ: when, by what, in which
/// framing, and Envoy's note on how long the protected resource took.
const PLUMBING: [&str; 7] = [
    "date",
    "server",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "x-envoy-upstream-service-time",
];

/// What came of one request at one gateway.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) response: Response,
    pub(crate) seen: Vec<Incoming>,
}

impl Observed {
    /// Returns the fields of the response that are no plumbing.
    pub(crate) fn fields(&self) -> Vec<String> {
        let fields = self.response.fields.iter();
        fields
            .filter(|(name, _)| !PLUMBING.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
            .collect()
    }

    /// Returns the response in a line, cut short.
    pub(crate) fn show(&self) -> String {
        let body: String = self.response.text().chars().take(300).collect();
        format!("{} {:?} {body:?}", self.response.status, self.fields())
    }

    /// Returns the requests at the protected resource, each in a line.
    pub(crate) fn requests(&self) -> String {
        let shown: Vec<String> = self.seen.iter().map(show_incoming).collect();
        shown.join("\n           ")
    }
}

fn show_incoming(incoming: &Incoming) -> String {
    format!(
        "{} {} {:?} {}",
        incoming.method,
        incoming.target,
        visible_fields(incoming),
        incoming.body.escape_ascii()
    )
}
