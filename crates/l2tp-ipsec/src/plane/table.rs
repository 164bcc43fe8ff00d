use alloc::sync::Arc;
use core::net::Ipv4Addr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use ipsec_esp::Spi;
use l2tp_control::LinkId;

use crate::SessionId;
use crate::ip::Ip;
use crate::ip::link_local_id;
use crate::plane::Entry;
use crate::plane::Side;
use crate::plane::secure::Carrier;
use crate::plane::secure::Receiver;
use crate::plane::secure::link_of;

/// The keys are numbers that we chose ourselves, so a fixed hash state gives a peer nothing to
/// collide; but for interface identifiers, which an attacker would need sessions to make many of.
type OwnMap<K, V> = HashMap<K, V, FixedState>;

/// All sessions of one client or server, and the SAs that carry them.
#[derive(Default)]
pub(crate) struct Table {
    sessions: OwnMap<SessionId, Arc<Entry>>,
    by_wire: OwnMap<(LinkId, u16, u16), Arc<Entry>>,
    ipv4: OwnMap<Ipv4Addr, SessionId>,
    /// Peers by the interface identifier of their link-local address.
    ipv6: OwnMap<u64, SessionId>,
    /// Where everything goes that has no route of its own: a client's session.
    default: Option<SessionId>,
    /// Is L2TP in clear taken?
    pub(crate) clear_allowed: bool,
    /// Is there IPsec at all?
    pub(crate) secure: bool,
    receivers: OwnMap<Spi, Receiver>,
    carriers: OwnMap<LinkId, Carrier>,
}

impl Table {
    pub(crate) fn new(clear_allowed: bool, secure: bool) -> Self {
        Self { clear_allowed, secure, ..Self::default() }
    }

    pub(crate) fn install(&mut self, entry: Entry) {
        self.remove(entry.session);
        let entry = Arc::new(entry);
        let session = entry.session;
        if let Some(ipv4) = entry.ipv4 {
            self.ipv4.insert(ipv4.peer, session);
        }
        if let Some(ipv6) = entry.ipv6 {
            // The peer chose it, so it must not take anybody's route.
            self.ipv6.entry(ipv6.peer).or_insert(session);
        }
        if entry.side == Side::Client {
            self.default = Some(session);
        }
        self.by_wire.insert(wire_key(&entry), Arc::clone(&entry));
        self.sessions.insert(session, entry);
    }

    pub(crate) fn remove(&mut self, session: SessionId) {
        let Some(entry) = self.sessions.remove(&session) else { return };
        self.by_wire.remove(&wire_key(&entry));
        if let Some(ipv4) = entry.ipv4 {
            remove_if(&mut self.ipv4, ipv4.peer, session);
        }
        if let Some(ipv6) = entry.ipv6 {
            remove_if(&mut self.ipv6, ipv6.peer, session);
        }
        if self.default == Some(session) {
            self.default = None;
        }
    }

    pub(crate) fn session(&self, session: SessionId) -> Option<&Entry> {
        self.sessions.get(&session).map(|entry| &**entry)
    }

    pub(crate) fn by_wire(&self, link: LinkId, tunnel_id: u16, session_id: u16) -> Option<&Entry> {
        self.by_wire.get(&(link, tunnel_id, session_id)).map(|entry| &**entry)
    }

    pub(crate) fn receiver(&self, spi: Spi) -> Option<&Receiver> {
        self.receivers.get(&spi)
    }

    pub(crate) fn install_receiver(&mut self, receiver: Receiver) {
        self.receivers.insert(receiver.sa.spi(), receiver);
    }

    /// The first packet of an SA has come, so its suite is known.
    pub(crate) fn decide(&mut self, spi: Spi) {
        if let Some(receiver) = self.receivers.get_mut(&spi) {
            receiver.cut = None;
        }
    }

    pub(crate) fn remove_receiver(&mut self, spi: Spi) {
        self.receivers.remove(&spi);
    }

    pub(crate) fn carrier(&self, link: LinkId) -> Option<&Carrier> {
        self.carriers.get(&link)
    }

    pub(crate) fn install_carrier(&mut self, carrier: Carrier) {
        self.carriers.insert(link_of(carrier.bundle), carrier);
    }

    pub(crate) fn remove_carrier(&mut self, link: LinkId) {
        self.carriers.remove(&link);
    }

    pub(crate) fn route(&self, packet: &[u8]) -> Option<SessionId> {
        let own = match Ip::parse(packet)? {
            Ip::V4 { destination, .. } => self.ipv4.get(&destination),
            Ip::V6 { destination, .. } => {
                link_local_id(destination).and_then(|id| self.ipv6.get(&id))
            }
        };
        own.copied().or(self.default)
    }
}

impl core::fmt::Debug for Table {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Table({} sessions, {} SAs)", self.sessions.len(), self.receivers.len())
    }
}

fn wire_key(entry: &Entry) -> (LinkId, u16, u16) {
    (entry.link, entry.local_tunnel_id, entry.local_session_id)
}

/// Removes a route unless a newer session has taken it over.
fn remove_if<K: Eq + core::hash::Hash>(map: &mut OwnMap<K, SessionId>, key: K, session: SessionId) {
    if map.get(&key) == Some(&session) {
        map.remove(&key);
    }
}
