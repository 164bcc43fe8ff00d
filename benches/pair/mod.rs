//! One server in memory and the clients that it gets.
//!
//! There is no network: datagrams are handed over at once, and no time passes.
#![allow(dead_code, clippy::disallowed_methods, reason = "each benchmark uses a part")]

use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use core::time::Duration;
use std::time::Instant as Clock;

use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::Connected;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::Users;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_netsim::SeededRandom;

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PSK: &str = "5Vf1yGqM9zPtR0sWc3XbNa";

/// One tunnel for each client, and as many tunnels as one link has.
pub(crate) const CAPACITY: u32 = 60_000;

/// How the clients come.
#[derive(Clone, Debug)]
pub(crate) enum Carrier {
    Clear,
    /// Over IPsec, with one proposal for IKE and one for ESP, and a UDP checksum in ESP or none.
    Ipsec {
        ike: &'static str,
        esp: String,
        checksum: bool,
    },
}

/// A server, and how many clients it has had.
pub(crate) struct Pair {
    carrier: Carrier,
    pub(crate) server: Server,
    /// What its calls took.
    pub(crate) server_time: Duration,
    clients: u32,
    datagram: Vec<u8>,
}

/// The path as the other end sees it.
pub(crate) fn seen_by_peer(path: Path) -> Path {
    Path { local: path.remote, remote: path.local, ..path }
}

impl Pair {
    pub(crate) fn new(carrier: Carrier) -> Self {
        let config = match &carrier {
            Carrier::Clear => ServerConfig::plain_l2tp(),
            Carrier::Ipsec { checksum, .. } => ServerConfig::new(PSK).data_checksum(*checksum),
        };
        let config = config.pool("10.0.0.0/8".parse().expect("a pool")).max_sessions(usize::MAX);
        let users = Users::new().user("alice", "wonderland");
        let random = Box::new(SeededRandom::new(1));
        let server = Server::new(config, users, vpn_crypto::provider(), random).expect("a server");
        let (server_time, datagram) = (Duration::ZERO, Vec::new());
        Self { carrier, server, server_time, clients: 0, datagram }
    }

    fn client_config(&self) -> (ClientConfig, u16) {
        match &self.carrier {
            Carrier::Clear => (ClientConfig::plain_l2tp(SocketAddr::new(SERVER, 1701)), 1701),
            Carrier::Ipsec { ike, esp, .. } => {
                let ike = vec![ike.parse().expect("a proposal of IKE")];
                let esp = vec![esp.parse().expect("a proposal of ESP")];
                let config = ClientConfig::new(SERVER, PSK);
                (config.ipsec(|ipsec| ipsec.ike(ike).esp(esp)), 500)
            }
        }
    }

    /// Brings one client up. A server that is full makes room for a new one.
    pub(crate) fn set_up(&mut self) -> (Client, Connected) {
        if self.clients == CAPACITY {
            let full = core::mem::replace(self, Self::new(self.carrier.clone()));
            self.server_time = full.server_time;
        }
        self.clients += 1;
        // Every client has an address of its own: what is half-open is counted for each.
        let (config, port) = self.client_config();
        let address = SocketAddr::from((Ipv4Addr::from(0x0b00_0000 + self.clients), port));
        let random = Box::new(SeededRandom::new(0x0001_0000 + u64::from(self.clients)));
        let config = config.user("alice", "wonderland");
        let mut client = Client::new(config, vpn_crypto::provider(), random).expect("a client");
        let now = Instant::ZERO;
        client.connect(now, address).expect("a tunnel");
        loop {
            while let Some(sent) = client.poll_transmit(now, &mut self.datagram) {
                let began = Clock::now();
                let path = seen_by_peer(sent.path);
                let _ = self.server.handle_datagram(now, path, &mut self.datagram);
                self.server_time += began.elapsed();
                self.datagram.clear();
            }
            loop {
                let began = Clock::now();
                let sent = self.server.poll_transmit(now, &mut self.datagram);
                self.server_time += began.elapsed();
                let Some(sent) = sent else { break };
                let path = seen_by_peer(sent.path);
                let _ = client.handle_datagram(now, path, &mut self.datagram);
                self.datagram.clear();
            }
            let began = Clock::now();
            while self.server.poll_event().is_some() {}
            self.server_time += began.elapsed();
            while let Some(event) = client.poll_event() {
                match event {
                    ClientEvent::Connected(up) => return (client, up),
                    ClientEvent::Disconnected { reason } => panic!("{}", reason.explain()),
                    _ => {}
                }
            }
        }
    }
}
