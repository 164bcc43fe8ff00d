//! ESP packets made here, opened with their keys.

use std::fmt::Write as _;

use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use serde_json::Value;
use serde_json::json;
use vpn_core::PacketMut;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use crate::build::avp_u16;
use crate::build::control_message;
use crate::build::ipv4;
use crate::build::ipv6;
use crate::build::pcap;
use crate::build::udp;
use crate::error;
use crate::last;
use crate::protos;
use crate::rows_with;

const RAW_IP: u32 = 101;
const SPI: u32 = 0x0102_0304;

static LAB: CryptoProvider =
    CryptoProvider { esp: vpn_crypto::esp::ALL_SUITES, ..*vpn_crypto::provider() };

struct Fixed;

impl SecureRandom for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0x5a);
        Ok(())
    }
}

fn keymat(suite: EspSuite) -> Vec<u8> {
    (1_u8..).take(suite.keymat_len()).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").unwrap();
        text
    })
}

pub(crate) fn octets(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// What the command line says of the SA that `sealed` uses.
fn esp_sa(suite: EspSuite) -> String {
    let keymat = keymat(suite);
    let (encryption, integrity) = keymat.split_at(suite.encryption_key_len());
    let integrity =
        if integrity.is_empty() { String::new() } else { format!(":{}", hex(integrity)) };
    format!("{SPI:#x}:{suite}:{}{integrity}", hex(encryption))
}

/// ESP packets of one SA, in order.
fn sealed(suite: EspSuite, payloads: &[(u8, &[u8])]) -> Vec<Vec<u8>> {
    let key = LAB.esp_suite(suite).unwrap().seal_key(&keymat(suite), &mut Fixed).unwrap();
    let sa = OutboundSa::<Local>::new(key, SaConfig::new(Spi(SPI))).unwrap();
    let seal = |(next_header, payload): &(u8, &[u8])| {
        let mut storage = [&[0; 64], *payload, &[0; 64]].concat();
        let mut packet = PacketMut::new(&mut storage, 64..64 + payload.len()).unwrap();
        sa.seal(&mut packet, NextHeader(*next_header)).unwrap();
        packet.payload().to_vec()
    };
    payloads.iter().map(seal).collect()
}

/// A HELLO, from the UDP header on.
fn hello() -> Vec<u8> {
    udp(1701, 1701, &control_message(&avp_u16(0, 6)))
}

pub(crate) fn statuses(rows: &[Value]) -> Vec<&str> {
    let layers = rows.iter().flat_map(|row| row["layers"].as_array().unwrap());
    layers.filter(|l| l["proto"] == "esp").map(|l| l["status"].as_str().unwrap()).collect()
}

#[test]
fn every_suite_opens_in_every_wrapping() {
    let hello = hello();
    let mut opened = 0;
    for suite in EspSuite::all() {
        if matches!(suite, EspSuite::Separate(_, EspIntegrity::HmacMd5_96)) {
            continue;
        }
        let packets = sealed(suite, &[(17, hello.as_slice()); 4]);
        let frames = [
            ipv4(50, 0, 0, &packets[0]),
            ipv4(17, 0, 0, &udp(4500, 61000, &packets[1])),
            ipv6(50, &packets[2]),
            ipv6(17, &udp(61000, 4500, &packets[3])),
        ];
        let frames = frames.each_ref().map(Vec::as_slice);
        let rows = rows_with(&pcap(RAW_IP, &frames), &[&esp_sa(suite)], 64);
        for (n, row) in rows.iter().enumerate() {
            let outside: &[&str] = if n % 2 == 0 { &[] } else { &["udp"] };
            assert_eq!(protos(row), [outside, &["esp", "udp", "l2tp"]].concat(), "{suite}");
            let esp = json!({"proto": "esp", "spi": SPI, "seq": n + 1, "suite": suite.to_string(),
                             "status": "ok"});
            assert_eq!(row["layers"][outside.len()], esp);
            assert_eq!((&last(row)["message"], error(row)), (&json!("HELLO"), ""), "{suite}");
            opened += 1;
        }
    }
    assert_eq!(opened, (34 - 5) * 4);
}

/// A suite that is never sent, so the packet is made by hand (RFC 2104, RFC 2403).
#[test]
fn null_and_md5_open() {
    let suite: EspSuite = "null-md5".parse().unwrap();
    let hello = hello();
    let mut packet = [&SPI.to_be_bytes()[..], &7_u32.to_be_bytes(), &hello].concat();
    packet.extend([1, 2, 2, 17]);
    let pad = |with: u8| {
        let mut block = [with; 64];
        keymat(suite).iter().zip(&mut block).for_each(|(key, octet)| *octet ^= key);
        block
    };
    let md5 = LAB.legacy.md5;
    let inner = md5.hash(&[&pad(0x36), &packet]);
    packet.extend(&md5.hash(&[&pad(0x5c), &inner])[..12]);
    let rows = rows_with(&pcap(RAW_IP, &[&ipv4(50, 0, 0, &packet)]), &[&esp_sa(suite)], 64);
    assert_eq!(protos(&rows[0]), ["esp", "udp", "l2tp"]);
}

#[test]
fn what_is_inside_is_shown_for_what_it_is() {
    let suite = "aes256gcm16".parse().unwrap();
    let inner_v4 = ipv4(17, 0, 0, &udp(1, 2, b"x"));
    let inner_v6 = ipv6(58, &[128, 0, 0, 0, 0, 1, 0, 2]);
    let options = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &hello()].concat();
    let packets = sealed(
        suite,
        &[
            (4, &inner_v4),
            (41, &inner_v6),
            (59, b"noise"),
            (1, &[8, 0, 0, 0, 0, 1, 0, 2]),
            (60, &options),
            (4, &inner_v6),
        ],
    );
    let wrap = |n: usize| if n == 4 { ipv6(50, &packets[n]) } else { ipv4(50, 0, 0, &packets[n]) };
    let frames: Vec<_> = (0..packets.len()).map(wrap).collect();
    let frames: Vec<_> = frames.iter().map(Vec::as_slice).collect();
    let rows = rows_with(&pcap(RAW_IP, &frames), &[&esp_sa(suite)], 64);
    let protos_of: Vec<_> = rows.iter().map(protos).collect();
    assert_eq!(
        protos_of,
        [
            &["esp", "ip", "udp"][..],
            &["esp", "ip", "icmp"],
            &["esp", "payload"],
            &["esp", "icmp"],
            &["esp", "udp", "l2tp"],
            &["esp"],
        ]
    );
    assert_eq!(
        last(&rows[2]),
        &json!({"proto":"payload","protocol":59,"name":"dummy packet","len":0})
    );
    assert_eq!(error(&rows[5]), "IPv4 header: version 6");
    assert_eq!(statuses(&rows), ["ok"; 6]);
}

