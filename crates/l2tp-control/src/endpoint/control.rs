//! What a control message does, once its turn has come.

use l2tp_wire::ControlMessage;
use l2tp_wire::ErrorCode;
use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::ResultCode;
use l2tp_wire::StopCcnResult;
use l2tp_wire::message::MessageError;
use l2tp_wire::message::Scope;
use l2tp_wire::message::StopCcn;

use super::opening::assigned_tunnel_id;
use crate::CallKind;
use crate::Endpoint;
use crate::SessionCloseReason;
use crate::SessionHandle;
use crate::Trace;
use crate::TunnelCloseReason;
use crate::TunnelHandle;
use crate::session::state::CallEvent;
use crate::tunnel::Phase;
use crate::tunnel::Tunnel;
use crate::tunnel::state::TunnelEvent;

impl Endpoint {
    pub(super) fn deliver(&mut self, handle: TunnelHandle, datagram: &[u8]) {
        let Ok(Packet::Control(control)) = Packet::decode(datagram) else { return };
        let Some(tunnel) = self.tunnels.get(handle.0) else { return };
        let (ns, nr) = (control.ns, control.nr);
        let message = control.message_type();
        let phase = tunnel.phase;
        let config = tunnel.config.clone();
        self.trace(|| Trace::Received { tunnel: handle, message, ns, nr });
        if phase != Phase::Open {
            // It is over. What still comes is acknowledged.
            return self.learn_peer_tunnel_id(handle, &control);
        }
        let mut room = core::mem::take(&mut self.unhidden);
        match self.decode(Some(handle), &control, &config, &mut room) {
            Ok(message) => self.handle_message(handle, &control, message),
            Err(error) => self.handle_invalid(handle, &control, error),
        }
        self.put_back(room);
        // Only a request has an answer that the acknowledgement can ride on.
        let answered = [MessageType::ICRQ, MessageType::OCRQ, MessageType::SCCRP];
        if !message.is_some_and(|message| answered.contains(&message)) {
            let now = self.now;
            if let Some(tunnel) = self.tunnels.get_mut(handle.0) {
                tunnel.channel.acknowledge_now(now);
            }
        }
    }

    fn handle_message(
        &mut self,
        handle: TunnelHandle,
        control: &ControlMessage<'_>,
        message: Message<'_>,
    ) {
        let message_type = message.message_type();
        let established = self.tunnels.get(handle.0).is_some_and(Tunnel::is_established);
        if message_type.is_of_session() && !established {
            let event = TunnelEvent::LocalClose;
            return self.unexpected_in_tunnel(handle, event, message_type);
        }
        match message {
            Message::Sccrq(_) => {
                let event = TunnelEvent::Sccrq { acceptable: true };
                self.unexpected_in_tunnel(handle, event, message_type);
            }
            Message::Sccrp(sccrp) => self.handle_sccrp(handle, &sccrp),
            Message::Scccn(scccn) => self.handle_scccn(handle, &scccn),
            Message::StopCcn(stop_ccn) => self.handle_stop_ccn(handle, &stop_ccn),
            Message::Hello(_) => {}
            _ => self.handle_call_message(handle, control, message),
        }
    }

    fn handle_call_message(
        &mut self,
        handle: TunnelHandle,
        control: &ControlMessage<'_>,
        message: Message<'_>,
    ) {
        let session = self.session_of(handle, control.session_id);
        match (message, session) {
            (Message::Icrq(icrq), _) => self.handle_icrq(handle, session, &icrq),
            (Message::Ocrq(ocrq), _) => self.handle_ocrq(handle, session, &ocrq),
            (Message::Icrp(icrp), Some(session)) => self.handle_icrp(session, &icrp),
            (Message::Iccn(iccn), Some(session)) => self.handle_iccn(session, &iccn),
            (Message::Ocrp(ocrp), Some(session)) => self.handle_ocrp(session, &ocrp),
            (Message::Occn(occn), Some(session)) => self.handle_occn(session, &occn),
            (Message::Cdn(cdn), Some(session)) => self.handle_cdn(session, &cdn),
            (Message::Wen(wen), Some(session)) => self.handle_wen(session, &wen),
            (Message::Sli(sli), Some(session)) => self.handle_sli(session, &sli),
            // A peer that does not know our Session ID names its own (RFC 2661 §4.4.4).
            (Message::Cdn(cdn), None)
                if control.session_id == 0
                    && let Some(session) =
                        self.session_of_peer(handle, cdn.assigned_session_id) =>
            {
                self.handle_cdn(session, &cdn);
            }
            // The session is gone, and so is what the message is about.
            (message, _) => {
                let message = Some(message.message_type());
                self.trace(|| Trace::Unhandled { tunnel: handle, message });
            }
        }
    }

