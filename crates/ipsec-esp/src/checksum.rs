//! Transport checksums behind a NAT (RFC 3948 §3.1.2, RFC 3947 §5.2).
//!
//! A UDP or TCP checksum covers the IP addresses, and a NAT changes those outside of ESP, where it
//! cannot reach the checksum. The receiver has to repair it, in one of three ways; all of them are
//! sound because the ICV has proved the segment already.

use core::net::IpAddr;

use crate::NextHeader;

/// The addresses of an IP packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Addresses {
    /// Where it came from.
    pub source: IpAddr,
    /// Where it went.
    pub destination: IpAddr,
}

/// How a receiver makes the checksum of an opened segment right again (RFC 3948 §3.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChecksumRepair {
    /// Leaves it: there is no NAT.
    None,
    /// Takes the addresses of the received packet out of the checksum and puts the ones in that the
    /// sender knew, which came in its NAT-OA payloads. A segment that was damaged before it was
    /// sealed stays wrong.
    Incremental {
        /// The addresses that the sender computed with.
        real: Addresses,
    },
    /// Computes it anew.
    Recompute,
    /// Sets a UDP checksum over IPv4 to zero, which means none. TCP, and UDP over IPv6, which must
    /// have one, are computed anew.
    Zero,
}

impl ChecksumRepair {
    /// Repairs the checksum of `segment`, that came with `received` addresses. Anything but UDP and
    /// TCP is left alone, and so is what is too short to have a checksum.
    pub fn apply(self, received: Addresses, next_header: NextHeader, segment: &mut [u8]) {
        let Some(at) = checksum_at(next_header) else { return };
        let is_udp = next_header == NextHeader::UDP;
        let stored = match field(segment, at) {
            Some(0) if is_udp => return, // the sender computed none
            Some(stored) => stored,
            None => return,
        };
        let repaired = match self {
            Self::None => return,
            Self::Zero if is_udp && received.source.is_ipv4() => 0,
            Self::Recompute | Self::Zero => {
                put(segment, at, 0);
                checksum(received, next_header, segment)
            }
            Self::Incremental { real } => {
                let mut sum = Sum::default();
                // The field is the complement of the sum: what leaves the sum is added to it.
                sum.word(stored);
                sum.addresses(real);
                let mut leaving = Sum::default();
                leaving.addresses(received);
                sum.word(!leaving.folded());
                sum.folded()
            }
        };
        let zero = self == Self::Zero && is_udp && received.source.is_ipv4();
        put(segment, at, if is_udp && !zero { never_zero(repaired) } else { repaired });
    }
}

/// The checksum of a UDP or TCP segment whose checksum field is zero, or zero if it is neither.
///
/// For UDP the value 0 means none, so one that comes out as 0 is 0xffff (RFC 768).
#[must_use]
pub fn checksum(addresses: Addresses, next_header: NextHeader, segment: &[u8]) -> u16 {
    if checksum_at(next_header).is_none() {
        return 0;
    }
    let value = !sum(addresses, next_header, segment).folded();
    if next_header == NextHeader::UDP { never_zero(value) } else { value }
}

/// Whether the checksum of a UDP or TCP segment is right. A UDP checksum of zero over IPv4 is right,
/// and so is whatever has no checksum of this kind.
#[must_use]
pub fn is_right(addresses: Addresses, next_header: NextHeader, segment: &[u8]) -> bool {
    let Some(at) = checksum_at(next_header) else { return true };
    match field(segment, at) {
        None => false,
        Some(0) if next_header == NextHeader::UDP => addresses.source.is_ipv4(),
        Some(_) => sum(addresses, next_header, segment).folded() == u16::MAX,
    }
}

/// The sum over the pseudo header (RFC 768, RFC 9293 §3.1, RFC 8200 §8.1) and the segment.
fn sum(addresses: Addresses, next_header: NextHeader, segment: &[u8]) -> Sum {
    let mut sum = Sum::default();
    sum.addresses(addresses);
    sum.word(u16::from(next_header.0));
    let [.., l0, l1, l2, l3] = segment.len().to_be_bytes();
    sum.octets(&[l0, l1, l2, l3]);
    sum.octets(segment);
    sum
}

/// Where the checksum lies.
const fn checksum_at(next_header: NextHeader) -> Option<usize> {
    match next_header {
        NextHeader::UDP => Some(6),
        NextHeader::TCP => Some(16),
        _ => None,
    }
}

