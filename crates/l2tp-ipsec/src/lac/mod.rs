//! The LAC of an access network.

mod event;
mod forward;
mod line;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use l2tp_control::CallResult;
use l2tp_control::Counts;
use l2tp_control::Endpoint;
use l2tp_control::EndpointConfig;
use l2tp_control::LinkId;
use l2tp_control::TunnelHandle;
use l2tp_wire::CdnResult;
use ppp_core::CloseReason;
use ppp_core::Link;
use ppp_core::LinkConfig;
use vpn_core::DatagramMachine;
use vpn_core::Deadlines;
use vpn_core::DropCounters;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::Path;
use vpn_core::RandomSource;
use vpn_core::Socket;
use vpn_core::Transmit;
use vpn_core::crypto::CryptoProvider;

use crate::ConfigError;
use crate::DisconnectReason;
use crate::LacConfig;
use crate::LocalReason;
use crate::SessionId;
use crate::stack::Random;
pub use event::LacEvent;
pub use event::SubscriberError;
pub use event::SubscriberId;
use line::Frames;
use line::Line;
use line::Stage;

/// The LAC of an access network: it takes the PPP of its subscribers to an LNS (RFC 2661 §2, the
/// "compulsory" case).
///
/// What brings a subscriber's frames is up to the driver: PPPoE, a serial line, a modem. The LAC
/// negotiates LCP and asks for a proof of identity. With the proof it calls the LNS, in one tunnel
/// for all subscribers, and tells it what was negotiated and proved (RFC 2661 §4.4.5), so that the
/// subscriber notices nothing. From then on it passes frames through untouched.
///
/// ```text
///  subscriber_up ──▶ LCP ──▶ proof ──▶ Calling ──▶ Forwarding ──▶ frames, both ways
///      subscriber_down, disconnect, or a failure anywhere ──▶ Ended { reason }
/// ```
///
/// Drive the side of the LNS with the five verbs, and that of the subscribers with
/// [`subscriber_up`](Lac::subscriber_up), [`handle_frame`](Lac::handle_frame),
/// [`poll_frame`](Lac::poll_frame) and [`subscriber_down`](Lac::subscriber_down). The
/// [contract](Machine) of all machines holds; drain frames where it says transmits.
///
/// ```
/// use l2tp_ipsec::Lac;
/// use l2tp_ipsec::LacConfig;
/// use vpn_core::Instant;
/// # use vpn_netsim::SeededRandom;
///
/// let config = LacConfig::plain_l2tp("192.0.2.1:1701".parse()?, "192.0.2.2:1701".parse()?);
/// # let random = SeededRandom::new(1);
/// let mut lac = Lac::new(config, vpn_crypto::provider(), Box::new(random))?;
///
/// // A modem has connected: the LAC speaks first.
/// let subscriber = lac.subscriber_up(Instant::ZERO)?;
/// let mut frame = Vec::new();
/// assert_eq!(lac.poll_frame(Instant::ZERO, &mut frame), Some((subscriber, frame.len())));
/// assert_eq!(frame[..5], [0xff, 0x03, 0xc0, 0x21, 1], "an LCP Configure-Request");
///
/// // The LNS is not called before the subscriber has sent its proof.
/// assert!(lac.poll_transmit(Instant::ZERO, &mut Vec::new()).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Lac {
    endpoint: Endpoint,
    config: LacConfig,
    link_config: Arc<LinkConfig>,
    provider: &'static CryptoProvider,
    random: Random,
    tunnel: Option<Tunnel>,
    lines: BTreeMap<SubscriberId, Line>,
    by_session: BTreeMap<SessionId, SubscriberId>,
    next_id: u64,
    deadlines: Deadlines<SubscriberId>,
    frames: Frames,
    events: VecDeque<LacEvent>,
    /// Subscribers of a tunnel that has closed; they end with the tunnel's own reason.
    orphans: Vec<(TunnelHandle, SubscriberId)>,
    drops: DropCounters,
    state: State,
    newest: Instant,
}

/// The tunnel to the LNS.
#[derive(Debug)]
struct Tunnel {
    handle: TunnelHandle,
    sessions: usize,
    /// When it is closed, if it has no session until then.
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Closing,
    Done,
}

