//! Any sequence of commands, datagrams and time at two endpoints with a NAT between them, with the
//! promises of an endpoint checked after each.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use ipsec_ike::ChildHandle;
use ipsec_ike::ConnectConfig;
use ipsec_ike::Cookies;
use ipsec_ike::Credentials;
use ipsec_ike::CredentialsTicket;
use ipsec_ike::Endpoint;
use ipsec_ike::EndpointConfig;
use ipsec_ike::Event;
use ipsec_ike::ExchangeType;
use ipsec_ike::Flags;
use ipsec_ike::Header;
use ipsec_ike::Limits;
use ipsec_ike::PayloadType;
use ipsec_ike::PeerHandle;
use ipsec_ike::PskSelector;
use ipsec_ike::Selectors;
use ipsec_ike::proposal::EspProposal;
use ipsec_ike::proposal::IkeProposal;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_netsim::SeededRandom;

use crate::no_security::HASH_LEN;
use crate::no_security::IKE;
use crate::no_security::NO_SECURITY;

/// Behind the NAT, where there is one.
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5));
/// The NAT, or that of `INSIDE` where there is none.
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
/// Somebody else.
const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)), 500);

/// How many datagrams are on their way at most.
const FLIGHTS: usize = 64;

/// One thing that may happen. Numbers choose among what is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    Connect { end: usize },
    Answer { end: usize, accept: bool },
    RequestChild { end: usize, peer: u8 },
    RekeyChild { end: usize, child: u8 },
    RekeyPeer { end: usize, peer: u8 },
    CloseChild { end: usize, child: u8 },
    ClosePeer { end: usize, peer: u8 },
    Used { end: usize, child: u8 },
    Traffic { end: usize, peer: u8 },
    NewPath { end: usize, peer: u8 },
    Rebind,
    Deliver { place: u8 },
    Duplicate { place: u8 },
    Lose { place: u8 },
    Corrupt { place: u8, at: u8, octet: u8 },
    Inject { end: usize, octets: Vec<u8> },
    Forge(Forgery),
    Wait { millis: u16 },
    WaitLong { seconds: u16 },
    Timeout,
}

/// A message with made-up payloads for an SA that was seen on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Forgery {
    pub(crate) end: usize,
    pub(crate) stranger: bool,
    /// Which of the SAs.
    pub(crate) sa: u8,
    pub(crate) exchange: u8,
    pub(crate) first: u8,
    pub(crate) message_id: u8,
    /// Whether a hash that is right stands in front.
    pub(crate) hash: bool,
    pub(crate) encrypted: bool,
    pub(crate) octets: Vec<u8>,
}

impl Operation {
    /// Reads an operation from the front of `octets`. `None` at their end.
    pub(crate) fn read(octets: &mut &[u8]) -> Option<Self> {
        let [which, a, b, rest @ ..] = *octets else { return None };
        *octets = rest;
        let (end, flag) = (usize::from(a & 1), a & 2 != 0);
        Some(match which % 32 {
            0 => Self::Connect { end },
            1 => Self::Answer { end, accept: flag },
            2 => Self::RequestChild { end, peer: *b },
            3 => Self::RekeyChild { end, child: *b },
            4 => Self::RekeyPeer { end, peer: *b },
            5 => Self::CloseChild { end, child: *b },
            6 => Self::ClosePeer { end, peer: *b },
            7 => Self::Used { end, child: *b },
            8 => Self::Traffic { end, peer: *b },
            9 => Self::NewPath { end, peer: *b },
            10 => Self::Rebind,
            11 => Self::Duplicate { place: *b },
            12 => Self::Lose { place: *b },
            13 => Self::Corrupt { place: *a, at: *b, octet: rest.first().copied()? },
            14 => Self::Inject { end, octets: take(octets, *b) },
            15 | 16 => {
                let [sa, exchange, first, message_id, len, rest @ ..] = *octets else {
                    return None;
                };
                *octets = rest;
                Self::Forge(Forgery {
                    end,
                    stranger: flag,
                    sa: *sa,
                    exchange: *exchange,
                    first: *first,
                    message_id: *message_id,
                    hash: a & 4 != 0,
                    encrypted: a & 8 != 0,
                    octets: take(octets, *len),
                })
            }
            17 => Self::Wait { millis: u16::from_be_bytes([*a, *b]) },
            18 => Self::WaitLong { seconds: u16::from_be_bytes([*a, *b]) % 10_000 },
            19 => Self::Timeout,
            _ => Self::Deliver { place: *b },
        })
    }
}

