//! What a record says.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portcullis_core::{HeaderEdits, Outcome, Reason, RequestHead};
use serde_json::{Map, Value};

use crate::telemetry::plain_path;

/// The longest value from outside that is kept, in octets.
const MAX_VALUE: usize = 200;

/// One decision. It holds no credential and no query.
pub(crate) struct Record<'a> {
    /// When it was made.
    pub(crate) at: SystemTime,
    /// What was asked.
    pub(crate) head: &'a RequestHead<'a>,
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// Why.
    pub(crate) reason: Reason,
    /// The status, where the gateway answered itself.
    pub(crate) status: Option<u16>,
    /// What the protected resource is told of who was let in.
    pub(crate) identity: Option<&'a HeaderEdits>,
    /// The mode in force.
    pub(crate) mode: &'static str,
    /// The id of the request, where the client sent none.
    pub(crate) own_id: String,
    /// Who asked, by its address.
    pub(crate) client: Option<IpAddr>,
    /// What the decision rests on.
    pub(crate) source: &'static str,
    /// How long it took.
    pub(crate) took: Duration,
    /// The trace that it is a part of.
    pub(crate) trace_id: Option<String>,
}

impl Record<'_> {
    /// Writes the record as a line of JSON.
    pub(super) fn to_line(&self) -> String {
        let mut members = Map::new();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                members.insert(name.into(), Value::String(value));
            }
        };
        let sent = |name| self.head.values(name).next().map(visible);
        let sent_id = sent("x-request-id").filter(|id| !id.is_empty());
        add("time", Some(rfc3339(self.at)));
        add("request_id", sent_id.or_else(|| Some(self.own_id.clone())));
        add("trace_id", self.trace_id.clone());
        add("method", Some(visible(self.head.method)));
        add("path", Some(plain_path(self.head.path)));
        add("mcp_method", sent("mcp-method"));
        add("mcp_name", sent("mcp-name"));
        add("client", self.client.map(|client| client.to_string()));
        for (name, value) in self.identity() {
            add(name, Some(visible(value)));
        }
        add("mode", Some(self.mode.into()));
        add("outcome", Some(self.outcome.name().into()));
        add("reason", Some(self.reason.name().into()));
        add("source", Some(self.source.into()));
        if let Some(status) = self.status {
            members.insert("status".into(), status.into());
        }
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        members.insert("took_us".into(), micros.into());
        let mut line = Value::Object(members).to_string();
        line.push('\n');
        line
    }

    /// Returns who was let in, as the protected resource is told.
    fn identity(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let edits = self.identity.into_iter();
        let fields = edits.flat_map(|edits| edits.additions());
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

/// Returns the start of a value, with what is not visible ASCII replaced.
fn visible(value: &[u8]) -> String {
    let shown = value.iter().take(MAX_VALUE).map(|octet| {
        if octet.is_ascii_graphic() {
            char::from(*octet)
        } else {
            '_'
        }
    });
    shown.collect()
}

/// Writes a time as RFC 3339 has it, in UTC, with microseconds.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, micros) = (since.as_secs(), since.subsec_micros());
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, date) = civil(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Returns year, month and day of the month, of a number of days since 1970. Years are taken to
/// begin in March, so that a leap day is the last of its year, and come in cycles of four hundred.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (cycle * 400 + year + next, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let check = |seconds, text: &str| {
            let time = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(7);
            assert_eq!(rfc3339(time), format!("{text}.000007Z"));
        };
        check(0, "1970-01-01T00:00:00");
        check(951_782_399, "2000-02-28T23:59:59");
        check(951_782_400, "2000-02-29T00:00:00");
        check(951_868_800, "2000-03-01T00:00:00");
        check(1_798_761_599, "2026-12-31T23:59:59");
        check(4_107_542_400, "2100-03-01T00:00:00");
    }
}
