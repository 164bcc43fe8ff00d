//! The reliable channel of control messages (RFC 2661 §5.8, Appendix A).
//!
//! [`Channel`] numbers messages, repeats them until they are acknowledged, keeps to the peer's
//! receive window and to a congestion window, brings what arrives into order, and acknowledges
//! it. It works on opaque octets: whoever owns it writes Ns and Nr into the header of what
//! [`Channel::poll_transmit`] hands out.
//!
//! ```text
//!  push ──▶ messages ──▶ poll_transmit ──▶ network ──▶ receive ──▶ Deliver, then take_next …
//!              ▲                                          │
//!              └──────────────── Nr ◀─────────────────────┘
//! ```

mod congestion;
mod recv;
mod retransmission;
mod send;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use core::time::Duration;

use vpn_core::Instant;

pub use congestion::Congestion;
pub use retransmission::Retransmission;

use recv::Place;
use recv::ReceiveWindow;
use send::SendQueue;

/// The Receive Window Size to assume when the peer names none (RFC 2661 §4.4.3).
pub const DEFAULT_PEER_WINDOW: u16 = 4;

/// What a channel goes by. Many channels share one, so it is passed into each call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelConfig {
    /// When messages are repeated, and for how long.
    pub retransmission: Retransmission,
    /// How long an acknowledgement waits for a message to ride on.
    pub acknowledgement_delay: Duration,
    /// The Receive Window Size that we offer: how far ahead of its turn a message is kept.
    pub receive_window: u16,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            retransmission: Retransmission::RFC_2661,
            acknowledgement_delay: Duration::from_millis(20),
            receive_window: 16,
        }
    }
}

/// One end of the reliable channel of a control connection.
#[derive(Debug)]
pub struct Channel {
    send: SendQueue,
    receive: ReceiveWindow,
    acknowledge_at: Option<Instant>,
    acknowledge_at_once: bool,
}

/// The first Ns in each direction. RFC 2661 §5.8 says 0; tests begin just below the wrap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FirstNumbers {
    /// Ns of the first message that we send.
    pub ns: u16,
    /// Ns of the first message that the peer sends.
    pub nr: u16,
}

/// What became of a received message.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// The message is the next in order: handle it, then what [`Channel::take_next`] yields.
    Deliver,
    /// A ZLB: only its acknowledgement counted.
    Acknowledgement,
    /// It came before its turn and is kept.
    Held,
    /// It arrived before; it is acknowledged again.
    Duplicate,
    /// Its Ns lies outside the window, or it is too long to be kept; nothing changed.
    OutOfWindow,
    /// Its Nr acknowledges what was never sent; nothing changed.
    BadAcknowledgement,
}

/// A datagram that is to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outgoing<'a> {
    /// A message, with the Ns and Nr that its header must say now.
    Message {
        /// Ns of the message.
        ns: u16,
        /// What we expect next.
        nr: u16,
        /// Whether it was sent before.
        repeated: bool,
        /// The message.
        message: &'a [u8],
    },
    /// An acknowledgement on its own: a ZLB.
    Acknowledgement {
        /// Ns of the next message; a ZLB does not use it up.
        ns: u16,
        /// What we expect next.
        nr: u16,
    },
}

/// The peer did not acknowledge a message for a full retransmission cycle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GaveUp;

impl Channel {
    /// A channel to a peer whose receive window is not known yet.
    #[must_use]
    pub const fn new(first: FirstNumbers) -> Self {
        Self {
            send: SendQueue::new(first.ns, DEFAULT_PEER_WINDOW),
            receive: ReceiveWindow::new(first.nr),
            acknowledge_at: None,
            acknowledge_at_once: false,
        }
    }

    /// The peer told its Receive Window Size. One that takes a single message can do nothing
    /// before it is acknowledged, so from then on acknowledgements go at once.
    pub fn set_peer_window(&mut self, window: u16) {
        self.send.set_peer_window(window);
        self.acknowledge_at_once = window <= 1;
    }

    /// Queues a message behind all others.
    ///
    /// The queue is as long as its owner lets it grow: see [`Channel::queued`].
    pub fn push(&mut self, message: Box<[u8]>) {
        self.send.push(message);
    }

