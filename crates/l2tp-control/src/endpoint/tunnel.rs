//! Runs the control connection state machine: does what its actions say.

use alloc::sync::Arc;
use alloc::vec::Vec;

use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::ResultCode;
use l2tp_wire::message::Hello;
use l2tp_wire::message::StopCcn;
use l2tp_wire::set_ns_nr;
use vpn_core::Path;
use vpn_core::RandomError;

use super::RequestKey;
use super::Wakeup;
use super::admission::Source;
use super::timeout::first_hello;
use super::tools::BuildError;
use super::tools::Hide;
use crate::Endpoint;
use crate::Event;
use crate::LinkId;
use crate::SessionCloseReason;
use crate::Trace;
use crate::TunnelCloseReason;
use crate::TunnelConfig;
use crate::TunnelHandle;
use crate::TunnelResult;
use crate::close::cut;
use crate::session::state::CallEvent;
use crate::tunnel::Challenge;
use crate::tunnel::Phase;
use crate::tunnel::Tunnel;
use crate::tunnel::handshake;
use crate::tunnel::state::TunnelAction;
use crate::tunnel::state::TunnelEvent;
use crate::tunnel::state::TunnelState;
use crate::tunnel::state::step;

impl Endpoint {
    /// Lets an event happen to a control connection. `reason` says why, where it may close it.
    pub(super) fn tunnel_event(
        &mut self,
        handle: TunnelHandle,
        event: TunnelEvent,
        reason: Option<TunnelCloseReason>,
    ) {
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        let before = tunnel.state;
        let (actions, next) = step(before, event);
        tunnel.state = next;
        if before != next {
            self.trace(|| Trace::TunnelState { tunnel: handle, state: next });
        }
        let mut reason = reason;
        for action in actions {
            let done = match action {
                TunnelAction::SendSccrq | TunnelAction::SendSccrp | TunnelAction::SendScccn => {
                    self.send_opening(handle, *action)
                }
                TunnelAction::SendStopCcn => {
                    self.send_stop_ccn(handle, before, reason.as_ref());
                    Ok(())
                }
                TunnelAction::TunnelOpen if before != TunnelState::Established => {
                    self.open_for_calls(handle);
                    Ok(())
                }
                TunnelAction::CleanUp if event == TunnelEvent::TieLost => {
                    self.discard_attempt(handle);
                    Ok(())
                }
                TunnelAction::CleanUp => {
                    self.clean_up(handle, reason.take());
                    Ok(())
                }
                // Calls that wait go on when the tunnel is settled; who noticed the tie has the
                // message that is to be handled again.
                TunnelAction::TunnelOpen | TunnelAction::RequeueSccrq => Ok(()),
            };
            if done.is_err() {
                // The texts are short and the values valid: only randomness can be missing.
                let reason = Some(TunnelCloseReason::NoRandomness);
                return self.tunnel_event(handle, TunnelEvent::LocalClose, reason);
            }
        }
    }

    /// Makes a tunnel. It has an ID and is in nobody's way yet.
    pub(super) fn insert_tunnel(
        &mut self,
        (link, path): (LinkId, Path),
        config: Arc<TunnelConfig>,
    ) -> Option<TunnelHandle> {
        let id = self.ids.choose(link, &mut self.tools)?;
        let now = self.now;
        let key = self
            .tunnels
            .insert_with(|key| Tunnel::new(TunnelHandle(key), (link, path), id, config, now))?;
        self.ids.insert(link, id, TunnelHandle(key));
        Some(TunnelHandle(key))
    }

    /// Chooses what a tunnel's SCCRQ or SCCRP needs to be random.
    pub(super) fn draw_challenge(
        &mut self,
        config: &TunnelConfig,
    ) -> Result<Option<Challenge>, RandomError> {
        config.secret.as_ref().map(|_| self.tools.random()).transpose()
    }

