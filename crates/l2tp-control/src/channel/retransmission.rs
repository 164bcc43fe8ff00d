use core::cmp::min;
use core::time::Duration;

/// How often, and how long apart, an unacknowledged control message is sent (RFC 2661 §5.8).
///
/// The default sends a message five times and waits 1, 2, 4, 8 and 16 s after each: a peer that
/// is silent for 31 s, the full retransmission cycle of RFC 2661 §5.7, is given up. The RFC speaks
/// of five "retransmissions" and of 31 s, which is one interval each for five transmissions; real
/// peers count in the same way, and so does [`Retransmission::count`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retransmission {
    first: Duration,
    cap: Duration,
    transmissions: u8,
}

/// The shortest cap on the interval that RFC 2661 §5.8 permits.
const LEAST_CAP: Duration = Duration::from_secs(8);

impl Retransmission {
    /// The defaults of RFC 2661: 1 s at first, doubled each time, five intervals.
    pub const RFC_2661: Self =
        Self { first: Duration::from_secs(1), cap: Duration::from_secs(16), transmissions: 5 };

    /// Sets the first interval: 1 s by default, 10 ms at least and 8 s at most.
    #[must_use]
    pub fn first_interval(mut self, first: Duration) -> Self {
        self.first = first.clamp(Duration::from_millis(10), LEAST_CAP);
        self
    }

    /// Sets the longest interval: 16 s by default, 8 s at least, as RFC 2661 §5.8 demands.
    #[must_use]
    pub fn longest_interval(mut self, cap: Duration) -> Self {
        self.cap = cap.max(LEAST_CAP);
        self
    }

    /// Sets how often a message is sent, and so how many intervals pass until the peer is given
    /// up: 5 by default, 1 at least and 20 at most.
    #[must_use]
    pub fn count(mut self, transmissions: u8) -> Self {
        self.transmissions = transmissions.clamp(1, 20);
        self
    }

    /// How often a message is sent.
    #[must_use]
    pub const fn transmissions(&self) -> u8 {
        self.transmissions
    }

    /// How long to wait after the `n`-th transmission, which count from 1.
    #[must_use]
    pub fn interval(&self, n: u8) -> Duration {
        let doublings = u32::from(n.saturating_sub(1)).min(31);
        min(self.first.saturating_mul(1 << doublings), self.cap)
    }

    /// The full retransmission cycle: the time from the first transmission until the peer is
    /// given up.
    #[must_use]
    pub fn cycle(&self) -> Duration {
        (1..=self.transmissions).fold(Duration::ZERO, |sum, n| sum.saturating_add(self.interval(n)))
    }
}

impl Default for Retransmission {
    fn default() -> Self {
        Self::RFC_2661
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(policy: Retransmission) -> [u64; 6] {
        [1, 2, 3, 4, 5, 6].map(|n| policy.interval(n).as_secs())
    }

    #[test]
    fn backs_off_exponentially_for_31_s() {
        let policy = Retransmission::default();
        assert_eq!(seconds(policy), [1, 2, 4, 8, 16, 16]);
        assert_eq!(policy.cycle(), Duration::from_secs(31));
    }

    #[test]
    fn the_cap_is_never_below_8_s() {
        let policy = Retransmission::default().longest_interval(Duration::from_secs(3));
        assert_eq!(seconds(policy), [1, 2, 4, 8, 8, 8]);
        assert_eq!(policy.cycle(), Duration::from_secs(23));
    }

    #[test]
    fn extremes_are_clamped() {
        let policy = Retransmission::default()
            .first_interval(Duration::MAX)
            .longest_interval(Duration::MAX)
            .count(0);
        assert_eq!(policy.cycle(), Duration::from_secs(8));
        assert!(policy.count(255).interval(255) > Duration::from_secs(8));
        assert_eq!(policy.count(255).transmissions(), 20);
        assert_eq!(policy.first_interval(Duration::ZERO).interval(1), Duration::from_millis(10));
    }
}
