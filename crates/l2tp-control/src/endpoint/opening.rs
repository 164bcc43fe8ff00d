//! Tunnels that open: SCCRQ, SCCRP, SCCCN (RFC 2661 §5.1), and StopCCN.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use l2tp_wire::AttributeType;
use l2tp_wire::Avp;
use l2tp_wire::ControlMessage;
use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::message::Scccn;
use l2tp_wire::message::Sccrp;
use l2tp_wire::message::Sccrq;
use l2tp_wire::message::StopCcn;
use l2tp_wire::set_ns_nr;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Path;

use super::admission::Source;
use super::tools::Hide;
use super::tunnel::request_key;
use super::tunnel::stop_ccn;
use crate::Admission;
use crate::AuthFailure;
use crate::Endpoint;
use crate::Event;
use crate::LinkId;
use crate::PeerInfo;
use crate::TunnelCloseReason;
use crate::TunnelConfig;
use crate::TunnelHandle;
use crate::TunnelRequest;
use crate::TunnelResult;
use crate::TunnelTicket;
use crate::channel::DEFAULT_PEER_WINDOW;
use crate::tunnel::Challenge;
use crate::tunnel::collision::Tie;
use crate::tunnel::collision::decide;
use crate::tunnel::handshake;
use crate::tunnel::state::TunnelEvent;
use crate::tunnel::state::TunnelState;

impl Endpoint {
    /// Handles a message that is addressed to no tunnel: an SCCRQ, or the StopCCN of a peer that
    /// does not know our Tunnel ID yet (RFC 2661 §4.4.3). From then on nothing but the right ID
    /// ends a tunnel: the address and the peer's ID are no secret.
    pub(super) fn handle_unaddressed(
        &mut self,
        (link, path): (LinkId, Path),
        datagram: &[u8],
        control: &ControlMessage<'_>,
    ) -> Handled {
        match control.message_type() {
            Some(MessageType::SCCRQ) => self.handle_sccrq((link, path), datagram, control),
            Some(MessageType::STOP_CCN) => {
                let known = assigned_tunnel_id(control)
                    .and_then(|id| self.requests.get(&(link, path.remote, id)).copied());
                match known.filter(|tunnel| self.may_stop_unaddressed(*tunnel, control.ns)) {
                    Some(tunnel) => self.receive(tunnel, path, datagram, control),
                    None => self.drops.drop(DropReason::UnknownTunnel),
                }
            }
            _ => self.drops.drop(DropReason::UnknownTunnel),
        }
    }

    /// Whether a message with this Ns can come from a peer that does not know our Tunnel ID: it
    /// has not acknowledged our SCCRP, and has nothing else to send first.
    fn may_stop_unaddressed(&self, tunnel: TunnelHandle, ns: u16) -> bool {
        self.tunnels.get(tunnel.0).is_some_and(|tunnel| {
            let unanswered = match tunnel.state {
                TunnelState::Idle => true,
                TunnelState::WaitCtlConn => tunnel.channel.queued() > 0,
                TunnelState::WaitCtlReply | TunnelState::Established => false,
            };
            unanswered && ns == tunnel.channel.next_nr()
        })
    }

    fn handle_sccrq(
        &mut self,
        (link, path): (LinkId, Path),
        datagram: &[u8],
        control: &ControlMessage<'_>,
    ) -> Handled {
        let config = self.config.tunnel.clone();
        let first = config.first_numbers;
        if (control.ns, control.nr) != (first.nr, first.ns) {
            return self.drops.drop(DropReason::OutOfWindow);
        }
        let mut room = core::mem::take(&mut self.unhidden);
        let handled = match self.decode(None, control, &config, &mut room) {
            Ok(Message::Sccrq(sccrq)) => {
                let key = (link, path.remote, sccrq.assigned_tunnel_id);
                match self.requests.get(&key).copied() {
                    Some(known) if self.is_repetition(known) => self.repeat_answer(known, datagram),
                    older => self.handle_new_sccrq((link, path), datagram, &sccrq, older),
                }
            }
            Err(error) if self.config.tunnels != Admission::Refuse => {
                let reason = TunnelCloseReason::InvalidMessage(error);
                self.refuse_outright((link, path), datagram, assigned_tunnel_id(control), &reason)
            }
            _ => self.drops.drop(DropReason::NotAllowed),
        };
        self.put_back(room);
        handled
    }

