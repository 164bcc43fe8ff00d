//! From a datagram to the tunnel that it is for.

use l2tp_wire::ControlMessage;
use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;

use super::admission::Source;
use crate::Endpoint;
use crate::LinkId;
use crate::ReplyFrom;
use crate::TunnelHandle;
use crate::channel::Received;
use crate::tunnel::state::TunnelState;

impl Endpoint {
    /// Takes one datagram: what UDP carried, or what an IPsec tunnel did.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        link: LinkId,
        path: Path,
        datagram: &[u8],
    ) -> Handled {
        self.advance(now);
        if self.events.len() >= self.config.limits.events {
            return self.drops.drop(DropReason::LimitReached);
        }
        match Packet::decode(datagram) {
            Ok(Packet::Data(message)) => self.handle_data((link, path), &message),
            Ok(Packet::Control(control)) => self.handle_control((link, path), datagram, &control),
            Err(error) => self.drops.drop(error.into()),
        }
    }

    fn handle_control(
        &mut self,
        (link, path): (LinkId, Path),
        datagram: &[u8],
        control: &ControlMessage<'_>,
    ) -> Handled {
        if control.tunnel_id == 0 {
            return self.handle_unaddressed((link, path), datagram, control);
        }
        let Some(handle) = self.ids.find(link, control.tunnel_id) else {
            return self.drops.drop(DropReason::UnknownTunnel);
        };
        let Some(tunnel) = self.tunnels.get(handle.0) else {
            return self.drops.drop(DropReason::UnknownTunnel);
        };
        let at_home = link.is_authenticated() || path.remote == tunnel.path.remote;
        if !at_home && !self.may_answer_from_elsewhere(handle, path, control) {
            return self.drops.drop(DropReason::WrongPeer);
        }
        self.receive(handle, path, datagram, control)
    }

    /// Whether a message from another address is the answer to our SCCRQ: the responder may pick
    /// a port of its own (RFC 2661 §8.1). Nothing but an answer that is right counts, so that a
    /// stranger who guesses the Tunnel ID can't end the attempt.
    fn may_answer_from_elsewhere(
        &mut self,
        handle: TunnelHandle,
        path: Path,
        control: &ControlMessage<'_>,
    ) -> bool {
        let Some(tunnel) = self.tunnels.get(handle.0) else { return false };
        let config = tunnel.config.clone();
        let same_address = tunnel.path.remote.ip() == path.remote.ip();
        let allowed = match config.reply_from {
            ReplyFrom::SamePort => false,
            ReplyFrom::SameAddress => same_address,
            ReplyFrom::Anywhere => true,
        };
        if !allowed || tunnel.state != TunnelState::WaitCtlReply {
            return false;
        }
        match control.message_type() {
            Some(MessageType::STOP_CCN) => same_address,
            Some(MessageType::SCCRP) => {
                let mut room = core::mem::take(&mut self.unhidden);
                let decoded = self.decode(None, control, &config, &mut room);
                let right = match &decoded {
                    Ok(Message::Sccrp(sccrp)) => self.check_sccrp(handle, sccrp).is_ok(),
                    _ => false,
                };
                self.put_back(room);
                right
            }
            _ => false,
        }
    }

    /// Takes a control message of a tunnel: first its numbers, then, in their turn, it and those
    /// that waited for it.
    pub(super) fn receive(
        &mut self,
        handle: TunnelHandle,
        path: Path,
        datagram: &[u8],
        control: &ControlMessage<'_>,
    ) -> Handled {
        let now = self.now;
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else {
            return self.drops.drop(DropReason::UnknownTunnel);
        };
        // Each request for a call makes us answer: who never acknowledges makes no more of them.
        let requests = [MessageType::ICRQ, MessageType::OCRQ];
        let stuffed = tunnel.channel.queued()
            >= self.config.limits.queued_messages.saturating_mul(2)
            && control.message_type().is_some_and(|message| requests.contains(&message));
        let message = (!control.is_zlb() && !stuffed).then_some(datagram);
        let numbers = (control.ns, control.nr);
        // Only who got our SCCRP knows our Tunnel ID and can acknowledge it.
        let proves = control.tunnel_id != 0 && tunnel.has_acknowledged(control.nr);
        let mut channel = tunnel.config.channel;
        if !tunnel.proven && !proves {
            // Nothing is kept for a stranger.
            channel.receive_window = 1;
        }
        let received = tunnel.channel.receive(now, numbers, message, &channel);
        if matches!(received, Received::OutOfWindow | Received::BadAcknowledgement) {
            return self.drops.drop(DropReason::OutOfWindow);
        }
        tunnel.last_heard = now;
        tunnel.heard = true;
        if tunnel.link.is_authenticated() || tunnel.state == TunnelState::WaitCtlReply {
            tunnel.path = path;
        }
        if !tunnel.proven {
            tunnel.budget.receive(datagram.len());
            if proves {
                tunnel.proven = true;
                let source = Source::new(tunnel.link, tunnel.origin.ip());
                self.half_open.prove(source, handle);
            }
        }
        if received == Received::Deliver {
            self.deliver(handle, datagram);
            while let Some(message) = self
                .tunnels
                .get_mut(handle.0)
                .and_then(|tunnel| tunnel.channel.take_next(now, &tunnel.config.channel))
            {
                self.deliver(handle, &message);
            }
        }
        self.settle(handle);
        match received {
            Received::Duplicate => self.drops.drop(DropReason::Duplicate),
            _ if stuffed => self.drops.drop(DropReason::LimitReached),
            _ => Handled::Consumed,
        }
    }
}
