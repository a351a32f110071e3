//! The head of a request, as both hosts hand it in.

use core::fmt;
use core::net::IpAddr;

/// The head of one request (RFC 9110 §6), borrowed from the host.
///
/// Values are bytes: nothing here assumes UTF-8.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, case-sensitive.
    pub method: &'a [u8],
    /// `Host` or `:authority`; empty when the client sent none.
    pub authority: &'a [u8],
    /// Path and query as sent, not decoded and not normalised.
    pub path: &'a [u8],
    /// All other fields in order, one entry a field line, names in lower case. `host` and pseudo
    /// fields are not among them.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The address of the connection's other end.
    pub peer: Peer<'a>,
}

/// The address of a connection's other end.
#[derive(Clone, Copy, Default)]
pub enum Peer<'a> {
    /// It cannot be told. No list of addresses contains it.
    #[default]
    Unknown,
    /// The host knows it.
    Address(IpAddr),
    /// The host looks it up, which takes time: it is asked only where a rule or a call depends on
    /// the answer. `None` stands for [`Peer::Unknown`].
    LookUp(&'a (dyn Fn() -> Option<IpAddr> + Sync)),
}

impl Peer<'_> {
    /// Returns the address, looking it up if need be.
    pub(crate) fn address(self) -> Option<IpAddr> {
        match self {
            Self::Unknown => None,
            Self::Address(address) => Some(address),
            Self::LookUp(look_up) => look_up(),
        }
    }
}

impl<'a> RequestHead<'a> {
    /// Returns the values of the field `name` (lower case), one per field line.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let headers = self.headers;
        headers
            .iter()
            .filter(move |(field, _)| *field == name)
            .map(|(_, value)| *value)
    }

    /// Returns the only value of the field `name`, without blanks around it.
    ///
    /// A blank line beside another is no value: Envoy leaves it out where it joins lines.
    pub(crate) fn single(&self, name: &str) -> Single<'a> {
        let mut single = Single::Absent;
        for value in self.values(name).map(<[u8]>::trim_ascii) {
            single = match single {
                Single::Absent | Single::Value([]) => Single::Value(value),
                Single::Value(_) if value.is_empty() => single,
                Single::Value(_) | Single::Repeated => return Single::Repeated,
            };
        }
        single
    }

    /// Returns the path without its query.
    pub(crate) fn path_only(&self) -> &'a [u8] {
        self.path
            .split(|byte| *byte == b'?')
            .next()
            .unwrap_or_default()
    }
}

impl fmt::Debug for RequestHead<'_> {
    /// Writes the method and the names of the fields; values and the query may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.method.escape_ascii())?;
        let names = self.headers.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// How often a field occurs that may occur once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Single<'a> {
    Absent,
    Value(&'a [u8]),
    Repeated,
}
