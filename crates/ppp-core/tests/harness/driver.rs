//! A link, and a driver that does anything to it and checks the contract of `vpn_core::Machine` at
//! every step. Shared with the fuzz target `ppp_session`.

use core::time::Duration;

use ppp_core::AddressAnswer;
use ppp_core::AuthMethod;
use ppp_core::Event;
use ppp_core::KeepAlive;
use ppp_core::Link;
use ppp_core::LinkConfig;
use ppp_core::Packet;
use ppp_core::Phase;
use ppp_core::Protocol;
use ppp_core::auth::AuthVerdict;
use ppp_core::frame;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;

use super::assign;
use super::client;
use super::link;
use super::server;

/// What a driver and a network may do to a link.
#[derive(Clone, Debug)]
pub enum Operation {
    Open,
    Close,
    Renegotiate,
    LowerDown,
    /// A control packet of some sense.
    Packet {
        protocol: usize,
        code: u8,
        identifier: u8,
        data: Vec<u8>,
    },
    /// The link's own last frames, answered: an Ack, or the frame itself.
    Acknowledge(usize),
    Mirror(usize),
    Octets(Vec<u8>),
    /// Time passes, or seems to run backwards.
    Wait(u32),
    Backwards,
    Timeout,
    Traffic,
    AnswerAuth(bool),
    AnswerAddress(bool),
}

impl Operation {
    /// Reads an operation from the start of `octets`, as a fuzzer makes them.
    pub fn read(octets: &mut &[u8]) -> Option<Self> {
        let mut next = || {
            let (first, rest) = octets.split_first()?;
            *octets = rest;
            Some(*first)
        };
        let (kind, value) = (next()?, next()?);
        Some(match kind % 16 {
            0 => Self::Open,
            1 => Self::Close,
            2 => Self::Renegotiate,
            3 => Self::LowerDown,
            4..=7 => {
                let (code, identifier, len) = (next()?, next()?, usize::from(next()?));
                let (data, rest) = octets.split_at(len.min(octets.len()));
                *octets = rest;
                let protocol = usize::from(value) % PROTOCOLS.len();
                Self::Packet { protocol, code, identifier, data: data.to_vec() }
            }
            8 => Self::Acknowledge(usize::from(value % 4)),
            9 => Self::Mirror(usize::from(value % 4)),
            10 => {
                let (frame, rest) = octets.split_at(usize::from(value).min(octets.len()));
                *octets = rest;
                Self::Octets(frame.to_vec())
            }
            11 => Self::Wait(u32::from(value) * 200_000),
            12 => Self::Backwards,
            13 => Self::Timeout,
            14 => Self::AnswerAuth(value % 2 == 1),
            _ if value > 250 => Self::Traffic,
            _ => Self::AnswerAddress(value % 2 == 1),
        })
    }
}

pub const PROTOCOLS: [Protocol; 9] = [
    Protocol::LCP,
    Protocol::LCP,
    Protocol::PAP,
    Protocol::CHAP,
    Protocol::IPCP,
    Protocol::IPV6CP,
    Protocol::CCP,
    Protocol::IPV4,
    Protocol(0x1234),
];

/// How many configurations there are to choose from.
pub const CONFIGS: usize = 4;

/// A driver that checks the contract at every step.
pub struct Driver {
    link: Link,
    now: Instant,
    sent: Vec<Vec<u8>>,
    auth: Option<ppp_core::AuthRequest>,
    address: Option<ppp_core::Ticket>,
    closed: bool,
    ipv4: bool,
    ipv6: bool,
}

impl Driver {
    /// A link with one of the configurations, not opened.
    pub fn new(which: usize, seed: u64) -> Self {
        Self::of(link(configs()[which % CONFIGS].clone(), seed))
    }

    /// A link that was not opened.
    pub fn of(link: Link) -> Self {
        Self {
            link,
            now: Instant::from_micros(1_000),
            sent: Vec::new(),
            auth: None,
            address: None,
            closed: false,
            ipv4: false,
            ipv6: false,
        }
    }

    /// Opens LCP with a peer that asks for nothing.
    pub fn establish(&mut self) {
        self.establish_with(&[]);
    }

    /// Opens LCP with a peer that asks for `options`.
    pub fn establish_with(&mut self, options: &[u8]) {
        self.step(Operation::Open);
        self.step(Operation::Acknowledge(0));
        let data = options.to_vec();
        self.step(Operation::Packet { protocol: 0, code: 1, identifier: 1, data });
    }

    /// Has the link take packets of one protocol, as a fuzzer makes them: Code, Identifier, length
    /// of the data, data. What the link sends is acknowledged where the code is 255.
    pub fn feed(&mut self, protocol: Protocol, mut octets: &[u8]) {
        let protocol = PROTOCOLS.iter().position(|known| *known == protocol).unwrap();
        while let [code, identifier, len, rest @ ..] = octets {
            let (data, rest) = rest.split_at(usize::from(*len).min(rest.len()));
            octets = rest;
            if *code == u8::MAX {
                self.step(Operation::Acknowledge(usize::from(*identifier % 4)));
                continue;
            }
            let (code, identifier, data) = (*code, *identifier, data.to_vec());
            self.step(Operation::Packet { protocol, code, identifier, data });
        }
    }

