//! Any datagrams on all four sockets of a server that has a client, made up or changed from what was
//! on the wire, from the client's own address or another: the client never notices, and nobody who
//! is not known gets more than three times the octets that he sends.
#![no_main]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use arbitrary::Arbitrary;
use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::Users;
use libfuzzer_sys::fuzz_target;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_netsim::SeededRandom;

const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const PSK: &str = "5Vf1yGqM9zPtR0sWc3XbNa";

#[derive(Arbitrary, Debug)]
struct Input {
    /// Over UDP, or ESP on IP.
    encapsulated: bool,
    datagrams: Vec<Datagram>,
}

#[derive(Arbitrary, Debug)]
struct Datagram {
    socket: u8,
    /// In the client's name, or that of one of some strangers.
    from: u8,
    octets: Octets,
}

#[derive(Arbitrary, Debug)]
enum Octets {
    MadeUp(Vec<u8>),
    /// One that the client sent, with an octet changed, and cut or made longer.
    Changed {
        which: u8,
        at: u16,
        octet: u8,
        len: Option<u16>,
    },
}

fuzz_target!(|input: Input| {
    let mut pair = Pair::new(input.encapsulated);
    for datagram in input.datagrams.into_iter().take(64) {
        pair.take(datagram);
    }
    pair.check();
});

struct Pair {
    server: Server,
    client: Client,
    address: Ipv4Addr,
    now: Instant,
    /// What the client sent.
    sent: Vec<(Path, Vec<u8>)>,
    /// Octets from and to each address that is not the client's.
    traffic: BTreeMap<SocketAddr, (usize, usize)>,
    echoes: usize,
}

fn port(socket: Socket) -> u16 {
    match socket {
        Socket::Ike => 500,
        Socket::NatT => 4500,
        Socket::L2tp => 1701,
        Socket::Esp => 0,
    }
}

fn swapped(path: Path) -> Path {
    Path { local: path.remote, remote: path.local, ..path }
}

impl Pair {
    fn new(encapsulated: bool) -> Self {
        let provider = vpn_crypto::provider();
        let config = ServerConfig::new(PSK).pool("10.9.0.0/24".parse().unwrap());
        let users = Users::new().user("alice", "wonderland");
        let server = Server::new(config, users, provider, Box::new(SeededRandom::new(1))).unwrap();
        let encapsulation = match encapsulated {
            true => ipsec_ike::Encapsulation::Force,
            false => ipsec_ike::Encapsulation::Auto,
        };
        let config = ClientConfig::new(SERVER, PSK)
            .user("alice", "wonderland")
            .ipsec(|ipsec| ipsec.encapsulation(encapsulation));
        let mut client = Client::new(config, provider, Box::new(SeededRandom::new(2))).unwrap();
        client.connect(Instant::ZERO, SocketAddr::from((CLIENT, 500))).unwrap();
        let mut pair = Self {
            server,
            client,
            address: Ipv4Addr::UNSPECIFIED,
            now: Instant::ZERO,
            sent: Vec::new(),
            traffic: BTreeMap::new(),
            echoes: 0,
        };
        pair.settle();
        assert!(!pair.address.is_unspecified(), "the client is up");
        pair
    }

    fn take(&mut self, datagram: Datagram) {
        let socket = [Socket::Ike, Socket::NatT, Socket::Esp, Socket::L2tp]
            [usize::from(datagram.socket % 4)];
        let octets = match datagram.octets {
            Octets::MadeUp(octets) => octets,
            Octets::Changed { which, at, octet, len } => {
                let mut octets = self.sent[usize::from(which) % self.sent.len()].1.clone();
                let at = usize::from(at) % octets.len();
                octets[at] ^= octet;
                if let Some(len) = len {
                    octets.resize(usize::from(len % 2048), 0);
                }
                octets
            }
        };
        let address = match datagram.from % 4 {
            0 => CLIENT,
            n => Ipv4Addr::new(192, 0, 2, n),
        };
        let local = SocketAddr::from((SERVER, port(socket)));
        let path = Path { socket, local, remote: SocketAddr::from((address, port(socket))) };
        if address != CLIENT {
            self.traffic.entry(path.remote).or_default().0 += octets.len();
        }
        self.now = self.now + Duration::from_millis(10);
        let _ = self.server.handle_datagram(self.now, path, &mut octets.clone());
        self.settle();
    }

    /// The client has what it had.
    fn check(&mut self) {
        let before = self.echoes;
        let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 17, 0, 0];
        packet.extend(self.address.octets());
        packet.extend([10, 9, 0, 1, 0, 7, 0, 7, 0, 8, 0, 0]);
        let mut octets = Vec::new();
        let sent = self.client.send_ip(&packet, &mut octets).expect("its session is open");
        let _ = self.server.handle_datagram(self.now, swapped(sent.path), &mut octets);
        self.settle();
        assert_eq!(self.echoes, before + 1);
        assert_eq!(self.server.sessions().count(), 1);
        for (address, (received, sent)) in &self.traffic {
            assert!(*sent <= received * 3, "{address} sent {received} octets and got {sent}");
        }
    }

    /// Carries what the two have for each other.
    fn settle(&mut self) {
        self.server.handle_timeout(self.now);
        self.client.handle_timeout(self.now);
        let mut octets = Vec::new();
        loop {
            let mut quiet = true;
            while let Some(sent) = self.client.poll_transmit(self.now, &mut octets) {
                self.sent.push((sent.path, octets.clone()));
                let path = swapped(sent.path);
                let _ = self.server.handle_datagram(self.now, path, &mut octets);
                octets.clear();
                quiet = false;
            }
            while let Some(sent) = self.server.poll_transmit(self.now, &mut octets) {
                if sent.path.remote.ip() == CLIENT {
                    let path = swapped(sent.path);
                    let _ = self.client.handle_datagram(self.now, path, &mut octets);
                } else {
                    self.traffic.entry(sent.path.remote).or_default().1 += octets.len();
                }
                octets.clear();
                quiet = false;
            }
            while let Some(event) = self.client.poll_event() {
                match event {
                    ClientEvent::Connected(up) => self.address = up.local_address,
                    ClientEvent::Disconnected { reason } => panic!("{}", reason.explain()),
                    _ => {}
                }
            }
            while let Some(event) = self.server.poll_event() {
                match event {
                    ServerEvent::Packet { .. } => self.echoes += 1,
                    ServerEvent::Moved { path } => panic!("moved to {path:?}"),
                    ServerEvent::Disconnected(ended) => panic!("{}", ended.reason.explain()),
                    ServerEvent::Refused { reason, .. } => drop(reason.explain()),
                    _ => {}
                }
            }
            if quiet {
                break;
            }
        }
    }
}
