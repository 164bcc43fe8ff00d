use alloc::vec::Vec;

use super::*;
use crate::Local;
use crate::SaConfig;
use crate::Spi;
use crate::checksum;
use crate::testing::inbound;
use crate::testing::outbound;

fn sas() -> (OutboundSa<Local>, InboundSa<Local>) {
    let config = SaConfig::new(Spi(0x1_0001));
    (outbound("aes256-sha256", config), inbound("aes256-sha256", config))
}

/// An IPv4 packet with `options` and a payload of protocol `protocol`.
fn ipv4(options: &[u8], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let header_len = 20 + options.len();
    let total = u16::try_from(header_len + payload.len()).unwrap().to_be_bytes();
    let mut packet = alloc::vec![
        0x40 | u8::try_from(header_len / 4).unwrap(),
        0,
        total[0],
        total[1],
        0x12,
        0x34,
        0x40,
        0,
        64,
        protocol,
        0,
        0,
        10,
        0,
        0,
        1,
        10,
        0,
        0,
        2
    ];
    packet.extend(options);
    let mut sum = Sum::default();
    sum.octets(&packet);
    packet[10..12].copy_from_slice(&(!sum.folded()).to_be_bytes());
    packet.extend(payload);
    packet
}

/// An IPv6 packet; `chain` is its extension headers and payload, `first` names the first of them.
fn ipv6(first: u8, chain: &[u8]) -> Vec<u8> {
    let len = u16::try_from(chain.len()).unwrap().to_be_bytes();
    let mut packet = alloc::vec![0x60, 0, 0, 0, len[0], len[1], first, 64];
    packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    packet.extend(chain);
    packet
}

/// Seals and opens `plain`, and returns what was on the wire.
fn there_and_back(plain: &[u8], udp: Option<UdpPorts>) -> Vec<u8> {
    let (out, inbound) = sas();
    let mut storage = alloc::vec![0xcc; 100];
    storage.extend(plain);
    storage.resize(storage.len() + 100, 0xcc);
    let mut packet = PacketMut::new(&mut storage, 100..100 + plain.len()).unwrap();
    seal_ip(&out, &mut packet, udp).unwrap();
    let sealed = packet.payload().to_vec();
    open_ip(&inbound, &mut packet).unwrap();
    assert_eq!(packet.payload(), plain);
    sealed
}

#[test]
fn ipv4_with_and_without_options() {
    for options in [&[][..], &[1; 4], &[1; 40]] {
        for udp in [None, Some(UdpPorts { source: 4500, destination: 61_000 })] {
            let plain = ipv4(options, 6, &[0x11; 33]);
            let sealed = there_and_back(&plain, udp);
            let header_len = 20 + options.len();
            assert_eq!(sealed[9], if udp.is_some() { 17 } else { 50 });
            assert_eq!(sealed[20..header_len], *options);
            assert_eq!(usize::from(u16::from_be_bytes([sealed[2], sealed[3]])), sealed.len());
            let mut sum = Sum::default();
            sum.octets(&sealed[..header_len]);
            assert_eq!(sum.folded(), 0xffff);
            let esp = &sealed[header_len..];
            if udp.is_some() {
                let len = u16::try_from(esp.len()).unwrap().to_be_bytes();
                assert_eq!(esp[..8], [0x11, 0x94, 0xee, 0x48, len[0], len[1], 0, 0]);
            } else {
                assert_eq!(esp[..4], [0, 1, 0, 1]);
            }
        }
    }
}

#[test]
fn ipv6_headers_for_routers_stay_outside() {
    let payload = [0x22; 21];
    // first header, chain before the payload, octets of it that stay outside
    let cases: [(u8, &[u8], usize); 5] = [
        (6, &[], 0),
        // hop-by-hop, then TCP
        (0, &[6, 0, 1, 4, 0, 0, 0, 0], 8),
        // destination options for the last receiver are covered
        (60, &[6, 0, 1, 4, 0, 0, 0, 0], 0),
        // hop-by-hop, destination options before routing, routing (16 octets), last destination options
        (
            0,
            &[
                60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 1, 4, 0, 0, 0, 0, 60, 1, 0, 0, 9, 9, 9, 9, 9, 9, 9,
                9, 9, 9, 9, 9, 6, 0, 1, 4, 0, 0, 0, 0,
            ],
            32,
        ),
        // a fragment header around a whole packet
        (44, &[6, 0, 0, 0, 1, 2, 3, 4], 8),
    ];
    for (first, chain, outside) in cases {
        let plain = ipv6(first, &[chain, &payload].concat());
        for udp in [None, Some(UdpPorts { source: 4500, destination: 4500 })] {
            let sealed = there_and_back(&plain, udp);
            assert_eq!(usize::from(u16::from_be_bytes([sealed[4], sealed[5]])), sealed.len() - 40);
            let carried = if udp.is_some() { 17 } else { 50 };
            let names_esp = if outside == 0 {
                sealed[6]
            } else {
                let last = if outside == 32 { 40 + 16 } else { 40 };
                sealed[last]
            };
            assert_eq!(names_esp, carried, "{first} {outside}");
            let behind = &sealed[40 + outside..];
            let esp = if udp.is_some() {
                let seen = addresses(&sealed).unwrap();
                assert_ne!(behind[6..8], [0, 0], "a UDP checksum over IPv6 is not zero");
                assert!(checksum::is_right(seen, NextHeader::UDP, behind));
                &behind[8..]
            } else {
                behind
            };
            assert_eq!(esp[..8], [0, 1, 0, 1, 0, 0, 0, 1]);
        }
    }
}

