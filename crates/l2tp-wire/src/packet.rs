use crate::ControlMessage;
use crate::DataMessage;
use crate::DecodeError;
use crate::flags::Flags;

/// A datagram of L2TP: a control message or a data message (RFC 2661 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packet<'a> {
    /// A control message.
    Control(ControlMessage<'a>),
    /// A data message.
    Data(DataMessage<'a>),
}

impl<'a> Packet<'a> {
    /// Decodes the header of a datagram, the payload of UDP or of an IPsec tunnel.
    ///
    /// Only the header is looked at; [`ControlMessage::avps`] and
    /// [`Message::decode`](crate::Message::decode) go on from there. Octets behind the Length
    /// field's end are ignored.
    ///
    /// # Errors
    /// [`DecodeError`]: the datagram is to be dropped.
    #[inline(always)]
    pub fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let [first, second, ..] = datagram else {
            return Err(DecodeError::Truncated);
        };
        let flags = Flags::from_wire(u16::from_be_bytes([*first, *second]))?;
        if flags.contains(Flags::CONTROL) {
            ControlMessage::decode(flags, datagram).map(Self::Control)
        } else {
            DataMessage::decode(flags, datagram).map(Self::Data)
        }
    }
}
