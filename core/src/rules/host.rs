//! Accepted `Host` values.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::url::split_port;

/// A list of accepted `Host` values, never empty.
#[derive(Clone, Debug)]
pub struct HostList(Vec<HostRule>);

#[derive(Clone, Debug)]
struct HostRule {
    name: NameRule,
    port: PortRule,
}

#[derive(Clone, Debug)]
enum NameRule {
    Any,
    Exact(String),
    /// `*.example.com`, kept as `.example.com`.
    Below(String),
}

#[derive(Clone, Debug)]
enum PortRule {
    /// Any port, or none.
    Any,
    Exact(u16),
}

impl HostList {
    /// Parses a comma list of `*`, `host`, `*.domain`, `host:*`, `host:port`, `[v6]`, `[v6]:port`.
    ///
    /// # Errors
    ///
    /// Refuses a list without items and items of another form.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let rules: Result<Vec<_>, _> = super::address::items(text).map(HostRule::parse).collect();
        match rules {
            Ok(rules) if rules.is_empty() => Err("is set but names no host"),
            Ok(rules) => Ok(Self(rules)),
            Err(problem) => Err(problem),
        }
    }

    pub(crate) fn allows(&self, authority: &[u8]) -> bool {
        let Ok(authority) = core::str::from_utf8(authority) else {
            return false;
        };
        let Some((host, port)) = split_port(authority.trim()) else {
            return false;
        };
        !host.is_empty()
            && host.bytes().all(is_host_byte)
            && self.0.iter().any(|rule| rule.allows(host, port))
    }
}

impl HostRule {
    fn parse(item: &str) -> Result<Self, &'static str> {
        const FORM: &str = "holds an item that is not a host, host:port, host:* or *.domain";
        let (host, port) = match item.strip_suffix(":*") {
            Some(host) => (host, PortRule::Any),
            None => match split_port(item).ok_or(FORM)? {
                (host, Some(port)) => (host, PortRule::Exact(port)),
                (host, None) => (host, PortRule::Any),
            },
        };
        let host = host.to_ascii_lowercase();
        let name = match host.strip_prefix('*') {
            Some("") => NameRule::Any,
            Some(below) if below.starts_with('.') && below.bytes().all(is_host_byte) => {
                NameRule::Below(below.to_owned())
            }
            None if !host.is_empty() && host.bytes().all(is_host_byte) => NameRule::Exact(host),
            Some(_) | None => return Err(FORM),
        };
        Ok(Self { name, port })
    }

    fn allows(&self, host: &str, port: Option<u16>) -> bool {
        let port_fits = match self.port {
            PortRule::Any => true,
            PortRule::Exact(expected) => port == Some(expected),
        };
        let name_fits = match &self.name {
            NameRule::Any => true,
            NameRule::Exact(name) => name.eq_ignore_ascii_case(host),
            NameRule::Below(domain) => {
                let start = host
                    .len()
                    .checked_sub(domain.len())
                    .filter(|start| *start > 0);
                let end = start.and_then(|start| host.get(start..));
                end.is_some_and(|end| end.eq_ignore_ascii_case(domain))
            }
        };
        port_fits && name_fits
    }
}

/// Tells whether a byte may be part of a host. A path or user information in the field would make
/// `*.domain` match a host of another domain.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, authority: &str, expected: bool) {
        let list = HostList::parse(list).unwrap();
        assert_eq!(list.allows(authority.as_bytes()), expected, "{authority}");
    }

    #[test]
    fn hosts_match_by_name_and_where_given_by_port() {
        check("gw.example.com", "GW.example.com:8443", true);
        check("gw.example.com:443", "gw.example.com", false);
        check("gw.example.com:443", "gw.example.com:443", true);
        check("a, localhost:*", "localhost", true);
        check("[::1]:*", "[::1]:8000", true);
        check("*.example.com", "a.b.example.com", true);
        check("*.example.com", "example.com", false);
        check("*.example.com", "evil-example.com", false);
        check("example.com", "example.com.evil.org", false);
        check("example.com", "", false);
        check("example.com", "example.com:x", false);
        check("example.com", "evil@example.com", false);
        check("*", "anything:1", true);
    }

    #[test]
    fn a_list_without_a_valid_item_is_an_error() {
        for bad in ["", " , ", "a b", "*x", "a:0", "http://a"] {
            assert!(HostList::parse(bad).is_err(), "{bad}");
        }
    }
}