/// A peer may put destination options in front of ESP.
#[test]
fn destination_options_before_esp_are_passed_over() {
    let (out, inbound) = sas();
    let mut storage = [0; 400];
    let mut packet = PacketMut::new(&mut storage, 100..150).unwrap();
    out.seal(&mut packet, NextHeader::TCP).unwrap();
    let chain = [&[50, 0, 1, 4, 0, 0, 0, 0], packet.payload()].concat();
    let mut ip = ipv6(60, &chain);
    let mut packet = PacketMut::whole(&mut ip);
    assert_eq!(open_ip(&inbound, &mut packet).unwrap().next_header, NextHeader::TCP);
    assert_eq!(packet.payload()[40..], [&[6, 0, 1, 4, 0, 0, 0, 0][..], &[0; 50]].concat());
}

#[test]
fn fragments_are_refused() {
    let (out, inbound) = sas();
    for flags in [[0x20, 0], [0, 1], [0x3f, 0xff]] {
        let mut packet = ipv4(&[], 50, &[9; 60]);
        packet[6..8].copy_from_slice(&flags);
        let mut copy = packet.clone();
        let refused = open_ip(&inbound, &mut PacketMut::whole(&mut copy));
        assert_eq!(refused, Err(TransportError::Fragment));
        let refused = seal_ip(&out, &mut PacketMut::whole(&mut packet), None);
        assert_eq!(refused, Err(TransportError::Fragment));
    }
    for fragment in [[50, 0, 0, 1, 0, 0, 0, 0], [50, 0, 0xff, 0xf8, 0, 0, 0, 0]] {
        let mut packet = ipv6(44, &[&fragment[..], &[9; 60]].concat());
        let refused = open_ip(&inbound, &mut PacketMut::whole(&mut packet));
        assert_eq!(refused, Err(TransportError::Fragment));
    }
}

/// Every truncation of sealed packets of both versions, and octets behind the packet, which a link
/// layer may add.
#[test]
fn what_is_cut_short_is_refused() {
    let ports = Some(UdpPorts { source: 4500, destination: 4500 });
    let chain = [&[6, 0, 1, 4, 0, 0, 0, 0][..], &[7; 30]].concat();
    for plain in [ipv4(&[1; 8], 6, &[7; 30]), ipv6(0, &chain)] {
        for udp in [None, ports] {
            let sealed = there_and_back(&plain, udp);
            for len in 0..sealed.len() {
                let (_, inbound) = sas();
                let mut cut = sealed[..len].to_vec();
                let refused = open_ip(&inbound, &mut PacketMut::whole(&mut cut));
                assert_eq!(refused, Err(TransportError::Malformed), "{len}");
            }
            let (_, inbound) = sas();
            let mut trailing = [&sealed[..], &[0; 6]].concat();
            let mut packet = PacketMut::whole(&mut trailing);
            open_ip(&inbound, &mut packet).unwrap();
            assert_eq!(packet.payload(), plain);
        }
    }
}

#[test]
fn what_is_not_esp_is_refused() {
    let (_, inbound) = sas();
    for payload in [&[0; 40][..], &[0, 1, 2], &[0x11, 0x94, 0x11, 0x94, 0, 9, 0, 0, 0xff]] {
        let mut packet = ipv4(&[], 17, payload);
        assert!(open_ip(&inbound, &mut PacketMut::whole(&mut packet)).is_err());
    }
    let mut packet = ipv4(&[], 6, &[1; 40]);
    let refused = open_ip(&inbound, &mut PacketMut::whole(&mut packet));
    assert_eq!(refused, Err(TransportError::NotEsp));
    let mut packet = ipv4(&[], 50, &[1; 40]);
    let refused = open_ip(&inbound, &mut PacketMut::whole(&mut packet));
    assert_eq!(refused, Err(TransportError::NotOpened));
    for first in [0x00, 0x10, 0x50, 0x70, 0xf0] {
        let refused = open_ip(&inbound, &mut PacketMut::whole(&mut [first; 60]));
        assert_eq!(refused, Err(TransportError::Malformed));
    }
}

#[test]
fn a_buffer_without_room_is_refused() {
    let (out, _) = sas();
    let mut packet = ipv4(&[], 6, &[1; 40]);
    let refused = seal_ip(&out, &mut PacketMut::whole(&mut packet), None);
    assert!(matches!(refused, Err(TransportError::Seal(SealError::NoRoom(_)))));
}
