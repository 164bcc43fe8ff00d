use alloc::collections::BTreeMap;

use vpn_core::Instant;

use crate::Datagram;
use crate::NodeId;
use crate::topology::Realm;

/// A datagram on its way to its receiver.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) datagram: Datagram,
    /// The realm in which it travels.
    pub(crate) realm: Realm,
    /// Who sent it; nobody, when a test injected it.
    pub(crate) from: Option<NodeId>,
}

/// Datagrams in flight, in the order of their arrival; at the same instant, in the order of
/// sending.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    queue: BTreeMap<(Instant, u64), Flight>,
    sent: u64,
}

impl Flights {
    pub(crate) fn add(&mut self, arrival: Instant, flight: Flight) {
        self.queue.insert((arrival, self.sent), flight);
        self.sent += 1;
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Flight> {
        let first = self.queue.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}
