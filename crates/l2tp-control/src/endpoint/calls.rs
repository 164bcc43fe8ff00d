//! The messages of calls (RFC 2661 §5.2, §5.6).

use alloc::boxed::Box;

use l2tp_wire::BearerTypes;
use l2tp_wire::CdnResult;
use l2tp_wire::FramingTypes;
use l2tp_wire::MessageType;
use l2tp_wire::message::Cdn;
use l2tp_wire::message::Iccn;
use l2tp_wire::message::Icrp;
use l2tp_wire::message::Icrq;
use l2tp_wire::message::Occn;
use l2tp_wire::message::Ocrp;
use l2tp_wire::message::Ocrq;
use l2tp_wire::message::Sli;
use l2tp_wire::message::Wen;

use crate::Admission;
use crate::CallKind;
use crate::CallResult;
use crate::CallState;
use crate::ConnectedCall;
use crate::Endpoint;
use crate::Event;
use crate::IncomingCall;
use crate::OutgoingCall;
use crate::PeerInfo;
use crate::RequestedCall;
use crate::SessionCloseReason;
use crate::SessionHandle;
use crate::SessionRequest;
use crate::SessionTicket;
use crate::TunnelHandle;
use crate::session::Call;
use crate::session::CallSetup;
use crate::session::state::CallEvent;

impl Endpoint {
    pub(super) fn handle_icrq(
        &mut self,
        tunnel: TunnelHandle,
        addressed: Option<SessionHandle>,
        icrq: &Icrq<'_>,
    ) {
        let id = icrq.assigned_session_id;
        if let Some(known) = addressed.or_else(|| self.session_of_peer(tunnel, id)) {
            let event = CallEvent::Icrq { acceptable: true };
            return self.message_in_call(known, event, MessageType::ICRQ);
        }
        let admission = self.config.incoming_calls;
        let call = Call::Incoming(IncomingCall::of_icrq(icrq));
        self.handle_request(tunnel, CallKind::LnsIncoming, id, call, admission);
    }

    pub(super) fn handle_ocrq(
        &mut self,
        tunnel: TunnelHandle,
        addressed: Option<SessionHandle>,
        ocrq: &Ocrq<'_>,
    ) {
        let id = ocrq.assigned_session_id;
        if let Some(known) = addressed.or_else(|| self.session_of_peer(tunnel, id)) {
            let event = CallEvent::Ocrq { acceptable: true };
            return self.message_in_call(known, event, MessageType::OCRQ);
        }
        let call = OutgoingCall::of_ocrq(ocrq);
        let Some(owner) = self.tunnels.get(tunnel.0) else { return };
        let ours = (owner.config.framing, owner.config.bearer);
        if self.config.outgoing_calls != Admission::Refuse && !includes(ours, &call) {
            let reason = SessionCloseReason::Incapable;
            return self.refuse_call(tunnel, CallKind::LacOutgoing, id, reason);
        }
        let admission = self.config.outgoing_calls;
        let call = Call::Outgoing(call);
        self.handle_request(tunnel, CallKind::LacOutgoing, id, call, admission);
    }

    /// Handles the request for a call that is new.
    fn handle_request(
        &mut self,
        tunnel: TunnelHandle,
        kind: CallKind,
        peer_id: u16,
        call: Call,
        admission: Admission,
    ) {
        if admission == Admission::Refuse {
            let result = CallResult::new(CdnResult::NO_FACILITIES_PERMANENT)
                .message(&b"such calls are not served here"[..]);
            return self.refuse_call(tunnel, kind, peer_id, SessionCloseReason::Local(result));
        }
        if !self.has_room_for_session(tunnel) {
            return self.refuse_call(tunnel, kind, peer_id, SessionCloseReason::LimitReached);
        }
        let setup = CallSetup::new(call, None);
        let Some(handle) = self.insert_request(tunnel, kind, peer_id, setup) else { return };
        if admission == Admission::Accept {
            return self.call_event(handle, request_event(kind, true), None);
        }
        self.settle_session(handle);
        let Some(session) = self.session_mut(handle) else { return };
        session.announced = true;
        let call = match session.setup.as_ref().map(|setup| setup.call.clone()) {
            Some(Call::Incoming(call)) => RequestedCall::Incoming(call),
            Some(Call::Outgoing(call)) => RequestedCall::Outgoing(call),
            None => return,
        };
        let ticket = SessionTicket(handle);
        let request = SessionRequest { ticket, session: handle, tunnel, call };
        self.emit(Event::SessionRequest(Box::new(request)));
    }

