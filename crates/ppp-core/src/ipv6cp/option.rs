use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;

use vpn_core::Reader;

use crate::DecodeError;
use crate::Protocol;
use crate::RawOption;
use crate::option::exactly;
use crate::option::put_option;
use crate::registry::registry;

registry! {
    /// The Type of an IPv6CP option (RFC 5072 §4, RFC 5172 §2).
    Ipv6cpOptionType(u8) {
        /// Interface-Identifier (RFC 5072 §4.1).
        INTERFACE_IDENTIFIER = 1, "Interface-Identifier";
        /// IPv6-Compression-Protocol (RFC 5172 §2).
        IPV6_COMPRESSION = 2, "IPv6-Compression-Protocol";
    }
}

/// The interface identifier of one end of the link: the low half of its IPv6 addresses
/// (RFC 5072 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub u64);

impl InterfaceId {
    /// Asks the peer to name one.
    pub const ZERO: Self = Self(0);

    /// The universal/local bit, clear in an identifier that is not made from an IEEE EUI-48 or
    /// EUI-64 (RFC 5072 §4.1).
    const UNIVERSAL: u64 = 1 << 57;

    /// An identifier from random octets: never zero, with the universal bit clear.
    #[must_use]
    pub const fn from_random(octets: [u8; 8]) -> Self {
        match u64::from_be_bytes(octets) & !Self::UNIVERSAL {
            0 => Self(1),
            id => Self(id),
        }
    }

    /// The link-local address of this end (RFC 5072 §5).
    #[must_use]
    pub const fn link_local(self) -> Ipv6Addr {
        Ipv6Addr::from_bits((0xfe80_u128 << 112) | self.0 as u128)
    }
}

impl fmt::Debug for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InterfaceId({self})")
    }
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32| (self.0 >> shift) & 0xffff;
        write!(f, "{:x}:{:x}:{:x}:{:x}", part(48), part(32), part(16), part(0))
    }
}

/// The value of an IPv6CP option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ipv6cpOption<'a> {
    /// The sender's interface identifier; zero asks the peer to name one.
    InterfaceIdentifier(InterfaceId),
    /// The sender can receive compressed headers.
    Ipv6Compression {
        /// The IPv6-Compression-Protocol field.
        protocol: Protocol,
        /// What follows it.
        data: &'a [u8],
    },
    /// Any other option, as it is on the wire.
    Other(RawOption<'a>),
}

impl<'a> Ipv6cpOption<'a> {
    /// Reads the value of an option.
    ///
    /// # Errors
    /// [`DecodeError::ValueLength`] or [`DecodeError::Truncated`] when the data do not fit the
    /// type.
    pub fn decode(option: &RawOption<'a>) -> Result<Self, DecodeError> {
        match Ipv6cpOptionType(option.kind) {
            Ipv6cpOptionType::INTERFACE_IDENTIFIER => {
                let id = u64::from_be_bytes(exactly(option.data)?);
                Ok(Self::InterfaceIdentifier(InterfaceId(id)))
            }
            Ipv6cpOptionType::IPV6_COMPRESSION => {
                let mut reader = Reader::new(option.data);
                let protocol = Protocol(reader.u16()?);
                Ok(Self::Ipv6Compression { protocol, data: reader.rest() })
            }
            _ => Ok(Self::Other(*option)),
        }
    }

    /// The option's Type.
    #[must_use]
    pub const fn kind(&self) -> Ipv6cpOptionType {
        match self {
            Self::InterfaceIdentifier(_) => Ipv6cpOptionType::INTERFACE_IDENTIFIER,
            Self::Ipv6Compression { .. } => Ipv6cpOptionType::IPV6_COMPRESSION,
            Self::Other(option) => Ipv6cpOptionType(option.kind),
        }
    }

    /// Appends the option to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let kind = self.kind().0;
        match *self {
            Self::InterfaceIdentifier(InterfaceId(id)) => {
                put_option(out, kind, &[&id.to_be_bytes()])
            }
            Self::Ipv6Compression { protocol, data } => {
                put_option(out, kind, &[&protocol.0.to_be_bytes(), data]);
            }
            Self::Other(option) => option.encode(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use alloc::format;

    #[test]
    fn every_type_reads_and_writes() {
        let octets = [1, 10, 0x3c, 0x69, 0x9b, 0xba, 5, 0x7b, 0xb3, 0x8f, 2, 4, 0, 0x4f, 9, 2];
        let mut again = Vec::new();
        for raw in Options::new(&octets) {
            let raw = raw.unwrap();
            let option = Ipv6cpOption::decode(&raw).unwrap();
            assert_eq!(option.kind().0, raw.kind);
            option.encode(&mut again);
        }
        assert_eq!(again, octets);
        for len in [0, 7, 9] {
            let data = &[0; 9][..len];
            assert!(Ipv6cpOption::decode(&RawOption { kind: 1, data }).is_err());
        }
        assert!(Ipv6cpOption::decode(&RawOption { kind: 2, data: &[0] }).is_err());
    }

    #[test]
    fn the_link_local_address_ends_in_the_identifier() {
        let id = InterfaceId(0x3c69_9bba_057b_b38f);
        assert_eq!(format!("{}", id.link_local()), "fe80::3c69:9bba:57b:b38f");
        assert_eq!(format!("{id:?}"), "InterfaceId(3c69:9bba:57b:b38f)");
    }

    #[test]
    fn random_identifiers_are_local_and_not_zero() {
        assert_eq!(InterfaceId::from_random([0; 8]), InterfaceId(1));
        assert_eq!(InterfaceId::from_random([0xff; 8]).0, 0xfdff_ffff_ffff_ffff);
    }
}
