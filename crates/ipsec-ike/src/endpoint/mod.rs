//! Many peers and their SAs behind one object.

mod bundle;
mod child;
mod command;
mod informational;
mod output;
mod peer;
mod phase_1;
mod phase_2;
mod query;
mod receive;
mod sa;
mod timeout;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

use vpn_core::DatagramMachine;
use vpn_core::Deadlines;
use vpn_core::DropCounters;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::Path;
use vpn_core::SecureRandom;
use vpn_core::Transmit;
use vpn_core::crypto::CryptoProvider;

use crate::ChildHandle;
use crate::ConfigError;
use crate::Cookie;
use crate::EndpointConfig;
use crate::Event;
use crate::PeerHandle;
use crate::admission::HalfOpen;
use crate::admission::KeyExchangeBudget;
use crate::admission::Rate;
use crate::config::Policy;
use crate::handle::SaId;
use crate::tools::Tools;
use output::Output;
use peer::BundleKey;
use peer::Child;
use peer::Peer;
use sa::IkeSa;

pub use command::CommandError;
pub use command::ConnectError;
pub use query::Counts;

/// IKEv1 with any number of peers: initiator, responder, or both.
///
/// It keeps the contract of [`Machine`]. Datagrams come from and go to the sockets
/// [`Ike`](vpn_core::Socket::Ike) and [`NatT`](vpn_core::Socket::NatT), as they are on the wire: on
/// `NatT` with the non-ESP marker (RFC 3948 §2.2) in both directions, and NAT keepalives as the
/// single octet FF. ESP is not for here: a datagram on `NatT` without the marker is dropped.
///
/// # What a caller does
///
/// | call | what may change after it |
/// |---|---|
/// | [`handle_datagram`](Self::handle_datagram), [`handle_timeout`](Self::handle_timeout) | anything |
/// | [`connect`](Self::connect), [`answer_credentials`](Self::answer_credentials), [`request_child`](Self::request_child), [`rekey_child`](Self::rekey_child), [`rekey_peer`](Self::rekey_peer), [`close_child`](Self::close_child), [`close_peer`](Self::close_peer) | datagrams, events, the next timeout |
/// | [`note_child_used`](Self::note_child_used), [`note_path`](Self::note_path) | events |
/// | [`note_inbound`](Self::note_inbound), [`note_outbound`](Self::note_outbound) | nothing at once |
///
/// A pair of SAs has to be installed before the peer uses it: poll the events, and act on
/// [`Event::ChildInstall`], before what [`poll_transmit`](Self::poll_transmit) gave is sent.
pub struct Endpoint {
    config: EndpointConfig,
    /// What is agreed to with those who begin themselves.
    policy: Arc<Policy>,
    tools: Tools,
    now: Instant,
    sas: BTreeMap<SaId, IkeSa>,
    /// Every IKE SA by our own cookie.
    by_cookie: BTreeMap<Cookie, SaId>,
    /// IKE SAs that a peer began, by what its repeated first message has in common with the first.
    by_first: BTreeMap<(Cookie, SocketAddr), SaId>,
    /// SAs that ask whether a port is reached, by the cookie that they ask with.
    probes: BTreeMap<Cookie, SaId>,
    peers: BTreeMap<PeerHandle, Peer>,
    bundles: BTreeMap<BundleKey, PeerHandle>,
    children: BTreeMap<ChildHandle, Child>,
    by_spi: BTreeMap<u32, ChildHandle>,
    half_open: HalfOpen,
    key_exchanges: KeyExchangeBudget,
    failures: Rate,
    refusals: Rate,
    deadlines: Deadlines<Wakeup>,
    output: Output,
    events: VecDeque<Event>,
    drops: DropCounters,
    keepalives: u64,
    last_handle: u64,
}

/// Whose deadline it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Wakeup {
    Sa(SaId),
    Peer(PeerHandle),
    Child(ChildHandle),
}

impl Endpoint {
    /// An endpoint without peers.
    ///
    /// It takes cookies, nonces, keys and message ids from `random`, and keeps it to itself.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(
        config: EndpointConfig,
        provider: &'static CryptoProvider,
        random: Box<dyn SecureRandom + Send>,
    ) -> Result<Self, ConfigError> {
        config.check(provider)?;
        Ok(Self {
            policy: Arc::new(config.policy.clone()),
            config,
            tools: Tools::new(provider, random),
            now: Instant::ZERO,
            sas: BTreeMap::new(),
            by_cookie: BTreeMap::new(),
            by_first: BTreeMap::new(),
            probes: BTreeMap::new(),
            peers: BTreeMap::new(),
            bundles: BTreeMap::new(),
            children: BTreeMap::new(),
            by_spi: BTreeMap::new(),
            half_open: HalfOpen::default(),
            key_exchanges: KeyExchangeBudget::default(),
            failures: Rate::default(),
            refusals: Rate::default(),
            deadlines: Deadlines::default(),
            output: Output::default(),
            events: VecDeque::new(),
            drops: DropCounters::default(),
            keepalives: 0,
            last_handle: 0,
        })
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next, if ever.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Time never runs backwards: an older `now` is taken as the newest seen.
    fn advance(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    fn emit(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Whether there is room for an event that strangers, or traces, bring about.
    fn has_room(&self) -> bool {
        self.events.len() < self.config.limits.queue
    }

    /// Reports something that nobody depends on, if there is room.
    fn report(&mut self, event: Event) {
        if self.has_room() {
            self.emit(event);
        } else {
            self.drops.add(DropReason::LimitReached, 1);
        }
    }

    /// A number that no handle had before.
    fn next_handle(&mut self) -> u64 {
        self.last_handle += 1;
        self.last_handle
    }
}

impl Machine for Endpoint {
    type Event = Event;

    fn handle_timeout(&mut self, now: Instant) {
        self.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.poll_event()
    }
}

impl DatagramMachine for Endpoint {
    fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        self.handle_datagram(now, path, datagram)
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.poll_transmit(now, buf)
    }
}

/// How many there are of everything: what is inside are secrets.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