fn take(octets: &mut &[u8], len: u8) -> Vec<u8> {
    let (taken, rest) = octets.split_at(usize::from(len).min(octets.len()));
    *octets = rest;
    taken.to_vec()
}

/// A datagram on its way, as its receiver will see it.
struct Flight {
    to: usize,
    path: Path,
    octets: Vec<u8>,
}

/// What the application of one end knows.
#[derive(Default)]
struct Application {
    /// Every peer there ever was.
    ever_peers: BTreeSet<PeerHandle>,
    up: BTreeSet<PeerHandle>,
    closed_peers: BTreeSet<PeerHandle>,
    ever_children: BTreeSet<ChildHandle>,
    /// Pairs that are installed, with their peer, and whether their outbound SA is in use.
    installed: BTreeMap<ChildHandle, (PeerHandle, bool)>,
    closed_children: BTreeSet<ChildHandle>,
    tickets: Vec<CredentialsTicket>,
    spis: BTreeSet<u32>,
    /// Octets that came from and went to each address.
    traffic: BTreeMap<SocketAddr, (usize, usize)>,
    /// Addresses that were proven, or that we chose ourselves.
    trusted: BTreeSet<SocketAddr>,
}

/// Two endpoints, the datagrams between them, and what their applications know.
pub(crate) struct Driver {
    ends: [Endpoint; 2],
    applications: [Application; 2],
    flights: VecDeque<Flight>,
    /// Cookies and message ids that were on the wire.
    seen: Vec<(Cookies, u32)>,
    now: Instant,
    nat: bool,
    /// Added to the ports outside the NAT.
    binding: u16,
}

impl Driver {
    /// `which` chooses the configuration: NAT, tickets, aggressive mode, traces, short lives.
    pub(crate) fn new(which: u8, seed: u64) -> Self {
        let ike: IkeProposal = IKE.parse().unwrap();
        let esp: EspProposal = match which & 1 {
            0 => "aes256-sha1".parse().unwrap(),
            _ => "aes256-sha1-modp2048".parse().unwrap(),
        };
        let mut limits = Limits::default();
        limits.half_open = 8;
        limits.half_open_per_address = 6;
        limits.peers = 6;
        limits.children_per_peer = 6;
        limits.exchanges_per_sa = 4;
        limits.queue = 32;
        let endpoint = |seed, end| {
            let config = EndpointConfig::new()
                .respond(true)
                .psk(PskSelector::Any, "nobody asks".into())
                .ask_for_credentials(which & 4 != 0 && end == 1)
                .ike(vec![ike])
                .esp(vec![esp])
                .aggressive_psk_responder_weak(which & 8 != 0)
                .trace(which & 16 != 0)
                .key_log(which & 16 != 0)
                .limits(limits);
            Endpoint::new(config, &NO_SECURITY, Box::new(SeededRandom::new(seed))).unwrap()
        };
        Self {
            ends: [endpoint(seed, 0), endpoint(seed ^ 1, 1)],
            applications: Default::default(),
            flights: VecDeque::new(),
            seen: Vec::new(),
            now: Instant::ZERO,
            nat: which & 2 != 0,
            binding: 0,
        }
    }

