//! Accepted `Origin` values, and what browsers are told (CORS, the Fetch standard §3.2).

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::decision::{HeaderEdits, LocalResponse};
use crate::denial::Denial;
use crate::reason::Reason;
use crate::request::{RequestHead, Single};

/// A list of accepted `Origin` values, never empty.
#[derive(Clone, Debug)]
pub struct OriginList(Vec<OriginRule>);

#[derive(Clone, Debug)]
enum OriginRule {
    Any,
    Exact(String),
    /// `scheme://host:*`, kept as `scheme://host`.
    AnyPort(String),
}

impl OriginList {
    /// Parses a comma list of `*`, `scheme://host[:port]` and `scheme://host:*`.
    ///
    /// # Errors
    ///
    /// Refuses a list without items and items of another form.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let rules: Option<Vec<_>> = super::address::items(text).map(OriginRule::parse).collect();
        match rules {
            None => Err("holds an item that is not an origin such as https://app.example.com"),
            Some(rules) if rules.is_empty() => Err("is set but names no origin"),
            Some(rules) => Ok(Self(rules)),
        }
    }

    /// Checks a request; one without `Origin` is not from a browser's other site.
    pub(crate) fn check(&self, head: &RequestHead<'_>) -> Result<Option<CorsGrant>, Denial> {
        let origin = match head.single("origin") {
            Single::Absent => return Ok(None),
            Single::Value(value) => core::str::from_utf8(value).ok(),
            Single::Repeated => None,
        };
        let allowed = origin.filter(|origin| self.0.iter().any(|rule| rule.allows(origin)));
        let origin = allowed.ok_or(Denial::OriginNotAllowed)?;
        Ok(Some(CorsGrant {
            origin: origin.to_owned(),
        }))
    }
}

impl OriginRule {
    fn parse(item: &str) -> Option<Self> {
        if item == "*" {
            return Some(Self::Any);
        }
        let item = item.to_ascii_lowercase();
        let (scheme, authority) = item.split_once("://")?;
        let scheme_fits = !scheme.is_empty()
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
        let (host, any_port) = match authority.strip_suffix(":*") {
            Some(host) => (host, true),
            None => (authority, false),
        };
        if !scheme_fits || host.is_empty() || !host.bytes().all(allowed) {
            return None;
        }
        Some(if any_port {
            Self::AnyPort(alloc::format!("{scheme}://{host}"))
        } else {
            Self::Exact(item)
        })
    }

    fn allows(&self, origin: &str) -> bool {
        // `null` and everything else must be sendable back as it is. A comma is what Envoy makes of
        // two fields, and no origin holds one.
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b',';
        if !origin.bytes().all(allowed) || origin.is_empty() {
            return false;
        }
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact.eq_ignore_ascii_case(origin),
            Self::AnyPort(base) => {
                origin
                    .split_at_checked(base.len())
                    .is_some_and(|(start, rest)| {
                        start.eq_ignore_ascii_case(base) && (rest.is_empty() || is_port(rest))
                    })
            }
        }
    }
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    })
}

/// The permission for one allowed origin.
#[derive(Clone, Debug)]
pub(crate) struct CorsGrant {
    origin: String,
}

const EXPOSED: &str = "mcp-session-id, mcp-protocol-version, www-authenticate, retry-after";
const METHODS: &str = "GET, POST, DELETE, OPTIONS";
const REQUEST_HEADERS: &str = "accept, authorization, content-type, last-event-id, mcp-method, \
    mcp-name, mcp-protocol-version, mcp-session-id, x-api-key, x-zscaler-client-id, \
    x-zscaler-client-secret";

/// How long a browser may keep the answer to a preflight, in seconds.
const MAX_AGE_SECONDS: &str = "600";

/// The field that says what a response depends on (RFC 9110 §12.5.5).
pub(crate) const VARY: &str = "vary";

/// What a response of the protected resource may not say beside us.
pub(crate) const OWNED: [&str; 3] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-expose-headers",
];

impl CorsGrant {
    /// The permission to read what is public.
    pub(crate) fn anybody() -> Self {
        let origin = "*".to_owned();
        Self { origin }
    }

