//! Any sequence of commands, datagrams and time at two endpoints, with the promises of an endpoint
//! checked after each.

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::collections::VecDeque;
use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use core::time::Duration;

use l2tp_control::Admission;
use l2tp_control::CallResult;
use l2tp_control::CallState;
use l2tp_control::ConnectedCall;
use l2tp_control::Endpoint;
use l2tp_control::EndpointConfig;
use l2tp_control::Event;
use l2tp_control::IncomingCall;
use l2tp_control::Limits;
use l2tp_control::LinkId;
use l2tp_control::OutgoingCall;
use l2tp_control::ReorderConfig;
use l2tp_control::SessionAnswer;
use l2tp_control::SessionHandle;
use l2tp_control::SessionTicket;
use l2tp_control::TunnelAnswer;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelResult;
use l2tp_control::TunnelState;
use l2tp_control::TunnelTicket;
use l2tp_wire::Accm;
use l2tp_wire::BearerTypes;
use l2tp_wire::CallErrors;
use l2tp_wire::CdnResult;
use l2tp_wire::FramingTypes;
use l2tp_wire::StopCcnResult;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_netsim::SeededRandom;

const ADDRESSES: [SocketAddr; 2] = [address(1), address(2)];

const fn address(host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), 1701)
}

/// One thing that may happen. Numbers choose among what is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    Open { end: usize, tie_breaker: bool },
    Call { end: usize, tunnel: u8, connected: bool },
    Place { end: usize, tunnel: u8 },
    AnswerTunnel { end: usize, accept: bool },
    AnswerSession { end: usize, accept: bool, sequencing: bool },
    Connected { end: usize, session: u8, sequencing: bool },
    Failed { end: usize, session: u8 },
    CloseSession { end: usize, session: u8 },
    CloseTunnel { end: usize, tunnel: u8 },
    Status { end: usize, session: u8 },
    Sequencing { end: usize, session: u8, on: bool },
    Data { end: usize, session: u8 },
    Deliver { place: u8 },
    Duplicate { place: u8 },
    Lose { place: u8 },
    Corrupt { place: u8, at: u8, octet: u8 },
    Inject { end: usize, octets: Vec<u8> },
    Wait { millis: u16 },
    Timeout,
}

impl Operation {
    /// Reads an operation from the front of `octets`. `None` at their end.
    pub fn read(octets: &mut &[u8]) -> Option<Self> {
        let [which, a, b, rest @ ..] = *octets else { return None };
        *octets = rest;
        let (end, flag, other) = (usize::from(a & 1), a & 2 != 0, a & 4 != 0);
        Some(match which % 24 {
            0 => Self::Open { end, tie_breaker: flag },
            1 => Self::Call { end, tunnel: *b, connected: flag },
            2 => Self::Place { end, tunnel: *b },
            3 => Self::AnswerTunnel { end, accept: flag },
            4 => Self::AnswerSession { end, accept: flag, sequencing: other },
            5 => Self::Connected { end, session: *b, sequencing: flag },
            6 => Self::Failed { end, session: *b },
            7 => Self::CloseSession { end, session: *b },
            8 => Self::CloseTunnel { end, tunnel: *b },
            9 => Self::Status { end, session: *b },
            10 => Self::Sequencing { end, session: *b, on: flag },
            11 | 12 => Self::Data { end, session: *b },
            13 => Self::Duplicate { place: *b },
            14 => Self::Lose { place: *b },
            15 => Self::Corrupt { place: *a, at: *b, octet: rest.first().copied()? },
            16 => {
                let len = usize::from(*b).min(rest.len());
                let (injected, rest) = rest.split_at(len);
                *octets = rest;
                Self::Inject { end, octets: injected.to_vec() }
            }
            17 => Self::Wait { millis: u16::from_be_bytes([*a, *b]) },
            18 => Self::Timeout,
            _ => Self::Deliver { place: *b },
        })
    }
}

/// What the application of one end knows.
#[derive(Default)]
struct Application {
    open_tunnels: BTreeSet<TunnelHandle>,
    up_tunnels: BTreeSet<TunnelHandle>,
    ever_tunnels: BTreeSet<TunnelHandle>,
    open_sessions: BTreeMap<SessionHandle, TunnelHandle>,
    up_sessions: BTreeSet<SessionHandle>,
    ever_sessions: BTreeSet<SessionHandle>,
    tunnel_tickets: Vec<TunnelTicket>,
    session_tickets: Vec<SessionTicket>,
}

struct Flight {
    to: usize,
    octets: Vec<u8>,
}

