use core::time::Duration;

/// How a message that awaits an answer is repeated.
///
/// Only the side that waits for the next message of an exchange repeats its own (RFC 2408 §5.1);
/// the other answers a repetition with what it answered first.
///
/// The default waits 0.5 s, half as long again each time, at most 8 s, and sends 11 times: 48 s in
/// all. The early repetitions bring nearly every set-up through a path that loses three datagrams
/// in ten, and the whole stays close to what a person will wait for. strongSwan's own figures are
/// 4 s x 1.8^n and 165 s in all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retransmission {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// How often the message is sent, the first time included. 0 counts as 1.
    pub tries: u32,
}

impl Default for Retransmission {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(8), tries: 11 }
    }
}

impl Retransmission {
    /// How long to wait after the message was sent for the `sent`th time.
    #[must_use]
    pub fn wait(&self, sent: u32) -> Duration {
        let mut wait = self.first;
        for _ in 1..sent {
            if wait >= self.longest {
                break;
            }
            wait = wait.saturating_add(wait / 2);
        }
        wait.min(self.longest)
    }

    /// How long a peer is given that never answers.
    #[must_use]
    pub fn give_up(&self) -> Duration {
        (1..=self.tries.max(1))
            .fold(Duration::ZERO, |sum, sent| sum.saturating_add(self.wait(sent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest() {
        let retransmission = Retransmission::default();
        let waits: [u128; 11] = core::array::from_fn(|n| {
            retransmission.wait(u32::try_from(n).unwrap() + 1).as_millis()
        });
        assert_eq!(waits, [500, 750, 1125, 1687, 2531, 3796, 5695, 8000, 8000, 8000, 8000]);
        assert_eq!(retransmission.give_up().as_secs(), 48);
    }

    #[test]
    fn extreme_settings_end() {
        let zero = Retransmission { first: Duration::ZERO, longest: Duration::MAX, tries: 0 };
        assert_eq!(zero.give_up(), Duration::ZERO);
        let most = Retransmission { first: Duration::MAX, longest: Duration::MAX, tries: 3 };
        assert_eq!(most.give_up(), Duration::MAX);
    }
}
