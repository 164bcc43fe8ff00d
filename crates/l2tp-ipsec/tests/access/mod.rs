//! Subscribers at a LAC, and an LNS behind it, on a simulated network.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::RefCell;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use core::time::Duration;

use l2tp_ipsec::AuthMethod;
use l2tp_ipsec::Connected;
use l2tp_ipsec::Disconnected;
use l2tp_ipsec::Lac;
use l2tp_ipsec::LacConfig;
use l2tp_ipsec::LacEvent;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::SubscriberId;
use l2tp_ipsec::Users;
use ppp_core::CloseReason;
use ppp_core::ControlCode;
use ppp_core::Credentials;
use ppp_core::Event;
use ppp_core::Link;
use ppp_core::LinkConfig;
use ppp_core::Protocol;
use ppp_core::frame;
use vpn_core::DatagramMachine;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::Path;
use vpn_core::Transmit;
use vpn_netsim::Datagram;
use vpn_netsim::Net;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;
use vpn_netsim::Role;
use vpn_netsim::SeededRandom;

pub const METHODS: [AuthMethod; 3] = [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2];

/// The code of a CHAP Challenge.
const CHALLENGE: u8 = 1;

pub fn lac_address() -> SocketAddr {
    "192.0.2.1:1701".parse().unwrap()
}

pub fn lns_address() -> SocketAddr {
    "192.0.2.2:1701".parse().unwrap()
}

pub fn lac_config(methods: &[AuthMethod]) -> LacConfig {
    LacConfig::plain_l2tp(lac_address(), lns_address()).auth(methods.iter().copied())
}

/// An LNS that trusts its LAC.
pub fn lns_config(methods: &[AuthMethod]) -> ServerConfig {
    let config = ServerConfig::plain_l2tp().pool("10.9.0.0/24".parse().unwrap());
    config.auth(methods.iter().copied()).trust_proxy_auth(true)
}

pub fn client(user: &str, methods: &[AuthMethod]) -> LinkConfig {
    LinkConfig::client(Credentials::new(user, "wonderland")).prove_with(methods)
}

/// A subscriber: its modem, and what came of it.
#[derive(Debug)]
pub struct Subscriber {
    pub id: SubscriberId,
    pub link: Link,
    pub closed: Option<CloseReason>,
    /// Every frame that came from the LAC.
    pub heard: Vec<Vec<u8>>,
    pub packets: Vec<Vec<u8>>,
    /// How many of them came before the LNS was called.
    pub before_call: Option<usize>,
    /// Whether the line is up.
    up: bool,
}

impl Subscriber {
    pub fn address(&self) -> Option<Ipv4Addr> {
        self.link.form().ipv4.map(|pair| pair.local)
    }

    /// How many packets of this protocol and code the LNS sent.
    pub fn heard_of_lns(&self, protocol: Protocol, code: Option<u8>) -> usize {
        self.count(self.before_call.unwrap_or(self.heard.len()), protocol, code)
    }

    pub fn challenges(&self) -> usize {
        self.count(0, Protocol::CHAP, Some(CHALLENGE))
    }

    pub fn lcp_requests_from_lns(&self) -> usize {
        self.heard_of_lns(Protocol::LCP, Some(ControlCode::CONFIGURE_REQUEST.0))
    }

    fn count(&self, from: usize, protocol: Protocol, code: Option<u8>) -> usize {
        let is_one = |frame: &&Vec<u8>| {
            let (found, at) = frame::protocol(frame).unwrap();
            found == protocol && code.is_none_or(|code| frame.get(at) == Some(&code))
        };
        self.heard[from..].iter().filter(is_one).count()
    }
}

/// A LAC with the lines of its subscribers, on which nothing takes time.
#[derive(Debug)]
pub struct Access {
    pub lac: Lac,
    pub subscribers: Vec<Subscriber>,
    /// How much of what crosses the lines is lost.
    pub line_loss: f64,
    dice: SeededRandom,
    events: Vec<LacEvent>,
}

