use core::time::Duration;

use vpn_core::DatagramMachine;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Transmit;

use crate::Datagram;
use crate::Fate;
use crate::Net;
use crate::NodeId;
use crate::Realm;
use crate::Verdict;
use crate::datagram::LONGEST;
use crate::flight::Flight;
use crate::link::corrupt;

/// Steps that may happen at one instant, and the more for each node: beyond that, time has
/// stopped.
const STEPS: usize = 10_000;
const STEPS_A_NODE: usize = 1_000;

/// Datagrams, or events, that one call into a node may leave behind.
const OUTPUT: usize = 1_000_000;

impl<N: DatagramMachine> Net<N> {
    /// Jumps to the next arrival or deadline, if it is not later than `limit`, and handles it.
    /// Says whether there was one.
    ///
    /// # Panics
    /// When a node breaks its contract, and when too much happens at one instant.
    pub fn step(&mut self, limit: Instant) -> bool {
        let arrival = self.flights.next();
        let deadline = self.deadlines.next();
        let Some(next) = arrival.into_iter().chain(deadline).min() else { return false };
        if next > limit && next > self.now {
            return false;
        }
        if next > self.now {
            self.now = next;
            self.steps_now = 0;
        }
        self.steps_now += 1;
        if self.steps_now > STEPS + STEPS_A_NODE * self.hosts.len() {
            self.fail(&format!("{} steps and time stands still", self.steps_now));
        }
        if let Some(flight) = self.flights.pop_due(self.now) {
            self.arrive(flight);
        } else if let Some(id) = self.deadlines.pop_due(self.now) {
            self.expire(id);
        }
        true
    }

    /// Lets everything happen until `limit`, and waits there.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn run_until(&mut self, limit: Instant) {
        while self.step(limit) {}
        self.wait_until(limit);
    }

    /// Lets everything happen for `time`.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Lets things happen while `condition` holds, but not past `limit`; says whether it ceased
    /// to hold.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn run_while(&mut self, limit: Instant, mut condition: impl FnMut(&Self) -> bool) -> bool {
        while condition(self) {
            if !self.step(limit) {
                self.wait_until(limit);
                return false;
            }
        }
        true
    }

    /// The next event of any node, oldest first; lets things happen until there is one, but not
    /// past `limit`.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn next_event(&mut self, limit: Instant) -> Option<(NodeId, N::Event)> {
        self.run_while(limit, |net| net.events.is_empty());
        self.events.pop_front()
    }

    /// The next event that has happened already.
    pub fn poll_event(&mut self) -> Option<(NodeId, N::Event)> {
        self.events.pop_front()
    }

    fn wait_until(&mut self, limit: Instant) {
        if limit > self.now && limit < Instant::MAX {
            self.now = limit;
            self.steps_now = 0;
        }
    }

    /// Ends the journey of a datagram: at a node, or with the reason why not.
    fn arrive(&mut self, flight: Flight) {
        let Flight { mut datagram, realm, from } = flight;
        let arrival = match self.topology.arrive(self.now, realm, &datagram) {
            Ok((to, _)) if self.apart(from, to) => Err(Fate::Partitioned),
            arrival => arrival,
        };
        let (to, local) = match arrival {
            Ok(arrival) => arrival,
            Err(fate) => return self.end(&datagram, fate),
        };
        self.end(&datagram, Fate::Delivered);
        let path = Path { socket: datagram.arrives_at(), local, remote: datagram.source };
        let now = self.now;
        // What the node made of it is in its own counters.
        let _ = self.host_mut(to).node.handle_datagram(now, path, &mut datagram.payload);
        self.settle(to);
    }

    fn expire(&mut self, id: NodeId) {
        let now = self.now;
        let host = self.host_mut(id);
        host.deadline = None;
        host.node.handle_timeout(now);
        self.settle(id);
        if let Some(at) = self.host(id).deadline
            && at <= now
        {
            self.fail(&format!("{id:?} has handled its timer and is due again at {at:?}"));
        }
    }

    /// Carries off what a node has to send and to report, and notes its deadline.
    pub(crate) fn settle(&mut self, id: NodeId) {
        let now = self.now;
        for sent in 0.. {
            let mut payload = Vec::new();
            let Some(transmit) = self.host_mut(id).node.poll_transmit(now, &mut payload) else {
                break;
            };
            self.send(id, transmit, payload);
            if sent > OUTPUT {
                self.fail(&format!("{id:?} sends without end"));
            }
        }
        for reported in 0.. {
            let Some(event) = self.host_mut(id).node.poll_event() else { break };
            self.events.push_back((id, event));
            if reported > OUTPUT {
                self.fail(&format!("{id:?} reports without end"));
            }
        }
        let host = self.host_mut(id);
        let old = host.deadline;
        let new = host.node.poll_timeout().filter(|at| *at < Instant::MAX);
        host.deadline = new;
        self.deadlines.update(id, old, new);
    }

    fn send(&mut self, id: NodeId, transmit: Transmit, payload: Vec<u8>) {
        let Path { socket, local, remote } = transmit.path;
        if transmit.len != payload.len() {
            let (said, len) = (transmit.len, payload.len());
            self.fail(&format!("{id:?} appended {len} octets and says {said}"));
        }
        if payload.len() > LONGEST {
            self.fail(&format!("{id:?} sends {} octets in one datagram", payload.len()));
        }
        let host = self.host(id);
        let realm = host.realm;
        if !host.may_spoof && !self.topology.owns(realm, local.ip(), id) {
            self.fail(&format!("{id:?} sends from {local}, which it has not"));
        }
        self.counts.sent += 1;
        let datagram = Datagram { socket, source: local, destination: remote, payload };
        self.launch(id, realm, datagram);
    }

    /// Puts a datagram through its sender's NATs and over the link.
    fn launch(&mut self, from: NodeId, realm: Realm, mut datagram: Datagram) {
        let now = self.now;
        let realm = match self.topology.leave(now, realm, &mut datagram) {
            Ok(realm) => realm,
            Err(fate) => return self.end(&datagram, fate),
        };
        if let Some(decide) = &mut self.interceptor
            && decide(now, &mut datagram) == Verdict::Drop
        {
            return self.end(&datagram, Fate::Intercepted);
        }
        // Who gets it is decided when it arrives; a NAT may have changed its mind by then.
        let Ok((to, _)) = self.topology.arrive(now, realm, &datagram) else {
            let flight = Flight { datagram, realm, from: Some(from) };
            return self.flights.add(now + self.default_link.delay, flight);
        };
        if self.apart(Some(from), to) {
            return self.end(&datagram, Fate::Partitioned);
        }
        let state = self.links.entry((from, to)).or_default();
        let link = state.link.unwrap_or(self.default_link);
        let crossing = state.cross(&link, now, &mut self.random);
        if link.mtu.is_some_and(|mtu| datagram.ip_len() > mtu) {
            return self.end(&datagram, Fate::TooLarge);
        }
        let Some(crossing) = crossing else { return self.end(&datagram, Fate::Lost) };
        if let Some(random) = crossing.corrupt {
            corrupt(&mut datagram.payload, random);
            self.counts.corrupted += 1;
        }
        self.counts.reordered += u64::from(crossing.reordered);
        let flight = Flight { datagram, realm, from: Some(from) };
        if let Some(at) = crossing.copy {
            self.counts.duplicated += 1;
            self.flights.add(at, flight.clone());
        }
        self.flights.add(crossing.arrival, flight);
    }

    fn end(&mut self, datagram: &Datagram, fate: Fate) {
        self.counts.add(fate);
        for see in &mut self.observers {
            see(self.now, datagram, fate);
        }
    }
}
