use alloc::collections::VecDeque;
use core::time::Duration;

use bytes::Bytes;
use vpn_core::Instant;

use crate::seq;
use crate::sequence::LATE_IN_A_ROW;
use crate::sequence::Order;
use crate::sequence::judge;

/// How data messages that overtook each other are put back in order (RFC 2661 §5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReorderConfig {
    /// How long a frame waits for those before it. Then the gap is given up.
    pub limit: Duration,
    /// How many frames wait at most. One more, and the oldest gap is given up.
    pub frames: usize,
}

/// Frames of one session that came before their turn.
///
/// A frame waits until all before it have come, or for the time limit. What comes after its turn
/// was given up is late, and dropped. Sixteen late ones in a row mean that the peer has begun its
/// numbers anew, and so does the queue.
#[derive(Debug)]
pub struct ReorderQueue {
    expected: Option<u16>,
    /// How many late frames came in a row.
    late: u32,
    /// In order of their numbers.
    held: VecDeque<Held>,
    ready: VecDeque<Bytes>,
}

#[derive(Debug)]
struct Held {
    ns: u16,
    until: Instant,
    frame: Bytes,
}

/// What became of a frame that was put into a [`ReorderQueue`].
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reordered {
    /// It is ready, and maybe others behind it: see [`ReorderQueue::pop`].
    Ready,
    /// It waits for those before it.
    Waits,
    /// Its turn has passed, or it is here already.
    Late,
}

impl ReorderQueue {
    /// An empty queue. The first frame that comes sets where the numbers begin.
    #[must_use]
    pub const fn new() -> Self {
        Self { expected: None, late: 0, held: VecDeque::new(), ready: VecDeque::new() }
    }

    /// Puts in a frame.
    pub fn push(
        &mut self,
        now: Instant,
        ns: u16,
        frame: Bytes,
        config: &ReorderConfig,
    ) -> Reordered {
        let expected = *self.expected.get_or_insert(ns);
        match judge(expected, ns) {
            Order::Late if self.late + 1 >= LATE_IN_A_ROW => {
                self.flush();
                self.expected = Some(ns.wrapping_add(1));
                self.ready.push_back(frame);
                Reordered::Ready
            }
            Order::Late => {
                self.late += 1;
                Reordered::Late
            }
            Order::Next => {
                self.late = 0;
                self.ready.push_back(frame);
                self.expected = Some(ns.wrapping_add(1));
                self.release_in_order();
                Reordered::Ready
            }
            Order::Gap(_) => {
                let after = |held: &Held| seq::distance(expected, held.ns);
                let place = self.held.partition_point(|h| after(h) < seq::distance(expected, ns));
                if self.held.get(place).is_some_and(|held| held.ns == ns) {
                    return Reordered::Late;
                }
                self.late = 0;
                self.held.insert(place, Held { ns, until: now + config.limit, frame });
                if self.held.len() <= config.frames {
                    return Reordered::Waits;
                }
                self.give_up_gaps(1);
                if self.ready.is_empty() { Reordered::Waits } else { Reordered::Ready }
            }
        }
    }

    /// A frame without a number came: nothing can be put in order any more, so all goes out.
    pub fn flush(&mut self) {
        self.give_up_gaps(self.held.len());
        self.expected = None;
        self.late = 0;
    }

    /// The next frame in order.
    pub fn pop(&mut self) -> Option<Bytes> {
        let frame = self.ready.pop_front();
        if self.ready.is_empty() && self.held.is_empty() {
            self.ready = VecDeque::new();
            self.held = VecDeque::new();
        }
        frame
    }

    /// When a frame has waited long enough.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.until).min()
    }

    /// Gives up the gaps before each frame that has waited long enough.
    pub fn handle_timeout(&mut self, now: Instant) {
        let overdue = self.held.iter().rposition(|held| held.until <= now);
        self.give_up_gaps(overdue.map_or(0, |place| place + 1));
    }

    /// Releases the first `count` waiting frames, whatever is missing, and all that follow them
    /// without a gap.
    fn give_up_gaps(&mut self, count: usize) {
        for _ in 0..count {
            self.release_first();
        }
        if count > 0 {
            self.release_in_order();
        }
    }

    fn release_in_order(&mut self) {
        while self.held.front().is_some_and(|held| Some(held.ns) == self.expected) {
            self.release_first();
        }
    }

    fn release_first(&mut self) {
        if let Some(held) = self.held.pop_front() {
            self.expected = Some(held.ns.wrapping_add(1));
            self.ready.push_back(held.frame);
        }
    }
}

impl Default for ReorderQueue {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const CONFIG: ReorderConfig = ReorderConfig { limit: Duration::from_millis(50), frames: 3 };

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    fn frame(ns: u16) -> Bytes {
        Bytes::copy_from_slice(&ns.to_be_bytes())
    }