impl Access {
    fn new(config: LacConfig, seed: u64) -> Self {
        let random = Box::new(SeededRandom::new(seed));
        let lac = Lac::new(config, vpn_crypto::provider(), random).unwrap();
        let dice = SeededRandom::new(!seed);
        Self { lac, subscribers: Vec::new(), line_loss: 0.0, dice, events: Vec::new() }
    }

    fn dial(&mut self, now: Instant, config: LinkConfig, speaks: bool) -> SubscriberId {
        let id = self.lac.subscriber_up(now).unwrap();
        let random = Box::new(SeededRandom::new(1000 + self.subscribers.len() as u64));
        let mut link = Link::new(Arc::new(config), vpn_crypto::provider(), random);
        if speaks {
            link.open(now);
        }
        self.subscribers.push(Subscriber {
            id,
            link,
            closed: None,
            heard: Vec::new(),
            packets: Vec::new(),
            before_call: None,
            up: true,
        });
        self.settle(now);
        id
    }

    /// Carries frames between the LAC and its subscribers until both sides are silent.
    fn settle(&mut self, now: Instant) {
        loop {
            let mut idle = true;
            let mut frame = Vec::new();
            for subscriber in &mut self.subscribers {
                while subscriber.link.poll_frame(now, &mut frame).is_some() {
                    idle = false;
                    if subscriber.up && !self.dice.chance(self.line_loss) {
                        let _ = self.lac.handle_frame(now, subscriber.id, &frame);
                    }
                    frame.clear();
                }
                while let Some(event) = subscriber.link.poll_event() {
                    if let Event::Closed { reason } = event {
                        subscriber.closed = Some(reason);
                    }
                }
            }
            while let Some((id, len)) = self.lac.poll_frame(now, &mut frame) {
                idle = false;
                assert_eq!(len, frame.len());
                let lost = self.dice.chance(self.line_loss);
                let subscriber = self.subscribers.iter_mut().find(|s| s.id == id).unwrap();
                assert!(subscriber.up, "a frame for a line that is down");
                if !lost {
                    subscriber.hear(now, &frame);
                }
                frame.clear();
            }
            while let Some(event) = self.lac.poll_event() {
                self.note(now, &event);
                self.events.push(event);
            }
            if idle {
                return;
            }
        }
    }

    fn note(&mut self, now: Instant, event: &LacEvent) {
        let find = |id| move |subscriber: &&mut Subscriber| subscriber.id == id;
        match event {
            LacEvent::Calling { subscriber, .. } => {
                let found = self.subscribers.iter_mut().find(find(*subscriber)).unwrap();
                found.before_call = Some(found.heard.len());
            }
            LacEvent::Ended { subscriber, .. } => {
                let found = self.subscribers.iter_mut().find(find(*subscriber)).unwrap();
                found.up = false;
                found.link.lower_down(now);
            }
            _ => {}
        }
    }
}

impl Subscriber {
    fn hear(&mut self, now: Instant, frame: &[u8]) {
        self.heard.push(frame.to_vec());
        let (protocol, at) = frame::protocol(frame).unwrap();
        if protocol == Protocol::IPV4 && self.address().is_some() {
            self.packets.push(frame[at..].to_vec());
        } else {
            let _ = self.link.handle_frame(now, frame);
        }
    }
}

impl Machine for Access {
    type Event = LacEvent;

    fn handle_timeout(&mut self, now: Instant) {
        self.lac.handle_timeout(now);
        for subscriber in &mut self.subscribers {
            if subscriber.link.poll_timeout().is_some_and(|due| due <= now) {
                subscriber.link.handle_timeout(now);
            }
        }
        self.settle(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let links = self.subscribers.iter().filter_map(|subscriber| subscriber.link.poll_timeout());
        links.chain(self.lac.poll_timeout()).min()
    }

    fn poll_event(&mut self) -> Option<LacEvent> {
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }
}

impl DatagramMachine for Access {
    fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        let handled = self.lac.handle_datagram(now, path, datagram);
        self.settle(now);
        handled
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        let transmit = self.lac.poll_transmit(now, buf);
        self.settle(now);
        transmit
    }
}

