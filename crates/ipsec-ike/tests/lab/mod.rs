//! Exchanges of two strongSwan peers, as captured and with the keys that the peers logged
//! (`tests/data/captures`).
#![allow(
    dead_code,
    clippy::print_stderr,
    reason = "each test file uses a part, and says what it skips"
)]

pub(crate) mod phase_1;

use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipsec_ike::Chain;
use ipsec_ike::Header;
use ipsec_ike::PayloadType;

/// The pre-shared key of every capture.
pub(crate) const PSK: &[u8] = b"lab-psk";

/// The captures in main mode.
pub(crate) const MAIN_MODE: [&str; 10] = [
    "default-strongswan",
    "esp-3des-sha1",
    "esp-aes128-sha1",
    "esp-aes256-sha1",
    "esp-aes256-sha256",
    "esp-aes256gcm",
    "natt-3des-sha1",
    "natt-aes256-sha1",
    "natt-aes256-sha256",
    "natt-aes256gcm",
];

/// The capture in aggressive mode.
pub(crate) const AGGRESSIVE: &str = "esp-aggressive";

/// An IKE message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    /// From the ISAKMP header on, without a non-ESP marker.
    pub(crate) message: Vec<u8>,
}

impl Datagram {
    pub(crate) fn header(&self) -> Header {
        Header::decode(&self.message).unwrap()
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.message[Header::LEN..]
    }
}

/// The body of the first payload of a kind.
pub(crate) fn payload(first: PayloadType, octets: &[u8], kind: PayloadType) -> Vec<u8> {
    payloads(first, octets, kind).into_iter().next().unwrap_or_else(|| panic!("no {kind:?}"))
}

/// The bodies of all payloads of a kind.
pub(crate) fn payloads(first: PayloadType, octets: &[u8], kind: PayloadType) -> Vec<Vec<u8>> {
    let all = Chain::new(first, octets).map(Result::unwrap);
    all.filter(|payload| payload.kind == kind).map(|payload| payload.body.to_vec()).collect()
}

/// A file of this crate's test data.
pub(crate) fn data(path: &str) -> Vec<u8> {
    std::fs::read([env!("CARGO_MANIFEST_DIR"), "/tests/data/", path].concat()).unwrap()
}

/// A path in the test data that lies beside the project and is not part of it; `None`, with a
/// printed line, where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from([env!("CARGO_MANIFEST_DIR"), "/../../../shared/", path].concat());
    if !full.exists() {
        eprintln!("SKIPPED: {path} is absent");
        return None;
    }
    Some(full)
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let text = text.trim_start_matches("0x");
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// The values that a peer logged: name and octets, in the order of use.
pub(crate) fn keys(capture: &str, side: &str) -> Vec<(String, Vec<u8>)> {
    let text = String::from_utf8(data(&format!("captures/{capture}/ike-{side}.keys"))).unwrap();
    text.lines()
        .map(|line| {
            let (left, value) = line.split_once(" = ").unwrap();
            let (name_and_count, unit) = left.rsplit_once(' ').unwrap();
            let (name, count) = name_and_count.rsplit_once(' ').unwrap();
            let value = hex(value);
            assert_eq!((value.len().to_string().as_str(), unit), (count, "bytes"), "{line}");
            (name.to_owned(), value)
        })
        .collect()
}

/// The IKE messages of a capture file.
pub(crate) fn messages(capture: &str, file: &str) -> Vec<Datagram> {
    ike_of(&pcap(&data(&format!("captures/{capture}/{file}"))))
}

/// The IKE messages among IPv4 packets.
pub(crate) fn ike_of(packets: &[Vec<u8>]) -> Vec<Datagram> {
    let mut found = Vec::new();
    for ip in packets.iter().filter(|ip| ip[0] == 0x45 && ip[9] == 17) {
        let address = |at: usize, port: usize| {
            let ip4: [u8; 4] = ip[at..at + 4].try_into().unwrap();
            SocketAddr::from((Ipv4Addr::from(ip4), u16::from_be_bytes([ip[port], ip[port + 1]])))
        };
        let (source, destination) = (address(12, 20), address(16, 22));
        let udp = &ip[28..20 + usize::from(u16::from_be_bytes([ip[24], ip[25]]))];
        let message = match (source.port(), destination.port(), udp) {
            (500, _, message) | (_, 500, message) => message,
            (4500, _, [0, 0, 0, 0, message @ ..]) | (_, 4500, [0, 0, 0, 0, message @ ..]) => {
                message
            }
            _ => continue,
        };
        found.push(Datagram { source, destination, message: message.to_vec() });
    }
    found
}

/// The IP packets of a classic pcap file with Ethernet frames.
pub(crate) fn pcap(file: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(20)), (0xa1b2_c3d4, 1), "little-endian, Ethernet");
    let (mut at, mut packets) = (24, Vec::new());
    while at < file.len() {
        let len = word(at + 8) as usize;
        let frame = &file[at + 16..at + 16 + len];
        if frame[12..14] == [0x08, 0x00] {
            packets.push(frame[14..].to_vec());
        }
        at += 16 + len;
    }
    packets
}

/// The IP packets of the enhanced packet blocks of a little-endian pcapng file with Ethernet frames.
pub(crate) fn pcapng(file: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut packets) = (0, Vec::new());
    while at + 12 <= file.len() {
        if word(at) == 6 {
            packets.push(file[at + 28 + 14..at + 28 + word(at + 20)].to_vec());
        }
        at += word(at + 4);
    }
    packets
}