    /// Lets one thing happen, and checks what was promised.
    pub(crate) fn step(&mut self, operation: Operation) {
        let now = self.now;
        match operation {
            Operation::Connect { end } => {
                let (local, remote) = match end {
                    0 => (self.inside(), SERVER),
                    _ => (SERVER, OUTSIDE),
                };
                let [local, remote] = [local, remote].map(|ip| SocketAddr::new(ip, 500));
                let config = ConnectConfig::new(remote, local).psk("nobody asks".into());
                if let Ok(peer) = self.ends[end].connect(now, config) {
                    let application = &mut self.applications[end];
                    assert!(application.ever_peers.insert(peer), "a handle is never used again");
                    application.trusted.insert(remote);
                    application.trusted.insert(SocketAddr::new(remote.ip(), 4500));
                }
            }
            Operation::Answer { end, accept } => {
                let Some(ticket) = self.applications[end].tickets.pop() else { return };
                let credentials = match accept {
                    true => Credentials::Psk(vec!["nobody asks".into()]),
                    false => Credentials::Refuse,
                };
                let _ = self.ends[end].answer_credentials(now, ticket, credentials);
            }
            Operation::RequestChild { end, peer } => {
                let Some(peer) = self.peer(end, peer) else { return };
                if let Ok(child) = self.ends[end].request_child(now, peer, Selectors::l2tp()) {
                    let fresh = self.applications[end].ever_children.insert(child);
                    assert!(fresh, "a handle is never used again");
                }
            }
            Operation::RekeyChild { end, child } => {
                let Some(child) = self.child(end, child) else { return };
                let _ = self.ends[end].rekey_child(now, child);
            }
            Operation::RekeyPeer { end, peer } => {
                let Some(peer) = self.peer(end, peer) else { return };
                let _ = self.ends[end].rekey_peer(now, peer);
            }
            Operation::CloseChild { end, child } => {
                let Some(child) = self.child(end, child) else { return };
                let _ = self.ends[end].close_child(now, child);
            }
            Operation::ClosePeer { end, peer } => {
                let Some(peer) = self.peer(end, peer) else { return };
                let _ = self.ends[end].close_peer(now, peer);
            }
            Operation::Used { end, child } => {
                let Some(child) = self.child(end, child) else { return };
                self.ends[end].note_child_used(now, child);
            }
            Operation::Traffic { end, peer } => {
                let Some(peer) = self.peer(end, peer) else { return };
                self.ends[end].note_inbound(now, peer);
                self.ends[end].note_outbound(now, peer);
            }
            Operation::NewPath { end, peer } => {
                let Some(peer) = self.peer(end, peer) else { return };
                let Some(info) = self.ends[end].peer(peer) else { return };
                let remote = SocketAddr::new(info.esp_path.remote.ip(), 4500 + self.binding);
                let path = Path { remote, ..info.esp_path };
                // The data plane has seen an authentic packet from there.
                if self.ends[end].note_path(now, peer, path) {
                    self.applications[end].trusted.insert(remote);
                }
            }
            Operation::Rebind => self.binding = (self.binding + 1) % 1_000,
            Operation::Deliver { place } => self.deliver(place),
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
            Operation::Inject { end, octets } => {
                let path = self.path_to(end, false);
                self.flights.push_front(Flight { to: end, path, octets });
                self.deliver(0);
            }
            Operation::Forge(forgery) => self.forge(forgery),
            Operation::Wait { millis } => {
                self.wait_until(now + Duration::from_millis(millis.into()));
            }
            Operation::WaitLong { seconds } => {
                self.wait_until(now + Duration::from_secs(seconds.into()));
            }
            Operation::Timeout => {
                let next = self.ends.iter().filter_map(Endpoint::poll_timeout).min();
                self.wait_until(next.unwrap_or(now));
            }
        }
        self.settle();
    }

    /// Delivers everything that is on its way, and what comes of it.
    pub(crate) fn quiesce(&mut self) {
        for _ in 0..FLIGHTS {
            if self.flights.is_empty() {
                break;
            }
            self.deliver(0);
            self.settle();
        }
    }

    /// How many peers of an end are up.
    pub(crate) fn up(&self, end: usize) -> usize {
        self.applications[end].up.len()
    }

    /// How many pairs an end has in use.
    pub(crate) fn ready(&self, end: usize) -> usize {
        self.applications[end].installed.values().filter(|(_, ready)| *ready).count()
    }

    /// Closes all there is, and checks that nothing is left.
    pub(crate) fn finish(mut self) {
        for end in 0..2 {
            for peer in self.applications[end].ever_peers.clone() {
                let _ = self.ends[end].close_peer(self.now, peer);
            }
        }
        self.settle();
        for _ in 0..10_000 {
            self.flights.clear();
            let Some(next) = self.ends.iter().filter_map(Endpoint::poll_timeout).min() else {
                break;
            };
            self.wait_until(next);
            self.settle();
        }
        for (end, application) in self.ends.iter().zip(&self.applications) {
            let counts = end.counts();
            let left = [
                counts.peers,
                counts.connecting,
                counts.ike_sas,
                counts.half_open,
                counts.children,
            ];
            assert_eq!(left, [0; 5], "{counts:?}");
            assert_eq!(end.poll_timeout(), None);
            assert!(application.installed.is_empty(), "{:?}", application.installed);
            assert_eq!(application.ever_peers, application.closed_peers);
        }
    }

