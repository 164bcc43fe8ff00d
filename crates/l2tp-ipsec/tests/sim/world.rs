use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use bytes::Bytes;
use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::Connected;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::Disconnected;
use l2tp_ipsec::SealError;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::SessionId;
use l2tp_ipsec::Users;
use l2tp_ipsec::ike::CredentialsTicket;
use ppp_core::AuthRequest;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_netsim::Link;
use vpn_netsim::Net;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;
use vpn_netsim::Role;
use vpn_netsim::SeededRandom;

use super::Host;
use super::packet;
use super::server_address;

pub type Node = Role<Host<Client>, Host<Server>>;
type Event = Role<ClientEvent, ServerEvent>;

/// What a client has reported since it was made.
#[derive(Debug, Default)]
pub struct Caller {
    /// Whether it comes over IPsec.
    pub secure: bool,
    pub up: Option<Connected>,
    /// How often IPv4 came up.
    pub ups: usize,
    pub up_at: Option<Instant>,
    pub packets: Vec<Bytes>,
    pub ended: Option<DisconnectReason>,
    pub ended_at: Option<Instant>,
}

impl Caller {
    /// Its address inside the tunnel.
    pub fn address(&self) -> Ipv4Addr {
        self.up.as_ref().expect("the client is up").local_address
    }
}

/// A server, its clients, and what they have reported.
pub struct World {
    pub net: Net<Node>,
    pub server: NodeId,
    pub clients: BTreeMap<NodeId, Caller>,
    pub connected: Vec<Connected>,
    pub disconnected: Vec<Disconnected>,
    pub refused: Vec<DisconnectReason>,
    pub requests: Vec<(SessionId, AuthRequest)>,
    pub packets: Vec<(SessionId, Bytes)>,
    pub drained: bool,
    /// Whether the inside of the server sends every packet back.
    pub echo: bool,
    addresses: BTreeMap<NodeId, SocketAddr>,
    /// Peers whose keys the server asks for.
    pub asked: Vec<(CredentialsTicket, Path)>,
    /// Whom IKE has proved.
    pub peers: usize,
    pub moved: Vec<Path>,
    random: SeededRandom,
}

impl World {
    pub fn new(seed: u64, link: Link, config: ServerConfig, users: Users) -> Self {
        let mut random = SeededRandom::new(!seed);
        let generator = Box::new(random.fork());
        let server = Server::new(config, users, vpn_crypto::provider(), generator).unwrap();
        let mut net = Net::new(seed);
        net.set_default_link(link);
        let split = seed % 2 == 1;
        let server = net.add(Role::Server(Host::new(server, split)), &[server_address().ip()]);
        Self {
            net,
            server,
            clients: BTreeMap::new(),
            connected: Vec::new(),
            disconnected: Vec::new(),
            refused: Vec::new(),
            requests: Vec::new(),
            packets: Vec::new(),
            drained: false,
            echo: true,
            addresses: BTreeMap::new(),
            asked: Vec::new(),
            peers: 0,
            moved: Vec::new(),
            random,
        }
    }

    /// Adds another server, whose reports come with the first one's.
    pub fn add_server(&mut self, address: IpAddr, config: ServerConfig) {
        let generator = Box::new(self.random.fork());
        let provider = vpn_crypto::provider();
        let server = Server::new(config, super::users(), provider, generator).unwrap();
        self.net.add(Role::Server(Host::new(server, false)), &[address]);
    }

    /// A server of the ordinary kind, on a good line.
    pub fn ordinary(seed: u64) -> Self {
        Self::new(seed, Link::default(), super::server_config(), super::users())
    }

    /// Adds a client that has not begun to connect.
    pub fn add(&mut self, config: ClientConfig) -> NodeId {
        self.add_inside(Realm::PUBLIC, config)
    }

    /// A server of L2TP over IPsec, on a good line.
    pub fn secure(seed: u64) -> Self {
        Self::new(seed, Link::default(), super::secure_server_config(), super::users())
    }

