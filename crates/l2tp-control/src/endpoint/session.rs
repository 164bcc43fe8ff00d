//! Runs the call state machines: does what their actions say.

use alloc::boxed::Box;

use l2tp_wire::Message;
use l2tp_wire::message::Icrp;
use l2tp_wire::message::Ocrp;

use super::Wakeup;
use super::tools::BuildError;
use super::tools::Hide;
use crate::CallKind;
use crate::CallState;
use crate::Endpoint;
use crate::Event;
use crate::SessionCloseReason;
use crate::SessionHandle;
use crate::Trace;
use crate::TunnelHandle;
use crate::session::Call;
use crate::session::CallSetup;
use crate::session::Session;
use crate::session::state::CallAction;
use crate::session::state::CallEvent;
use crate::session::state::step;

/// How many Session IDs of a tunnel are kept out of use at most, so that some are left.
const QUARANTINE_OF_TUNNEL: usize = 4096;

impl Endpoint {
    /// Lets an event happen to a call. `reason` says why, where it may end it. The tunnel is to be
    /// settled afterwards.
    pub(super) fn call_event(
        &mut self,
        handle: SessionHandle,
        event: CallEvent,
        reason: Option<SessionCloseReason>,
    ) {
        let Some(session) = self.sessions.get_mut(handle.0) else { return };
        let before = session.state;
        let (actions, next) = step(session.kind, before, event);
        session.state = next;
        if before != next {
            self.trace(|| Trace::CallState { session: handle, state: next });
        }
        let mut reason = reason;
        for action in actions {
            let done = match action {
                CallAction::OpenTunnel => {
                    self.wait_for_tunnel(handle);
                    Ok(())
                }
                CallAction::SendIcrq | CallAction::SendOcrq => self.send_request(handle),
                CallAction::SendIcrp | CallAction::SendOcrp => self.send_reply(handle),
                CallAction::SendIccn | CallAction::SendOccn => self.send_connected(handle),
                CallAction::SendCdn => self.send_cdn(handle, reason.as_ref()),
                CallAction::OpenBearer => {
                    self.open_bearer(handle);
                    Ok(())
                }
                CallAction::PrepareForData => Ok(()),
                CallAction::CleanUp => {
                    self.forget_session(handle, reason.take());
                    Ok(())
                }
            };
            if done.is_err() {
                // The values were checked when they came: only randomness can be missing.
                let reason = Some(SessionCloseReason::NoRandomness);
                return self.call_event(handle, CallEvent::LocalClose, reason);
            }
        }
        if next == CallState::Established && before != next {
            self.session_up(handle);
        }
        self.settle_session(handle);
    }

    /// Makes a session. `None` when there are as many as there may be, or no randomness.
    pub(super) fn insert_session(
        &mut self,
        tunnel: TunnelHandle,
        kind: CallKind,
        setup: CallSetup,
    ) -> Option<SessionHandle> {
        let tunnel = self.tunnels.get_mut(tunnel.0)?;
        let calls = &tunnel.calls.by_local_id;
        let id = self.tools.choose_id(|id| !calls.contains_key(&id))?;
        let key = self
            .sessions
            .insert_with(|key| Session::new(SessionHandle(key), tunnel, kind, id, setup))?;
        tunnel.calls.by_local_id.insert(id, Some(SessionHandle(key)));
        tunnel.calls.len += 1;
        Some(SessionHandle(key))
    }

    /// Whether a tunnel may have one session more.
    pub(super) fn has_room_for_session(&self, tunnel: TunnelHandle) -> bool {
        self.sessions.len() < self.config.limits.sessions
            && self
                .tunnels
                .get(tunnel.0)
                .is_some_and(|tunnel| tunnel.calls.len < usize::from(tunnel.config.max_sessions))
    }

    fn wait_for_tunnel(&mut self, handle: SessionHandle) {
        let Some(session) = self.sessions.get(handle.0) else { return };
        if let Some(tunnel) = self.tunnels.get_mut(session.tunnel.0) {
            tunnel.calls.waiting.insert(handle);
        }
    }

    /// Lets calls go on that waited for the tunnel, as many as its queue has room for.
    pub(super) fn start_waiting_calls(&mut self, handle: TunnelHandle) {
        let now = self.now;
        while let Some(tunnel) = self.tunnels.get_mut(handle.0)
            && tunnel.is_established()
            && tunnel.channel.queued() < self.config.limits.queued_messages
            && let Some(waiting) = tunnel.calls.waiting.pop_first()
        {
            let Some(session) = self.sessions.get_mut(waiting.0) else { continue };
            session.timer = Some(now + tunnel.config.call_timeout);
            let capable = match (session.setup.as_deref(), tunnel.peer.as_deref()) {
                (Some(CallSetup { call: Call::Outgoing(call), .. }), Some(peer)) => {
                    peer.can_place(call)
                }
                _ => true,
            };
            if capable {
                self.call_event(waiting, CallEvent::TunnelOpen, None);
            } else {
                let reason = Some(SessionCloseReason::Incapable);
                self.call_event(waiting, CallEvent::LocalClose, reason);
            }
        }
    }

