//! A recorded tunnel: what either side sent, and what it took from its random generator.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod adapt;
mod script;

use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use core::time::Duration;

use l2tp_ipsec::AuthMethod;
use l2tp_wire::ControlMessage;
use l2tp_wire::MessageType;
use l2tp_wire::Packet as L2tp;
use ppp_core::ControlCode;
use ppp_core::Options;
use ppp_core::Packet;
use ppp_core::Protocol;
use ppp_core::frame;
use vpn_core::Instant;

pub use adapt::Adapter;
pub use script::Source;

/// What every recording was made with.
pub const USER: &str = "alice";
pub const PASSWORD: &str = "wonderland";

/// Option types of LCP (RFC 1661 §6.1, RFC 1662 §7.1).
const MRU: u8 = 1;
const ACCM: u8 = 2;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Client,
    Server,
}

impl Side {
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// One datagram.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Instant,
    pub from: Side,
    pub payload: Vec<u8>,
}

/// A whole capture.
#[derive(Debug)]
pub struct Recording {
    pub name: &'static str,
    pub method: AuthMethod,
    pub secret: Option<&'static str>,
    pub hidden: bool,
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub datagrams: Vec<Sent>,
}

impl Recording {
    /// Reads a capture of Ethernet frames. They lie with the codec that they also test.
    pub fn read(name: &'static str, method: AuthMethod, secret: Option<&'static str>) -> Self {
        let file = format!("{}/../l2tp-wire/tests/data/{name}.pcap", env!("CARGO_MANIFEST_DIR"));
        let octets = std::fs::read(file).unwrap();
        assert_eq!(octets[..4], 0xa1b2_c3d4_u32.to_le_bytes(), "{name} is no pcap");
        assert_eq!(octets[20], 1, "{name} does not hold Ethernet frames");
        let mut seen = Vec::new();
        let mut rest = &octets[24..];
        while !rest.is_empty() {
            let number = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let time = Duration::new(number(0).into(), number(4) * 1000);
            let len = usize::try_from(number(8)).unwrap();
            if let Some((source, destination, payload)) = l2tp(&rest[16..16 + len]) {
                seen.push((time, source, destination, payload));
            }
            rest = &rest[16 + len..];
        }
        let (start, client, server, _) = seen[0].clone();
        let sent = |(time, source, _, payload): (Duration, SocketAddr, SocketAddr, Vec<u8>)| Sent {
            at: Instant::ZERO + (time - start),
            from: if source == client { Side::Client } else { Side::Server },
            payload,
        };
        let datagrams = seen.into_iter().map(sent).collect();
        let hidden = name.contains("hidden");
        Self { name, method, secret, hidden, client, server, datagrams }
    }

    fn from(&self, side: Side) -> impl Iterator<Item = &Sent> {
        self.datagrams.iter().filter(move |sent| sent.from == side)
    }

