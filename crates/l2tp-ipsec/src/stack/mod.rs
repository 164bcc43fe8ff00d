//! What a client and a server are made of alike: an L2TP endpoint, a PPP link for each session,
//! and the data plane.
//!
//! Input goes into the machine that it is for. What the machines then report is read by
//! [`Stack::note`], which acts on what needs no decision and hands the rest to the owner.

mod conn;
mod links;
pub(crate) mod proxy;
mod secure;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;
use core::time::Duration;

use bytes::Bytes;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use ipsec_ike::CloseReason;
use ipsec_ike::CredentialsTicket;
use ipsec_ike::PeerHandle;
use ipsec_ike::PeerInfo;
use ipsec_ike::vendor::Fingerprint;
use l2tp_control::ConnectedCall;
use l2tp_control::Endpoint;
use l2tp_control::EndpointConfig;
use l2tp_control::Event;
use l2tp_control::SessionCloseReason;
use l2tp_control::SessionInfo;
use l2tp_control::SessionRequest;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelRequest;
use ppp_core::AddressRequest;
use ppp_core::AuthRequest;
use ppp_core::LinkConfig;
use vpn_core::Deadlines;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::RandomSource;
use vpn_core::Transmit;
use vpn_core::crypto::CryptoProvider;

use crate::ConfigError;
use crate::Connected;
use crate::DataPlane;
use crate::DisconnectReason;
use crate::Disconnected;
use crate::Inbound;
use crate::KeyLog;
use crate::Origin;
use crate::Plane;
use crate::SealError;
use crate::SessionId;
use crate::Trace;
use crate::config::Common;
use crate::plane;
use crate::plane::Settings;
use crate::plane::Side;
use crate::trace::Step;
pub(crate) use conn::Conn;
pub(crate) use conn::Lease;
pub(crate) use secure::Ipsec;
pub(crate) use secure::Secured;

#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) endpoint: Endpoint,
    pub(crate) ipsec: Option<Ipsec>,
    pub(crate) plane: Plane,
    pub(crate) provider: &'static CryptoProvider,
    random: Random,
    link_config: Arc<LinkConfig>,
    common: Common,
    side: Side,
    conns: HashMap<SessionId, Conn, FixedState>,
    deadlines: Deadlines<SessionId>,
    /// Sessions whose link has frames to send.
    senders: VecDeque<SessionId>,
    /// Sessions whose link has events to read.
    tellers: VecDeque<SessionId>,
    /// Sessions of a tunnel that has closed; they end with the tunnel's own reason.
    orphans: Vec<(TunnelHandle, Disconnected)>,
    notes: VecDeque<Note>,
    scratch: Vec<u8>,
    newest: Instant,
    /// When a tunnel that had been open closed last.
    closed_at: Option<Instant>,
    /// When the data plane was last asked which sessions are active.
    active_asked: Instant,
}

/// How often the data plane is asked which sessions are active.
const ACTIVE_INTERVAL: Duration = Duration::from_secs(1);

/// How long the acknowledgement of a StopCCN is waited for at the end: it is sent twice. With the 3 s
/// of PPP an end takes 5 s, whatever the peer does.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// The source of the machines' generators.
pub(crate) struct Random(pub(crate) Box<dyn RandomSource + Send>);

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomSource")
    }
}

