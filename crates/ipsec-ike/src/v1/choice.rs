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
use crate::proposal::Lifetime;
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
        None => ours.min(Duration::from_secs(Lifetime::DEFAULT_SECONDS)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cookies;
    use crate::EncapsulationMode;
    use crate::NatStatus;
    use crate::proposal::write_esp_offer;
    use crate::tools::Tools;
    use crate::v1::NatTraversal;
    use crate::v1::cipher::Iv;
    use crate::v1::cipher::MessageCipher;
    use crate::v1::keys::PublicValues;
    use crate::v1::keys::SkeyId;
    use crate::v1::secured::Secured;
    use crate::vendor::Fingerprint;
    use alloc::boxed::Box;
    use core::net::SocketAddr;
    use vpn_core::Path;
    use vpn_core::Socket;
    use vpn_core::crypto::Digest;
    use vpn_core::crypto::EspCipher;
    use vpn_core::crypto::HashAlgorithm;
    use vpn_netsim::SeededRandom;

    fn secured() -> Secured {
        let ike = vpn_crypto::provider().ike;
        let prf = ike.hash(HashAlgorithm::Sha1).unwrap();
        let digest = || Digest::new(&[7; 20]);
        let keys =
            SkeyId { skeyid: digest(), skeyid_d: digest(), skeyid_a: digest(), skeyid_e: digest() };
        let cipher = EspCipher::Aes128Cbc;
        let public = PublicValues { initiator: &[1], responder: &[2] };
        let phase_1_iv = Iv::phase_1(prf, cipher, public);
        let cipher = MessageCipher::new(ike.cipher(cipher).unwrap(), prf, &keys);
        Secured { cookies: Cookies::first([1; 8]), prf, keys, cipher, phase_1_iv }
    }

    /// What a responder with or without a NAT on the way makes of an offer.
    fn choose(
        mode: EncapsulationMode,
        floated: bool,
        version: Option<NatTraversal>,
    ) -> Result<EncapsulationMode, CloseReason> {
        let policy = Policy::default();
        let mut offer = Vec::new();
        let lifetime = policy.lifetimes.esp_lifetime();
        write_esp_offer(&mut offer, 0x1234, &policy.esp, mode, lifetime);
        let random = Box::new(SeededRandom::new(1));
        let mut tools = Tools::new(vpn_crypto::provider(), random);
        let address: SocketAddr = "192.0.2.1:4500".parse().unwrap();
        let context = Context {
            path: Path { socket: Socket::NatT, local: address, remote: address },
            policy: &policy,
            tools: &mut tools,
            secured: &secured(),
            nat: NatStatus { version, ..NatStatus::default() },
            floated,
            fingerprint: Fingerprint::Unknown,
        };
        match choose_esp(&offer, &context) {
            Ok(chosen) => Ok(chosen.mode),
            Err(Fault::Fail(reason, Some(NotifyType::NO_PROPOSAL_CHOSEN))) => Err(reason),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn transport_mode_by_all_its_numbers_and_tunnel_mode_by_none() {
        use EncapsulationMode as Mode;
        let rfc = Some(NatTraversal::Rfc3947);
        for mode in [Mode::UDP_TRANSPORT, Mode::UDP_TRANSPORT_DRAFT, Mode::TRANSPORT] {
            assert_eq!(choose(mode, true, rfc), Ok(mode));
            assert_eq!(choose(mode, false, rfc), Ok(mode));
        }
        assert_eq!(choose(Mode::TRANSPORT, false, None), Ok(Mode::TRANSPORT));
        let without = choose(Mode::UDP_TRANSPORT, false, None);
        assert!(matches!(without, Err(CloseReason::NoChildProposal(_))), "{without:?}");
        for mode in [Mode::TUNNEL, Mode::UDP_TUNNEL, Mode::UDP_TUNNEL_DRAFT] {
            let refused = choose(mode, true, rfc);
            assert_eq!(refused, Err(CloseReason::TunnelModeOffered));
            let text = refused.unwrap_err().explain();
            assert!(text.contains("type=transport"), "{text}");
        }
    }
}
