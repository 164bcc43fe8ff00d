//! One server in memory and the clients that it gets.
//!
//! There is no network: datagrams are handed over at once, and no time passes.

use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::SocketAddr;

use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::Users;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_netsim::SeededRandom;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1701);

/// One tunnel for each client, and as many tunnels as one link has.
pub(crate) const CAPACITY: u32 = 60_000;

/// A server, and how many clients it has had.
pub(crate) struct Pair {
    server: Server,
    clients: u32,
    datagram: Vec<u8>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let config = ServerConfig::plain_l2tp()
            .pool("10.0.0.0/8".parse().expect("a pool"))
            .max_sessions(usize::MAX);
        let users = Users::new().user("alice", "wonderland");
        let random = Box::new(SeededRandom::new(1));
        let server = Server::new(config, users, vpn_crypto::provider(), random).expect("a server");
        Self { server, clients: 0, datagram: Vec::new() }
    }

    /// Brings one client up. A server that is full makes room for a new one.
    pub(crate) fn set_up(&mut self) -> Client {
        if self.clients == CAPACITY {
            *self = Self::new();
        }
        self.clients += 1;
        // Every client has an address of its own: half-open tunnels are counted for each.
        let address = SocketAddr::from((Ipv4Addr::from(0x0b00_0000 + self.clients), 1701));
        let config = ClientConfig::plain_l2tp(SERVER).user("alice", "wonderland");
        let random = Box::new(SeededRandom::new(0x0001_0000 + u64::from(self.clients)));
        let mut client = Client::new(config, vpn_crypto::provider(), random).expect("a client");
        let now = Instant::ZERO;
        client.connect(now, address).expect("a tunnel");
        let to_server = Path::l2tp(SERVER, address);
        let to_client = Path::l2tp(address, SERVER);
        loop {
            while client.poll_transmit(now, &mut self.datagram).is_some() {
                let _ = self.server.handle_datagram(now, to_server, &mut self.datagram);
                self.datagram.clear();
            }
            while self.server.poll_transmit(now, &mut self.datagram).is_some() {
                let _ = client.handle_datagram(now, to_client, &mut self.datagram);
                self.datagram.clear();
            }
            while self.server.poll_event().is_some() {}
            while let Some(event) = client.poll_event() {
                match event {
                    ClientEvent::Connected(_) => return client,
                    ClientEvent::Disconnected { reason } => panic!("{}", reason.explain()),
                    _ => {}
                }
            }
        }
    }
}