    pub fn phase(&self) -> Phase {
        self.link.phase()
    }

    /// Does one thing, drains, and checks.
    pub fn step(&mut self, operation: Operation) {
        let timed = matches!(operation, Operation::Timeout);
        self.apply(operation);
        self.drain();
        if timed {
            assert!(self.link.poll_timeout().is_none_or(|next| next > self.now), "a hot loop");
        }
    }

    fn apply(&mut self, operation: Operation) {
        let now = self.now;
        let link = &mut self.link;
        match operation {
            Operation::Open => link.open(now),
            Operation::Close => link.close(now, "bye"),
            Operation::Renegotiate => link.renegotiate(now),
            Operation::LowerDown => link.lower_down(now),
            Operation::Packet { protocol, code, identifier, data } => {
                let mut frame = Vec::from(PROTOCOLS[protocol].0.to_be_bytes());
                Packet { code, identifier, data: &data }.encode(&mut frame).unwrap();
                let _: Handled = link.handle_frame(now, &frame);
            }
            Operation::Acknowledge(back) => {
                let Some(frame) = self.sent.iter().rev().nth(back) else { return };
                let mut frame = frame.clone();
                let at = if frame.starts_with(&[0xff, 3]) { 4 } else { 2 };
                frame[at] = frame[at].wrapping_add(1);
                let _: Handled = link.handle_frame(now, &frame);
            }
            Operation::Mirror(back) => {
                let Some(frame) = self.sent.iter().rev().nth(back) else { return };
                let _: Handled = link.handle_frame(now, frame);
            }
            Operation::Octets(octets) => {
                let _: Handled = link.handle_frame(now, &octets);
            }
            Operation::Wait(micros) => self.now = now + Duration::from_micros(u64::from(micros)),
            Operation::Backwards => {
                let earlier = Instant::from_micros(now.as_micros() / 2);
                link.handle_timeout(earlier);
                link.note_traffic(earlier);
            }
            Operation::Timeout => {
                self.now = now.max(Machine::poll_timeout(link).unwrap_or(now));
                Machine::handle_timeout(link, self.now);
            }
            Operation::Traffic => link.note_traffic(now),
            Operation::AnswerAuth(right) => {
                let Some(request) = self.auth.take() else { return };
                let verdict = if right {
                    let accepted = ppp_core::auth::Acceptance {
                        authenticator_response: Some([7; 20]),
                        message: String::new(),
                    };
                    AuthVerdict::Accept(accepted)
                } else {
                    AuthVerdict::wrong_password()
                };
                let _ = link.answer_auth(now, request.ticket, verdict);
            }
            Operation::AnswerAddress(some) => {
                let Some(ticket) = self.address.take() else { return };
                let answer = if some { assign() } else { AddressAnswer::Refuse };
                let _ = link.answer_address(now, ticket, answer);
            }
        }
    }

    fn drain(&mut self) {
        let mut frames = 0;
        let mut frame = Vec::new();
        while let Some(len) = self.link.poll_frame(self.now, &mut frame) {
            assert_eq!(len, frame.len());
            assert!(!self.closed, "a frame after the last event");
            frame::protocol(&frame).unwrap();
            self.sent.push(core::mem::take(&mut frame));
            frames += 1;
        }
        assert!(frames <= 8, "{frames} frames for one call");
        while let Some(event) = Machine::poll_event(&mut self.link) {
            assert!(!self.closed, "{event:?} after the last event");
            match event {
                Event::AuthRequest(request) => self.auth = Some(request),
                Event::AddressRequest(request) => self.address = Some(request.ticket),
                Event::Ipv4Up(_) => self.ipv4 = true,
                Event::Ipv6Up(_) => self.ipv6 = true,
                Event::Ipv4Down => assert!(core::mem::take(&mut self.ipv4)),
                Event::Ipv6Down => assert!(core::mem::take(&mut self.ipv6)),
                Event::Closed { .. } => {
                    assert!(!self.ipv4 && !self.ipv6, "closed with a protocol still up");
                    self.closed = true;
                }
                _ => {}
            }
        }
        // What was told and what is agree.
        let form = self.link.form();
        assert_eq!((form.ipv4.is_some(), form.ipv6.is_some()), (self.ipv4, self.ipv6));
        assert_eq!(self.link.phase() == Phase::Closed, self.closed);
        if self.closed {
            assert_eq!(self.link.poll_timeout(), None);
        }
    }
}

fn configs() -> [LinkConfig; CONFIGS] {
    let fast = KeepAlive { interval: Duration::from_secs(5), max_missed: 2 };
    [
        client(),
        server().keep_alive(Some(fast)),
        server().authenticate_with(&[AuthMethod::Pap, AuthMethod::ChapMd5]).acfc(true).pfc(true),
        client()
            .prove_with(&[AuthMethod::Pap, AuthMethod::ChapMd5])
            .authenticate_with(&[AuthMethod::ChapMd5])
            .rechallenge(Some(Duration::from_secs(9)))
            .keep_alive(None),
    ]
}