    fn drain(queue: &mut ReorderQueue) -> Vec<u16> {
        core::iter::from_fn(|| queue.pop()).map(|f| u16::from_be_bytes([f[0], f[1]])).collect()
    }

    fn push(queue: &mut ReorderQueue, millis: u64, ns: u16) -> (Reordered, Vec<u16>) {
        let reordered = queue.push(at(millis), ns, frame(ns), &CONFIG);
        (reordered, drain(queue))
    }

    #[test]
    fn restores_the_order_across_the_wrap() {
        let mut queue = ReorderQueue::new();
        assert_eq!(push(&mut queue, 0, 65_534), (Reordered::Ready, vec![65_534]));
        assert_eq!(push(&mut queue, 1, 1), (Reordered::Waits, vec![]));
        assert_eq!(push(&mut queue, 2, 0), (Reordered::Waits, vec![]));
        assert_eq!(push(&mut queue, 3, 0), (Reordered::Late, vec![]), "a duplicate");
        assert_eq!(queue.poll_timeout(), Some(at(51)));
        assert_eq!(push(&mut queue, 4, 65_535), (Reordered::Ready, vec![65_535, 0, 1]));
        assert_eq!(push(&mut queue, 5, 0), (Reordered::Late, vec![]));
        assert_eq!(queue.poll_timeout(), None);
    }

    #[test]
    fn gives_a_gap_up_after_the_time_limit() {
        let mut queue = ReorderQueue::new();
        let _ = push(&mut queue, 0, 0);
        let _ = push(&mut queue, 1, 2);
        let _ = push(&mut queue, 2, 4);
        queue.handle_timeout(at(50));
        assert_eq!(drain(&mut queue), []);
        queue.handle_timeout(at(51));
        assert_eq!(drain(&mut queue), [2]);
        assert_eq!(push(&mut queue, 51, 1), (Reordered::Late, vec![]));
        assert_eq!(push(&mut queue, 51, 3), (Reordered::Ready, vec![3, 4]));
    }

    #[test]
    fn never_holds_more_than_it_may() {
        let mut queue = ReorderQueue::new();
        let _ = push(&mut queue, 0, 0);
        for ns in [2, 4, 6] {
            assert_eq!(push(&mut queue, 0, ns), (Reordered::Waits, vec![]));
        }
        assert_eq!(push(&mut queue, 0, 8), (Reordered::Ready, vec![2]));
        assert_eq!(push(&mut queue, 0, 3), (Reordered::Ready, vec![3, 4]));
        queue.flush();
        assert_eq!(drain(&mut queue), [6, 8]);
        assert_eq!(push(&mut queue, 0, 5), (Reordered::Ready, vec![5]), "begins anew");
    }

    #[test]
    fn follows_a_peer_that_begins_anew() {
        let mut queue = ReorderQueue::new();
        let _ = push(&mut queue, 0, 30_000);
        for ns in 0..14 {
            assert_eq!(push(&mut queue, 1, ns), (Reordered::Late, vec![]));
        }
        // One in its turn, and the count begins again.
        assert_eq!(push(&mut queue, 2, 30_002), (Reordered::Waits, vec![]));
        for ns in 14..29 {
            assert_eq!(push(&mut queue, 3, ns), (Reordered::Late, vec![]));
        }
        assert_eq!(push(&mut queue, 4, 29), (Reordered::Ready, vec![30_002, 29]));
        assert_eq!(push(&mut queue, 5, 31), (Reordered::Waits, vec![]));
        assert_eq!(push(&mut queue, 5, 30), (Reordered::Ready, vec![30, 31]));
    }

    proptest! {
        #[test]
        fn what_comes_out_only_ever_grows(
            first in any::<u16>(),
            arrivals in prop::collection::vec((0_u16..40, 0_u64..30), 0..80),
        ) {
            let mut queue = ReorderQueue::new();
            let (mut millis, mut out, mut taken) = (0, Vec::new(), 0);
            for (offset, wait) in arrivals {
                millis += wait;
                queue.handle_timeout(at(millis));
                let ns = first.wrapping_add(offset);
                // Numbers that begin anew are another test's.
                queue.late = 0;
                if queue.push(at(millis), ns, frame(ns), &CONFIG) != Reordered::Late {
                    taken += 1;
                }
                out.extend(drain(&mut queue));
                prop_assert!(queue.held.len() <= CONFIG.frames);
                prop_assert!(queue.poll_timeout().is_none_or(|due| due > at(millis)));
            }
            queue.flush();
            out.extend(drain(&mut queue));
            prop_assert_eq!(out.len(), taken, "each frame taken comes out once");
            let steps = |ns: &u16| seq::distance(out[0], *ns);
            prop_assert!(out.is_sorted_by(|a, b| steps(a) < steps(b)), "{:?}", out);
        }
    }
}
