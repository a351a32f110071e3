//! Names to addresses, and which of these strangers may have asked.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::net::lookup_host;
use tower_service::Service;

/// Resolves names as the system does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resolver {
    /// To whatever address.
    Anywhere,
    /// To public addresses. A name with any other among its answers has none at all: the next
    /// lookup could bring that one first.
    Public,
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = *self;
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await;
            let found: Vec<SocketAddr> = found.map_err(unresolved)?.collect();
            resolver.allowed(found).map(Vec::into_iter)
        })
    }
}

/// Marks the failure of a lookup, so that it is not taken for one of a connection.
#[derive(Debug)]
pub(crate) struct Unresolved(io::Error);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unresolved {}

fn unresolved(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Unresolved(error))
}

impl Resolver {
    fn allowed(self, found: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::Public if !found.iter().all(|address| is_public(address.ip())) => {
                Err(io::Error::other("the name leads to an internal address"))
            }
            Self::Public | Self::Anywhere => Ok(found),
        }
    }
}

/// Tells whether an address is one of the public internet: in none of IANA's special-purpose
/// registries (RFC 6890), and no way around through another (NAT64, 6to4, Teredo).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127 | 224..=255, ..]
        | [169, 254, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [100, 64..=127, ..] => true,
        [..] => false,
    };
    !special
}

/// Only `2000::/3` is given out to the public, but for a few parts of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let special = match address.segments() {
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => true,
        [0x2000..=0x3fff, ..] => false,
        [..] => true,
    };
    !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let address: IpAddr = text.parse().expect(text);
        assert_eq!(is_public(address), expected, "{text}");
        let found = vec![SocketAddr::new(address, 443)];
        assert_eq!(Resolver::Public.allowed(found.clone()).is_ok(), expected);
        assert!(Resolver::Anywhere.allowed(found).is_ok());
    }

    #[test]
    fn internal_addresses_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(address, false);
        }
    }

    #[test]
    fn public_addresses_are() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
        ] {
            check(address, true);
        }
    }

    #[test]
    fn one_internal_address_among_public_ones_spoils_the_name() {
        let addresses = ["1.1.1.1:0", "10.0.0.1:0"];
        let found = addresses.map(|address| address.parse().expect(address));
        assert!(Resolver::Public.allowed(found.into()).is_err());
    }

    #[tokio::test]
    async fn a_name_of_this_host_is_no_public_one() {
        let name: Name = "localhost".parse().expect("a name");
        assert!(Resolver::Public.call(name.clone()).await.is_err());
        assert!(Resolver::Anywhere.call(name).await.is_ok());
    }
}
