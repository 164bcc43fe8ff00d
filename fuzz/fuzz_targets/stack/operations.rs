//! Any sequence of commands, datagrams and time at a server and a client of L2TP over IPsec with a
//! NAT between them or none, without any security, with what both promise checked after each.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use arbitrary::Arbitrary;
use ipsec_ike::Cookies;
use ipsec_ike::ExchangeType;
use ipsec_ike::Flags;
use ipsec_ike::Header;
use ipsec_ike::PayloadType;
use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::SessionId;
use l2tp_ipsec::Users;
use l2tp_ipsec::ike::EndpointConfig;
use l2tp_ipsec::ike::Lifetimes;
use l2tp_ipsec::ike::Limits;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_core::Transmit;
use vpn_netsim::SeededRandom;

use crate::no_security::HASH_LEN;
use crate::no_security::IKE;
use crate::provider::ESP;
use crate::provider::PROVIDER;

/// Behind the NAT, where there is one.
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5));
/// The NAT, or that of `INSIDE` where there is none.
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

const CLIENT_END: usize = 0;
const SERVER_END: usize = 1;

/// How many datagrams are on their way at most.
const FLIGHTS: usize = 64;

/// One thing that may happen. Numbers choose among what is there.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) enum Operation {
    /// A new client in the place of the one before, which is gone without a word.
    Redial,
    HangUp,
    ServerHangUp {
        session: u8,
    },
    RekeyByClient,
    RekeyByServer {
        session: u8,
    },
    SendUp {
        len: u8,
    },
    SendDown {
        session: u8,
        len: u8,
    },
    Rebind,
    /// So many datagrams arrive in order, and what they lead to.
    Deliver {
        count: u8,
    },
    DeliverAt {
        place: u8,
    },
    Duplicate {
        place: u8,
    },
    Lose {
        place: u8,
    },
    Corrupt {
        place: u8,
        at: u8,
        octet: u8,
    },
    Inject {
        to_server: bool,
        socket: u8,
        octets: Vec<u8>,
    },
    /// An L2TP message, where only who has the keys can put it.
    ForgeL2tp {
        to_server: bool,
        sa: u8,
        ports: bool,
        octets: Vec<u8>,
    },
    /// IKE payloads with a hash that is right.
    ForgeIke {
        to_server: bool,
        sa: u8,
        exchange: u8,
        first: u8,
        message_id: u8,
        octets: Vec<u8>,
    },
    Wait {
        millis: u16,
    },
    WaitLong {
        seconds: u16,
    },
    Timeout,
}

/// A datagram on its way, as its receiver will see it.
struct Flight {
    to: usize,
    path: Path,
    octets: Vec<u8>,
}

/// Both ends, the datagrams between them, and what their applications know.
pub(crate) struct Driver {
    client: Client,
    server: Server,
    client_is_over: bool,
    server_is_over: bool,
    /// Sessions of the server that are up, and those that have ended.
    up: BTreeSet<SessionId>,
    ended: BTreeSet<SessionId>,
    flights: VecDeque<Flight>,
    /// Cookies and message ids that were on the wire.
    seen: Vec<(Cookies, u32)>,
    /// SPIs that were on the wire, and the last sequence number of each, by direction.
    spis: [BTreeMap<u32, u32>; 2],
    now: Instant,
    which: u8,
    dials: u16,
    /// Added to the ports outside the NAT.
    binding: u16,
}

fn ipsec(which: u8, config: EndpointConfig) -> EndpointConfig {
    let mut limits = Limits::default();
    limits.half_open = 8;
    limits.peers = 6;
    limits.children_per_peer = 6;
    limits.exchanges_per_sa = 4;
    let esp = ESP[usize::from(which & 1)];
    let kilobytes = (which & 8 != 0).then_some(8);
    let lifetimes = Lifetimes {
        esp: Duration::from_secs(300),
        esp_kilobytes: kilobytes,
        ..Lifetimes::default()
    };
    config
        .ike(vec![IKE.parse().unwrap()])
        .esp(vec![esp.parse().unwrap()])
        .limits(limits)
        .lifetimes(lifetimes)
}

