//! Clamping of the TCP maximum segment size.
//!
//! A tunnel makes packets smaller than both ends of a TCP connection believe. Most hosts never
//! learn it, because the ICMP message that would tell them is filtered somewhere. Lowering the
//! option in the SYN cures that for TCP (features D-07; RFC 4459 §3.2 calls the practice
//! "MSS adjustment").

use vpn_core::Reader;

const TCP: u8 = 6;
const SYN: u8 = 0x02;
/// Kind of the maximum segment size option (RFC 9293 §3.2).
const KIND_MSS: u8 = 2;

/// Lowers the MSS option of a TCP SYN inside `packet` (IPv4 or IPv6) to what fits `mtu`.
///
/// Anything else is left as it is. The checksum is corrected for the change (RFC 1624).
pub(crate) fn clamp(packet: &mut [u8], mtu: u16) {
    let Some((tcp_at, header)) = tcp_header(packet) else { return };
    let largest = mtu.saturating_sub(header + 20);
    let Some(tcp) = packet.get_mut(tcp_at..) else { return };
    if tcp.get(13).is_none_or(|flags| flags & SYN == 0) {
        return;
    }
    let Some(at) = mss_option(tcp) else { return };
    let Some(field) = tcp.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<2>) else { return };
    let old = u16::from_be_bytes(*field);
    if old <= largest {
        return;
    }
    *field = largest.to_be_bytes();
    // The option may begin at an odd offset; then its octets sit swapped in the checksum's words.
    let (old, new) =
        if at % 2 == 0 { (old, largest) } else { (old.swap_bytes(), largest.swap_bytes()) };
    if let Some(sum) = tcp.get_mut(16..).and_then(<[u8]>::first_chunk_mut::<2>) {
        *sum = corrected(u16::from_be_bytes(*sum), old, new).to_be_bytes();
    }
}

/// Where the TCP header of an unfragmented (or first) packet begins, and the length of a minimal
/// IP header of its version.
fn tcp_header(packet: &[u8]) -> Option<(usize, u16)> {
    match packet.first()? >> 4 {
        4 => {
            let header_len = usize::from(packet.first()? & 0xf) * 4;
            let fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x1fff;
            let tcp = *packet.get(9)? == TCP && fragment == 0 && header_len >= 20;
            tcp.then_some((header_len, 20))
        }
        6 => (*packet.get(6)? == TCP).then_some((40, 40)),
        _ => None,
    }
}

/// The offset of the MSS option's value inside a TCP header.
fn mss_option(tcp: &[u8]) -> Option<usize> {
    let end = usize::from(tcp.get(12)? >> 4) * 4;
    let options = tcp.get(20..end)?;
    let mut reader = Reader::new(options);
    while let Ok(kind) = reader.u8() {
        match kind {
            0 => return None,
            1 => {}
            _ => {
                let len = usize::from(reader.u8().ok()?);
                let value_at = end - reader.len();
                if kind == KIND_MSS && len == 4 {
                    return Some(value_at);
                }
                reader.take(len.checked_sub(2)?).ok()?;
            }
        }
    }
    None
}

/// The checksum after one 16-bit word changed (RFC 1624 eqn. 3).
fn corrected(sum: u16, old: u16, new: u16) -> u16 {
    let wide = u32::from(!sum) + u32::from(!old) + u32::from(new);
    let folded = (wide & 0xffff) + (wide >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// An IPv4 or IPv6 packet with a TCP header of these flags and options, checksums valid.
    fn packet(v6: bool, flags: u8, options: &[u8]) -> Vec<u8> {
        let mut tcp =
            vec![0x12, 0x34, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0, flags, 0x20, 0, 0, 0, 0, 0];
        tcp.extend_from_slice(options);
        assert_eq!(tcp.len() % 4, 0);
        tcp[12] = u8::try_from(tcp.len() / 4).unwrap() << 4;
        let sum = tcp_sum(v6, &tcp);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        let mut packet = if v6 {
            let mut header = vec![0; 40];
            header[0] = 0x60;
            header[6] = TCP;
            header
        } else {
            let mut header = vec![0; 20];
            header[0] = 0x45;
            header[9] = TCP;
            header
        };
        packet.extend_from_slice(&tcp);
        packet
    }

    /// The TCP checksum with an all-zero pseudo header but for protocol and length.
    fn tcp_sum(_v6: bool, tcp: &[u8]) -> u16 {
        let mut sum = u32::from(TCP) + u32::try_from(tcp.len()).unwrap();
        for word in tcp.chunks(2) {
            sum += u32::from(u16::from_be_bytes([word[0], word[1]]));
        }
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap()
    }

    fn clamped(v6: bool, flags: u8, options: &[u8], mtu: u16) -> Vec<u8> {
        let mut packet = packet(v6, flags, options);
        clamp(&mut packet, mtu);
        packet
    }

    #[test]
    fn lowers_a_syn_and_keeps_the_checksum_right() {
        for (v6, header, expected) in [(false, 20, 1360u16), (true, 40, 1340)] {
            for (options, at) in [
                (&[2, 4, 5, 0xb4][..], 2),
                (&[1, 2, 4, 5, 0xb4, 1, 1, 1], 3),
                (&[4, 2, 2, 4, 5, 0xb4, 0, 0], 4),
            ] {
                let packet = clamped(v6, SYN, options, 1400);
                let tcp = &packet[header..];
                assert_eq!(tcp[20 + at..22 + at], expected.to_be_bytes());
                assert_eq!(tcp_sum(v6, tcp), 0, "a checksum over itself is zero");
            }
        }
    }

    #[test]
    fn leaves_the_rest_alone() {
        let same = |flags, options: &[u8], mtu| {
            assert_eq!(clamped(false, flags, options, mtu), packet(false, flags, options));
        };
        same(0x10, &[2, 4, 5, 0xb4], 1400);
        same(SYN, &[2, 4, 2, 0], 1400);
        same(SYN, &[], 1400);
        same(SYN, &[0, 2, 4, 0xff], 1400);
        same(SYN, &[3, 0, 2, 4], 1400);
        same(SYN, &[3, 1, 2, 4], 1400);
        same(SYN, &[3, 9, 2, 4], 1400);
        let mut later_fragment = packet(false, SYN, &[2, 4, 5, 0xb4]);
        later_fragment[7] = 1;
        let before = later_fragment.clone();
        clamp(&mut later_fragment, 1400);
        assert_eq!(later_fragment, before);
    }

    #[test]
    fn every_truncation_is_safe() {
        for v6 in [false, true] {
            let whole = packet(v6, SYN, &[1, 1, 2, 4, 0xff, 0xff, 1, 1]);
            for len in 0..whole.len() {
                let mut cut = whole[..len].to_vec();
                clamp(&mut cut, 1400);
                assert_eq!(cut.len(), len);
            }
        }
    }
}
