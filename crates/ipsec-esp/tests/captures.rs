//! ESP that Linux kernels exchanged, with the keys they had (`tests/data/captures`), and foreign
//! captures where they lie beside the project.
#![allow(clippy::restriction, reason = "a test")]

mod support;

use std::collections::BTreeMap;

use ipsec_esp::EspHeader;
use ipsec_esp::InboundSa;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenFailure;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use ipsec_esp::checksum;
use ipsec_esp::checksum::Addresses;
use ipsec_esp::checksum::ChecksumRepair;
use ipsec_esp::transport;
use ipsec_esp::transport::TransportError;
use ipsec_esp::transport::UdpPorts;
use support::Seeded;
use support::crypto;
use support::data;
use support::hex;
use support::pcap;
use support::shared;
use support::xfrm;
use vpn_core::PacketMut;
use vpn_core::crypto::EspSuite;

/// Folder, suite, ESP packets.
const CAPTURES: [(&str, &str, usize); 14] = [
    ("default-strongswan", "aes128-sha256", 46),
    ("esp-3des-sha1", "3des-sha1", 46),
    ("esp-aes128-sha1", "aes128-sha1", 44),
    ("esp-aes256-sha1", "aes256-sha1", 44),
    ("esp-aes256-sha256", "aes256-sha256", 46),
    ("esp-aes256gcm", "aes256gcm16", 45),
    ("esp-aggressive", "aes256-sha1", 44),
    ("ikev2-aes256-sha256", "aes256-sha256", 45),
    ("ikev2-aes256gcm", "aes256gcm16", 45),
    ("ikev2-natt-aes256-sha256", "aes256-sha256", 43),
    ("natt-3des-sha1", "3des-sha1", 43),
    ("natt-aes256-sha1", "aes256-sha1", 44),
    ("natt-aes256-sha256", "aes256-sha256", 43),
    ("natt-aes256gcm", "aes256gcm16", 44),
];

type Keys = BTreeMap<Spi, (EspSuite, Vec<u8>)>;

fn inbound(keys: &Keys) -> BTreeMap<Spi, InboundSa<Local>> {
    let sa = |(spi, (suite, keymat)): (&Spi, &(EspSuite, Vec<u8>))| {
        let key = crypto(*suite).open_key(keymat).unwrap();
        (*spi, InboundSa::new(key, SaConfig::new(*spi)).unwrap())
    };
    keys.iter().map(sa).collect()
}

/// The ESP packet inside an IPv4 packet, and whether it is in UDP.
fn esp_in(ip: &[u8]) -> Option<(&[u8], bool)> {
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    match (ip[9], &ip[20..total]) {
        (50, esp) => Some((esp, false)),
        (17, [_, _, _, _, _, _, _, _, esp @ ..])
            if ip[22..24] == 4500_u16.to_be_bytes() || ip[20..22] == 4500_u16.to_be_bytes() =>
        {
            match ipsec_esp::udp_encap::classify(esp) {
                ipsec_esp::udp_encap::Encapsulated::Esp(esp) => Some((esp, true)),
                _ => None,
            }
        }
        _ => None,
    }
}

#[test]
fn kernels_packets_open_and_hold_l2tp() {
    for (name, suite, packets) in CAPTURES {
        let keys =
            xfrm(&String::from_utf8(data(&format!("captures/{name}/xfrm-server.txt"))).unwrap());
        assert!(keys.values().all(|(found, _)| found.to_string() == suite), "{name}");
        let sas = inbound(&keys);
        let mut opened = BTreeMap::new();
        for ip in pcap(&data(&format!("captures/{name}/wire.pcap"))) {
            let Some((esp, encapsulated)) = esp_in(&ip) else { continue };
            assert_eq!(encapsulated, name.contains("natt"), "{name}");
            let sa = &sas[&EspHeader::decode(esp).unwrap().spi];
            let mut storage = esp.to_vec();
            let mut packet = PacketMut::whole(&mut storage);
            let got = sa.open_explained(&mut packet).unwrap();
            assert_eq!(got.next_header, NextHeader::UDP);
            *opened.entry(sa.spi()).or_insert(0) += 1;
            assert_eq!((got.first, got.newest), (opened[&sa.spi()] == 1, true), "{name}");

            let udp = packet.payload_mut();
            let ports =
                [u16::from_be_bytes([udp[0], udp[1]]), u16::from_be_bytes([udp[2], udp[3]])];
            assert!(ports.contains(&1701), "{name}");
            assert_eq!(usize::from(u16::from_be_bytes([udp[4], udp[5]])), udp.len());
            assert_eq!(udp[9] & 0x0f, 2, "{name}: L2TPv2");
            assert_eq!(udp[6..8], [0, 0], "xl2tpd computes no checksums");

            let mut again = esp.to_vec();
            let replayed = sa.open_explained(&mut PacketMut::whole(&mut again));
            assert_eq!(replayed, Err(OpenFailure::Replay));
        }
        assert_eq!((opened.len(), opened.values().sum::<usize>()), (2, packets), "{name}");
    }
}