/// Two endpoints, the datagrams between them, and what their applications know.
pub struct Driver {
    ends: [Endpoint; 2],
    applications: [Application; 2],
    flights: VecDeque<Flight>,
    now: Instant,
    link: LinkId,
    config: TunnelConfig,
}

impl Driver {
    /// `which` chooses the configuration: secret, hiding, reordering, admission, kind of link.
    pub fn new(which: u8, seed: u64) -> Self {
        let mut config = TunnelConfig::new("host.example").bearer(Some(BearerTypes::all()));
        if which & 1 != 0 {
            config = config.secret("s3cret").hide_avps(which & 2 != 0);
        }
        if which & 4 != 0 {
            let limit = Duration::from_millis(50);
            config = config.reorder(Some(ReorderConfig { limit, frames: 4 }));
        }
        let admission = if which & 8 != 0 { Admission::Ask } else { Admission::Accept };
        let limits = Limits {
            tunnels: 12,
            half_open: 6,
            half_open_per_source: 4,
            sessions: 20,
            queued_messages: 8,
            queued_frames: 8,
            ..Limits::default()
        };
        let endpoint = |seed| {
            let config = EndpointConfig::new(config.clone())
                .tunnels(admission)
                .incoming_calls(admission)
                .outgoing_calls(Admission::Ask)
                .limits(limits)
                .trace(which & 32 != 0);
            let random = Box::new(SeededRandom::new(seed));
            Endpoint::new(config, vpn_crypto::provider(), random)
        };
        Self {
            ends: [endpoint(seed), endpoint(seed ^ 1)],
            applications: Default::default(),
            flights: VecDeque::new(),
            now: Instant::ZERO,
            link: LinkId(u64::from(which >> 4 & 1)),
            config,
        }
    }

    /// Lets one thing happen, and checks what was promised.
    pub fn step(&mut self, operation: Operation) {
        let now = self.now;
        match operation {
            Operation::Open { end, tie_breaker } => {
                let path = Path::l2tp(ADDRESSES[end], ADDRESSES[1 - end]);
                let config = self.config.clone().tie_breaker(tie_breaker);
                if let Ok(tunnel) = self.ends[end].open_tunnel(now, self.link, path, config) {
                    self.applications[end].know_tunnel(tunnel);
                }
            }
            Operation::Call { end, tunnel, connected } => {
                let Some(tunnel) = self.tunnel(end, tunnel) else { return };
                let connected = connected.then(ConnectedCall::default);
                let call = IncomingCall::default();
                if let Ok(session) = self.ends[end].open_session(now, tunnel, call, connected) {
                    self.applications[end].know_session(session, tunnel);
                }
            }
            Operation::Place { end, tunnel } => {
                let Some(tunnel) = self.tunnel(end, tunnel) else { return };
                let call = OutgoingCall {
                    serial: 0,
                    minimum_bps: 0,
                    maximum_bps: 1,
                    bearer: BearerTypes::DIGITAL,
                    framing: FramingTypes::SYNC,
                    called_number: "1".into(),
                    sub_address: None,
                };
                if let Ok(session) = self.ends[end].place_call(now, tunnel, call) {
                    self.applications[end].know_session(session, tunnel);
                }
            }
            Operation::AnswerTunnel { end, accept } => {
                let Some(ticket) = self.applications[end].tunnel_tickets.pop() else { return };
                let answer = if accept {
                    TunnelAnswer::Accept(None)
                } else {
                    TunnelAnswer::Reject(TunnelResult::new(StopCcnResult::NOT_AUTHORIZED))
                };
                let _ = self.ends[end].answer_tunnel(now, ticket, answer);
            }
            Operation::AnswerSession { end, accept, sequencing } => {
                let Some(ticket) = self.applications[end].session_tickets.pop() else { return };
                let answer = if accept {
                    SessionAnswer::AcceptWith { sequencing, physical_channel: None }
                } else {
                    SessionAnswer::Reject(CallResult::new(CdnResult::BUSY))
                };
                let _ = self.ends[end].answer_session(now, ticket, answer);
            }
            Operation::Connected { end, session, sequencing } => {
                let Some(session) = self.session(end, session) else { return };
                let connected =
                    ConnectedCall { sequencing_required: sequencing, ..ConnectedCall::default() };
                let _ = self.ends[end].call_connected(now, session, connected);
            }
            Operation::Failed { end, session } => {
                let Some(session) = self.session(end, session) else { return };
                self.ends[end].call_failed(now, session, CallResult::new(CdnResult::BUSY));
            }
            Operation::CloseSession { end, session } => {
                let Some(session) = self.session(end, session) else { return };
                let result = CallResult::new(CdnResult::ADMINISTRATIVE);
                self.ends[end].close_session(now, session, result);
            }
            Operation::CloseTunnel { end, tunnel } => {
                let Some(tunnel) = self.tunnel(end, tunnel) else { return };
                let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
                self.ends[end].close_tunnel(now, tunnel, result);
            }
            Operation::Status { end, session } => {
                let Some(session) = self.session(end, session) else { return };
                let _ = self.ends[end].send_wen(now, session, CallErrors::default());
                let _ = self.ends[end].send_sli(now, session, Accm { send: 0, receive: 0 });
            }
            Operation::Sequencing { end, session, on } => {
                let Some(session) = self.session(end, session) else { return };
                let _ = self.ends[end].set_sequencing(session, on);
            }
            Operation::Data { end, session } => {
                let Some(session) = self.session(end, session) else { return };
                let _ = self.ends[end].send_data(now, session, b"frame");
            }
            Operation::Deliver { place } => self.deliver(place),
            Operation::Duplicate { place } => {
                if let Some(flight) = self.flight(place) {
                    let copy = Flight { to: flight.to, octets: flight.octets.clone() };
                    self.flights.push_back(copy);
                }
            }
            Operation::Lose { place } => {
                let place = usize::from(place) % self.flights.len().max(1);
                self.flights.remove(place);
            }
            Operation::Corrupt { place, at, octet } => {
                if let Some(flight) = self.flight(place) {
                    let at = usize::from(at) % flight.octets.len();
                    flight.octets[at] = octet;
                }
            }
            Operation::Inject { end, octets } => {
                self.flights.push_front(Flight { to: end, octets });
                self.deliver(0);
            }
            Operation::Wait { millis } => {
                self.wait_until(now + Duration::from_millis(u64::from(millis)));
            }
            Operation::Timeout => {
                let next = self.ends.iter().filter_map(Endpoint::poll_timeout).min();
                self.wait_until(next.unwrap_or(now));
            }
        }
        self.settle();
    }

