use alloc::vec::Vec;

use vpn_core::Instant;
use vpn_core::crypto::CryptoProvider;

use crate::config::Retransmission;

/// A message that awaits an answer, and when it is sent once more (RFC 2408 §5.1).
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) datagram: Vec<u8>,
    sent: u32,
    next: Instant,
}

/// What a deadline of a [`Request`] asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// It has not come yet.
    NotYet,
    /// Send the message once more.
    Repeat,
    /// It was sent often enough.
    GiveUp,
}

impl Request {
    /// `datagram` goes out now for the first time.
    pub(crate) fn new(datagram: Vec<u8>, now: Instant, retransmission: &Retransmission) -> Self {
        Self { datagram, sent: 1, next: now + retransmission.wait(1) }
    }

    /// What is due at `now`. A repetition that is due counts as sent.
    pub(crate) fn due(&mut self, now: Instant, retransmission: &Retransmission) -> Due {
        if now < self.next {
            Due::NotYet
        } else if self.sent >= retransmission.tries {
            Due::GiveUp
        } else {
            self.sent += 1;
            self.next = now + retransmission.wait(self.sent);
            Due::Repeat
        }
    }

    pub(crate) const fn deadline(&self) -> Instant {
        self.next
    }
}

/// A message that was handled, and what it was answered with: the same message again is answered
/// the same way, and does nothing else (RFC 2408 §5.1).
#[derive(Debug)]
pub(crate) struct Answered {
    digest: [u8; 20],
    pub(crate) reply: Vec<u8>,
}

impl Answered {
    pub(crate) fn new(provider: &CryptoProvider, message: &[u8], reply: Vec<u8>) -> Self {
        Self { digest: digest(provider, message), reply }
    }

    /// Whether `message` is the one that was answered.
    pub(crate) fn is_of(&self, provider: &CryptoProvider, message: &[u8]) -> bool {
        self.digest == digest(provider, message)
    }
}

/// What tells messages apart. Nothing depends on its strength: who can make a collision can
/// have his own first message repeated to him.
fn digest(provider: &CryptoProvider, message: &[u8]) -> [u8; 20] {
    provider.legacy.sha1.hash(&[message])
}
