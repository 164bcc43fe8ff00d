use alloc::collections::VecDeque;
use core::time::Duration;

use vpn_core::Instant;

/// Identifiers that are kept out of use for a while after their owner has gone, so that what is
/// still on its way to the owner can't reach another one.
///
/// It holds a bounded number: with more, the oldest comes free before its time.
#[derive(Debug)]
pub(super) struct Quarantine<K> {
    queue: VecDeque<(Instant, K)>,
    newest: Instant,
    capacity: usize,
}

impl<K> Quarantine<K> {
    pub(super) const fn new(capacity: usize) -> Self {
        Self { queue: VecDeque::new(), newest: Instant::ZERO, capacity }
    }

    /// Takes in an identifier, and returns one that comes free to make room.
    #[must_use]
    pub(super) fn add(&mut self, now: Instant, hold: Duration, key: K) -> Option<K> {
        // One queue in order of time: no later entry comes free before an earlier one.
        self.newest = self.newest.max(now + hold);
        self.queue.push_back((self.newest, key));
        if self.queue.len() <= self.capacity {
            return None;
        }
        self.queue.pop_front().map(|(_, key)| key)
    }

    /// Takes out an identifier whose time is over.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let due = self.queue.pop_front().map(|(_, key)| key);
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        due
    }

    /// When the next one comes free.
    pub(super) fn next(&self) -> Option<Instant> {
        self.queue.front().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_for_a_while_and_never_too_many() {
        let at = |s: u64| Instant::from_micros(s * 1_000_000);
        let mut quarantine = Quarantine::new(2);
        assert_eq!(quarantine.add(at(0), Duration::from_secs(10), 'a'), None);
        assert_eq!(quarantine.add(at(1), Duration::from_secs(5), 'b'), None);
        assert_eq!(quarantine.add(at(2), Duration::from_secs(10), 'c'), Some('a'));
        assert_eq!(quarantine.next(), Some(at(10)));
        assert_eq!(quarantine.pop_due(at(9)), None);
        assert_eq!(quarantine.pop_due(at(10)), Some('b'));
        assert_eq!(quarantine.pop_due(at(12)), Some('c'));
        assert_eq!((quarantine.next(), quarantine.queue.capacity()), (None, 0));
    }
}
