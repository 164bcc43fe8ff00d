use crate::Instant;

/// The named deadlines of one machine.
///
/// A machine has few timers, each known by name, so they are an array and the next one is a scan
/// over it. `usize: From<T>` numbers the names from 0 to `N - 1`; a number outside is ignored.
#[derive(Clone, Debug)]
pub struct TimerTable<const N: usize> {
    deadlines: [Option<Instant>; N],
}

impl<const N: usize> Default for TimerTable<N> {
    fn default() -> Self {
        Self { deadlines: [None; N] }
    }
}

impl<const N: usize> TimerTable<N> {
    /// Sets or replaces the deadline of `timer`.
    pub fn set(&mut self, timer: impl Into<usize>, at: Instant) {
        if let Some(slot) = self.deadlines.get_mut(timer.into()) {
            *slot = Some(at);
        }
    }

    /// Stops `timer`.
    pub fn stop(&mut self, timer: impl Into<usize>) {
        if let Some(slot) = self.deadlines.get_mut(timer.into()) {
            *slot = None;
        }
    }

    /// Stops every timer.
    pub fn stop_all(&mut self) {
        self.deadlines = [None; N];
    }

    /// The deadline of `timer`, if it runs.
    #[must_use]
    pub fn get(&self, timer: impl Into<usize>) -> Option<Instant> {
        self.deadlines.get(timer.into()).copied().flatten()
    }

    /// The earliest deadline of all.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.deadlines.iter().flatten().min().copied()
    }

    /// Whether `timer` is due at `now`; a timer that is due is stopped.
    #[must_use]
    pub fn expired(&mut self, timer: impl Into<usize>, now: Instant) -> bool {
        match self.deadlines.get_mut(timer.into()) {
            Some(slot) if slot.is_some_and(|at| at <= now) => {
                *slot = None;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn earliest_first_and_each_fires_once() {
        let mut timers = TimerTable::<2>::default();
        let at = |s| Instant::ZERO + Duration::from_secs(s);
        timers.set(0usize, at(2));
        timers.set(1usize, at(1));
        timers.set(9usize, at(0));
        assert_eq!(timers.next(), Some(at(1)));
        assert!(!timers.expired(0usize, at(1)));
        assert!(timers.expired(1usize, at(1)));
        assert!(!timers.expired(1usize, at(1)));
        assert_eq!(timers.get(0usize), Some(at(2)));
        timers.stop(0usize);
        assert_eq!(timers.next(), None);
    }
}