    /// Handles a message that can't be taken (RFC 2661 §7.1).
    fn handle_invalid(
        &mut self,
        handle: TunnelHandle,
        control: &ControlMessage<'_>,
        error: MessageError,
    ) {
        self.learn_peer_tunnel_id(handle, control);
        let established = self.tunnels.get(handle.0).is_some_and(Tunnel::is_established);
        match (error.message_type, error.scope()) {
            (Some(MessageType::STOP_CCN), _) => {
                // However it looks: the peer is closing the tunnel.
                let result_code =
                    ResultCode::for_stop_ccn(StopCcnResult(0), ErrorCode::NONE, b"unreadable");
                let stop_ccn = StopCcn { result_code, assigned_tunnel_id: 0 };
                self.handle_stop_ccn(handle, &stop_ccn);
            }
            (message, Scope::Message) => {
                self.trace(|| Trace::Unhandled { tunnel: handle, message });
            }
            (Some(message_type), Scope::Session) if established => {
                self.handle_invalid_in_session(handle, control, message_type, error);
            }
            _ => {
                let reason = Some(TunnelCloseReason::InvalidMessage(error));
                self.tunnel_event(handle, TunnelEvent::LocalClose, reason);
            }
        }
    }

    /// Notes the peer's Tunnel ID in the answer to an SCCRQ of ours, however that answer looks and
    /// whether or not it is still wanted: the peer wants to be told, and must be addressed.
    fn learn_peer_tunnel_id(&mut self, handle: TunnelHandle, control: &ControlMessage<'_>) {
        if let Some(tunnel) = self.tunnels.get_mut(handle.0)
            && tunnel.peer_id == 0
        {
            tunnel.peer_id = assigned_tunnel_id(control).unwrap_or(0);
        }
    }

    fn handle_invalid_in_session(
        &mut self,
        handle: TunnelHandle,
        control: &ControlMessage<'_>,
        message_type: MessageType,
        error: MessageError,
    ) {
        let peer_id = self.assigned_session_id(handle, control);
        let session = self
            .session_of(handle, control.session_id)
            .or_else(|| peer_id.and_then(|id| self.session_of_peer(handle, id)));
        let reason = SessionCloseReason::InvalidMessage(error);
        match (session, message_type, peer_id) {
            (Some(session), MessageType::CDN, _) => {
                self.call_event(session, CallEvent::Cdn, Some(reason));
            }
            (Some(session), ..) => self.call_event(session, CallEvent::LocalClose, Some(reason)),
            (None, MessageType::ICRQ, Some(peer_id)) => {
                self.refuse_call(handle, CallKind::LnsIncoming, peer_id, reason);
            }
            (None, MessageType::OCRQ, Some(peer_id)) => {
                self.refuse_call(handle, CallKind::LacOutgoing, peer_id, reason);
            }
            _ => {
                let message = Some(message_type);
                self.trace(|| Trace::Unhandled { tunnel: handle, message });
            }
        }
    }

    /// The session to which we assigned this ID.
    pub(super) fn session_of(&self, tunnel: TunnelHandle, local_id: u16) -> Option<SessionHandle> {
        let tunnel = self.tunnels.get(tunnel.0)?;
        tunnel.calls.by_local_id.get(&local_id).copied().flatten()
    }

    /// The session to which the peer assigned this ID.
    pub(super) fn session_of_peer(
        &self,
        tunnel: TunnelHandle,
        peer_id: u16,
    ) -> Option<SessionHandle> {
        self.tunnels.get(tunnel.0)?.calls.by_peer_id.get(&peer_id).copied()
    }
}
