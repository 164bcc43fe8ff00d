use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::net::SocketAddr;

use vpn_core::Instant;
use vpn_core::SecretBytes;

use crate::AuthMethod;
use crate::ChildHandle;
use crate::PeerHandle;
use crate::PeerInfo;
use crate::Selectors;
use crate::config::Policy;
use crate::event::Role;
use crate::handle::SaId;
use crate::identity::Identity;
use vpn_core::Path;

/// A peer: all SAs with one identity at one address and port.
pub(super) struct Peer {
    pub(super) role: Role,
    pub(super) policy: Arc<Policy>,
    /// Where its IKE goes.
    pub(super) path: Path,
    /// Local and remote address of NAT traversal.
    pub(super) nat_t: (SocketAddr, SocketAddr),
    /// What is known since it is up.
    pub(super) info: Option<PeerInfo>,
    /// What it authenticates with when we start an IKE SA anew.
    pub(super) secret: Option<SecretBytes>,
    pub(super) auth: AuthMethod,
    /// Its established IKE SAs, oldest first.
    pub(super) sas: Vec<SaId>,
    /// The one that new exchanges run under.
    pub(super) current: Option<SaId>,
    /// An IKE SA that we are negotiating.
    pub(super) negotiating: Option<SaId>,
    pub(super) children: BTreeSet<ChildHandle>,
    /// Pairs to be negotiated once there is an IKE SA.
    pub(super) waiting: Vec<Request>,
    /// When something authentic came last.
    pub(super) heard: Instant,
    /// When something was sent last.
    pub(super) sent: Instant,
    pub(super) probe: Probe,
    /// When an IKE SA is to be negotiated, since there is none.
    pub(super) renew_at: Option<Instant>,
    /// Until when new pairs wait for the IKE SA that is being negotiated, though there is one.
    pub(super) held_until: Option<Instant>,
    /// The deadline that is entered for it.
    pub(super) entered: Option<Instant>,
}

/// A pair that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) child: ChildHandle,
    pub(super) replaces: Option<ChildHandle>,
    pub(super) selectors: Selectors,
}

/// Dead Peer Detection (RFC 3706).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probe {
    /// The sequence number of the last R-U-THERE.
    pub(super) sequence: u32,
    /// How many are unanswered.
    pub(super) unanswered: u32,
    /// When the next one is due, while some are unanswered.
    pub(super) next: Option<Instant>,
}

/// What bundles the SAs of a peer: who it is, and from where. All of it, since two clients behind
/// one NAT may name themselves by the same private address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct BundleKey {
    pub(super) remote: SocketAddr,
    pub(super) identity: Identity,
}

impl BundleKey {
    /// Before every bundle of this address and port.
    pub(super) const fn before(remote: SocketAddr) -> Self {
        Self { remote, identity: Identity::Ipv4(Ipv4Addr::UNSPECIFIED) }
    }
}

impl Peer {
    pub(super) fn key(&self) -> Option<BundleKey> {
        let identity = self.info.as_ref()?.remote_id.clone();
        Some(BundleKey { identity, remote: self.path.remote })
    }

    /// When something has to be done for it.
    pub(super) fn deadline(&self, dpd_announced: bool) -> Option<Instant> {
        let keepalive = self.keepalive_at();
        let probe = match (self.policy.dpd, self.current) {
            (Some(dpd), Some(_)) if dpd_announced => {
                Some(self.probe.next.unwrap_or(self.heard + dpd.interval))
            }
            _ => None,
        };
        let held = self.held_until.filter(|_| !self.waiting.is_empty());
        [keepalive, probe, self.renew_at, held].into_iter().flatten().min()
    }

    /// When a NAT keepalive is due: it is the side behind a NAT that sends them (RFC 3948 §4).
    pub(super) fn keepalive_at(&self) -> Option<Instant> {
        let info = self.info.as_ref()?;
        let behind = info.nat.local && self.path.socket == vpn_core::Socket::NatT;
        behind.then(|| self.sent + self.policy.keepalive)
    }
}

/// A pair of ESP SAs.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) peer: PeerHandle,
    pub(super) inbound_spi: u32,
    pub(super) outbound_spi: u32,
    pub(super) selectors: Selectors,
    pub(super) replaces: Option<ChildHandle>,
    /// Who started its quick mode.
    pub(super) role: Role,
    pub(super) installed: Instant,
    /// Whether the peer is known to have it.
    pub(super) ready: bool,
    /// Whether ESP has come on it.
    pub(super) used: bool,
    /// When we renew it.
    pub(super) rekey_at: Option<Instant>,
    /// When it ends: its lifetime, or the time to receive on a pair that was replaced.
    pub(super) ends_at: Instant,
    /// The one that took its place.
    pub(super) replaced_by: Option<ChildHandle>,
    /// Whether a pair in its place is being negotiated.
    pub(super) rekeying: bool,
    pub(super) entered: Option<Instant>,
}

impl Child {
    pub(super) fn deadline(&self) -> Instant {
        self.rekey_at.map_or(self.ends_at, |rekey_at| rekey_at.min(self.ends_at))
    }

    /// What both sides know the pair by, the same for both.
    pub(super) fn name(&self) -> (u32, u32) {
        (self.inbound_spi.min(self.outbound_spi), self.inbound_spi.max(self.outbound_spi))
    }
}
