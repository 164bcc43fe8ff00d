use vpn_core::Instant;

use super::Endpoint;
use super::Wakeup;
use crate::ChildHandle;
use crate::PeerHandle;
use crate::handle::SaId;

impl Endpoint {
    /// Tells the endpoint what time it is.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        while let Some(wakeup) = self.deadlines.pop_due(now) {
            match wakeup {
                Wakeup::Sa(id) => {
                    if let Some(sa) = self.sas.get_mut(&id) {
                        sa.entered = None;
                    }
                    self.on_sa_due(id);
                    self.settle_sa(id);
                }
                Wakeup::Peer(peer) => {
                    if let Some(peer) = self.peers.get_mut(&peer) {
                        peer.entered = None;
                    }
                    self.on_peer_due(peer);
                    self.settle_peer(peer);
                }
                Wakeup::Child(child) => {
                    if let Some(child) = self.children.get_mut(&child) {
                        child.entered = None;
                    }
                    self.on_child_due(child);
                    self.settle_child(child);
                }
            }
        }
    }

    /// Brings the entry of an SA among the deadlines up to date. Whatever touches an SA ends here.
    pub(super) fn settle_sa(&mut self, id: SaId) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let deadline = sa.deadline();
        let peer = sa.peer;
        self.deadlines.update(Wakeup::Sa(id), sa.entered, deadline);
        sa.entered = deadline;
        if let Some(peer) = peer {
            self.settle_peer(peer);
        }
    }

    /// The same for a peer. A deadline that only moves back stays where it is entered: waking up
    /// early costs less than entering it anew with every datagram.
    pub(super) fn settle_peer(&mut self, handle: PeerHandle) {
        let announced = self.dpd_announced(handle);
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        let deadline = peer.deadline(announced);
        let earlier = match (peer.entered, deadline) {
            (Some(entered), Some(deadline)) => deadline < entered,
            _ => true,
        };
        if earlier {
            self.deadlines.update(Wakeup::Peer(handle), peer.entered, deadline);
            peer.entered = deadline;
        }
    }

    /// The same for a pair.
    pub(super) fn settle_child(&mut self, handle: ChildHandle) {
        let Some(child) = self.children.get_mut(&handle) else { return };
        let deadline = Some(child.deadline());
        self.deadlines.update(Wakeup::Child(handle), child.entered, deadline);
        child.entered = deadline;
    }
}
