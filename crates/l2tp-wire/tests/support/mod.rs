//! Reads the test data: hexadecimal text, JSON and captures.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use vpn_core::crypto::Hash;

pub fn md5() -> &'static dyn Hash<16> {
    vpn_crypto::provider().legacy.md5
}

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub fn hex_field(case: &Value, name: &str) -> Vec<u8> {
    hex(case[name].as_str().unwrap())
}

pub fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A file of the vectors that lie beside the project and must not be copied into it. `None`, and a
/// line that says so, where they are absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors").join(name);
    if !path.exists() {
        println!("skipped: ../shared/vectors/{name} is not there");
        return None;
    }
    Some(path)
}

pub fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The UDP payloads to or from port 1701 of a capture of Ethernet frames in pcap form.
pub fn datagrams(name: &str) -> Vec<Vec<u8>> {
    let octets = fs::read(data(name)).unwrap();
    assert_eq!(octets[..4], 0xa1b2_c3d4_u32.to_le_bytes(), "{name} is no pcap in little endian");
    assert_eq!(octets[20], 1, "{name} does not hold Ethernet frames");
    let mut found = Vec::new();
    let mut rest = &octets[24..];
    while !rest.is_empty() {
        let len = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        found.extend(l2tp_payload(&rest[16..16 + len]));
        rest = &rest[16 + len..];
    }
    found
}

fn l2tp_payload(frame: &[u8]) -> Option<Vec<u8>> {
    let (ethernet, ip) = frame.split_at(14);
    if ethernet[12..] != [8, 0] {
        return None;
    }
    let udp = &ip[usize::from(ip[0] & 15) * 4..];
    let ports = [u16::from_be_bytes([udp[0], udp[1]]), u16::from_be_bytes([udp[2], udp[3]])];
    let len = usize::from(u16::from_be_bytes([udp[4], udp[5]]));
    (ip[9] == 17 && ports.contains(&1701)).then(|| udp[8..len].to_vec())
}

/// Every capture of plain L2TP, with the secret of its tunnel.
pub const CAPTURES: [(&str, &[u8]); 9] = [
    ("plain-pap.pcap", b"tsecret"),
    ("plain-chap.pcap", b"tsecret"),
    ("plain-mschapv2.pcap", b"tsecret"),
    ("plain-tunnel-auth.pcap", b"tsecret"),
    ("plain-hidden.pcap", b"tsecret"),
    ("plain-hidden-pap.pcap", b"tsecret"),
    ("l2tpns-pap.pcap", b"tsecret"),
    ("l2tpns-chap.pcap", b"tsecret"),
    ("l2tp-chap-full.pcap", b"tunnelsecret"),
];
