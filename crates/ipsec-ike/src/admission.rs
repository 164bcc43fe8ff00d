//! What strangers may cost: how many attempts are under way, and how many key exchanges they ask
//! for.

use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use core::net::IpAddr;
use core::net::Ipv6Addr;
use core::time::Duration;

use vpn_core::Instant;

use crate::Limits;
use crate::handle::SaId;

/// The attempts of others that are under way.
#[derive(Debug, Default)]
pub(crate) struct HalfOpen {
    /// Every one, by the network that it comes from.
    sources: BTreeMap<Source, usize>,
    /// Those whose address is not proven, oldest first: ids grow with time.
    unproven: BTreeSet<SaId>,
    total: usize,
}

/// Whether there is room for one more attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Admission {
    /// There is.
    Admit,
    /// There is once this one is forgotten.
    InPlaceOf(SaId),
    /// There is not.
    Refuse,
}

impl HalfOpen {
    /// Whether an attempt from `address` may begin.
    pub(crate) fn admit(&self, address: IpAddr, limits: &Limits) -> Admission {
        let from_there = self.sources.get(&Source::of(address)).copied().unwrap_or(0);
        if from_there >= limits.half_open_per_address {
            Admission::Refuse
        } else if self.total < limits.half_open {
            Admission::Admit
        } else {
            self.unproven.first().map_or(Admission::Refuse, |oldest| Admission::InPlaceOf(*oldest))
        }
    }

    pub(crate) fn insert(&mut self, id: SaId, address: IpAddr) {
        *self.sources.entry(Source::of(address)).or_default() += 1;
        self.unproven.insert(id);
        self.total += 1;
    }

    /// The peer returned our cookie: it is where it says.
    pub(crate) fn proven(&mut self, id: SaId) {
        self.unproven.remove(&id);
    }

    /// The attempt is over, one way or the other.
    pub(crate) fn remove(&mut self, id: SaId, address: IpAddr) {
        self.unproven.remove(&id);
        self.total = self.total.saturating_sub(1);
        let source = Source::of(address);
        if let Some(count) = self.sources.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.sources.remove(&source);
            }
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.total
    }
}

/// Who has to share: an IPv4 address, or an IPv6 network of 64 bits, which one host can fill.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Source(IpAddr);

impl Source {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self(address),
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                Self(IpAddr::V6(Ipv6Addr::from(network)))
            }
        }
    }
}

/// How many key exchanges each address may ask for: a bucket of tokens for each, which fills with
/// time. A full bucket is not kept.
#[derive(Debug, Default)]
pub(crate) struct KeyExchangeBudget {
    buckets: BTreeMap<Source, Bucket>,
}

/// How many addresses are remembered. Past that an address that is new has to wait until some
/// bucket is full again.
const MAX_BUCKETS: usize = 65_536;

#[derive(Debug)]
struct Bucket {
    /// Microseconds of filling that were spent.
    spent: u64,
    at: Instant,
}

impl Bucket {
    fn drain(&mut self, now: Instant) {
        let passed = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        self.spent = self.spent.saturating_sub(passed);
        self.at = now;
    }
}

impl KeyExchangeBudget {
    /// Takes one token of `address`, if there is one.
    pub(crate) fn spend(&mut self, address: IpAddr, now: Instant, limits: &Limits) -> bool {
        let cost = Duration::from_secs(1) / limits.key_exchanges_per_second.max(1);
        let cost = u64::try_from(cost.as_micros()).unwrap_or(u64::MAX);
        let room = cost.saturating_mul(u64::from(limits.key_exchange_burst));
        if self.buckets.len() >= MAX_BUCKETS {
            self.forget_full(now);
        }
        let source = Source::of(address);
        if self.buckets.len() >= MAX_BUCKETS && !self.buckets.contains_key(&source) {
            return false;
        }
        let bucket = self.buckets.entry(source).or_insert(Bucket { spent: 0, at: now });
        bucket.drain(now);
        let spent = bucket.spent.saturating_add(cost);
        if spent > room {
            return false;
        }
        bucket.spent = spent;
        true
    }

    fn forget_full(&mut self, now: Instant) {
        self.buckets.retain(|_, bucket| {
            bucket.drain(now);
            bucket.spent > 0
        });
    }
}

/// At most so many of something in a second.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    second: u64,
    count: u32,
}

impl Rate {
    pub(crate) fn allow(&mut self, now: Instant, per_second: u32) -> bool {
        let second = now.as_micros() / 1_000_000;
        if second != self.second {
            *self = Self { second, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            half_open: 3,
            half_open_per_address: 2,
            key_exchange_burst: 2,
            key_exchanges_per_second: 1,
            ..Limits::default()
        }
    }

    #[test]
    fn the_oldest_unproven_attempt_makes_room() {
        let limits = limits();
        let mut half_open = HalfOpen::default();
        let address = |n| IpAddr::from([192, 0, 2, n]);
        for n in 1..=3 {
            assert_eq!(half_open.admit(address(n), &limits), Admission::Admit);
            half_open.insert(SaId(n.into()), address(n));
        }
        half_open.proven(SaId(1));
        assert_eq!(half_open.admit(address(4), &limits), Admission::InPlaceOf(SaId(2)));
        half_open.remove(SaId(2), address(2));
        half_open.insert(SaId(4), address(3));
        assert_eq!(half_open.admit(address(3), &limits), Admission::Refuse, "two from there");
        half_open.proven(SaId(3));
        half_open.proven(SaId(4));
        assert_eq!(half_open.admit(address(5), &limits), Admission::Refuse, "all are proven");
        for (id, n) in [(1, 1), (3, 3), (4, 3)] {
            half_open.remove(SaId(id), address(n));
        }
        assert_eq!((half_open.len(), half_open.sources.len()), (0, 0));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let one = Source::of("2001:db8::1".parse().unwrap());
        assert_eq!(one, Source::of("2001:db8::ffff:0:0:1".parse().unwrap()));
        assert_ne!(one, Source::of("2001:db8:0:1::1".parse().unwrap()));
    }

    #[test]
    fn tokens_come_back_with_time() {
        let limits = limits();
        let mut budget = KeyExchangeBudget::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        let at = |s| Instant::ZERO + Duration::from_secs(s);
        let spent: [bool; 3] = core::array::from_fn(|_| budget.spend(address, at(0), &limits));
        assert_eq!(spent, [true, true, false]);
        assert!(budget.spend(IpAddr::from([192, 0, 2, 2]), at(0), &limits));
        assert!(budget.spend(address, at(1), &limits) && !budget.spend(address, at(1), &limits));
        budget.forget_full(at(10));
        assert!(budget.buckets.is_empty());
    }

    #[test]
    fn a_rate_starts_anew_each_second() {
        let mut rate = Rate::default();
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        let allowed: [bool; 4] = [0, 1, 2, 1_000].map(|ms| rate.allow(at(ms), 2));
        assert_eq!(allowed, [true, true, false, true]);
    }
}