/// The same UDP datagrams before and after a real NAT. What it did to the checksum is what repairing
/// does: what the client computed becomes right for the server.
#[test]
fn a_checksum_is_repaired_as_a_nat_repairs_it() {
    let udp_of = |file: &str| -> Vec<(Addresses, Vec<u8>)> {
        pcap(&data(&format!("captures/natt-aes256-sha1/{file}")))
            .into_iter()
            .filter(|ip| ip[9] == 17)
            .map(|ip| {
                let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
                (transport::addresses(&ip).unwrap(), ip[20..total].to_vec())
            })
            .collect()
    };
    let (before, after) = (udp_of("wire-client.pcap"), udp_of("wire.pcap"));
    assert_eq!(before.len(), after.len());
    let mut repaired = 0;
    for ((real, sent), (outside, arrived)) in before.into_iter().zip(after) {
        assert!(checksum::is_right(real, NextHeader::UDP, &sent));
        assert!(checksum::is_right(outside, NextHeader::UDP, &arrived));
        if sent[6..8] != [0, 0] && sent[..6] == arrived[..6] {
            assert!(!checksum::is_right(outside, NextHeader::UDP, &sent));
            let mut udp = sent.clone();
            ChecksumRepair::Incremental { real }.apply(outside, NextHeader::UDP, &mut udp);
            assert_eq!(udp, arrived);
            ChecksumRepair::Recompute.apply(outside, NextHeader::UDP, &mut udp);
            assert_eq!(udp, arrived);
            repaired += 1;
        }
    }
    assert!(repaired >= 8, "{repaired}");
}

/// Whole IP packets: opened, sealed again by us with the same keys, and opened once more.
#[test]
fn ip_packets_go_through_transport_mode_and_back() {
    for (name, ..) in CAPTURES {
        let keys =
            xfrm(&String::from_utf8(data(&format!("captures/{name}/xfrm-server.txt"))).unwrap());
        let sas = inbound(&keys);
        let again = inbound(&keys);
        let outbound: BTreeMap<Spi, OutboundSa<Local>> = keys
            .iter()
            .map(|(spi, (suite, keymat))| {
                let key = crypto(*suite).seal_key(keymat, &mut Seeded(1)).unwrap();
                (*spi, OutboundSa::new(key, SaConfig::new(*spi)).unwrap())
            })
            .collect();
        for ip in pcap(&data(&format!("captures/{name}/wire.pcap"))) {
            let Some((esp, encapsulated)) = esp_in(&ip) else { continue };
            let spi = EspHeader::decode(esp).unwrap().spi;
            let mut storage = vec![0; 100];
            storage.extend(&ip);
            storage.resize(storage.len() + 100, 0);
            let mut packet = PacketMut::new(&mut storage, 100..100 + ip.len()).unwrap();
            transport::open_ip(&sas[&spi], &mut packet).unwrap();
            let plain = packet.payload().to_vec();
            assert_eq!(plain[9], 17);
            assert_eq!(usize::from(u16::from_be_bytes([plain[2], plain[3]])), plain.len());
            assert!(header_checksum_is_right(&plain));

            let ports = UdpPorts {
                source: u16::from_be_bytes([ip[20], ip[21]]),
                destination: u16::from_be_bytes([ip[22], ip[23]]),
            };
            let udp = encapsulated.then_some(ports);
            transport::seal_ip(&outbound[&spi], &mut packet, udp).unwrap();
            let sealed = packet.payload();
            assert!(header_checksum_is_right(sealed));
            assert_eq!(sealed.len(), ip.len(), "as long as the kernel's");
            let until = if encapsulated { 28 } else { 20 };
            let differ = (0..until).filter(|at| sealed[*at] != ip[*at]).collect::<Vec<_>>();
            assert!(differ.is_empty(), "{name}: headers differ at {differ:?}");
            assert_eq!(&sealed[until..until + 4], &esp[..4]);
            transport::open_ip(&again[&spi], &mut packet).unwrap();
            assert_eq!(packet.payload(), plain);
        }
    }
}

