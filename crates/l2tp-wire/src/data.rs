use vpn_core::EncapError;
use vpn_core::PacketMut;
use vpn_core::Reader;

use crate::DecodeError;
use crate::EncodeError;
use crate::flags::Flags;

/// Ns and Nr of a data message (RFC 2661 §5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sequence {
    /// Sequence number of this message.
    pub ns: u16,
    /// Reserved in data messages: sent as 0, ignored on receipt.
    pub nr: u16,
}

/// The header of a data message: every combination of the L, S, O and P bits (RFC 2661 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DataHeader {
    /// The receiver's Tunnel ID.
    pub tunnel_id: u16,
    /// The receiver's Session ID.
    pub session_id: u16,
    /// Sequence numbers, where the S bit is set.
    pub sequence: Option<Sequence>,
    /// L: whether the Length field is present.
    pub length: bool,
    /// P: whether the message is to be sent before others, as a keep-alive is.
    pub priority: bool,
    /// Octets of padding between header and payload, where the O bit is set. They go out as zeros.
    pub offset: Option<u16>,
}

/// Where the parts of a data message lie.
struct Layout {
    header: DataHeader,
    /// Octets before the payload.
    start: usize,
    /// Octets up to the payload's end.
    end: usize,
}

impl DataHeader {
    /// Octets of the longest header without offset padding.
    pub const MAX_LEN: usize = 14;

