use vpn_core::PacketMut;
use vpn_core::Room;
use vpn_core::crypto::EspSuite;

use crate::EspHeader;
use crate::NextHeader;
use crate::SealError;

/// Octets of the ESP trailer without padding: Pad Length and Next Header (RFC 4303 §2.5, §2.6).
const TRAILER_LEN: usize = 2;

/// The longest ESP packet: what fits in an IPv4 packet behind a header without options.
pub(crate) const MAX_LEN: usize = 65_535 - 20;

/// How the packets of a suite are laid out (RFC 4303 §2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    front: usize,
    /// What the length of the ciphertext is a multiple of, less one. It is a power of two: a mask
    /// spares the division that would cost as much as all the rest.
    mask: usize,
    icv_len: usize,
}

/// What padding looks like (RFC 4303 §2.4).
static PADDING: [u8; 255] = {
    let mut padding = [0; 255];
    let mut rest: &mut [u8] = &mut padding;
    let mut value = 1;
    while let Some((octet, more)) = rest.split_first_mut() {
        *octet = value;
        value = value.wrapping_add(1);
        rest = more;
    }
    padding
};

impl Layout {
    pub(crate) const fn new(suite: EspSuite) -> Self {
        Self {
            front: EspHeader::LEN + suite.iv_len(),
            mask: suite.alignment() - 1,
            icv_len: suite.icv_len(),
        }
    }

    /// Room around a payload of any length.
    pub(crate) const fn room(self) -> Room {
        Room { front: self.front, back: self.mask + TRAILER_LEN + self.icv_len }
    }

    /// Octets of ciphertext for a payload of `payload_len`.
    const fn ciphertext_len(self, payload_len: usize) -> usize {
        (payload_len + TRAILER_LEN + self.mask) & !self.mask
    }

    /// Octets of the ESP packet for a payload of `payload_len`.
    pub(crate) const fn packet_len(self, payload_len: usize) -> usize {
        self.front + self.ciphertext_len(payload_len) + self.icv_len
    }

    /// The longest payload whose packet has at most `packet_len` octets.
    pub(crate) const fn payload_len(self, packet_len: usize) -> Option<usize> {
        let Some(body) = packet_len.checked_sub(self.front + self.icv_len) else { return None };
        (body & !self.mask).checked_sub(TRAILER_LEN)
    }

    /// Octets of ciphertext in a packet of `packet_len`, unless no packet has that length.
    pub(crate) const fn ciphertext_in(self, packet_len: usize) -> Option<usize> {
        match packet_len.checked_sub(self.front + self.icv_len) {
            Some(body) if body > 0 && body & self.mask == 0 => Some(body),
            _ => None,
        }
    }

    /// Puts the trailer behind the payload and makes room for the rest. Says how many octets will be
    /// encrypted.
    pub(crate) fn wrap(
        self,
        packet: &mut PacketMut<'_>,
        next_header: NextHeader,
    ) -> Result<usize, SealError> {
        let payload_len = packet.len();
        let ciphertext_len = self.ciphertext_len(payload_len);
        let len = self.front + ciphertext_len + self.icv_len;
        if len > MAX_LEN {
            return Err(SealError::TooLong { len, max: MAX_LEN });
        }
        let behind = packet.append(ciphertext_len - payload_len + self.icv_len)?;
        let (trailer, _) = behind.split_at_mut(behind.len() - self.icv_len);
        write_trailer(trailer, next_header);
        packet.prepend(self.front)?;
        Ok(ciphertext_len)
    }

    /// Cuts a packet, whose plaintext is in place, down to the payload.
    ///
    /// `None` when the trailer is not what an honest sender writes.
    pub(crate) fn unwrap(self, packet: &mut PacketMut<'_>) -> Option<NextHeader> {
        packet.trim_front(self.front).ok()?;
        packet.trim_back(self.icv_len).ok()?;
        let (padding_len, next_header) = read_trailer(packet.payload())?;
        packet.trim_back(padding_len + TRAILER_LEN).ok()?;
        let real = real_len(next_header, packet.payload());
        packet.truncate(real);
        Some(next_header)
    }
}

/// Fills `trailer` with padding, the Pad Length and the Next Header (RFC 4303 §2.4).
fn write_trailer(trailer: &mut [u8], next_header: NextHeader) {
    if let Some((padding, [pad_length, next])) = trailer.split_last_chunk_mut::<TRAILER_LEN>() {
        *pad_length = 0;
        *next = next_header.0;
        for (octet, value) in padding.iter_mut().zip(&PADDING) {
            *octet = *value;
            *pad_length = *value;
        }
    }
}

/// The length of the padding and the Next Header. The padding must be what a sender puts there (RFC
/// 4303 §2.4).
fn read_trailer(plaintext: &[u8]) -> Option<(usize, NextHeader)> {
    let (rest, [padding_len, next_header]) = plaintext.split_last_chunk()?;
    let padding_len = usize::from(*padding_len);
    let padding = rest.get(rest.len().checked_sub(padding_len)?..)?;
    (padding == PADDING.get(..padding_len)?).then_some((padding_len, NextHeader(*next_header)))
}