    const fn inside(&self) -> IpAddr {
        if self.nat { INSIDE } else { OUTSIDE }
    }

    fn peer(&self, end: usize, choice: u8) -> Option<PeerHandle> {
        choose(&self.applications[end].ever_peers, choice)
    }

    fn child(&self, end: usize, choice: u8) -> Option<ChildHandle> {
        choose(&self.applications[end].ever_children, choice)
    }

    fn flight(&mut self, place: u8) -> Option<&mut Flight> {
        let place = usize::from(place) % self.flights.len().max(1);
        self.flights.get_mut(place).filter(|flight| !flight.octets.is_empty())
    }

    /// What the receiver of a datagram sees, where it arrives at all.
    fn travel(&self, from: usize, path: Path) -> Option<Path> {
        let shift = if self.nat { self.binding } else { 0 };
        let (local, remote) = match from {
            0 => {
                let source = SocketAddr::new(OUTSIDE, path.local.port() + shift);
                (path.remote, source)
            }
            _ => {
                let inside = path.remote.port().checked_sub(shift)?;
                (SocketAddr::new(self.inside(), inside), path.local)
            }
        };
        let socket = match local.port() {
            500 => Socket::Ike,
            4500 => Socket::NatT,
            _ => return None,
        };
        Some(Path { socket, local, remote })
    }

    /// The path of a made-up datagram.
    fn path_to(&self, end: usize, stranger: bool) -> Path {
        let nat_t = self.nat;
        let port = if nat_t { 4500 } else { 500 };
        let sender = Path {
            socket: Socket::Ike,
            local: SocketAddr::new(if end == 0 { SERVER } else { self.inside() }, port),
            remote: SocketAddr::new(
                if end == 0 { OUTSIDE } else { SERVER },
                port + match end {
                    0 if self.nat => self.binding,
                    _ => 0,
                },
            ),
        };
        let path = self.travel(1 - end, sender).unwrap_or(sender);
        if stranger { Path { remote: STRANGER, ..path } } else { path }
    }

    fn forge(&mut self, forgery: Forgery) {
        let Forgery { end, stranger, sa, exchange, first, message_id, hash, encrypted, octets } =
            forgery;
        let (cookies, seen_id) = match self.seen.len() {
            0 => (Cookies::first([sa; 8]), 0),
            len => self.seen[usize::from(sa) % len],
        };
        let exchange = match exchange % 6 {
            0 => ExchangeType::MAIN_MODE,
            1 => ExchangeType::AGGRESSIVE,
            2 | 3 => ExchangeType::INFORMATIONAL,
            4 => ExchangeType::QUICK_MODE,
            _ => ExchangeType(exchange),
        };
        let message_id = match message_id {
            0 => 0,
            1..=127 => seen_id,
            new => new.into(),
        };
        let mut header = Header::new(cookies, exchange, message_id);
        header.next_payload = if hash { PayloadType::HASH } else { PayloadType(first) };
        let mut body = Vec::new();
        if hash {
            body.extend([first, 0, 0, 4 + HASH_LEN]);
            body.extend([0; HASH_LEN as usize]);
        }
        body.extend(octets);
        if encrypted {
            header.flags = Flags::ENCRYPTION;
            body.resize(body.len().next_multiple_of(16), 0);
        }
        header.length = u32::try_from(Header::LEN + body.len()).unwrap();
        let path = self.path_to(end, stranger);
        let mut octets = Vec::new();
        if path.socket == Socket::NatT {
            octets.extend([0; 4]);
        }
        header.encode(&mut octets);
        octets.extend(body);
        self.flights.push_front(Flight { to: end, path, octets });
        self.deliver(0);
    }

    fn deliver(&mut self, place: u8) {
        let place = usize::from(place) % self.flights.len().max(1);
        let Some(Flight { to, path, octets }) = self.flights.remove(place) else { return };
        self.applications[to].traffic.entry(path.remote).or_default().0 += octets.len();
        let _ = self.ends[to].handle_datagram(self.now, path, &octets);
    }

    fn wait_until(&mut self, until: Instant) {
        self.now = self.now.max(until);
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
    }