impl Lac {
    /// A LAC that waits for its first subscriber. The tunnel is opened when one needs it.
    ///
    /// # Errors
    /// [`ConfigError`] says what in `config` can't be used.
    pub fn new(
        config: LacConfig,
        provider: &'static CryptoProvider,
        mut random: Box<dyn RandomSource + Send>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let endpoint = EndpointConfig::new(config.common.tunnel()).trace(config.common.trace);
        Ok(Self {
            endpoint: Endpoint::new(endpoint, provider, random.generator()),
            link_config: Arc::new(config.common.server_link()),
            config,
            provider,
            random: Random(random),
            tunnel: None,
            lines: BTreeMap::new(),
            by_session: BTreeMap::new(),
            next_id: 0,
            deadlines: Deadlines::default(),
            frames: Frames::default(),
            events: VecDeque::new(),
            orphans: Vec::new(),
            drops: DropCounters::default(),
            state: State::Open,
            newest: Instant::ZERO,
        })
    }

    /// A subscriber's line has come up: begins to speak LCP on it.
    ///
    /// # Errors
    /// [`SubscriberError`]; take the line down.
    pub fn subscriber_up(&mut self, now: Instant) -> Result<SubscriberId, SubscriberError> {
        let now = self.advance(now);
        if self.state != State::Open {
            return Err(SubscriberError::Closing);
        }
        if self.lines.len() >= self.config.max_subscribers {
            return Err(SubscriberError::LimitReached);
        }
        let random = self.random.0.generator();
        let mut link = Box::new(Link::new(Arc::clone(&self.link_config), self.provider, random));
        link.open(now);
        let subscriber = SubscriberId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        self.lines.insert(subscriber, Line::new(link));
        self.follow_link(now, subscriber);
        Ok(subscriber)
    }

    /// A subscriber's line has gone down. The LNS hears of it (CDN, "loss of carrier").
    pub fn subscriber_down(&mut self, now: Instant, subscriber: SubscriberId) {
        let now = self.advance(now);
        self.frames.forget(subscriber);
        let reason = DisconnectReason::Ppp(CloseReason::LowerDown);
        self.hang_up(now, subscriber, reason, CdnResult::LOST_CARRIER);
        self.pump(now);
    }

    /// Ends a subscriber's session. [`LacEvent::Ended`] tells when it is over. A subscriber that
    /// does not exist (any more) needs no ending.
    pub fn disconnect(&mut self, now: Instant, subscriber: SubscriberId) {
        let now = self.advance(now);
        let reason = DisconnectReason::Local(LocalReason::Requested);
        self.hang_up(now, subscriber, reason, CdnResult::ADMINISTRATIVE);
        self.pump(now);
    }

    /// Ends every session and the tunnel, and takes no new subscriber. [`LacEvent::Closed`] tells
    /// when it is over.
    pub fn close(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.state != State::Open {
            return;
        }
        self.state = State::Closing;
        let reason = DisconnectReason::Local(LocalReason::ShuttingDown);
        let subscribers: Vec<_> = self.lines.keys().copied().collect();
        for subscriber in subscribers {
            let Some(line) = self.lines.get_mut(&subscriber) else { continue };
            match line.session() {
                // Its session goes with the tunnel.
                Some(_) => {
                    line.ending.get_or_insert_with(|| reason.clone());
                }
                None => self.end(subscriber, reason.clone()),
            }
        }
        self.close_tunnel(now);
        self.pump(now);
    }

    /// Takes a PPP frame from a subscriber: from `FF 03` or the Protocol field on, without flags,
    /// escapes and checksum.
    pub fn handle_frame(
        &mut self,
        now: Instant,
        subscriber: SubscriberId,
        frame: &[u8],
    ) -> Handled {
        let now = self.advance(now);
        let Some(line) = self.lines.get_mut(&subscriber) else {
            return self.drops.drop(DropReason::UnknownSession);
        };
        let taken = match &mut line.stage {
            Stage::Negotiating(link) => match link.handle_frame(now, frame) {
                Handled::Consumed => Ok(()),
                Handled::Dropped(reason) => Err(reason),
            },
            Stage::Calling(_, early) => early.keep(frame),
            Stage::Forwarding(session) => forward::send(&mut self.endpoint, now, *session, frame),
        };
        self.follow_link(now, subscriber);
        match taken {
            Ok(()) => Handled::Consumed,
            Err(reason) => self.drops.drop(reason),
        }
    }

