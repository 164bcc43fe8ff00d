//! Many tunnels and their sessions behind one object.

mod admission;
mod answer;
mod calls;
mod command;
mod control;
mod data;
mod ids;
mod message;
mod opening;
mod output;
mod quarantine;
mod query;
mod receive;
mod room;
mod session;
mod slab;
mod timeout;
mod tools;
mod tunnel;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::net::SocketAddr;

use vpn_core::Deadlines;
use vpn_core::DropCounters;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;

use crate::EndpointConfig;
use crate::Event;
use crate::LinkId;
use crate::SessionHandle;
use crate::Trace;
use crate::TunnelHandle;
use crate::session::Session;
use crate::tunnel::Challenge;
use crate::tunnel::Tunnel;
use admission::Expendable;
use admission::HalfOpen;
use ids::TunnelIds;
use output::Output;
use quarantine::Quarantine;
use slab::Slab;
use tools::Tools;

/// For how many events the room is kept once they are polled.
const KEPT_EVENTS: usize = 256;

/// How many Session IDs of all tunnels together are kept out of use at most.
const SESSION_QUARANTINE: usize = 65_536;

/// Tunnels to any number of peers, with their sessions: LAC, LNS, or both.
///
/// It keeps the contract of [`Machine`], but names a [`LinkId`] beside each path, so it is no
/// `DatagramMachine` itself: the composition that knows the links is one.
///
/// # What a caller does
///
/// | call | what may change after it |
/// |---|---|
/// | [`handle_datagram`](Self::handle_datagram), [`handle_timeout`](Self::handle_timeout) | anything |
/// | [`open_tunnel`](Self::open_tunnel), [`close_tunnel`](Self::close_tunnel), [`answer_tunnel`](Self::answer_tunnel) | datagrams, events, the next timeout |
/// | [`open_session`](Self::open_session), [`place_call`](Self::place_call), [`close_session`](Self::close_session), [`answer_session`](Self::answer_session), [`call_connected`](Self::call_connected), [`call_failed`](Self::call_failed) | the same |
/// | [`send_data`](Self::send_data), [`send_wen`](Self::send_wen), [`send_sli`](Self::send_sli) | datagrams, the next timeout |
/// | [`note_data`](Self::note_data), [`set_sequencing`](Self::set_sequencing) | nothing at once |
///
/// After any of them: [`poll_transmit`](Self::poll_transmit) until `None`,
/// [`poll_event`](Self::poll_event) until `None`, then [`poll_timeout`](Self::poll_timeout).
///
/// # A session from start to end
///
/// ```text
///  LAC (initiator)                                  LNS
///  open_tunnel      ── SCCRQ ─────────────────────▶  TunnelRequest, answer_tunnel
///                   ◀───────────────────── SCCRP ──
///  TunnelUp         ── SCCCN ─────────────────────▶  TunnelUp
///  open_session     ── ICRQ ──────────────────────▶  SessionRequest, answer_session
///                   ◀────────────────────── ICRP ──
///  SessionUp        ── ICCN ──────────────────────▶  SessionUp
///  send_data        ── PPP frame ─────────────────▶  Data
///  SessionClosed    ◀─────────────────────── CDN ──  close_session
///  TunnelClosed     ◀─────────────────── StopCCN ──  close_tunnel
/// ```
pub struct Endpoint {
    config: EndpointConfig,
    tools: Tools,
    now: Instant,
    tunnels: Slab<Tunnel>,
    sessions: Slab<Session>,
    ids: TunnelIds,
    session_quarantine: Quarantine<(TunnelHandle, u16)>,
    half_open: HalfOpen,
    /// Tunnels that a peer asked for, by what its repeated SCCRQ has in common with the first.
    requests: BTreeMap<RequestKey, TunnelHandle>,
    /// Tunnels that we asked for and that are not answered, to notice an SCCRQ that crosses ours.
    dialled: BTreeSet<(LinkId, IpAddr, TunnelHandle)>,
    /// Our challenges that wait for an answer, to notice one that comes back as a challenge.
    open_challenges: BTreeSet<Challenge>,
    /// Tunnels whose StopCCN is not acknowledged.
    stopping: BTreeSet<TunnelHandle>,
    /// Those of them that had been open.
    draining: BTreeSet<TunnelHandle>,
    /// Tunnels that are over and kept for the last messages.
    over: Expendable,
    deadlines: Deadlines<Wakeup>,
    output: Output,
    events: VecDeque<Event>,
    drops: DropCounters,
    /// Room for values that were hidden.
    unhidden: Vec<u8>,
    next_serial: u32,
    /// How many frames of all sessions are kept that overtook an ICCN or OCCN.
    early_frames: usize,
}

/// What a repeated SCCRQ is known by: the link, the peer's address, and the Tunnel ID that the
/// peer assigned.
type RequestKey = (LinkId, SocketAddr, u16);

/// Whose deadline it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Wakeup {
    Tunnel(TunnelHandle),
    Session(SessionHandle),
}

impl Endpoint {
    /// An endpoint without tunnels.
    ///
    /// The endpoint takes its identifiers and challenges from `random`, and keeps it to itself.
    #[must_use]
    pub fn new(
        config: EndpointConfig,
        provider: &'static CryptoProvider,
        random: Box<dyn SecureRandom + Send>,
    ) -> Self {
        Self {
            config,
            tools: Tools::new(provider, random),
            now: Instant::ZERO,
            tunnels: Slab::new(),
            sessions: Slab::new(),
            ids: TunnelIds::new(),
            session_quarantine: Quarantine::new(SESSION_QUARANTINE),
            half_open: HalfOpen::default(),
            requests: BTreeMap::new(),
            dialled: BTreeSet::new(),
            open_challenges: BTreeSet::new(),
            stopping: BTreeSet::new(),
            draining: BTreeSet::new(),
            over: Expendable::default(),
            deadlines: Deadlines::default(),
            output: Output::default(),
            events: VecDeque::new(),
            drops: DropCounters::default(),
            unhidden: Vec::new(),
            next_serial: 1,
            early_frames: 0,
        }
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() && self.events.capacity() > KEPT_EVENTS {
            self.events = VecDeque::new();
        }
        event
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next, if ever.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.deadlines.next(), self.ids.poll_timeout(), self.session_quarantine.next()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Time never runs backwards: an older `now` is taken as the newest seen.
    fn advance(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    fn tunnel_mut(&mut self, tunnel: TunnelHandle) -> Option<&mut Tunnel> {
        self.tunnels.get_mut(tunnel.0)
    }

    fn session_mut(&mut self, session: SessionHandle) -> Option<&mut Session> {
        self.sessions.get_mut(session.0)
    }

    fn emit(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn trace(&mut self, trace: impl FnOnce() -> Trace) {
        if self.config.trace {
            self.events.push_back(Event::Trace(trace()));
        }
    }
}

/// How many there are of everything: what is queued may hold secrets.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("counts", &self.counts()).finish_non_exhaustive()
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