impl Driver {
    /// `which` chooses the configuration: suite, NAT, numbered data, octets a key may carry.
    pub(crate) fn new(which: u8) -> Self {
        let config = ServerConfig::new("nobody asks")
            .pool("10.9.0.0/28".parse().unwrap())
            .sequencing(which & 4 != 0)
            .plain_l2tp_too(which & 16 != 0)
            .ipsec(|config| ipsec(which, config));
        let users = Users::new().user("alice", "wonderland");
        let random = Box::new(SeededRandom::new(1));
        let server = Server::new(config, users, &PROVIDER, random).unwrap();
        let mut driver = Self {
            client: client(which, 0),
            server,
            client_is_over: false,
            server_is_over: false,
            up: BTreeSet::new(),
            ended: BTreeSet::new(),
            flights: VecDeque::new(),
            seen: Vec::new(),
            spis: Default::default(),
            now: Instant::ZERO,
            which,
            dials: 0,
            binding: 0,
        };
        driver.call();
        driver
    }

    /// Whether the client's session is up.
    pub(crate) fn is_up(&self) -> bool {
        !self.up.is_empty()
    }

    fn call(&mut self) {
        let local = SocketAddr::new(self.inside(), 500);
        self.client.connect(self.now, local).unwrap();
        self.settle();
    }

    /// Lets one thing happen, and checks what was promised.
    pub(crate) fn step(&mut self, operation: Operation) {
        let now = self.now;
        match operation {
            Operation::Redial => {
                self.dials += 1;
                self.client = client(self.which, self.dials);
                self.client_is_over = false;
                self.call();
            }
            Operation::HangUp => self.client.disconnect(now),
            Operation::ServerHangUp { session } => {
                let Some(session) = self.session(session) else { return };
                self.server.disconnect(now, session, LocalReason::Requested);
            }
            Operation::RekeyByClient => self.client.rekey(now),
            Operation::RekeyByServer { session } => {
                let Some(session) = self.session(session) else { return };
                self.server.rekey(now, session);
            }
            Operation::SendUp { len } => {
                let source = self.local_address();
                let mut octets = Vec::new();
                if let Ok(sent) = self.client.send_ip(&ip(source, len), &mut octets) {
                    self.sent(CLIENT_END, sent, octets);
                }
            }
            Operation::SendDown { session, len } => {
                let Some(session) = self.session(session) else { return };
                let mut octets = Vec::new();
                let packet = ip(Ipv4Addr::new(10, 9, 0, 1), len);
                if let Ok(sent) = self.server.send_ip(session, &packet, &mut octets) {
                    self.sent(SERVER_END, sent, octets);
                }
            }
            Operation::Rebind => self.binding = (self.binding + 1) % 1_000,
            Operation::Deliver { count } => {
                for _ in 0..=count % 64 {
                    self.deliver(0);
                    self.settle();
                }
            }
            Operation::DeliverAt { place } => self.deliver(place),
            Operation::Duplicate { place } => {
                let Some(flight) = self.flight(place) else { return };
                let Flight { to, path, ref octets } = *flight;
                let octets = octets.clone();
                if self.flights.len() < FLIGHTS {
                    self.flights.push_back(Flight { to, path, octets });
                }
            }
            Operation::Lose { place } => {
                let place = usize::from(place) % self.flights.len().max(1);
                self.flights.remove(place);
            }
            Operation::Corrupt { place, at, octet } => {
                let Some(flight) = self.flight(place) else { return };
                let at = usize::from(at) % flight.octets.len();
                flight.octets[at] = octet;
            }
            Operation::Inject { to_server, socket, octets } => {
                let socket =
                    [Socket::Ike, Socket::NatT, Socket::Esp, Socket::L2tp][usize::from(socket % 4)];
                self.arrive(usize::from(to_server), socket, octets);
            }
            Operation::ForgeL2tp { to_server, sa, ports, octets } => {
                self.forge_l2tp(usize::from(to_server), sa, ports, &octets);
            }
            Operation::ForgeIke { to_server, sa, exchange, first, message_id, octets } => {
                let message = self.forged_ike(sa, exchange, first, message_id, &octets);
                self.arrive_ike(usize::from(to_server), message);
            }
            Operation::Wait { millis } => {
                self.wait_until(now + Duration::from_millis(millis.into()));
            }
            Operation::WaitLong { seconds } => {
                self.wait_until(now + Duration::from_secs((seconds % 10_000).into()));
            }
            Operation::Timeout => {
                let next = self.next_timeout().unwrap_or(now);
                self.wait_until(next);
            }
        }
        self.settle();
    }

