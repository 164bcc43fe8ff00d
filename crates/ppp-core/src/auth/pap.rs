use alloc::vec::Vec;

use vpn_core::Reader;

use crate::DecodeError;
use crate::Packet;
use crate::registry::registry;
use crate::text::Shown;

registry! {
    /// The Code of a PAP packet (RFC 1334 §2.2).
    PapCode(u8) {
        /// Name and password.
        AUTHENTICATE_REQUEST = 1, "Authenticate-Request";
        /// They are right.
        AUTHENTICATE_ACK = 2, "Authenticate-Ack";
        /// They are not.
        AUTHENTICATE_NAK = 3, "Authenticate-Nak";
    }
}

/// A PAP packet without its Identifier (RFC 1334 §2.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PapPacket<'a> {
    /// Authenticate-Request.
    Request {
        /// The Peer-ID, at most 255 octets.
        peer_id: &'a [u8],
        /// The Password in clear, at most 255 octets.
        password: &'a [u8],
    },
    /// Authenticate-Ack, with text for people.
    Ack(&'a [u8]),
    /// Authenticate-Nak, with text for people.
    Nak(&'a [u8]),
}

impl<'a> PapPacket<'a> {
    /// Reads a PAP packet.
    ///
    /// An Ack or Nak without a Msg-Length octet, or with one that is too big, is taken as having
    /// what text there is: the text has no effect (RFC 1334 §2.2.2), and some peers leave it out.
    ///
    /// # Errors
    /// [`DecodeError::UnknownCode`], or [`DecodeError::Truncated`] when a request is cut short.
    pub fn decode(packet: &Packet<'a>) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(packet.data);
        Ok(match PapCode(packet.code) {
            PapCode::AUTHENTICATE_REQUEST => {
                let peer_id = counted(&mut reader)?;
                Self::Request { peer_id, password: counted(&mut reader)? }
            }
            PapCode::AUTHENTICATE_ACK => Self::Ack(message(packet.data)),
            PapCode::AUTHENTICATE_NAK => Self::Nak(message(packet.data)),
            PapCode(code) => return Err(DecodeError::UnknownCode(code)),
        })
    }

    /// The packet's Code.
    #[must_use]
    pub const fn code(&self) -> PapCode {
        match self {
            Self::Request { .. } => PapCode::AUTHENTICATE_REQUEST,
            Self::Ack(_) => PapCode::AUTHENTICATE_ACK,
            Self::Nak(_) => PapCode::AUTHENTICATE_NAK,
        }
    }

    /// Appends the data of the packet, without its header, to `out`. Fields are cut at 255 octets.
    pub fn encode_data(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Request { peer_id, password } => {
                put_counted(out, peer_id);
                put_counted(out, password);
            }
            Self::Ack(message) | Self::Nak(message) => put_counted(out, message),
        }
    }
}

impl core::fmt::Debug for PapPacket<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Request { peer_id, password } => {
                let (name, len) = (Shown(peer_id), password.len());
                write!(f, "Request {{ peer_id: {name:?}, password: {len} octets }}")
            }
            Self::Ack(message) => write!(f, "Ack({:?})", Shown(message)),
            Self::Nak(message) => write!(f, "Nak({:?})", Shown(message)),
        }
    }
}

fn counted<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
    let len = usize::from(reader.u8()?);
    Ok(reader.take(len)?)
}

fn message(data: &[u8]) -> &[u8] {
    match data {
        [] => &[],
        [len, text @ ..] => text.get(..usize::from(*len)).unwrap_or(text),
    }
}

fn put_counted(out: &mut Vec<u8>, field: &[u8]) {
    let field = field.get(..usize::from(u8::MAX)).unwrap_or(field);
    out.push(u8::try_from(field.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(field);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_request_reads_writes_and_refuses_cuts() {
        let data = *b"\x05alice\x0awonderland";
        let packet = Packet { code: 1, identifier: 1, data: &data };
        let request = PapPacket::decode(&packet).unwrap();
        assert_eq!(request, PapPacket::Request { peer_id: b"alice", password: b"wonderland" });
        let mut again = Vec::new();
        request.encode_data(&mut again);
        assert_eq!(again, data);
        for cut in 0..data.len() {
            let packet = Packet { data: &data[..cut], ..packet };
            assert!(PapPacket::decode(&packet).is_err(), "{cut}");
        }
        assert!(!format!("{request:?}").contains("wonderland"));
    }

    #[test]
    fn replies_with_or_without_text() {
        let reply = |code, data: &'static [u8]| {
            PapPacket::decode(&Packet { code, identifier: 1, data }).unwrap()
        };
        assert_eq!(reply(2, b"\x02ok"), PapPacket::Ack(b"ok"));
        assert_eq!(reply(2, b""), PapPacket::Ack(b""));
        assert_eq!(reply(3, b"\x09no"), PapPacket::Nak(b"no"));
        assert_eq!(reply(3, b"\x01no"), PapPacket::Nak(b"n"));
        let packet = Packet { code: 4, identifier: 1, data: b"" };
        assert_eq!(PapPacket::decode(&packet), Err(DecodeError::UnknownCode(4)));
    }

    #[test]
    fn long_fields_are_cut() {
        let mut out = Vec::new();
        PapPacket::Ack(&[b'x'; 300]).encode_data(&mut out);
        assert_eq!((out.len(), out[0]), (256, 255));
    }
}
