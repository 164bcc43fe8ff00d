use vpn_core::DropCounters;
use vpn_core::SecretBytes;

use super::Endpoint;
use crate::PeerHandle;
use crate::PeerInfo;

/// How many there are of everything.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Peers that are up.
    pub peers: usize,
    /// Peers that we are connecting to.
    pub connecting: usize,
    /// IKE SAs in all, those that are being negotiated included.
    pub ike_sas: usize,
    /// Attempts of others that are under way.
    pub half_open: usize,
    /// Pairs of ESP SAs, old ones included.
    pub children: usize,
    /// Datagrams that wait to be sent.
    pub queued: usize,
    /// NAT keepalives that came.
    pub keepalives: u64,
}

impl Endpoint {
    /// How many there are of everything.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let up = self.peers.values().filter(|peer| peer.info.is_some()).count();
        Counts {
            peers: up,
            connecting: self.peers.len() - up,
            ike_sas: self.sas.len(),
            half_open: self.half_open.len(),
            children: self.children.len(),
            queued: self.output.len(),
            keepalives: self.keepalives,
        }
    }

    /// What was dropped, by reason.
    #[must_use]
    pub const fn drops(&self) -> &DropCounters {
        &self.drops
    }

    /// What is known of a peer that is up.
    #[must_use]
    pub fn peer(&self, peer: PeerHandle) -> Option<PeerInfo> {
        self.peers.get(&peer)?.info.clone()
    }

    /// The pre-shared key that a peer proved itself with; `None` where it has a certificate. Of two
    /// users with keys of their own each may claim the other's identity: the key tells them apart.
    #[must_use]
    pub fn psk_of(&self, peer: PeerHandle) -> Option<&SecretBytes> {
        self.peers.get(&peer)?.secret.as_ref()
    }

    /// The peers that are up, oldest first.
    pub fn peers(&self) -> impl Iterator<Item = PeerHandle> {
        self.peers.iter().filter(|(_, peer)| peer.info.is_some()).map(|(handle, _)| *handle)
    }
}
