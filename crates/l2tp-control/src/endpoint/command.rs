//! What the application asks for.

use alloc::sync::Arc;
use core::time::Duration;

use l2tp_wire::Accm;
use l2tp_wire::CallErrors;
use l2tp_wire::Message;
use l2tp_wire::message::Sli;
use l2tp_wire::message::Wen;
use vpn_core::Instant;
use vpn_core::Path;

use super::tools::BuildError;
use super::tools::Hide;
use crate::AnswerError;
use crate::CallError;
use crate::CallKind;
use crate::CallResult;
use crate::CallState;
use crate::ConnectedCall;
use crate::Endpoint;
use crate::IncomingCall;
use crate::LinkId;
use crate::OpenError;
use crate::OutgoingCall;
use crate::SendError;
use crate::SessionCloseReason;
use crate::SessionHandle;
use crate::TunnelCloseReason;
use crate::TunnelConfig;
use crate::TunnelHandle;
use crate::TunnelResult;
use crate::session::Call;
use crate::session::CallSetup;
use crate::session::state::CallEvent;
use crate::tunnel::Phase;
use crate::tunnel::state::TunnelEvent;

/// How long a LAC waits between two WENs (RFC 2661 §6.13).
const WEN_INTERVAL: Duration = Duration::from_secs(60);

impl Endpoint {
    /// Opens a tunnel to the peer at the far end of `path`. [`Event::TunnelUp`] or
    /// [`Event::TunnelClosed`] follows.
    ///
    /// [`Event::TunnelUp`]: crate::Event::TunnelUp
    /// [`Event::TunnelClosed`]: crate::Event::TunnelClosed
    ///
    /// # Errors
    /// [`OpenError`]; nothing is sent then.
    pub fn open_tunnel(
        &mut self,
        now: Instant,
        link: LinkId,
        path: Path,
        config: impl Into<Arc<TunnelConfig>>,
    ) -> Result<TunnelHandle, OpenError> {
        self.advance(now);
        let config = config.into();
        if !self.make_place(link, false) {
            return Err(OpenError::LimitReached);
        }
        let challenge = self.draw_challenge(&config).map_err(|_| OpenError::NoRandomness)?;
        let tie_breaker = self.tools.random().map_err(|_| OpenError::NoRandomness)?;
        let tie_breaker = config.tie_breaker.then(|| u64::from_be_bytes(tie_breaker));
        let handle = self.insert_tunnel((link, path), config).ok_or(OpenError::NoRandomness)?;
        if let Some(tunnel) = self.tunnel_mut(handle) {
            tunnel.initiator = true;
            tunnel.announced = true;
            if let Some(shake) = &mut tunnel.handshake {
                shake.challenge = challenge;
                shake.tie_breaker = tie_breaker;
            }
        }
        self.open_challenges.extend(challenge);
        self.dialled.insert((link, path.remote.ip().to_canonical(), handle));
        self.tunnel_event(handle, TunnelEvent::LocalOpen, None);
        self.settle(handle);
        Ok(handle)
    }

    /// Closes a tunnel and its sessions. The peer gets a StopCCN, which is repeated until it is
    /// acknowledged; [`Counts::stopping`](crate::Counts::stopping) tells how many are not yet.
    /// Does nothing to a tunnel that is closed already.
    pub fn close_tunnel(&mut self, now: Instant, tunnel: TunnelHandle, result: TunnelResult) {
        self.advance(now);
        if self.is_open(tunnel) {
            let reason = Some(TunnelCloseReason::Local(result));
            self.tunnel_event(tunnel, TunnelEvent::LocalClose, reason);
            self.settle(tunnel);
        }
    }

    /// A link other than [`LinkId::PLAIN`] is gone for good: its tunnels close without a word, since
    /// nothing could carry one.
    pub fn close_link(&mut self, now: Instant, link: LinkId) {
        self.advance(now);
        for tunnel in self.ids.on(link) {
            if self.is_open(tunnel) {
                let reason = Some(TunnelCloseReason::LinkClosed);
                self.tunnel_event(tunnel, TunnelEvent::LocalClose, reason);
                self.settle(tunnel);
            } else {
                self.forget_tunnel(tunnel);
            }
        }
    }