    /// How many messages wait or are unacknowledged.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.send.len()
    }

    /// The congestion window and its threshold.
    #[must_use]
    pub const fn congestion(&self) -> Congestion {
        self.send.congestion()
    }

    /// Ns of the next message to be sent first.
    #[must_use]
    pub const fn next_ns(&self) -> u16 {
        self.send.next_ns()
    }

    /// Ns of the message that is expected next.
    #[must_use]
    pub const fn next_nr(&self) -> u16 {
        self.receive.expected()
    }

    /// Takes what the header of a received message says; `message` is kept if it is early.
    ///
    /// A ZLB is a message without content. Ns and Nr are checked before anything changes, which
    /// is what makes a blind guess at a tunnel's numbers fail (RFC 2661 §9.1).
    pub fn receive(
        &mut self,
        now: Instant,
        (ns, nr): (u16, u16),
        message: Option<&[u8]>,
        config: &ChannelConfig,
    ) -> Received {
        if !self.send.plausible(nr) {
            return Received::BadAcknowledgement;
        }
        let Some(message) = message else {
            // The Ns of a ZLB means nothing; real peers get it wrong.
            self.send.acknowledge(now, nr, &config.retransmission);
            return Received::Acknowledgement;
        };
        let received = match self.receive.place(ns, config.receive_window) {
            Place::Outside => return Received::OutOfWindow,
            Place::Ahead if !self.receive.hold(ns, message) => return Received::OutOfWindow,
            Place::Ahead => Received::Held,
            Place::Past => {
                self.acknowledge_at = Some(now);
                Received::Duplicate
            }
            Place::Next => {
                self.receive.advance();
                self.acknowledge_within(now, config);
                Received::Deliver
            }
        };
        self.send.acknowledge(now, nr, &config.retransmission);
        received
    }

    /// Takes the next message in order that came before its turn.
    pub fn take_next(&mut self, now: Instant, config: &ChannelConfig) -> Option<Box<[u8]>> {
        let message = self.receive.take_expected()?;
        self.acknowledge_within(now, config);
        Some(message)
    }

    /// Sends the acknowledgement that is due without waiting for a message to carry it.
    pub fn acknowledge_now(&mut self, now: Instant) {
        self.acknowledge_at = Some(now);
    }

    /// Drops an acknowledgement that waits: the message that carries it comes later.
    pub const fn withhold_acknowledgement(&mut self) {
        self.acknowledge_at = None;
    }

    /// Sends the unacknowledged messages once more, because the peer repeated what they answer.
    pub const fn repeat(&mut self) {
        self.send.repeat();
    }

    /// Forgets the messages that were never sent, for one that makes them void.
    pub fn forget_waiting(&mut self) {
        self.send.forget_waiting();
    }

    /// Forgets every message in both directions; what arrives is still acknowledged.
    pub fn clear(&mut self) {
        self.send.clear();
        self.receive.clear();
    }

    /// The next datagram to send. Every message carries the acknowledgement with it.
    pub fn poll_transmit(&mut self, now: Instant, config: &ChannelConfig) -> Option<Outgoing<'_>> {
        let nr = self.receive.expected();
        if self.acknowledge_at.is_some_and(|at| at <= now) && !self.send.ready() {
            self.acknowledge_at = None;
            return Some(Outgoing::Acknowledgement { ns: self.send.next_ns(), nr });
        }
        let (ns, repeated, message) = self.send.poll(now, &config.retransmission)?;
        self.acknowledge_at = None;
        Some(Outgoing::Message { ns, nr, repeated, message })
    }

    /// Whether [`Channel::poll_transmit`] has something to send at `now`.
    #[must_use]
    pub fn wants_transmit(&self, now: Instant) -> bool {
        self.send.ready() || self.acknowledge_at.is_some_and(|at| at <= now)
    }

    /// Lets the oldest unacknowledged message go out again when its time has come.
    ///
    /// # Errors
    /// [`GaveUp`] when it was sent as often as the configuration says and the last interval has
    /// passed.
    pub fn handle_timeout(&mut self, now: Instant, config: &ChannelConfig) -> Result<(), GaveUp> {
        self.send.handle_timeout(now, &config.retransmission)
    }

    /// When there is something to do next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        earlier(self.send.retransmit_at(), self.acknowledge_at)
    }

    /// As [`Channel::poll_timeout`], but without an acknowledgement that is due at `now`, for an
    /// owner that knows it as output already.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let acknowledge_at = self.acknowledge_at.filter(|at| *at > now);
        earlier(self.send.retransmit_at(), acknowledge_at)
    }

    fn acknowledge_within(&mut self, now: Instant, config: &ChannelConfig) {
        let at = if self.acknowledge_at_once { now } else { now + config.acknowledgement_delay };
        self.acknowledge_at = Some(self.acknowledge_at.map_or(at, |earlier| earlier.min(at)));
    }
}

/// The earlier of two deadlines that may not be.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}
