use core::net::IpAddr;
use core::net::SocketAddr;
use std::collections::HashMap;

use vpn_core::Instant;

use crate::Datagram;
use crate::Fate;
use crate::Nat;
use crate::NodeId;
use crate::nat::NatBox;

/// A network in which addresses are unique: the public one, or the inside of a NAT.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Realm(pub(crate) usize);

impl Realm {
    /// The network outside every NAT.
    pub const PUBLIC: Self = Self(0);
}

/// Who has an address.
#[derive(Clone, Copy, Debug)]
enum Owner {
    Node(NodeId),
    Nat(Realm),
}

/// Nodes, NATs and their addresses.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    owners: HashMap<(Realm, IpAddr), Owner>,
    /// The NAT whose inside is realm `n + 1`, and the realm outside it.
    nats: Vec<(NatBox, Realm)>,
}

impl Topology {
    /// Gives an address to a node; false when somebody has it already.
    pub(crate) fn add_node(&mut self, realm: Realm, address: IpAddr, node: NodeId) -> bool {
        let vacant = !self.owners.contains_key(&(realm, address));
        if vacant {
            self.owners.insert((realm, address), Owner::Node(node));
        }
        vacant
    }

    pub(crate) fn remove_address(&mut self, realm: Realm, address: IpAddr) {
        self.owners.remove(&(realm, address));
    }

    pub(crate) fn owns(&self, realm: Realm, address: IpAddr, node: NodeId) -> bool {
        matches!(self.owners.get(&(realm, address)), Some(Owner::Node(id)) if *id == node)
    }

    /// Makes a NAT and returns its inside; `None` when somebody has the address already.
    pub(crate) fn add_nat(&mut self, outside: Realm, address: IpAddr, nat: Nat) -> Option<Realm> {
        let inside = Realm(self.nats.len() + 1);
        if self.owners.contains_key(&(outside, address)) {
            return None;
        }
        self.owners.insert((outside, address), Owner::Nat(inside));
        self.nats.push((NatBox::new(nat, address), outside));
        Some(inside)
    }

    /// The NAT whose inside `realm` is.
    pub(crate) fn nat(&mut self, realm: Realm) -> Option<&mut NatBox> {
        let index = realm.0.checked_sub(1)?;
        self.nats.get_mut(index).map(|(nat, _)| nat)
    }

    /// Gives the NAT of `realm` a new outside address; false when somebody has it already.
    pub(crate) fn readdress(&mut self, realm: Realm, address: IpAddr) -> bool {
        let Some(index) = realm.0.checked_sub(1) else { return false };
        let Some((nat, outside)) = self.nats.get_mut(index) else { return false };
        if self.owners.contains_key(&(*outside, address)) {
            return false;
        }
        self.owners.remove(&(*outside, nat.address));
        self.owners.insert((*outside, address), Owner::Nat(realm));
        nat.address = address;
        nat.rebind();
        true
    }

    /// Takes a datagram out of NATs until it is in a realm where its destination exists, and
    /// returns that realm.
    ///
    /// # Errors
    /// The fate of the datagram when a NAT refuses it or no realm has its destination.
    pub(crate) fn leave(
        &mut self,
        now: Instant,
        from: Realm,
        datagram: &mut Datagram,
    ) -> Result<Realm, Fate> {
        let mut realm = from;
        while !self.owners.contains_key(&(realm, datagram.destination.ip())) {
            let index = realm.0.checked_sub(1).ok_or(Fate::Unroutable)?;
            let (nat, outside) = self.nats.get_mut(index).ok_or(Fate::Unroutable)?;
            if datagram.is_esp() {
                return Err(Fate::NatRefused);
            }
            datagram.source =
                nat.outbound(now, datagram.source, datagram.destination).ok_or(Fate::NatRefused)?;
            realm = *outside;
        }
        Ok(realm)
    }