    /// Announces an incoming call to the LNS at the other end of the tunnel, as the LAC (RFC 2661
    /// §5.2.1). The tunnel may still be opening. `connected` says what the ICCN is to say; without
    /// it, [`Event::CallAccepted`] asks for it once the LNS has accepted the call.
    ///
    /// [`Event::CallAccepted`]: crate::Event::CallAccepted
    ///
    /// # Errors
    /// [`CallError`]; nothing is sent then.
    pub fn open_session(
        &mut self,
        now: Instant,
        tunnel: TunnelHandle,
        call: IncomingCall,
        connected: Option<ConnectedCall>,
    ) -> Result<SessionHandle, CallError> {
        self.advance(now);
        if let Some(connected) = &connected {
            self.check_builds(tunnel, &Message::Iccn(connected.iccn()))?;
        }
        self.check_builds(tunnel, &Message::Icrq(call.icrq(1, call.serial)))?;
        self.begin_call(tunnel, CallKind::LacIncoming, Call::Incoming(call), connected)
    }

    /// Asks the LAC at the other end of the tunnel to place a call, as the LNS (RFC 2661 §5.2.2).
    /// The tunnel may still be opening.
    ///
    /// # Errors
    /// [`CallError`]; nothing is sent then.
    pub fn place_call(
        &mut self,
        now: Instant,
        tunnel: TunnelHandle,
        call: OutgoingCall,
    ) -> Result<SessionHandle, CallError> {
        self.advance(now);
        self.check_builds(tunnel, &Message::Ocrq(call.ocrq(1, call.serial)))?;
        let peer = self.tunnels.get(tunnel.0).and_then(|tunnel| tunnel.peer.as_deref());
        if peer.is_some_and(|peer| !peer.can_place(&call)) {
            return Err(CallError::PeerIncapable);
        }
        self.begin_call(tunnel, CallKind::LnsOutgoing, Call::Outgoing(call), None)
    }

    fn begin_call(
        &mut self,
        tunnel: TunnelHandle,
        kind: CallKind,
        call: Call,
        connected: Option<ConnectedCall>,
    ) -> Result<SessionHandle, CallError> {
        if !self.is_open(tunnel) {
            return Err(CallError::NoTunnel);
        }
        if !self.has_room_for_session(tunnel) {
            return Err(CallError::LimitReached);
        }
        let setup = CallSetup::new(call, connected);
        let handle = self.insert_session(tunnel, kind, setup).ok_or(CallError::NoRandomness)?;
        let serial = self.next_serial;
        if let Some(session) = self.session_mut(handle) {
            session.announced = true;
            if session.serial == 0 {
                session.serial = serial;
                // 0 asks for the next one, so it is passed over.
                self.next_serial = serial.checked_add(1).unwrap_or(1);
            }
        }
        self.call_event(handle, CallEvent::LocalOpen, None);
        self.settle(tunnel);
        Ok(handle)
    }

    /// The line of a call is connected: sends the ICCN or OCCN, as the LAC. For a call that the
    /// LNS has not accepted yet, it is sent when it has.
    ///
    /// # Errors
    /// [`AnswerError::Gone`] where no such call waits to be connected, or [`AnswerError`].
    pub fn call_connected(
        &mut self,
        now: Instant,
        session: SessionHandle,
        connected: ConnectedCall,
    ) -> Result<(), AnswerError> {
        self.advance(now);
        let Some(known) = self.sessions.get(session.0) else { return Err(AnswerError::Gone) };
        let (tunnel, kind, state) = (known.tunnel, known.kind, known.state);
        let message = match kind {
            CallKind::LacOutgoing => Message::Occn(connected.occn()),
            _ => Message::Iccn(connected.iccn()),
        };
        self.check_builds(tunnel, &message)?;
        let setup = self.session_mut(session).and_then(|session| session.setup.as_mut());
        let Some(setup) = setup else { return Err(AnswerError::Gone) };
        let event = match (kind, state) {
            (CallKind::LacOutgoing, CallState::WaitCsAnswer) => Some(CallEvent::BearerAnswer),
            (CallKind::LacIncoming, _) if setup.accepted => {
                Some(CallEvent::Icrp { acceptable: true })
            }
            (CallKind::LacIncoming, _) => None,
            _ => return Err(AnswerError::Gone),
        };
        setup.connected = Some(connected);
        if let Some(event) = event {
            self.call_event(session, event, None);
            self.settle(tunnel);
        }
        Ok(())
    }

