//! Redirect URIs of clients (RFC 6749 §3.1.2, RFC 8252 §7 and §8): a code goes to where one says.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use core::net::Ipv4Addr;

use crate::url::{is_host, split_port};

mod private_use;

/// The most characters of one.
const MAX_CHARACTERS: usize = 512;

/// An absolute URI without surprises: what a browser makes of it is what is written there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RedirectUri {
    text: String,
    place: Place,
}

/// Where a redirect URI leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Place {
    /// To an `http` or `https` origin.
    Web(WebOrigin),
    /// To a program that owns the scheme, given in lower case (RFC 8252 §7.1).
    PrivateUse { scheme: String },
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct WebOrigin {
    pub(super) https: bool,
    /// A name, an IPv4 address, or an IPv6 address in brackets, in lower case.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// What follows the authority, as written.
    pub(super) rest: String,
}

impl RedirectUri {
    /// Parses `text`.
    ///
    /// Any host may be reached by `https`, the loopback interface alone by `http`, and programs by
    /// a scheme of their own, with a path: schemes that browsers or systems take for more than the
    /// name of a program are not for that.
    ///
    /// # Errors
    ///
    /// Returns the rule of RFC 8252 or OAuth 2.1 that is broken, or what makes it ambiguous.
    pub(crate) fn parse(text: &str) -> Result<Self, RedirectFault> {
        if text.len() > MAX_CHARACTERS {
            return Err(RedirectFault::TooLong);
        }
        if text.contains('#') {
            return Err(RedirectFault::Fragment);
        }
        if !text.bytes().all(is_uri_octet) || !escapes_are_whole(text) {
            return Err(RedirectFault::ForbiddenCharacter);
        }
        let (scheme, rest) = text.split_once(':').ok_or(RedirectFault::NotAbsolute)?;
        if !is_scheme(scheme) {
            return Err(RedirectFault::NotAbsolute);
        }
        let scheme = scheme.to_ascii_lowercase();
        let place = match scheme.as_str() {
            "https" => Place::Web(WebOrigin::parse(true, rest)?),
            "http" => Place::Web(WebOrigin::parse(false, rest)?),
            _ => {
                private_use::check(&scheme, rest)?;
                Place::PrivateUse { scheme }
            }
        };
        let text = text.to_owned();
        Ok(Self { text, place })
    }

    /// Returns it as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells whether a client that registered this URI may ask for `requested`: the same text, and
    /// for addresses of the loopback interface with any port, since the system gives such a client
    /// another one each time (RFC 8252 §7.3). `localhost` gets that leave only without a port.
    pub(crate) fn matches(&self, requested: &str) -> bool {
        if self.text == requested {
            return true;
        }
        let Some(registered) = self.web().filter(|web| web.may_differ_in_port()) else {
            return false;
        };
        let requested = Self::parse(requested).ok();
        let requested = requested.as_ref().and_then(Self::web);
        requested.is_some_and(|requested| registered.differs_in_port_only(requested))
    }

    /// Returns what the consent page shows of it: the host, with its port if there is one, or the
    /// scheme of a program.
    pub(crate) fn display_host(&self) -> String {
        match &self.place {
            Place::Web(web) => web.authority(),
            Place::PrivateUse { scheme } => format!("{scheme}:"),
        }
    }

    /// Tells whether it leads to this computer, where any program may listen.
    pub(crate) fn is_loopback(&self) -> bool {
        self.web().is_some_and(WebOrigin::is_loopback)
    }

    /// Returns the source under which a content security policy lets a form lead there.
    ///
    /// The grammar of host sources has neither IPv6 addresses nor underscores, and matches no IPv4
    /// address but 127.0.0.1 (CSP3 §2.3.1 and §6.7.2.8): for those it is the scheme.
    pub(crate) fn csp_source(&self) -> String {
        match &self.place {
            Place::PrivateUse { scheme } => format!("{scheme}:"),
            Place::Web(web) => {
                let scheme = if web.https { "https" } else { "http" };
                let address = web.host.parse::<Ipv4Addr>();
                let named = match address {
                    Ok(address) => address == Ipv4Addr::LOCALHOST,
                    Err(_) => !web.host.contains(['[', '_']),
                };
                if named {
                    format!("{scheme}://{}", web.authority())
                } else {
                    format!("{scheme}:")
                }
            }
        }
    }

