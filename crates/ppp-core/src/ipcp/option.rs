use alloc::vec::Vec;
use core::net::Ipv4Addr;

use vpn_core::Reader;

use crate::DecodeError;
use crate::Protocol;
use crate::RawOption;
use crate::option::exactly;
use crate::option::put_option;
use crate::registry::registry;

registry! {
    /// The Type of an IPCP option (RFC 1332 §3, RFC 1877 §1).
    IpcpOptionType(u8) {
        /// Deprecated IP-Addresses (RFC 1332 §3.1).
        IP_ADDRESSES = 1, "IP-Addresses";
        /// IP-Compression-Protocol (RFC 1332 §3.2).
        IP_COMPRESSION = 2, "IP-Compression-Protocol";
        /// IP-Address (RFC 1332 §3.3).
        IP_ADDRESS = 3, "IP-Address";
        /// Mobile-IPv4 (RFC 2290 §2).
        MOBILE_IPV4 = 4, "Mobile-IPv4";
        /// Primary DNS Server Address (RFC 1877 §1.1).
        PRIMARY_DNS = 129, "Primary-DNS";
        /// Primary NBNS Server Address (RFC 1877 §1.2).
        PRIMARY_NBNS = 130, "Primary-NBNS";
        /// Secondary DNS Server Address (RFC 1877 §1.3).
        SECONDARY_DNS = 131, "Secondary-DNS";
        /// Secondary NBNS Server Address (RFC 1877 §1.4).
        SECONDARY_NBNS = 132, "Secondary-NBNS";
    }
}

/// The value of an IPCP option. Address 0.0.0.0 asks the peer to name one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IpcpOption<'a> {
    /// Deprecated: both addresses at once.
    IpAddresses {
        /// The sender's address.
        source: Ipv4Addr,
        /// The peer's address.
        destination: Ipv4Addr,
    },
    /// The sender can receive compressed headers.
    IpCompression {
        /// The IP-Compression-Protocol field.
        protocol: Protocol,
        /// What follows it (for VJ, Max-Slot-Id and Comp-Slot-Id, RFC 1332 §4).
        data: &'a [u8],
    },
    /// The sender's address.
    IpAddress(Ipv4Addr),
    /// The home address of a mobile node.
    MobileIpv4(Ipv4Addr),
    /// The name server that the sender should ask first.
    PrimaryDns(Ipv4Addr),
    /// The NetBIOS name server that the sender should ask first.
    PrimaryNbns(Ipv4Addr),
    /// The name server that the sender should ask second.
    SecondaryDns(Ipv4Addr),
    /// The NetBIOS name server that the sender should ask second.
    SecondaryNbns(Ipv4Addr),
    /// Any other option, as it is on the wire.
    Other(RawOption<'a>),
}

impl<'a> IpcpOption<'a> {
    /// Reads the value of an option.
    ///
    /// # Errors
    /// [`DecodeError::ValueLength`] or [`DecodeError::Truncated`] when the data do not fit the
    /// type.
    pub fn decode(option: &RawOption<'a>) -> Result<Self, DecodeError> {
        let data = option.data;
        let address = || exactly::<4>(data).map(Ipv4Addr::from);
        match IpcpOptionType(option.kind) {
            IpcpOptionType::IP_ADDRESSES => {
                let [a, b, c, d, e, f, g, h] = exactly(data)?;
                let (source, destination) = ([a, b, c, d].into(), [e, f, g, h].into());
                Ok(Self::IpAddresses { source, destination })
            }
            IpcpOptionType::IP_COMPRESSION => {
                let mut reader = Reader::new(data);
                let protocol = Protocol(reader.u16()?);
                Ok(Self::IpCompression { protocol, data: reader.rest() })
            }
            IpcpOptionType::IP_ADDRESS => address().map(Self::IpAddress),
            IpcpOptionType::MOBILE_IPV4 => address().map(Self::MobileIpv4),
            IpcpOptionType::PRIMARY_DNS => address().map(Self::PrimaryDns),
            IpcpOptionType::PRIMARY_NBNS => address().map(Self::PrimaryNbns),
            IpcpOptionType::SECONDARY_DNS => address().map(Self::SecondaryDns),
            IpcpOptionType::SECONDARY_NBNS => address().map(Self::SecondaryNbns),
            _ => Ok(Self::Other(*option)),
        }
    }

