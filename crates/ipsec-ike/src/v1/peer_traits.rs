use super::NatTraversal;
use super::payloads::Payloads;
use crate::Encapsulation;
use crate::MessageBuilder;
use crate::PayloadType;
use crate::config::Policy;
use crate::vendor::Fingerprint;
use crate::vendor::VendorId;

/// What the peer's Vendor ID payloads say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerTraits {
    /// The best document of NAT traversal that both sides know.
    pub(crate) nat_traversal: Option<NatTraversal>,
    /// Whether it answers R-U-THERE (RFC 3706 §5.1).
    pub(crate) dpd: bool,
    /// Whether it puts fragments together.
    pub(crate) fragmentation: bool,
    /// What it seems to run.
    pub(crate) fingerprint: Fingerprint,
}

impl PeerTraits {
    /// Before anything came.
    pub(crate) const fn unknown() -> Self {
        Self {
            nat_traversal: None,
            dpd: false,
            fragmentation: false,
            fingerprint: Fingerprint::Unknown,
        }
    }

    /// Reads message 1 or 2. `offer` is the SA payload of message 1, which says more about the
    /// sender; it is empty for message 2.
    pub(crate) fn read(payloads: &Payloads<'_>, policy: &Policy, offer: &[u8]) -> Self {
        let ids = || payloads.every(PayloadType::VENDOR_ID);
        let says = |wanted: VendorId| ids().any(|id| VendorId::recognise(id) == Some(wanted));
        let version = |known: &&NatTraversal| says(vendor_id(**known));
        let allowed = policy.encapsulation != Encapsulation::Never;
        Self {
            nat_traversal: NatTraversal::ALL.iter().find(version).copied().filter(|_| allowed),
            dpd: says(VendorId::DeadPeerDetection),
            fragmentation: policy.fragmentation && says(VendorId::Fragmentation),
            fingerprint: Fingerprint::guess(ids(), offer),
        }
    }
}

/// Adds what we can do: in message 1 everything, in the answer what the peer can do, too, and of
/// NAT traversal only the version that is used (RFC 3947 §3.1).
pub(crate) fn write_vendor_ids(
    builder: &mut MessageBuilder<'_>,
    policy: &Policy,
    peer: Option<&PeerTraits>,
) {
    if let (None, Some(profile)) = (peer, policy.emulated) {
        return profile.vendor_ids.iter().for_each(|id| {
            builder.raw(PayloadType::VENDOR_ID, id);
        });
    }
    let mut say = |id: VendorId| {
        builder.raw(PayloadType::VENDOR_ID, id.octets());
    };
    match peer {
        Some(peer) => peer.nat_traversal.iter().for_each(|version| say(vendor_id(*version))),
        None if policy.encapsulation == Encapsulation::Never => {}
        None => NatTraversal::ALL
            .iter()
            .filter(|version| **version != NatTraversal::Apple)
            .for_each(|version| say(vendor_id(*version))),
    }
    if policy.dpd.is_some() {
        say(VendorId::DeadPeerDetection);
    }
    if policy.fragmentation && peer.is_none_or(|peer| peer.fragmentation) {
        say(VendorId::Fragmentation);
    }
}

const fn vendor_id(version: NatTraversal) -> VendorId {
    match version {
        NatTraversal::Rfc3947 => VendorId::Rfc3947,
        NatTraversal::Draft03 => VendorId::NatTraversal03,
        NatTraversal::Draft02Newline => VendorId::NatTraversal02Newline,
        NatTraversal::Draft02 => VendorId::NatTraversal02,
        NatTraversal::Apple => VendorId::NatTraversalApple,
    }
}