    /// Sets the clock, forwards or backwards. The endpoints take what is past as the newest seen.
    pub fn set_time(&mut self, now: Instant) {
        for end in &mut self.ends {
            end.handle_timeout(now);
        }
        self.now = self.now.max(now);
    }

    /// Closes all there is, and checks that nothing is left.
    pub fn finish(mut self) {
        for end in 0..2 {
            for tunnel in self.applications[end].open_tunnels.clone() {
                let result = TunnelResult::new(StopCcnResult::SHUTTING_DOWN);
                self.ends[end].close_tunnel(self.now, tunnel, result);
            }
        }
        self.flights.clear();
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
            assert_eq!(
                (counts.tunnels, counts.sessions, counts.half_open, counts.stopping),
                (0, 0, 0, 0)
            );
            assert_eq!(end.poll_timeout(), None);
            assert!(application.open_tunnels.is_empty());
            assert!(application.open_sessions.is_empty());
        }
    }

    fn tunnel(&self, end: usize, choice: u8) -> Option<TunnelHandle> {
        choose(self.applications[end].ever_tunnels.iter(), choice).copied()
    }

    fn session(&self, end: usize, choice: u8) -> Option<SessionHandle> {
        choose(self.applications[end].ever_sessions.iter(), choice).copied()
    }

    fn flight(&mut self, place: u8) -> Option<&mut Flight> {
        let place = usize::from(place) % self.flights.len().max(1);
        self.flights.get_mut(place).filter(|flight| !flight.octets.is_empty())
    }

    fn deliver(&mut self, place: u8) {
        let place = usize::from(place) % self.flights.len().max(1);
        let Some(Flight { to, octets }) = self.flights.remove(place) else { return };
        let path = Path::l2tp(ADDRESSES[to], ADDRESSES[1 - to]);
        let _ = self.ends[to].handle_datagram(self.now, self.link, path, &octets);
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
            let mut buf = Vec::new();
            while let Some((link, transmit)) = self.ends[from].poll_transmit(self.now, &mut buf) {
                assert_eq!((link, transmit.len), (self.link, buf.len()));
                assert_eq!(transmit.path.remote, ADDRESSES[1 - from]);
                let octets = core::mem::take(&mut buf);
                assert!(l2tp_wire::Packet::decode(&octets).is_ok());
                if self.flights.len() < 64 {
                    self.flights.push_back(Flight { to: 1 - from, octets });
                }
            }
            while let Some(event) = self.ends[from].poll_event() {
                self.applications[from].take(event);
            }
            let next = self.ends[from].poll_timeout();
            assert!(next.is_none_or(|at| at > self.now), "hot loop");
            self.applications[from].compare(&self.ends[from]);
        }
    }
}

