use core::time::Duration;

use vpn_core::RandomError;
use vpn_core::SecureRandom;

/// How much an SA may be used before it must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Packets.
    pub packets: u64,
    /// Octets that were encrypted, padding included (RFC 4301 §4.4.2.1).
    pub octets: u64,
    /// Time since the SA was installed.
    pub time: Duration,
}

impl Limits {
    /// No limit.
    pub const NONE: Self = Self { packets: u64::MAX, octets: u64::MAX, time: Duration::MAX };
}

/// The lifetime of an SA (RFC 4301 §4.4.2.1): a soft one, at which it must be replaced, and a hard
/// one, at which it ends. Whichever limit is reached first counts.
///
/// Packets and octets are counted by the SA itself, which says in the result of the very packet that
/// a soft limit was crossed: at several gigabits a second the way from soft to hard is too short for
/// a timer. Time is the business of whoever holds a clock; [`Sad`](crate::Sad) does it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetime {
    pub(crate) soft: Limits,
    pub(crate) hard: Limits,
}

impl Lifetime {
    /// As long as there are sequence numbers.
    pub const UNLIMITED: Self = Self { soft: Limits::NONE, hard: Limits::NONE };

    /// Ends at `hard` and asks for a replacement at nine tenths of it.
    #[must_use]
    pub fn new(hard: Limits) -> Self {
        let soft = Limits {
            packets: nine_tenths(hard.packets),
            octets: nine_tenths(hard.octets),
            time: hard.time - hard.time / 10,
        };
        Self { soft, hard }
    }

    /// Asks for a replacement at `soft` instead; what lies behind the hard limit is cut down to it.
    #[must_use]
    pub fn with_soft(self, soft: Limits) -> Self {
        let soft = Limits {
            packets: soft.packets.min(self.hard.packets),
            octets: soft.octets.min(self.hard.octets),
            time: soft.time.min(self.hard.time),
        };
        Self { soft, ..self }
    }

    /// Moves the soft limits forward by up to a tenth, so that many SAs that were made together are
    /// not replaced together.
    ///
    /// # Errors
    /// [`RandomError`] when `rng` fails.
    pub fn jittered(self, rng: &mut dyn SecureRandom) -> Result<Self, RandomError> {
        let mut octets = [0; 2];
        rng.fill(&mut octets)?;
        let share = u32::from(u16::from_ne_bytes(octets));
        let earlier = |limit: u64| limit - (limit / 10 / u64::from(u16::MAX)) * u64::from(share);
        let soft = Limits {
            packets: earlier(self.soft.packets),
            octets: earlier(self.soft.octets),
            time: self.soft.time - self.soft.time / 10 / u32::from(u16::MAX) * share,
        };
        Ok(Self { soft, ..self })
    }

    /// When a replacement is due.
    #[must_use]
    pub const fn soft(&self) -> Limits {
        self.soft
    }

    /// When the SA ends.
    #[must_use]
    pub const fn hard(&self) -> Limits {
        self.hard
    }

    /// The lifetime of an SA whose last sequence number is `last`: it ends with it, and asks for a
    /// replacement a sixteenth before.
    pub(crate) fn within(self, last: u64) -> Self {
        let end = Limits { packets: last, ..Limits::NONE };
        let warning = Limits { packets: last - last / 16, ..Limits::NONE };
        let least = |limits: Limits, bound: Limits| Limits {
            packets: limits.packets.min(bound.packets),
            ..limits
        };
        Self { soft: least(self.soft, warning), hard: least(self.hard, end) }
    }
}

fn nine_tenths(limit: u64) -> u64 {
    if limit == u64::MAX { limit } else { limit - limit / 10 }
}

/// How much an SA has been used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Packets, as the sequence numbers count them.
    pub packets: u64,
    /// Octets encrypted or decrypted, padding included.
    pub octets: u64,
}

/// Where a count stands with respect to its limits after it grew from `before` to `after`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Crossing {
    Within,
    /// It went over the soft limit just now: this is said once.
    Soft,
    /// It went over the hard limit.
    Hard,
}

pub(crate) const fn crossing(before: u64, after: u64, soft: u64, hard: u64) -> Crossing {
    if after > hard {
        Crossing::Hard
    } else if before < soft && soft <= after {
        Crossing::Soft
    } else {
        Crossing::Within
    }
}

/// A length as the number that lifetimes count with.
pub(crate) fn wide(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixed;

    const HARD: Limits =
        Limits { packets: 1_000_000, octets: 250_000_000, time: Duration::from_secs(3600) };

    #[test]
    fn soft_comes_before_hard() {
        let lifetime = Lifetime::new(HARD);
        assert_eq!(lifetime.soft().packets, 900_000);
        assert_eq!(lifetime.soft().octets, 225_000_000);
        assert_eq!(lifetime.soft().time, Duration::from_secs(3240));
        let late = lifetime.with_soft(Limits::NONE);
        assert_eq!(late.soft(), HARD);
        assert_eq!(Lifetime::new(Limits::NONE).soft().packets, u64::MAX);
    }

    #[test]
    fn jitter_only_moves_forward_and_by_a_tenth_at_most() {
        let lifetime = Lifetime::new(HARD);
        assert_eq!(lifetime.jittered(&mut Fixed(0)), Ok(lifetime));
        let moved = lifetime.jittered(&mut Fixed(255)).unwrap();
        assert_eq!(moved.hard(), HARD);
        for (now, before) in [
            (moved.soft().octets, lifetime.soft().octets),
            (moved.soft().packets, lifetime.soft().packets),
            (moved.soft().time.as_secs(), lifetime.soft().time.as_secs()),
        ] {
            assert!(now < before && now >= before - before / 10 - 1, "{now} {before}");
        }
        assert_eq!(Lifetime::UNLIMITED.jittered(&mut Fixed(0)), Ok(Lifetime::UNLIMITED));
    }

    #[test]
    fn an_sa_ends_with_its_sequence_numbers() {
        let lifetime = Lifetime::UNLIMITED.within(u64::from(u32::MAX));
        assert_eq!(lifetime.hard().packets, u64::from(u32::MAX));
        assert_eq!(lifetime.soft().packets, 0xf000_0000);
        assert_eq!(Lifetime::new(HARD).within(u64::from(u32::MAX)), Lifetime::new(HARD));
    }

    #[test]
    fn a_soft_limit_is_crossed_once() {
        let crossings = [(0, 9), (9, 10), (10, 11), (8, 12), (19, 20), (20, 21), (0, 100)]
            .map(|(before, after)| crossing(before, after, 10, 20));
        use Crossing::*;
        assert_eq!(crossings, [Within, Soft, Within, Soft, Within, Hard, Hard]);
    }
}
