use alloc::collections::BTreeSet;

use crate::Instant;

/// The next deadline of each of many machines, ordered by time.
///
/// An owner of many machines (tunnels, sessions, links) keeps one entry for each, and asks only
/// for the earliest: setting, removing and popping are O(log n), and
/// [`poll_timeout`](crate::Machine::poll_timeout) is a look at the first entry.
#[derive(Clone, Debug)]
pub struct Deadlines<K> {
    queue: BTreeSet<(Instant, K)>,
}

impl<K: Ord> Default for Deadlines<K> {
    fn default() -> Self {
        Self { queue: BTreeSet::new() }
    }
}

impl<K: Ord + Copy> Deadlines<K> {
    /// Moves the entry of `key` from `old` to `new`.
    ///
    /// The owner keeps, beside the machine, the deadline that it entered last, and passes it as
    /// `old`; `None` means no entry.
    pub fn update(&mut self, key: K, old: Option<Instant>, new: Option<Instant>) {
        if old == new {
            return;
        }
        if let Some(at) = old {
            self.queue.remove(&(at, key));
        }
        if let Some(at) = new {
            self.queue.insert((at, key));
        }
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest entry that is due at `now`.
    ///
    /// The owner must clear the deadline that it keeps for this key.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.queue.pop_first().map(|(_, key)| key)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pops_in_order_of_time_and_never_early() {
        let at = Instant::from_micros;
        let mut deadlines = Deadlines::default();
        deadlines.update(1u32, None, Some(at(30)));
        deadlines.update(2, None, Some(at(10)));
        deadlines.update(3, None, Some(at(20)));
        deadlines.update(3, Some(at(20)), Some(at(40)));
        assert_eq!(deadlines.next(), Some(at(10)));
        assert_eq!(deadlines.pop_due(at(9)), None);
        assert_eq!(deadlines.pop_due(at(35)), Some(2));
        assert_eq!(deadlines.pop_due(at(35)), Some(1));
        assert_eq!(deadlines.pop_due(at(35)), None);
        deadlines.update(3, Some(at(40)), None);
        assert!(deadlines.is_empty());
    }
}
