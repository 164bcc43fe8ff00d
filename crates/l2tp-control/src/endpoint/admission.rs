use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use core::net::IpAddr;
use core::net::Ipv6Addr;
use core::time::Duration;

use vpn_core::Instant;

use crate::Limits;
use crate::LinkId;
use crate::TunnelHandle;

/// How long a request is safe from newer ones of the same source: in this time an honest peer
/// answers, and shows that it is one.
const GRACE: Duration = Duration::from_secs(1);

/// Where a request comes from, as far as it takes an attacker effort to be another: an IPv4
/// address, or an IPv6 /64 network, on one link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Source {
    link: LinkId,
    address: IpAddr,
}

impl Source {
    pub(super) fn new(link: LinkId, address: IpAddr) -> Self {
        let address = match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        };
        Self { link, address }
    }
}

/// Tunnels that may make room for others, of all links and of each. Handles grow with time, so
/// the first is the oldest.
#[derive(Debug, Default)]
pub(super) struct Expendable {
    tunnels: BTreeSet<TunnelHandle>,
    by_link: BTreeSet<(LinkId, TunnelHandle)>,
}

impl Expendable {
    pub(super) fn insert(&mut self, link: LinkId, tunnel: TunnelHandle) {
        self.tunnels.insert(tunnel);
        self.by_link.insert((link, tunnel));
    }

    pub(super) fn remove(&mut self, link: LinkId, tunnel: TunnelHandle) {
        if self.tunnels.remove(&tunnel) {
            self.by_link.remove(&(link, tunnel));
        }
    }

    /// The oldest one, of one link or of all.
    pub(super) fn oldest(&self, link: Option<LinkId>) -> Option<TunnelHandle> {
        let Some(link) = link else { return self.tunnels.first().copied() };
        let range = (link, TunnelHandle(0))..=(link, TunnelHandle(u64::MAX));
        self.by_link.range(range).next().map(|(_, tunnel)| *tunnel)
    }
}

/// How far a tunnel has come that is not open yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// The peer has not shown that it gets our answers. Since when.
    Unproven(Instant),
    /// It has.
    Proven,
    /// The tunnel will never be open: it is kept for the last messages only.
    Over,
}

/// The tunnels that peers have asked for and that never were open, as long as anything is kept
/// of them.
#[derive(Debug, Default)]
pub(super) struct HalfOpen {
    by_source: BTreeMap<(Source, TunnelHandle), Standing>,
    unproven: Expendable,
    over: BTreeSet<TunnelHandle>,
}

/// Whether there is room for one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Room {
    Yes,
    /// When this one is dropped.
    Evict(TunnelHandle),
    No,
}

impl HalfOpen {
    /// How many may still open.
    pub(super) fn alive(&self) -> usize {
        self.by_source.len() - self.over.len()
    }

    /// What is over makes room first, then the oldest whose peer has not answered.
    pub(super) fn room(&self, now: Instant, source: Source, limits: &Limits) -> Room {
        let range = (source, TunnelHandle(0))..=(source, TunnelHandle(u64::MAX));
        let of_source = || self.by_source.range(range.clone());
        if of_source().take(limits.half_open_per_source).count() >= limits.half_open_per_source {
            let over = of_source().find(|(_, standing)| **standing == Standing::Over);
            let unproven = || {
                of_source().find_map(|(key, standing)| match standing {
                    Standing::Unproven(since) => Some((key, *since)),
                    _ => None,
                })
            };
            let aged = || unproven().filter(|(_, since)| now.since(*since) > GRACE);
            let oldest = over.map(|(key, _)| key).or_else(|| aged().map(|(key, _)| key));
            return oldest.map_or(Room::No, |(_, tunnel)| Room::Evict(*tunnel));
        }
        if self.by_source.len() >= limits.half_open {
            let oldest = self.over.first().copied().or_else(|| self.oldest_unproven(None));
            return oldest.map_or(Room::No, Room::Evict);
        }
        Room::Yes
    }

    /// The oldest one whose peer has not answered, of one link or of all.
    pub(super) fn oldest_unproven(&self, link: Option<LinkId>) -> Option<TunnelHandle> {
        self.unproven.oldest(link)
    }

    pub(super) fn insert(
        &mut self,
        now: Instant,
        source: Source,
        tunnel: TunnelHandle,
        proven: bool,
    ) {
        let standing = if proven { Standing::Proven } else { Standing::Unproven(now) };
        self.by_source.insert((source, tunnel), standing);
        if !proven {
            self.unproven.insert(source.link, tunnel);
        }
    }

    /// The peer has shown that it gets our answers.
    pub(super) fn prove(&mut self, source: Source, tunnel: TunnelHandle) {
        self.unproven.remove(source.link, tunnel);
        if let Some(standing) = self.by_source.get_mut(&(source, tunnel)) {
            *standing = Standing::Proven;
        }
    }