const fn never_zero(checksum: u16) -> u16 {
    if checksum == 0 { u16::MAX } else { checksum }
}

fn field(segment: &[u8], at: usize) -> Option<u16> {
    segment.get(at..)?.first_chunk().map(|octets| u16::from_be_bytes(*octets))
}

fn put(segment: &mut [u8], at: usize, value: u16) {
    if let Some(field) = segment.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *field = value.to_be_bytes();
    }
}

/// A one's complement sum of 16-bit words (RFC 1071).
#[derive(Clone, Copy, Default)]
pub(crate) struct Sum(u64);

impl Sum {
    fn word(&mut self, word: u16) {
        self.0 += u64::from(word);
    }

    /// Adds octets, padded with a zero to whole words.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        // Words of any width give the same sum once it is folded; wide ones are fewer.
        let (words, rest) = octets.as_chunks::<4>();
        for word in words {
            self.0 += u64::from(u32::from_be_bytes(*word));
        }
        let mut last = [0; 4];
        for (place, octet) in last.iter_mut().zip(rest) {
            *place = *octet;
        }
        self.0 += u64::from(u32::from_be_bytes(last));
    }

    fn addresses(&mut self, addresses: Addresses) {
        for address in [addresses.source, addresses.destination] {
            match address {
                IpAddr::V4(address) => self.octets(&address.octets()),
                IpAddr::V6(address) => self.octets(&address.octets()),
            }
        }
    }

    pub(crate) fn folded(self) -> u16 {
        let mut sum = self.0;
        while let Some(carry) = core::num::NonZeroU64::new(sum >> 16) {
            sum = (sum & u64::from(u16::MAX)) + carry.get();
        }
        #[expect(clippy::cast_possible_truncation, reason = "16 bits are left")]
        let sum = sum as u16;
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn addresses(source: &str, destination: &str) -> Addresses {
        Addresses { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
    }

    /// A UDP datagram captured between 10.77.0.1 and 10.77.0.2, checksum 0x14ac computed by hand.
    #[test]
    fn udp_over_ipv4_by_hand() {
        let addresses = addresses("10.77.0.1", "10.77.0.2");
        // 0a4d + 0001 + 0a4d + 0002 + 0011 + 000a (pseudo) + 06a5 + 06a5 + 000a + 6869 = 8a75
        let datagram = [0x06, 0xa5, 0x06, 0xa5, 0x00, 0x0a, 0, 0, 0x68, 0x69];
        assert_eq!(checksum(addresses, NextHeader::UDP, &datagram), !0x8a75);
    }

    /// A checksum that comes out as zero is sent as its other form (RFC 768).
    #[test]
    fn zero_is_never_computed() {
        let addresses = addresses("10.77.0.1", "10.77.0.2");
        let mut datagram = [0x06, 0xa5, 0x06, 0xa5, 0x00, 0x0a, 0, 0, 0, 0];
        let value = checksum(addresses, NextHeader::UDP, &datagram);
        datagram[8..].copy_from_slice(&value.to_be_bytes());
        assert_eq!(checksum(addresses, NextHeader::UDP, &datagram), 0xffff);
        datagram[6..8].copy_from_slice(&[0xff; 2]);
        assert!(is_right(addresses, NextHeader::UDP, &datagram));
        for repair in [ChecksumRepair::Recompute, ChecksumRepair::Incremental { real: addresses }] {
            repair.apply(addresses, NextHeader::UDP, &mut datagram);
            assert_eq!(datagram[6..8], [0xff; 2]);
        }
    }

    #[test]
    fn an_odd_octet_is_padded() {
        let mut sum = Sum::default();
        sum.octets(&[1, 2, 3, 4, 5]);
        assert_eq!(sum.folded(), 0x0102 + 0x0304 + 0x0500);
        let mut sum = Sum::default();
        sum.octets(&[0xff; 9]);
        assert_eq!(sum.folded(), 0xff00);
    }

    #[test]
    fn udp_without_a_checksum_stays_without() {
        let received = addresses("203.0.113.1", "198.51.100.2");
        let real = addresses("10.0.0.1", "198.51.100.2");
        for repair in [ChecksumRepair::Incremental { real }, ChecksumRepair::Recompute] {
            let mut datagram = [1, 2, 3, 4, 0, 9, 0, 0, 5];
            repair.apply(received, NextHeader::UDP, &mut datagram);
            assert_eq!(datagram, [1, 2, 3, 4, 0, 9, 0, 0, 5]);
        }
        assert!(is_right(received, NextHeader::UDP, &[1, 2, 3, 4, 0, 9, 0, 0, 5]));
        let six = addresses("2001:db8::1", "2001:db8::2");
        assert!(!is_right(six, NextHeader::UDP, &[1, 2, 3, 4, 0, 9, 0, 0, 5]), "RFC 8200 §8.1");
    }

    #[test]
    fn zero_is_for_udp_over_ipv4_only() {
        let four = addresses("203.0.113.1", "198.51.100.2");
        let six = addresses("2001:db8::1", "2001:db8::2");
        let mut datagram = [1, 2, 3, 4, 0, 9, 7, 7, 5];
        ChecksumRepair::Zero.apply(four, NextHeader::UDP, &mut datagram);
        assert_eq!(datagram, [1, 2, 3, 4, 0, 9, 0, 0, 5]);
        let mut datagram = [1, 2, 3, 4, 0, 9, 7, 7, 5];
        ChecksumRepair::Zero.apply(six, NextHeader::UDP, &mut datagram);
        assert!(is_right(six, NextHeader::UDP, &datagram) && datagram[6..8] != [0, 0]);
        let mut segment = [0x12; 24];
        ChecksumRepair::Zero.apply(four, NextHeader::TCP, &mut segment);
        assert!(is_right(four, NextHeader::TCP, &segment));
    }

    #[test]
    fn what_is_short_or_foreign_is_left_alone() {
        let four = addresses("203.0.113.1", "198.51.100.2");
        for (next_header, len) in [(NextHeader::UDP, 7), (NextHeader::TCP, 17), (NextHeader(1), 40)]
        {
            let mut segment = [0x34; 40];
            ChecksumRepair::Recompute.apply(four, next_header, &mut segment[..len]);
            ChecksumRepair::Zero.apply(four, next_header, &mut segment[..len]);
            assert_eq!(segment, [0x34; 40]);
        }
        assert!(!is_right(four, NextHeader::UDP, &[0; 7]));
        assert!(is_right(four, NextHeader(1), &[0; 7]));
        assert_eq!(checksum(four, NextHeader(1), &[9]), 0);
    }

    fn any_addresses() -> impl Strategy<Value = (Addresses, Addresses)> {
        let four = any::<[[u8; 4]; 4]>().prop_map(|a| a.map(IpAddr::from));
        let six = any::<[[u8; 16]; 4]>().prop_map(|a| a.map(IpAddr::from));
        prop_oneof![four, six].prop_map(|[a, b, c, d]| {
            (Addresses { source: a, destination: b }, Addresses { source: c, destination: d })
        })
    }

    proptest! {
        /// What was right for the addresses inside is right for those outside, whichever way.
        #[test]
        fn repaired_checksums_are_right(
            (real, received) in any_addresses(),
            udp in any::<bool>(),
            mut segment in prop::collection::vec(any::<u8>(), 20..80),
        ) {
            let next_header = if udp { NextHeader::UDP } else { NextHeader::TCP };
            let at = checksum_at(next_header).unwrap();
            put(&mut segment, at, 0);
            let value = checksum(real, next_header, &segment);
            put(&mut segment, at, value);
            prop_assert!(is_right(real, next_header, &segment));
            let repairs =
                [ChecksumRepair::Incremental { real }, ChecksumRepair::Recompute, ChecksumRepair::Zero];
            for repair in repairs {
                let mut repaired = segment.clone();
                repair.apply(received, next_header, &mut repaired);
                prop_assert!(is_right(received, next_header, &repaired), "{:?}", repair);
            }
            // Only the incremental way keeps a damaged segment wrong.
            let mut damaged: Vec<u8> = segment.clone();
            damaged[0] ^= 0x40;
            ChecksumRepair::Incremental { real }.apply(received, next_header, &mut damaged);
            prop_assert!(!is_right(received, next_header, &damaged));
            let mut same = segment.clone();
            ChecksumRepair::Incremental { real }.apply(real, next_header, &mut same);
            prop_assert!(is_right(real, next_header, &same));
        }
    }
}
