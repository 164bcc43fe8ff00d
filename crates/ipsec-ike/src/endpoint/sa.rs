use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::net::SocketAddr;

use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::SecretBytes;

use crate::Cookie;
use crate::Cookies;
use crate::Exchange;
use crate::NatStatus;
use crate::PeerHandle;
use crate::config::Policy;
use crate::event::Role;
use crate::fragment::Reassembly;
use crate::handle::SaId;
use crate::v1::negotiation::Agreed;
use crate::v1::negotiation::Negotiation;
use crate::v1::negotiation::Proven;
use crate::v1::peer_traits::PeerTraits;
use crate::v1::phase_1::State;
use crate::v1::quick_mode;
use crate::v1::quick_mode::QuickMode;
use crate::v1::repeat::Answered;
use crate::v1::repeat::Request;
use crate::v1::secured::Secured;

/// How many ids of informational exchanges are remembered.
const RECENT_INFORMATIONAL: usize = 64;

/// An IKE SA, from its first message on (RFC 2408 §2.1 calls it an ISAKMP SA).
pub(super) struct IkeSa {
    pub(super) id: SaId,
    pub(super) role: Role,
    pub(super) mode: Exchange,
    /// Where its messages go.
    pub(super) path: Path,
    /// Local and remote address of NAT traversal, for the change after message 4.
    pub(super) nat_t: (SocketAddr, SocketAddr),
    pub(super) policy: Arc<Policy>,
    /// The bundle: once it is up, or from the start where we connect or rekey.
    pub(super) peer: Option<PeerHandle>,
    pub(super) phase: Phase,
    /// Our message of phase 1 that awaits an answer.
    pub(super) request: Option<Request>,
    /// Their message of phase 1 that was answered last.
    pub(super) answered: Option<Answered>,
    pub(super) credit: Credit,
    pub(super) give_up_at: Instant,
    pub(super) reassembly: Reassembly,
    /// What it counts as while somebody else's attempt is under way.
    pub(super) half_open: Option<HalfOpenSource>,
    /// Whether anything came on the port of NAT traversal.
    pub(super) heard_on_nat_t: bool,
    /// The cookie of a first message that only asks whether that port is reached.
    pub(super) probe: Option<Cookie>,
    /// The deadline that is entered for it.
    pub(super) entered: Option<Instant>,
}

/// Where an attempt of somebody else comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct HalfOpenSource {
    /// The initiator's cookie.
    pub(super) cookie: Cookie,
    pub(super) remote: SocketAddr,
}

/// What phase 1 came to.
pub(super) struct Up {
    pub(super) proven: Proven,
    /// The pre-shared key that fitted.
    pub(super) secret: Option<SecretBytes>,
    pub(super) traits: PeerTraits,
    pub(super) nat: NatStatus,
    pub(super) agreed: Agreed,
    /// Whether ESP has to be wrapped in UDP.
    pub(super) floated: bool,
}

pub(super) enum Phase {
    Negotiating(Box<Negotiation>),
    Established(Box<Established>),
}

/// By message id.
pub(super) type QuickModes = BTreeMap<u32, QuickMode>;

/// What an established IKE SA needs.
pub(super) struct Established {
    pub(super) secured: Secured,
    pub(super) traits: PeerTraits,
    pub(super) nat: NatStatus,
    /// Whether ESP has to be wrapped in UDP.
    pub(super) floated: bool,
    pub(super) established: Instant,
    /// Whether it came in place of another.
    pub(super) renewal: bool,
    /// When we renew it.
    pub(super) rekey_at: Option<Instant>,
    pub(super) expires_at: Instant,
    /// When we delete it, since a newer one took its place.
    pub(super) delete_at: Option<Instant>,
    /// Quick modes under way, and those that are done and may be asked for once more.
    pub(super) quick_modes: QuickModes,
    /// The message ids of all quick modes that there were: an old one that comes back must not
    /// make a pair again (RFC 2408 §3.1).
    quick_ids: BTreeSet<u32>,
    informational_ids: VecDeque<u32>,
    /// The last sequence number of a R-U-THERE of the peer.
    pub(super) dpd_received: Option<u32>,
}

impl Established {
    pub(super) fn new(secured: Secured, up: &Up, now: Instant, rekey_at: Instant) -> Self {
        Self {
            secured,
            traits: up.traits,
            nat: up.nat,
            floated: up.floated,
            established: now,
            renewal: false,
            rekey_at: Some(rekey_at),
            expires_at: now + up.agreed.lifetime,
            delete_at: None,
            quick_modes: QuickModes::new(),
            quick_ids: BTreeSet::new(),
            informational_ids: VecDeque::new(),
            dpd_received: None,
        }
    }

    /// Whether a quick mode with this id was there before; it was from now on.
    pub(super) fn is_used(&self, message_id: u32) -> bool {
        self.quick_ids.contains(&message_id)
    }

    pub(super) fn use_id(&mut self, message_id: u32) {
        self.quick_ids.insert(message_id);
    }

