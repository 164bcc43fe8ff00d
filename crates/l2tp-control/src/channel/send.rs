use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use vpn_core::Instant;

use super::Congestion;
use super::GaveUp;
use super::Retransmission;
use crate::seq;

/// How far an acknowledgement may lie behind the newest one and still be taken for a reordered
/// one. An honest peer's messages carry an Nr at most as old as its longest retransmission; what
/// lies outside is more likely a guess by somebody who can't see the tunnel.
const STALE_NR: u16 = 1024;

/// The sending half: messages in order, from the oldest that is not acknowledged.
pub(super) struct SendQueue {
    messages: VecDeque<Box<[u8]>>,
    /// Ns of the first message in the queue.
    oldest: u16,
    /// How many of the queue went out since the last time-out.
    sent: u16,
    /// How many of the queue ever went out: what the peer may acknowledge.
    ever_sent: u16,
    /// How often the first message went out because its time had come.
    tries: u8,
    congestion: Congestion,
    retransmit_at: Option<Instant>,
}

impl SendQueue {
    pub(super) const fn new(first_ns: u16, peer_window: u16) -> Self {
        Self {
            messages: VecDeque::new(),
            oldest: first_ns,
            sent: 0,
            ever_sent: 0,
            tries: 0,
            congestion: Congestion::new(peer_window),
            retransmit_at: None,
        }
    }

    pub(super) fn push(&mut self, message: Box<[u8]>) {
        self.messages.push_back(message);
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Ns of the next message that was never sent.
    pub(super) const fn next_ns(&self) -> u16 {
        self.oldest.wrapping_add(self.ever_sent)
    }

    pub(super) fn set_peer_window(&mut self, window: u16) {
        self.congestion.set_limit(window);
    }

    pub(super) const fn congestion(&self) -> Congestion {
        self.congestion
    }

    pub(super) const fn retransmit_at(&self) -> Option<Instant> {
        self.retransmit_at
    }

    /// Whether `nr` can come from a peer that saw what was sent.
    pub(super) const fn plausible(&self, nr: u16) -> bool {
        seq::distance(self.oldest, nr) <= self.ever_sent
            || seq::distance(nr, self.oldest) <= STALE_NR
    }

    /// The peer expects `nr` next: everything before it has arrived.
    pub(super) fn acknowledge(&mut self, now: Instant, nr: u16, policy: &Retransmission) {
        let arrived = seq::distance(self.oldest, nr);
        if arrived == 0 || arrived > self.ever_sent {
            return;
        }
        for _ in 0..arrived {
            self.messages.pop_front();
        }
        if self.messages.is_empty() {
            // An idle channel holds no heap.
            self.messages = VecDeque::new();
        }
        self.oldest = nr;
        self.ever_sent -= arrived;
        self.sent = self.sent.saturating_sub(arrived);
        self.tries = 0;
        self.congestion.on_acknowledgement();
        self.retransmit_at = (self.ever_sent > 0).then(|| now + policy.interval(1));
    }

    /// Whether the windows let a message out.
    pub(super) fn ready(&self) -> bool {
        self.sent < self.congestion.window() && usize::from(self.sent) < self.messages.len()
    }

    /// The next message that the windows let out, with its Ns and whether it went out before.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        policy: &Retransmission,
    ) -> Option<(u16, bool, &[u8])> {
        if !self.ready() {
            return None;
        }
        let message = self.messages.get(usize::from(self.sent))?;
        let ns = self.oldest.wrapping_add(self.sent);
        let repeated = self.sent < self.ever_sent;
        self.sent += 1;
        self.ever_sent = self.ever_sent.max(self.sent);
        self.tries = self.tries.max(1);
        if self.retransmit_at.is_none() {
            self.retransmit_at = Some(now + policy.interval(1));
        }
        Some((ns, repeated, message))
    }

    /// Sends the first message again when its time has come.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        policy: &Retransmission,
    ) -> Result<(), GaveUp> {
        if self.retransmit_at.is_none_or(|at| at > now) {
            return Ok(());
        }
        if self.tries >= policy.transmissions() {
            self.retransmit_at = None;
            return Err(GaveUp);
        }
        // All that is unacknowledged counts as lost: the window begins again at the first.
        self.tries += 1;
        self.sent = 0;
        self.congestion.on_retransmission();
        self.retransmit_at = Some(now + policy.interval(self.tries));
        Ok(())
    }

    /// Sends what is unacknowledged once more, because the peer repeated what it answers. The
    /// timer and its count of tries go on as they were.
    pub(super) const fn repeat(&mut self) {
        self.sent = 0;
    }

    /// Forgets the messages that were never sent.
    pub(super) fn forget_waiting(&mut self) {
        self.messages.truncate(usize::from(self.ever_sent));
    }

    /// Forgets every message. The numbering goes on.
    pub(super) fn clear(&mut self) {
        self.messages = VecDeque::new();
        self.oldest = self.next_ns();
        self.sent = 0;
        self.ever_sent = 0;
        self.tries = 0;
        self.retransmit_at = None;
    }
}

/// Without the messages: they may hold a password.
impl fmt::Debug for SendQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendQueue")
            .field("messages", &self.messages.len())
            .field("oldest", &self.oldest)
            .field("sent", &self.sent)
            .field("congestion", &self.congestion)
            .field("retransmit_at", &self.retransmit_at)
            .finish_non_exhaustive()
    }
}