    /// Adds such a client to the inside of a NAT.
    pub fn add_inside(&mut self, realm: Realm, config: ClientConfig) -> NodeId {
        let nth = u32::try_from(self.addresses.len()).unwrap() + 1;
        let address = IpAddr::V4(Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + nth));
        self.add_at(realm, address, config)
    }

    /// Adds such a client with this address.
    pub fn add_at(&mut self, realm: Realm, address: IpAddr, config: ClientConfig) -> NodeId {
        let nth = self.addresses.len() + 1;
        let secure = config.is_secure();
        let client = self.machine(config);
        let split = nth % 2 == 1;
        let id = self.net.add_inside(realm, Role::Client(Host::new(client, split)), &[address]);
        self.addresses.insert(id, SocketAddr::new(address, 1701));
        self.clients.insert(id, Caller { secure, ..Caller::default() });
        id
    }

    /// Adds a client and has it connect.
    pub fn connect(&mut self, config: ClientConfig) -> NodeId {
        let id = self.add(config);
        self.call(id);
        id
    }

    /// Puts a new client in the place of one that has ended, and has it connect.
    pub fn redial(&mut self, id: NodeId, config: ClientConfig) {
        let secure = config.is_secure();
        let client = self.machine(config);
        self.clients.insert(id, Caller { secure, ..Caller::default() });
        self.net.with(id, |node, _| {
            let host = node.client_mut();
            *host = Host::new(client, host.split);
        });
        self.call(id);
    }

    pub fn call(&mut self, id: NodeId) {
        let mut local = self.address(id);
        if self.clients[&id].secure {
            local.set_port(500);
        }
        let machine = |node: &mut Node, now| node.client_mut().machine.connect(now, local);
        self.net.with(id, machine).unwrap();
    }

    fn machine(&mut self, config: ClientConfig) -> Client {
        let generator = Box::new(self.random.fork());
        Client::new(config, vpn_crypto::provider(), generator).unwrap()
    }

    /// Where a client's socket is bound.
    pub fn address(&self, id: NodeId) -> SocketAddr {
        self.addresses[&id]
    }

    pub fn server(&self) -> &Server {
        &self.net.node(self.server).server().machine
    }

    pub fn client(&self, id: NodeId) -> &Client {
        &self.net.node(id).client().machine
    }

    pub fn with_server<R>(&mut self, call: impl FnOnce(&mut Server, Instant) -> R) -> R {
        self.net.with(self.server, |node, now| call(&mut node.server_mut().machine, now))
    }

    /// How often a client's keys were replaced.
    pub fn rekeyed(&self, id: NodeId) -> u32 {
        self.client(id).session().unwrap().rekeys
    }

    pub fn hang_up(&mut self, id: NodeId) {
        self.net.with(id, |node, now| node.client_mut().machine.disconnect(now));
    }

    /// Sends an IP packet from a client.
    pub fn send(&mut self, id: NodeId, packet: &[u8]) -> Result<(), SealError> {
        self.net.with(id, |node, _| {
            let host = node.client_mut();
            let mut buf = Vec::new();
            let transmit = host.machine.send_ip(packet, &mut buf)?;
            host.post(transmit.path, buf);
            Ok(())
        })
    }

    /// Sends an IP packet from the server.
    pub fn send_down(&mut self, session: SessionId, packet: &[u8]) -> Result<(), SealError> {
        self.net.with(self.server, |node, _| {
            let host = node.server_mut();
            let mut buf = Vec::new();
            let transmit = host.machine.send_ip(session, packet, &mut buf)?;
            host.post(transmit.path, buf);
            Ok(())
        })
    }

    /// Sends a datagram from a client's socket that the client did not make.
    pub fn post_to_server(&mut self, from: NodeId, datagram: Vec<u8>) {
        let path = Path::l2tp(self.address(from), server_address());
        self.net.with(from, |node, _| node.client_mut().post(path, datagram));
    }

    /// Sends a datagram from any socket of a client's host that the client did not make.
    pub fn post(
        &mut self,
        from: NodeId,
        socket: vpn_core::Socket,
        port: u16,
        to: SocketAddr,
        datagram: Vec<u8>,
    ) {
        let local = SocketAddr::new(self.address(from).ip(), port);
        let path = Path { socket, local, remote: to };
        self.net.with(from, |node, _| node.client_mut().post(path, datagram));
    }

    /// Sends a datagram from the server's socket that the server did not make.
    pub fn post_to_client(&mut self, to: NodeId, datagram: Vec<u8>) {
        let path = Path::l2tp(server_address(), self.address(to));
        self.net.with(self.server, |node, _| node.server_mut().post(path, datagram));
    }

    /// The server's session for the client with this address.
    pub fn session_of(&self, address: Ipv4Addr) -> Option<SessionId> {
        let mut sessions = self.server().sessions();
        sessions.find(|status| status.peer_address == Some(address)).map(|status| status.session)
    }

    /// Lets things happen while `condition` holds, but no longer than `limit`; says whether it
    /// ceased to hold.
    pub fn run_while(&mut self, limit: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let limit = self.net.now() + limit;
        self.collect();
        while condition(self) {
            if !self.net.step(limit) {
                self.net.run_until(limit);
                return !condition(self);
            }
            self.collect();
        }
        true
    }

    pub fn run_for(&mut self, time: Duration) {
        self.run_while(time, |_| true);
    }

    /// Waits until a client is up; it must be within `limit`.
    pub fn wait_up(&mut self, id: NodeId, limit: Duration) -> Connected {
        let up = self.run_while(limit, |world| {
            let caller = &world.clients[&id];
            caller.up.is_none() && caller.ended.is_none()
        });
        let caller = &self.clients[&id];
        assert!(up && caller.ended.is_none(), "{caller:?}");
        caller.up.clone().unwrap()
    }

    /// Waits until a client and its session at the server are up; it must be within `limit`.
    pub fn wait_both_up(&mut self, id: NodeId, limit: Duration) -> SessionId {
        let address = self.wait_up(id, limit).local_address;
        self.run_while(limit, |world| world.session_of(address).is_none());
        self.session_of(address).expect("the server's end is up too")
    }

    /// Waits until a client has ended; it must be within `limit`.
    pub fn wait_end(&mut self, id: NodeId, limit: Duration) -> DisconnectReason {
        let ended = self.run_while(limit, |world| world.clients[&id].ended.is_none());
        assert!(ended, "still there after {limit:?}: {:?}", self.client(id).session());
        self.clients[&id].ended.clone().unwrap()
    }

    /// Waits until the server has forgotten everything; it must be within `limit`.
    pub fn wait_empty(&mut self, limit: Duration) {
        self.run_for(limit);
        self.assert_empty();
    }

    pub fn is_empty(&self) -> bool {
        let server = self.server();
        let counts = server.counts();
        server.sessions().count() == 0
            && (counts.tunnels, counts.sessions, server.tunnels()) == (0, 0, 0)
    }

    /// The server has no session, no tunnel and no address out.
    pub fn assert_empty(&self) {
        let server = self.server();
        let counts = server.counts();
        assert_eq!(server.sessions().collect::<Vec<_>>(), [], "sessions");
        assert_eq!(server.tunnels(), 0, "open tunnels");
        let left = (counts.tunnels, counts.half_open, counts.stopping, counts.sessions);
        assert_eq!(left, (0, 0, 0, 0), "tunnels, half-open, stopping, calls");
        assert_eq!(server.pool().lent(), 0, "addresses");
        let ended: BTreeSet<_> = self.disconnected.iter().map(|ended| ended.session).collect();
        let all_ended = self.connected.iter().all(|up| ended.contains(&up.session));
        assert!(all_ended, "a session came up and never ended");
    }

    /// Takes note of what has been reported already.
    pub fn collect(&mut self) {
        while let Some((id, event)) = self.net.poll_event() {
            self.note(id, event);
        }
    }

    fn note(&mut self, id: NodeId, event: Event) {
        match event {
            Role::Client(event) => self.note_client(id, event),
            Role::Server(event) => self.note_server(event),
        }
    }

    fn note_client(&mut self, id: NodeId, event: ClientEvent) {
        let now = self.net.now();
        let caller = self.clients.get_mut(&id).unwrap();
        assert!(caller.ended.is_none(), "{event:?} after the last event");
        match event {
            ClientEvent::Connected(up) => {
                caller.up = Some(up);
                caller.ups += 1;
                caller.up_at = Some(now);
            }
            ClientEvent::Changed(up) => caller.up = Some(up),
            ClientEvent::Packet { packet } => caller.packets.push(packet),
            ClientEvent::Disconnected { reason } => {
                assert_is_sentence(&reason);
                caller.ended = Some(reason);
                caller.ended_at = Some(now);
            }
            ClientEvent::PeerUp(_) | ClientEvent::KeyLog(_) => {}
            ClientEvent::Moved { path } => self.moved.push(path),
            ClientEvent::Trace(trace) => println!("{now:?} {id:?} {trace}"),
            other => panic!("what is {other:?}?"),
        }
    }

    fn note_server(&mut self, event: ServerEvent) {
        assert!(!self.drained, "{event:?} after the last event");
        match event {
            ServerEvent::Connected(up) => self.connected.push(up),
            ServerEvent::Changed(_) => {}
            ServerEvent::Disconnected(ended) => {
                assert_is_sentence(&ended.reason);
                self.disconnected.push(ended);
            }
            ServerEvent::Refused { reason, .. } => {
                assert_is_sentence(&reason);
                self.refused.push(reason);
            }
            ServerEvent::AuthRequest { session, request } => self.requests.push((session, request)),
            ServerEvent::Packet { session, packet } => {
                if self.echo {
                    // A session that has just closed takes no answer.
                    let _ = self.send_down(session, &packet::echoed(&packet));
                }
                self.packets.push((session, packet));
            }
            ServerEvent::CredentialsRequest { ticket, path, .. } => self.asked.push((ticket, path)),
            ServerEvent::PeerUp(_) => self.peers += 1,
            ServerEvent::KeyLog(_) => {}
            ServerEvent::Moved { path } => self.moved.push(path),
            ServerEvent::Drained => self.drained = true,
            ServerEvent::Trace(trace) => println!("{:?} server {trace}", self.net.now()),
            other => panic!("what is {other:?}?"),
        }
    }
}

/// Whatever ends a session is told in a sentence that names the layer.
fn assert_is_sentence(reason: &DisconnectReason) {
    let text = reason.explain();
    let layer = match reason {
        DisconnectReason::Local(_) => "closed",
        DisconnectReason::Ipsec(_)
        | DisconnectReason::NoSccrq
        | DisconnectReason::NothingOverEsp { .. } => "IPsec",
        DisconnectReason::Tunnel(_) => "L2TP tunnel: ",
        DisconnectReason::Call(_) | DisconnectReason::CallDuringLogin(_) => "L2TP call: ",
        DisconnectReason::Ppp(_) | DisconnectReason::NoIpv4(_) => "PPP: ",
        other => panic!("what layer is {other:?}?"),
    };
    assert!(text.starts_with(layer), "{text}");
    assert!(text.split_whitespace().count() >= 3, "{text}");
}