    /// Drains both ends and checks what they promise.
    fn settle(&mut self) {
        // Time that has come is told, whatever else happened.
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
        for from in 0..2 {
            let mut octets = Vec::new();
            while let Some(transmit) = self.ends[from].poll_transmit(self.now, &mut octets) {
                assert_eq!(transmit.len, octets.len());
                self.sent(from, transmit.path, core::mem::take(&mut octets));
            }
            while let Some(event) = self.ends[from].poll_event() {
                self.applications[from].take(event);
            }
            self.applications[from].compare(&self.ends[from]);
            let next = self.ends[from].poll_timeout();
            assert!(next.is_none_or(|at| at > self.now), "hot loop");
        }
    }

    fn sent(&mut self, from: usize, path: Path, octets: Vec<u8>) {
        self.applications[from].traffic.entry(path.remote).or_default().1 += octets.len();
        let message = match path.socket {
            Socket::NatT if octets == [0xff] => None,
            Socket::NatT => Some(octets.strip_prefix(&[0; 4]).expect("a non-ESP marker")),
            _ => Some(&octets[..]),
        };
        if let Some(message) = message {
            let header = Header::decode(message).expect("a header");
            assert_eq!(header.length as usize, message.len());
            let seen = (header.cookies, header.message_id);
            if self.seen.len() < 256 && !self.seen.contains(&seen) {
                self.seen.push(seen);
            }
        }
        let arrival = self.travel(from, path).filter(|_| path.remote != STRANGER);
        if let Some(path) = arrival.filter(|_| self.flights.len() < FLIGHTS) {
            self.flights.push_back(Flight { to: 1 - from, path, octets });
        }
    }
}

impl Application {
    fn take(&mut self, event: Event) {
        match event {
            Event::CredentialsRequest { ticket, .. } => self.tickets.push(ticket),
            Event::PeerUp { peer, info } => {
                self.ever_peers.insert(peer);
                assert!(!self.closed_peers.contains(&peer), "nothing follows the end");
                assert!(self.up.insert(peer), "up once");
                self.trusted.insert(info.path.remote);
                self.trusted.insert(info.esp_path.remote);
            }
            Event::PeerRekeyed { peer } => assert!(self.up.contains(&peer)),
            Event::PathChanged { peer, path } => {
                assert!(self.up.contains(&peer));
                self.trusted.insert(path.remote);
            }
            Event::ChildInstall(child) => {
                assert!(self.up.contains(&child.peer));
                assert!(!self.closed_children.contains(&child.child), "nothing follows the end");
                self.ever_children.insert(child.child);
                let state = (child.peer, child.outbound_ready);
                assert!(self.installed.insert(child.child, state).is_none(), "installed once");
                assert!(child.inbound.spi > 255 && child.outbound.spi > 255, "{child:?}");
                assert!(self.spis.insert(child.inbound.spi), "an SPI is never in use twice");
                assert_eq!(child.inbound.keymat.len(), child.suite.keymat_len());
                assert_eq!(child.outbound.keymat.len(), child.suite.keymat_len());
            }
            Event::ChildReady { child } => {
                // Once more when it is to be used again, since the peer deleted a newer one.
                self.installed.get_mut(&child).expect("it was installed").1 = true;
            }
            Event::ChildClosed { child, .. } => {
                self.installed.remove(&child);
                self.ever_children.insert(child);
                assert!(self.closed_children.insert(child), "closed once");
            }
            Event::PeerClosed { peer, reason } => {
                assert!(self.ever_peers.contains(&peer), "it was named before");
                assert!(self.closed_peers.insert(peer), "closed once");
                self.up.remove(&peer);
                let left = self.installed.values().filter(|(of, _)| *of == peer).count();
                assert_eq!(left, 0, "its pairs are closed first");
                assert!(!reason.explain().is_empty());
            }
            Event::Failed { reason, .. } => assert!(!reason.explain().is_empty()),
            _ => {}
        }
    }

    /// What the events told is what the tables say.
    fn compare(&self, end: &Endpoint) {
        let counts = end.counts();
        assert_eq!(counts.peers, self.up.len());
        assert!(end.peers().eq(self.up.iter().copied()));
        assert!(counts.children >= self.installed.len());
        assert!(counts.queued == 0 && counts.half_open <= 8 && counts.peers <= 6);
        for (remote, (received, sent)) in &self.traffic {
            let bounded = *sent <= received * 3 || self.trusted.contains(remote);
            assert!(bounded, "{remote} sent {received} octets and got {sent}");
        }
    }
}

fn choose<T: Copy>(from: &BTreeSet<T>, choice: u8) -> Option<T> {
    from.iter().nth(usize::from(choice) % from.len().max(1)).copied()
}
