//! What a record says.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt::Display;
use core::net::IpAddr;
use core::time::Duration;

use crate::ambient::UnixSeconds;
use crate::calendar::Timestamp;
use crate::decision::{HeaderEdits, Outcome};
use crate::reason::Reason;
use crate::request::RequestHead;

/// The longest value from outside that is kept, in octets.
const MAX_VALUE: usize = 200;

/// What a decision rests on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Basis {
    /// What the request itself shows.
    #[default]
    Request,
    /// What is remembered of an earlier one.
    Cache,
    /// What a call brought.
    Call,
}

impl Basis {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Cache => "cache",
            Self::Call => "call",
        }
    }
}

/// One decision. It holds no credential and no query.
pub struct AuditRecord<'a> {
    /// When it was made, since 1970.
    pub at: Duration,
    /// What was asked.
    pub head: &'a RequestHead<'a>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// The status, where the gateway answered itself.
    pub status: Option<u16>,
    /// What the protected resource is told of who was let in.
    pub identity: Option<&'a HeaderEdits>,
    /// The mode in force, by its name in the settings.
    pub mode: &'static str,
    /// The id of the request, where it has none of its own.
    pub own_id: Option<String>,
    /// Who asked, by its address.
    pub client: Option<IpAddr>,
    /// What the decision rests on.
    pub basis: Basis,
    /// How long it took.
    pub took: Duration,
    /// The trace that it is a part of.
    pub trace_id: Option<String>,
}

impl AuditRecord<'_> {
    /// Writes the record as an object of JSON, in one line without its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut members = Members(String::new());
        members.shown("time", &self.time());
        match (self.sent("x-request-id"), &self.own_id) {
            (Some(id @ [_, ..]), _) => members.text("request_id", id),
            (_, Some(own)) => members.text("request_id", own.as_bytes()),
            (_, None) => {}
        }
        if let Some(trace) = &self.trace_id {
            members.text("trace_id", trace.as_bytes());
        }
        members.text("method", self.head.method);
        members.text("path", path(self.head.path));
        for (field, name) in [("mcp-method", "mcp_method"), ("mcp-name", "mcp_name")] {
            if let Some(value) = self.sent(field) {
                members.text(name, value);
            }
        }
        if let Some(client) = &self.client {
            members.shown("client", client);
        }
        for (name, value) in self.identity() {
            members.text(name, value);
        }
        for (name, value) in [
            ("mode", self.mode),
            ("outcome", self.outcome.name()),
            ("reason", self.reason.name()),
            ("source", self.basis.name()),
        ] {
            members.text(name, value.as_bytes());
        }
        if let Some(status) = self.status {
            members.number("status", status.into());
        }
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        members.number("took_us", micros);
        members.end()
    }

    /// Returns the first value of a field of the request.
    fn sent(&self, field: &str) -> Option<&[u8]> {
        self.head.values(field).next()
    }

    /// Returns the time as RFC 3339 has it, in UTC, with microseconds.
    fn time(&self) -> String {
        let whole = Timestamp(UnixSeconds(self.at.as_secs())).to_string();
        let whole = whole.trim_end_matches('Z');
        format!("{whole}.{:06}Z", self.at.subsec_micros())
    }

    /// Returns who was let in, as the protected resource is told.
    fn identity(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let edits = self.identity.into_iter();
        let fields = edits.flat_map(HeaderEdits::additions);
        fields.filter_map(|(name, value)| {
            let name = match name {
                "x-mcp-auth-principal" => "principal",
                "x-mcp-auth-issuer" => "issuer",
                "x-mcp-auth-subject" => "subject",
                "x-mcp-auth-client" => "oauth_client",
                _ => return None,
            };
            Some((name, value))
        })
    }
}

/// Returns the path of a request target, without its query and with what is not visible ASCII
/// replaced, cut where it is long.
#[must_use]
pub fn plain_path(target: &[u8]) -> String {
    visible(path(target)).collect()
}

fn path(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|octet| matches!(octet, b'?' | b'#'));
    target
        .get(..end.unwrap_or(target.len()))
        .unwrap_or_default()
}

/// Returns the start of a value, with what is not visible ASCII replaced.
fn visible(value: &[u8]) -> impl Iterator<Item = char> {
    value.iter().take(MAX_VALUE).map(|octet| {
        if octet.is_ascii_graphic() {
            char::from(*octet)
        } else {
            '_'
        }
    })
}

/// An object of JSON (RFC 8259 §4) that is being written. Names are words of our own.
struct Members(String);

impl Members {
    fn begin(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    /// Writes a value from outside; of what must be escaped, only these two are visible ASCII.
    fn text(&mut self, name: &str, value: &[u8]) {
        self.begin(name);
        self.0.push('"');
        for character in visible(value) {
            if matches!(character, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(character);
        }
        self.0.push('"');
    }

    fn shown(&mut self, name: &str, value: &dyn Display) {
        self.text(name, value.to_string().as_bytes());
    }

    fn number(&mut self, name: &str, value: u64) {
        self.begin(name);
        self.0.push_str(&value.to_string());
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    #[test]
    fn records_say_what_happened_and_hold_no_secret() {
        let headers: [(&str, &[u8]); 3] = [
            ("authorization", b"Bearer secret"),
            ("x-request-id", b"id\n1"),
            ("mcp-method", b"tools/call"),
        ];
        let head = RequestHead {
            method: b"POST",
            authority: b"mcp.example.com",
            path: "/mcp/é\"?key=secret".as_bytes(),
            headers: &headers,
            peer: Peer::Unknown,
        };
        let record = AuditRecord {
            at: Duration::new(951_782_400, 7_999),
            head: &head,
            outcome: Outcome::Refused,
            reason: Reason::WrongApiKey,
            status: Some(401),
            identity: None,
            mode: "api-key",
            own_id: None,
            client: Some([192, 0, 2, 1].into()),
            basis: Basis::Request,
            took: Duration::from_micros(12),
            trace_id: None,
        };
        let expected = concat!(
            r#"{"time":"2000-02-29T00:00:00.000007Z","request_id":"id_1","method":"POST","#,
            r#""path":"/mcp/__\"","mcp_method":"tools/call","client":"192.0.2.1","mode":"api-key","#,
            r#""outcome":"refused","reason":"wrong_api_key","source":"request","status":401,"#,
            r#""took_us":12}"#
        );
        assert_eq!(record.to_json(), expected);
    }

    #[test]
    fn paths_are_cut_and_have_no_query() {
        assert_eq!(plain_path(b"/a b?c"), "/a_b");
        assert_eq!(plain_path(b"/a#c"), "/a");
        assert_eq!(plain_path(&[b'a'; 500]).len(), MAX_VALUE);
    }
}