    /// The option's Type.
    #[must_use]
    pub const fn kind(&self) -> IpcpOptionType {
        match self {
            Self::IpAddresses { .. } => IpcpOptionType::IP_ADDRESSES,
            Self::IpCompression { .. } => IpcpOptionType::IP_COMPRESSION,
            Self::IpAddress(_) => IpcpOptionType::IP_ADDRESS,
            Self::MobileIpv4(_) => IpcpOptionType::MOBILE_IPV4,
            Self::PrimaryDns(_) => IpcpOptionType::PRIMARY_DNS,
            Self::PrimaryNbns(_) => IpcpOptionType::PRIMARY_NBNS,
            Self::SecondaryDns(_) => IpcpOptionType::SECONDARY_DNS,
            Self::SecondaryNbns(_) => IpcpOptionType::SECONDARY_NBNS,
            Self::Other(option) => IpcpOptionType(option.kind),
        }
    }

    /// Appends the option to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let kind = self.kind().0;
        match *self {
            Self::IpAddresses { source, destination } => {
                put_option(out, kind, &[&source.octets(), &destination.octets()]);
            }
            Self::IpCompression { protocol, data } => {
                put_option(out, kind, &[&protocol.0.to_be_bytes(), data]);
            }
            Self::IpAddress(address)
            | Self::MobileIpv4(address)
            | Self::PrimaryDns(address)
            | Self::PrimaryNbns(address)
            | Self::SecondaryDns(address)
            | Self::SecondaryNbns(address) => put_option(out, kind, &[&address.octets()]),
            Self::Other(option) => option.encode(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    fn roundtrip(octets: &[u8]) -> IpcpOption<'_> {
        let raw = Options::new(octets).next().unwrap().unwrap();
        let option = IpcpOption::decode(&raw).unwrap();
        let mut again = Vec::new();
        option.encode(&mut again);
        assert_eq!(again, octets);
        option
    }

    #[test]
    fn every_type_reads_and_writes() {
        let address = Ipv4Addr::new(192, 168, 1, 1);
        let one = |kind| [kind, 6, 192, 168, 1, 1];
        assert_eq!(roundtrip(&one(3)), IpcpOption::IpAddress(address));
        assert_eq!(roundtrip(&one(4)), IpcpOption::MobileIpv4(address));
        assert_eq!(roundtrip(&one(129)), IpcpOption::PrimaryDns(address));
        assert_eq!(roundtrip(&one(130)), IpcpOption::PrimaryNbns(address));
        assert_eq!(roundtrip(&one(131)), IpcpOption::SecondaryDns(address));
        assert_eq!(roundtrip(&one(132)), IpcpOption::SecondaryNbns(address));
        let vj = IpcpOption::IpCompression { protocol: Protocol::VJ_COMPRESSED, data: &[15, 1] };
        assert_eq!(roundtrip(&[2, 6, 0, 0x2d, 15, 1]), vj);
        let both = IpcpOption::IpAddresses { source: address, destination: [1, 2, 3, 4].into() };
        assert_eq!(roundtrip(&[1, 10, 192, 168, 1, 1, 1, 2, 3, 4]), both);
        let other = IpcpOption::Other(RawOption { kind: 144, data: &[1] });
        assert_eq!(roundtrip(&[144, 3, 1]), other);
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        for kind in [1, 3, 4, 129, 130, 131, 132] {
            for len in [0, 3, 5] {
                let data = &[0; 5][..len];
                assert!(IpcpOption::decode(&RawOption { kind, data }).is_err(), "{kind} {len}");
            }
        }
        assert!(IpcpOption::decode(&RawOption { kind: 2, data: &[0] }).is_err());
    }
}
