use crate::Avps;
use crate::DecodeError;
use crate::MessageType;
use crate::avp::first_message_type;
use crate::flags::Flags;

const HEADER_LEN: usize = 12;

/// A control message: its header, and its AVPs still encoded (RFC 2661 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ControlMessage<'a> {
    /// The receiver's Tunnel ID, or 0 before it is known.
    pub tunnel_id: u16,
    /// The receiver's Session ID, or 0 where the message is of the tunnel or the ID is not known.
    pub session_id: u16,
    /// Sequence number of this message; a ZLB carries that of the message to come.
    pub ns: u16,
    /// Sequence number of the message that the sender expects next.
    pub nr: u16,
    avps: &'a [u8],
    trailing: usize,
}

impl<'a> ControlMessage<'a> {
    /// Octets of a control message's header; also its shortest length.
    pub const HEADER_LEN: usize = HEADER_LEN;

    #[inline]
    pub(crate) fn decode(flags: Flags, datagram: &'a [u8]) -> Result<Self, DecodeError> {
        if flags.difference(Flags::OF_CONTROL).intersects(Flags::OFFSET.union(Flags::PRIORITY))
            || !flags.contains(Flags::OF_CONTROL)
        {
            return Err(DecodeError::BadFlags);
        }
        let Some((header, body)) = datagram.split_first_chunk::<HEADER_LEN>() else {
            return Err(DecodeError::Truncated);
        };
        let [_, _, l0, l1, t0, t1, s0, s1, ns0, ns1, nr0, nr1] = *header;
        let length = u16::from_be_bytes([l0, l1]);
        let Some(avps_len) = usize::from(length).checked_sub(HEADER_LEN) else {
            return Err(DecodeError::BadLength(length));
        };
        let Some((avps, trailing)) = body.split_at_checked(avps_len) else {
            return Err(DecodeError::Truncated);
        };
        Ok(Self {
            tunnel_id: u16::from_be_bytes([t0, t1]),
            session_id: u16::from_be_bytes([s0, s1]),
            ns: u16::from_be_bytes([ns0, ns1]),
            nr: u16::from_be_bytes([nr0, nr1]),
            avps,
            trailing: trailing.len(),
        })
    }

    /// Whether this is a Zero-Length Body message, which only acknowledges (RFC 2661 §5.8).
    #[inline]
    #[must_use]
    pub const fn is_zlb(&self) -> bool {
        self.avps.is_empty()
    }

    /// The AVPs as they came, one after the other.
    #[inline]
    #[must_use]
    pub const fn avps(&self) -> Avps<'a> {
        Avps::new(self.avps)
    }

    /// The value of the Message Type AVP, which must be the first (RFC 2661 §4.4.1). `None` for a
    /// ZLB, and where the first AVP is not a proper Message Type.
    #[must_use]
    pub fn message_type(&self) -> Option<MessageType> {
        first_message_type(self.avps).map(|(message_type, ..)| message_type)
    }

    /// Octets of the datagram behind the end that the Length field gives.
    #[must_use]
    pub const fn trailing(&self) -> usize {
        self.trailing
    }
}

/// Builds a Zero-Length Body message (RFC 2661 §5.8). `ns` is that of the next message to be sent,
/// and is not used up.
#[must_use]
pub fn zlb(tunnel_id: u16, session_id: u16, ns: u16, nr: u16) -> [u8; HEADER_LEN] {
    let mut message = control_header(tunnel_id, session_id);
    set_ns_nr(&mut message, ns, nr);
    message
}

/// Sets Ns and Nr of a finished control message: the reliable channel numbers a message when it
/// sends it, and refreshes Nr in each retransmission (RFC 2661 §5.8). Does nothing to fewer than
/// 12 octets.
pub fn set_ns_nr(message: &mut [u8], ns: u16, nr: u16) {
    if let Some([.., ns0, ns1, nr0, nr1]) = message.first_chunk_mut::<HEADER_LEN>() {
        [*ns0, *ns1] = ns.to_be_bytes();
        [*nr0, *nr1] = nr.to_be_bytes();
    }
}

/// The header of a control message without AVPs; Ns and Nr are 0.
#[inline]
pub(crate) fn control_header(tunnel_id: u16, session_id: u16) -> [u8; HEADER_LEN] {
    let [f0, f1] = Flags::OF_CONTROL.to_wire().to_be_bytes();
    let [t0, t1] = tunnel_id.to_be_bytes();
    let [s0, s1] = session_id.to_be_bytes();
    [f0, f1, 0, 12, t0, t1, s0, s1, 0, 0, 0, 0]
}
