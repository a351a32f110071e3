//! Absolute `http` and `https` URLs, as far as calls need them.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::Ipv6Addr;

/// An absolute `http` or `https` URL (RFC 9110 §4.2) without user information and fragment.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct HttpUrl {
    https: bool,
    host: String,
    port: u16,
    path: String,
}

impl HttpUrl {
    /// Parses `text`; the host becomes lower case, an absent path becomes `/`.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, in words that follow the name of a setting.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("must be printable ASCII without blanks");
        }
        let (https, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some(_) | None => return Err("must be an http or https URL"),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if path.contains('#') {
            return Err("must not have a fragment");
        }
        if authority.contains('@') {
            return Err("must not hold user information");
        }
        let (host, port) = split_port(authority).ok_or("must have a valid host and port")?;
        if !is_host(host) {
            return Err("must have a valid host and port");
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let default_port = if https { 443 } else { 80 };
        let port = port.unwrap_or(default_port);
        Ok(Self {
            https,
            host: host.to_ascii_lowercase(),
            port,
            path,
        })
    }

    /// Tells whether the scheme is `https`.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Returns the host: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, the scheme's default when none was given.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns path and query, at least `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the same origin with another path, which must begin with `/`.
    #[must_use]
    pub(crate) fn with_path(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self.clone()
        }
    }

    /// Returns the value for `Host` or `:authority`: the host, and the port unless it is the
    /// scheme's default.
    #[must_use]
    pub fn authority(&self) -> String {
        match (self.https, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// Tells whether the host is a loopback address or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost"
            || bare
                .parse::<core::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`; `None` when the port is not a number.
pub(crate) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_end = authority
        .rfind(']')
        .map_or(0, |bracket| bracket.saturating_add(1));
    let Some(colon) = authority.get(host_end..)?.find(':') else {
        return Some((authority, None));
    };
    let (host, port) = authority.split_at_checked(host_end.saturating_add(colon))?;
    let digits = port.strip_prefix(':')?;
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = if all_digits {
        digits.parse().ok().filter(|port| *port != 0)?
    } else {
        return None;
    };
    Some((host, Some(port)))
}

pub(crate) fn is_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    !host.is_empty() && host.len() <= 253 && host.split('.').all(is_label)
}

/// Tells whether `label` is a DNS label: letters, digits and inner hyphens, at most 63 octets
/// (RFC 1123 §2.1). Underscores are allowed inside, as container networks use them.
pub(crate) fn is_label(label: &str) -> bool {
    let inner = label
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    inner
        && !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            HttpUrl::parse(text)
                .ok()
                .map(|url| url.to_string())
                .as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn url_is_absolute_http_without_surprises() {
        check(
            "https://idp.example.com/jwks",
            Some("https://idp.example.com/jwks"),
        );
        check(
            "HTTPS://IDP.example.com:443",
            Some("https://idp.example.com/"),
        );
        check("http://[::1]:8080?x=1", Some("http://[::1]:8080/?x=1"));
        check("http://127.0.0.1:80/a", Some("http://127.0.0.1/a"));
        for bad in [
            "",
            "idp",
            "ftp://a/",
            "https://",
            "https:///x",
            "https://a@b/",
            "https://a:0/",
        ] {
            check(bad, None);
        }
        for bad in [
            "https://a:b/",
            "https://a b/",
            "https://a/#x",
            "https://-a/",
            "https://a..b/",
        ] {
            check(bad, None);
        }
        for bad in [
            "https://a:99999/",
            "https://[::1/",
            "https://[zz]/",
            "https://a\r\nb/",
        ] {
            check(bad, None);
        }
    }
}
