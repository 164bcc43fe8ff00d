//! From a subscriber's proof to the session with the LNS, and what comes of that.

use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

use bytes::Bytes;
use l2tp_control::CallError;
use l2tp_control::CallResult;
use l2tp_control::ConnectedCall;
use l2tp_control::Endpoint;
use l2tp_control::Event;
use l2tp_control::IncomingCall;
use l2tp_control::LinkId;
use l2tp_control::OpenError;
use l2tp_control::SendError;
use l2tp_control::SessionCloseReason;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelResult;
use l2tp_wire::ErrorCode;
use l2tp_wire::StopCcnResult;
use ppp_core::ProxyAuth;
use ppp_core::ProxyLcp;
use vpn_core::DropReason;
use vpn_core::Instant;
use vpn_core::Path;

use super::Lac;
use super::LacEvent;
use super::State;
use super::SubscriberId;
use super::Tunnel;
use super::line::Early;
use super::line::Stage;
use super::line::terminate_request;
use crate::DisconnectReason;
use crate::SessionId;
use crate::Trace;
use crate::stack::proxy;
use crate::trace::Step;

impl Lac {
    /// Acts on what the link of a line that is being negotiated has to send and to tell.
    pub(super) fn follow_link(&mut self, now: Instant, subscriber: SubscriberId) {
        let Some(line) = self.lines.get_mut(&subscriber) else { return };
        let Stage::Negotiating(link) = &mut line.stage else { return };
        let mut frame = Vec::new();
        while link.poll_frame(now, &mut frame).is_some() {
            if let Err(reason) = self.frames.push(subscriber, core::mem::take(&mut frame).into()) {
                self.drops.add(reason, 1);
            }
        }
        while let Some(event) = link.poll_event() {
            if let ppp_core::Event::Closed { reason } = event {
                return self.end(subscriber, DisconnectReason::Ppp(reason));
            }
        }
        let proof = link.proxy_state();
        let deadline = link.poll_timeout().filter(|_| proof.is_none());
        self.deadlines.update(subscriber, line.deadline, deadline);
        line.deadline = deadline;
        if let Some((lcp, auth)) = proof {
            self.hand_over(now, subscriber, lcp, auth);
            self.pump(now);
        }
    }

    /// Calls the LNS for a subscriber that has sent its proof.
    fn hand_over(
        &mut self,
        now: Instant,
        subscriber: SubscriberId,
        lcp: ProxyLcp,
        auth: ProxyAuth,
    ) {
        let user = String::from_utf8_lossy(auth.name()).into_owned();
        let session = match self.call(now, proxy::into_call(lcp, auth)) {
            Ok(session) => session,
            Err(reason) => return self.end(subscriber, reason),
        };
        self.by_session.insert(session, subscriber);
        if let Some(line) = self.lines.get_mut(&subscriber) {
            line.stage = Stage::Calling(session, Early::default());
            line.user = Some(user.clone());
        }
        self.events.push_back(LacEvent::Calling { subscriber, user });
    }

