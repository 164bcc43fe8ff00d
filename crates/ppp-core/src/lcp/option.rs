use alloc::vec::Vec;

use vpn_core::Reader;

use super::AuthProtocol;
use super::ChapAlgorithm;
use crate::DecodeError;
use crate::Protocol;
use crate::RawOption;
use crate::option::exactly;
use crate::option::put_option;
use crate::registry::registry;

registry! {
    /// The Type of an LCP option (RFC 1661 §6, RFC 1662 §7, RFC 1570 §2, RFC 1990 §5.1, IANA).
    LcpOptionType(u8) {
        /// Vendor extension (RFC 2153 §3).
        VENDOR_SPECIFIC = 0, "Vendor-Specific";
        /// Maximum-Receive-Unit (RFC 1661 §6.1).
        MRU = 1, "Maximum-Receive-Unit";
        /// Async-Control-Character-Map (RFC 1662 §7.1).
        ACCM = 2, "Async-Control-Character-Map";
        /// Authentication-Protocol (RFC 1661 §6.2).
        AUTH = 3, "Authentication-Protocol";
        /// Quality-Protocol (RFC 1661 §6.3).
        QUALITY = 4, "Quality-Protocol";
        /// Magic-Number (RFC 1661 §6.4).
        MAGIC = 5, "Magic-Number";
        /// Protocol-Field-Compression (RFC 1661 §6.5).
        PFC = 7, "Protocol-Field-Compression";
        /// Address-and-Control-Field-Compression (RFC 1661 §6.6).
        ACFC = 8, "Address-and-Control-Field-Compression";
        /// FCS-Alternatives (RFC 1570 §2.1).
        FCS_ALTERNATIVES = 9, "FCS-Alternatives";
        /// Self-Describing-Padding (RFC 1570 §2.2).
        SELF_DESCRIBING_PADDING = 10, "Self-Describing-Padding";
        /// Numbered-Mode (RFC 1663).
        NUMBERED_MODE = 11, "Numbered-Mode";
        /// Callback (RFC 1570 §2.3).
        CALLBACK = 13, "Callback";
        /// Compound-Frames (RFC 1570 §2.4).
        COMPOUND_FRAMES = 15, "Compound-Frames";
        /// Multilink Maximum Received Reconstructed Unit (RFC 1990 §5.1.1).
        MRRU = 17, "Multilink-MRRU";
        /// Multilink Short Sequence Number Header Format (RFC 1990 §5.1.2).
        SHORT_SEQUENCE = 18, "Multilink-Short-Sequence-Number";
        /// Multilink Endpoint Discriminator (RFC 1990 §5.1.3).
        ENDPOINT_DISCRIMINATOR = 19, "Multilink-Endpoint-Discriminator";
        /// DCE-Identifier (RFC 1976 §2.1).
        DCE_IDENTIFIER = 21, "DCE-Identifier";
        /// Multilink-Plus-Procedure (RFC 1934).
        MULTILINK_PLUS = 22, "Multilink-Plus-Procedure";
        /// Link Discriminator for BACP (RFC 2125 §2).
        LINK_DISCRIMINATOR = 23, "Link-Discriminator";
        /// LCP-Authentication.
        LCP_AUTHENTICATION = 24, "LCP-Authentication";
        /// Consistent Overhead Byte Stuffing.
        COBS = 25, "Consistent-Overhead-Byte-Stuffing";
        /// Prefix-Elision (RFC 2686 §6).
        PREFIX_ELISION = 26, "Prefix-Elision";
        /// Multilink header format (RFC 2686 §5).
        MULTILINK_HEADER_FORMAT = 27, "Multilink-Header-Format";
        /// Internationalization (RFC 2484 §2).
        INTERNATIONALIZATION = 28, "Internationalization";
        /// Simple Data Link on SONET/SDH (RFC 2823 §3).
        SIMPLE_DATA_LINK = 29, "Simple-Data-Link";
    }
}

