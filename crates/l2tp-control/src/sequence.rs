//! Sequence numbers of data messages (RFC 2661 §5.4).
//!
//! [`judge`] is the whole decision on a received number. [`DataSequence`] holds the numbers of one
//! session so that a data plane on any thread and the control machine count as one: PPP frames
//! leave from both.

use portable_atomic::AtomicU32;
use portable_atomic::Ordering;

use crate::seq;

/// Where a received sequence number stands to the one that was expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The expected one.
    Next,
    /// Later than expected: so many messages are missing before it, lost or still on their way.
    Gap(u16),
    /// Before the expected one: late, or a duplicate.
    Late,
}

/// Compares a received Ns with the expected one, modulo 65536.
#[must_use]
pub const fn judge(expected: u16, ns: u16) -> Order {
    if ns == expected {
        Order::Next
    } else if seq::is_past(expected, ns) {
        Order::Late
    } else {
        Order::Gap(seq::distance(expected, ns))
    }
}

/// What to do with a received data message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Pass it on. `missing` messages before it did not come, and will be late if they do.
    Accept {
        /// How many sequence numbers were skipped.
        missing: u16,
    },
    /// Drop it: its turn has passed.
    Late,
    /// Drop it: it has no sequence number, and this session requires one.
    Unsequenced,
}

/// After so many late messages in a row the peer must have begun its numbers anew, as one that
/// lost its state does: they are taken from there.
pub(crate) const LATE_IN_A_ROW: u32 = 16;

const NS_MASK: u32 = 0xffff;
/// In `receive`: a number was seen, so the low bits hold the expected one.
const STARTED: u32 = 1 << 16;
/// In `receive`: how many late messages came in a row.
const LATE_ONE: u32 = 1 << 17;
const LATE_MASK: u32 = 0x7fff << 17;
/// In `send`: data messages carry a sequence number. The low bits hold the next one.
const SENDING: u32 = 1 << 31;
/// In `send`: they always must.
const REQUIRED: u32 = 1 << 30;

/// The sequence numbers of one session's data messages, shared between threads.
#[derive(Debug)]
pub struct DataSequence {
    send: AtomicU32,
    receive: AtomicU32,
    lac: bool,
}

impl DataSequence {
    /// A session's numbers, which are not sent yet. `lac`: we are the LAC, and follow the LNS in
    /// whether they are. `first` is the first Ns, which is 0 (RFC 2661 §3.1) but for tests.
    #[must_use]
    pub const fn new(lac: bool, first: u16) -> Self {
        Self { send: AtomicU32::new(first as u32), receive: AtomicU32::new(0), lac }
    }

    /// Every data message must carry a sequence number from now on: Sequencing Required was in
    /// the ICCN or OCCN (RFC 2661 §4.4.4).
    pub fn require(&self) {
        self.send.fetch_or(SENDING | REQUIRED, Ordering::Relaxed);
    }

    /// Whether every data message must carry a sequence number.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.send.load(Ordering::Relaxed) & REQUIRED != 0
    }

    /// Whether data messages that we send carry one now.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.send.load(Ordering::Relaxed) & SENDING != 0
    }

    /// Begins or stops to send sequence numbers; where they stop, they go on later. Returns
    /// whether that was possible: required ones can't be stopped.
    pub fn set_sending(&self, sending: bool) -> bool {
        let changed = self.send.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |send| {
            match (sending, send & REQUIRED != 0) {
                (true, _) => Some(send | SENDING),
                (false, true) => None,
                (false, false) => Some(send & !SENDING),
            }
        });
        changed.is_ok()
    }

    /// The Ns of the next data message, or `None` where it carries none.
    #[must_use]
    pub fn next_ns(&self) -> Option<u16> {
        let taken = self.send.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |send| {
            let next = (send & !NS_MASK) | u32::from(low(send).wrapping_add(1));
            (send & SENDING != 0).then_some(next)
        });
        taken.ok().map(low)
    }

    /// Takes the Ns of a received data message, or that it has none, and decides about it.
    ///
    /// A LAC that sees the LNS begin or stop to send numbers does the same (RFC 2661 §5.4).
    pub fn receive(&self, ns: Option<u16>) -> Verdict {
        let Some(ns) = ns else { return self.receive_unsequenced() };
        self.follow(true);
        let mut verdict = Verdict::Late;
        let _ = self.receive.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
            let order = if state & STARTED == 0 { Order::Next } else { judge(low(state), ns) };
            let late = (state & LATE_MASK) / LATE_ONE + 1;
            let missing = match order {
                Order::Next => 0,
                Order::Gap(missing) => missing,
                Order::Late if late >= LATE_IN_A_ROW => 0,
                Order::Late => {
                    verdict = Verdict::Late;
                    return Some(STARTED | (late * LATE_ONE) | (state & NS_MASK));
                }
            };
            verdict = Verdict::Accept { missing };
            Some(STARTED | u32::from(ns.wrapping_add(1)))
        });
        verdict
    }

    /// As [`DataSequence::receive`] for a message without a number.
    pub(crate) fn receive_unsequenced(&self) -> Verdict {
        if self.is_required() {
            return Verdict::Unsequenced;
        }
        self.follow(false);
        Verdict::Accept { missing: 0 }
    }

    /// Does as the LNS does.
    pub(crate) fn follow(&self, sending: bool) {
        if self.lac && self.is_sending() != sending {
            self.set_sending(sending);
        }
    }
}