    /// The line of a call failed or dropped: sends a CDN with the result, as the LAC.
    pub fn call_failed(&mut self, now: Instant, session: SessionHandle, result: CallResult) {
        self.advance(now);
        let lac = self.sessions.get(session.0).is_some_and(|session| session.kind.is_lac());
        if lac {
            self.end_call(session, CallEvent::BearerFailure, result);
        }
    }

    /// Closes a session. The peer gets a CDN. Does nothing to a session that is closed already.
    pub fn close_session(&mut self, now: Instant, session: SessionHandle, result: CallResult) {
        self.advance(now);
        self.end_call(session, CallEvent::LocalClose, result);
    }

    pub(super) fn end_call(
        &mut self,
        session: SessionHandle,
        event: CallEvent,
        result: CallResult,
    ) {
        let Some(tunnel) = self.sessions.get(session.0).map(|session| session.tunnel) else {
            return;
        };
        self.call_event(session, event, Some(SessionCloseReason::Local(result)));
        self.settle(tunnel);
    }

    /// Tells the LNS of errors on the subscriber's line, as the LAC, once a minute at most
    /// (WEN, RFC 2661 §6.13). The counters go on from the start of the call.
    ///
    /// # Errors
    /// [`SendError`]; nothing is sent then.
    pub fn send_wen(
        &mut self,
        now: Instant,
        session: SessionHandle,
        errors: CallErrors,
    ) -> Result<(), SendError> {
        let now = self.advance(now);
        let last = self.sessions.get(session.0).and_then(|session| session.last_wen);
        let left = last.map_or(Duration::ZERO, |last| WEN_INTERVAL.saturating_sub(now.since(last)));
        let message = Message::Wen(Wen { call_errors: errors });
        self.check_status_sender(session, true)?;
        if !left.is_zero() {
            return Err(SendError::TooSoon(left));
        }
        self.send_status(session, &message)?;
        if let Some(session) = self.session_mut(session) {
            session.last_wen = Some(now);
        }
        Ok(())
    }

    /// Tells the LAC which control characters PPP escapes, as the LNS (SLI, RFC 2661 §6.14).
    ///
    /// # Errors
    /// [`SendError`]; nothing is sent then.
    pub fn send_sli(
        &mut self,
        now: Instant,
        session: SessionHandle,
        accm: Accm,
    ) -> Result<(), SendError> {
        self.advance(now);
        self.check_status_sender(session, false)?;
        self.send_status(session, &Message::Sli(Sli { accm }))
    }

    fn check_status_sender(&self, session: SessionHandle, lac: bool) -> Result<(), SendError> {
        let session = self.sessions.get(session.0).ok_or(SendError::NoSession)?;
        if session.kind.is_lac() != lac {
            return Err(SendError::WrongRole);
        }
        if session.state != CallState::Established {
            return Err(SendError::WrongState);
        }
        let tunnel = self.tunnels.get(session.tunnel.0).ok_or(SendError::NoSession)?;
        if tunnel.channel.queued() >= self.config.limits.queued_messages {
            return Err(SendError::QueueFull);
        }
        Ok(())
    }

    fn send_status(
        &mut self,
        session: SessionHandle,
        message: &Message<'_>,
    ) -> Result<(), SendError> {
        let built = self.build_for_session(session, message).map_err(|error| match error {
            BuildError::Encode(error) => SendError::Message(error),
            BuildError::Random => SendError::NoRandomness,
        })?;
        self.push_for_session(session, built);
        if let Some(tunnel) = self.sessions.get(session.0).map(|session| session.tunnel) {
            self.settle(tunnel);
        }
        Ok(())
    }

