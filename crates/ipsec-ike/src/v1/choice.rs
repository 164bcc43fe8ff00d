//! The responder's choice, and the initiator's look at it, with our reasons.

use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::Display;
use core::time::Duration;

use super::fault::Fault;
use super::negotiation::Agreed;
use super::quick_mode::Context;
use crate::AuthMethod;
use crate::CloseReason;
use crate::ListsDiffer;
use crate::NotifyType;
use crate::config::Policy;
use crate::payload::SecurityAssociation;
use crate::proposal;
use crate::proposal::ChosenEsp;
use crate::proposal::ChosenIke;
use crate::proposal::EspPolicy;
use crate::proposal::IkePolicy;
use crate::proposal::Near;
use crate::proposal::NoProposal;
use crate::proposal::Unsupported;

/// Chooses for phase 1.
pub(super) fn choose_ike(
    offer: &[u8],
    policy: &Policy,
    methods: &[AuthMethod],
) -> Result<ChosenIke, Fault> {
    let sa = SecurityAssociation::decode(offer)?;
    let ours = IkePolicy { proposals: &policy.ike, methods };
    proposal::choose_ike(&sa, &ours).map_err(|none| {
        let reason = CloseReason::NoProposal(lists(&none));
        Fault::Fail(reason, Some(NotifyType::NO_PROPOSAL_CHOSEN))
    })
}

/// What was agreed on by the transform that both sides have now: for no longer than we want, and
/// for eight hours where it says nothing.
pub(super) fn agreed(chosen: &ChosenIke, policy: &Policy) -> Agreed {
    let ours = policy.lifetimes.ike;
    let lifetime = match chosen.lifetime.seconds {
        Some(seconds) => ours.min(Duration::from_secs(seconds)),
        None => ours,
    };
    Agreed { proposal: chosen.proposal, auth: chosen.auth, lifetime }
}

/// Chooses for phase 2. Clients have been seen to ask for plain transport mode where there is a
/// NAT and the other way round: what fits the path is preferred, and the other taken.
pub(super) fn choose_esp(offer: &[u8], context: &Context<'_>) -> Result<ChosenEsp, Fault> {
    let sa = SecurityAssociation::decode(offer)?;
    let groups: Vec<_> =
        context.tools.provider.ike.groups.iter().map(|group| group.group()).collect();
    let mut policy = EspPolicy {
        proposals: &context.policy.esp,
        groups: &groups,
        udp: context.floated,
        fingerprint: context.fingerprint,
    };
    let none = match proposal::choose_esp(&sa, &policy) {
        Ok(chosen) => return Ok(chosen),
        Err(none) => none,
    };
    policy.udp = !policy.udp;
    if let Some(chosen) =
        proposal::choose_esp(&sa, &policy).ok().filter(|_| context.nat_traversal())
    {
        return Ok(chosen);
    }
    let tunnel = |fault| matches!(fault, Some(Unsupported::NotTransport(_)));
    let reason = if none.theirs.iter().any(|one| tunnel(one.fault)) {
        CloseReason::TunnelModeOffered
    } else {
        CloseReason::NoChildProposal(lists(&none))
    };
    Err(Fault::Fail(reason, Some(NotifyType::NO_PROPOSAL_CHOSEN)))
}

fn lists<P: Display, O: Display>(none: &NoProposal<P, O>) -> ListsDiffer {
    let nearest = none.nearest.as_ref().map(|Near { offered, ours, differs }| {
        let differs = differs.join(" and ");
        alloc::format!("accept {offered} (it differs from {ours} in the {differs})")
    });
    ListsDiffer { ours: texts(&none.ours), theirs: texts(&none.theirs), nearest }
}

fn texts<T: Display>(list: &[T]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}