    /// Ends everything, and checks that nothing is left.
    pub(crate) fn finish(mut self) {
        self.client.disconnect(self.now);
        self.server.drain(self.now);
        self.settle();
        for _ in 0..20_000 {
            self.flights.clear();
            let Some(next) = self.next_timeout() else { break };
            self.wait_until(next);
            self.settle();
        }
        assert_eq!(self.next_timeout(), None, "it never ends");
        assert!(self.client_is_over && self.server_is_over);
        assert_eq!(self.up, BTreeSet::new());
        assert_eq!(self.server.sessions().count(), 0);
        assert_eq!(self.server.pool().lent(), 0);
        let (counts, ike) = (self.server.counts(), self.server.ike_counts());
        assert_eq!((counts.sessions, ike.peers, ike.children), (0, 0, 0));
    }

    fn next_timeout(&self) -> Option<Instant> {
        [self.client.poll_timeout(), self.server.poll_timeout()].into_iter().flatten().min()
    }

    const fn nat(&self) -> bool {
        self.which & 2 != 0
    }

    const fn inside(&self) -> IpAddr {
        if self.nat() { INSIDE } else { OUTSIDE }
    }

    fn session(&self, choice: u8) -> Option<SessionId> {
        self.up.iter().nth(usize::from(choice) % self.up.len().max(1)).copied()
    }

    /// What the server calls the client, for want of a better way to know.
    fn local_address(&self) -> Ipv4Addr {
        let first = self.server.sessions().find_map(|session| session.peer_address);
        first.unwrap_or(Ipv4Addr::new(10, 9, 0, 2))
    }

    fn flight(&mut self, place: u8) -> Option<&mut Flight> {
        let place = usize::from(place) % self.flights.len().max(1);
        self.flights.get_mut(place).filter(|flight| !flight.octets.is_empty())
    }

    /// What the receiver of a datagram sees, where it arrives at all.
    fn travel(&self, from: usize, path: Path) -> Option<Path> {
        let shift = |port| if self.nat() && port != 0 { self.binding } else { 0 };
        let (local, remote) = if from == CLIENT_END {
            let port = path.local.port();
            (path.remote, SocketAddr::new(OUTSIDE, port + shift(port)))
        } else {
            let port = path.remote.port();
            (SocketAddr::new(self.inside(), port.checked_sub(shift(port))?), path.local)
        };
        let socket = match (path.socket, local.port()) {
            (Socket::Esp, _) => Socket::Esp,
            (_, 500) => Socket::Ike,
            (_, 4500) => Socket::NatT,
            (_, 1701) => Socket::L2tp,
            _ => return None,
        };
        Some(Path { socket, local, remote })
    }

