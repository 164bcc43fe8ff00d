//! A peer that deletes all its security associations, as some do to authenticate anew: its
//! sessions wait for it, but not for ever.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use core::net::SocketAddr;
use core::time::Duration;

use ipsec_esp::InboundSa;
use ipsec_esp::NextHeader;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Shared;
use ipsec_esp::Spi;
use ipsec_ike::PeerHandle;
use l2tp_control::ConnectedCall;
use l2tp_control::IncomingCall;
use l2tp_control::LinkId;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelResult;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerEvent;
use l2tp_wire::StopCcnResult;
use vpn_core::Instant;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_netsim::SeededRandom;

use sim::secs;

const LINK: LinkId = LinkId(1);
/// The key of somebody else.
const OTHER_PSK: &str = "tYq0uKc4mEw7ZjRd1sVbNg";

/// A server and a client whose IKE, ESP and L2TP know nothing of each other.
struct Pair {
    now: Instant,
    server: Server,
    told: Vec<ServerEvent>,
    ike: ipsec_ike::Endpoint,
    peer: Option<PeerHandle>,
    sas: Option<(InboundSa<Shared>, OutboundSa<Shared>, Path)>,
    l2tp: l2tp_control::Endpoint,
    here: SocketAddr,
}

fn ike(psk: &str, seed: u64) -> ipsec_ike::Endpoint {
    let config = ipsec_ike::EndpointConfig::new().psk(ipsec_ike::PskSelector::Any, psk.into());
    let random = Box::new(SeededRandom::new(seed));
    ipsec_ike::Endpoint::new(config, vpn_crypto::provider(), random).unwrap()
}

fn l2tp(seed: u64) -> l2tp_control::Endpoint {
    let config = l2tp_control::EndpointConfig::new(TunnelConfig::new("lac"));
    let random = Box::new(SeededRandom::new(seed));
    l2tp_control::Endpoint::new(config, vpn_crypto::provider(), random)
}

fn swapped(path: Path) -> Path {
    Path { local: path.remote, remote: path.local, ..path }
}

impl Pair {
    fn new() -> Self {
        let provider = vpn_crypto::provider();
        let random = |seed| Box::new(SeededRandom::new(seed));
        let config = sim::secure_server_config().tunnel_linger(secs(3_600));
        let any = ipsec_ike::PskSelector::Any;
        let config = config.ipsec(|ipsec| ipsec.psk(any, OTHER_PSK.into()));
        Self {
            now: Instant::ZERO,
            server: Server::new(config, sim::users(), provider, random(1)).unwrap(),
            told: Vec::new(),
            ike: ike(sim::PSK, 2),
            peer: None,
            sas: None,
            l2tp: l2tp(3),
            here: "192.0.2.2:500".parse().unwrap(),
        }
    }

    fn connect(&mut self) {
        let there = SocketAddr::new(sim::server_address().ip(), 500);
        let config = ipsec_ike::ConnectConfig::new(there, self.here);
        self.peer = Some(self.ike.connect(self.now, config).unwrap());
        self.exchange();
        assert!(self.sas.is_some());
    }

    fn delete_all(&mut self) {
        self.ike.close_peer(self.now, self.peer.take().unwrap()).unwrap();
        self.exchange();
        assert!(self.sas.is_none());
    }

    fn open_tunnel(&mut self) -> TunnelHandle {
        let there = sim::server_address();
        let path = Path::l2tp(SocketAddr::new(self.here.ip(), 1701), there);
        let tunnel = self.l2tp.open_tunnel(self.now, LINK, path, TunnelConfig::new("lac")).unwrap();
        let call = IncomingCall::default();
        self.l2tp.open_session(self.now, tunnel, call, Some(ConnectedCall::default())).unwrap();
        self.exchange();
        assert_eq!((self.server.tunnels(), self.server.sessions().count()), (1, 1));
        tunnel
    }

    /// Carries datagrams until nobody has more to say.
    fn exchange(&mut self) {
        loop {
            let mut buf = Vec::new();
            if let Some(sent) = self.ike.poll_transmit(self.now, &mut buf) {
                let _ = self.server.handle_datagram(self.now, swapped(sent.path), &mut buf);
            } else if let Some((_, sent)) = self.l2tp.poll_transmit(self.now, &mut buf) {
                self.send(&buf[..sent.len]);
            } else if let Some(sent) = self.server.poll_transmit(self.now, &mut buf) {
                self.receive(swapped(sent.path), &mut buf);
            } else {
                break;
            }
            self.ike_events();
            while self.l2tp.poll_event().is_some() {}
            while let Some(event) = self.server.poll_event() {
                self.told.push(event);
            }
        }
    }

    fn send(&mut self, message: &[u8]) {
        let Some((_, outbound, path)) = &self.sas else { return };
        let len = u16::try_from(message.len() + 8).unwrap().to_be_bytes();
        let mut storage = vec![0; 64];
        storage.extend([0x06, 0xa5, 0x06, 0xa5, len[0], len[1], 0, 0]);
        storage.extend(message);
        let end = storage.len();
        storage.resize(end + 64, 0);
        let mut packet = PacketMut::new(&mut storage, 64..end).unwrap();
        outbound.seal(&mut packet, NextHeader::UDP).unwrap();
        let _ = self.server.handle_datagram(self.now, swapped(*path), packet.payload_mut());
    }

