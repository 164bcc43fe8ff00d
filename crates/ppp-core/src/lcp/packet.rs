use alloc::vec::Vec;

use vpn_core::Reader;

use crate::ControlCode;
use crate::DecodeError;
use crate::Packet;
use crate::Protocol;

/// What the packets that only LCP has carry (RFC 1661 §5.7–5.9, RFC 1570 §1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Maintenance<'a> {
    /// The peer does not know a protocol.
    ProtocolReject {
        /// The protocol that it does not know.
        protocol: Protocol,
        /// The start of the packet that it refused.
        information: &'a [u8],
    },
    /// Asks for an Echo-Reply.
    EchoRequest {
        /// The sender's magic number, or 0.
        magic: u32,
        /// Anything.
        data: &'a [u8],
    },
    /// Answers an Echo-Request.
    EchoReply {
        /// The sender's magic number, or 0.
        magic: u32,
        /// The data of the request.
        data: &'a [u8],
    },
    /// Nothing to do.
    DiscardRequest {
        /// The sender's magic number, or 0.
        magic: u32,
        /// Anything.
        data: &'a [u8],
    },
    /// What the sender says about itself.
    Identification {
        /// The sender's magic number, or 0.
        magic: u32,
        /// Text for people.
        message: &'a [u8],
    },
    /// How long the session may last.
    TimeRemaining {
        /// The sender's magic number, or 0.
        magic: u32,
        /// Seconds; `u32::MAX` is for ever.
        seconds: u32,
        /// Text for people.
        message: &'a [u8],
    },
}

impl<'a> Maintenance<'a> {
    /// Reads an LCP packet with one of the codes 8 to 13.
    ///
    /// # Errors
    /// [`DecodeError::UnknownCode`] for any other code; [`DecodeError::Truncated`] when the fixed
    /// fields are cut short.
    pub fn decode(packet: &Packet<'a>) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(packet.data);
        Ok(match ControlCode(packet.code) {
            ControlCode::PROTOCOL_REJECT => {
                let protocol = Protocol(reader.u16()?);
                Self::ProtocolReject { protocol, information: reader.rest() }
            }
            ControlCode::ECHO_REQUEST => {
                Self::EchoRequest { magic: reader.u32()?, data: reader.rest() }
            }
            ControlCode::ECHO_REPLY => {
                Self::EchoReply { magic: reader.u32()?, data: reader.rest() }
            }
            ControlCode::DISCARD_REQUEST => {
                Self::DiscardRequest { magic: reader.u32()?, data: reader.rest() }
            }
            ControlCode::IDENTIFICATION => {
                Self::Identification { magic: reader.u32()?, message: reader.rest() }
            }
            ControlCode::TIME_REMAINING => {
                let (magic, seconds) = (reader.u32()?, reader.u32()?);
                Self::TimeRemaining { magic, seconds, message: reader.rest() }
            }
            ControlCode(code) => return Err(DecodeError::UnknownCode(code)),
        })
    }

    /// The packet's Code.
    #[must_use]
    pub const fn code(&self) -> ControlCode {
        match self {
            Self::ProtocolReject { .. } => ControlCode::PROTOCOL_REJECT,
            Self::EchoRequest { .. } => ControlCode::ECHO_REQUEST,
            Self::EchoReply { .. } => ControlCode::ECHO_REPLY,
            Self::DiscardRequest { .. } => ControlCode::DISCARD_REQUEST,
            Self::Identification { .. } => ControlCode::IDENTIFICATION,
            Self::TimeRemaining { .. } => ControlCode::TIME_REMAINING,
        }
    }

    /// Appends the data of the packet, without its header, to `out`.
    pub fn encode_data(&self, out: &mut Vec<u8>) {
        let rest = match *self {
            Self::ProtocolReject { protocol, information } => {
                out.extend_from_slice(&protocol.0.to_be_bytes());
                information
            }
            Self::EchoRequest { magic, data: rest }
            | Self::EchoReply { magic, data: rest }
            | Self::DiscardRequest { magic, data: rest }
            | Self::Identification { magic, message: rest } => {
                out.extend_from_slice(&magic.to_be_bytes());
                rest
            }
            Self::TimeRemaining { magic, seconds, message } => {
                out.extend_from_slice(&magic.to_be_bytes());
                out.extend_from_slice(&seconds.to_be_bytes());
                message
            }
        };
        out.extend_from_slice(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_writes_and_refuses_cuts() {
        for code in 8..=13 {
            let data = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
            let packet = Packet { code, identifier: 1, data: &data };
            let maintenance = Maintenance::decode(&packet).unwrap();
            assert_eq!(maintenance.code().0, code);
            let mut again = Vec::new();
            maintenance.encode_data(&mut again);
            assert_eq!(again, data);
            let fixed = match code {
                8 => 2,
                13 => 8,
                _ => 4,
            };
            for cut in 0..fixed {
                let packet = Packet { code, identifier: 1, data: &data[..cut] };
                assert!(Maintenance::decode(&packet).is_err(), "{code} {cut}");
            }
        }
        let packet = Packet { code: 14, identifier: 1, data: &[] };
        assert_eq!(Maintenance::decode(&packet), Err(DecodeError::UnknownCode(14)));
    }
}
