use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;

use vpn_core::Instant;

/// The first port that a NAT hands out when it does not keep the sender's own.
const FIRST_PORT: u16 = 20_000;

/// How a NAT behaves, in the words of RFC 4787.
///
/// It translates UDP only: ESP on IP has no ports and is refused, which is what makes NAT
/// traversal necessary. Only what comes from the inside keeps a mapping alive (REQ-6), so a VPN
/// that relies on its server's traffic loses it here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nat {
    /// Which datagrams share an outside port (§4.1).
    pub mapping: NatMapping,
    /// Who may send to an outside port (§5).
    pub filtering: NatFiltering,
    /// Whether the outside port is the inside one while nobody else has it (§4.2.1).
    pub keep_port: bool,
    /// Time after which a mapping that the inside did not use is forgotten.
    pub timeout: Duration,
}

/// Which datagrams of an inside socket share one outside port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NatMapping {
    /// All of them.
    EndpointIndependent,
    /// Those to one address and port.
    AddressAndPortDependent,
}

/// Who may send through an outside port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NatFiltering {
    /// Anybody.
    EndpointIndependent,
    /// An address that the inside socket has sent to.
    AddressDependent,
    /// An address and port that the inside socket has sent to.
    AddressAndPortDependent,
}

impl Nat {
    /// One outside port for each inside socket, open to anybody; mappings live for 2 minutes.
    pub const FULL_CONE: Self = Self {
        mapping: NatMapping::EndpointIndependent,
        filtering: NatFiltering::EndpointIndependent,
        keep_port: true,
        timeout: Duration::from_secs(120),
    };
    /// An outside port for each destination, never the inside one, open to that destination only;
    /// mappings live for 2 minutes.
    pub const SYMMETRIC: Self = Self {
        mapping: NatMapping::AddressAndPortDependent,
        filtering: NatFiltering::AddressAndPortDependent,
        keep_port: false,
        timeout: Duration::from_secs(120),
    };
    /// What a home router does: one outside port for each inside socket, kept equal where that is
    /// possible, open to the destinations it has sent to; mappings live for 30 seconds.
    pub const HOME_ROUTER: Self = Self {
        mapping: NatMapping::EndpointIndependent,
        filtering: NatFiltering::AddressAndPortDependent,
        keep_port: true,
        timeout: Duration::from_secs(30),
    };
}

/// An inside socket, and the destination where mappings depend on it.
type Key = (SocketAddr, Option<SocketAddr>);

#[derive(Clone, Debug)]
struct Mapping {
    key: Key,
    expires: Instant,
    /// Where the inside has sent to through this mapping.
    contacted: BTreeSet<SocketAddr>,
}

/// A NAT at work: its mappings.
#[derive(Clone, Debug)]
pub(crate) struct NatBox {
    nat: Nat,
    /// The outside address.
    pub(crate) address: IpAddr,
    ports: BTreeMap<Key, u16>,
    mappings: BTreeMap<u16, Mapping>,
    next_port: u16,
    keep_port: bool,
}

impl NatBox {
    pub(crate) const fn new(nat: Nat, address: IpAddr) -> Self {
        Self {
            nat,
            address,
            ports: BTreeMap::new(),
            mappings: BTreeMap::new(),
            next_port: FIRST_PORT,
            keep_port: nat.keep_port,
        }
    }

    /// The outside address of a datagram from the inside; `None` when every port is taken.
    pub(crate) fn outbound(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
    ) -> Option<SocketAddr> {
        let remote = match self.nat.mapping {
            NatMapping::EndpointIndependent => None,
            NatMapping::AddressAndPortDependent => Some(destination),
        };
        let key = (source, remote);
        let port = match self.ports.get(&key).copied().filter(|port| !self.is_free(now, *port)) {
            Some(port) => port,
            None => self.bind(now, key)?,
        };
        let mapping = self.mappings.get_mut(&port)?;
        mapping.expires = now + self.nat.timeout;
        mapping.contacted.insert(destination);
        Some(SocketAddr::new(self.address, port))
    }

    /// The inside address that a datagram from `source` to `port` goes to.
    pub(crate) fn inbound(
        &self,
        now: Instant,
        source: SocketAddr,
        port: u16,
    ) -> Option<SocketAddr> {
        let mapping = self.mappings.get(&port).filter(|mapping| mapping.expires > now)?;
        let passes = match self.nat.filtering {
            NatFiltering::EndpointIndependent => true,
            NatFiltering::AddressDependent => {
                mapping.contacted.iter().any(|known| known.ip() == source.ip())
            }
            NatFiltering::AddressAndPortDependent => mapping.contacted.contains(&source),
        };
        passes.then_some(mapping.key.0)
    }

    /// Forgets every mapping, as a restart does. New ones get ports that were not in use before.
    pub(crate) fn rebind(&mut self) {
        self.ports.clear();
        self.mappings.clear();
        self.keep_port = false;
    }

    /// How many mappings are alive.
    pub(crate) fn live(&self, now: Instant) -> usize {
        self.mappings.values().filter(|mapping| mapping.expires > now).count()
    }

    fn bind(&mut self, now: Instant, key: Key) -> Option<u16> {
        let own = key.0.port();
        let port = if self.keep_port && self.is_free(now, own) {
            own
        } else {
            (0..=u16::MAX).find_map(|_| {
                let port = self.next_port;
                self.next_port = port.checked_add(1).unwrap_or(FIRST_PORT);
                self.is_free(now, port).then_some(port)
            })?
        };
        let mapping = Mapping { key, expires: now, contacted: BTreeSet::new() };
        if let Some(expired) = self.mappings.insert(port, mapping)
            && self.ports.get(&expired.key) == Some(&port)
        {
            self.ports.remove(&expired.key);
        }
        self.ports.insert(key, port);
        Some(port)
    }