    /// Whether an SCCRQ that has all in common with the one that opened `known` is a repetition
    /// of it. Long after the tunnel has opened it is not: the peer has started anew, and has
    /// nothing better to choose than the same Tunnel ID.
    fn is_repetition(&self, known: TunnelHandle) -> bool {
        self.tunnels.get(known.0).is_some_and(|tunnel| {
            !tunnel.is_established()
                || self.now.since(tunnel.established_at)
                    <= tunnel.config.channel.retransmission.cycle()
        })
    }

    /// Answers a repeated SCCRQ as the first one was answered.
    fn repeat_answer(&mut self, handle: TunnelHandle, datagram: &[u8]) -> Handled {
        let now = self.now;
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else {
            return self.drops.drop(DropReason::UnknownTunnel);
        };
        tunnel.budget.receive(datagram.len());
        match tunnel.state {
            // The decision is still to come, and the SCCRP acknowledges.
            TunnelState::Idle => {}
            TunnelState::WaitCtlConn if tunnel.channel.queued() > 0 => tunnel.channel.repeat(),
            // A copy that came late: what is under way by now is no answer to it.
            _ => tunnel.channel.acknowledge_now(now),
        }
        self.settle(handle);
        self.drops.drop(DropReason::Duplicate)
    }

    fn handle_new_sccrq(
        &mut self,
        (link, path): (LinkId, Path),
        datagram: &[u8],
        sccrq: &Sccrq<'_>,
        older: Option<TunnelHandle>,
    ) -> Handled {
        let ties = self.ties((link, path), sccrq.tie_breaker);
        if ties.won {
            return self.drops.drop(DropReason::UnexpectedState);
        }
        if self.config.tunnels == Admission::Refuse && ties.lost.is_empty() {
            return self.drops.drop(DropReason::NotAllowed);
        }
        let reused = ties.reused.and_then(|tunnel| self.tunnels.get(tunnel.0));
        let config = reused.map_or(&self.config.tunnel, |tunnel| &tunnel.config).clone();
        // What opens no tunnel must not cost one of ours either.
        if let Err(reason) = self.check_sccrq(&config, sccrq) {
            let id = Some(sccrq.assigned_tunnel_id);
            return self.refuse_outright((link, path), datagram, id, &reason);
        }
        if !ties.lost.is_empty() {
            return self.lose_ties(ties, path, datagram, sccrq, older);
        }
        if let Err(handled) = self.make_room((link, path), datagram, sccrq.assigned_tunnel_id) {
            return handled;
        }
        let Some(tunnel) = self.insert_tunnel((link, path), config) else {
            return self.drops.drop(DropReason::LimitReached);
        };
        let source = Source::new(link, path.remote.ip());
        self.half_open.insert(self.now, source, tunnel, link.is_authenticated());
        self.take_sccrq(tunnel, path, datagram, sccrq, older);
        self.admit_tunnel(tunnel, sccrq.challenge.is_some());
        Handled::Consumed
    }

    /// Compares an SCCRQ with those of ours that it crosses (RFC 2661 §4.4.3).
    fn ties(&self, (link, path): (LinkId, Path), theirs: Option<u64>) -> Ties {
        let address = path.remote.ip().to_canonical();
        let range = (link, address, TunnelHandle(0))..=(link, address, TunnelHandle(u64::MAX));
        let mut ties = Ties::default();
        for (.., handle) in self.dialled.range(range) {
            let tunnel = self.tunnels.get(handle.0);
            let ours = tunnel.and_then(|tunnel| tunnel.handshake.as_ref()?.tie_breaker);
            if ours.is_none() && self.config.tunnels == Admission::Refuse {
                // Nothing vouches for an SCCRQ, and who takes none from strangers and did not ask
                // for a single tunnel must not lose its own to one.
                continue;
            }
            match decide(ours, theirs) {
                Tie::Both => {}
                Tie::Ours => ties.won = true,
                Tie::Theirs => {
                    ties.reused = ties.reused.or(Some(*handle));
                    ties.lost.push(*handle);
                }
                Tie::Neither => ties.lost.push(*handle),
            }
        }
        ties
    }