/// The value of an LCP option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LcpOption<'a> {
    /// The longest Information field that the sender can receive, in octets.
    Mru(u16),
    /// The control characters that the sender wants escaped on an async line, one bit each.
    Accm(u32),
    /// The sender wants its peer to prove its identity with this protocol.
    Auth(AuthProtocol),
    /// The same, with a protocol or data that this crate does not know.
    UnknownAuth {
        /// The Authentication-Protocol field.
        protocol: Protocol,
        /// What follows it.
        data: &'a [u8],
    },
    /// The sender wants link quality reports.
    Quality {
        /// The Quality-Protocol field.
        protocol: Protocol,
        /// What follows it (for LQR the Reporting-Period, RFC 1989 §2.2).
        data: &'a [u8],
    },
    /// A number that is very likely unique to the sender.
    Magic(u32),
    /// The sender can receive Protocol fields of one octet.
    Pfc,
    /// The sender can receive frames without Address and Control.
    Acfc,
    /// The frame check sequences that the sender can receive, one bit each.
    FcsAlternatives(u8),
    /// The sender wants to be called back.
    Callback {
        /// What the message holds; 6 asks for CBCP.
        operation: u8,
        /// The number, name or location.
        message: &'a [u8],
    },
    /// The sender speaks multilink; the longest reconstructed packet that it can receive.
    Mrru(u16),
    /// The sender wants multilink headers of 12-bit sequence numbers.
    ShortSequence,
    /// Which system the sender is.
    EndpointDiscriminator {
        /// The kind of address.
        class: u8,
        /// The address.
        address: &'a [u8],
    },
    /// Any other option, as it is on the wire.
    Other(RawOption<'a>),
}

impl<'a> LcpOption<'a> {
    /// Reads the value of an option.
    ///
    /// # Errors
    /// [`DecodeError::ValueLength`] or [`DecodeError::Truncated`] when the data do not fit the
    /// type.
    pub fn decode(option: &RawOption<'a>) -> Result<Self, DecodeError> {
        let data = option.data;
        let mut reader = Reader::new(data);
        match LcpOptionType(option.kind) {
            LcpOptionType::MRU => exactly(data).map(|n| Self::Mru(u16::from_be_bytes(n))),
            LcpOptionType::ACCM => exactly(data).map(|n| Self::Accm(u32::from_be_bytes(n))),
            LcpOptionType::AUTH => {
                let protocol = Protocol(reader.u16()?);
                Ok(match (protocol, reader.rest()) {
                    (Protocol::PAP, []) => Self::Auth(AuthProtocol::Pap),
                    (Protocol::EAP, []) => Self::Auth(AuthProtocol::Eap),
                    (Protocol::CHAP, [algorithm]) => {
                        Self::Auth(AuthProtocol::Chap(ChapAlgorithm(*algorithm)))
                    }
                    (protocol, data) => Self::UnknownAuth { protocol, data },
                })
            }
            LcpOptionType::QUALITY => {
                let protocol = Protocol(reader.u16()?);
                Ok(Self::Quality { protocol, data: reader.rest() })
            }
            LcpOptionType::MAGIC => exactly(data).map(|n| Self::Magic(u32::from_be_bytes(n))),
            LcpOptionType::PFC => exactly::<0>(data).map(|_| Self::Pfc),
            LcpOptionType::ACFC => exactly::<0>(data).map(|_| Self::Acfc),
            LcpOptionType::FCS_ALTERNATIVES => {
                exactly(data).map(|[flags]| Self::FcsAlternatives(flags))
            }
            LcpOptionType::CALLBACK => {
                let operation = reader.u8()?;
                Ok(Self::Callback { operation, message: reader.rest() })
            }
            LcpOptionType::MRRU => exactly(data).map(|n| Self::Mrru(u16::from_be_bytes(n))),
            LcpOptionType::SHORT_SEQUENCE => exactly::<0>(data).map(|_| Self::ShortSequence),
            LcpOptionType::ENDPOINT_DISCRIMINATOR => {
                let class = reader.u8()?;
                Ok(Self::EndpointDiscriminator { class, address: reader.rest() })
            }
            _ => Ok(Self::Other(*option)),
        }
    }

    /// The option's Type.
    #[must_use]
    pub const fn kind(&self) -> LcpOptionType {
        match self {
            Self::Mru(_) => LcpOptionType::MRU,
            Self::Accm(_) => LcpOptionType::ACCM,
            Self::Auth(_) | Self::UnknownAuth { .. } => LcpOptionType::AUTH,
            Self::Quality { .. } => LcpOptionType::QUALITY,
            Self::Magic(_) => LcpOptionType::MAGIC,
            Self::Pfc => LcpOptionType::PFC,
            Self::Acfc => LcpOptionType::ACFC,
            Self::FcsAlternatives(_) => LcpOptionType::FCS_ALTERNATIVES,
            Self::Callback { .. } => LcpOptionType::CALLBACK,
            Self::Mrru(_) => LcpOptionType::MRRU,
            Self::ShortSequence => LcpOptionType::SHORT_SEQUENCE,
            Self::EndpointDiscriminator { .. } => LcpOptionType::ENDPOINT_DISCRIMINATOR,
            Self::Other(option) => LcpOptionType(option.kind),
        }
    }

