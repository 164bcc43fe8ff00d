use alloc::collections::VecDeque;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::io::Write;

use vpn_core::DatagramMachine;
use vpn_core::Deadlines;
use vpn_core::Instant;

use crate::Counts;
use crate::Datagram;
use crate::Fate;
use crate::Link;
use crate::Nat;
use crate::PcapWriter;
use crate::Realm;
use crate::SeededRandom;
use crate::flight::Flight;
use crate::flight::Flights;
use crate::link::LinkState;
use crate::topology::Topology;

/// A node of a [`Net`]. Never used again, even when the node is removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub(crate) usize);

/// What an interceptor wants done with a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It goes on to the link.
    Pass,
    /// It is dropped.
    Drop,
}

/// One machine and what the network keeps about it.
pub(crate) struct Host<N> {
    pub(crate) node: N,
    pub(crate) realm: Realm,
    pub(crate) addresses: Vec<IpAddr>,
    /// The deadline that stands in the queue.
    pub(crate) deadline: Option<Instant>,
    pub(crate) may_spoof: bool,
    /// Nodes of different islands cannot reach each other.
    island: u64,
}

type Observer = Box<dyn FnMut(Instant, &Datagram, Fate)>;
type Interceptor = Box<dyn FnMut(Instant, &mut Datagram) -> Verdict>;

/// A network of machines in virtual time.
///
/// It owns its nodes (`N` is one machine type, or an enum such as [`Role`](crate::Role)), carries
/// their datagrams over [links](Link) and through [NATs](Nat), and jumps from one arrival or
/// deadline to the next. Everything follows from the seed: the same calls on a network of the same
/// seed give the same octets at the same times.
///
/// A broken promise of a node ([the contract](vpn_core::Machine)) is a panic whose message names
/// the seed and the virtual time: a timer that stays due after it was handled, a datagram from an
/// address that the node has not, a length that is not what was appended, work without end. Any
/// other panic while a network exists, of an assertion of the test for instance, prints the seed
/// too.
pub struct Net<N: DatagramMachine> {
    pub(crate) seed: u64,
    pub(crate) now: Instant,
    pub(crate) random: SeededRandom,
    pub(crate) hosts: Vec<Option<Host<N>>>,
    pub(crate) deadlines: Deadlines<NodeId>,
    pub(crate) flights: Flights,
    pub(crate) topology: Topology,
    pub(crate) default_link: Link,
    pub(crate) links: HashMap<(NodeId, NodeId), LinkState>,
    pub(crate) events: VecDeque<(NodeId, N::Event)>,
    pub(crate) counts: Counts,
    pub(crate) observers: Vec<Observer>,
    pub(crate) interceptor: Option<Interceptor>,
    /// Steps taken at the present instant.
    pub(crate) steps_now: usize,
    islands: u64,
}

