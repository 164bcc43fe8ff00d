//! A server and its clients, with and without NATs.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;

use ipsec_ike::ChildHandle;
use ipsec_ike::ChildSa;
use ipsec_ike::CloseReason;
use ipsec_ike::ConnectConfig;
use ipsec_ike::Endpoint;
use ipsec_ike::EndpointConfig;
use ipsec_ike::Event;
use ipsec_ike::PeerHandle;
use ipsec_ike::PeerInfo;
use ipsec_ike::PskSelector;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::Net;
use vpn_netsim::NodeId;
use vpn_netsim::SeededRandom;

pub(crate) const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
pub(crate) const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));
pub(crate) const PSK: &str = "a long and random text";

pub(crate) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The groups are small where a test is not about them: speed.
pub(crate) fn client_config() -> EndpointConfig {
    EndpointConfig::new().psk(PskSelector::Any, PSK.into()).ike(fast())
}

pub(crate) fn server_config() -> EndpointConfig {
    client_config().respond(true)
}

fn fast() -> Vec<ipsec_ike::proposal::IkeProposal> {
    ipsec_ike::proposal::IkeProposal::list("aes256-sha256-x25519,aes128-sha1-modp2048").unwrap()
}

pub(crate) fn endpoint(config: EndpointConfig, seed: u64) -> Endpoint {
    Endpoint::new(config, vpn_crypto::provider(), Box::new(SeededRandom::new(seed))).unwrap()
}

/// Two nodes, and what they reported.
pub(crate) struct Pair {
    pub(crate) net: Net<Endpoint>,
    pub(crate) server: NodeId,
    pub(crate) client: NodeId,
    pub(crate) client_address: IpAddr,
    pub(crate) events: Vec<(NodeId, Event)>,
}

impl Pair {
    pub(crate) fn new(seed: u64, client: EndpointConfig, server: EndpointConfig) -> Self {
        Self::build(seed, client, server, None)
    }

    /// The client is behind a NAT.
    pub(crate) fn behind_nat(
        seed: u64,
        client: EndpointConfig,
        server: EndpointConfig,
        nat: Nat,
    ) -> Self {
        Self::build(seed, client, server, Some(nat))
    }

    fn build(seed: u64, client: EndpointConfig, server: EndpointConfig, nat: Option<Nat>) -> Self {
        let mut net = Net::new(seed);
        net.set_default_link(Link { delay: Duration::from_millis(20), ..Link::PERFECT });
        let at_server = net.add(endpoint(server, seed + 1), &[SERVER]);
        let client = endpoint(client, seed + 2);
        let (at_client, client_address) = match nat {
            None => (net.add(client, &[CLIENT]), CLIENT),
            Some(nat) => {
                let inside = net.add_nat(vpn_netsim::Realm::PUBLIC, CLIENT, nat);
                let private = IpAddr::from([10, 0, 0, 2]);
                (net.add_inside(inside, client, &[private]), private)
            }
        };
        let events = Vec::new();
        Self { net, server: at_server, client: at_client, client_address, events }
    }

    pub(crate) fn connect_config(&self) -> ConnectConfig {
        let local = SocketAddr::new(self.client_address, 500);
        ConnectConfig::new(SocketAddr::new(SERVER, 500), local)
    }

    pub(crate) fn connect(&mut self) -> PeerHandle {
        let config = self.connect_config();
        self.connect_with(config)
    }

    pub(crate) fn connect_with(&mut self, config: ConnectConfig) -> PeerHandle {
        self.net.with(self.client, |client, now| client.connect(now, config)).unwrap()
    }

    /// Lets time pass and collects what is reported.
    pub(crate) fn run(&mut self, time: Duration) {
        let limit = self.net.now() + time;
        while let Some((node, event)) = self.net.next_event(limit) {
            self.events.push((node, event));
        }
    }

    /// Lets time pass until `done` sees what it waits for.
    pub(crate) fn run_until(&mut self, time: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let limit = self.net.now() + time;
        while !done(self) {
            match self.net.next_event(limit) {
                Some(event) => self.events.push(event),
                None => return done(self),
            }
        }
        true
    }

    pub(crate) fn of(&self, node: NodeId) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |(at, _)| *at == node).map(|(_, event)| event)
    }

    pub(crate) fn info(&self, node: NodeId) -> Option<&PeerInfo> {
        self.of(node).find_map(|event| match event {
            Event::PeerUp { info, .. } => Some(&**info),
            _ => None,
        })
    }

    pub(crate) fn handle(&self, node: NodeId) -> Option<PeerHandle> {
        self.of(node).find_map(|event| match event {
            Event::PeerUp { peer, .. } => Some(*peer),
            _ => None,
        })
    }

    pub(crate) fn installed(&self, node: NodeId) -> Vec<&ChildSa> {
        let installed = self.of(node).filter_map(|event| match event {
            Event::ChildInstall(child) => Some(&**child),
            _ => None,
        });
        installed.collect()
    }

    /// Pairs that may be sent on: reported ready, or ready from the start.
    pub(crate) fn ready(&self, node: NodeId) -> Vec<ChildHandle> {
        let ready = self.of(node).filter_map(|event| match event {
            Event::ChildInstall(child) if child.outbound_ready => Some(child.child),
            Event::ChildReady { child } => Some(*child),
            _ => None,
        });
        ready.collect()
    }

    pub(crate) fn closed(&self, node: NodeId) -> Option<&CloseReason> {
        self.of(node).find_map(|event| match event {
            Event::PeerClosed { reason, .. } | Event::Failed { reason, .. } => Some(reason),
            _ => None,
        })
    }

    /// Both ends have the same pair, and may use it.
    pub(crate) fn is_up(&self) -> bool {
        !self.ready(self.server).is_empty() && !self.ready(self.client).is_empty()
    }
}

/// The two ends agree on keys, addresses and ports.
pub(crate) fn assert_match(client: &ChildSa, server: &ChildSa) {
    assert_eq!(client.suite, server.suite);
    for (one, other) in [(&client.inbound, &server.outbound), (&client.outbound, &server.inbound)] {
        assert_eq!(one.spi, other.spi);
        assert_eq!(one.keymat.expose(), other.keymat.expose());
        assert_eq!(one.keymat.len(), client.suite.keymat_len());
    }
    assert_ne!(client.inbound.keymat.expose(), client.outbound.keymat.expose());
    assert_eq!(client.encapsulated, server.encapsulated);
    assert_eq!(client.local.port, server.remote.port);
    assert_eq!(client.remote.port, server.local.port);
}