    /// Something made up comes to one end as if it were the other's.
    fn arrive(&mut self, to: usize, socket: Socket, octets: Vec<u8>) {
        let port = match socket {
            Socket::Ike => 500,
            Socket::NatT => 4500,
            Socket::L2tp => 1701,
            Socket::Esp => 0,
        };
        let (local, remote) =
            if to == SERVER_END { (self.inside(), SERVER) } else { (SERVER, OUTSIDE) };
        let shift = if to == CLIENT_END && self.nat() && port != 0 { self.binding } else { 0 };
        let sender = Path {
            socket,
            local: SocketAddr::new(local, port),
            remote: SocketAddr::new(remote, port + shift),
        };
        if let Some(path) = self.travel(1 - to, sender) {
            self.flights.push_front(Flight { to, path, octets });
            self.deliver(0);
        }
    }

    fn arrive_ike(&mut self, to: usize, message: Vec<u8>) {
        if self.nat() {
            self.arrive(to, Socket::NatT, [&[0; 4], &message[..]].concat());
        } else {
            self.arrive(to, Socket::Ike, message);
        }
    }

    fn forge_l2tp(&mut self, to: usize, sa: u8, ports: bool, octets: &[u8]) {
        let spis = &mut self.spis[to];
        let place = usize::from(sa) % spis.len().max(1);
        let Some((spi, sequence)) = spis.iter_mut().nth(place) else { return };
        *sequence = sequence.saturating_add(1);
        let mut packet = [spi.to_be_bytes(), sequence.to_be_bytes()].concat();
        packet.resize(8 + 16, 0);
        let len = u16::try_from(8 + octets.len()).unwrap_or(u16::MAX);
        for field in [1701, if ports { 1701 } else { 1024 }, len, 0] {
            packet.extend(field.to_be_bytes());
        }
        packet.extend(octets);
        let pad = (16 - (packet.len() - 24 + 2) % 16) % 16;
        packet.extend((1..=pad).map(|n| n.to_le_bytes()[0]));
        packet.extend([pad.to_le_bytes()[0], 17]);
        let icv_len = crate::provider::ICV_LEN[usize::from(self.which & 1)];
        packet.resize(packet.len() + icv_len, 0);
        let socket = if self.nat() { Socket::NatT } else { Socket::Esp };
        self.arrive(to, socket, packet);
    }

    fn forged_ike(&self, sa: u8, exchange: u8, first: u8, id: u8, octets: &[u8]) -> Vec<u8> {
        let (cookies, seen_id) = match self.seen.len() {
            0 => (Cookies::first([sa; 8]), 0),
            len => self.seen[usize::from(sa) % len],
        };
        let exchange = match exchange % 6 {
            0 => ExchangeType::MAIN_MODE,
            1 | 2 => ExchangeType::INFORMATIONAL,
            3 | 4 => ExchangeType::QUICK_MODE,
            _ => ExchangeType(exchange),
        };
        let message_id = match id {
            0 => 0,
            1..=127 => seen_id,
            new => new.into(),
        };
        let mut header = Header::new(cookies, exchange, message_id);
        header.next_payload = PayloadType::HASH;
        header.flags = Flags::ENCRYPTION;
        let mut body = vec![first, 0, 0, 4 + HASH_LEN];
        body.extend([0; HASH_LEN as usize]);
        body.extend(octets);
        body.resize(body.len().next_multiple_of(16), 0);
        header.length = u32::try_from(Header::LEN + body.len()).unwrap();
        let mut message = Vec::new();
        header.encode(&mut message);
        message.extend(body);
        message
    }

    fn deliver(&mut self, place: u8) {
        let place = usize::from(place) % self.flights.len().max(1);
        let Some(Flight { to, path, mut octets }) = self.flights.remove(place) else { return };
        let _ = match to {
            CLIENT_END => self.client.handle_datagram(self.now, path, &mut octets),
            _ => self.server.handle_datagram(self.now, path, &mut octets),
        };
    }

    fn wait_until(&mut self, until: Instant) {
        self.now = self.now.max(until);
    }