/// One LAC and one LNS.
pub struct World {
    pub net: Net<Role<Access, Server>>,
    pub lac: NodeId,
    pub lns: NodeId,
    pub connected: Vec<Connected>,
    pub disconnected: Vec<Disconnected>,
    /// IP packets that the LNS got.
    pub packets: Vec<Vec<u8>>,
    /// What the LAC said, but for traces.
    pub said: Vec<LacEvent>,
    /// Every L2TP message that was sent.
    pub wire: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl World {
    pub fn new(lac: LacConfig, lns: ServerConfig) -> Self {
        Self::with_users(lac, lns, Users::new().user("alice", "wonderland"), 1)
    }

    pub fn with_users(lac: LacConfig, lns: ServerConfig, users: Users, seed: u64) -> Self {
        let mut net = Net::new(seed);
        let random = Box::new(SeededRandom::new(seed + 1));
        let server = Server::new(lns, users, vpn_crypto::provider(), random).unwrap();
        let lns = net.add(Role::Server(server), &[lns_address().ip()]);
        let access = Access::new(lac, seed + 2);
        let lac = net.add(Role::Client(access), &[lac_address().ip()]);
        let wire = Rc::new(RefCell::new(Vec::new()));
        let tap = Rc::clone(&wire);
        net.observe(move |_, datagram, _| tap.borrow_mut().push(datagram.payload.clone()));
        let (connected, disconnected, packets) = (Vec::new(), Vec::new(), Vec::new());
        Self { net, lac, lns, connected, disconnected, packets, said: Vec::new(), wire }
    }

    pub fn dial(&mut self, config: LinkConfig) -> SubscriberId {
        self.net.with(self.lac, |node, now| node.client_mut().dial(now, config, true))
    }

    /// A subscriber that says nothing: the test speaks for it.
    pub fn dial_by_hand(&mut self) -> SubscriberId {
        self.net.with(self.lac, |node, now| node.client_mut().dial(now, client("", &[]), false))
    }

    pub fn run(&mut self, time: Duration) {
        self.net.run_for(time);
        while let Some((_, event)) = self.net.poll_event() {
            match event {
                Role::Client(LacEvent::Trace(_)) => {}
                Role::Client(event) => self.said.push(event),
                Role::Server(ServerEvent::Connected(up)) => self.connected.push(up),
                Role::Server(ServerEvent::Disconnected(end)) => self.disconnected.push(end),
                Role::Server(ServerEvent::Packet { packet, .. }) => {
                    self.packets.push(packet.to_vec());
                }
                Role::Server(_) => {}
            }
        }
    }

    pub fn access(&self) -> &Access {
        self.net.node(self.lac).client()
    }

    pub fn subscriber(&self, at: usize) -> &Subscriber {
        &self.access().subscribers[at]
    }

    pub fn with_lac<R>(&mut self, call: impl FnOnce(&mut Lac, Instant) -> R) -> R {
        self.net.with(self.lac, |node, now| {
            let access = node.client_mut();
            let result = call(&mut access.lac, now);
            access.settle(now);
            result
        })
    }

    /// A line goes down.
    pub fn cut(&mut self, at: usize) {
        self.net.with(self.lac, |node, now| {
            let access = node.client_mut();
            let subscriber = &mut access.subscribers[at];
            subscriber.up = false;
            subscriber.link.lower_down(now);
            access.lac.subscriber_down(now, subscriber.id);
            access.settle(now);
        });
    }

    /// The LNS sends an IP packet to a subscriber.
    pub fn send_from_lns(&mut self, packet: &[u8]) {
        let session = self.connected.last().unwrap().session;
        let mut payload = Vec::new();
        let transmit = self.net.with(self.lns, |node, _| {
            node.server_mut().send_ip(session, packet, &mut payload).unwrap()
        });
        let Path { socket, local: source, remote: destination } = transmit.path;
        let datagram = Datagram { socket, source, destination, payload };
        self.net.inject(Realm::PUBLIC, Duration::ZERO, datagram);
    }

    pub fn server(&self) -> &Server {
        self.net.node(self.lns).server()
    }
}

/// An IPv4 packet without content.
pub fn ipv4(source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0];
    packet.extend_from_slice(&source.octets());
    packet.extend_from_slice(&destination.octets());
    packet
}