    /// Appends the option to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let kind = self.kind().0;
        match *self {
            Self::Mru(value) | Self::Mrru(value) => put_option(out, kind, &[&value.to_be_bytes()]),
            Self::Accm(value) | Self::Magic(value) => {
                put_option(out, kind, &[&value.to_be_bytes()])
            }
            Self::Auth(auth) => {
                let protocol = auth.protocol().0.to_be_bytes();
                match auth {
                    AuthProtocol::Chap(ChapAlgorithm(n)) => {
                        put_option(out, kind, &[&protocol, &[n]])
                    }
                    _ => put_option(out, kind, &[&protocol]),
                }
            }
            Self::UnknownAuth { protocol, data } | Self::Quality { protocol, data } => {
                put_option(out, kind, &[&protocol.0.to_be_bytes(), data]);
            }
            Self::Pfc | Self::Acfc | Self::ShortSequence => put_option(out, kind, &[]),
            Self::FcsAlternatives(flags) => put_option(out, kind, &[&[flags]]),
            Self::Callback { operation: first, message: rest }
            | Self::EndpointDiscriminator { class: first, address: rest } => {
                put_option(out, kind, &[&[first], rest]);
            }
            Self::Other(option) => option.encode(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    fn roundtrip(octets: &[u8]) -> LcpOption<'_> {
        let raw = Options::new(octets).next().unwrap().unwrap();
        let option = LcpOption::decode(&raw).unwrap();
        let mut again = Vec::new();
        option.encode(&mut again);
        assert_eq!(again, octets);
        option
    }

    #[test]
    fn every_type_reads_and_writes() {
        let chap = |n| LcpOption::Auth(AuthProtocol::Chap(ChapAlgorithm(n)));
        assert_eq!(roundtrip(&[1, 4, 5, 0x78]), LcpOption::Mru(1400));
        assert_eq!(roundtrip(&[2, 6, 0, 0x0a, 0, 0]), LcpOption::Accm(0x000a_0000));
        assert_eq!(roundtrip(&[3, 4, 0xc0, 0x23]), LcpOption::Auth(AuthProtocol::Pap));
        assert_eq!(roundtrip(&[3, 5, 0xc2, 0x23, 0x81]), chap(0x81));
        assert_eq!(roundtrip(&[3, 4, 0xc2, 0x27]), LcpOption::Auth(AuthProtocol::Eap));
        let unknown = LcpOption::UnknownAuth { protocol: Protocol(0xc123), data: &[9] };
        assert_eq!(roundtrip(&[3, 5, 0xc1, 0x23, 9]), unknown);
        let quality = LcpOption::Quality { protocol: Protocol::LQR, data: &[0, 0, 0, 9] };
        assert_eq!(roundtrip(&[4, 8, 0xc0, 0x25, 0, 0, 0, 9]), quality);
        assert_eq!(roundtrip(&[5, 6, 1, 2, 3, 4]), LcpOption::Magic(0x0102_0304));
        assert_eq!(roundtrip(&[7, 2]), LcpOption::Pfc);
        assert_eq!(roundtrip(&[8, 2]), LcpOption::Acfc);
        assert_eq!(roundtrip(&[9, 3, 2]), LcpOption::FcsAlternatives(2));
        let callback = LcpOption::Callback { operation: 6, message: &[] };
        assert_eq!(roundtrip(&[13, 3, 6]), callback);
        assert_eq!(roundtrip(&[17, 4, 6, 0x4e]), LcpOption::Mrru(1614));
        assert_eq!(roundtrip(&[18, 2]), LcpOption::ShortSequence);
        let endpoint = LcpOption::EndpointDiscriminator { class: 2, address: &[10, 98, 0, 1] };
        assert_eq!(roundtrip(&[19, 7, 2, 10, 98, 0, 1]), endpoint);
        let other = LcpOption::Other(RawOption { kind: 23, data: &[0, 1] });
        assert_eq!(roundtrip(&[23, 4, 0, 1]), other);
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        for kind in [1, 2, 3, 4, 5, 9, 13, 17, 19] {
            assert!(LcpOption::decode(&RawOption { kind, data: &[] }).is_err(), "{kind}");
        }
        for kind in [1, 2, 5, 7, 8, 9, 17, 18] {
            assert!(LcpOption::decode(&RawOption { kind, data: &[0; 7] }).is_err(), "{kind}");
        }
    }
}