    /// Whether a tunnel is there and not closing.
    fn is_open(&self, tunnel: TunnelHandle) -> bool {
        self.tunnels.get(tunnel.0).is_some_and(|tunnel| tunnel.phase == Phase::Open)
    }

    /// Whether a message can be built, so that it can when its time comes.
    fn check_builds(
        &mut self,
        tunnel: TunnelHandle,
        message: &Message<'_>,
    ) -> Result<(), BuildError> {
        let Some(tunnel) = self.tunnels.get(tunnel.0) else { return Ok(()) };
        self.tools.build((0, 0), message, &tunnel.config, Hide::Configured).map(drop)
    }
}

impl From<BuildError> for CallError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Encode(error) => Self::Message(error),
            BuildError::Random => Self::NoRandomness,
        }
    }
}

impl From<BuildError> for AnswerError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Encode(error) => Self::Message(error),
            BuildError::Random => Self::NoRandomness,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EndpointConfig;
    use crate::Event;
    use alloc::boxed::Box;
    use alloc::vec::Vec;
    use vpn_netsim::SeededRandom;

    #[test]
    fn call_serial_numbers_wrap_past_zero() {
        let config = EndpointConfig::new(TunnelConfig::new("lac"));
        let random = Box::new(SeededRandom::new(1));
        let mut endpoint = Endpoint::new(config, vpn_crypto::provider(), random);
        endpoint.next_serial = u32::MAX - 4;
        let path = Path::l2tp("192.0.2.1:1701".parse().unwrap(), "192.0.2.2:1701".parse().unwrap());
        let tunnel = endpoint
            .open_tunnel(Instant::ZERO, LinkId::PLAIN, path, TunnelConfig::new("lac"))
            .unwrap();
        let serials: Vec<u32> = (0..7)
            .map(|_| {
                let call = IncomingCall::default();
                let session = endpoint.open_session(Instant::ZERO, tunnel, call, None).unwrap();
                endpoint.session(session).unwrap().serial
            })
            .collect();
        let max = u32::MAX;
        assert_eq!(serials, [max - 4, max - 3, max - 2, max - 1, max, 1, 2]);
    }

    #[test]
    fn tunnels_end_without_a_word_when_their_link_closes() {
        let config = EndpointConfig::new(TunnelConfig::new("lac"));
        let random = Box::new(SeededRandom::new(1));
        let mut endpoint = Endpoint::new(config, vpn_crypto::provider(), random);
        let path = Path::l2tp("192.0.2.1:1701".parse().unwrap(), "192.0.2.2:1701".parse().unwrap());
        let links = [LinkId(1), LinkId(1), LinkId(2)];
        let tunnels = links.map(|link| {
            endpoint.open_tunnel(Instant::ZERO, link, path, TunnelConfig::new("lac")).unwrap()
        });
        let [_, stopping, other] = tunnels;
        let result = TunnelResult::new(l2tp_wire::StopCcnResult::GENERAL_CLEAR);
        endpoint.close_tunnel(Instant::ZERO, stopping, result);
        endpoint.close_link(Instant::ZERO, LinkId(1));
        let mut buf = Vec::new();
        while let Some((link, _)) = endpoint.poll_transmit(Instant::ZERO, &mut buf) {
            assert_eq!(link, LinkId(2), "nothing goes out on a link that is gone");
        }
        let closed = core::iter::from_fn(|| endpoint.poll_event()).filter(|event| {
            matches!(event, Event::TunnelClosed { tunnel, reason: TunnelCloseReason::LinkClosed }
                if *tunnel == tunnels[0])
        });
        assert_eq!(closed.count(), 1);
        assert_eq!(endpoint.tunnels().map(|tunnel| tunnel.tunnel).collect::<Vec<_>>(), [other]);
    }
}
