//! Where a webhook may go: the addresses of the public internet, and networks that the operator
//! has named.
//!
//! What is judged is the address that the connection is then made to, so no spelling of a host
//! (decimal, octal, a name that resolves to 127.0.0.1, a name that resolves otherwise the second
//! time) makes a difference.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u32,
}

/// A text that is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no network; write 10.0.0.0/8, fd00::/8 or one address")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = bits_of(first);
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| wrong())?,
            None => bits,
        };
        if prefix > bits {
            return Err(wrong());
        }
        Ok(Self { first, prefix })
    }
}

impl Network {
    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = bits_of(self.first);
        if bits != bits_of(address) {
            return false;
        }
        let network = |address| number(address).checked_shr(bits - self.prefix).unwrap_or(0);
        network(self.first) == network(address)
    }
}

fn bits_of(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Why a connection to this address is refused; `None` where it may be made. `plain` is HTTP
/// without encryption, which goes to the operator's own networks alone.
pub(super) fn refusal(address: IpAddr, plain: bool, allowed: &[Network]) -> Option<&'static str> {
    let address = address.to_canonical();
    if allowed.iter().any(|network| network.contains(address)) {
        return None;
    }
    let special = match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    };
    match (special, plain) {
        (None, true) => Some("not reached without encryption; use https"),
        (special, _) => special,
    }
}

/// IANA's special-purpose registry for IPv4 (RFC 6890 and what was added since).
fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0, _, _) => Some("\"this\" network"),
        (127, _, _) => Some("a loopback address"),
        (10, _, _) | (172, 16..=31, _) | (192, 168, _) => Some("a private address"),
        (169, 254, _) => Some("a link-local address, as of a cloud's metadata"),
        (100, 64..=127, _) => Some("an address of a carrier's own network"),
        // Oracle's and Alibaba's metadata stand in 192.0.0.0/24 and 100.64.0.0/10.
        (192, 0, 0) | (198, 18..=19, _) | (192, 88, 99) => Some("a reserved address"),
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some("an address for documentation"),
        (224..=239, _, _) => Some("a multicast address"),
        (240..=255, _, _) => Some("a reserved address"),
        _ => None,
    }
}

/// Everything outside of `2000::/3` is special, and so are some parts of it (RFC 6890, RFC 9637).
fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [first, second, ..] = address.segments();
    match (first, second) {
        // An IPv4 address in disguise, behind a translator or a tunnel of somebody's choice:
        // NAT64, 6to4, Teredo and the rest of 2001::/23.
        (0x64, 0xff9b) | (0x2002, _) | (0x2001, 0..=0x1ff) => Some("an IPv4 address in disguise"),
        (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => Some("an address for documentation"),
        (0x2000..=0x3fff, _) => None,
        (0xfc00..=0xfdff, _) => Some("a private address"),
        (0xfe80..=0xfebf, _) => Some("a link-local address"),
        (0xff00..=0xffff, _) => Some("a multicast address"),
        _ if address.is_loopback() => Some("a loopback address"),
        _ => Some("a reserved address"),
    }
}

#[cfg(test)]
mod tests {
    //! Addresses and networks.

    use std::net::IpAddr;

    use super::{Network, refusal};

    const REFUSED: [&str; 64] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.1.2.3",
        "127.255.255.255",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:192.168.1.1",
        "::ffff:0.0.0.0",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:a9fe:a9fe::",
        "3fff::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "::ffff:255.255.255.255",
    ];

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn no_special_address_is_reached() {
        for text in REFUSED {
            assert!(refusal(address(text), false, &[]).is_some(), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(refusal(address(text), false, &[]), None, "{text}");
            assert!(refusal(address(text), true, &[]).is_some(), "{text}");
        }
    }

    #[test]
    fn a_network_that_is_allowed_is_reached_however_it_is_spelled() {
        let allowed: Vec<Network> = ["10.0.0.0/8", "fd00::/8", "127.0.0.1"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        for (text, reached) in [
            ("10.9.8.7", true),
            ("::ffff:10.9.8.7", true),
            ("11.0.0.1", true),
            ("172.16.0.1", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd12::1", true),
            ("fc12::1", false),
        ] {
            let refused = refusal(address(text), false, &allowed);
            assert_eq!(refused.is_none(), reached, "{text}");
        }
        let everything: Network = "0.0.0.0/0".parse().unwrap();
        assert!(everything.contains(address("169.254.169.254")));
        assert!(!everything.contains(address("::1")));
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "a/8",
            "10.0.0.0/",
            "/8",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