    fn is_free(&self, now: Instant, port: u16) -> bool {
        self.mappings.get(&port).is_none_or(|mapping| mapping.expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn nat_box(nat: Nat) -> NatBox {
        NatBox::new(nat, "198.51.100.1".parse().unwrap())
    }

    #[test]
    fn a_full_cone_has_one_open_port_a_socket() {
        let mut nat = nat_box(Nat::FULL_CONE);
        let (inside, a, b) = (addr("10.0.0.2:1701"), addr("192.0.2.1:1701"), addr("192.0.2.2:9"));
        let outside = nat.outbound(at(0), inside, a).unwrap();
        assert_eq!(outside, addr("198.51.100.1:1701"));
        assert_eq!(nat.outbound(at(0), inside, b), Some(outside));
        assert_eq!(nat.inbound(at(0), addr("203.0.113.9:9"), 1701), Some(inside));
        assert_eq!(nat.inbound(at(0), a, 1702), None);
    }

    #[test]
    fn two_inside_sockets_never_share_a_port() {
        let mut nat = nat_box(Nat::HOME_ROUTER);
        let (a, b) = (addr("10.0.0.2:1701"), addr("10.0.0.3:1701"));
        let server = addr("192.0.2.1:1701");
        assert_eq!(nat.outbound(at(0), a, server).unwrap().port(), 1701);
        let other = nat.outbound(at(0), b, server).unwrap().port();
        assert_ne!(other, 1701);
        assert_eq!(nat.inbound(at(0), server, 1701), Some(a));
        assert_eq!(nat.inbound(at(0), server, other), Some(b));
    }

    #[test]
    fn a_symmetric_nat_maps_and_filters_by_destination() {
        let mut nat = nat_box(Nat::SYMMETRIC);
        let (inside, a, b) = (addr("10.0.0.2:1701"), addr("192.0.2.1:1701"), addr("192.0.2.2:9"));
        let to_a = nat.outbound(at(0), inside, a).unwrap().port();
        let to_b = nat.outbound(at(0), inside, b).unwrap().port();
        assert!(to_a != to_b && to_a != 1701);
        assert_eq!(nat.outbound(at(1), inside, a).unwrap().port(), to_a);
        assert_eq!(nat.inbound(at(0), a, to_a), Some(inside));
        assert_eq!(nat.inbound(at(0), b, to_a), None);
        assert_eq!(nat.inbound(at(0), addr("192.0.2.1:1702"), to_a), None);
    }

    #[test]
    fn an_address_filter_ignores_the_port() {
        let filtering = NatFiltering::AddressDependent;
        let mut nat = nat_box(Nat { filtering, ..Nat::FULL_CONE });
        let inside = addr("10.0.0.2:1701");
        nat.outbound(at(0), inside, addr("192.0.2.1:1701"));
        assert_eq!(nat.inbound(at(0), addr("192.0.2.1:4"), 1701), Some(inside));
        assert_eq!(nat.inbound(at(0), addr("192.0.2.2:1701"), 1701), None);
    }

    #[test]
    fn only_the_inside_keeps_a_mapping_alive() {
        let mut nat = nat_box(Nat::HOME_ROUTER);
        let (inside, server) = (addr("10.0.0.2:1701"), addr("192.0.2.1:1701"));
        nat.outbound(at(0), inside, server);
        assert_eq!(nat.inbound(at(29), server, 1701), Some(inside));
        assert_eq!(nat.inbound(at(30), server, 1701), None);
        nat.outbound(at(31), inside, server);
        nat.outbound(at(60), inside, server);
        assert_eq!(nat.inbound(at(89), server, 1701), Some(inside));
        assert_eq!((nat.live(at(89)), nat.live(at(90))), (1, 0));
    }

    #[test]
    fn an_expired_port_goes_to_who_asks_next() {
        let mut nat = nat_box(Nat::HOME_ROUTER);
        let (a, b) = (addr("10.0.0.2:1701"), addr("10.0.0.3:1701"));
        let server = addr("192.0.2.1:1701");
        nat.outbound(at(0), a, server);
        assert_eq!(nat.outbound(at(30), b, server).unwrap().port(), 1701);
        let other = nat.outbound(at(30), a, server).unwrap().port();
        assert_ne!(other, 1701);
        assert_eq!(nat.inbound(at(30), server, 1701), Some(b));
        assert_eq!(nat.outbound(at(59), a, server).unwrap().port(), other);
    }

    #[test]
    fn after_rebinding_every_port_is_new() {
        for config in [Nat::FULL_CONE, Nat::SYMMETRIC] {
            let mut nat = nat_box(config);
            let (inside, server) = (addr("10.0.0.2:1701"), addr("192.0.2.1:1701"));
            let old = nat.outbound(at(0), inside, server).unwrap().port();
            nat.rebind();
            assert_eq!(nat.inbound(at(0), server, old), None);
            assert_ne!(nat.outbound(at(0), inside, server).unwrap().port(), old);
        }
    }

    #[test]
    fn a_full_table_refuses() {
        let mut nat = nat_box(Nat::SYMMETRIC);
        let inside = addr("10.0.0.2:1701");
        let to = |port| SocketAddr::new("192.0.2.1".parse().unwrap(), port);
        let fits = (1..).take_while(|port| nat.outbound(at(0), inside, to(*port)).is_some());
        assert_eq!(fits.count(), usize::from(u16::MAX - FIRST_PORT) + 1);
        assert!(nat.outbound(at(0), inside, to(65_535)).is_none());
        assert!(nat.outbound(at(120), inside, to(65_535)).is_some());
    }
}