    /// Sends the message of the handshake that an action stands for.
    fn send_opening(
        &mut self,
        handle: TunnelHandle,
        action: TunnelAction,
    ) -> Result<(), BuildError> {
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return Ok(()) };
        let Some(shake) = tunnel.handshake.as_deref() else { return Ok(()) };
        let (config, id, md5) = (&tunnel.config, tunnel.local_id, self.tools.md5());
        let message = match action {
            TunnelAction::SendSccrq => Message::Sccrq(handshake::sccrq(config, shake, id)),
            TunnelAction::SendSccrp => Message::Sccrp(handshake::sccrp(config, shake, id, md5)),
            _ => Message::Scccn(handshake::scccn(config, shake, md5)),
        };
        let ids = (tunnel.peer_id, 0);
        let built = self.tools.build(ids, &message, config, Hide::Configured)?;
        tunnel.channel.push(built);
        Ok(())
    }

    pub(super) fn send_hello(&mut self, handle: TunnelHandle) {
        let Some(tunnel) = self.tunnels.get(handle.0) else { return };
        let ids = (tunnel.peer_id, 0);
        let hello = Message::Hello(Hello {});
        // A HELLO has nothing to hide, so nothing can fail.
        if let Ok(message) = self.tools.build(ids, &hello, &tunnel.config, Hide::Nothing) {
            self.push_message(handle, message);
        }
    }

    /// Tells the peer that the tunnel is over, unless there is nothing to tell.
    fn send_stop_ccn(
        &mut self,
        handle: TunnelHandle,
        before: TunnelState,
        reason: Option<&TunnelCloseReason>,
    ) {
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        let Some(result) = reason.and_then(TunnelCloseReason::result) else { return };
        let message = stop_ccn(&result, tunnel.local_id);
        // Before the tunnel is open the peer may turn out not to have the secret.
        let hide =
            if before == TunnelState::Established { Hide::Configured } else { Hide::Nothing };
        let ids = (tunnel.peer_id, 0);
        let built = self
            .tools
            .build(ids, &message, &tunnel.config, hide)
            .or_else(|_| self.tools.build(ids, &message, &tunnel.config, Hide::Nothing));
        let Ok(mut built) = built else { return };
        if matches!(reason, Some(TunnelCloseReason::NoAnswer { .. })) {
            // A last word: nobody waits for its acknowledgement.
            if tunnel.proven || tunnel.initiator {
                let (link, path) = (tunnel.link, tunnel.path);
                set_ns_nr(&mut built, tunnel.channel.next_ns(), tunnel.channel.next_nr());
                self.output.push_loose(link, path, built);
            }
            return;
        }
        tunnel.channel.forget_waiting();
        tunnel.channel.push(built);
    }

    /// The tunnel has opened.
    fn open_for_calls(&mut self, handle: TunnelHandle) {
        let now = self.now;
        self.forget_handshake(handle);
        self.leave_half_open(handle);
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        tunnel.timer = first_hello(now, &tunnel.config, &mut self.tools);
        tunnel.established_at = now;
        tunnel.announced = true;
        let supersedes = tunnel.handshake.take().and_then(|shake| shake.supersedes);
        self.emit(Event::TunnelUp { tunnel: handle });
        if let Some(older) = supersedes {
            // The peer has no such tunnel any more, and the ID names the new one now: what we sent
            // there would end up in the new tunnel.
            if self.tunnels.get(older.0).is_some_and(|tunnel| tunnel.phase == Phase::Open) {
                let reason = Some(TunnelCloseReason::Superseded);
                self.tunnel_event(older, TunnelEvent::LocalClose, reason);
            } else {
                self.forget_tunnel(older);
            }
        }
    }

    /// The tunnel is over: ends its calls, and forgets all but what the last messages need.
    fn clean_up(&mut self, handle: TunnelHandle, reason: Option<TunnelCloseReason>) {
        self.forget_handshake(handle);
        self.forget_request(handle);
        let now = self.now;
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        let was_open = tunnel.handshake.take().is_none();
        let reason = reason.unwrap_or(TunnelCloseReason::Local(TunnelResult::new(
            l2tp_wire::StopCcnResult::GENERAL_CLEAR,
        )));
        let sessions: Vec<_> = tunnel.calls.by_local_id.values().flatten().copied().collect();
        for session in sessions {
            let reason = Some(SessionCloseReason::TunnelClosed);
            self.call_event(session, CallEvent::TunnelClosed, reason);
        }
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        tunnel.calls = crate::tunnel::Calls::default();
        let announced = tunnel.announced;
        let (link, source) = (tunnel.link, Source::new(tunnel.link, tunnel.origin.ip()));
        self.half_open.end(source, handle);
        self.over.insert(link, handle);
        match reason {
            TunnelCloseReason::NoAnswer { .. }
            | TunnelCloseReason::TieBreaker
            | TunnelCloseReason::Superseded
            | TunnelCloseReason::Evicted
            | TunnelCloseReason::LinkClosed => self.forget_tunnel(handle),
            TunnelCloseReason::Peer(_) => {
                tunnel.phase = Phase::Stopped;
                tunnel.timer = Some(now + tunnel.config.channel.retransmission.cycle());
                tunnel.channel.clear();
                tunnel.channel.acknowledge_now(now);
            }
            _ => {
                tunnel.phase = Phase::Stopping;
                tunnel.timer = None;
                self.stopping.insert(handle);
                if was_open {
                    self.draining.insert(handle);
                }
            }
        }
        if announced {
            self.emit(Event::TunnelClosed { tunnel: handle, reason });
        }
    }

    /// Our SCCRQ lost against the peer's: the tunnel begins anew, as one that the peer asked for.
    /// Its calls go on waiting.
    fn discard_attempt(&mut self, handle: TunnelHandle) {
        let now = self.now;
        self.forget_handshake(handle);
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        // What the peer may still say to the lost attempt must not reach the new one.
        if let Some(id) = self.ids.choose(tunnel.link, &mut self.tools) {
            let hold = tunnel.config.channel.retransmission.cycle();
            self.ids.release(now, hold, tunnel.link, tunnel.local_id);
            self.ids.insert(tunnel.link, id, handle);
            tunnel.local_id = id;
        }
        tunnel.channel = crate::channel::Channel::new(tunnel.config.first_numbers);
        tunnel.handshake = Some(alloc::boxed::Box::default());
        tunnel.initiator = false;
        tunnel.timer = Some(now + tunnel.config.setup_timeout);
    }

    /// Takes the tunnel out of the tables of those that are being opened.
    pub(super) fn forget_handshake(&mut self, handle: TunnelHandle) {
        let Some(tunnel) = self.tunnels.get(handle.0) else { return };
        let address = tunnel.origin.ip();
        self.dialled.remove(&(tunnel.link, address.to_canonical(), handle));
        if let Some(challenge) = tunnel.handshake.as_ref().and_then(|shake| shake.challenge) {
            self.open_challenges.remove(&challenge);
        }
    }

    fn leave_half_open(&mut self, handle: TunnelHandle) {
        if let Some(tunnel) = self.tunnels.get(handle.0) {
            self.half_open.remove(Source::new(tunnel.link, tunnel.origin.ip()), handle);
        }
    }

    /// A repetition of the SCCRQ is no longer known by this tunnel.
    fn forget_request(&mut self, handle: TunnelHandle) {
        let Some(tunnel) = self.tunnels.get(handle.0) else { return };
        let key = request_key(tunnel);
        if self.requests.get(&key) != Some(&handle) {
            return;
        }
        self.requests.remove(&key);
        // The older tunnel under this ID is still there.
        let older = tunnel.handshake.as_ref().and_then(|shake| shake.supersedes);
        let is_open = |older: &TunnelHandle| {
            self.tunnels.get(older.0).is_some_and(|t| t.phase == Phase::Open)
        };
        if let Some(older) = older.filter(is_open) {
            self.requests.insert(key, older);
        }
    }

    /// Removes a tunnel. Its ID stays out of use for a while.
    pub(super) fn forget_tunnel(&mut self, handle: TunnelHandle) {
        self.forget_handshake(handle);
        self.forget_request(handle);
        self.leave_half_open(handle);
        self.stopping.remove(&handle);
        self.draining.remove(&handle);
        let Some(tunnel) = self.tunnels.remove(handle.0) else { return };
        self.over.remove(tunnel.link, handle);
        self.deadlines.update(Wakeup::Tunnel(handle), tunnel.entered, None);
        let hold = tunnel.config.channel.retransmission.cycle();
        self.ids.release(self.now, hold, tunnel.link, tunnel.local_id);
    }

    pub(super) fn push_message(&mut self, handle: TunnelHandle, message: alloc::boxed::Box<[u8]>) {
        if let Some(tunnel) = self.tunnels.get_mut(handle.0) {
            tunnel.channel.push(message);
        }
    }

    /// A message that has no place in the state of the control connection.
    pub(super) fn unexpected_in_tunnel(
        &mut self,
        handle: TunnelHandle,
        event: TunnelEvent,
        message: MessageType,
    ) {
        let Some(tunnel) = self.tunnels.get(handle.0) else { return };
        let reason = TunnelCloseReason::UnexpectedMessage { message, state: tunnel.state };
        self.tunnel_event(handle, event, Some(reason));
    }
}

pub(super) const fn request_key(tunnel: &Tunnel) -> RequestKey {
    (tunnel.link, tunnel.origin, tunnel.peer_id)
}

/// A StopCCN.
pub(super) fn stop_ccn(result: &TunnelResult, local_id: u16) -> Message<'_> {
    let text = cut(&result.message);
    Message::StopCcn(StopCcn {
        result_code: ResultCode::for_stop_ccn(result.result, result.error, text),
        assigned_tunnel_id: local_id,
    })
}
