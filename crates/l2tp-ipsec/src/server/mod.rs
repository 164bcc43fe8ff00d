mod policy;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use ipsec_ike::Credentials;
use ipsec_ike::CredentialsTicket;
use l2tp_control::Admission;
use l2tp_control::Counts;
use l2tp_control::EndpointConfig;
use l2tp_control::TunnelHandle;
use ppp_core::AnswerError;
use ppp_core::AuthVerdict;
use ppp_core::Ticket;
use vpn_core::DatagramMachine;
use vpn_core::Deadlines;
use vpn_core::DropCounters;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::Path;
use vpn_core::RandomSource;
use vpn_core::Transmit;
use vpn_core::crypto::CryptoProvider;

use crate::AddressPool;
use crate::ConfigError;
use crate::LocalReason;
use crate::Origin;
use crate::Plane;
use crate::SealError;
use crate::ServerConfig;
use crate::ServerEvent;
use crate::SessionId;
use crate::SessionStatus;
use crate::Users;
use crate::plane::Side;
use crate::stack::Stack;

/// An L2TP/IPsec server: the IKE responder of every client, the LNS of every tunnel, the PPP authenticator of every session, the giver of
/// addresses.
///
/// Drive it with the five verbs, and move IP packets with its [data plane](Server::data_plane); the
/// [contract](Machine) of all machines holds.
///
/// | method | afterwards there may be |
/// |---|---|
/// | [`handle_datagram`](Server::handle_datagram), [`handle_opened`](Server::handle_opened), [`handle_timeout`](Server::handle_timeout) | transmits, events, another timeout |
/// | [`answer_auth`](Server::answer_auth), [`disconnect`](Server::disconnect), [`drain`](Server::drain) | the same |
/// | [`poll_transmit`](Server::poll_transmit), [`poll_event`](Server::poll_event) | another timeout |
#[derive(Debug)]
pub struct Server {
    stack: Stack,
    config: ServerConfig,
    pool: AddressPool,
    users: Users,
    events: VecDeque<ServerEvent>,
    /// How many sessions each open tunnel has, and since when it has had none.
    tunnels: BTreeMap<TunnelHandle, Tunnel>,
    lingering: Deadlines<TunnelHandle>,
    drain: Drain,
}

#[derive(Debug, Default)]
struct Tunnel {
    sessions: usize,
    deadline: Option<Instant>,
}

#[derive(Debug)]
enum Drain {
    No,
    /// Sessions still to be closed, and when the next of them are.
    Closing(Vec<SessionId>, Instant),
    /// What IPsec says to its peers is on its way out.
    Deleting,
    Done,
}

/// How many sessions are closed at a time when a server is drained.
const DRAIN_BATCH: usize = 256;
/// The pause between two such batches.
const DRAIN_PAUSE: Duration = Duration::from_millis(10);

impl Server {
    /// A server that waits for its first datagram.
    ///
    /// # Errors
    /// [`ConfigError`] says what in `config` can't be used.
    pub fn new(
        config: ServerConfig,
        users: Users,
        provider: &'static CryptoProvider,
        random: Box<dyn RandomSource + Send>,
    ) -> Result<Self, ConfigError> {
        let mut pool = config.check()?;
        for address in users.fixed_addresses() {
            if address == pool.server() {
                return Err(ConfigError::UserAtServer(address));
            }
            pool.reserve(address);
        }
        let endpoint = EndpointConfig::new(config.common.tunnel())
            .tunnels(Admission::Ask)
            .incoming_calls(Admission::Ask);
        let link = config.common.server_link().trust_proxy_auth(config.trust_proxy_auth);
        let stack =
            Stack::new(endpoint, link, config.common.clone(), Side::Server, provider, random)?;
        Ok(Self {
            stack,
            config,
            pool,
            users,
            events: VecDeque::new(),
            tunnels: BTreeMap::new(),
            lingering: Deadlines::default(),
            drain: Drain::No,
        })
    }

    /// A handle that moves IP packets, from any thread.
    #[must_use]
    pub fn data_plane(&self) -> Plane {
        self.stack.plane.clone()
    }