    /// Refuses a call that never was, with a CDN.
    pub(super) fn refuse_call(
        &mut self,
        tunnel: TunnelHandle,
        kind: CallKind,
        peer_id: u16,
        reason: SessionCloseReason,
    ) {
        let setup = CallSetup::new(Call::Incoming(IncomingCall::default()), None);
        if let Some(handle) = self.insert_request(tunnel, kind, peer_id, setup) {
            self.call_event(handle, request_event(kind, false), Some(reason));
        }
    }

    fn insert_request(
        &mut self,
        tunnel: TunnelHandle,
        kind: CallKind,
        peer_id: u16,
        setup: CallSetup,
    ) -> Option<SessionHandle> {
        let now = self.now;
        let handle = self.insert_session(tunnel, kind, setup)?;
        let owner = self.tunnels.get_mut(tunnel.0)?;
        owner.calls.by_peer_id.insert(peer_id, handle);
        let session = self.sessions.get_mut(handle.0)?;
        session.peer_id = peer_id;
        session.timer = Some(now + owner.config.call_timeout);
        Some(handle)
    }

    pub(super) fn handle_icrp(&mut self, handle: SessionHandle, icrp: &Icrp) {
        let fits = |endpoint: &Self| {
            endpoint.sessions.get(handle.0).is_some_and(|session| {
                session.kind == CallKind::LacIncoming
                    && session.state == CallState::WaitReply
                    && session.setup.as_ref().is_some_and(|setup| !setup.accepted)
            })
        };
        if !fits(self) || !self.learn_peer_id(handle, icrp.assigned_session_id) {
            let event = CallEvent::Icrp { acceptable: false };
            return self.message_in_call(handle, event, MessageType::ICRP);
        }
        let Some(session) = self.sessions.get_mut(handle.0) else { return };
        let Some(setup) = &mut session.setup else { return };
        setup.accepted = true;
        if setup.connected.is_some() {
            self.call_event(handle, CallEvent::Icrp { acceptable: true }, None);
        } else {
            self.emit(Event::CallAccepted { session: handle });
        }
    }

    pub(super) fn handle_ocrp(&mut self, handle: SessionHandle, ocrp: &Ocrp) {
        let waits = self.is_in(handle, CallKind::LnsOutgoing, CallState::WaitReply);
        let acceptable = waits && self.learn_peer_id(handle, ocrp.assigned_session_id);
        self.message_in_call(handle, CallEvent::Ocrp { acceptable }, MessageType::OCRP);
    }

    pub(super) fn handle_iccn(&mut self, handle: SessionHandle, iccn: &Iccn<'_>) {
        if !self.is_in(handle, CallKind::LnsIncoming, CallState::WaitConnect) {
            let event = CallEvent::Iccn { acceptable: true };
            return self.message_in_call(handle, event, MessageType::ICCN);
        }
        let call = ConnectedCall::of_iccn(iccn);
        let acceptable = self.take_connected(handle, call);
        let reason = Some(SessionCloseReason::Incapable);
        self.call_event(handle, CallEvent::Iccn { acceptable }, reason);
    }

    pub(super) fn handle_occn(&mut self, handle: SessionHandle, occn: &Occn) {
        if !self.is_in(handle, CallKind::LnsOutgoing, CallState::WaitConnect) {
            let event = CallEvent::Occn { acceptable: true };
            return self.message_in_call(handle, event, MessageType::OCCN);
        }
        let acceptable = self.take_connected(handle, ConnectedCall::of_occn(occn));
        let reason = Some(SessionCloseReason::Incapable);
        self.call_event(handle, CallEvent::Occn { acceptable }, reason);
    }

