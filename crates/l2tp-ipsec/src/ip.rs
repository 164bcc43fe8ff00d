//! The two header fields of an IP packet that routing and address checks need.

use core::net::Ipv4Addr;
use core::net::Ipv6Addr;

/// Source and destination of an IP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ip {
    V4 { source: Ipv4Addr, destination: Ipv4Addr },
    V6 { source: Ipv6Addr, destination: Ipv6Addr },
}

impl Ip {
    /// Reads the addresses of a whole IP header; `None` when `packet` does not begin with one.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => {
                let header: &[u8; 20] = packet.first_chunk()?;
                let [.., s0, s1, s2, s3, d0, d1, d2, d3] = *header;
                let source = Ipv4Addr::new(s0, s1, s2, s3);
                Some(Self::V4 { source, destination: Ipv4Addr::new(d0, d1, d2, d3) })
            }
            6 => {
                let header: &[u8; 40] = packet.first_chunk()?;
                let (_, addresses) = header.split_at(8);
                let (source, destination) = addresses.split_at(16);
                let address = |octets: &[u8]| Some(Ipv6Addr::from(*octets.first_chunk::<16>()?));
                Some(Self::V6 { source: address(source)?, destination: address(destination)? })
            }
            _ => None,
        }
    }
}

/// The interface identifier of a link-local address, fe80::/64 (RFC 5072 §5).
pub(crate) fn link_local_id(address: Ipv6Addr) -> Option<u64> {
    let bits = u128::from(address);
    let id = u64::try_from(bits & u128::from(u64::MAX)).ok()?;
    (bits >> 64 == 0xfe80 << 48).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_versions() {
        let mut v4 = [0; 20];
        v4[0] = 0x45;
        v4[12..].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        assert_eq!(Ip::parse(&v4), Some(Ip::V4 { source, destination }));

        let mut v6 = [0; 40];
        v6[0] = 0x60;
        let source: Ipv6Addr = "fe80::a:b:c:d".parse().unwrap();
        let destination: Ipv6Addr = "2001:db8::1".parse().unwrap();
        v6[8..24].copy_from_slice(&source.octets());
        v6[24..].copy_from_slice(&destination.octets());
        assert_eq!(Ip::parse(&v6), Some(Ip::V6 { source, destination }));
        assert_eq!(link_local_id(source), Some(0x000a_000b_000c_000d));
        assert_eq!(link_local_id(destination), None);
        assert_eq!(link_local_id("fe80:0:0:1::1".parse().unwrap()), None);
    }

    #[test]
    fn every_truncation_is_none() {
        for (first, len) in [(0x45, 20), (0x60, 40)] {
            let mut packet = [0; 40];
            packet[0] = first;
            for cut in 0..len {
                assert_eq!(Ip::parse(&packet[..cut]), None);
            }
            assert!(Ip::parse(&packet[..len]).is_some());
        }
        assert_eq!(Ip::parse(&[0x50; 40]), None);
    }
}