    /// Drains both ends and checks what they promise.
    fn settle(&mut self) {
        // Time that has come is told, whatever else happened.
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        let mut octets = Vec::new();
        while let Some(sent) = self.client.poll_transmit(self.now, &mut octets) {
            self.sent(CLIENT_END, sent, core::mem::take(&mut octets));
        }
        while let Some(sent) = self.server.poll_transmit(self.now, &mut octets) {
            self.sent(SERVER_END, sent, core::mem::take(&mut octets));
        }
        while let Some(event) = self.client.poll_event() {
            assert!(!self.client_is_over, "{event:?} after the last event");
            if let ClientEvent::Disconnected { reason } = event {
                assert!(!reason.explain().is_empty());
                self.client_is_over = true;
            }
        }
        while let Some(event) = self.server.poll_event() {
            self.take(event);
        }
        let next = self.next_timeout();
        assert!(next.is_none_or(|at| at > self.now), "hot loop");
        let known: BTreeSet<_> = self.server.sessions().map(|status| status.session).collect();
        assert!(self.up.is_subset(&known));
        assert!(known.is_disjoint(&self.ended));
        let ike = self.server.ike_counts();
        assert!(ike.half_open <= 8 && ike.peers <= 6 && ike.queued == 0, "{ike:?}");
    }

    fn take(&mut self, event: ServerEvent) {
        assert!(!self.server_is_over, "{event:?} after the last event");
        match event {
            ServerEvent::Connected(up) => {
                assert!(!self.ended.contains(&up.session), "nothing follows the end");
                // Once more if IPv4 was negotiated anew.
                self.up.insert(up.session);
            }
            ServerEvent::Changed(up) => assert!(self.up.contains(&up.session)),
            ServerEvent::Packet { session, .. } => {
                assert!(!self.ended.contains(&session), "nothing follows the end");
            }
            ServerEvent::Disconnected(ended) => {
                assert!(!ended.reason.explain().is_empty());
                self.up.remove(&ended.session);
                assert!(self.ended.insert(ended.session), "it ends once");
            }
            ServerEvent::Refused { reason, .. } => assert!(!reason.explain().is_empty()),
            ServerEvent::Drained => self.server_is_over = true,
            _ => {}
        }
    }

    fn sent(&mut self, from: usize, sent: Transmit, octets: Vec<u8>) {
        assert_eq!(sent.len, octets.len());
        let (message, esp) = match sent.path.socket {
            Socket::Ike => (Some(&octets[..]), None),
            Socket::Esp => (None, Some(&octets[..])),
            Socket::NatT => match octets.strip_prefix(&[0; 4]) {
                Some(message) => (Some(message), None),
                None => (None, Some(&octets[..])),
            },
            Socket::L2tp => (None, None),
        };
        if let Some(header) = message.and_then(|message| Header::decode(message).ok()) {
            let entry = (header.cookies, header.message_id);
            if self.seen.len() < 64 && !self.seen.contains(&entry) {
                self.seen.push(entry);
            }
        }
        if let Some([a, b, c, d, e, f, g, h, ..]) = esp {
            let spi = u32::from_be_bytes([*a, *b, *c, *d]);
            self.spis[1 - from].insert(spi, u32::from_be_bytes([*e, *f, *g, *h]));
        }
        let arrival = self.travel(from, sent.path);
        if let Some(path) = arrival.filter(|_| self.flights.len() < FLIGHTS) {
            self.flights.push_back(Flight { to: 1 - from, path, octets });
        }
    }
}

fn client(which: u8, dials: u16) -> Client {
    let config = ClientConfig::new(SERVER, "nobody asks")
        .user("alice", "wonderland")
        .ipsec(|config| ipsec(which, config));
    let random = Box::new(SeededRandom::new(2 + u64::from(dials)));
    Client::new(config, &PROVIDER, random).unwrap()
}

/// An IPv4 packet.
fn ip(source: Ipv4Addr, len: u8) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0];
    packet.extend(source.octets());
    packet.extend([10, 9, 0, 1]);
    packet.resize(20 + usize::from(len), 0);
    packet[3] = 20u8.wrapping_add(len);
    packet[2] = u8::from(len > 235);
    packet
}
