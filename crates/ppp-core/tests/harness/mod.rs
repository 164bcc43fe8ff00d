//! Two links joined by a wire that delays, loses, doubles and reorders, in virtual time.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

pub mod driver;
pub mod peer;

use alloc::sync::Arc;
use core::time::Duration;

use ppp_core::AddressAnswer;
use ppp_core::AddressRequest;
use ppp_core::Authenticated;
use ppp_core::CloseReason;
use ppp_core::Credentials;
use ppp_core::CredentialsRequest;
use ppp_core::Event;
use ppp_core::Ipv4Settings;
use ppp_core::Ipv6Settings;
use ppp_core::Link;
use ppp_core::LinkConfig;
use ppp_core::auth::AuthRequest;
use ppp_core::auth::AuthVerdict;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_netsim::SeededRandom;

/// What the wire does with a frame: how often it arrives, and how much later than usual.
#[derive(Clone, Copy)]
pub struct Fate {
    pub copies: u8,
    pub extra: Duration,
}

impl Fate {
    pub const ARRIVES: Self = Self { copies: 1, extra: Duration::ZERO };
    pub const LOST: Self = Self { copies: 0, extra: Duration::ZERO };
}

pub type Wire = Box<dyn FnMut(usize, &[u8]) -> Fate>;

/// One end: a link, and a caller that answers its tickets.
pub struct End {
    pub link: Link,
    pub events: Vec<Event>,
    /// Name and password of everybody who may come in.
    pub users: Vec<(&'static str, &'static str)>,
    /// What is answered to address requests.
    pub addresses: AddressAnswer,
    /// What is answered to requests for other credentials, last first.
    pub credentials: Vec<Credentials>,
    /// Whether tickets stay unanswered.
    pub mute: bool,
    pub auth_requests: Vec<AuthRequest>,
    pub address_requests: Vec<AddressRequest>,
    closed: bool,
}

/// Two ends and the wire between.
pub struct Pair {
    pub now: Instant,
    pub ends: [End; 2],
    pub delay: Duration,
    pub wire: Wire,
    /// Every frame that was sent, with its sender.
    pub log: Vec<(usize, Vec<u8>)>,
    flight: Vec<(Instant, u64, usize, Vec<u8>)>,
    sent: u64,
}

pub const CLIENT: usize = 0;
pub const SERVER: usize = 1;

pub fn alice() -> Credentials {
    Credentials::new("alice", "wonderland")
}

pub fn client() -> LinkConfig {
    LinkConfig::client(alice())
}

pub fn server() -> LinkConfig {
    LinkConfig::server("lns")
}

pub fn link(config: LinkConfig, seed: u64) -> Link {
    Link::new(Arc::new(config), vpn_crypto::provider(), Box::new(SeededRandom::new(seed)))
}

pub fn assign() -> AddressAnswer {
    AddressAnswer::Assign {
        local: [10, 99, 0, 1].into(),
        peer: [10, 99, 0, 10].into(),
        dns: [Some([10, 99, 0, 1].into()), Some([10, 99, 0, 2].into())],
        nbns: [None, None],
    }
}

pub fn secs(n: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(n)
}

impl End {
    pub fn new(link: Link) -> Self {
        Self {
            link,
            events: Vec::new(),
            users: vec![("alice", "wonderland")],
            addresses: assign(),
            credentials: Vec::new(),
            mute: false,
            auth_requests: Vec::new(),
            address_requests: Vec::new(),
            closed: false,
        }
    }

    pub fn closed(&self) -> Option<&CloseReason> {
        self.events.iter().find_map(|event| match event {
            Event::Closed { reason } => Some(reason),
            _ => None,
        })
    }

    pub fn ipv4(&self) -> Option<Ipv4Settings> {
        self.link.form().ipv4
    }

    pub fn ipv6(&self) -> Option<Ipv6Settings> {
        self.link.form().ipv6
    }

    pub fn authenticated(&self) -> Vec<&Authenticated> {
        let proofs = self.events.iter().filter_map(|event| match event {
            Event::Authenticated(who) => Some(who),
            _ => None,
        });
        proofs.collect()
    }

    pub fn verdict(&self, request: &AuthRequest) -> AuthVerdict {
        let user = request.user();
        let password = self.users.iter().find(|(name, _)| *name == user);
        let Some((_, password)) = password else { return AuthVerdict::wrong_password() };
        request.verify(password.as_bytes(), vpn_crypto::provider())
    }

