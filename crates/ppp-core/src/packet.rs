use alloc::vec::Vec;

use vpn_core::Reader;

use crate::DecodeError;
use crate::Protocol;
use crate::auth::ChapCode;
use crate::auth::PapCode;
use crate::registry::registry;

/// Code, Identifier and Length in front of every control packet (RFC 1661 §5).
pub const PACKET_HEADER_LEN: usize = 4;

registry! {
    /// The Code of a packet of LCP or of a network control protocol (RFC 1661 §5, RFC 1570 §1,
    /// RFC 1962 §3).
    ControlCode(u8) {
        /// Vendor extension (RFC 2153 §2).
        VENDOR_SPECIFIC = 0, "Vendor-Specific";
        /// Asks for options (RFC 1661 §5.1).
        CONFIGURE_REQUEST = 1, "Configure-Request";
        /// Grants every option (RFC 1661 §5.2).
        CONFIGURE_ACK = 2, "Configure-Ack";
        /// Names better values (RFC 1661 §5.3).
        CONFIGURE_NAK = 3, "Configure-Nak";
        /// Refuses options (RFC 1661 §5.4).
        CONFIGURE_REJECT = 4, "Configure-Reject";
        /// Ends the layer (RFC 1661 §5.5).
        TERMINATE_REQUEST = 5, "Terminate-Request";
        /// Agrees to the end (RFC 1661 §5.5).
        TERMINATE_ACK = 6, "Terminate-Ack";
        /// The peer does not know a code (RFC 1661 §5.6).
        CODE_REJECT = 7, "Code-Reject";
        /// The peer does not know a protocol; LCP only (RFC 1661 §5.7).
        PROTOCOL_REJECT = 8, "Protocol-Reject";
        /// Asks for a sign of life; LCP only (RFC 1661 §5.8).
        ECHO_REQUEST = 9, "Echo-Request";
        /// Gives one; LCP only (RFC 1661 §5.8).
        ECHO_REPLY = 10, "Echo-Reply";
        /// To be thrown away; LCP only (RFC 1661 §5.9).
        DISCARD_REQUEST = 11, "Discard-Request";
        /// Text about the sender; LCP only (RFC 1570 §1.1).
        IDENTIFICATION = 12, "Identification";
        /// How long the session may last; LCP only (RFC 1570 §1.2).
        TIME_REMAINING = 13, "Time-Remaining";
        /// The decompressor lost its state; CCP and ECP (RFC 1962 §3.1).
        RESET_REQUEST = 14, "Reset-Request";
        /// The compressor starts anew; CCP and ECP (RFC 1962 §3.1).
        RESET_ACK = 15, "Reset-Ack";
    }
}

/// One packet of a control or authentication protocol: Code, Identifier, Length, Data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// What the packet is; the meaning depends on the protocol: see [`code_name`].
    pub code: u8,
    /// Ties a reply to its request.
    pub identifier: u8,
    /// What the Length field covers behind the header.
    pub data: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet from the Information field of a frame. Octets behind the Length are padding
    /// and are ignored (RFC 1661 §5).
    ///
    /// # Errors
    /// [`DecodeError`] when the header is cut short or the Length does not fit.
    pub fn decode(information: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(information);
        let (code, identifier) = (reader.u8()?, reader.u8()?);
        let length = usize::from(reader.u16()?);
        let bad_length = DecodeError::PacketLength { length, available: information.len() };
        let data_len = length.checked_sub(PACKET_HEADER_LEN).ok_or(bad_length)?;
        let data = reader.take(data_len).map_err(|_| bad_length)?;
        Ok(Self { code, identifier, data })
    }

    /// How many octets the packet takes.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        PACKET_HEADER_LEN + self.data.len()
    }

    /// Appends the packet to `out`.
    ///
    /// # Errors
    /// [`DecodeError::PacketLength`] when the data do not fit the 16-bit Length; nothing is
    /// appended.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let length = self.encoded_len();
        let Ok(field) = u16::try_from(length) else {
            return Err(DecodeError::PacketLength { length, available: usize::from(u16::MAX) });
        };
        out.extend_from_slice(&[self.code, self.identifier]);
        out.extend_from_slice(&field.to_be_bytes());
        out.extend_from_slice(self.data);
        Ok(())
    }
}

/// The name of a code in a protocol, where both are known.
#[must_use]
pub const fn code_name(protocol: Protocol, code: u8) -> Option<&'static str> {
    match protocol {
        Protocol::PAP => PapCode(code).name(),
        Protocol::CHAP => ChapCode(code).name(),
        Protocol::LCP if code <= ControlCode::TIME_REMAINING.0 => ControlCode(code).name(),
        Protocol::CCP | Protocol::LINK_CCP | Protocol::ECP
            if code <= ControlCode::CODE_REJECT.0 || code >= ControlCode::RESET_REQUEST.0 =>
        {
            ControlCode(code).name()
        }
        Protocol(0x8000..=0xbfff) if code <= ControlCode::CODE_REJECT.0 => ControlCode(code).name(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_ignored_and_every_cut_is_an_error() {
        let octets = [5, 7, 0, 6, b'b', b'y', 0, 0];
        let packet = Packet::decode(&octets).unwrap();
        assert_eq!(packet, Packet { code: 5, identifier: 7, data: b"by" });
        for cut in 0..6 {
            assert!(Packet::decode(&octets[..cut]).is_err(), "{cut}");
        }
        let mut again = Vec::new();
        packet.encode(&mut again).unwrap();
        assert_eq!(again, octets[..6]);
    }

    #[test]
    fn a_length_below_the_header_is_an_error() {
        for length in 0..4 {
            let error = Packet::decode(&[1, 1, 0, length, 0, 0]).unwrap_err();
            let length = usize::from(length);
            assert_eq!(error, DecodeError::PacketLength { length, available: 6 });
        }
    }

    #[test]
    fn too_long_for_the_length_field() {
        let data = alloc::vec![0; 65_532];
        let mut out = Vec::new();
        assert!(Packet { code: 1, identifier: 1, data: &data }.encode(&mut out).is_err());
        assert!(out.is_empty());
        assert!(Packet { code: 1, identifier: 1, data: &data[1..] }.encode(&mut out).is_ok());
    }

    #[test]
    fn codes_have_names_where_they_belong() {
        assert_eq!(code_name(Protocol::LCP, 9), Some("Echo-Request"));
        assert_eq!(code_name(Protocol::IPCP, 1), Some("Configure-Request"));
        assert_eq!(code_name(Protocol::IPCP, 9), None);
        assert_eq!(code_name(Protocol::CCP, 14), Some("Reset-Request"));
        assert_eq!(code_name(Protocol::CCP, 9), None);
        assert_eq!(code_name(Protocol::PAP, 2), Some("Authenticate-Ack"));
        assert_eq!(code_name(Protocol::CHAP, 1), Some("Challenge"));
        assert_eq!(code_name(Protocol::IPV4, 1), None);
    }
}
