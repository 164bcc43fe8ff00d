//! IP packets for the inside of tunnels.

use core::net::Ipv4Addr;
use core::net::Ipv6Addr;

/// An IPv4 packet of `len` octets, headers included, that carries UDP and counts up from `tag`.
pub fn udp(source: Ipv4Addr, destination: Ipv4Addr, len: usize, tag: u8) -> Vec<u8> {
    let payload = len.checked_sub(20).expect("no room for an IP header");
    let mut packet = ipv4(17, source, destination, payload);
    let tags = (0..payload).map(|n| tag.wrapping_add(n.to_le_bytes()[0]));
    packet.extend(tags);
    packet
}

/// A TCP SYN that offers segments of `mss` octets.
pub fn syn(source: Ipv4Addr, destination: Ipv4Addr, mss: u16) -> Vec<u8> {
    let mut packet = ipv4(6, source, destination, 24);
    let [high, low] = mss.to_be_bytes();
    let mut tcp = vec![
        0x9c, 0x40, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0x60, 2, 0x20, 0, 0, 0, 0, 0, 2, 4, high, low,
    ];
    let sum = checksum(&[&pseudo_header(source, destination, 24), &tcp]);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    packet.extend(tcp);
    packet
}

/// The segment size in a packet that [`syn`] made; its TCP checksum must be right.
pub fn mss(packet: &[u8]) -> u16 {
    let address = |at| Ipv4Addr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).unwrap());
    let sum = checksum(&[&pseudo_header(address(12), address(16), 24), &packet[20..]]);
    assert_eq!(sum, 0, "the TCP checksum over itself");
    u16::from_be_bytes([packet[42], packet[43]])
}

/// An IPv6 packet with eight octets of UDP.
pub fn udp6(source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 8, 17, 64];
    packet.extend(source.octets());
    packet.extend(destination.octets());
    packet.extend([0, 7, 0, 7, 0, 8, 0, 0]);
    packet
}

/// The packet with source and destination exchanged, as an echo server sends it back.
pub fn echoed(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    let (source, destination) = packet[12..20].split_at_mut(4);
    source.swap_with_slice(destination);
    packet
}

fn ipv4(protocol: u8, source: Ipv4Addr, destination: Ipv4Addr, payload: usize) -> Vec<u8> {
    let [high, low] = u16::try_from(20 + payload).unwrap().to_be_bytes();
    let mut header = vec![0x45, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0];
    header.extend(source.octets());
    header.extend(destination.octets());
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

fn pseudo_header(source: Ipv4Addr, destination: Ipv4Addr, len: u8) -> Vec<u8> {
    [&source.octets()[..], &destination.octets(), &[0, 6, 0, len]].concat()
}

/// RFC 1071.
fn checksum(parts: &[&[u8]]) -> u16 {
    let octets = parts.concat();
    let words = octets
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap()
}