fn header_checksum_is_right(ip: &[u8]) -> bool {
    let sum: u32 = ip[..20].chunks(2).map(|w| u32::from(u16::from_be_bytes([w[0], w[1]]))).sum();
    (sum >> 16) + (sum & 0xffff) == 0xffff
}

/// AES-128-CBC with HMAC-SHA1-96 in tunnel mode, made by another implementation.
#[test]
fn a_foreign_tunnel_mode_capture_opens() {
    let Some(path) = shared("vectors/pcap/wireshark/esp-bug-12671.pcapng") else { return };
    let file = std::fs::read(path).unwrap();
    let suite: EspSuite = "aes128-sha1".parse().unwrap();
    let keys: Keys = [
        (
            0x0708_83c2,
            "5de1a4c2c72662c9fda7a7c78cd25623",
            "51c9213c18232f8f26c70c4dee6e0e6d56e31e8a",
        ),
        (
            0xc254_fe64,
            "88e1dad7140af03b8d4f3d734d21be4b",
            "3e00d517c1220d4b7d2950fcc02edd4b6023d278",
        ),
    ]
    .into_iter()
    .map(|(spi, cipher, mac)| (Spi(spi), (suite, [hex(cipher), hex(mac)].concat())))
    .collect();
    let sas = inbound(&keys);
    let mut opened = 0;
    for ip in pcapng(&file) {
        let Some((esp, _)) = esp_in(&ip) else { continue };
        let mut storage = esp.to_vec();
        let mut packet = PacketMut::whole(&mut storage);
        let sa = &sas[&EspHeader::decode(esp).unwrap().spi];
        assert_eq!(sa.open_explained(&mut packet).map(|o| o.next_header), Ok(NextHeader::IPV4));
        let inner = packet.payload();
        assert_eq!(
            (inner[9], usize::from(u16::from_be_bytes([inner[2], inner[3]]))),
            (1, inner.len())
        );
        assert!(inner.windows(8).any(|w| w == [8, 9, 10, 11, 12, 13, 14, 15]), "the echo data");
        opened += 1;
    }
    assert!(opened >= 4, "{opened}");
}

/// The IP packets of the enhanced packet blocks of a little-endian pcapng file.
fn pcapng(file: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut packets) = (0, Vec::new());
    while at + 12 <= file.len() {
        if word(at) == 6 {
            let frame = &file[at + 28..at + 28 + word(at + 20)];
            let ip = if frame[0] >> 4 == 4 { frame } else { &frame[14..] };
            packets.push(ip.to_vec());
        }
        at += word(at + 4);
    }
    packets
}

/// Seeds cut from captures and vectors: whatever they are, no SA takes one that is not its own, and
/// nothing panics.
#[test]
fn seeds_of_other_origin_are_refused() {
    let Some(folder) = shared("vectors/corpus/esp") else { return };
    let (out, sa) =
        support::pair::<Local>("aes256-sha1".parse().unwrap(), 5, SaConfig::new(support::SPI));
    drop(out);
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let seed = std::fs::read(entry.unwrap().path()).unwrap();
        for own_spi in [false, true] {
            let mut storage = seed.clone();
            if own_spi && storage.len() >= 4 {
                storage[..4].copy_from_slice(&support::SPI.0.to_be_bytes());
            }
            let mut packet = PacketMut::whole(&mut storage);
            assert!(sa.open(&mut packet).is_err());
            let mut packet = PacketMut::whole(&mut storage);
            assert!(transport::open_ip(&sa, &mut packet).is_err());
        }
        seeds += 1;
    }
    assert!(seeds > 100, "{seeds}");
    assert_eq!(sa.usage().octets, 0);
}

/// ESP over IPv6 of many SPIs without keys: each is taken for ESP, and refused by ICV or SPI only.
#[test]
fn esp_over_ipv6_is_found() {
    let Some(path) = shared("vectors/pcap/zeek/ip6_esp.pcap") else { return };
    let (_, sa) =
        support::pair::<Local>("aes256-sha1".parse().unwrap(), 5, SaConfig::new(support::SPI));
    let mut found = 0;
    for ip in pcap(&std::fs::read(path).unwrap()) {
        let mut storage = ip.clone();
        let refused = transport::open_ip(&sa, &mut PacketMut::whole(&mut storage));
        if refused == Err(TransportError::NotOpened) {
            found += 1;
        }
    }
    assert!(found > 50, "{found}");
}