    /// How many quick modes there were.
    pub(super) fn used_ids(&self) -> usize {
        self.quick_ids.len()
    }

    /// Whether an informational message is one of the latest ones.
    pub(super) fn is_recent(&self, message_id: u32) -> bool {
        self.informational_ids.contains(&message_id)
    }

    pub(super) fn note_informational(&mut self, message_id: u32) {
        if self.informational_ids.len() >= RECENT_INFORMATIONAL {
            self.informational_ids.pop_front();
        }
        self.informational_ids.push_back(message_id);
    }

    /// How many quick modes wait for a message.
    pub(super) fn under_way(&self) -> usize {
        self.quick_modes.values().filter(|one| one.state != quick_mode::State::Done).count()
    }

    fn deadline(&self) -> Option<Instant> {
        let quick_modes = self.quick_modes.values().flat_map(|one| {
            let request = one.request.as_ref().map(Request::deadline);
            [request, Some(one.over_at)]
        });
        quick_modes.chain([self.rekey_at, self.delete_at, Some(self.expires_at)]).flatten().min()
    }
}

impl IkeSa {
    pub(super) fn cookies(&self) -> Cookies {
        match &self.phase {
            Phase::Negotiating(negotiation) => negotiation.cookies,
            Phase::Established(established) => established.secured.cookies,
        }
    }

    /// Whether the peer puts fragments together.
    pub(super) fn fragmentation(&self) -> bool {
        self.policy.fragmentation
            && match &self.phase {
                Phase::Negotiating(negotiation) => negotiation.traits.fragmentation,
                Phase::Established(established) => established.traits.fragmentation,
            }
    }

    /// Whether fragments of the peer are kept: its address must be proven, which in aggressive mode
    /// it is at the end.
    pub(super) fn takes_fragments(&self) -> bool {
        let unproven = match &self.phase {
            Phase::Negotiating(negotiation) => {
                negotiation.state == State::Message3Awaited || self.mode == Exchange::AggressiveMode
            }
            Phase::Established(_) => false,
        };
        self.policy.fragmentation && !unproven
    }

    /// What its state machine is in, for traces.
    pub(super) fn state(&self) -> &'static str {
        match &self.phase {
            Phase::Negotiating(negotiation) => negotiation.state.name(),
            Phase::Established(_) => "established",
        }
    }

    /// Whether a quick mode is under way.
    pub(super) fn has_quick_mode(&self) -> bool {
        self.established().is_some_and(|established| established.under_way() > 0)
    }

    pub(super) fn established(&self) -> Option<&Established> {
        match &self.phase {
            Phase::Established(established) => Some(established),
            Phase::Negotiating(_) => None,
        }
    }

    pub(super) fn established_mut(&mut self) -> Option<&mut Established> {
        match &mut self.phase {
            Phase::Established(established) => Some(established),
            Phase::Negotiating(_) => None,
        }
    }

    pub(super) fn negotiation_mut(&mut self) -> Option<&mut Negotiation> {
        match &mut self.phase {
            Phase::Negotiating(negotiation) => Some(negotiation),
            Phase::Established(_) => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Negotiating(_) => {
                let request = self.request.as_ref().map(Request::deadline);
                request.into_iter().chain([self.give_up_at]).min()
            }
            Phase::Established(established) => established.deadline(),
        };
        phase.into_iter().chain(self.reassembly.poll_timeout()).min()
    }
}

/// How much may still be sent to an address that nobody has vouched for: three times what came
/// from there (CVE-2016-5361, VU#419128).
#[derive(Clone, Copy, Debug)]
pub(super) enum Credit {
    /// So many octets.
    Octets(usize),
    /// The peer is authenticated, or it is we who began.
    Unlimited,
}

impl Credit {
    pub(super) const fn first(received: usize) -> Self {
        Self::Octets(received.saturating_mul(3))
    }

    pub(super) fn received(&mut self, octets: usize) {
        if let Self::Octets(credit) = self {
            *credit = credit.saturating_add(octets.saturating_mul(3));
        }
    }

    /// Whether so many octets may be sent; if so they are spent.
    pub(super) fn spend(&mut self, octets: usize) -> bool {
        match self {
            Self::Unlimited => true,
            Self::Octets(credit) => match credit.checked_sub(octets) {
                Some(left) => {
                    *credit = left;
                    true
                }
                None => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stranger's first message costs: this, its proposals, and our short answer.
    #[test]
    fn a_half_open_sa_is_small() {
        let octets = size_of::<IkeSa>() + size_of::<Negotiation>();
        assert!(octets <= 2_048, "{octets}");
    }

    #[test]
    fn credit_is_three_times_what_came() {
        let mut credit = Credit::first(10);
        assert!(credit.spend(30) && !credit.spend(1));
        credit.received(1);
        assert!(!credit.spend(4) && credit.spend(3));
        credit.received(usize::MAX);
        assert!(credit.spend(1_000_000), "it saturates");
        assert!(Credit::Unlimited.spend(usize::MAX));
    }
}
