//! Informational exchanges under an established IKE SA (RFC 2409 §5.7): deletes, notifications and
//! Dead Peer Detection.

use alloc::vec::Vec;

use vpn_core::DropReason;
use vpn_core::Path;

use super::Endpoint;
use super::sa::Phase;
use crate::ChildCloseReason;
use crate::CloseReason;
use crate::Message;
use crate::NotifyType;
use crate::PayloadType;
use crate::PeerHandle;
use crate::ProtocolId;
use crate::handle::SaId;
use crate::payload::Delete;
use crate::payload::Notification;
use crate::v1::fault::Fault;
use crate::v1::payloads::Payloads;
use crate::v1::secured::HashOf;

impl Endpoint {
    /// Takes an encrypted informational message. Its hash is verified before anything in it is
    /// looked at.
    pub(super) fn on_informational(
        &mut self,
        id: SaId,
        path: Path,
        octets: &[u8],
    ) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let message_id = message.header.message_id;
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let peer = sa.peer.ok_or(DropReason::UnexpectedState)?;
        let established = sa.established_mut().ok_or(DropReason::UnexpectedState)?;
        if established.is_recent(message_id) {
            return Err(DropReason::Duplicate);
        }
        let iv = established.secured.first_iv(message_id);
        let opened = established.secured.open(&message, &iv, HashOf::First).map_err(dropped)?;
        established.note_informational(message_id);
        let payloads = Payloads::read(opened.payloads()).map_err(dropped)?;
        for notification in payloads.notifications() {
            self.on_notification(id, peer, path, &notification);
        }
        let deletes: Vec<Delete<'_>> = payloads
            .every(PayloadType::DELETE)
            .filter_map(|body| Delete::decode(body).ok())
            .collect();
        // An IKE SA may be deleted in the message that deletes its pairs: pairs first.
        for delete in deletes.iter().filter(|one| one.protocol == ProtocolId::ESP) {
            self.on_delete_children(peer, delete);
        }
        for delete in deletes.iter().filter(|one| one.protocol == ProtocolId::ISAKMP) {
            self.on_delete_sa(peer, delete);
        }
        Ok(())
    }

    /// The peer has removed pairs: it names them by what it receives on.
    fn on_delete_children(&mut self, peer: PeerHandle, delete: &Delete<'_>) {
        self.hear_peer(peer);
        for spi in delete.spis() {
            let Ok(spi) = <[u8; 4]>::try_from(spi) else { continue };
            let spi = u32::from_be_bytes(spi);
            let Some(known) = self.peers.get(&peer) else { return };
            let child = known.children.iter().copied().find(|child| {
                self.children.get(child).is_some_and(|child| child.outbound_spi == spi)
            });
            if let Some(child) = child {
                self.on_child_deleted(child);
            }
        }
    }

    /// The peer has removed IKE SAs: only its own can be meant.
    fn on_delete_sa(&mut self, peer: PeerHandle, delete: &Delete<'_>) {
        self.hear_peer(peer);
        for spi in delete.spis() {
            let Some(known) = self.peers.get(&peer) else { return };
            let sa = known
                .sas
                .iter()
                .copied()
                .find(|id| self.sas.get(id).is_some_and(|sa| sa.cookies().spi() == spi));
            if let Some(sa) = sa {
                self.on_sa_gone(sa, CloseReason::DeletedByPeer);
            }
        }
    }

    fn on_notification(
        &mut self,
        id: SaId,
        peer: PeerHandle,
        path: Path,
        notification: &Notification<'_>,
    ) {
        match notification.notify_type {
            NotifyType::R_U_THERE => self.on_are_you_there(id, peer, path, notification),
            NotifyType::R_U_THERE_ACK => self.on_there(peer, path, notification),
            NotifyType::INITIAL_CONTACT => {
                self.hear_peer(peer);
                self.on_initial_contact(id, peer);
            }
            // It is about ESP, and about no pair that is being negotiated.
            NotifyType::INVALID_SPI => self.hear_peer(peer),
            error if error.is_error() => {
                self.hear_peer(peer);
                self.on_child_refused(id, notification);
            }
            _ => self.hear_peer(peer),
        }
    }

    /// Answers a R-U-THERE with its own number (RFC 3706 §5.5). One with an older number was seen
    /// before.
    fn on_are_you_there(
        &mut self,
        id: SaId,
        peer: PeerHandle,
        path: Path,
        notification: &Notification<'_>,
    ) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let spi = sa.cookies().spi();
        let Some(established) = sa.established_mut() else { return };
        let Ok(sequence) = <[u8; 4]>::try_from(notification.data) else { return };
        let sequence = u32::from_be_bytes(sequence);
        let ahead = established.dpd_received.map(|last| sequence.wrapping_sub(last));
        let fresh = ahead.is_none_or(|ahead| ahead != 0 && ahead < 1 << 31);
        if notification.spi != spi || !(fresh || ahead == Some(0)) {
            self.drops.add(DropReason::Duplicate, 1);
            return;
        }
        established.dpd_received = Some(sequence);
        if fresh {
            self.hear_peer(peer);
            self.follow(peer, path);
        }
        self.send_dpd(id, NotifyType::R_U_THERE_ACK, sequence);
    }

    /// Takes the answer to our R-U-THERE, if it is one.
    fn on_there(&mut self, handle: PeerHandle, path: Path, notification: &Notification<'_>) {
        let Some(peer) = self.peers.get(&handle) else { return };
        let expected =
            peer.probe.unanswered > 0 && notification.data == peer.probe.sequence.to_be_bytes();
        if expected {
            self.hear_peer(handle);
            self.follow(handle, path);
        }
    }

    pub(super) fn send_dpd(&mut self, id: SaId, notify_type: NotifyType, sequence: u32) {
        let Some(sa) = self.sas.get(&id) else { return };
        let spi = sa.cookies().spi();
        let data = sequence.to_be_bytes();
        let protocol = ProtocolId::ISAKMP;
        let notification = Notification { protocol, notify_type, spi: &spi, data: &data };
        self.send_informational(id, |builder| {
            builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
        });
    }

    /// The peer says under this IKE SA that it has no other with us: what was before is gone.
    fn on_initial_contact(&mut self, id: SaId, handle: PeerHandle) {
        let Some(peer) = self.peers.get(&handle) else { return };
        let established =
            |id: &SaId| Some(self.sas.get(id).and_then(|sa| sa.established())?.established);
        let since = established(&id);
        let older = |known: &SaId| *known != id && established(known) <= since;
        let old: Vec<SaId> = peer.sas.iter().copied().filter(older).collect();
        let stale: Vec<_> = peer
            .children
            .iter()
            .copied()
            .filter(|child| self.children.get(child).map(|one| one.installed) < since)
            .collect();
        for child in stale {
            self.drop_child(child, ChildCloseReason::DeletedByPeer);
        }
        for id in old {
            self.on_sa_gone(id, CloseReason::Replaced);
        }
    }

    /// An encrypted informational message before phase 1 is over: who has the keys of message 5
    /// refuses it (an identity, a certificate).
    pub(super) fn on_early_informational(
        &mut self,
        id: SaId,
        path: Path,
        octets: &[u8],
    ) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let Phase::Negotiating(negotiation) = &mut sa.phase else {
            return Err(DropReason::UnexpectedState);
        };
        let secured = negotiation.secured.as_ref().filter(|_| negotiation.state.is_initiator());
        let secured = secured.ok_or(DropReason::UnexpectedState)?;
        let iv = secured.first_iv(message.header.message_id);
        let opened = secured.open(&message, &iv, HashOf::First).map_err(dropped)?;
        let payloads = Payloads::read(opened.payloads()).map_err(dropped)?;
        let error = payloads.notifications().find(|one| one.notify_type.is_error());
        let error = error.map(|one| one.notify_type).ok_or(DropReason::UnexpectedState)?;
        self.fail_phase_1(id, path, CloseReason::PeerNotify(error), None);
        Ok(())
    }
}

pub(super) fn dropped(fault: Fault) -> DropReason {
    match fault {
        Fault::Drop(reason) | Fault::Suspect(reason, _) => reason,
        Fault::Fail(..) => DropReason::Malformed,
    }
}
