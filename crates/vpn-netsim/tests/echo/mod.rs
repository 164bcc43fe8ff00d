//! A machine that pings and echoes, and can be told to misbehave.
#![allow(dead_code, unreachable_pub)] // each test file uses a part

use alloc::collections::BTreeSet;
use alloc::collections::VecDeque;
use core::net::SocketAddr;
use core::time::Duration;

use vpn_core::DatagramMachine;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::Path;
use vpn_core::Transmit;

extern crate alloc;

/// The shortest ping: its kind and a number.
pub const HEADER: usize = 9;
const PING: u8 = 1;
const PONG: u8 = 2;

/// How a machine breaks the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    StaysDue,
    SendsForEver,
    ReportsForEver,
    WrongLength,
    WrongAddress,
    TooLong,
    AnswersEchoes,
}

/// A datagram came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Got {
    pub path: Path,
    pub len: usize,
    pub echo: bool,
}

#[derive(Default)]
pub struct Echo {
    ping: Option<(Path, Duration, Instant)>,
    number: u64,
    out: VecDeque<(Path, Vec<u8>)>,
    events: VecDeque<Got>,
    pub padding: usize,
    pub received: u64,
    /// Every address heard from, each once, in order.
    pub peers: Vec<SocketAddr>,
    known: BTreeSet<SocketAddr>,
    pub fault: Option<Fault>,
}

impl Echo {
    /// A machine that pings the far end of `path` at once and then every `every`.
    pub fn pinging(path: Path, every: Duration) -> Self {
        Self { ping: Some((path, every, Instant::ZERO)), ..Self::default() }
    }

    /// Sends a message that nobody answers.
    pub fn say(&mut self, path: Path) {
        self.out.push_back((path, vec![PONG; HEADER]));
    }
}

impl Machine for Echo {
    type Event = Got;

    fn handle_timeout(&mut self, now: Instant) {
        let Some((path, every, due)) = &mut self.ping else { return };
        if *due > now {
            return;
        }
        *due = if self.fault == Some(Fault::StaysDue) { now } else { now + *every };
        self.number += 1;
        let mut payload = vec![PING];
        payload.extend(self.number.to_be_bytes());
        payload.resize(HEADER + self.padding, 0);
        if self.fault == Some(Fault::TooLong) {
            payload.resize(65_508, 0);
        }
        self.out.push_back((*path, payload));
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.ping.map(|(_, _, due)| due)
    }

    fn poll_event(&mut self) -> Option<Got> {
        if self.fault == Some(Fault::ReportsForEver) {
            let path = self.ping?.0;
            return Some(Got { path, len: 0, echo: false });
        }
        self.events.pop_front()
    }
}

impl DatagramMachine for Echo {
    fn handle_datagram(&mut self, _: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        self.received += 1;
        if self.known.insert(path.remote) {
            self.peers.push(path.remote);
        }
        let kind = datagram.first().copied().unwrap_or(0);
        self.events.push_back(Got { path, len: datagram.len(), echo: kind == PONG });
        if kind == PING || self.fault == Some(Fault::AnswersEchoes) {
            let mut answer = datagram.to_vec();
            answer.splice(..1, [PONG]);
            self.out.push_back((path, answer));
        }
        Handled::Consumed
    }

    fn poll_transmit(&mut self, _: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (mut path, payload) = match self.fault {
            Some(Fault::SendsForEver) => (self.ping?.0, vec![0]),
            _ => self.out.pop_front()?,
        };
        buf.extend(&payload);
        let len = if self.fault == Some(Fault::WrongLength) { 1_000 } else { payload.len() };
        if self.fault == Some(Fault::WrongAddress) {
            path.local = SocketAddr::new([203, 0, 113, 1].into(), 1701);
        }
        Some(Transmit { path, len })
    }
}