    fn receive(&mut self, path: Path, datagram: &mut [u8]) {
        if path.socket == Socket::Ike {
            let _ = self.ike.handle_datagram(self.now, path, datagram);
            return;
        }
        let Some((inbound, _, _)) = &self.sas else { return };
        let mut packet = PacketMut::whole(datagram);
        if inbound.open(&mut packet).is_ok() {
            let l2tp = |address: SocketAddr| SocketAddr::new(address.ip(), 1701);
            let inner = Path::l2tp(l2tp(path.local), l2tp(path.remote));
            let _ = self.l2tp.handle_datagram(self.now, LINK, inner, &packet.payload()[8..]);
        }
    }

    fn ike_events(&mut self) {
        while let Some(event) = self.ike.poll_event() {
            match event {
                ipsec_ike::Event::ChildInstall(child) => {
                    let crypto = vpn_crypto::provider().esp_suite(child.suite).unwrap();
                    let open = crypto.open_key(child.inbound.keymat.expose()).unwrap();
                    let keymat = child.outbound.keymat.expose();
                    let seal = crypto.seal_key(keymat, &mut SeededRandom::new(4)).unwrap();
                    let config = |spi| SaConfig::new(Spi(spi));
                    let inbound = InboundSa::new(open, config(child.inbound.spi)).unwrap();
                    let outbound = OutboundSa::new(seal, config(child.outbound.spi)).unwrap();
                    self.sas = Some((inbound, outbound, child.esp_path));
                }
                ipsec_ike::Event::ChildClosed { .. } => self.sas = None,
                _ => {}
            }
        }
    }

    fn run_until(&mut self, end: Instant) {
        loop {
            let next =
                [self.ike.poll_timeout(), self.l2tp.poll_timeout(), self.server.poll_timeout()];
            let next = next.into_iter().flatten().min().unwrap_or(end);
            self.now = self.now.max(next.min(end));
            self.ike.handle_timeout(self.now);
            self.l2tp.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            self.exchange();
            if next > end {
                break;
            }
        }
    }

    fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    fn ended(&self) -> Vec<&DisconnectReason> {
        let ended = self.told.iter().filter_map(|event| match event {
            ServerEvent::Disconnected(ended) => Some(&ended.reason),
            _ => None,
        });
        ended.collect()
    }
}

/// strongSwan authenticates anew by deleting first, and L2TP above it goes on.
#[test]
fn who_authenticates_anew_goes_on() {
    let mut pair = Pair::new();
    pair.connect();
    let tunnel = pair.open_tunnel();
    for _ in 0..3 {
        pair.delete_all();
        pair.run_for(secs(2));
        assert_eq!((pair.server.tunnels(), pair.ended()), (1, vec![]));
        pair.connect();
        // What the server had to say meanwhile comes now.
        pair.run_for(secs(3));
        assert_eq!((pair.server.sessions().count(), pair.ended()), (1, vec![]));
    }
    // The tunnel is the same: its end is understood.
    let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
    pair.l2tp.close_tunnel(pair.now, tunnel, result);
    pair.run_for(secs(1));
    assert_eq!(pair.server.tunnels(), 0);
    assert_eq!(pair.ended().len(), 1);
}

#[test]
fn who_does_not_come_back_is_given_up() {
    let mut pair = Pair::new();
    pair.connect();
    pair.open_tunnel();
    pair.delete_all();
    let deleted = pair.now;
    pair.run_until(deleted + secs(5));
    assert_eq!((pair.server.tunnels(), pair.ended()), (1, vec![]));
    pair.run_until(deleted + secs(61));
    assert_eq!((pair.server.tunnels(), pair.server.sessions().count()), (0, 0));
    assert_eq!(pair.server.pool().lent(), 0);
    // Another client at the same place begins from nothing.
    pair.connect();
    pair.open_tunnel();
}

/// Who dials anew has forgotten the session before, which must not hold its address.
#[test]
fn who_dials_anew_begins_from_nothing() {
    let mut pair = Pair::new();
    pair.connect();
    pair.open_tunnel();
    pair.delete_all();
    pair.l2tp = l2tp(6);
    pair.connect();
    pair.open_tunnel();
    let ended = pair.ended();
    assert!(matches!(ended[..], [DisconnectReason::Ipsec(_)]), "{ended:?}");
}

/// Who has another key is another peer, though it claims the identity and comes from the place of
/// the one who left.
#[test]
fn another_key_is_another_peer() {
    let mut pair = Pair::new();
    pair.connect();
    let tunnel = pair.open_tunnel();
    pair.delete_all();
    pair.ike = ike(OTHER_PSK, 5);
    pair.connect();
    let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
    pair.l2tp.close_tunnel(pair.now, tunnel, result);
    pair.run_for(secs(1));
    assert_eq!((pair.server.tunnels(), pair.ended()), (1, vec![]));
}