    fn call(
        &mut self,
        now: Instant,
        mut call: ConnectedCall,
    ) -> Result<SessionId, DisconnectReason> {
        call.sequencing_required = self.config.common.sequencing;
        let handle =
            self.tunnel(now).map_err(|error| DisconnectReason::Tunnel(no_tunnel(error)))?;
        let untold = ConnectedCall { proxy_lcp: None, proxy_auth: None, ..call.clone() };
        let endpoint = &mut self.endpoint;
        let mut open =
            |call| endpoint.open_session(now, handle, IncomingCall::default(), Some(call));
        let opened = match open(call) {
            // Options or a name too long for an AVP: the LNS negotiates anew.
            Err(CallError::Message(_)) => open(untold),
            opened => opened,
        };
        let session = opened.map_err(|error| DisconnectReason::Call(no_call(error)))?;
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.sessions = tunnel.sessions.saturating_add(1);
            tunnel.deadline = None;
        }
        Ok(session)
    }

    /// The tunnel to the LNS, opened if there is none.
    fn tunnel(&mut self, now: Instant) -> Result<TunnelHandle, OpenError> {
        if let Some(tunnel) = &self.tunnel {
            return Ok(tunnel.handle);
        }
        let path = Path::l2tp(self.config.local, self.config.lns);
        let config = self.config.common.tunnel();
        let handle = self.endpoint.open_tunnel(now, LinkId::PLAIN, path, config)?;
        // It goes again, unless a call follows.
        let deadline = Some(now + self.config.tunnel_linger);
        self.tunnel = Some(Tunnel { handle, sessions: 0, deadline });
        Ok(handle)
    }

    pub(super) fn close_tunnel(&mut self, now: Instant) {
        let Some(tunnel) = self.tunnel.take() else { return };
        let result = if self.state == State::Open {
            TunnelResult::new(StopCcnResult::GENERAL_CLEAR).message("no session")
        } else {
            TunnelResult::new(StopCcnResult::SHUTTING_DOWN)
        };
        self.endpoint.close_tunnel(now, tunnel.handle, result);
    }

    /// Acts on everything that the endpoint has to tell.
    pub(super) fn pump(&mut self, now: Instant) {
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                Event::SessionUp { session, info, .. } => self.session_up(now, session, info.path),
                Event::Data { session, frame } => self.pass_on(session, frame),
                Event::SessionClosed { session, tunnel, reason } => {
                    self.session_closed(now, session, tunnel, reason);
                }
                Event::TunnelClosed { tunnel, reason } => self.tunnel_closed(tunnel, &reason),
                Event::Accm { session, accm } => {
                    if let Some(subscriber) = self.by_session.get(&session).copied() {
                        self.events.push_back(LacEvent::Accm { subscriber, accm });
                    }
                }
                Event::Trace(trace) => {
                    let trace = Trace { at: now, step: Step::L2tp(trace) };
                    self.events.push_back(LacEvent::Trace(trace));
                }
                // The endpoint refuses what a peer asks for, and calls are announced connected.
                _ => {}
            }
        }
    }

    fn session_up(&mut self, now: Instant, session: SessionId, path: Path) {
        let Some(subscriber) = self.by_session.get(&session).copied() else { return };
        let Some(line) = self.lines.get_mut(&subscriber) else { return };
        let Stage::Calling(_, early) = &mut line.stage else { return };
        for frame in early.take() {
            if let Err(reason) = send(&mut self.endpoint, now, session, &frame) {
                self.drops.add(reason, 1);
            }
        }
        line.stage = Stage::Forwarding(session);
        self.events.push_back(LacEvent::Forwarding { subscriber, session, path });
    }

    fn pass_on(&mut self, session: SessionId, frame: Bytes) {
        let passed = match self.by_session.get(&session) {
            Some(subscriber) => self.frames.push(*subscriber, frame),
            None => Err(DropReason::UnknownSession),
        };
        if let Err(reason) = passed {
            self.drops.add(reason, 1);
        }
    }

    fn session_closed(
        &mut self,
        now: Instant,
        session: SessionId,
        tunnel: TunnelHandle,
        reason: SessionCloseReason,
    ) {
        if let Some(current) = self.tunnel.as_mut().filter(|current| current.handle == tunnel) {
            current.sessions = current.sessions.saturating_sub(1);
            if current.sessions == 0 {
                current.deadline = Some(now + self.config.tunnel_linger);
            }
        }
        let Some(subscriber) = self.by_session.remove(&session) else { return };
        let Some(line) = self.lines.get_mut(&subscriber) else { return };
        match (line.ending.take(), reason) {
            (Some(ending), _) => self.end(subscriber, ending),
            (None, SessionCloseReason::TunnelClosed) => self.orphans.push((tunnel, subscriber)),
            (None, reason) => self.end(subscriber, DisconnectReason::Call(reason)),
        }
    }

    fn tunnel_closed(&mut self, handle: TunnelHandle, reason: &TunnelCloseReason) {
        self.tunnel.take_if(|tunnel| tunnel.handle == handle);
        let orphans: Vec<_> = self.orphans.extract_if(.., |(of, _)| *of == handle).collect();
        for (_, subscriber) in orphans {
            self.end(subscriber, DisconnectReason::Tunnel(reason.clone()));
        }
    }

    /// It is over with a subscriber: its session, if it had one, is closed.
    pub(super) fn end(&mut self, subscriber: SubscriberId, reason: DisconnectReason) {
        let Some(line) = self.lines.remove(&subscriber) else { return };
        self.deadlines.update(subscriber, line.deadline, None);
        // A link that has ended has said so itself, or has nobody to say it to.
        if !matches!(reason, DisconnectReason::Ppp(_)) {
            let farewell = match &reason {
                DisconnectReason::Local(reason) => reason.message(),
                _ => "the network is not available",
            };
            self.frames.push_last(subscriber, terminate_request(farewell));
        }
        self.events.push_back(LacEvent::Ended { subscriber, user: line.user, reason });
    }
}

/// Sends a subscriber's frame to the LNS.
pub(super) fn send(
    endpoint: &mut Endpoint,
    now: Instant,
    session: SessionId,
    frame: &[u8],
) -> Result<(), DropReason> {
    endpoint.send_data(now, session, frame).map_err(|error| match error {
        SendError::QueueFull => DropReason::LimitReached,
        SendError::Message(_) => DropReason::TooLarge,
        _ => DropReason::UnexpectedState,
    })
}

fn no_tunnel(error: OpenError) -> TunnelCloseReason {
    match error {
        OpenError::NoRandomness => TunnelCloseReason::NoRandomness,
        error => {
            let result = TunnelResult::error(ErrorCode::INSUFFICIENT_RESOURCES);
            TunnelCloseReason::Local(result.message(error.to_string()))
        }
    }
}

fn no_call(error: CallError) -> SessionCloseReason {
    match error {
        CallError::LimitReached => SessionCloseReason::LimitReached,
        CallError::NoRandomness => SessionCloseReason::NoRandomness,
        CallError::NoTunnel => SessionCloseReason::TunnelClosed,
        error => {
            let result = CallResult::error(ErrorCode::INSUFFICIENT_RESOURCES);
            SessionCloseReason::Local(result.message(error.to_string()))
        }
    }
}