    /// Gives up the tunnels of ours that lost against an SCCRQ, which opens one of them instead.
    fn lose_ties(
        &mut self,
        ties: Ties,
        path: Path,
        datagram: &[u8],
        sccrq: &Sccrq<'_>,
        older: Option<TunnelHandle>,
    ) -> Handled {
        for lost in ties.lost.into_iter().filter(|lost| Some(*lost) != ties.reused) {
            let reason = Some(TunnelCloseReason::TieBreaker);
            self.tunnel_event(lost, TunnelEvent::TieEqual, reason);
        }
        let Some(tunnel) = ties.reused else {
            return self.drops.drop(DropReason::UnexpectedState);
        };
        self.tunnel_event(tunnel, TunnelEvent::TieLost, None);
        self.take_sccrq(tunnel, path, datagram, sccrq, older);
        self.admit_tunnel(tunnel, sccrq.challenge.is_some());
        Handled::Consumed
    }

    /// Accepts a tunnel that a peer asks for, or has the application decide.
    fn admit_tunnel(&mut self, tunnel: TunnelHandle, challenges: bool) {
        if self.config.tunnels == Admission::Ask {
            self.ask_for_tunnel(tunnel, challenges);
        } else {
            self.accept_sccrq(tunnel, None);
        }
        self.settle(tunnel);
    }

    /// Refuses an SCCRQ without keeping anything: the peer repeats it until it gets our StopCCN.
    pub(super) fn refuse_outright(
        &mut self,
        (link, path): (LinkId, Path),
        datagram: &[u8],
        peer_id: Option<u16>,
        reason: &TunnelCloseReason,
    ) -> Handled {
        let config = self.config.tunnel.clone();
        let (Some(peer_id), Some(mut result)) = (peer_id, reason.result()) else {
            return self.drops.drop(DropReason::Malformed);
        };
        // The RFC wants the Tunnel ID that we assigned. There is none; nobody else's will do.
        let Some(local_id) = self.ids.choose(link, &mut self.tools) else {
            return self.drops.drop(DropReason::LimitReached);
        };
        let ids = (peer_id, 0);
        let mut build = |result: &TunnelResult| {
            self.tools.build(ids, &stop_ccn(result, local_id), &config, Hide::Nothing)
        };
        let mut built = build(&result);
        if built.as_ref().is_ok_and(|reply| reply.len() > 3 * datagram.len()) {
            result.message = Bytes::new();
            built = build(&result);
        }
        if self.output.loose_len() >= self.config.limits.queued_frames {
            return self.drops.drop(DropReason::LimitReached);
        }
        match built {
            Ok(mut reply) if reply.len() <= 3 * datagram.len() => {
                let first = config.first_numbers;
                set_ns_nr(&mut reply, first.ns, first.nr.wrapping_add(1));
                self.output.push_loose(link, path, reply);
                self.drops.drop(match reason {
                    TunnelCloseReason::InvalidMessage(_) => DropReason::Malformed,
                    TunnelCloseReason::NotAuthorized(_) => DropReason::Unauthenticated,
                    TunnelCloseReason::UnsupportedVersion(_) => DropReason::UnsupportedVersion,
                    _ => DropReason::LimitReached,
                })
            }
            _ => self.drops.drop(DropReason::Malformed),
        }
    }

