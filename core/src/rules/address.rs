//! Source addresses, and whose word about them counts.

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::request::RequestHead;

/// A list of addresses and networks, never empty. IPv4-mapped IPv6 addresses count as IPv4.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressList(Vec<Network>);

/// A network in CIDR notation (RFC 4632 §3.1); host bits are ignored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Network {
    Everything,
    V4 { base: u32, mask: u32 },
    V6 { base: u128, mask: u128 },
}

impl AddressList {
    /// Parses a comma list of addresses, networks in CIDR notation, and `*`.
    ///
    /// # Errors
    ///
    /// Refuses a list without items and items of another form.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if items(text).next().is_none() {
            return Err("is set but names no address");
        }
        Self::from_items(items(text).map(Some))
            .ok_or("holds an item that is not an IP address or a network such as 10.0.0.0/8")
    }

    /// Takes such items; `None` where there is none, or one of another form.
    pub(crate) fn from_items<'a>(items: impl Iterator<Item = Option<&'a str>>) -> Option<Self> {
        let networks: Option<Vec<_>> = items.map(|item| Network::parse(item?)).collect();
        networks.filter(|networks| !networks.is_empty()).map(Self)
    }

    /// Tells whether `address` is in the list.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn parse(item: &str) -> Option<Self> {
        if item == "*" {
            return Some(Self::Everything);
        }
        let (address, prefix) = match item.split_once('/') {
            Some((address, prefix)) if is_number(prefix) => (address, Some(prefix.parse().ok()?)),
            Some(_) => return None,
            None => (item, None),
        };
        let given: IpAddr = address.parse().ok()?;
        match given.to_canonical() {
            IpAddr::V4(address) => {
                // A network of mapped addresses counts its prefix from the 96 leading bits.
                let lead = if given.is_ipv6() { 96 } else { 0 };
                let prefix: u32 = prefix
                    .unwrap_or(32_u32.checked_add(lead)?)
                    .checked_sub(lead)?;
                let mask = u32::MAX
                    .checked_shl(32_u32.checked_sub(prefix)?)
                    .unwrap_or(0);
                Some(Self::V4 {
                    base: u32::from(address) & mask,
                    mask,
                })
            }
            IpAddr::V6(address) => {
                let host_bits = 128_u32.checked_sub(prefix.unwrap_or(128))?;
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
                Some(Self::V6 {
                    base: u128::from(address) & mask,
                    mask,
                })
            }
        }
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Everything, _) => true,
            (Self::V4 { base, mask }, IpAddr::V4(address)) => u32::from(address) & mask == base,
            (Self::V6 { base, mask }, IpAddr::V6(address)) => u128::from(address) & mask == base,
            (Self::V4 { .. }, IpAddr::V6(_)) | (Self::V6 { .. }, IpAddr::V4(_)) => false,
        }
    }
}

/// Returns the address of the client: that of the connection, or, where trusted proxies sent the
/// request on, the last one in `X-Forwarded-For` that is not theirs. `None` when it cannot be
/// told, which no list contains.
#[must_use]
pub fn client_address(head: &RequestHead<'_>, trusted: Option<&AddressList>) -> Option<IpAddr> {
    let mut client = head.peer.address()?.to_canonical();
    let Some(trusted) = trusted else {
        return Some(client);
    };
    let lines = head
        .headers
        .iter()
        .rev()
        .filter(|(name, _)| *name == "x-forwarded-for");
    let mut hops = lines
        .flat_map(|(_, line)| line.rsplit(|byte| *byte == b','))
        .filter(|hop| !hop.trim_ascii().is_empty());
    while trusted.contains(client) {
        let Some(hop) = hops.next() else { break };
        client = hop_address(hop)?;
    }
    Some(client)
}

/// Parses one hop: an address, or an address with a port.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let text = core::str::from_utf8(hop).ok()?.trim();
    let address = match text.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) => {
            let (host, _) = crate::url::split_port(text)?;
            host.trim_start_matches('[')
                .trim_end_matches(']')
                .parse()
                .ok()?
        }
    };
    Some(address.to_canonical())
}

/// Splits a comma list into its items without blanks; empty items do not count.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    #[track_caller]
    fn contains(list: &str, address: &str, expected: bool) {
        let list = AddressList::parse(list).unwrap();
        assert_eq!(
            list.contains(address.parse().unwrap()),
            expected,
            "{address}"
        );
    }

    #[test]
    fn networks_ignore_host_bits_and_fold_mapped_addresses() {
        contains("10.1.2.3/8", "10.200.0.1", true);
        contains("10.0.0.0/8", "::ffff:10.1.2.3", true);
        contains("::ffff:10.0.0.0/104", "10.1.2.3", true);
        contains("10.0.0.0/8", "11.0.0.1", false);
        contains("192.0.2.1", "192.0.2.1", true);
        contains("192.0.2.1/32", "192.0.2.2", false);
        contains("0.0.0.0/0", "203.0.113.9", true);
        contains("0.0.0.0/0", "2001:db8::1", false);
        contains("2001:db8::/32", "2001:db8:1::1", true);
        contains("::/0", "::1", true);
        contains("*", "::1", true);
    }

    #[test]
    fn a_list_without_a_valid_item_is_an_error() {
        for bad in [
            "",
            ",, ,",
            "10.0.0.0/33",
            "10.0.0/8",
            "x",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
        ] {
            assert!(AddressList::parse(bad).is_err(), "{bad}");
        }
        assert!(AddressList::parse("10.0.0.0/8,x").is_err());
    }

    #[track_caller]
    fn client_is(peer: &str, forwarded: &[&str], trusted: Option<&str>, expected: Option<&str>) {
        let headers: Vec<(&str, &[u8])> = forwarded
            .iter()
            .map(|line| ("x-forwarded-for", line.as_bytes()))
            .collect();
        let peer = peer.parse().map_or(Peer::Unknown, Peer::Address);
        let head = RequestHead {
            method: b"",
            authority: b"",
            path: b"",
            headers: &headers,
            peer,
        };
        let trusted = trusted.map(|list| AddressList::parse(list).unwrap());
        let expected = expected.map(|address| address.parse().unwrap());
        assert_eq!(
            client_address(&head, trusted.as_ref()),
            expected,
            "{forwarded:?}"
        );
    }

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        client_is("10.0.0.1", &["203.0.113.9"], None, Some("10.0.0.1"));
        client_is(
            "10.0.0.1",
            &["203.0.113.9"],
            Some("10.0.0.2"),
            Some("10.0.0.1"),
        );
        client_is(
            "10.0.0.1",
            &["203.0.113.9"],
            Some("10.0.0.0/8"),
            Some("203.0.113.9"),
        );
        client_is(
            "::ffff:10.0.0.1",
            &["203.0.113.9:443"],
            Some("10.0.0.0/8"),
            Some("203.0.113.9"),
        );
        client_is(
            "10.0.0.1",
            &["1.1.1.1, 203.0.113.9", "10.0.0.7"],
            Some("10.0.0.0/8"),
            Some("203.0.113.9"),
        );
        client_is(
            "10.0.0.1",
            &["10.0.0.9"],
            Some("10.0.0.0/8"),
            Some("10.0.0.9"),
        );
        client_is("10.0.0.1", &["unknown"], Some("10.0.0.0/8"), None);
        client_is(
            "10.0.0.1",
            &["[2001:db8::1]:99"],
            Some("10.0.0.0/8"),
            Some("2001:db8::1"),
        );
        client_is("", &["203.0.113.9"], Some("*"), None);
    }
}
