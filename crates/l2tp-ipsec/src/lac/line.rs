use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use ppp_core::ControlCode;
use ppp_core::Link;
use ppp_core::Packet;
use ppp_core::Protocol;
use ppp_core::frame;
use vpn_core::DropReason;
use vpn_core::Instant;

use super::SubscriberId;
use crate::DisconnectReason;
use crate::SessionId;

/// A subscriber's line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) stage: Stage,
    /// Who the subscriber says it is.
    pub(super) user: Option<String>,
    /// The entry in the queue of deadlines.
    pub(super) deadline: Option<Instant>,
    /// Why we are closing its session.
    pub(super) ending: Option<DisconnectReason>,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// We speak PPP with the subscriber, until it has sent its proof.
    Negotiating(Box<Link>),
    /// The LNS has not answered yet.
    Calling(SessionId, Early),
    /// Frames pass untouched.
    Forwarding(SessionId),
}

impl Line {
    pub(super) const fn new(link: Box<Link>) -> Self {
        Self { stage: Stage::Negotiating(link), user: None, deadline: None, ending: None }
    }

    pub(super) const fn session(&self) -> Option<SessionId> {
        match self.stage {
            Stage::Negotiating(_) => None,
            Stage::Calling(session, _) | Stage::Forwarding(session) => Some(session),
        }
    }
}

/// What a subscriber sends while the LNS is being called: repeated proofs and Echo-Requests.
#[derive(Debug, Default)]
pub(super) struct Early {
    frames: Vec<Bytes>,
    octets: usize,
}

impl Early {
    const MAX_FRAMES: usize = 16;
    const MAX_OCTETS: usize = 8192;

    pub(super) fn keep(&mut self, frame: &[u8]) -> Result<(), DropReason> {
        let octets = self.octets.saturating_add(frame.len());
        if self.frames.len() >= Self::MAX_FRAMES || octets > Self::MAX_OCTETS {
            return Err(DropReason::LimitReached);
        }
        self.octets = octets;
        self.frames.push(Bytes::copy_from_slice(frame));
        Ok(())
    }

    pub(super) fn take(&mut self) -> Vec<Bytes> {
        core::mem::take(self).frames
    }
}

/// The frames on their way to subscribers.
#[derive(Debug, Default)]
pub(super) struct Frames {
    queue: VecDeque<(SubscriberId, Bytes)>,
}

impl Frames {
    const MAX: usize = 4096;

    pub(super) fn push(&mut self, to: SubscriberId, frame: Bytes) -> Result<(), DropReason> {
        if self.queue.len() >= Self::MAX {
            return Err(DropReason::LimitReached);
        }
        self.queue.push_back((to, frame));
        Ok(())
    }

    /// The last frame of a subscriber; there is always room for it.
    pub(super) fn push_last(&mut self, to: SubscriberId, frame: Bytes) {
        self.queue.push_back((to, frame));
    }

    pub(super) fn pop(&mut self) -> Option<(SubscriberId, Bytes)> {
        self.queue.pop_front()
    }

    /// The line has gone.
    pub(super) fn forget(&mut self, subscriber: SubscriberId) {
        self.queue.retain(|(to, _)| *to != subscriber);
    }
}

/// An LCP Terminate-Request (RFC 1661 §5.5), so that the subscriber notices even where its line
/// stays up. Nobody waits for the answer.
pub(super) fn terminate_request(text: &str) -> Bytes {
    let [high, low] = Protocol::LCP.0.to_be_bytes();
    let mut out = Vec::from([frame::ADDRESS_CONTROL[0], frame::ADDRESS_CONTROL[1], high, low]);
    let packet =
        Packet { code: ControlCode::TERMINATE_REQUEST.0, identifier: 0, data: text.as_bytes() };
    // Our own texts are short.
    let _ = packet.encode(&mut out);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_frames_are_bounded_in_number_and_octets() {
        let mut early = Early::default();
        for _ in 0..Early::MAX_FRAMES {
            assert_eq!(early.keep(&[1; 100]), Ok(()));
        }
        assert_eq!(early.keep(&[]), Err(DropReason::LimitReached));
        assert_eq!(early.take().len(), Early::MAX_FRAMES);
        assert_eq!(early.keep(&[1; Early::MAX_OCTETS]), Ok(()));
        assert_eq!(early.keep(&[1]), Err(DropReason::LimitReached));
    }

    #[test]
    fn frames_are_bounded_but_for_the_last() {
        let mut frames = Frames::default();
        for n in 0..Frames::MAX {
            let to = SubscriberId(n as u64 % 2);
            assert_eq!(frames.push(to, Bytes::new()), Ok(()));
        }
        assert_eq!(frames.push(SubscriberId(0), Bytes::new()), Err(DropReason::LimitReached));
        frames.push_last(SubscriberId(0), Bytes::new());
        frames.forget(SubscriberId(0));
        let left = core::iter::from_fn(|| frames.pop());
        assert_eq!(left.filter(|(to, _)| *to == SubscriberId(1)).count(), Frames::MAX / 2);
    }

    #[test]
    fn the_last_word_is_a_terminate_request() {
        let frame = terminate_request("bye");
        assert_eq!(&frame[..], b"\xff\x03\xc0\x21\x05\x00\x00\x07bye");
    }
}