    fn send_request(&mut self, handle: SessionHandle) -> Result<(), BuildError> {
        let Some(session) = self.sessions.get(handle.0) else { return Ok(()) };
        let Some(setup) = session.setup.as_deref() else { return Ok(()) };
        let (local_id, serial) = (session.local_id, session.serial);
        let message = match &setup.call {
            Call::Incoming(call) => Message::Icrq(call.icrq(local_id, serial)),
            Call::Outgoing(call) => Message::Ocrq(call.ocrq(local_id, serial)),
        };
        let Some(tunnel) = self.tunnels.get_mut(session.tunnel.0) else { return Ok(()) };
        let ids = (tunnel.peer_id, 0);
        let built = self.tools.build(ids, &message, &tunnel.config, Hide::Configured)?;
        tunnel.channel.push(built);
        Ok(())
    }

    fn send_reply(&mut self, handle: SessionHandle) -> Result<(), BuildError> {
        let Some(session) = self.sessions.get(handle.0) else { return Ok(()) };
        let assigned_session_id = session.local_id;
        let message = match session.kind {
            CallKind::LacOutgoing => Message::Ocrp(Ocrp {
                assigned_session_id,
                physical_channel_id: session.setup.as_ref().and_then(|s| s.physical_channel),
            }),
            _ => Message::Icrp(Icrp { assigned_session_id }),
        };
        let message = self.build_for_session(handle, &message)?;
        self.push_for_session(handle, message);
        Ok(())
    }

    fn send_connected(&mut self, handle: SessionHandle) -> Result<(), BuildError> {
        let Some(session) = self.sessions.get(handle.0) else { return Ok(()) };
        let setup = session.setup.as_deref();
        let Some(connected) = setup.and_then(|setup| setup.connected.as_ref()) else {
            return Ok(());
        };
        let message = match session.kind {
            CallKind::LacOutgoing => Message::Occn(connected.occn()),
            _ => Message::Iccn(connected.iccn()),
        };
        let Some(tunnel) = self.tunnels.get_mut(session.tunnel.0) else { return Ok(()) };
        let ids = (tunnel.peer_id, session.peer_id);
        let built = self.tools.build(ids, &message, &tunnel.config, Hide::Configured)?;
        tunnel.channel.push(built);
        Ok(())
    }

    fn send_cdn(
        &mut self,
        handle: SessionHandle,
        reason: Option<&SessionCloseReason>,
    ) -> Result<(), BuildError> {
        let Some(session) = self.sessions.get(handle.0) else { return Ok(()) };
        let Some(result) = reason.and_then(SessionCloseReason::result) else { return Ok(()) };
        let cdn = Message::Cdn(result.cdn(session.local_id));
        if let Some(tunnel) = self.tunnels.get(session.tunnel.0) {
            let ids = (tunnel.peer_id, session.peer_id);
            // An ID in clear is better than no CDN.
            let built = self
                .tools
                .build(ids, &cdn, &tunnel.config, Hide::Configured)
                .or_else(|_| self.tools.build(ids, &cdn, &tunnel.config, Hide::Nothing))?;
            self.push_for_session(handle, built);
        }
        Ok(())
    }

    /// Builds a message to the peer of a session.
    pub(super) fn build_for_session(
        &mut self,
        handle: SessionHandle,
        message: &Message<'_>,
    ) -> Result<Box<[u8]>, BuildError> {
        let session = self.sessions.get(handle.0);
        let tunnel = session.and_then(|session| self.tunnels.get(session.tunnel.0));
        let (Some(session), Some(tunnel)) = (session, tunnel) else { return Ok(Box::default()) };
        let ids = (tunnel.peer_id, session.peer_id);
        self.tools.build(ids, message, &tunnel.config, Hide::Configured)
    }

    pub(super) fn push_for_session(&mut self, handle: SessionHandle, message: Box<[u8]>) {
        if let Some(session) = self.sessions.get(handle.0) {
            self.push_message(session.tunnel, message);
        }
    }

    fn open_bearer(&mut self, handle: SessionHandle) {
        let Some(session) = self.sessions.get_mut(handle.0) else { return };
        session.announced = true;
        let setup = session.setup.as_deref();
        if let Some(CallSetup { call: Call::Outgoing(call), .. }) = setup {
            let call = Box::new(call.clone());
            self.emit(Event::PlaceCall { session: handle, call });
        }
    }