    fn take_event(&mut self, now: Instant, event: Event) {
        assert!(!self.closed, "an event after the last one: {event:?}");
        match &event {
            Event::AuthRequest(request) => {
                self.auth_requests.push(request.clone());
                if !self.mute {
                    let verdict = self.verdict(request);
                    self.link.answer_auth(now, request.ticket, verdict).unwrap();
                }
            }
            Event::AddressRequest(request) => {
                self.address_requests.push(request.clone());
                if !self.mute {
                    self.link.answer_address(now, request.ticket, self.addresses).unwrap();
                }
            }
            Event::CredentialsRequest(CredentialsRequest { ticket, .. }) if !self.mute => {
                let other = self.credentials.pop();
                self.link.answer_credentials(now, *ticket, other).unwrap();
            }
            Event::Closed { .. } => self.closed = true,
            _ => {}
        }
        self.events.push(event);
    }

    fn check_inert(&mut self, now: Instant) {
        let mut out = Vec::new();
        assert_eq!(self.link.poll_timeout(), None, "a timeout after the last event");
        assert_eq!(self.link.poll_frame(now, &mut out), None, "a frame after the last event");
    }
}

impl Pair {
    pub fn new(client: LinkConfig, server: LinkConfig) -> Self {
        Self::seeded(client, server, 1)
    }

    pub fn seeded(client: LinkConfig, server: LinkConfig, seed: u64) -> Self {
        let ends = [link(client, 2 * seed), link(server, 2 * seed + 1)].map(End::new);
        Self::of(ends)
    }

    pub fn of(ends: [End; 2]) -> Self {
        Self {
            now: secs(1),
            ends,
            delay: Duration::from_millis(10),
            wire: Box::new(|_, _| Fate::ARRIVES),
            log: Vec::new(),
            flight: Vec::new(),
            sent: 0,
        }
    }

    pub fn client(&mut self) -> &mut End {
        &mut self.ends[CLIENT]
    }

    pub fn server(&mut self) -> &mut End {
        &mut self.ends[SERVER]
    }

    pub fn open(&mut self) {
        let now = self.now;
        self.ends.iter_mut().for_each(|end| end.link.open(now));
        self.drain();
    }

    /// Lets time pass until nothing is under way and nothing is due before `until`.
    pub fn run_until(&mut self, until: Instant) {
        self.drain();
        for _ in 0..200_000 {
            let arrival = self.flight.iter().map(|(at, ..)| *at).min();
            let timeout = self.ends.iter().filter_map(|end| end.link.poll_timeout()).min();
            let next = [arrival, timeout].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else {
                self.now = self.now.max(until);
                return;
            };
            self.now = self.now.max(next);
            self.step();
        }
        panic!("a hot loop at {:?}", self.now);
    }

    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration);
    }

    pub fn open_and_run(&mut self) {
        self.open();
        self.run_for(Duration::from_secs(120));
    }

    /// Whether both ends are in the network phase with IPv4 up, and agree on it.
    pub fn is_up(&self) -> bool {
        let [a, b] = self.ends.each_ref().map(End::ipv4);
        match (a, b) {
            (Some(a), Some(b)) => a.local == b.peer && a.peer == b.local,
            _ => false,
        }
    }

    fn step(&mut self) {
        let now = self.now;
        self.flight.sort_by_key(|(at, order, ..)| (*at, *order));
        while self.flight.first().is_some_and(|(at, ..)| *at <= now) {
            let (_, _, to, frame) = self.flight.remove(0);
            let _: Handled = self.ends[to].link.handle_frame(now, &frame);
            self.drain();
        }
        for at in 0..2 {
            if self.ends[at].link.poll_timeout().is_some_and(|due| due <= now) {
                self.ends[at].link.handle_timeout(now);
                self.drain();
                let next = self.ends[at].link.poll_timeout();
                assert!(next.is_none_or(|next| next > now), "no progress at {now:?}");
            }
        }
    }

    /// Drains both ends as the contract says: frames, then events, until neither has more.
    pub fn drain(&mut self) {
        let now = self.now;
        for from in 0..2 {
            loop {
                let mut frame = Vec::new();
                if let Some(len) = self.ends[from].link.poll_frame(now, &mut frame) {
                    assert_eq!(len, frame.len());
                    self.carry(from, frame);
                } else if let Some(event) = self.ends[from].link.poll_event() {
                    self.ends[from].take_event(now, event);
                } else {
                    break;
                }
            }
            if self.ends[from].closed {
                self.ends[from].check_inert(now);
            }
        }
    }

    fn carry(&mut self, from: usize, frame: Vec<u8>) {
        let fate = (self.wire)(from, &frame);
        for copy in 0..fate.copies {
            self.sent += 1;
            let later = fate.extra * u32::from(copy + 1);
            self.flight.push((self.now + self.delay + later, self.sent, 1 - from, frame.clone()));
        }
        self.log.push((from, frame));
    }
}
