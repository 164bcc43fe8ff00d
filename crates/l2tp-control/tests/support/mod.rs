//! Two endpoints joined by a wire, in virtual time.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of what is shared")]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::collections::VecDeque;
use core::fmt;
use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use core::time::Duration;

use l2tp_control::Admission;
use l2tp_control::ConnectedCall;
use l2tp_control::Endpoint;
use l2tp_control::EndpointConfig;
use l2tp_control::Event;
use l2tp_control::IncomingCall;
use l2tp_control::LinkId;
use l2tp_control::OutgoingCall;
use l2tp_control::SessionHandle;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelHandle;
use l2tp_wire::Avp;
use l2tp_wire::BearerTypes;
use l2tp_wire::FramingTypes;
use l2tp_wire::MessageBuilder;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_netsim::SeededRandom;

pub const LAC: usize = 0;
pub const LNS: usize = 1;

/// The time that a datagram takes.
pub const DELAY: Duration = Duration::from_millis(10);

/// The address of each end.
pub const ADDRESSES: [SocketAddr; 2] = [address(1), address(2)];

pub const fn address(host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), 1701)
}

pub fn seconds(n: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(n)
}

pub fn endpoint(config: EndpointConfig, seed: u64) -> Endpoint {
    let random = Box::new(SeededRandom::new(seed));
    Endpoint::new(config, vpn_crypto::provider(), random)
}

/// An endpoint that accepts all tunnels and incoming calls.
pub fn server(tunnel: TunnelConfig) -> EndpointConfig {
    EndpointConfig::new(tunnel).tunnels(Admission::Accept).incoming_calls(Admission::Accept)
}

pub fn client(tunnel: TunnelConfig) -> EndpointConfig {
    EndpointConfig::new(tunnel)
}

/// A digital call, for an LNS to have placed.
pub fn outgoing_call() -> OutgoingCall {
    OutgoingCall {
        serial: 0,
        minimum_bps: 300,
        maximum_bps: 64_000,
        bearer: BearerTypes::DIGITAL,
        framing: FramingTypes::SYNC,
        called_number: "5551234".into(),
        sub_address: None,
    }
}

/// What a datagram was.
#[derive(Clone, PartialEq, Eq)]
pub struct Sent {
    pub at: Instant,
    pub from: usize,
    pub path: Path,
    pub octets: Vec<u8>,
}

impl Sent {
    /// `SCCRQ`, `ZLB`, `data`, …
    pub fn name(&self) -> String {
        match Packet::decode(&self.octets) {
            Ok(Packet::Control(control)) if control.is_zlb() => "ZLB".into(),
            Ok(Packet::Control(control)) => control.message_type().unwrap().to_string(),
            Ok(Packet::Data(_)) => "data".into(),
            Err(error) => format!("{error:?}"),
        }
    }

    pub fn is(&self, message: MessageType) -> bool {
        self.name() == message.to_string()
    }

    /// `LAC SCCRQ 0/0 ns 0 nr 0`.
    pub fn line(&self) -> String {
        let from = ["LAC", "LNS"][self.from];
        match Packet::decode(&self.octets) {
            Ok(Packet::Control(control)) => {
                format!("{from} {} {},{}", self.name(), control.ns, control.nr)
            }
            _ => format!("{from} {}", self.name()),
        }
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.at, self.line())
    }
}

/// The control message with its AVPs changed, or left out.
pub fn rewrite<'a>(octets: &'a [u8], change: impl Fn(Avp<'a>) -> Option<Avp<'a>>) -> Vec<u8> {
    let Ok(Packet::Control(control)) = Packet::decode(octets) else { panic!("{octets:02x?}") };
    let mut out = [0; 1500];
    let ids = (control.tunnel_id, control.session_id);
    let mut builder = MessageBuilder::new(&mut out, ids.0, ids.1).unwrap();
    for avp in control.avps() {
        if let Some(avp) = change(Avp::decode(&avp.unwrap()).unwrap()) {
            builder.avp(&avp).unwrap();
        }
    }
    let len = builder.finish().unwrap();
    l2tp_wire::set_ns_nr(&mut out, control.ns, control.nr);
    out[..len].to_vec()
}

/// What `find` finds among the AVPs of a control message.
pub fn find_avp<'a, T>(octets: &'a [u8], find: impl Fn(Avp<'a>) -> Option<T>) -> Option<T> {
    let Ok(Packet::Control(control)) = Packet::decode(octets) else { panic!("{octets:02x?}") };
    control.avps().find_map(|avp| find(Avp::decode(&avp.unwrap()).unwrap()))
}

/// What happens to a datagram on the wire: the delays after which copies of it arrive.
pub type Fate = Vec<Duration>;

pub struct Pair {
    pub ends: [Endpoint; 2],
    pub now: Instant,
    pub link: LinkId,
    /// Every datagram that was sent.
    pub sent: Vec<Sent>,
    pub events: [VecDeque<Event>; 2],
    /// Decides about each datagram; may change it.
    pub wire: Box<dyn FnMut(&mut Sent) -> Fate>,
    flying: BTreeMap<(Instant, u64), Sent>,
    serial: u64,
}

