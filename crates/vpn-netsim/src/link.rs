use core::time::Duration;

use vpn_core::Instant;

use crate::SeededRandom;

/// What a link does to the datagrams that cross it in one direction.
///
/// Probabilities go from 0.0 to 1.0. Each impairment is independent of the others: jitter alone
/// never reorders, and the loss of a burst comes on top of `loss`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Link {
    /// Probability that a datagram is lost.
    pub loss: f64,
    /// Losses in a row.
    pub burst: Option<Burst>,
    /// Probability that a datagram arrives a second time, at any moment within `hold` afterwards.
    pub duplicate: f64,
    /// Probability that one octet of a datagram is changed, unnoticed by any checksum.
    pub corrupt: f64,
    /// Probability that a datagram is held back, for up to `hold`, while later ones overtake it.
    pub reorder: f64,
    /// The longest extra time of a duplicate or of a datagram that is reordered.
    pub hold: Duration,
    /// Time that every datagram takes.
    pub delay: Duration,
    /// The most that a datagram takes longer; even between zero and this.
    pub jitter: Duration,
    /// Octets of the largest IP packet that passes; larger ones disappear.
    pub mtu: Option<usize>,
}

impl Link {
    /// A link that does nothing: no delay, no loss.
    pub const PERFECT: Self = Self {
        loss: 0.0,
        burst: None,
        duplicate: 0.0,
        corrupt: 0.0,
        reorder: 0.0,
        hold: Duration::from_millis(100),
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        mtu: None,
    };
}

impl Default for Link {
    /// A good line: 10 ms, nothing lost.
    fn default() -> Self {
        Self { delay: Duration::from_millis(10), ..Self::PERFECT }
    }
}

/// Losses in a row (the model of Gilbert): the link is good or bad, and a bad one loses everything.
///
/// A burst is `1 / leave` datagrams long on average, and the link is bad for
/// `enter / (enter + leave)` of all datagrams.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Burst {
    /// Probability, at each datagram, that a good link turns bad.
    pub enter: f64,
    /// Probability, at each datagram, that a bad link turns good.
    pub leave: f64,
}

/// One direction between two nodes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LinkState {
    /// The link's own settings, if it has any.
    pub(crate) link: Option<Link>,
    bad: bool,
    /// When the newest datagram that kept its order arrives.
    newest: Instant,
}

/// What a link decided for one datagram that is not lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Crossing {
    pub(crate) arrival: Instant,
    pub(crate) copy: Option<Instant>,
    pub(crate) reordered: bool,
    /// A number from which to choose an octet to change, and how.
    pub(crate) corrupt: Option<u64>,
}

impl LinkState {
    /// Decides what happens to one datagram; `None` means that it is lost.
    ///
    /// The same count of numbers is drawn for every datagram, so that two runs which differ in
    /// one rate stay comparable.
    pub(crate) fn cross(
        &mut self,
        link: &Link,
        now: Instant,
        random: &mut SeededRandom,
    ) -> Option<Crossing> {
        let up_to = |random: &mut SeededRandom, longest: Duration| {
            let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
            Duration::from_micros(random.within(0..=micros))
        };
        let lost = random.chance(link.loss);
        let turn = match link.burst {
            Some(burst) if self.bad => burst.leave,
            Some(burst) => burst.enter,
            None => 0.0,
        };
        self.bad ^= random.chance(turn);
        let duplicate = random.chance(link.duplicate);
        let corrupt = random.chance(link.corrupt);
        let octet = random.bits();
        let reordered = random.chance(link.reorder);
        let jitter = up_to(random, link.jitter);
        let held = up_to(random, link.hold);
        let copy_held = up_to(random, link.hold);
        if lost || (self.bad && link.burst.is_some()) {
            return None;
        }
        let in_order = now + link.delay + jitter;
        let arrival = if reordered {
            in_order + held
        } else {
            self.newest = self.newest.max(in_order);
            self.newest
        };
        Some(Crossing {
            arrival,
            copy: duplicate.then(|| arrival + copy_held),
            reordered,
            corrupt: corrupt.then_some(octet),
        })
    }
}

