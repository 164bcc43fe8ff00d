use core::fmt;

use vpn_core::Reader;
use vpn_core::Truncated;

/// Security Parameters Index: the receiver's name for an SA (RFC 4303 §2.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spi(pub u32);

impl Spi {
    /// The last of the values that are reserved by IANA; 0 is never sent, and on UDP port 4500 it is
    /// the non-ESP marker (RFC 3948 §2.2).
    pub const LAST_RESERVED: Self = Self(255);

    /// Whether an SA may have this SPI.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        self.0 > Self::LAST_RESERVED.0
    }
}

impl fmt::Display for Spi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

impl fmt::Debug for Spi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spi({self})")
    }
}

/// What the payload of an ESP packet is: an IP protocol number (RFC 4303 §2.6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NextHeader(pub u8);

impl NextHeader {
    /// An IPv4 packet, as tunnel mode has it.
    pub const IPV4: Self = Self(4);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// An IPv6 packet, as tunnel mode has it.
    pub const IPV6: Self = Self(41);
    /// ESP itself.
    pub const ESP: Self = Self(50);
    /// Nothing: a dummy packet, to be dropped without a word (RFC 4303 §2.6).
    pub const NONE: Self = Self(59);
}

/// The two fields in front of every ESP packet, sent in clear (RFC 4303 §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EspHeader {
    /// Security Parameters Index.
    pub spi: Spi,
    /// The low 32 bits of the sequence number.
    pub sequence: u32,
}

impl EspHeader {
    /// Octets of the header.
    pub const LEN: usize = 8;

    /// Reads the header of `packet`.
    ///
    /// # Errors
    /// [`Truncated`] when the packet is shorter than a header.
    pub fn decode(packet: &[u8]) -> Result<Self, Truncated> {
        let mut reader = Reader::new(packet);
        Ok(Self { spi: Spi(reader.u32()?), sequence: reader.u32()? })
    }

    /// The octets of the header.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::LEN] {
        let [p0, p1, p2, p3] = self.spi.0.to_be_bytes();
        let [n0, n1, n2, n3] = self.sequence.to_be_bytes();
        [p0, p1, p2, p3, n0, n1, n2, n3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_it_encodes_and_nothing_shorter() {
        let header = EspHeader { spi: Spi(0x1020_3040), sequence: 0x0506_0708 };
        let octets = header.encode();
        assert_eq!(octets, [0x10, 0x20, 0x30, 0x40, 5, 6, 7, 8]);
        assert_eq!(EspHeader::decode(&octets), Ok(header));
        for len in 0..EspHeader::LEN {
            assert!(EspHeader::decode(&octets[..len]).is_err());
        }
    }

    #[test]
    fn reserved_spis_are_not_usable() {
        assert!(!Spi(0).is_usable() && !Spi(255).is_usable() && Spi(256).is_usable());
        assert_eq!(alloc::format!("{} {:?}", Spi(256), Spi(1)), "0x00000100 Spi(0x00000001)");
    }
}
