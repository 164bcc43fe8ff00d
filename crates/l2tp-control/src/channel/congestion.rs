use core::cmp::max;
use core::cmp::min;

/// The congestion window of a control channel: slow start and congestion avoidance
/// (RFC 2661 Appendix A). Sizes are in messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Congestion {
    window: u16,
    threshold: u16,
    limit: u16,
    acknowledged: u16,
}

impl Congestion {
    /// Slow start towards a peer that takes `limit` unacknowledged messages.
    #[must_use]
    pub const fn new(limit: u16) -> Self {
        Self { window: 1, threshold: limit, limit, acknowledged: 0 }
    }

    /// How many messages may be unacknowledged: CWND, never above the peer's receive window.
    #[must_use]
    pub const fn window(&self) -> u16 {
        self.window
    }

    /// SSTHRESH: where slow start ends.
    #[must_use]
    pub const fn threshold(&self) -> u16 {
        self.threshold
    }

    /// The peer told its Receive Window Size (RFC 2661 §4.4.3); 0 is taken as 1.
    pub fn set_limit(&mut self, limit: u16) {
        let limit = max(limit, 1);
        if self.threshold == self.limit {
            self.threshold = limit;
        }
        self.limit = limit;
        self.threshold = min(self.threshold, limit);
        self.window = min(self.window, limit);
    }

    /// An acknowledgement arrived that covers something new.
    pub fn on_acknowledgement(&mut self) {
        if self.window >= self.limit {
            return;
        }
        if self.window < self.threshold {
            self.window += 1;
            return;
        }
        self.acknowledged += 1;
        if self.acknowledged >= self.window {
            self.acknowledged = 0;
            self.window += 1;
        }
    }

    /// A message has to be sent again: half of the window becomes the threshold, and slow start
    /// begins anew.
    pub fn on_retransmission(&mut self) {
        self.threshold = max(self.window / 2, 1);
        self.window = 1;
        self.acknowledged = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn windows(congestion: &mut Congestion, acknowledgements: usize) -> Vec<u16> {
        (0..acknowledgements)
            .map(|_| {
                congestion.on_acknowledgement();
                congestion.window()
            })
            .collect()
    }

    #[test]
    fn grows_by_one_an_acknowledgement_then_by_one_a_window() {
        let mut congestion = Congestion::new(16);
        assert_eq!(windows(&mut congestion, 7), [2, 3, 4, 5, 6, 7, 8]);
        congestion.on_retransmission();
        assert_eq!((congestion.window(), congestion.threshold()), (1, 4));
        assert_eq!(
            windows(&mut congestion, 3 + 4 + 5 + 6),
            [2, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 7]
        );
    }

    #[test]
    fn never_exceeds_what_the_peer_takes() {
        let mut congestion = Congestion::new(4);
        assert_eq!(windows(&mut congestion, 6), [2, 3, 4, 4, 4, 4]);
        congestion.set_limit(2);
        assert_eq!((congestion.window(), congestion.threshold()), (2, 2));
        congestion.set_limit(0);
        assert_eq!(windows(&mut congestion, 2), [1, 1]);
        congestion.set_limit(8);
        assert_eq!(windows(&mut congestion, 7), [2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn the_threshold_of_congestion_outlives_a_new_limit() {
        let mut congestion = Congestion::new(4);
        windows(&mut congestion, 3);
        congestion.on_retransmission();
        congestion.set_limit(100);
        assert_eq!((congestion.window(), congestion.threshold()), (1, 2));
        congestion.on_retransmission();
        assert_eq!((congestion.window(), congestion.threshold()), (1, 1));
    }
}