    /// Notes what an SCCRQ says in the tunnel that is to answer it.
    fn take_sccrq(
        &mut self,
        handle: TunnelHandle,
        path: Path,
        datagram: &[u8],
        sccrq: &Sccrq<'_>,
        older: Option<TunnelHandle>,
    ) {
        let now = self.now;
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        let first = tunnel.config.first_numbers;
        let numbers = (first.nr, first.ns);
        let _ = tunnel.channel.receive(now, numbers, Some(datagram), &tunnel.config.channel);
        tunnel.channel.withhold_acknowledgement();
        tunnel.channel.set_peer_window(sccrq.receive_window_size.unwrap_or(DEFAULT_PEER_WINDOW));
        tunnel.budget.receive(datagram.len());
        tunnel.path = path;
        tunnel.origin = path.remote;
        tunnel.peer_id = sccrq.assigned_tunnel_id;
        tunnel.peer = Some(Box::new(PeerInfo::of_sccrq(sccrq)));
        tunnel.last_heard = now;
        tunnel.heard = true;
        if let Some(shake) = &mut tunnel.handshake {
            shake.peer_challenge = sccrq.challenge.map(Into::into);
            shake.supersedes = older;
        }
        let key = request_key(tunnel);
        self.requests.insert(key, handle);
    }

    /// Whether an SCCRQ will do, apart from what the application may have to say.
    fn check_sccrq(
        &self,
        config: &TunnelConfig,
        sccrq: &Sccrq<'_>,
    ) -> Result<(), TunnelCloseReason> {
        handshake::check_version(sccrq.protocol_version)?;
        self.check_reflection(sccrq.challenge)?;
        // Who is asked may bring the secret.
        if self.config.tunnels == Admission::Ask {
            return Ok(());
        }
        handshake::check_challenge(config, sccrq.challenge.is_some())
    }

    /// A peer without the secret could have us answer our own challenge.
    fn check_reflection(&self, challenge: Option<&[u8]>) -> Result<(), TunnelCloseReason> {
        let challenge = challenge.and_then(|challenge| Challenge::try_from(challenge).ok());
        if challenge.is_some_and(|challenge| self.open_challenges.contains(&challenge)) {
            return Err(TunnelCloseReason::NotAuthorized(AuthFailure::Reflection));
        }
        Ok(())
    }

    fn ask_for_tunnel(&mut self, handle: TunnelHandle, challenges: bool) {
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        tunnel.announced = true;
        let (link, path) = (tunnel.link, tunnel.path);
        let Some(peer) = tunnel.peer.as_deref().cloned() else { return };
        self.emit(Event::TunnelRequest(Box::new(TunnelRequest {
            ticket: TunnelTicket(handle),
            tunnel: handle,
            link,
            path,
            peer,
            challenges,
        })));
    }

    /// Answers a request with an SCCRP, with the endpoint's configuration or `config`.
    pub(super) fn accept_sccrq(&mut self, handle: TunnelHandle, config: Option<Arc<TunnelConfig>>) {
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        if let Some(config) = config {
            tunnel.config = config;
        }
        let config = tunnel.config.clone();
        let challenged =
            tunnel.handshake.as_ref().is_some_and(|shake| shake.peer_challenge.is_some());
        let challenge = self.draw_challenge(&config).map_err(|_| TunnelCloseReason::NoRandomness);
        let checked = handshake::check_challenge(&config, challenged).and(challenge);
        match checked {
            Ok(challenge) => {
                self.open_challenges.extend(challenge);
                let shake =
                    self.tunnel_mut(handle).and_then(|tunnel| tunnel.handshake.as_deref_mut());
                if let Some(shake) = shake {
                    shake.challenge = challenge;
                }
                self.tunnel_event(handle, TunnelEvent::Sccrq { acceptable: true }, None);
            }
            Err(reason) => self.reject_sccrq(handle, reason),
        }
    }

    pub(super) fn reject_sccrq(&mut self, handle: TunnelHandle, reason: TunnelCloseReason) {
        self.tunnel_event(handle, TunnelEvent::Sccrq { acceptable: false }, Some(reason));
    }