const fn low(state: u32) -> u16 {
    let [.., high, low] = state.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_modulo_65536() {
        assert_eq!(judge(0, 0), Order::Next);
        assert_eq!(judge(65_535, 0), Order::Gap(1));
        assert_eq!(judge(0, 65_535), Order::Late);
        assert_eq!(judge(0, 32_767), Order::Gap(32_767));
        assert_eq!(judge(0, 32_768), Order::Late);
        assert_eq!(judge(65_530, 5), Order::Gap(11));
    }

    #[test]
    fn accepts_what_is_new_and_drops_what_is_late() {
        let sequence = DataSequence::new(false, 0);
        let verdicts = [65_533, 65_535, 65_534, 0, 0, 1].map(|ns| sequence.receive(Some(ns)));
        assert_eq!(
            verdicts,
            [
                Verdict::Accept { missing: 0 },
                Verdict::Accept { missing: 1 },
                Verdict::Late,
                Verdict::Accept { missing: 0 },
                Verdict::Late,
                Verdict::Accept { missing: 0 },
            ]
        );
    }

    #[test]
    fn numbers_wrap_and_pause() {
        let sequence = DataSequence::new(false, 65_531);
        assert_eq!(sequence.next_ns(), None);
        assert!(sequence.set_sending(true));
        let sent: [Option<u16>; 7] = core::array::from_fn(|_| sequence.next_ns());
        assert_eq!(sent, [65_531, 65_532, 65_533, 65_534, 65_535, 0, 1].map(Some));
        assert!(sequence.set_sending(false));
        assert_eq!(sequence.next_ns(), None);
        // "the sequence number state picks up where it left off before" (RFC 2661 §5.4).
        assert!(sequence.set_sending(true));
        assert_eq!(sequence.next_ns(), Some(2));
    }

    #[test]
    fn a_lac_follows_and_an_lns_decides() {
        let (lac, lns) = (DataSequence::new(true, 0), DataSequence::new(false, 0));
        for (ns, sending) in [(None, false), (Some(0), true), (Some(1), true), (None, false)] {
            assert_eq!(lac.receive(ns), Verdict::Accept { missing: 0 });
            assert_eq!(lac.is_sending(), sending);
            assert_eq!(lns.receive(ns), Verdict::Accept { missing: 0 });
            assert!(!lns.is_sending());
        }
    }

    #[test]
    fn required_numbers_cannot_be_dropped() {
        for lac in [true, false] {
            let sequence = DataSequence::new(lac, 0);
            sequence.require();
            assert_eq!(sequence.receive(None), Verdict::Unsequenced);
            assert!(!sequence.set_sending(false));
            assert!(sequence.is_required() && sequence.is_sending());
            assert_eq!(sequence.next_ns(), Some(0));
        }
    }

    #[test]
    fn a_peer_that_begins_anew_is_taken_up_after_a_while() {
        let sequence = DataSequence::new(false, 0);
        assert_eq!(sequence.receive(Some(30_000)), Verdict::Accept { missing: 0 });
        let mut late = 0;
        while sequence.receive(Some(late)) == Verdict::Late {
            late += 1;
        }
        assert_eq!(late, 15);
        assert_eq!(sequence.receive(Some(16)), Verdict::Accept { missing: 0 });
        // Few late ones change nothing, however often, when good ones come between.
        for n in 17..200 {
            assert_eq!(sequence.receive(Some(n)), Verdict::Accept { missing: 0 });
            assert_eq!(sequence.receive(Some(n)), Verdict::Late);
        }
    }
}