    /// The control messages of one side, but for ZLBs.
    pub fn control(&self, side: Side) -> impl Iterator<Item = ControlMessage<'_>> {
        self.from(side).filter_map(|sent| control(&sent.payload))
    }

    /// The PPP frames of one side, but for IP packets: their protocol and packet.
    fn ppp(&self, side: Side) -> impl Iterator<Item = (Protocol, Packet<'_>)> {
        self.from(side).filter_map(|sent| match L2tp::decode(&sent.payload).unwrap() {
            L2tp::Data(data) => packet(data.payload),
            L2tp::Control(_) => None,
        })
    }

    /// The IPv4 packets of one side.
    pub fn ipv4(&self, side: Side) -> Vec<Vec<u8>> {
        let packet = |sent: &Sent| match L2tp::decode(&sent.payload).unwrap() {
            L2tp::Data(data) => {
                let (protocol, at) = frame::protocol(data.payload).unwrap();
                (protocol == Protocol::IPV4).then(|| data.payload[at..].to_vec())
            }
            L2tp::Control(_) => None,
        };
        self.from(side).filter_map(packet).collect()
    }

    /// When the client began to hang up.
    pub fn end(&self) -> Instant {
        let is_end = |sent: &&Sent| {
            let found = control(&sent.payload).and_then(|control| control.message_type());
            found == Some(MessageType::STOP_CCN) || found == Some(MessageType::CDN)
        };
        self.from(Side::Client).find(is_end).unwrap().at
    }

    /// The longest packet that a side asked for.
    pub fn mru(&self, side: Side) -> u16 {
        let octets = self.lcp_option(side, MRU).unwrap();
        u16::from_be_bytes(octets.try_into().unwrap())
    }

    /// Whether a side said which control characters to escape.
    pub fn names_control_characters(&self, side: Side) -> bool {
        self.lcp_option(side, ACCM).is_some()
    }

    fn lcp_option(&self, side: Side, kind: u8) -> Option<Vec<u8>> {
        let mut requests = self.ppp(side).filter(|(protocol, packet)| {
            *protocol == Protocol::LCP && packet.code == ControlCode::CONFIGURE_REQUEST.0
        });
        let (_, request) = requests.next().unwrap();
        let mut options = Options::new(request.data).map(Result::unwrap);
        options.find(|option| option.kind == kind).map(|option| option.data.to_vec())
    }

    /// What the server gave to the client: its own address, the client's, the name servers'.
    pub fn addresses(&self) -> (Ipv4Addr, Ipv4Addr, [Option<Ipv4Addr>; 2]) {
        let options = |code: ControlCode| {
            let is_it = |found: &(Protocol, Packet<'_>)| {
                found.0 == Protocol::IPCP && found.1.code == code.0
            };
            let (_, packet) = self.ppp(Side::Server).filter(is_it).last().unwrap();
            let options = Options::new(packet.data).map(Result::unwrap);
            options
                .map(|option| {
                    let octets: [u8; 4] = option.data.try_into().unwrap();
                    (option.kind, Ipv4Addr::from(octets))
                })
                .collect::<Vec<_>>()
        };
        let find = |options: &[(u8, Ipv4Addr)], kind| {
            let found = options.iter().find(|option| option.0 == kind);
            found.map(|option| option.1).filter(|address| !address.is_unspecified())
        };
        let request = options(ControlCode::CONFIGURE_REQUEST);
        let granted = options(ControlCode::CONFIGURE_ACK);
        let dns = [find(&granted, 129), find(&granted, 131)];
        (find(&request, 3).unwrap(), find(&granted, 3).unwrap(), dns)
    }
}

/// A control message that is no ZLB.
pub fn control(payload: &[u8]) -> Option<ControlMessage<'_>> {
    match L2tp::decode(payload).unwrap() {
        L2tp::Control(control) => Some(control).filter(|control| !control.is_zlb()),
        L2tp::Data(_) => None,
    }
}

/// The packet in a PPP frame that is no IP packet.
fn packet(frame: &[u8]) -> Option<(Protocol, Packet<'_>)> {
    let (protocol, at) = frame::protocol(frame).unwrap();
    let is_ip = protocol == Protocol::IPV4 || protocol == Protocol::IPV6;
    (!is_ip).then(|| (protocol, Packet::decode(&frame[at..]).unwrap()))
}

/// Source, destination and payload of an L2TP datagram in an Ethernet frame.
fn l2tp(ethernet: &[u8]) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
    let (header, ip) = ethernet.split_at(14);
    if header[12..] != [8, 0] || ip[9] != 17 {
        return None;
    }
    let udp = &ip[usize::from(ip[0] & 15) * 4..];
    let number = |at: usize| u16::from_be_bytes([udp[at], udp[at + 1]]);
    let address = |at: usize, port| {
        let octets: [u8; 4] = ip[at..at + 4].try_into().unwrap();
        SocketAddr::new(IpAddr::from(octets), port)
    };
    let (source, destination) = (address(12, number(0)), address(16, number(2)));
    let is_l2tp = source.port() == 1701 || destination.port() == 1701;
    is_l2tp.then(|| (source, destination, udp[8..usize::from(number(4))].to_vec()))
}