    /// The session is established. Frames that came too early follow.
    fn session_up(&mut self, handle: SessionHandle) {
        let Some(session) = self.sessions.get_mut(handle.0) else { return };
        session.timer = None;
        session.announced = true;
        let mut setup = session.setup.take().unwrap_or_else(|| {
            Box::new(CallSetup::new(Call::Incoming(crate::IncomingCall::default()), None))
        });
        let call = setup.connected.take().unwrap_or_default();
        if call.sequencing_required {
            session.sequence.require();
        }
        let tunnel = session.tunnel;
        let Some(info) = self.session(handle) else { return };
        let (info, call) = (Box::new(info), Box::new(call));
        self.emit(Event::SessionUp { session: handle, tunnel, info, call });
        self.early_frames = self.early_frames.saturating_sub(setup.early_len());
        for (ns, frame) in setup.take_early() {
            let _ = self.accept_frame(handle, ns, frame);
        }
    }

    /// Removes a session. Its ID stays out of use for a while.
    fn forget_session(&mut self, handle: SessionHandle, reason: Option<SessionCloseReason>) {
        let now = self.now;
        let Some(session) = self.sessions.remove(handle.0) else { return };
        self.deadlines.update(Wakeup::Session(handle), session.entered, None);
        let early = session.setup.as_ref().map_or(0, |setup| setup.early_len());
        self.early_frames = self.early_frames.saturating_sub(early);
        let tunnel = session.tunnel;
        if let Some(owner) = self.tunnels.get_mut(tunnel.0) {
            owner.calls.len = owner.calls.len.saturating_sub(1);
            owner.calls.waiting.remove(&handle);
            owner.calls.by_local_id.insert(session.local_id, None);
            if owner.calls.by_peer_id.get(&session.peer_id) == Some(&handle) {
                owner.calls.by_peer_id.remove(&session.peer_id);
            }
            let kept = owner.calls.by_local_id.len().saturating_sub(owner.calls.len);
            if kept > QUARANTINE_OF_TUNNEL {
                owner.calls.by_local_id.remove(&session.local_id);
            } else {
                let hold = owner.config.channel.retransmission.cycle();
                let id = (tunnel, session.local_id);
                if let Some((tunnel, id)) = self.session_quarantine.add(now, hold, id) {
                    self.free_session_id(tunnel, id);
                }
            }
        }
        if session.announced {
            let reason = reason.unwrap_or(SessionCloseReason::TunnelClosed);
            self.emit(Event::SessionClosed { session: handle, tunnel, reason });
        }
    }

    /// A Session ID that was kept out of use may be used again.
    pub(super) fn free_session_id(&mut self, tunnel: TunnelHandle, id: u16) {
        if let Some(tunnel) = self.tunnels.get_mut(tunnel.0)
            && tunnel.calls.by_local_id.get(&id) == Some(&None)
        {
            tunnel.calls.by_local_id.remove(&id);
        }
    }

    /// Brings a session's entry among the deadlines up to date.
    pub(super) fn settle_session(&mut self, handle: SessionHandle) {
        let Some(session) = self.sessions.get_mut(handle.0) else { return };
        let deadline = session.deadline();
        self.deadlines.update(Wakeup::Session(handle), session.entered, deadline);
        session.entered = deadline;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IncomingCall;
    use vpn_core::Instant;
    use vpn_core::Path;

    #[test]
    fn a_call_that_closes_waits_no_longer() {
        let config = crate::TunnelConfig::new("host.example");
        let random = Box::new(vpn_netsim::SeededRandom::new(1));
        let provider = vpn_crypto::provider();
        let mut endpoint =
            Endpoint::new(crate::EndpointConfig::new(config.clone()), provider, random);
        let (now, link) = (Instant::ZERO, crate::LinkId::PLAIN);
        let path = Path::l2tp("192.0.2.1:1701".parse().unwrap(), "192.0.2.2:1701".parse().unwrap());
        let tunnel = endpoint.open_tunnel(now, link, path, config).unwrap();
        let sessions = [(); 3]
            .map(|()| endpoint.open_session(now, tunnel, IncomingCall::default(), None).unwrap());
        let result = crate::CallResult::new(l2tp_wire::CdnResult::ADMINISTRATIVE);
        endpoint.close_session(now, sessions[1], result);
        let waiting = &endpoint.tunnels.get(tunnel.0).unwrap().calls.waiting;
        assert!(waiting.iter().eq([&sessions[0], &sessions[2]]));
    }
}
