use alloc::collections::BTreeSet;
use core::net::IpAddr;
use core::net::Ipv6Addr;

use crate::Limits;
use crate::LinkId;
use crate::TunnelHandle;

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

/// The tunnels that peers have asked for and that are not open yet. Handles grow with time, so
/// the first is the oldest.
#[derive(Debug, Default)]
pub(super) struct HalfOpen {
    by_source: BTreeSet<(Source, TunnelHandle)>,
    /// Those whose peer has not shown that it gets our answers.
    unproven: BTreeSet<TunnelHandle>,
    unproven_by_source: BTreeSet<(Source, TunnelHandle)>,
}

/// Whether there is room for one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Room {
    Yes,
    /// When this one, the oldest unproven, is dropped.
    Evict(TunnelHandle),
    No,
}

impl HalfOpen {
    pub(super) fn len(&self) -> usize {
        self.by_source.len()
    }

    pub(super) fn room(&self, source: Source, limits: &Limits) -> Room {
        let range = (source, TunnelHandle(0))..=(source, TunnelHandle(u64::MAX));
        let of_source = self.by_source.range(range.clone()).take(limits.half_open_per_source);
        if of_source.count() >= limits.half_open_per_source {
            let oldest = self.unproven_by_source.range(range).next();
            return oldest.map_or(Room::No, |(_, tunnel)| Room::Evict(*tunnel));
        }
        if self.len() >= limits.half_open {
            return self.oldest_unproven().map_or(Room::No, Room::Evict);
        }
        Room::Yes
    }

    pub(super) fn oldest_unproven(&self) -> Option<TunnelHandle> {
        self.unproven.first().copied()
    }

    pub(super) fn insert(&mut self, source: Source, tunnel: TunnelHandle, proven: bool) {
        self.by_source.insert((source, tunnel));
        if !proven {
            self.unproven.insert(tunnel);
            self.unproven_by_source.insert((source, tunnel));
        }
    }

    /// The peer has shown that it gets our answers.
    pub(super) fn prove(&mut self, source: Source, tunnel: TunnelHandle) {
        self.unproven.remove(&tunnel);
        self.unproven_by_source.remove(&(source, tunnel));
    }

    pub(super) fn remove(&mut self, source: Source, tunnel: TunnelHandle) {
        self.prove(source, tunnel);
        self.by_source.remove(&(source, tunnel));
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
        let mut half_open = HalfOpen::default();
        half_open.insert(a, TunnelHandle(1), false);
        half_open.insert(a, TunnelHandle(2), false);
        assert_eq!(half_open.room(a, &LIMITS), Room::Evict(TunnelHandle(1)));
        half_open.prove(a, TunnelHandle(1));
        assert_eq!(half_open.room(a, &LIMITS), Room::Evict(TunnelHandle(2)));
        assert_eq!(half_open.room(b, &LIMITS), Room::Yes);
        half_open.insert(b, TunnelHandle(3), false);
        assert_eq!(half_open.room(c, &LIMITS), Room::Evict(TunnelHandle(2)));
        half_open.prove(a, TunnelHandle(2));
        half_open.prove(b, TunnelHandle(3));
        assert_eq!(half_open.room(c, &LIMITS), Room::No);
        assert_eq!(half_open.room(a, &LIMITS), Room::No);
        half_open.remove(a, TunnelHandle(1));
        assert_eq!(half_open.room(c, &LIMITS), Room::Yes);
        assert_eq!((half_open.len(), half_open.oldest_unproven()), (2, None));
    }
}