impl Application {
    fn know_tunnel(&mut self, tunnel: TunnelHandle) {
        assert!(self.ever_tunnels.insert(tunnel), "a handle is never used again");
        self.open_tunnels.insert(tunnel);
    }

    fn know_session(&mut self, session: SessionHandle, tunnel: TunnelHandle) {
        assert!(self.ever_sessions.insert(session), "a handle is never used again");
        self.open_sessions.insert(session, tunnel);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::TunnelRequest(request) => {
                // It may be about a tunnel of ours that lost against one of the peer.
                if !self.open_tunnels.contains(&request.tunnel) {
                    self.know_tunnel(request.tunnel);
                }
                self.tunnel_tickets.push(request.ticket);
            }
            Event::TunnelUp { tunnel } => {
                if !self.open_tunnels.contains(&tunnel) {
                    self.know_tunnel(tunnel);
                }
                assert!(self.up_tunnels.insert(tunnel), "up once");
            }
            Event::TunnelClosed { tunnel, reason } => {
                assert!(self.open_tunnels.remove(&tunnel), "closed once");
                assert!(!reason.to_string().is_empty());
                let left = self.open_sessions.values().filter(|of| **of == tunnel).count();
                assert_eq!(left, 0, "sessions are closed first");
            }
            Event::SessionRequest(request) => {
                self.know_session(request.session, request.tunnel);
                self.session_tickets.push(request.ticket);
            }
            Event::CallAccepted { session } => {
                assert!(self.open_sessions.contains_key(&session));
            }
            Event::PlaceCall { session, .. } => {
                assert!(self.open_sessions.contains_key(&session));
            }
            Event::SessionUp { session, tunnel, info, .. } => {
                assert!(self.up_tunnels.contains(&tunnel), "the tunnel comes first");
                if !self.open_sessions.contains_key(&session) {
                    self.know_session(session, tunnel);
                }
                assert!(self.up_sessions.insert(session), "up once");
                assert_eq!(info.state, CallState::Established);
                assert!(info.peer_session_id != 0 && info.local_session_id != 0);
            }
            Event::SessionClosed { session, tunnel, reason } => {
                assert_eq!(self.open_sessions.remove(&session), Some(tunnel), "closed once");
                assert!(!reason.to_string().is_empty());
            }
            Event::Data { session, .. }
            | Event::CallErrors { session, .. }
            | Event::Accm { session, .. } => {
                assert!(self.up_sessions.contains(&session));
                assert!(self.open_sessions.contains_key(&session));
            }
            _ => {}
        }
    }

    /// The endpoint's tables hold what was reported, and nothing else.
    fn compare(&self, endpoint: &Endpoint) {
        let counts = endpoint.counts();
        let tunnels: Vec<_> = endpoint.tunnels().collect();
        let sessions: Vec<_> = endpoint.sessions().collect();
        assert_eq!((counts.tunnels, counts.sessions), (tunnels.len(), sessions.len()));
        assert!(counts.tunnels <= 12 && counts.sessions <= 20 + 1 && counts.half_open <= 6);
        let established = tunnels.iter().filter(|t| t.state == TunnelState::Established);
        let reported = self.up_tunnels.intersection(&self.open_tunnels);
        assert!(established.map(|tunnel| &tunnel.tunnel).eq(sorted_like(&tunnels, reported)));
        for session in &sessions {
            assert!(endpoint.tunnel(session.tunnel).is_some());
            let up = session.state == CallState::Established;
            assert_eq!(up, self.up_sessions.contains(&session.session));
        }
        for tunnel in &tunnels {
            assert_eq!(tunnel.sessions, endpoint.sessions_of(tunnel.tunnel).count());
        }
        let known = self.open_sessions.keys().filter(|s| endpoint.session(**s).is_none()).count();
        assert_eq!(known, 0, "a session that was not reported closed is there");
    }
}

/// `handles` in the order in which the table lists them.
fn sorted_like<'a>(
    tunnels: &'a [l2tp_control::TunnelInfo],
    handles: impl Iterator<Item = &'a TunnelHandle>,
) -> impl Iterator<Item = &'a TunnelHandle> {
    let handles: BTreeSet<_> = handles.collect();
    tunnels.iter().map(|tunnel| &tunnel.tunnel).filter(move |tunnel| handles.contains(tunnel))
}

fn choose<'a, T>(mut among: impl ExactSizeIterator<Item = &'a T>, choice: u8) -> Option<&'a T> {
    let place = usize::from(choice) % among.len().max(1);
    among.nth(place)
}
