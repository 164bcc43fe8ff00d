use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::net::SocketAddr;

use ipsec_ike::CloseReason;
use ipsec_ike::Credentials;
use ipsec_ike::PeerHandle;
use l2tp_control::CallResult;
use l2tp_control::ConnectedCall;
use l2tp_control::EndpointConfig;
use l2tp_control::IncomingCall;
use l2tp_control::LinkId;
use l2tp_control::SessionAnswer;
use l2tp_control::SessionCloseReason;
use l2tp_control::TunnelAnswer;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelResult;
use l2tp_wire::CdnResult;
use l2tp_wire::ErrorCode;
use l2tp_wire::StopCcnResult;
use ppp_core::AuthVerdict;
use thiserror::Error;
use vpn_core::DatagramMachine;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::Path;
use vpn_core::RandomSource;
use vpn_core::Socket;
use vpn_core::Transmit;
use vpn_core::crypto::CryptoProvider;

use crate::ClientConfig;
use crate::ClientEvent;
use crate::ConfigError;
use crate::DisconnectReason;
use crate::LocalReason;
use crate::Origin;
use crate::Plane;
use crate::SealError;
use crate::SessionStatus;
use crate::config::L2TP_PORT;
use crate::plane::Side;
use crate::stack::Note;
use crate::stack::Secured;
use crate::stack::Stack;

/// An L2TP/IPsec client: the IKE initiator, the LAC of one tunnel with one call, whose PPP link it speaks itself.
///
/// Drive it with the five verbs, and move IP packets with its [data plane](Client::data_plane); the
/// [contract](Machine) of all machines holds. [`ClientEvent::Disconnected`] is its last event; to
/// try again, make another client.
///
/// ```text
///  connect ──▶ IKE ──▶ tunnel ──▶ call ──▶ LCP ──▶ authentication ──▶ IPCP ──▶ Connected
///                  any of them fails, or ends ──▶ Disconnected { reason }
/// ```
#[derive(Debug)]
pub struct Client {
    stack: Stack,
    config: ClientConfig,
    events: VecDeque<ClientEvent>,
    /// The address that the driver's socket is bound to.
    local: Option<SocketAddr>,
    /// The server, as IKE knows it.
    peer: Option<PeerHandle>,
    /// What carries the tunnel.
    link: Option<LinkId>,
    /// How often the server sent us to another address.
    redirects: u8,
    tunnel: Option<TunnelHandle>,
    /// Close the tunnel once the call's last message is out.
    close_tunnel_next: bool,
    /// Why the session ended, once it has.
    ending: Option<DisconnectReason>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    New,
    Running,
    /// The tunnel has closed; its last messages are on their way.
    Closing,
    Done,
}

/// How often a server may send us to another of its addresses.
const MAX_REDIRECTS: u8 = 3;