impl Pair {
    pub fn new(lac: EndpointConfig, lns: EndpointConfig) -> Self {
        Self {
            ends: [endpoint(lac, 1), endpoint(lns, 2)],
            now: Instant::ZERO,
            link: LinkId::PLAIN,
            sent: Vec::new(),
            events: Default::default(),
            wire: Box::new(|_| vec![DELAY]),
            flying: BTreeMap::new(),
            serial: 0,
        }
    }

    /// A LAC and an LNS with the same tunnel configuration.
    pub fn of(tunnel: TunnelConfig) -> Self {
        Self::new(client(tunnel.clone()), server(tunnel))
    }

    pub fn path(from: usize) -> Path {
        Path::l2tp(ADDRESSES[from], ADDRESSES[1 - from])
    }

    /// Opens a tunnel from `from` to the other end.
    pub fn open(&mut self, from: usize, config: TunnelConfig) -> TunnelHandle {
        let (now, link) = (self.now, self.link);
        let tunnel = self.ends[from].open_tunnel(now, link, Self::path(from), config).unwrap();
        self.drain();
        tunnel
    }

    /// Announces a call, from the LAC.
    pub fn call(&mut self, tunnel: TunnelHandle) -> SessionHandle {
        let connected = Some(ConnectedCall::default());
        let call = IncomingCall::default();
        let session = self.ends[LAC].open_session(self.now, tunnel, call, connected).unwrap();
        self.drain();
        session
    }

    /// A tunnel and a session that are up, with each end's handles.
    pub fn connect(&mut self, config: TunnelConfig) -> [(TunnelHandle, SessionHandle); 2] {
        let tunnel = self.open(LAC, config);
        self.call(tunnel);
        self.run(Duration::from_secs(1));
        [LAC, LNS].map(|end| {
            let events = self.take_events(end);
            let up = events.iter().find_map(|event| match event {
                Event::SessionUp { session, tunnel, .. } => Some((*tunnel, *session)),
                _ => None,
            });
            up.unwrap_or_else(|| panic!("{}: {events:#?}\n{:#?}", ["LAC", "LNS"][end], self.sent))
        })
    }

    /// Puts what the endpoints have to send on the wire, and takes their events.
    pub fn drain(&mut self) {
        for from in 0..2 {
            let mut buf = Vec::new();
            while let Some((link, transmit)) = self.ends[from].poll_transmit(self.now, &mut buf) {
                assert_eq!(link, self.link);
                assert_eq!(transmit.len, buf.len());
                let octets = core::mem::take(&mut buf);
                let mut sent = Sent { at: self.now, from, path: transmit.path, octets };
                self.sent.push(sent.clone());
                for delay in (self.wire)(&mut sent) {
                    self.serial += 1;
                    self.flying.insert((self.now + delay, self.serial), sent.clone());
                }
            }
            while let Some(event) = self.ends[from].poll_event() {
                self.events[from].push_back(event);
            }
            let next = self.ends[from].poll_timeout();
            assert!(next.is_none_or(|at| at > self.now), "hot loop: {next:?} at {:?}", self.now);
        }
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Instant> {
        let arrival = self.flying.first_key_value().map(|((at, _), _)| *at);
        let timeouts = self.ends.iter().map(Endpoint::poll_timeout);
        timeouts.chain([arrival]).flatten().min()
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drain();
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = next;
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until nothing will ever happen again.
    pub fn run_out(&mut self) {
        self.drain();
        let mut steps = 0;
        while let Some(next) = self.next() {
            self.now = next;
            self.step();
            steps += 1;
            assert!(steps < 100_000, "never comes to rest");
        }
    }

    fn step(&mut self) {
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
        while let Some(entry) = self.flying.first_entry().filter(|e| e.key().0 <= self.now) {
            let sent = entry.remove();
            let to = 1 - sent.from;
            let path = Path { local: sent.path.remote, remote: sent.path.local, ..sent.path };
            let _ = self.ends[to].handle_datagram(self.now, self.link, path, &sent.octets);
            self.drain();
        }
        self.drain();
    }

    /// Hands a datagram to an end as if it came from the other.
    pub fn inject(&mut self, to: usize, octets: &[u8]) -> vpn_core::Handled {
        let path = Self::path(to);
        let handled = self.ends[to].handle_datagram(self.now, self.link, path, octets);
        self.drain();
        handled
    }

    pub fn take_events(&mut self, end: usize) -> Vec<Event> {
        self.events[end].drain(..).collect()
    }

    /// The names of what each end sent since `from`, as `LAC SCCRQ 0,0`.
    pub fn lines(&self, from: usize) -> Vec<String> {
        self.sent[from..].iter().map(Sent::line).collect()
    }

    /// The names of what one end sent.
    pub fn names(&self, end: usize) -> Vec<String> {
        self.sent.iter().filter(|sent| sent.from == end).map(Sent::name).collect()
    }
}
