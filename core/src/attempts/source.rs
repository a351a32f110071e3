//! Who attempts count for.

use core::net::IpAddr;

/// A source of attempts: an IPv4 address, or the 64 bits of an IPv6 network, which one host may
/// use all of. Requests whose address cannot be told count as one source.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Source {
    /// The address cannot be told.
    Unknown,
    /// An IPv4 address.
    V4(u32),
    /// An IPv6 network of 64 bits.
    V6(u64),
}

impl Source {
    /// Returns the source that `address` belongs to; IPv4-mapped addresses count as IPv4.
    #[must_use]
    pub fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V4(address)) => Self::V4(address.to_bits()),
            Some(IpAddr::V6(address)) => {
                let network = address.to_bits() >> 64;
                Self::V6(u64::try_from(network).unwrap_or_default())
            }
        }
    }

    /// Returns octets that no other source has.
    #[must_use]
    pub fn octets(self) -> [u8; 9] {
        let (kind, number) = match self {
            Self::Unknown => (0, 0),
            Self::V4(address) => (4, u64::from(address)),
            Self::V6(network) => (6, network),
        };
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        [kind, a, b, c, d, e, f, g, h]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_source_and_a_mapped_address_is_ipv4() {
        let of = |address: &str| Source::of(Some(address.parse().expect(address)));
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1").octets(), of("::c000:201").octets());
        assert_ne!(Source::of(None), of("0.0.0.0"));
    }
}