impl<N: DatagramMachine> Net<N> {
    /// An empty network at [`Instant::ZERO`].
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            now: Instant::ZERO,
            random: SeededRandom::new(seed),
            hosts: Vec::new(),
            deadlines: Deadlines::default(),
            flights: Flights::default(),
            topology: Topology::default(),
            default_link: Link::default(),
            links: HashMap::new(),
            events: VecDeque::new(),
            counts: Counts::default(),
            observers: Vec::new(),
            interceptor: None,
            steps_now: 0,
            islands: 0,
        }
    }

    /// The virtual time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The seed that the network was made with.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// What happened so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// How many datagrams are on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// Adds a node with its addresses to the public network. It gets a first, early timeout as
    /// soon as time passes, so the nodes of a test can all be there before one of them speaks.
    ///
    /// # Panics
    /// When somebody has one of the addresses.
    pub fn add(&mut self, node: N, addresses: &[IpAddr]) -> NodeId {
        self.add_inside(Realm::PUBLIC, node, addresses)
    }

    /// Adds a node as [`add`](Self::add) does, but to a realm, such as the inside of a NAT.
    ///
    /// # Panics
    /// When somebody in the realm has one of the addresses.
    pub fn add_inside(&mut self, realm: Realm, node: N, addresses: &[IpAddr]) -> NodeId {
        let id = NodeId(self.hosts.len());
        for address in addresses {
            if !self.topology.add_node(realm, *address, id) {
                self.fail(&format!("the address {address} is taken"));
            }
        }
        self.hosts.push(Some(Host {
            node,
            realm,
            addresses: addresses.to_vec(),
            deadline: Some(self.now),
            may_spoof: false,
            island: 0,
        }));
        self.deadlines.update(id, None, Some(self.now));
        id
    }

    /// Takes a node off the network at once, as a power cut does. Its addresses become free.
    ///
    /// # Panics
    /// When the node was removed before.
    pub fn remove(&mut self, id: NodeId) -> N {
        let Some(host) = self.hosts.get_mut(id.0).and_then(Option::take) else {
            self.fail(&format!("{id:?} was removed"))
        };
        for address in &host.addresses {
            self.topology.remove_address(host.realm, *address);
        }
        self.deadlines.update(id, host.deadline, None);
        host.node
    }

    /// A node.
    ///
    /// # Panics
    /// When the node was removed.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &N {
        &self.host(id).node
    }

    /// The nodes that are there, in the order in which they were added.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &N)> {
        let hosts = self.hosts.iter().enumerate();
        hosts.filter_map(|(index, host)| Some((NodeId(index), &host.as_ref()?.node)))
    }

    /// Calls methods of a node, then carries off what it has to send and to report.
    ///
    /// # Panics
    /// When the node was removed.
    pub fn with<R>(&mut self, id: NodeId, call: impl FnOnce(&mut N, Instant) -> R) -> R {
        let now = self.now;
        let result = call(&mut self.host_mut(id).node, now);
        self.settle(id);
        result
    }

    /// Lets a node send from addresses that are not its own, as an attacker does.
    ///
    /// # Panics
    /// When the node was removed.
    pub fn allow_spoofing(&mut self, id: NodeId) {
        self.host_mut(id).may_spoof = true;
    }

    /// Sets what links do that have no setting of their own.
    pub const fn set_default_link(&mut self, link: Link) {
        self.default_link = link;
    }

    /// Sets what the link does from one node to another; the way back is another link.
    pub fn set_link(&mut self, from: NodeId, to: NodeId, link: Link) {
        self.links.entry((from, to)).or_default().link = Some(link);
    }

    /// Sets what the links do between two nodes, both ways.
    pub fn set_links(&mut self, a: NodeId, b: NodeId, link: Link) {
        self.set_link(a, b, link);
        self.set_link(b, a, link);
    }

    /// Puts a NAT with an address in `outside` and returns its inside.
    ///
    /// # Panics
    /// When somebody has the address.
    pub fn add_nat(&mut self, outside: Realm, address: IpAddr, nat: Nat) -> Realm {
        match self.topology.add_nat(outside, address, nat) {
            Some(inside) => inside,
            None => self.fail(&format!("the address {address} is taken")),
        }
    }

    /// Makes the NAT of `inside` forget its mappings, as a restart does. What its nodes send
    /// afterwards comes from other ports.
    ///
    /// # Panics
    /// When `inside` is not the inside of a NAT.
    pub fn rebind(&mut self, inside: Realm) {
        match self.topology.nat(inside) {
            Some(nat) => nat.rebind(),
            None => self.fail("the public network has no NAT"),
        }
    }

    /// Gives the NAT of `inside` another outside address; its mappings are forgotten.
    ///
    /// # Panics
    /// When `inside` is not the inside of a NAT, or somebody has the address.
    pub fn readdress(&mut self, inside: Realm, address: IpAddr) {
        if !self.topology.readdress(inside, address) {
            self.fail(&format!("no NAT in {inside:?}, or the address {address} is taken"));
        }
    }

    /// How many mappings the NAT of `inside` holds; none for the public network.
    #[must_use]
    pub fn mappings(&mut self, inside: Realm) -> usize {
        self.topology.nat(inside).map_or(0, |nat| nat.live(self.now))
    }

    /// Separates `nodes` from all the others, until [`heal`](Self::heal). They still reach each
    /// other. Datagrams in flight across the gap are lost.
    ///
    /// # Panics
    /// When one of the nodes was removed.
    pub fn partition(&mut self, nodes: &[NodeId]) {
        self.islands += 1;
        let island = self.islands;
        for id in nodes {
            self.host_mut(*id).island = island;
        }
    }

    /// Ends every partition.
    pub fn heal(&mut self) {
        for host in self.hosts.iter_mut().flatten() {
            host.island = 0;
        }
    }

    pub(crate) fn apart(&self, from: Option<NodeId>, to: NodeId) -> bool {
        let island = |id: NodeId| self.hosts.get(id.0)?.as_ref().map(|host| host.island);
        from.and_then(island).is_some_and(|from| island(to).is_some_and(|to| to != from))
    }

    /// Calls `see` at the end of each datagram's journey, in the form that it had outside the
    /// NATs.
    pub fn observe(&mut self, see: impl FnMut(Instant, &Datagram, Fate) + 'static) {
        self.observers.push(Box::new(see));
    }

    /// Lets `decide` see, change or drop each datagram outside its sender's NATs, before the link
    /// does. It replaces an earlier one.
    pub fn intercept(&mut self, decide: impl FnMut(Instant, &mut Datagram) -> Verdict + 'static) {
        self.interceptor = Some(Box::new(decide));
    }

    /// Writes what is delivered from now on as a pcap file.
    ///
    /// # Panics
    /// When `out` fails, here or later.
    #[expect(clippy::panic, reason = "a test that asks for a capture wants to have it")]
    pub fn capture(&mut self, out: impl Write + 'static) {
        let mut pcap = match PcapWriter::new(out) {
            Ok(pcap) => pcap,
            Err(why) => panic!("netsim: cannot start the capture: {why}"),
        };
        self.observe(move |at, datagram, fate| {
            if fate == Fate::Delivered
                && let Err(why) = pcap.write(at, datagram)
            {
                panic!("netsim: cannot capture a datagram: {why}");
            }
        });
    }

    /// Puts a datagram from nobody in particular into a realm, to arrive after `delay`. No link
    /// impairs it.
    pub fn inject(&mut self, realm: Realm, delay: Duration, datagram: Datagram) {
        self.counts.sent += 1;
        self.flights.add(self.now + delay, Flight { datagram, realm, from: None });
    }

    pub(crate) fn host(&self, id: NodeId) -> &Host<N> {
        match self.hosts.get(id.0) {
            Some(Some(host)) => host,
            _ => self.fail(&format!("{id:?} was removed")),
        }
    }

    pub(crate) fn host_mut(&mut self, id: NodeId) -> &mut Host<N> {
        let (seed, now) = (self.seed, self.now);
        match self.hosts.get_mut(id.0) {
            Some(Some(host)) => host,
            _ => fail(seed, now, &format!("{id:?} was removed")),
        }
    }

    /// Ends the test, with what is needed to run it again.
    pub(crate) fn fail(&self, why: &str) -> ! {
        fail(self.seed, self.now, why)
    }
}

#[expect(clippy::panic, reason = "this is how a test support crate reports")]
fn fail(seed: u64, now: Instant, why: &str) -> ! {
    panic!("netsim: seed {seed} at {now:?}: {why}")
}

impl<N: DatagramMachine> fmt::Debug for Net<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net")
            .field("seed", &self.seed)
            .field("now", &self.now)
            .field("nodes", &self.nodes().count())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl<N: DatagramMachine> Drop for Net<N> {
    #[expect(clippy::print_stderr, reason = "the seed of a failing test must be seen")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, now) = (self.seed, self.now);
            eprintln!("netsim: seed {seed} at {now:?}; replay with NETSIM_SEED={seed}");
        }
    }
}
