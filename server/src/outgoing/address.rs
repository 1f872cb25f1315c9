//! Which addresses may be sent to: those of the public internet, and those that the operator allows (`webhook_allow`).
//!
//! An org chooses where its webhooks go, so this server would otherwise be its way into the operator's network. What is public is said by
//! the registries of special addresses (RFC 6890 and its successors at IANA); of IPv6 only what is given out for the internet is, and what
//! carries an IPv4 address inside is judged by that.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Stretches of IPv4 that are not the public internet: first address, and how many bits it has in common with the others.
const SPECIAL_V4: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // between providers and their customers
    ([127, 0, 0, 0], 8),     // this machine
    ([169, 254, 0, 0], 16),  // this link; where clouds keep their secrets
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocols
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 52, 193, 0], 24), // AMT
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([192, 175, 48, 0], 24), // AS112
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 3),     // to many, reserved, to everybody
];

/// Stretches within 2000::/3, all that is given out for the internet, that are not the public internet.
const SPECIAL_V6: [([u16; 3], u32); 6] = [
    ([0x2001, 0, 0], 23),         // protocols, Teredo among them
    ([0x2001, 0xdb8, 0], 32),     // documentation
    ([0x2002, 0, 0], 16),         // 6to4
    ([0x2620, 0x4f, 0x8000], 48), // AS112
    ([0x3fff, 0, 0], 20),         // documentation
    ([0x3ffe, 0, 0], 16),         // 6bone, given back
];

/// Networks that may be sent to although they are not public.
#[derive(Debug, Clone, Default)]
pub struct Allowed(Vec<IpNet>);

impl Allowed {
    /// Reads a list with commas between: `10.1.0.0/16, 192.168.7.4`.
    ///
    /// # Errors
    /// A sentence that names what is no network.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read = |part: &str| {
            let part = part.trim();
            let net = part.parse::<IpNet>().ok().or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
            net.ok_or_else(|| format!("webhook_allow names \"{part}\", which is no network such as 10.1.0.0/16"))
        };
        let parts = text.split(',').filter(|part| !part.trim().is_empty());
        Ok(Self(parts.map(read).collect::<Result<_, _>>()?))
    }

    /// Whether the operator allows that address.
    #[must_use]
    pub fn names(&self, ip: IpAddr) -> bool {
        let ip = plain(ip);
        self.0.iter().any(|net| net.contains(&ip))
    }
}

/// The IPv4 address that an IPv6 address only writes otherwise.
fn plain(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// Whether an address is of the public internet.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match plain(ip) {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let bits = u32::from(ip);
    let within = |(first, prefix): &([u8; 4], u32)| (bits ^ u32::from(Ipv4Addr::from(*first))) >> (32 - prefix) == 0;
    !SPECIAL_V4.iter().any(within)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    if parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        // What networks without IPv4 reach the IPv4 internet by.
        let [.., a, b, c, d] = ip.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let bits = u128::from(ip);
    let within = |(first, prefix): &([u16; 3], u32)| {
        let [a, b, c] = *first;
        (bits ^ u128::from(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))) >> (128 - prefix) == 0
    };
    parts[0] & 0xe000 == 0x2000 && !SPECIAL_V6.iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_edges_of_every_special_stretch_are_not_public_and_their_neighbours_are() {
        for (first, prefix) in SPECIAL_V4 {
            let first = u32::from(Ipv4Addr::from(first));
            let last = first | (u32::MAX >> prefix);
            assert!(!is_public(IpAddr::V4(first.into())) && !is_public(IpAddr::V4(last.into())), "{first:x}/{prefix}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.255",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:200::1",
            "2400::1",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(ip(public)), "{public}");
        }
        for special in [
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:1ff:ffff::1",
            "2620:4f:8000::1",
            "3ffe::1",
        ] {
            assert!(!is_public(ip(special)), "{special}");
        }
    }

    #[test]
    fn the_operator_may_allow_networks_and_addresses() {
        let allowed = Allowed::parse(" 10.1.0.0/16, 192.168.7.4,fd00::/8 ").expect("networks");
        for named in ["10.1.2.3", "::ffff:10.1.2.3", "192.168.7.4", "fd00::1"] {
            assert!(allowed.names(ip(named)), "{named}");
        }
        for other in ["10.2.0.1", "192.168.7.5", "fc00::1", "127.0.0.1"] {
            assert!(!allowed.names(ip(other)), "{other}");
        }
        assert!(Allowed::parse("").expect("nothing").0.is_empty());
        for bad in ["10.1.0.0/33", "everything", "10.1.0.0/16;10.2.0.0/16"] {
            assert!(Allowed::parse(bad).expect_err(bad).contains("webhook_allow"), "{bad}");
        }
    }
}
