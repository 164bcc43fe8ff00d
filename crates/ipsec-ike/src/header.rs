use alloc::vec::Vec;
use core::fmt;

use bitflags::bitflags;
use vpn_core::Reader;

use crate::DecodeError;
use crate::ExchangeType;
use crate::PayloadType;

/// One side's half of an ISAKMP SA's name: 8 octets that say nothing to anybody else (RFC 2408
/// §2.5.3). IKEv2 calls it an SPI.
pub type Cookie = [u8; 8];

/// The name of an ISAKMP SA: the cookies of both sides (RFC 2408 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cookies {
    /// Of who started the exchange of phase 1. Never zero.
    pub initiator: Cookie,
    /// Of who answered. Zero in the first message, since it is not known yet.
    pub responder: Cookie,
}

impl Cookies {
    /// What the first message of an initiator carries.
    #[must_use]
    pub const fn first(initiator: Cookie) -> Self {
        Self { initiator, responder: [0; 8] }
    }

    /// Whether the responder's half is still missing.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.responder == [0; 8]
    }

    /// Both, initiator's first: the SPI of an ISAKMP SA in Notification and Delete payloads
    /// (RFC 2408 §3.14, §3.15).
    #[must_use]
    pub fn spi(&self) -> [u8; 16] {
        let mut spi = [0; 16];
        let both = self.initiator.iter().chain(&self.responder);
        for (to, from) in spi.iter_mut().zip(both) {
            *to = *from;
        }
        spi
    }
}

impl fmt::Display for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.initiator.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str(":")?;
        self.responder.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

bitflags! {
    /// The flags of a header of version 1 (RFC 2408 §3.1). Bits without a name are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Flags: u8 {
        /// E: what follows the header is encrypted.
        const ENCRYPTION = 1;
        /// C: the sender asks to wait for a CONNECTED notification.
        const COMMIT = 1 << 1;
        /// A: authenticated, but not encrypted.
        const AUTHENTICATION_ONLY = 1 << 2;
        const _ = !0;
    }
}

/// The fixed header of every message (RFC 2408 §3.1; RFC 7296 §3.1 has the same layout).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------------------------------+-------------------------------+
/// |                       Initiator Cookie                        |
/// |                                                               |
/// +---------------------------------------------------------------+
/// |                       Responder Cookie                        |
/// |                                                               |
/// +---------------+-------+-------+---------------+---------------+
/// | Next Payload  | MjVer | MnVer | Exchange Type |     Flags     |
/// +---------------+-------+-------+---------------+---------------+
/// |                          Message ID                           |
/// +---------------------------------------------------------------+
/// |                            Length                             |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Which ISAKMP SA the message belongs to.
    pub cookies: Cookies,
    /// The kind of the first payload.
    pub next_payload: PayloadType,
    /// Major version in the high half, minor version in the low half.
    pub version: u8,
    /// Which exchange the message is part of.
    pub exchange_type: ExchangeType,
    /// Flags.
    pub flags: Flags,
    /// Which exchange of phase 2; zero in phase 1.
    pub message_id: u32,
    /// Octets of the whole message, this header and any padding of an encrypted one included.
    pub length: u32,
}

impl Header {
    /// Octets of a header.
    pub const LEN: usize = 28;

    /// The version octet of IKEv1: 1.0 (RFC 2408 §3.1).
    pub const VERSION_1: u8 = 0x10;

    /// A header of version 1 without flags. [`MessageBuilder`](crate::MessageBuilder) fills in the
    /// first payload's kind and the length.
    #[must_use]
    pub const fn new(cookies: Cookies, exchange_type: ExchangeType, message_id: u32) -> Self {
        Self {
            cookies,
            next_payload: PayloadType::NONE,
            version: Self::VERSION_1,
            exchange_type,
            flags: Flags::empty(),
            message_id,
            length: 0,
        }
    }

    /// Reads the header of a message, whatever its version.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        Ok(Self {
            cookies: Cookies { initiator: *reader.array()?, responder: *reader.array()? },
            next_payload: PayloadType(reader.u8()?),
            version: reader.u8()?,
            exchange_type: ExchangeType(reader.u8()?),
            flags: Flags::from_bits_retain(reader.u8()?),
            message_id: reader.u32()?,
            length: reader.u32()?,
        })
    }

    /// The major version: which protocol the message is of.
    #[must_use]
    pub const fn major_version(&self) -> u8 {
        self.version >> 4
    }

    /// Whether payloads follow only after decryption.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.flags.contains(Flags::ENCRYPTION)
    }

    /// Appends the header.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.cookies.spi());
        let (next, flags) = (self.next_payload.0, self.flags.bits());
        out.extend_from_slice(&[next, self.version, self.exchange_type.0, flags]);
        out.extend_from_slice(&self.message_id.to_be_bytes());
        out.extend_from_slice(&self.length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const HEADER: [u8; 28] = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 8, 0x10, 32, 0x83, 0xde, 0xad, 0xbe,
        0xef, 0, 0, 1, 0x2c,
    ];

    #[test]
    fn reads_and_writes_each_field() {
        let header = Header::decode(&HEADER).unwrap();
        let cookies = Cookies {
            initiator: [1, 2, 3, 4, 5, 6, 7, 8],
            responder: [9, 10, 11, 12, 13, 14, 15, 16],
        };
        assert_eq!(header.cookies, cookies);
        assert_eq!(header.cookies.to_string(), "0102030405060708:090a0b0c0d0e0f10");
        assert_eq!(header.next_payload, PayloadType::HASH);
        assert_eq!((header.version, header.major_version()), (Header::VERSION_1, 1));
        assert_eq!(header.exchange_type, ExchangeType::QUICK_MODE);
        assert_eq!(header.flags.bits(), 0x83, "unknown bits stay");
        assert!(header.is_encrypted() && header.flags.contains(Flags::COMMIT));
        assert_eq!((header.message_id, header.length), (0xdead_beef, 300));
        let mut out = Vec::new();
        header.encode(&mut out);
        assert_eq!(out, HEADER);
    }

    #[test]
    fn every_shorter_length_is_refused() {
        for len in 0..Header::LEN {
            assert_eq!(Header::decode(&HEADER[..len]), Err(DecodeError::Truncated), "{len}");
        }
    }

    #[test]
    fn the_first_message_has_no_responder() {
        let first = Cookies::first([7; 8]);
        assert!(first.is_first());
        assert!(!Cookies { responder: [0, 0, 0, 0, 0, 0, 0, 1], ..first }.is_first());
    }
}