    /// Lets the browser read a response of the protected resource.
    pub(crate) fn expose_response(&self, headers: &[(&str, &[u8])], edits: &mut HeaderEdits) {
        for name in OWNED {
            if headers.iter().any(|(field, _)| *field == name) {
                edits.remove(name);
            }
        }
        edits.set("access-control-allow-origin", self.origin.clone());
        edits.set("access-control-expose-headers", EXPOSED);
        let mut vary: Vec<u8> = Vec::new();
        for (_, value) in headers.iter().filter(|(field, _)| *field == VARY) {
            vary.extend_from_slice(value);
            vary.push(b',');
        }
        // Without a blank, as Envoy joins the lines.
        vary.extend_from_slice(b"origin");
        edits.set(VARY, vary);
    }

    /// Lets the browser read an answer of ours.
    pub(crate) fn expose_local(&self, headers: &mut Vec<(&'static str, String)>) {
        headers.push(("access-control-allow-origin", self.origin.clone()));
        headers.push(("access-control-expose-headers", EXPOSED.to_owned()));
        headers.push(("vary", "origin".to_owned()));
    }

    /// Answers a preflight.
    pub(crate) fn preflight(&self, head: &RequestHead<'_>) -> LocalResponse {
        // Several lines are one list, joined as Envoy does.
        let lines = head.values("access-control-request-headers");
        let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
        let asked = String::from_utf8(lines.join(&b','));
        let asked = asked.ok().filter(|text| is_names(text));
        let headers = [
            ("access-control-allow-origin", self.origin.clone()),
            ("access-control-allow-methods", METHODS.to_owned()),
            (
                "access-control-allow-headers",
                asked.unwrap_or_else(|| REQUEST_HEADERS.to_owned()),
            ),
            ("access-control-max-age", MAX_AGE_SECONDS.to_owned()),
            ("vary", "origin, access-control-request-headers".to_owned()),
        ];
        LocalResponse {
            status: 204,
            headers: headers.into(),
            body: Vec::new(),
            reason: Reason::Preflight,
        }
    }
}

/// Tells whether a request is a CORS preflight.
pub(crate) fn is_preflight(head: &RequestHead<'_>) -> bool {
    head.method == b"OPTIONS"
        && head.values("origin").next().is_some()
        && head
            .values("access-control-request-method")
            .next()
            .is_some()
}

/// Tells whether `text` is a short list of field names, fit to be sent back.
fn is_names(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(&byte);
    !text.is_empty() && text.len() <= 1024 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    #[track_caller]
    fn check(list: &str, origin: &str, expected: bool) {
        let headers = [("origin", origin.as_bytes())];
        let head = RequestHead {
            method: b"POST",
            authority: b"",
            path: b"",
            headers: &headers,
            peer: Peer::Unknown,
        };
        let grant = OriginList::parse(list).unwrap().check(&head);
        assert_eq!(grant.is_ok(), expected, "{list} {origin}");
    }

    #[test]
    fn origins_match_whole_and_ports_only_where_left_open() {
        check("https://app.example.com", "https://app.example.com", true);
        check("https://app.example.com", "https://APP.example.com", true);
        check(
            "https://app.example.com",
            "https://app.example.com:8443",
            false,
        );
        check(
            "https://app.example.com",
            "https://app.example.com.evil.org",
            false,
        );
        check("https://app.example.com", "http://app.example.com", false);
        check("http://localhost:*", "http://localhost:6274", true);
        check("http://localhost:*", "http://localhost", true);
        check(
            "http://localhost:*",
            "http://localhost:6274.evil.org",
            false,
        );
        check("http://localhost:*", "http://localhostx", false);
        check("https://a", "null", false);
        check("*", "null", true);
        check("*", "a b", false);
    }

    #[test]
    fn a_list_without_a_valid_item_is_an_error() {
        for bad in [
            "",
            " ,",
            "app.example.com",
            "https://",
            "https://a/b",
            "://a",
            "https://a b",
        ] {
            assert!(OriginList::parse(bad).is_err(), "{bad}");
        }
    }
}