/// How much of a payload is not traffic flow confidentiality padding (RFC 4303 §2.7), where its own
/// length field says so. A length field that makes no sense is left to the next layer.
fn real_len(next_header: NextHeader, payload: &[u8]) -> usize {
    let (said, least) = match (next_header, payload) {
        (NextHeader::NONE, _) => return 0,
        (NextHeader::UDP, [_, _, _, _, l0, l1, ..]) => (u16::from_be_bytes([*l0, *l1]).into(), 8),
        (NextHeader::IPV4, [_, _, l0, l1, ..]) => (u16::from_be_bytes([*l0, *l1]).into(), 20),
        (NextHeader::IPV6, [_, _, _, _, l0, l1, ..]) => {
            (usize::from(u16::from_be_bytes([*l0, *l1])) + 40, 40)
        }
        _ => return payload.len(),
    };
    if (least..=payload.len()).contains(&said) { said } else { payload.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts() -> impl Iterator<Item = (EspSuite, Layout)> {
        EspSuite::all().map(|suite| (suite, Layout::new(suite)))
    }

    #[test]
    fn lengths_agree_with_each_other() {
        for (suite, layout) in layouts() {
            for payload_len in 0..200 {
                let len = layout.packet_len(payload_len);
                let body = layout.ciphertext_in(len).unwrap();
                assert!(body >= payload_len + 2 && body < payload_len + 2 + suite.alignment());
                assert!(layout.payload_len(len).unwrap() >= payload_len);
                assert!(layout.payload_len(len - 1).is_none_or(|fits| fits < payload_len));
                let room = layout.room();
                assert!(len - payload_len <= room.front + room.back);
            }
            assert_eq!(layout.payload_len(layout.front), None);
            assert_eq!(layout.ciphertext_in(layout.front + suite.icv_len()), None);
        }
    }

    #[test]
    fn what_is_wrapped_is_unwrapped() {
        for (_, layout) in layouts() {
            for payload_len in 0..80 {
                let mut storage = [0xee; 256];
                let mut packet = PacketMut::new(&mut storage, 64..64 + payload_len).unwrap();
                let body = layout.wrap(&mut packet, NextHeader::TCP).unwrap();
                assert_eq!(packet.len(), layout.packet_len(payload_len));
                assert_eq!(layout.ciphertext_in(packet.len()), Some(body));
                assert_eq!(layout.unwrap(&mut packet), Some(NextHeader::TCP));
                assert_eq!(packet.payload(), &[0xee; 80][..payload_len]);
                assert_eq!(packet.headroom(), 64);
            }
        }
    }

    /// RFC 3602 §4 case 5: 64 octets of ICMP and their trailer.
    #[test]
    fn the_trailer_of_rfc_3602() {
        let layout = Layout::new("aes128-sha1".parse().unwrap());
        let mut storage = [0; 256];
        let mut packet = PacketMut::new(&mut storage, 64..128).unwrap();
        layout.wrap(&mut packet, NextHeader(1)).unwrap();
        let trailer = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 14, 1];
        assert_eq!(packet.payload()[24 + 64..24 + 80], trailer);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let layout = Layout::new("aes256-sha1".parse().unwrap());
        let mut storage = [0; 200];
        let room = layout.room();
        for (front, back) in [(room.front - 1, 100), (room.front, 15)] {
            let end = 200 - back;
            let mut packet = PacketMut::new(&mut storage, front..end).unwrap();
            assert!(matches!(layout.wrap(&mut packet, NextHeader::UDP), Err(SealError::NoRoom(_))));
        }
        let mut storage = alloc::vec![0; 70_000];
        let longest = layout.payload_len(MAX_LEN).unwrap();
        let mut packet = PacketMut::new(&mut storage, 100..100 + longest).unwrap();
        assert!(layout.wrap(&mut packet, NextHeader::UDP).is_ok());
        let mut packet = PacketMut::new(&mut storage, 100..101 + longest).unwrap();
        let too_long = layout.wrap(&mut packet, NextHeader::UDP);
        assert!(matches!(too_long, Err(SealError::TooLong { max: MAX_LEN, .. })));
    }

    #[test]
    fn padding_is_checked() {
        assert_eq!(read_trailer(&[9, 1, 2, 2, 17]), Some((2, NextHeader::UDP)));
        assert_eq!(read_trailer(&[0, 17]), Some((0, NextHeader::UDP)));
        for wrong in [&[][..], &[17], &[1, 17], &[1, 2, 3, 17], &[9, 2, 2, 2, 17], &[0, 1, 2, 17]] {
            assert_eq!(read_trailer(wrong), None, "{wrong:?}");
        }
        let mut longest: alloc::vec::Vec<u8> = (1..=255).collect();
        longest.extend([255, 6]);
        assert_eq!(read_trailer(&longest), Some((255, NextHeader::TCP)));
        longest[100] ^= 1;
        assert_eq!(read_trailer(&longest), None);
    }

    #[test]
    fn flow_confidentiality_padding_is_cut_off() {
        let udp = |len: u16| {
            let mut payload = [7; 40];
            payload[4..6].copy_from_slice(&len.to_be_bytes());
            real_len(NextHeader::UDP, &payload)
        };
        assert_eq!([udp(8), udp(39), udp(40)], [8, 39, 40]);
        assert_eq!([udp(7), udp(41), udp(0)], [40, 40, 40]);
        assert_eq!(real_len(NextHeader::UDP, &[0, 0, 0, 0, 0]), 5);
        let mut payload = [0; 60];
        payload[2..4].copy_from_slice(&30_u16.to_be_bytes());
        payload[4..6].copy_from_slice(&10_u16.to_be_bytes());
        assert_eq!(real_len(NextHeader::IPV4, &payload), 30);
        assert_eq!(real_len(NextHeader::IPV6, &payload), 50);
        assert_eq!(real_len(NextHeader::TCP, &payload), 60);
        assert_eq!(real_len(NextHeader::NONE, &payload), 0);
    }
}