    pub(super) fn handle_sccrp(&mut self, handle: TunnelHandle, sccrp: &Sccrp<'_>) {
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        if tunnel.state != TunnelState::WaitCtlReply {
            let event = TunnelEvent::Sccrp { acceptable: true };
            return self.unexpected_in_tunnel(handle, event, MessageType::SCCRP);
        }
        tunnel.peer_id = sccrp.assigned_tunnel_id;
        let checked = self.check_sccrp(handle, sccrp);
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        tunnel.peer = Some(Box::new(PeerInfo::of_sccrp(sccrp)));
        tunnel.channel.set_peer_window(sccrp.receive_window_size.unwrap_or(DEFAULT_PEER_WINDOW));
        tunnel.proven = true;
        if let Some(shake) = &mut tunnel.handshake {
            shake.peer_challenge = sccrp.challenge.map(Into::into);
        }
        let acceptable = checked.is_ok();
        self.tunnel_event(handle, TunnelEvent::Sccrp { acceptable }, checked.err());
    }

    /// Whether an SCCRP will do as the answer to our SCCRQ.
    pub(super) fn check_sccrp(
        &self,
        handle: TunnelHandle,
        sccrp: &Sccrp<'_>,
    ) -> Result<(), TunnelCloseReason> {
        let tunnel = self.tunnels.get(handle.0);
        let Some((tunnel, shake)) = tunnel.and_then(|t| Some((t, t.handshake.as_deref()?))) else {
            return Ok(());
        };
        handshake::check_sccrp(&tunnel.config, shake, self.tools.md5(), sccrp)?;
        self.check_reflection(sccrp.challenge)
    }

    pub(super) fn handle_scccn(&mut self, handle: TunnelHandle, scccn: &Scccn) {
        let Some(tunnel) = self.tunnels.get(handle.0) else { return };
        if tunnel.state != TunnelState::WaitCtlConn {
            let event = TunnelEvent::Scccn { acceptable: true };
            return self.unexpected_in_tunnel(handle, event, MessageType::SCCCN);
        }
        let Some(shake) = tunnel.handshake.as_deref() else { return };
        let checked = handshake::check_scccn(&tunnel.config, shake, self.tools.md5(), scccn);
        let acceptable = checked.is_ok();
        self.tunnel_event(handle, TunnelEvent::Scccn { acceptable }, checked.err());
    }

    pub(super) fn handle_stop_ccn(&mut self, handle: TunnelHandle, stop_ccn: &StopCcn<'_>) {
        let code = stop_ccn.result_code;
        let result = TunnelResult {
            result: code.stop_ccn(),
            error: code.error,
            message: Bytes::copy_from_slice(code.message),
        };
        if let Some(tunnel) = self.tunnel_mut(handle)
            && tunnel.peer_id == 0
        {
            // It refuses our SCCRQ, and its acknowledgement must be addressed.
            tunnel.peer_id = stop_ccn.assigned_tunnel_id;
        }
        let reason = Some(TunnelCloseReason::Peer(result));
        self.tunnel_event(handle, TunnelEvent::StopCcn, reason);
    }
}

/// How an SCCRQ stands to those of ours that it crosses.
#[derive(Debug, Default)]
struct Ties {
    /// One of ours wins: the SCCRQ comes to nothing.
    won: bool,
    /// Those of ours that lose.
    lost: Vec<TunnelHandle>,
    /// The one among them that goes on as the tunnel that the peer asks for.
    reused: Option<TunnelHandle>,
}

/// The Assigned Tunnel ID of a message that may not decode otherwise.
pub(super) fn assigned_tunnel_id(control: &ControlMessage<'_>) -> Option<u16> {
    assigned_id(control, AttributeType::ASSIGNED_TUNNEL_ID)
}

/// An Assigned Tunnel ID or Assigned Session ID that is not hidden.
pub(super) fn assigned_id(control: &ControlMessage<'_>, attribute: AttributeType) -> Option<u16> {
    let avps = control.avps().map_while(Result::ok);
    let decoded = avps.filter_map(|raw| Avp::decode(&raw).ok());
    decoded
        .filter(|avp| avp.attribute_type() == attribute)
        .find_map(|avp| match avp {
            Avp::AssignedTunnelId(id) | Avp::AssignedSessionId(id) => Some(id),
            _ => None,
        })
        .filter(|id| *id != 0)
}