    /// Octets of the header with its offset padding.
    #[inline]
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        let mut len = 6;
        if self.length {
            len += 2;
        }
        if self.sequence.is_some() {
            len += 4;
        }
        if let Some(padding) = self.offset {
            len += 2 + padding as usize;
        }
        len
    }

    /// Writes the header for `payload_len` octets of payload to the front of `out` and returns how
    /// many octets it has. The payload belongs right behind it.
    ///
    /// # Errors
    /// [`EncodeError::NoRoom`] when `out` is shorter than [`DataHeader::encoded_len`];
    /// [`EncodeError::MessageTooLong`] when the Length field is present and can't say the length.
    #[inline]
    pub fn encode(&self, payload_len: usize, out: &mut [u8]) -> Result<usize, EncodeError> {
        let header_len = self.encoded_len();
        let no_room = EncodeError::NoRoom { needed: header_len, left: out.len() };
        let (header, _) = out.split_at_mut_checked(header_len).ok_or(no_room)?;
        let mut flags = Flags::empty();
        let (first, rest) = header.split_first_chunk_mut::<2>().ok_or(no_room)?;
        let mut rest = rest;
        if self.length {
            flags.insert(Flags::LENGTH);
            let message_len = header_len.saturating_add(payload_len);
            let length =
                u16::try_from(message_len).map_err(|_| EncodeError::MessageTooLong(message_len))?;
            rest = put(rest, length.to_be_bytes()).ok_or(no_room)?;
        }
        let [t0, t1] = self.tunnel_id.to_be_bytes();
        let [s0, s1] = self.session_id.to_be_bytes();
        rest = put(rest, [t0, t1, s0, s1]).ok_or(no_room)?;
        if let Some(Sequence { ns, nr }) = self.sequence {
            flags.insert(Flags::SEQUENCE);
            let [ns0, ns1] = ns.to_be_bytes();
            let [nr0, nr1] = nr.to_be_bytes();
            rest = put(rest, [ns0, ns1, nr0, nr1]).ok_or(no_room)?;
        }
        if let Some(padding) = self.offset {
            flags.insert(Flags::OFFSET);
            rest = put(rest, padding.to_be_bytes()).ok_or(no_room)?;
            rest.fill(0);
        }
        flags.set(Flags::PRIORITY, self.priority);
        *first = flags.to_wire().to_be_bytes();
        Ok(header_len)
    }

    /// Puts the header in front of `packet`, in place. It takes [`DataHeader::encoded_len`] octets
    /// of headroom.
    ///
    /// # Errors
    /// [`EncapError`]: too little headroom, or a packet longer than the Length field can say.
    #[inline]
    pub fn prepend(&self, packet: &mut PacketMut<'_>) -> Result<(), EncapError> {
        let payload_len = packet.len();
        let header_len = self.encoded_len();
        let front = packet.prepend(header_len)?;
        match self.encode(payload_len, front) {
            Ok(_) => Ok(()),
            Err(_) => Err(EncapError::TooLong {
                len: payload_len,
                max: usize::from(u16::MAX).saturating_sub(header_len),
            }),
        }
    }

    /// Takes the header off `packet`, in place: what is left is the payload, a PPP frame.
    ///
    /// # Errors
    /// [`DecodeError`], with the packet as it was; [`DecodeError::Control`] for a control message.
    #[inline]
    pub fn strip(packet: &mut PacketMut<'_>) -> Result<Self, DecodeError> {
        let Layout { header, start, end } = Self::locate(packet.payload())?;
        packet.truncate(end);
        packet.trim_front(start).map_err(|_| DecodeError::Truncated)?;
        Ok(header)
    }

    /// Decodes the header at the front of `datagram`.
    #[inline]
    fn locate(datagram: &[u8]) -> Result<Layout, DecodeError> {
        let mut reader = Reader::new(datagram);
        let flags = Flags::from_wire(read_u16(&mut reader)?)?;
        if flags.contains(Flags::CONTROL) {
            return Err(DecodeError::Control);
        }
        Self::locate_rest(flags, datagram.len(), reader)
    }

    /// Decodes what follows the flags; `reader` stands behind them.
    #[inline(always)]
    fn locate_rest(
        flags: Flags,
        datagram_len: usize,
        mut reader: Reader<'_>,
    ) -> Result<Layout, DecodeError> {
        let mut header = Self {
            length: flags.contains(Flags::LENGTH),
            priority: flags.contains(Flags::PRIORITY),
            ..Self::default()
        };
        let mut end = datagram_len;
        let mut length = 0;
        if header.length {
            length = read_u16(&mut reader)?;
            end = usize::from(length);
            if end > datagram_len {
                return Err(DecodeError::Truncated);
            }
        }
        let [t0, t1, s0, s1] = *reader.array().map_err(|_| DecodeError::Truncated)?;
        header.tunnel_id = u16::from_be_bytes([t0, t1]);
        header.session_id = u16::from_be_bytes([s0, s1]);
        if flags.contains(Flags::SEQUENCE) {
            let [ns0, ns1, nr0, nr1] = *reader.array().map_err(|_| DecodeError::Truncated)?;
            let (ns, nr) = (u16::from_be_bytes([ns0, ns1]), u16::from_be_bytes([nr0, nr1]));
            header.sequence = Some(Sequence { ns, nr });
        }
        let mut padding = 0;
        if flags.contains(Flags::OFFSET) {
            padding = read_u16(&mut reader)?;
            header.offset = Some(padding);
        }
        let header_len = datagram_len.saturating_sub(reader.len());
        if header_len > end {
            return Err(DecodeError::BadLength(length));
        }
        let start = header_len.saturating_add(usize::from(padding));
        if start > end {
            return Err(DecodeError::BadOffset(padding));
        }
        Ok(Layout { header, start, end })
    }
}

/// A data message: its header and the PPP frame it carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataMessage<'a> {
    /// The header.
    pub header: DataHeader,
    /// A PPP frame, without flags, escapes and checksum (RFC 2661 §5.3). It may be empty.
    pub payload: &'a [u8],
}

impl<'a> DataMessage<'a> {
    #[inline(always)]
    pub(crate) fn decode(flags: Flags, datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(datagram);
        reader.take(2).map_err(|_| DecodeError::Truncated)?;
        let Layout { header, start, end } = DataHeader::locate_rest(flags, datagram.len(), reader)?;
        let payload = datagram.get(start..end).ok_or(DecodeError::Truncated)?;
        Ok(Self { header, payload })
    }
}

#[inline]
fn read_u16(reader: &mut Reader<'_>) -> Result<u16, DecodeError> {
    reader.u16().map_err(|_| DecodeError::Truncated)
}

/// Writes `octets` to the front of `out` and returns what is left of it.
#[inline]
fn put<const N: usize>(out: &mut [u8], octets: [u8; N]) -> Option<&mut [u8]> {
    let (front, rest) = out.split_first_chunk_mut::<N>()?;
    *front = octets;
    Some(rest)
}