/// What the owner decides on, or passes on.
#[derive(Debug)]
pub(crate) enum Note {
    CredentialsRequest {
        ticket: CredentialsTicket,
        path: Path,
        fingerprint: Fingerprint,
    },
    PeerUp(Box<PeerInfo>),
    /// A link is ready for L2TP.
    Secured(Secured),
    /// A peer is at another address now.
    Moved(Path),
    KeyLog(KeyLog),
    /// A peer's attempt at IKE came to nothing. `peer` is named if we had begun it.
    IkeFailed {
        peer: Option<PeerHandle>,
        path: Option<Path>,
        reason: CloseReason,
    },
    /// A peer is gone; its tunnels have closed.
    PeerClosed {
        peer: PeerHandle,
        reason: CloseReason,
    },
    /// A peer made SAs and sent no L2TP.
    NoSccrq(Path),
    TunnelRequest(Box<TunnelRequest>),
    TunnelUp(TunnelHandle),
    TunnelClosed {
        tunnel: TunnelHandle,
        path: Option<Path>,
        reason: TunnelCloseReason,
    },
    SessionRequest(Box<SessionRequest>),
    SessionUp {
        session: SessionId,
        tunnel: TunnelHandle,
    },
    CallFailed {
        path: Option<Path>,
        reason: SessionCloseReason,
    },
    AuthRequest {
        session: SessionId,
        request: AuthRequest,
    },
    AddressRequest {
        session: SessionId,
        request: AddressRequest,
    },
    Connected(Connected),
    Changed(Connected),
    Packet {
        session: SessionId,
        packet: Bytes,
    },
    Ended {
        tunnel: TunnelHandle,
        ended: Disconnected,
    },
    AddressFree(Ipv4Addr),
    Trace(Trace),
}

impl Stack {
    pub(crate) fn new(
        endpoint: EndpointConfig,
        link_config: LinkConfig,
        common: Common,
        side: Side,
        provider: &'static CryptoProvider,
        mut random: Box<dyn RandomSource + Send>,
    ) -> Result<Self, ConfigError> {
        let ipsec = match &common.ipsec {
            Some(config) => {
                let config = config
                    .clone()
                    .respond(side == Side::Server)
                    .trace(common.trace)
                    .key_log(common.key_log);
                let ike = ipsec_ike::Endpoint::new(config, provider, random.generator())?;
                Some(Ipsec::new(ike, random.generator(), common.key_log))
            }
            None => None,
        };
        let endpoint = Endpoint::new(endpoint.trace(common.trace), provider, random.generator());
        Ok(Self {
            endpoint,
            ipsec,
            plane: Plane::new(Settings {
                clamp_mss: common.clamp_mss,
                data_checksum: common.data_checksum,
                clear_allowed: common.clear,
                secure: common.ipsec.is_some(),
            }),
            provider,
            random: Random(random),
            link_config: Arc::new(link_config),
            common,
            side,
            conns: HashMap::default(),
            deadlines: Deadlines::default(),
            senders: VecDeque::new(),
            tellers: VecDeque::new(),
            orphans: Vec::new(),
            notes: VecDeque::new(),
            scratch: Vec::new(),
            newest: Instant::ZERO,
            closed_at: None,
            active_asked: Instant::ZERO,
        })
    }

    /// Time never runs backwards here, whatever the caller's clock does.
    pub(crate) fn advance(&mut self, now: Instant) -> Instant {
        self.newest = self.newest.max(now);
        self.newest
    }

    /// The newest time that was told.
    pub(crate) const fn now(&self) -> Instant {
        self.newest
    }