    /// Takes a datagram, for drivers that use no data plane. IP packets come out as
    /// [`ServerEvent::Packet`].
    pub fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        if self.is_done() {
            return Handled::Dropped(DropReason::Closed);
        }
        let handled = self.stack.handle_datagram(now, path, datagram);
        self.pump();
        handled
    }

    /// Takes what the data plane found to be [for control](crate::Inbound::Control).
    pub fn handle_opened(&mut self, now: Instant, origin: Origin, message: &[u8]) -> Handled {
        if self.is_done() {
            return Handled::Dropped(DropReason::Closed);
        }
        let handled = self.stack.handle_opened(now, origin, message);
        self.pump();
        handled
    }

    /// Seals an IP packet for a session and appends the datagram to `buf`, for drivers that use no
    /// data plane.
    ///
    /// # Errors
    /// [`SealError`]; nothing is appended.
    pub fn send_ip(
        &mut self,
        session: SessionId,
        packet: &[u8],
        buf: &mut Vec<u8>,
    ) -> Result<Transmit, SealError> {
        self.stack.seal(session, packet, buf)
    }

    /// Tells the server what time it is.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.is_done() {
            return;
        }
        self.stack.handle_timeout(now);
        self.pump();
        let now = self.stack.advance(now);
        self.close_lingering(now);
        self.drain_more(now);
        self.pump();
    }

    /// When [`handle_timeout`](Server::handle_timeout) must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_done() {
            return None;
        }
        let drain = match &self.drain {
            Drain::Closing(rest, at) if !rest.is_empty() => Some(*at),
            Drain::Deleting => Some(self.stack.now()),
            _ => None,
        };
        [self.stack.poll_timeout(), self.lingering.next(), drain].into_iter().flatten().min()
    }

    /// Appends the next datagram to `buf` and says where it goes.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        if self.is_done() {
            return None;
        }
        let transmit = self.stack.poll_transmit(now, buf);
        self.pump();
        if transmit.is_none() && matches!(self.drain, Drain::Deleting) {
            self.drain = Drain::Done;
            self.events.push_back(ServerEvent::Drained);
        }
        transmit
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.pump();
        self.events.pop_front()
    }

    /// Every session that has got as far as PPP, in no particular order.
    pub fn sessions(&self) -> impl Iterator<Item = SessionStatus> + '_ {
        self.stack.sessions()
    }

    /// One session.
    #[must_use]
    pub fn session(&self, session: SessionId) -> Option<SessionStatus> {
        self.stack.session(session)
    }

    /// How many tunnels are open.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        self.tunnels.len()
    }

    /// Tells the server what the time of day is, in seconds since 1970, for the validity of
    /// certificates. Without certificates nobody needs it.
    pub fn set_unix_time(&mut self, now: Instant, unix_seconds: u64) {
        self.stack.set_unix_time(now, unix_seconds);
    }

    /// Answers a [`ServerEvent::CredentialsRequest`]; says whether it was still waited for.
    pub fn answer_credentials(
        &mut self,
        now: Instant,
        ticket: CredentialsTicket,
        credentials: Credentials,
    ) -> bool {
        let waited = !self.is_done() && self.stack.answer_credentials(now, ticket, credentials);
        self.pump();
        waited
    }

    /// Asks for new keys for all of a session's packets, as if the lifetime of the present ones
    /// were over. Plain L2TP has no keys.
    pub fn rekey(&mut self, now: Instant, session: SessionId) {
        self.stack.rekey(now, session);
        self.pump();
    }

    /// The addresses for clients, as they are lent now.
    #[must_use]
    pub const fn pool(&self) -> &AddressPool {
        &self.pool
    }

    /// How many tunnels and calls there are in whatever state, and what L2TP dropped in control.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.stack.endpoint.counts()
    }

    /// How many IKE SAs, peers and attempts under way there are. Plain L2TP has none.
    #[must_use]
    pub fn ike_counts(&self) -> ipsec_ike::Counts {
        self.stack.ipsec.as_ref().map(|ipsec| ipsec.ike.counts()).unwrap_or_default()
    }

    /// What IKE dropped, by reason. Plain L2TP drops nothing here.
    #[must_use]
    pub fn ike_drops(&self) -> DropCounters {
        self.stack.ipsec.as_ref().map(|ipsec| *ipsec.ike.drops()).unwrap_or_default()
    }

    /// Closes a session: PPP first, then its call. [`ServerEvent::Disconnected`] tells when it is
    /// over. A session that does not exist (any more) needs no closing.
    pub fn disconnect(&mut self, now: Instant, session: SessionId, reason: LocalReason) {
        self.stack.disconnect(now, session, reason);
        self.pump();
    }

    /// Takes no new session, closes every one there is, and then the tunnels, a few at a time.
    /// [`ServerEvent::Drained`] tells when it is over.
    pub fn drain(&mut self, now: Instant) {
        if !matches!(self.drain, Drain::No) {
            return;
        }
        let now = self.stack.advance(now);
        self.stack.begin_closing();
        let mut sessions: Vec<_> = self.stack.sessions().map(|status| status.session).collect();
        sessions.sort_unstable();
        self.drain = Drain::Closing(sessions, now);
        for (tunnel, entry) in &mut self.tunnels {
            if entry.deadline.is_some() {
                self.lingering.update(*tunnel, entry.deadline, Some(now));
                entry.deadline = Some(now);
            }
        }
        self.drain_more(now);
        self.close_lingering(now);
        self.pump();
    }

    /// Answers a [`ServerEvent::AuthRequest`].
    ///
    /// # Errors
    /// [`AnswerError::Stale`] when the request no longer waits;
    /// [`AnswerError::NoAuthenticatorResponse`] when an accepted MS-CHAPv2 proof lacks the answer
    /// that the client needs, and the request still waits.
    pub fn answer_auth(
        &mut self,
        session: SessionId,
        ticket: Ticket,
        verdict: AuthVerdict,
    ) -> Result<(), AnswerError> {
        let answered = self.stack.answer_auth(session, ticket, verdict);
        self.pump();
        answered
    }

    const fn is_done(&self) -> bool {
        matches!(self.drain, Drain::Done)
    }

    const fn is_draining(&self) -> bool {
        !matches!(self.drain, Drain::No)
    }
}

impl Machine for Server {
    type Event = ServerEvent;

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn poll_event(&mut self) -> Option<ServerEvent> {
        Self::poll_event(self)
    }
}

impl DatagramMachine for Server {
    fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        Self::handle_datagram(self, now, path, datagram)
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        Self::poll_transmit(self, now, buf)
    }
}