    /// The node at which a datagram that travels in `realm` arrives at `now`, and its destination
    /// as that node knows it.
    ///
    /// # Errors
    /// The fate of the datagram when a NAT refuses it or nobody has its destination.
    pub(crate) fn arrive(
        &self,
        now: Instant,
        realm: Realm,
        datagram: &Datagram,
    ) -> Result<(NodeId, SocketAddr), Fate> {
        let (mut realm, mut destination) = (realm, datagram.destination);
        // Each turn goes one NAT further inside, so it ends.
        loop {
            match self.owners.get(&(realm, destination.ip())) {
                None => return Err(Fate::Unroutable),
                Some(Owner::Node(id)) => return Ok((*id, destination)),
                Some(Owner::Nat(inside)) => {
                    let nat = inside.0.checked_sub(1).and_then(|index| self.nats.get(index));
                    let to = nat
                        .filter(|_| !datagram.is_esp())
                        .and_then(|(nat, _)| nat.inbound(now, datagram.source, destination.port()));
                    (realm, destination) = (*inside, to.ok_or(Fate::NatRefused)?);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpn_core::Socket;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn datagram(source: &str, destination: &str) -> Datagram {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        Datagram { socket: Socket::L2tp, source, destination, payload: Vec::new() }
    }

    const NOW: Instant = Instant::ZERO;

    #[test]
    fn two_nats_may_use_the_same_inside_address() {
        let mut net = Topology::default();
        assert!(net.add_node(Realm::PUBLIC, ip("192.0.2.1"), NodeId(0)));
        let a = net.add_nat(Realm::PUBLIC, ip("198.51.100.1"), Nat::HOME_ROUTER).unwrap();
        let b = net.add_nat(Realm::PUBLIC, ip("198.51.100.2"), Nat::HOME_ROUTER).unwrap();
        assert!(net.add_node(a, ip("10.0.0.2"), NodeId(1)));
        assert!(net.add_node(b, ip("10.0.0.2"), NodeId(2)));
        assert!(!net.add_node(b, ip("10.0.0.2"), NodeId(3)));
        for (realm, node) in [(a, NodeId(1)), (b, NodeId(2))] {
            let mut request = datagram("10.0.0.2:1701", "192.0.2.1:1701");
            assert_eq!(net.leave(NOW, realm, &mut request), Ok(Realm::PUBLIC));
            let at_server = Ok((NodeId(0), request.destination));
            assert_eq!(net.arrive(NOW, Realm::PUBLIC, &request), at_server);
            let mut answer = datagram("192.0.2.1:1701", "198.51.100.1:1701");
            answer.destination = request.source;
            let back = Ok((node, "10.0.0.2:1701".parse().unwrap()));
            assert_eq!(net.arrive(NOW, Realm::PUBLIC, &answer), back);
        }
    }

    #[test]
    fn nats_nest() {
        let mut net = Topology::default();
        net.add_node(Realm::PUBLIC, ip("192.0.2.1"), NodeId(0));
        let carrier = net.add_nat(Realm::PUBLIC, ip("198.51.100.1"), Nat::SYMMETRIC).unwrap();
        let home = net.add_nat(carrier, ip("100.64.0.7"), Nat::HOME_ROUTER).unwrap();
        net.add_node(home, ip("10.0.0.2"), NodeId(1));
        let mut request = datagram("10.0.0.2:1701", "192.0.2.1:1701");
        assert_eq!(net.leave(NOW, home, &mut request), Ok(Realm::PUBLIC));
        assert_eq!(request.source, "198.51.100.1:20000".parse().unwrap());
        let answer = datagram("192.0.2.1:1701", "198.51.100.1:20000");
        let inside = "10.0.0.2:1701".parse().unwrap();
        assert_eq!(net.arrive(NOW, Realm::PUBLIC, &answer), Ok((NodeId(1), inside)));
    }

    #[test]
    fn neighbours_inside_a_nat_talk_directly_and_hairpin_through_it() {
        let mut net = Topology::default();
        let home = net.add_nat(Realm::PUBLIC, ip("198.51.100.1"), Nat::FULL_CONE).unwrap();
        net.add_node(home, ip("10.0.0.2"), NodeId(0));
        net.add_node(home, ip("10.0.0.3"), NodeId(1));
        let mut direct = datagram("10.0.0.2:1701", "10.0.0.3:1701");
        assert_eq!(net.leave(NOW, home, &mut direct), Ok(home));
        assert_eq!(direct.source, "10.0.0.2:1701".parse().unwrap());

        let mut first = datagram("10.0.0.2:1701", "198.51.100.1:1702");
        assert_eq!(net.leave(NOW, home, &mut first), Ok(Realm::PUBLIC));
        let mut hairpin = datagram("10.0.0.3:1702", "198.51.100.1:1701");
        assert_eq!(net.leave(NOW, home, &mut hairpin), Ok(Realm::PUBLIC));
        let back = Ok((NodeId(0), "10.0.0.2:1701".parse().unwrap()));
        assert_eq!(net.arrive(NOW, Realm::PUBLIC, &hairpin), back);
    }

    #[test]
    fn a_nat_refuses_esp_and_strangers() {
        let mut net = Topology::default();
        net.add_node(Realm::PUBLIC, ip("192.0.2.1"), NodeId(0));
        let home = net.add_nat(Realm::PUBLIC, ip("198.51.100.1"), Nat::FULL_CONE).unwrap();
        let mut esp = datagram("10.0.0.2:0", "192.0.2.1:0");
        esp.socket = Socket::Esp;
        assert_eq!(net.leave(NOW, home, &mut esp), Err(Fate::NatRefused));
        let mut esp = datagram("192.0.2.1:0", "198.51.100.1:0");
        esp.socket = Socket::Esp;
        assert_eq!(net.arrive(NOW, Realm::PUBLIC, &esp), Err(Fate::NatRefused));
        let knock = datagram("192.0.2.1:1701", "198.51.100.1:1701");
        assert_eq!(net.arrive(NOW, Realm::PUBLIC, &knock), Err(Fate::NatRefused));
        let nowhere = datagram("192.0.2.1:1701", "203.0.113.1:1701");
        assert_eq!(net.arrive(NOW, Realm::PUBLIC, &nowhere), Err(Fate::Unroutable));
    }

    #[test]
    fn a_nat_can_change_its_address() {
        let mut net = Topology::default();
        net.add_node(Realm::PUBLIC, ip("192.0.2.1"), NodeId(0));
        let home = net.add_nat(Realm::PUBLIC, ip("198.51.100.1"), Nat::FULL_CONE).unwrap();
        assert!(!net.readdress(home, ip("192.0.2.1")));
        assert!(!net.readdress(Realm::PUBLIC, ip("192.0.2.9")));
        assert!(net.readdress(home, ip("198.51.100.7")));
        let mut request = datagram("10.0.0.2:1701", "192.0.2.1:1701");
        assert_eq!(net.leave(NOW, home, &mut request), Ok(Realm::PUBLIC));
        assert_eq!(request.source.ip(), ip("198.51.100.7"));
        let old = datagram("192.0.2.1:1701", "198.51.100.1:1701");
        assert_eq!(net.arrive(NOW, Realm::PUBLIC, &old), Err(Fate::Unroutable));
    }
}