    /// Takes a datagram from a driver that uses no data plane.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &mut [u8],
    ) -> Handled {
        let mut batch = [(path, PacketMut::whole(datagram))];
        let mut kinds = [Inbound::Keepalive];
        self.plane.open_batch(&mut batch, &mut kinds);
        let now = self.advance(now);
        self.act_on_notices(now);
        let ([(_, packet)], [kind]) = (&mut batch, kinds);
        match kind {
            Inbound::Ip(session) => {
                let packet = Bytes::copy_from_slice(packet.payload());
                self.notes.push_back(Note::Packet { session, packet });
                Handled::Consumed
            }
            Inbound::Control(origin) => self.handle_opened(now, origin, packet.payload()),
            Inbound::Dropped(reason) => Handled::Dropped(reason),
            Inbound::Ike => match &mut self.ipsec {
                Some(ipsec) => ipsec.ike.handle_datagram(now, path, packet.payload_mut()),
                None => Handled::Dropped(DropReason::NotAllowed),
            },
            Inbound::Keepalive => Handled::Consumed,
        }
    }

    /// Takes what the data plane opened and found to be for the control machine.
    pub(crate) fn handle_opened(
        &mut self,
        now: Instant,
        origin: Origin,
        message: &[u8],
    ) -> Handled {
        let now = self.advance(now);
        self.act_on_notices(now);
        self.note_alive(now, origin.link);
        let Some(session) = origin.session else {
            return self.endpoint.handle_datagram(now, origin.link, origin.path, message);
        };
        match l2tp_wire::Packet::decode(message) {
            Ok(l2tp_wire::Packet::Data(data)) => {
                if let Some(conn) = self.conns.get(&session) {
                    self.endpoint.note_data(now, conn.tunnel);
                }
                self.handle_frame(now, session, data.payload)
            }
            _ => Handled::Dropped(DropReason::Malformed),
        }
    }

    /// Seals an IP packet for a driver that uses no data plane, and appends it to `buf`.
    pub(crate) fn seal(
        &mut self,
        session: SessionId,
        packet: &[u8],
        buf: &mut Vec<u8>,
    ) -> Result<Transmit, SealError> {
        let start = buf.len();
        buf.extend_from_slice(packet);
        let plane = self.plane.clone();
        secure::in_place(buf, start, plane.room(), |packet| {
            let mut batch = [(session, packet)];
            let mut out = [Err(SealError::UnknownSession)];
            plane.seal_batch(&mut batch, &mut out);
            let ([(_, packet)], [result]) = (&batch, out);
            Ok((result?, packet.window()))
        })
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.active_asked + ACTIVE_INTERVAL <= now {
            let since = core::mem::replace(&mut self.active_asked, now);
            for session in self.plane.take_active() {
                self.note_data(now, since, session);
            }
        }
        self.secure_timeout(now);
        self.endpoint.handle_timeout(now);
        while let Some(session) = self.deadlines.pop_due(now) {
            self.session_timeout(now, session);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let quiet = self.closed_at.map(|at| at + CLOSE_WAIT).filter(|at| *at > self.newest);
        let ipsec = self.ipsec.as_ref().and_then(Ipsec::poll_timeout);
        let deadlines = [self.endpoint.poll_timeout(), self.deadlines.next(), quiet, ipsec];
        deadlines.into_iter().flatten().min()
    }

    pub(crate) fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        let now = self.advance(now);
        if let Some(ipsec) = &mut self.ipsec
            && let Some(transmit) = ipsec.ike.poll_transmit(now, buf)
        {
            return Some(transmit);
        }
        loop {
            let next = self.endpoint.poll_transmit(now, buf).or_else(|| self.poll_frame(now, buf));
            let (link, transmit) = next?;
            if let Some(transmit) = self.wrap(now, link, transmit, buf) {
                return Some(transmit);
            }
        }
    }

    /// The next thing that the owner must know, once everything that needs no decision is done.
    pub(crate) fn note(&mut self) -> Option<Note> {
        loop {
            if let Some(note) = self.notes.pop_front() {
                return Some(note);
            }
            if self.ike_event() {
                continue;
            }
            if let Some(event) = self.endpoint.poll_event() {
                self.endpoint_event(event);
            } else if !self.link_event() {
                return None;
            }
        }
    }

    fn endpoint_event(&mut self, event: Event) {
        let now = self.newest;
        let note = match event {
            Event::TunnelRequest(request) => Note::TunnelRequest(request),
            Event::TunnelUp { tunnel } => {
                self.end_older_tunnels(now, tunnel);
                Note::TunnelUp(tunnel)
            }
            Event::TunnelClosed { tunnel, reason } => return self.tunnel_closed(tunnel, reason),
            Event::SessionRequest(request) => Note::SessionRequest(request),
            Event::SessionUp { session, tunnel, info, call } => {
                self.session_up(now, &info, *call);
                Note::SessionUp { session, tunnel }
            }
            Event::Data { session, frame } => return self.take_data(now, session, &frame),
            Event::SessionClosed { session, tunnel, reason } => {
                return self.session_closed(session, tunnel, reason);
            }
            Event::Trace(trace) => Note::Trace(Trace { at: now, step: Step::L2tp(trace) }),
            // A call is announced connected. Line errors and control-character maps mean nothing to
            // a link without a line.
            _ => return,
        };
        self.notes.push_back(note);
    }

    fn session_up(&mut self, now: Instant, info: &SessionInfo, call: ConnectedCall) {
        let rng = self.random.0.generator();
        let mtu = self.mtu_over(info);
        let config = if mtu < self.common.mtu {
            Arc::new(LinkConfig::clone(&self.link_config).mru(mtu))
        } else {
            Arc::clone(&self.link_config)
        };
        let link = links::link(now, config, self.provider, rng, call);
        let session = info.session;
        let mut conn = Conn::new(now, link, info, self.side, mtu);
        conn.refresh();
        conn.up_by = Some(now + self.common.login_timeout);
        self.plane.install(conn.entry.clone());
        self.conns.insert(session, conn);
        self.touch(session);
    }

    /// The largest IP packet of a session whose ESP need not be cut on its way (RFC 3193 §3.2).
    fn mtu_over(&self, info: &SessionInfo) -> u16 {
        let ipsec = self.ipsec.as_ref();
        let room = ipsec.and_then(|ipsec| ipsec.payload_len(info.link, self.common.path_mtu));
        let Some(room) = room else { return self.common.mtu };
        // The peer may ask for sequence numbers, too.
        let sequenced = self.common.sequencing || info.sequence.is_sending();
        let room = room.saturating_sub(plane::around_ip(info.data_length, sequenced));
        self.common.mtu.min(u16::try_from(room).unwrap_or(u16::MAX))
    }

    /// A frame that the endpoint held back until the session was up, or put in order.
    fn take_data(&mut self, now: Instant, session: SessionId, frame: &[u8]) {
        if let Some(packet) = self.ip_of(session, frame) {
            self.note_data(now, now, session);
            self.notes.push_back(Note::Packet { session, packet });
        } else {
            let _ = self.handle_frame(now, session, frame);
        }
    }

    fn session_closed(
        &mut self,
        session: SessionId,
        tunnel: TunnelHandle,
        reason: SessionCloseReason,
    ) {
        let Some(mut conn) = self.conns.remove(&session) else {
            let path = self.endpoint.tunnel(tunnel).map(|info| info.path);
            self.notes.push_back(Note::CallFailed { path, reason });
            return;
        };
        if conn.ending.is_none() {
            conn.ending = conn.ppp_reason(self.newest).map(Box::new);
        }
        self.plane.remove(session);
        self.deadlines.update(session, conn.deadline, None);
        let orphan = conn.ending.is_none() && reason == SessionCloseReason::TunnelClosed;
        if let Some(lease) = conn.lease.take() {
            self.notes.push_back(Note::AddressFree(lease.address));
        }
        let ended = conn.into_ended(session, reason);
        if orphan {
            self.orphans.push((tunnel, ended));
        } else {
            self.notes.push_back(Note::Ended { tunnel, ended });
        }
    }

    fn tunnel_closed(&mut self, tunnel: TunnelHandle, reason: TunnelCloseReason) {
        let path = self.endpoint.tunnel(tunnel).map(|info| info.path);
        let orphans = self.orphans.extract_if(.., |(of, _)| *of == tunnel);
        for (_, mut ended) in orphans {
            ended.reason = DisconnectReason::Tunnel(reason.clone());
            self.notes.push_back(Note::Ended { tunnel, ended });
        }
        self.notes.push_back(Note::TunnelClosed { tunnel, path, reason });
    }

    /// A tunnel that had been open has closed, or the last look at it begins now.
    pub(crate) const fn begin_closing(&mut self) {
        self.closed_at = Some(self.newest);
    }

    /// Whether the peers of all closed tunnels know it, or have had their time to say so.
    ///
    /// Not every peer acknowledges a StopCCN before it forgets the tunnel.
    pub(crate) fn is_quiet(&self) -> bool {
        let over = self.closed_at.is_some_and(|at| at + CLOSE_WAIT <= self.newest);
        over || self.endpoint.counts().draining == 0
    }
}