/// Changes one octet of `payload`, chosen by `random`; never to the value it had.
pub(crate) fn corrupt(payload: &mut [u8], random: u64) {
    let [flip, place @ ..] = random.to_le_bytes();
    let place = place.iter().fold(0, |sum, octet| (sum << 8) | usize::from(*octet));
    if let Some(at) = place.checked_rem(payload.len())
        && let Some(octet) = payload.get_mut(at)
    {
        *octet ^= flip.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 20_000;

    /// What became of `N` datagrams, one sent every millisecond.
    fn cross(link: &Link) -> Vec<(Instant, Option<Crossing>)> {
        cross_every(Duration::from_millis(1), link)
    }

    fn cross_every(space: Duration, link: &Link) -> Vec<(Instant, Option<Crossing>)> {
        let (mut state, mut random) = (LinkState::default(), SeededRandom::new(11));
        (0..N)
            .map(|n| {
                let now = Instant::ZERO + space * u32::try_from(n).unwrap();
                (now, state.cross(link, now, &mut random))
            })
            .collect()
    }

    fn share(link: &Link, hit: impl Fn(&Option<Crossing>) -> bool) -> f64 {
        cross(link).iter().filter(|(_, crossing)| hit(crossing)).count() as f64 / N as f64
    }

    #[test]
    fn a_perfect_link_changes_nothing() {
        for (now, crossing) in cross(&Link::PERFECT) {
            let plain = Crossing { arrival: now, copy: None, reordered: false, corrupt: None };
            assert_eq!(crossing, Some(plain));
        }
    }

    #[test]
    fn rates_come_out_as_set() {
        let near = |rate: f64, wanted: f64| assert!((rate - wanted).abs() < 0.01, "{rate}");
        let base = Link::PERFECT;
        near(share(&Link { loss: 0.3, ..base }, Option::is_none), 0.3);
        let hit = |c: &Option<Crossing>| c.is_some_and(|c| c.copy.is_some());
        near(share(&Link { duplicate: 0.1, ..base }, hit), 0.1);
        let hit = |c: &Option<Crossing>| c.is_some_and(|c| c.corrupt.is_some());
        near(share(&Link { corrupt: 0.05, ..base }, hit), 0.05);
        let hit = |c: &Option<Crossing>| c.is_some_and(|c| c.reordered);
        near(share(&Link { reorder: 0.25, ..base }, hit), 0.25);
    }

    #[test]
    fn one_rate_does_not_shift_the_others() {
        let some = Link { duplicate: 0.1, reorder: 0.1, ..Link::PERFECT };
        let lossy = Link { loss: 0.5, ..some };
        for ((_, a), (_, b)) in cross(&some).iter().zip(cross(&lossy)) {
            let (Some(a), Some(b)) = (a, b) else { continue };
            assert_eq!((a.copy, a.reordered), (b.copy, b.reordered));
        }
    }

    #[test]
    fn bursts_have_the_length_and_share_that_the_model_says() {
        let link = Link { burst: Some(Burst { enter: 0.02, leave: 0.2 }), ..Link::PERFECT };
        let lost: Vec<bool> = cross(&link).iter().map(|(_, c)| c.is_none()).collect();
        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        let all = lost.iter().filter(|lost| **lost).count();
        let (length, share) = (all as f64 / bursts as f64, all as f64 / N as f64);
        assert!((4.5..5.5).contains(&length), "{length}");
        assert!((0.08..0.10).contains(&share), "{share}");
    }

    #[test]
    fn jitter_spreads_but_keeps_the_order() {
        let (delay, jitter) = (Duration::from_millis(50), Duration::from_millis(30));
        let link = Link { delay, jitter, ..Link::PERFECT };
        let took: Vec<Duration> = cross_every(jitter, &link)
            .iter()
            .map(|(now, crossing)| crossing.unwrap().arrival.since(*now))
            .collect();
        assert!(took.iter().all(|took| (delay..=delay + jitter).contains(took)));
        let early = took.iter().filter(|took| **took < delay + jitter / 2).count();
        assert!((N * 48 / 100..N * 52 / 100).contains(&early), "{early}");
        let arrivals: Vec<_> = cross(&link).iter().map(|(_, c)| c.unwrap().arrival).collect();
        assert!(arrivals.is_sorted());
    }

    #[test]
    fn reordered_datagrams_are_overtaken_within_the_hold() {
        let hold = Duration::from_millis(20);
        let crossings = cross(&Link { reorder: 0.2, hold, ..Link::PERFECT });
        let late = crossings
            .windows(2)
            .filter(|p| p[0].1.unwrap().arrival > p[1].1.unwrap().arrival)
            .count();
        assert!(late > N / 10, "{late}");
        assert!(crossings.iter().all(|(now, c)| c.unwrap().arrival <= *now + hold));
    }

    #[test]
    fn copies_come_within_the_hold_after_the_first() {
        let hold = Duration::from_millis(20);
        for (_, crossing) in cross(&Link { duplicate: 1.0, hold, ..Link::PERFECT }) {
            let crossing = crossing.unwrap();
            let after = crossing.copy.unwrap().since(crossing.arrival);
            assert!(after <= hold);
        }
    }

    #[test]
    fn corruption_changes_exactly_one_octet() {
        let mut random = SeededRandom::new(5);
        let mut places = [0; 40];
        for _ in 0..4_000 {
            let mut payload = [0x55; 40];
            corrupt(&mut payload, random.bits());
            let changed: Vec<_> = (0..40).filter(|at| payload[*at] != 0x55).collect();
            assert_eq!(changed.len(), 1);
            places[changed[0]] += 1;
        }
        assert!(places.iter().all(|n| *n > 50), "{places:?}");
        corrupt(&mut [], 1);
    }
}
