//! What passes by, for a file that analyzers read: pcapng with the packets outside of the tunnel, what
//! ESP had around the L2TP, and the IP packets inside.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path as FilePath;

use etherparse::IpNumber;
use etherparse::PacketBuilder;
use ipsec_esp::EspHeader;
use ipsec_esp::InboundSa;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use ipsec_esp::udp_encap;
use ipsec_esp::udp_encap::Encapsulated;
use l2tp_ipsec::EspKeys;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Socket;

use super::clock;

/// Which way a packet goes.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    In,
    Out,
}

/// Records packets, where a file was asked for.
pub(crate) struct Tap(Option<RefCell<Recorder>>);

struct Recorder {
    file: BufWriter<File>,
    /// The SAs of both directions: what we sent is opened again, as a peer would.
    sas: BTreeMap<Spi, InboundSa<Local>>,
}

/// The interfaces of the file, by number.
const INTERFACES: [&str; 3] = ["outer", "decrypted", "inner"];
const OUTER: u32 = 0;
const DECRYPTED: u32 = 1;
const INNER: u32 = 2;

impl Tap {
    /// Records nothing.
    pub(crate) const fn off() -> Self {
        Self(None)
    }

    /// Begins a file, and its sections.
    pub(crate) fn to_file(path: &FilePath) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&section_header())?;
        for name in INTERFACES {
            file.write_all(&interface(name))?;
        }
        file.flush()?;
        Ok(Self(Some(RefCell::new(Recorder { file, sas: BTreeMap::new() }))))
    }

    /// Takes the keys of a pair of SAs, to open their packets with.
    pub(crate) fn keys(&self, keys: &EspKeys) {
        let Some(recorder) = &self.0 else { return };
        let sas = &mut recorder.borrow_mut().sas;
        for (spi, keymat) in
            [(keys.inbound_spi, &keys.inbound_keys), (keys.outbound_spi, &keys.outbound_keys)]
        {
            let crypto = vpn_crypto::provider().esp_suite(keys.suite).ok();
            let key = crypto.and_then(|suite| suite.open_key(keymat.expose()).ok());
            let config = SaConfig::new(Spi(spi)).replay_window(1024);
            if let Some(sa) = key.and_then(|key| InboundSa::new(key, config).ok()) {
                sas.insert(Spi(spi), sa);
            }
        }
    }

    /// Records a datagram of a socket, and what ESP has in it.
    pub(crate) fn outer(&self, direction: Direction, path: &Path, contents: &[u8]) {
        let Some(recorder) = &self.0 else { return };
        let recorder = &mut *recorder.borrow_mut();
        recorder.write(OUTER, direction, &around(direction, path, None, contents));
        let esp = match path.socket {
            Socket::Esp => contents,
            Socket::NatT => match udp_encap::classify(contents) {
                Encapsulated::Esp(packet) => packet,
                _ => return,
            },
            Socket::Ike | Socket::L2tp => return,
        };
        let sa = EspHeader::decode(esp).ok().and_then(|header| recorder.sas.get(&header.spi));
        let mut storage = esp.to_vec();
        let mut packet = PacketMut::whole(&mut storage);
        if let Some(Ok(opened)) = sa.map(|sa| sa.open(&mut packet)) {
            let ip = around(direction, path, Some(opened.next_header), packet.payload());
            recorder.write(DECRYPTED, direction, &ip);
        }
    }

    /// Records an IP packet of the inside.
    pub(crate) fn inner(&self, direction: Direction, ip: &[u8]) {
        let Some(recorder) = &self.0 else { return };
        recorder.borrow_mut().write(INNER, direction, ip);
    }

    /// Writes out what is still in memory.
    pub(crate) fn flush(&self) {
        let Some(recorder) = &self.0 else { return };
        if let Err(error) = recorder.borrow_mut().file.flush() {
            tracing::warn!(%error, "packets not written to the file");
        }
    }
}

impl Recorder {
    fn write(&mut self, interface: u32, direction: Direction, packet: &[u8]) {
        if packet.is_empty() {
            return;
        }
        if let Err(error) = self.file.write_all(&packet_block(interface, direction, packet)) {
            tracing::warn!(%error, "a packet was not written to the file");
        }
    }
}

/// The IP packet that carried `contents` over `path`: inside of `protocol`, or of UDP or ESP as the
/// path says. Empty if there can be none.
fn around(
    direction: Direction,
    path: &Path,
    protocol: Option<NextHeader>,
    contents: &[u8],
) -> Vec<u8> {
    let (from, to) = match direction {
        Direction::In => (path.remote, path.local),
        Direction::Out => (path.local, path.remote),
    };
    let builder = match (from.ip(), to.ip()) {
        (std::net::IpAddr::V4(from), std::net::IpAddr::V4(to)) => {
            PacketBuilder::ipv4(from.octets(), to.octets(), 64)
        }
        (std::net::IpAddr::V6(from), std::net::IpAddr::V6(to)) => {
            PacketBuilder::ipv6(from.octets(), to.octets(), 64)
        }
        _ => return Vec::new(),
    };
    let protocol = protocol.map(|NextHeader(number)| IpNumber(number));
    let esp = (path.socket == Socket::Esp).then_some(IpNumber::ENCAPSULATING_SECURITY_PAYLOAD);
    let mut packet = Vec::new();
    let written = match protocol.or(esp) {
        Some(number) => builder.write(&mut packet, number, contents),
        None => builder.udp(from.port(), to.port()).write(&mut packet, contents),
    };
    if written.is_err() {
        packet.clear();
    }
    packet
}

/// A block of pcapng: its type, its length on both sides of the body, and padding to 32 bits
/// (draft-ietf-opsawg-pcapng §3.1).
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let len = u32::try_from(body.len() + padding + 12).unwrap_or(u32::MAX);
    let mut block = Vec::new();
    block.extend(kind.to_le_bytes());
    block.extend(len.to_le_bytes());
    block.extend(body);
    block.resize(block.len() + padding, 0);
    block.extend(len.to_le_bytes());
    block
}

/// The section header, §4.1: byte order, version 1.0, and a length that is not told.
fn section_header() -> Vec<u8> {
    let mut body = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    body.extend([1, 0, 0, 0]);
    body.extend(u64::MAX.to_le_bytes());
    block(0x0a0d_0d0a, &body)
}

/// An interface whose packets begin with an IP header (LINKTYPE_RAW), §4.2, with its name.
fn interface(name: &str) -> Vec<u8> {
    let mut body = vec![101, 0, 0, 0, 0, 0, 0, 0];
    option(&mut body, 2, name.as_bytes());
    option(&mut body, 0, &[]);
    block(1, &body)
}

/// A packet now, §4.3, with its direction.
fn packet_block(interface: u32, direction: Direction, packet: &[u8]) -> Vec<u8> {
    let micros = clock::unix_micros().to_le_bytes();
    let len = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut body = interface.to_le_bytes().to_vec();
    body.extend(&micros[4..]);
    body.extend(&micros[..4]);
    body.extend(len);
    body.extend(len);
    body.extend(packet);
    body.resize(body.len().next_multiple_of(4), 0);
    let flags: u32 = match direction {
        Direction::In => 1,
        Direction::Out => 2,
    };
    option(&mut body, 2, &flags.to_le_bytes());
    option(&mut body, 0, &[]);
    block(6, &body)
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend(u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}