    /// The tunnel will never be open. Says whether it was one of these.
    pub(super) fn end(&mut self, source: Source, tunnel: TunnelHandle) -> bool {
        self.unproven.remove(source.link, tunnel);
        let Some(standing) = self.by_source.get_mut(&(source, tunnel)) else { return false };
        *standing = Standing::Over;
        self.over.insert(tunnel);
        true
    }

    pub(super) fn remove(&mut self, source: Source, tunnel: TunnelHandle) {
        if self.by_source.remove(&(source, tunnel)).is_some() {
            self.unproven.remove(source.link, tunnel);
            self.over.remove(&tunnel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        tunnels: 100,
        tunnels_per_link: 100,
        half_open: 3,
        half_open_per_source: 2,
        sessions: 100,
        queued_messages: 10,
        queued_frames: 10,
        events: 10,
    };

    fn source(address: &str) -> Source {
        Source::new(LinkId::PLAIN, address.parse().unwrap())
    }

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    #[test]
    fn a_source_is_an_address_or_a_network_on_a_link() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_ne!(source("192.0.2.1"), Source::new(LinkId(1), "192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn the_oldest_unproven_makes_room() {
        let (a, b, c) = (source("192.0.2.1"), source("192.0.2.2"), source("192.0.2.3"));
        let later = at(1001);
        let mut half_open = HalfOpen::default();
        half_open.insert(at(0), a, TunnelHandle(1), false);
        half_open.insert(at(0), a, TunnelHandle(2), false);
        assert_eq!(half_open.room(later, a, &LIMITS), Room::Evict(TunnelHandle(1)));
        half_open.prove(a, TunnelHandle(1));
        assert_eq!(half_open.room(later, a, &LIMITS), Room::Evict(TunnelHandle(2)));
        assert_eq!(half_open.room(later, b, &LIMITS), Room::Yes);
        half_open.insert(at(0), b, TunnelHandle(3), false);
        assert_eq!(half_open.room(later, c, &LIMITS), Room::Evict(TunnelHandle(2)));
        half_open.prove(a, TunnelHandle(2));
        half_open.prove(b, TunnelHandle(3));
        assert_eq!(half_open.room(later, c, &LIMITS), Room::No);
        assert_eq!(half_open.room(later, a, &LIMITS), Room::No);
        half_open.remove(a, TunnelHandle(1));
        assert_eq!(half_open.room(later, c, &LIMITS), Room::Yes);
        assert_eq!((half_open.alive(), half_open.oldest_unproven(None)), (2, None));
    }

    #[test]
    fn a_source_waits_while_its_oldest_may_still_answer() {
        let (a, b) = (source("192.0.2.1"), source("192.0.2.2"));
        let mut half_open = HalfOpen::default();
        half_open.insert(at(0), a, TunnelHandle(1), false);
        half_open.insert(at(10), a, TunnelHandle(2), false);
        assert_eq!(half_open.room(at(1000), a, &LIMITS), Room::No);
        assert_eq!(half_open.room(at(1001), a, &LIMITS), Room::Evict(TunnelHandle(1)));
        // Among sources there is no time to wait for.
        half_open.insert(at(20), b, TunnelHandle(3), false);
        let c = source("192.0.2.3");
        assert_eq!(half_open.room(at(20), c, &LIMITS), Room::Evict(TunnelHandle(1)));
    }

    #[test]
    fn what_is_over_counts_and_makes_room_first() {
        let (a, b, c) = (source("192.0.2.1"), source("192.0.2.2"), source("192.0.2.3"));
        let mut half_open = HalfOpen::default();
        half_open.insert(at(0), a, TunnelHandle(1), false);
        half_open.insert(at(0), a, TunnelHandle(2), true);
        assert_eq!(half_open.room(at(0), a, &LIMITS), Room::No);
        assert!(half_open.end(a, TunnelHandle(2)));
        assert!(!half_open.end(a, TunnelHandle(9)), "never was half open");
        assert_eq!(half_open.room(at(0), a, &LIMITS), Room::Evict(TunnelHandle(2)));
        half_open.insert(at(0), b, TunnelHandle(3), false);
        assert_eq!(half_open.room(at(0), c, &LIMITS), Room::Evict(TunnelHandle(2)));
        assert_eq!(half_open.alive(), 2);
        half_open.remove(a, TunnelHandle(2));
        assert_eq!((half_open.alive(), half_open.room(at(0), c, &LIMITS)), (2, Room::Yes));
    }

    #[test]
    fn the_oldest_of_a_link_is_on_that_link() {
        let mut expendable = Expendable::default();
        expendable.insert(LinkId(2), TunnelHandle(1));
        expendable.insert(LinkId(1), TunnelHandle(2));
        expendable.insert(LinkId(1), TunnelHandle(3));
        assert_eq!(expendable.oldest(None), Some(TunnelHandle(1)));
        assert_eq!(expendable.oldest(Some(LinkId(1))), Some(TunnelHandle(2)));
        assert_eq!(expendable.oldest(Some(LinkId(3))), None);
        expendable.remove(LinkId(1), TunnelHandle(2));
        assert_eq!(expendable.oldest(Some(LinkId(1))), Some(TunnelHandle(3)));
    }
}