/// ESP in ESP, with the same keys, ends somewhere.
#[test]
fn nesting_ends() {
    let suite = "null-sha256".parse().unwrap();
    let key = LAB.esp_suite(suite).unwrap().seal_key(&keymat(suite), &mut Fixed).unwrap();
    let sa = OutboundSa::<Local>::new(key, SaConfig::new(Spi(SPI))).unwrap();
    let mut storage = vec![0; 40_000];
    let mut packet = PacketMut::new(&mut storage, 20_000..20_000).unwrap();
    for _ in 0..500 {
        sa.seal(&mut packet, NextHeader::ESP).unwrap();
    }
    let rows =
        rows_with(&pcap(RAW_IP, &[&ipv4(50, 0, 0, packet.payload())]), &[&esp_sa(suite)], 4096);
    assert_eq!(protos(&rows[0]), ["esp"; 4]);
    assert_eq!(error(&rows[0]), "ESP packet: nested deeper than 4 times");
}

#[test]
fn what_is_not_accepted_says_why() {
    let suite = "aes128-sha1".parse().unwrap();
    let hello = hello();
    let packets = sealed(suite, &[(17, hello.as_slice()); 70]);
    let mut flipped = packets[1].clone();
    flipped[12] ^= 1;
    let other = [&[1, 2, 3, 5], &packets[1][4..]].concat();
    let cases = [
        (packets[0].clone(), "ok", ""),
        (packets[0].clone(), "replay", "received before"),
        (flipped, "bad_icv", "integrity check value is wrong"),
        (packets[1].clone(), "ok", ""),
        (packets[69].clone(), "ok", ""),
        (packets[2].clone(), "too_old", "before the replay window"),
        (other, "unknown_spi", ""),
        (packets[68][..packets[68].len() - 1].to_vec(), "malformed", "it can't have"),
        (packets[68][..8].to_vec(), "malformed", "it can't have 8 octets"),
        (packets[68][..7].to_vec(), "malformed", "it can't have 7 octets"),
        (packets[68].clone(), "ok", ""),
    ];
    for in_udp in [false, true] {
        let wrap = |(esp, ..): &(Vec<u8>, &str, &str)| {
            if in_udp { ipv4(17, 0, 0, &udp(4500, 4500, esp)) } else { ipv4(50, 0, 0, esp) }
        };
        let frames = cases.each_ref().map(wrap);
        let frames = frames.each_ref().map(Vec::as_slice);
        let rows = rows_with(&pcap(RAW_IP, &frames), &[&esp_sa(suite)], 64);
        for (row, (esp, status, fault)) in rows.iter().zip(&cases) {
            let layer = &row["layers"][usize::from(in_udp)];
            assert_eq!(layer["status"], *status, "{row}");
            let has_header = esp.len() >= 8;
            assert_eq!((layer["spi"].is_u64(), layer["seq"].is_u64()), (has_header, has_header));
            assert_eq!(layer["suite"].is_null(), *status == "unknown_spi" || !has_header);
            assert_eq!(last(row)["proto"] == "esp", *status != "ok", "{row}");
            assert!(error(row).contains(fault) && error(row).is_empty() == fault.is_empty());
        }
    }
}

/// Cut to any length or with any bit changed, a packet is not opened, and the next one is.
#[test]
fn no_cut_and_no_changed_bit_is_accepted() {
    let suite = "aes256-sha256".parse().unwrap();
    let [first, second] =
        <[_; 2]>::try_from(sealed(suite, &[(17, hello().as_slice()); 2])).unwrap();
    let cuts = (0..second.len()).map(|len| second[..len].to_vec());
    let changed = (0..second.len() * 8).map(|bit| {
        let mut packet = second.clone();
        packet[bit / 8] ^= 1 << (bit % 8);
        packet
    });
    let frames: Vec<_> = [first.clone()]
        .into_iter()
        .chain(cuts)
        .chain(changed)
        .chain([second.clone()])
        .map(|esp| ipv4(50, 0, 0, &esp))
        .collect();
    let frames: Vec<_> = frames.iter().map(Vec::as_slice).collect();
    let rows = rows_with(&pcap(RAW_IP, &frames), &[&esp_sa(suite)], 64);
    let statuses = statuses(&rows);
    let [before, between @ .., after] = statuses.as_slice() else { panic!() };
    assert_eq!((*before, *after, between.len()), ("ok", "ok", second.len() * 9));
    assert!(!between.contains(&"ok"));
}
