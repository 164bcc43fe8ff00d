//! The octets in front of a PPP packet: Address, Control and Protocol (RFC 1661 §2, RFC 1662 §3.1).
//!
//! Received frames are read whatever was negotiated: with or without `FF 03`, with a Protocol field
//! of one octet or two. Everything here works on borrowed octets and is fit for the data path.

use vpn_core::Full;
use vpn_core::NoRoom;
use vpn_core::PacketMut;
use vpn_core::Truncated;
use vpn_core::Writer;

use crate::Protocol;

/// Address (All-Stations) and Control (Unnumbered Information) of a PPP frame (RFC 1662 §3.1).
pub const ADDRESS_CONTROL: [u8; 2] = [0xff, 0x03];

/// The longest [`Header`].
pub const MAX_HEADER_LEN: usize = 4;

/// Reads the protocol of a frame, and where the Information field starts.
///
/// Address and Control are skipped where they are there, and the Protocol field may be compressed,
/// whatever was negotiated. A number that breaks the rules of RFC 1661 §2 is returned all the same:
/// see [`Protocol::is_valid`].
///
/// # Errors
/// [`Truncated`] when the frame ends before its Protocol field does.
#[inline]
pub const fn protocol(frame: &[u8]) -> Result<(Protocol, usize), Truncated> {
    let (rest, at) = match frame {
        [0xff, 0x03, rest @ ..] => (rest, 2),
        _ => (frame, 0),
    };
    match rest {
        [low, ..] if *low & 1 == 1 => Ok((Protocol(*low as u16), at + 1)),
        [high, low, ..] => Ok((Protocol(u16::from_be_bytes([*high, *low])), at + 2)),
        _ => Err(Truncated { needed: 2, left: rest.len() }),
    }
}

/// What goes in front of an outgoing packet.
///
/// LCP is never compressed, whatever the flags say (RFC 1661 §6.5, §6.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The protocol of the packet.
    pub protocol: Protocol,
    /// Leave Address and Control out: the peer negotiated
    /// Address-and-Control-Field-Compression (RFC 1661 §6.6).
    pub acfc: bool,
    /// Send a Protocol below 0x100 as one octet: the peer negotiated Protocol-Field-Compression
    /// (RFC 1661 §6.5).
    pub pfc: bool,
}

impl Header {
    /// The header that every peer must understand: nothing compressed.
    #[must_use]
    pub const fn full(protocol: Protocol) -> Self {
        Self { protocol, acfc: false, pfc: false }
    }

    /// How many octets the header takes: 1 to [`MAX_HEADER_LEN`].
    #[inline]
    #[must_use]
    pub const fn encoded_len(self) -> usize {
        let address_control = if self.omits_address() { 0 } else { 2 };
        let protocol = if self.shortens_protocol() { 1 } else { 2 };
        address_control + protocol
    }

    /// Writes the header.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    #[inline]
    pub fn encode(self, out: &mut Writer<'_>) -> Result<(), Full> {
        if !self.omits_address() {
            out.put(&ADDRESS_CONTROL)?;
        }
        let [high, low] = self.protocol.0.to_be_bytes();
        if self.shortens_protocol() { out.u8(low) } else { out.put(&[high, low]) }
    }

    /// Puts the header in front of a packet.
    ///
    /// # Errors
    /// [`NoRoom`] when the packet has less headroom than [`Header::encoded_len`].
    #[inline]
    pub fn prepend(self, packet: &mut PacketMut<'_>) -> Result<(), NoRoom> {
        let len = self.encoded_len();
        let room = packet.prepend(len)?;
        let no_room = |full: Full| NoRoom { needed: full.needed, left: full.left };
        self.encode(&mut Writer::new(room)).map_err(no_room)
    }

    const fn omits_address(self) -> bool {
        self.acfc && self.protocol.0 != Protocol::LCP.0
    }

    const fn shortens_protocol(self) -> bool {
        self.pfc && self.protocol.is_compressible()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        assert_eq!(protocol(&[0xff, 0x03, 0xc0, 0x21, 1]), Ok((Protocol::LCP, 4)));
        assert_eq!(protocol(&[0xc0, 0x21, 1]), Ok((Protocol::LCP, 2)));
        assert_eq!(protocol(&[0xff, 0x03, 0x21, 0x45]), Ok((Protocol::IPV4, 3)));
        assert_eq!(protocol(&[0x21, 0x45]), Ok((Protocol::IPV4, 1)));
        assert_eq!(protocol(&[0x00, 0x21]), Ok((Protocol::IPV4, 2)));
    }

    #[test]
    fn a_number_against_the_rules_is_kept() {
        assert_eq!(protocol(&[0xc0, 0x20]), Ok((Protocol(0xc020), 2)));
        assert_eq!(protocol(&[0xff, 0x04]), Ok((Protocol(0x00ff), 1)));
        assert!(!Protocol(0xc020).is_valid());
    }

    #[test]
    fn short_frames_are_refused() {
        for frame in [&[][..], &[0xff, 0x03], &[0xff, 0x03, 0xc0], &[0xc0]] {
            assert!(protocol(frame).is_err(), "{frame:02x?}");
        }
    }

    #[test]
    fn every_header_reads_back_and_lcp_stays_whole() {
        for wanted in [Protocol::LCP, Protocol::IPV4, Protocol::IPCP, Protocol::IPV6] {
            for (acfc, pfc) in [(false, false), (false, true), (true, false), (true, true)] {
                let header = Header { protocol: wanted, acfc, pfc };
                let mut storage = [0; 8];
                let mut packet = PacketMut::new(&mut storage, 6..8).unwrap();
                header.prepend(&mut packet).unwrap();
                assert_eq!(packet.len(), 2 + header.encoded_len());
                assert_eq!(protocol(packet.payload()), Ok((wanted, header.encoded_len())));
                if wanted == Protocol::LCP {
                    assert_eq!(header.encoded_len(), MAX_HEADER_LEN);
                }
            }
        }
        let compressed = Header { protocol: Protocol::IPV4, acfc: true, pfc: true };
        assert_eq!(compressed.encoded_len(), 1);
    }

    #[test]
    fn no_room_is_an_error() {
        let mut storage = [0; 3];
        let mut packet = PacketMut::new(&mut storage, 3..3).unwrap();
        let error = Header::full(Protocol::IPV4).prepend(&mut packet).unwrap_err();
        assert_eq!(error, NoRoom { needed: 4, left: 3 });
        assert!(Header::full(Protocol::IPV4).encode(&mut Writer::new(&mut [0; 3])).is_err());
    }
}