    /// Appends the next frame for a subscriber to `buf`, and says whose it is and how many octets
    /// it has.
    pub fn poll_frame(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<(SubscriberId, usize)> {
        self.advance(now);
        let (subscriber, frame) = self.frames.pop().filter(|_| self.state != State::Done)?;
        buf.extend_from_slice(&frame);
        Some((subscriber, frame.len()))
    }

    /// Takes a datagram from the LNS.
    pub fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        let now = self.advance(now);
        if self.state == State::Done {
            return self.drops.drop(DropReason::Closed);
        }
        if path.socket != Socket::L2tp {
            return self.drops.drop(DropReason::NotAllowed);
        }
        let handled = self.endpoint.handle_datagram(now, LinkId::PLAIN, path, datagram);
        self.pump(now);
        handled
    }

    /// Tells the LAC what time it is.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.state == State::Done {
            return;
        }
        self.endpoint.handle_timeout(now);
        self.pump(now);
        while let Some(subscriber) = self.deadlines.pop_due(now) {
            let Some(line) = self.lines.get_mut(&subscriber) else { continue };
            line.deadline = None;
            if let Stage::Negotiating(link) = &mut line.stage {
                link.handle_timeout(now);
            }
            self.follow_link(now, subscriber);
        }
        if self.lingering().is_some_and(|deadline| deadline <= now) {
            self.close_tunnel(now);
        }
        self.pump(now);
    }

    /// When [`handle_timeout`](Lac::handle_timeout) must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.state == State::Done {
            return None;
        }
        let deadlines = [self.endpoint.poll_timeout(), self.deadlines.next(), self.lingering()];
        deadlines.into_iter().flatten().min()
    }

    /// Appends the next datagram for the LNS to `buf` and says where it goes.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        let now = self.advance(now);
        if self.state == State::Done {
            return None;
        }
        let transmit = self.endpoint.poll_transmit(now, buf);
        self.pump(now);
        transmit.map(|(_, transmit)| transmit)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<LacEvent> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        let closed = self.state == State::Closing
            && self.lines.is_empty()
            && self.endpoint.counts().draining == 0;
        if closed {
            self.state = State::Done;
            return Some(LacEvent::Closed);
        }
        None
    }

    /// How many subscribers there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.lines.len()
    }

    /// How many tunnels and calls there are in whatever state, and what was dropped in control.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.endpoint.counts()
    }

    /// What was dropped of the subscribers' frames, either way, and why.
    #[must_use]
    pub const fn drops(&self) -> &DropCounters {
        &self.drops
    }

    /// Time never runs backwards here, whatever the caller's clock does.
    fn advance(&mut self, now: Instant) -> Instant {
        self.newest = self.newest.max(now);
        self.newest
    }

    fn lingering(&self) -> Option<Instant> {
        self.tunnel.as_ref()?.deadline
    }

    /// Closes a subscriber's session; without one, it is over with the subscriber at once.
    fn hang_up(
        &mut self,
        now: Instant,
        subscriber: SubscriberId,
        reason: DisconnectReason,
        result: CdnResult,
    ) {
        let Some(line) = self.lines.get_mut(&subscriber) else { return };
        let Some(session) = line.session() else { return self.end(subscriber, reason) };
        line.ending.get_or_insert(reason);
        self.endpoint.call_failed(now, session, CallResult::new(result));
    }
}

impl Machine for Lac {
    type Event = LacEvent;

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn poll_event(&mut self) -> Option<LacEvent> {
        Self::poll_event(self)
    }
}

impl DatagramMachine for Lac {
    fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        Self::handle_datagram(self, now, path, datagram)
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        Self::poll_transmit(self, now, buf)
    }
}