    pub(super) fn handle_cdn(&mut self, handle: SessionHandle, cdn: &Cdn<'_>) {
        let reason = SessionCloseReason::Peer { result: CallResult::of_cdn(cdn) };
        self.call_event(handle, CallEvent::Cdn, Some(reason));
    }

    pub(super) fn handle_wen(&mut self, handle: SessionHandle, wen: &Wen) {
        if self.is_established_as(handle, false) {
            self.emit(Event::CallErrors { session: handle, errors: wen.call_errors });
        }
    }

    pub(super) fn handle_sli(&mut self, handle: SessionHandle, sli: &Sli) {
        if self.is_established_as(handle, true) {
            self.emit(Event::Accm { session: handle, accm: sli.accm });
        }
    }

    /// Lets a message happen to a call. Where that ends the call, it had no place in its state.
    fn message_in_call(&mut self, handle: SessionHandle, event: CallEvent, message: MessageType) {
        let Some(session) = self.sessions.get(handle.0) else { return };
        let reason = SessionCloseReason::UnexpectedMessage { message, state: session.state };
        self.call_event(handle, event, Some(reason));
    }

    /// Notes the Session ID that the peer assigned. It must not have another session by that.
    fn learn_peer_id(&mut self, handle: SessionHandle, peer_id: u16) -> bool {
        let Some(session) = self.sessions.get_mut(handle.0) else { return false };
        let Some(tunnel) = self.tunnels.get_mut(session.tunnel.0) else { return false };
        if tunnel.calls.by_peer_id.contains_key(&peer_id) {
            return false;
        }
        tunnel.calls.by_peer_id.insert(peer_id, handle);
        session.peer_id = peer_id;
        true
    }

    /// Notes what an ICCN or OCCN says. Its framing must be one that we told the peer of.
    fn take_connected(&mut self, handle: SessionHandle, call: ConnectedCall) -> bool {
        let Some(session) = self.sessions.get_mut(handle.0) else { return false };
        let Some(tunnel) = self.tunnels.get(session.tunnel.0) else { return false };
        let acceptable = framings_include(tunnel.config.framing, call.framing);
        if let Some(setup) = &mut session.setup {
            setup.connected = Some(call);
        }
        acceptable
    }

    fn is_in(&self, handle: SessionHandle, kind: CallKind, state: CallState) -> bool {
        self.sessions
            .get(handle.0)
            .is_some_and(|session| session.kind == kind && session.state == state)
    }

    fn is_established_as(&self, handle: SessionHandle, lac: bool) -> bool {
        self.sessions.get(handle.0).is_some_and(|session| {
            session.state == CallState::Established && session.kind.is_lac() == lac
        })
    }
}

impl PeerInfo {
    /// Whether the peer told that it can place such a call (RFC 2661 §6.9).
    pub(crate) fn can_place(&self, call: &OutgoingCall) -> bool {
        includes((self.framing, self.bearer), call)
    }
}

/// Whether capabilities include what a call asks for (RFC 2661 §4.4.3).
fn includes((framing, bearer): (FramingTypes, Option<BearerTypes>), call: &OutgoingCall) -> bool {
    framings_include(framing, call.framing)
        && bearer
            .is_some_and(|bearer| bearer.contains(call.bearer.intersection(BearerTypes::all())))
}

/// Bits that are not defined yet say nothing.
fn framings_include(capabilities: FramingTypes, asked: FramingTypes) -> bool {
    capabilities.contains(asked.intersection(FramingTypes::all()))
}

/// The event of a request that opens a call of this kind.
pub(super) const fn request_event(kind: CallKind, acceptable: bool) -> CallEvent {
    match kind {
        CallKind::LacOutgoing | CallKind::LnsOutgoing => CallEvent::Ocrq { acceptable },
        CallKind::LacIncoming | CallKind::LnsIncoming => CallEvent::Icrq { acceptable },
    }
}