/// Why a client did not begin to connect.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ConnectError {
    /// A client connects once.
    #[error("the client has been connected before: make a new one for each attempt")]
    Used,
    /// IKE could not be begun.
    #[error("IKE can't be begun: {0}")]
    Ike(#[from] ipsec_ike::ConnectError),
    /// The tunnel could not be opened.
    #[error("the tunnel can't be opened: {0}")]
    Tunnel(#[from] l2tp_control::OpenError),
    /// The call could not be begun.
    #[error("the call can't be begun: {0}")]
    Call(#[from] l2tp_control::CallError),
}

impl Client {
    /// A client that has not begun to connect.
    ///
    /// # Errors
    /// [`ConfigError`] says what in `config` can't be used.
    pub fn new(
        config: ClientConfig,
        provider: &'static CryptoProvider,
        random: Box<dyn RandomSource + Send>,
    ) -> Result<Self, ConfigError> {
        let credentials = config.check()?;
        let endpoint = EndpointConfig::new(config.common.tunnel());
        let link = config.common.client_link(credentials);
        let stack =
            Stack::new(endpoint, link, config.common.clone(), Side::Client, provider, random)?;
        Ok(Self {
            stack,
            config,
            events: VecDeque::new(),
            local: None,
            peer: None,
            link: None,
            redirects: 0,
            tunnel: None,
            close_tunnel_next: false,
            ending: None,
            state: State::New,
        })
    }

    /// Begins to connect. `local` is the address that the driver's socket is bound to: that for
    /// IKE, or for L2TP where it goes in clear.
    ///
    /// # Errors
    /// [`ConnectError`]; the client is of no more use.
    pub fn connect(&mut self, now: Instant, local: SocketAddr) -> Result<(), ConnectError> {
        if self.state != State::New {
            return Err(ConnectError::Used);
        }
        let now = self.stack.advance(now);
        self.state = State::Running;
        self.local = Some(local);
        match &mut self.stack.ipsec {
            Some(ipsec) => self.peer = Some(ipsec.ike.connect(now, self.config.connect(local))?),
            None => self.dial(now, LinkId::PLAIN, Path::l2tp(local, self.config.server))?,
        }
        self.pump();
        Ok(())
    }

    /// Opens the tunnel and the call.
    fn dial(&mut self, now: Instant, link: LinkId, path: Path) -> Result<(), ConnectError> {
        let endpoint = &mut self.stack.endpoint;
        let tunnel = endpoint.open_tunnel(now, link, path, self.config.common.tunnel())?;
        self.tunnel = Some(tunnel);
        self.link = Some(link);
        let connected = ConnectedCall {
            sequencing_required: self.config.common.sequencing,
            ..ConnectedCall::default()
        };
        endpoint.open_session(now, tunnel, IncomingCall::default(), Some(connected))?;
        Ok(())
    }

    /// Tells the client what the time of day is, in seconds since 1970, for the validity of
    /// certificates. Without certificates nobody needs it.
    pub fn set_unix_time(&mut self, now: Instant, unix_seconds: u64) {
        self.stack.set_unix_time(now, unix_seconds);
    }

    /// Asks for new keys, as if the lifetime of the present ones were over. Plain L2TP has none.
    pub fn rekey(&mut self, now: Instant) {
        if let Some(status) = self.session() {
            self.stack.rekey(now, status.session);
            self.pump();
        }
    }

    /// Ends the session: PPP, then the call, then the tunnel. [`ClientEvent::Disconnected`] tells
    /// when it is over.
    pub fn disconnect(&mut self, now: Instant) {
        let now = self.stack.advance(now);
        if self.state == State::New {
            self.finish(DisconnectReason::Local(LocalReason::Requested));
            self.state = State::Closing;
        }
        let session = self.session().map(|status| status.session);
        match (session, self.tunnel) {
            (Some(session), _) => self.stack.disconnect(now, session, LocalReason::Requested),
            (None, Some(_)) => {
                self.finish(DisconnectReason::Local(LocalReason::Requested));
                self.close_tunnel();
            }
            (None, None) if self.peer.is_some() => {
                self.finish(DisconnectReason::Local(LocalReason::Requested));
                self.state = State::Closing;
            }
            (None, None) => {}
        }
        self.pump();
    }

    /// A handle that moves IP packets, from any thread.
    #[must_use]
    pub fn data_plane(&self) -> Plane {
        self.stack.plane.clone()
    }

    /// The session, once the call is up.
    #[must_use]
    pub fn session(&self) -> Option<SessionStatus> {
        self.stack.sessions().next()
    }

    /// Takes a datagram, for drivers that use no data plane. IP packets come out as
    /// [`ClientEvent::Packet`].
    pub fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        if self.state == State::Done {
            return Handled::Dropped(DropReason::Closed);
        }
        let handled = self.stack.handle_datagram(now, path, datagram);
        self.pump();
        handled
    }

    /// Takes what the data plane found to be [for control](crate::Inbound::Control).
    pub fn handle_opened(&mut self, now: Instant, origin: Origin, message: &[u8]) -> Handled {
        if self.state == State::Done {
            return Handled::Dropped(DropReason::Closed);
        }
        let handled = self.stack.handle_opened(now, origin, message);
        self.pump();
        handled
    }

    /// Seals an IP packet and appends the datagram to `buf`, for drivers that use no data plane.
    ///
    /// # Errors
    /// [`SealError`]; nothing is appended.
    pub fn send_ip(&mut self, packet: &[u8], buf: &mut Vec<u8>) -> Result<Transmit, SealError> {
        let session = self.session().ok_or(SealError::UnknownSession)?.session;
        self.stack.seal(session, packet, buf)
    }

    /// Tells the client what time it is.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.state != State::Done {
            self.stack.handle_timeout(now);
            self.pump();
        }
    }

    /// When [`handle_timeout`](Client::handle_timeout) must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Done => None,
            // The SAs may go now.
            State::Closing if self.peer.is_some() && self.stack.is_quiet() => {
                Some(self.stack.now())
            }
            _ => self.stack.poll_timeout(),
        }
    }

    /// Appends the next datagram to `buf` and says where it goes.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        if self.state == State::Done {
            return None;
        }
        let mut transmit = self.stack.poll_transmit(now, buf);
        self.pump();
        if transmit.is_none() && self.close_tunnel_next {
            // The CDN is out, so the StopCCN may follow it.
            self.close_tunnel();
            transmit = self.stack.poll_transmit(now, buf);
        }
        if transmit.is_none()
            && self.state == State::Closing
            && self.stack.is_quiet()
            && let Some(peer) = self.peer.take()
        {
            // The StopCCN has been answered, so its SAs may go.
            self.stack.close_peer(self.stack.now(), peer);
            transmit = self.stack.poll_transmit(now, buf);
        }
        transmit
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.pump();
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        let told = self.peer.is_none() && !self.stack.has_ike_to_send();
        if self.state == State::Closing && self.stack.is_quiet() && told {
            self.state = State::Done;
            let reason = self.ending.take()?;
            return Some(ClientEvent::Disconnected { reason });
        }
        None
    }

    fn pump(&mut self) {
        while let Some(note) = self.stack.note() {
            self.act(note);
        }
    }

    fn act(&mut self, note: Note) {
        let now = self.stack.now();
        match note {
            Note::Connected(up) => self.events.push_back(ClientEvent::Connected(up)),
            Note::Changed(up) => self.events.push_back(ClientEvent::Changed(up)),
            Note::Packet { packet, .. } => self.events.push_back(ClientEvent::Packet { packet }),
            Note::Trace(trace) => self.events.push_back(ClientEvent::Trace(trace)),
            Note::Ended { ended, .. } => self.session_over(ended.reason),
            Note::CallFailed { reason: SessionCloseReason::TunnelClosed, .. } => {}
            Note::CallFailed { reason, .. } => self.session_over(DisconnectReason::Call(reason)),
            Note::PeerUp(info) => self.events.push_back(ClientEvent::PeerUp(info)),
            Note::Moved(path) => self.events.push_back(ClientEvent::Moved { path }),
            Note::KeyLog(key) => self.events.push_back(ClientEvent::KeyLog(key)),
            Note::Secured(secured) => self.secured(now, &secured),
            Note::PeerClosed { peer, reason, .. }
            | Note::IkeFailed { peer: Some(peer), reason, .. } => self.peer_over(peer, reason),
            Note::TunnelClosed { reason, .. } if self.redirect(now, &reason) => {}
            Note::TunnelClosed { reason, .. } => {
                self.tunnel = None;
                self.stack.begin_closing();
                let unheard = matches!(reason, TunnelCloseReason::NoAnswer { heard: false, .. });
                let security = self.link.and_then(|link| self.stack.security(link));
                self.finish(match security.filter(|_| unheard) {
                    Some(security) => {
                        let encapsulated = security.path.socket == Socket::NatT;
                        DisconnectReason::NothingOverEsp { encapsulated }
                    }
                    None => DisconnectReason::Tunnel(reason),
                });
                self.state = State::Closing;
            }
            // A client gives nobody access: its own configuration asks for none of these.
            Note::TunnelRequest(request) => {
                let answer = TunnelAnswer::Reject(TunnelResult::new(StopCcnResult::NOT_AUTHORIZED));
                let _ = self.stack.endpoint.answer_tunnel(now, request.ticket, answer);
            }
            Note::SessionRequest(request) => {
                let result = CallResult::new(CdnResult::NO_FACILITIES_PERMANENT);
                let answer = SessionAnswer::Reject(result);
                let _ = self.stack.endpoint.answer_session(now, request.ticket, answer);
            }
            Note::AuthRequest { session, request } => {
                let verdict = AuthVerdict::wrong_password();
                let _ = self.stack.answer_auth(session, request.ticket, verdict);
            }
            Note::AddressRequest { session, request } => {
                let answer = ppp_core::AddressAnswer::Refuse;
                self.stack.answer_address(session, request.ticket, answer);
            }
            // A client's keys are in its configuration.
            Note::CredentialsRequest { ticket, .. } => {
                self.stack.answer_credentials(now, ticket, Credentials::Refuse);
            }
            // A client answers nobody's IKE, and hangs up itself when there is no tunnel.
            Note::IkeFailed { peer: None, .. } | Note::NoSccrq(_) => {}
            Note::TunnelUp(_) | Note::SessionUp { .. } | Note::AddressFree(_) => {}
        }
    }

    /// IPsec is there: L2TP may begin (RFC 3193 §4.2.2).
    fn secured(&mut self, now: Instant, secured: &Secured) {
        if self.peer != Some(secured.peer) || self.tunnel.is_some() || self.ending.is_some() {
            return;
        }
        let local = SocketAddr::new(secured.local, self.config.l2tp_port);
        let path = Path::l2tp(local, SocketAddr::new(secured.remote, L2TP_PORT));
        if self.dial(now, secured.link, path).is_err() {
            // There is no other tunnel, so what fails is the generator of random numbers.
            self.finish(DisconnectReason::Tunnel(TunnelCloseReason::NoRandomness));
            self.state = State::Closing;
        }
    }

    fn peer_over(&mut self, peer: PeerHandle, reason: CloseReason) {
        if self.peer != Some(peer) {
            return;
        }
        self.peer = None;
        self.tunnel = None;
        self.stack.begin_closing();
        self.finish(DisconnectReason::Ipsec(reason));
        self.state = State::Closing;
    }

    /// Follows a server that sends us to another of its addresses, before the tunnel is open:
    /// StopCCN result 2, error 7, with the address as its message (RFC 3193 §4.2.3).
    fn redirect(&mut self, now: Instant, reason: &TunnelCloseReason) -> bool {
        let TunnelCloseReason::Peer(result) = reason else { return false };
        let asked = result.result == StopCcnResult::GENERAL_ERROR
            && result.error == ErrorCode::TRY_ANOTHER
            && self.ending.is_none()
            && self.session().is_none();
        let text = core::str::from_utf8(&result.message).unwrap_or_default();
        let (Ok(address), Some(local), Some(ipsec)) =
            (text.parse::<IpAddr>(), self.local, &mut self.stack.ipsec)
        else {
            return false;
        };
        let usable = !address.is_unspecified()
            && !address.is_multicast()
            && address.is_ipv4() == self.config.server.is_ipv4();
        if !asked || !usable || self.redirects >= MAX_REDIRECTS {
            return false;
        }
        self.redirects += 1;
        self.tunnel = None;
        if let Some(old) = self.peer.take() {
            let _ = ipsec.ike.close_peer(now, old);
        }
        self.config.server.set_ip(address);
        match ipsec.ike.connect(now, self.config.connect(local)) {
            Ok(peer) => self.peer = Some(peer),
            Err(_) => return false,
        }
        true
    }

    fn close_tunnel(&mut self) {
        self.close_tunnel_next = false;
        if let Some(tunnel) = self.tunnel {
            let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
            self.stack.endpoint.close_tunnel(self.stack.now(), tunnel, result);
        }
    }

    /// The session is over, and so is its tunnel.
    fn session_over(&mut self, reason: DisconnectReason) {
        self.finish(reason);
        self.close_tunnel_next = true;
    }

    /// Keeps the first reason: what follows is only its consequence.
    fn finish(&mut self, reason: DisconnectReason) {
        self.ending.get_or_insert(reason);
    }
}

impl Machine for Client {
    type Event = ClientEvent;

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn poll_event(&mut self) -> Option<ClientEvent> {
        Self::poll_event(self)
    }
}

impl DatagramMachine for Client {
    fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        Self::handle_datagram(self, now, path, datagram)
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        Self::poll_transmit(self, now, buf)
    }
}