    pub(super) const fn web(&self) -> Option<&WebOrigin> {
        match &self.place {
            Place::Web(web) => Some(web),
            Place::PrivateUse { .. } => None,
        }
    }
}

impl WebOrigin {
    fn parse(https: bool, after_scheme: &str) -> Result<Self, RedirectFault> {
        let rest = after_scheme.strip_prefix("//");
        let rest = rest.ok_or(RedirectFault::NotAbsolute)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = authority_parts(authority)?;
        if !is_host(host) || looks_like_another_address(host) {
            return Err(RedirectFault::BadHost);
        }
        let web = Self {
            https,
            host: host.to_ascii_lowercase(),
            port,
            rest: rest.to_owned(),
        };
        if !https && !web.is_loopback() {
            return Err(RedirectFault::PlainHttp);
        }
        Ok(web)
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.is_loopback_address() || self.host == "localhost"
    }

    /// Other ways to write these are not taken for them: `[0::1]` is the same interface to a
    /// browser, but to a reader of the consent page it need not be.
    fn is_loopback_address(&self) -> bool {
        matches!(self.host.as_str(), "127.0.0.1" | "[::1]")
    }

    /// `localhost` is a name, and RFC 8252 §8.3 advises clients against it. Those that register it
    /// without a port mean any: nobody listens on port 80 there.
    fn may_differ_in_port(&self) -> bool {
        self.is_loopback_address()
            || (!self.https && self.host == "localhost" && self.port.is_none())
    }

    pub(super) fn differs_in_port_only(&self, other: &Self) -> bool {
        self.https == other.https && self.host == other.host && self.rest == other.rest
    }

    fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// What is wrong with a redirect URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RedirectFault {
    /// It has more characters than are read.
    TooLong,
    /// It has no scheme, or after it not what the scheme needs.
    NotAbsolute,
    /// It has a fragment (RFC 6749 §3.1.2).
    Fragment,
    /// It has a character that no URI has, such as a backslash, which browsers read as a slash.
    ForbiddenCharacter,
    /// It has user information, which makes a host look like another.
    UserInformation,
    /// The host or the port is not valid, or an address is not in its usual form.
    BadHost,
    /// It leads to another computer by `http` (OAuth 2.1 §2.3.1).
    PlainHttp,
    /// Its scheme means more than the name of a program.
    ForbiddenScheme,
}

impl RedirectFault {
    /// Returns the rule that was broken, for the maker of a client.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::TooLong => "a redirect URI has more than 512 characters",
            Self::NotAbsolute => "a redirect URI is not absolute",
            Self::Fragment => "a redirect URI has a fragment",
            Self::ForbiddenCharacter => {
                "a redirect URI has a character that is not allowed in URIs"
            }
            Self::UserInformation => "a redirect URI has user information",
            Self::BadHost => "a redirect URI has no valid host and port",
            Self::PlainHttp => "a redirect URI uses http for a host other than loopback",
            Self::ForbiddenScheme => "a redirect URI has a scheme that is not allowed",
        }
    }
}

fn authority_parts(authority: &str) -> Result<(&str, Option<u16>), RedirectFault> {
    if authority.contains('@') {
        return Err(RedirectFault::UserInformation);
    }
    split_port(authority).ok_or(RedirectFault::BadHost)
}

/// Browsers read a host that ends in a number as an IPv4 address, be it octal, hexadecimal or short
/// of parts (WHATWG URL §3.5); only the usual form is clear to a reader.
fn looks_like_another_address(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let digits = last.bytes().all(|octet| octet.is_ascii_digit());
    let hexadecimal = last
        .get(..2)
        .is_some_and(|lead| lead.eq_ignore_ascii_case("0x"));
    (digits || hexadecimal) && host.parse::<Ipv4Addr>().is_err()
}

/// Tells whether it is a scheme (RFC 3986 §3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'))
}

/// Tells whether URIs have this octet (RFC 3986 §2).
const fn is_uri_octet(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(
            octet,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

/// Tells whether every `%` begins an escape; those of control characters are none that a client
/// needs.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.get(..2).unwrap_or_default();
        let octet = u8::from_str_radix(digits, 16).ok();
        digits.len() == 2
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            && octet.is_some_and(|octet| !octet.is_ascii_control())
    })
}

#[cfg(test)]
mod tests;
