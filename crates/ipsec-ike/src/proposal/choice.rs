use alloc::vec::Vec;

use thiserror::Error;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use super::EspProposal;
use super::IkeProposal;
use super::Lifetime;
use super::Near;
use super::OfferedEsp;
use super::OfferedIke;
use super::Unsupported;
use super::esp::write_esp_transforms;
use super::ike::write_ike_transforms;
use crate::AuthMethod;
use crate::EncapsulationMode;
use crate::ProtocolId;
use crate::payload::SecurityAssociation;
use crate::payload::Transform;
use crate::vendor::Fingerprint;

/// What a responder agrees to in phase 1.
#[derive(Clone, Copy, Debug)]
pub struct IkePolicy<'a> {
    /// What may be used, best first.
    pub proposals: &'a [IkeProposal],
    /// How the sides may prove who they are, best first.
    pub methods: &'a [AuthMethod],
}

/// What a responder agrees to in phase 2.
#[derive(Clone, Copy, Debug)]
pub struct EspPolicy<'a> {
    /// What may be used, best first; [`Fingerprint::prefers`] moves some to the front.
    pub proposals: &'a [EspProposal],
    /// Diffie-Hellman groups that a peer may ask for where our list wants none. Any that can be
    /// computed will do: the keys are never weaker than without it.
    pub groups: &'a [DhGroup],
    /// Whether ESP goes in UDP.
    pub udp: bool,
    /// What the peer runs.
    pub fingerprint: Fingerprint,
}

/// What was chosen in phase 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChosenIke {
    /// The algorithms.
    pub proposal: IkeProposal,
    /// How both sides prove who they are.
    pub auth: AuthMethod,
    /// The lifetime that the transform names.
    pub lifetime: Lifetime,
    number: u8,
    transform: Vec<u8>,
}

impl ChosenIke {
    /// Appends the body of the SA payload that tells the initiator, with the proposal's number and
    /// the transform exactly as it was offered (RFC 2408 §4.2).
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_ike_transforms(out, self.number, &[&self.transform]);
    }
}

/// What was chosen in phase 2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChosenEsp {
    /// The algorithms, and the group if quick mode has a key exchange of its own.
    pub proposal: EspProposal,
    /// Transport mode, by the number that the initiator has for it.
    pub mode: EncapsulationMode,
    /// The lifetime that the transform names.
    pub lifetime: Lifetime,
    /// The SPI that the peer receives on.
    pub spi: u32,
    number: u8,
    transform: Vec<u8>,
}

impl ChosenEsp {
    /// Appends the body of the SA payload that tells the initiator, with the SPI that we receive on
    /// and the transform exactly as it was offered (RFC 2408 §4.2).
    pub fn encode(&self, spi: u32, out: &mut Vec<u8>) {
        write_esp_transforms(out, spi, self.number, &[&self.transform]);
    }
}

/// The sides have nothing in common.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("no common proposal")]
pub struct NoProposal<P, O> {
    /// What we would take, best first.
    pub ours: Vec<P>,
    /// What the peer offered, best first.
    pub theirs: Vec<O>,
    /// The pair that differs least, and in what.
    pub nearest: Option<Near<P>>,
}

/// Chooses for a responder of phase 1: the best of ours that the peer offers (RFC 2408 §4.2).
///
/// # Errors
/// [`NoProposal`].
pub fn choose_ike(
    sa: &SecurityAssociation<'_>,
    policy: &IkePolicy<'_>,
) -> Result<ChosenIke, NoProposal<IkeProposal, OfferedIke>> {
    let offers: Vec<(OfferedIke, u8, Transform<'_>)> = offered_ike(sa).collect();
    let pairs = policy
        .methods
        .iter()
        .flat_map(|method| policy.proposals.iter().map(move |proposal| (*method, *proposal)));
    for (method, ours) in pairs {
        let fits = |(offered, ..): &&(OfferedIke, u8, Transform<'_>)| {
            offered.auth == Some(method) && offered.proposal() == Ok(ours)
        };
        if let Some((offered, number, transform)) = offers.iter().find(fits) {
            return Ok(ChosenIke {
                proposal: ours,
                auth: method,
                lifetime: offered.lifetime,
                number: *number,
                transform: transform.octets.to_vec(),
            });
        }
    }
    let theirs: Vec<OfferedIke> = offers.into_iter().map(|(offered, ..)| offered).collect();
    let nearest = Near::of_ike(policy, &theirs);
    Err(NoProposal { ours: policy.proposals.to_vec(), theirs, nearest })
}

/// Every transform of phase 1, with the number of its proposal and its octets.
fn offered_ike<'a>(
    sa: &SecurityAssociation<'a>,
) -> impl Iterator<Item = (OfferedIke, u8, Transform<'a>)> + use<'a> {
    sa.proposals().flat_map(|proposal| {
        proposal.transforms().map(move |transform| {
            let mut offered = OfferedIke::read(&transform);
            if proposal.protocol != ProtocolId::ISAKMP {
                offered.fault = Some(Unsupported::Protocol);
            }
            (offered, proposal.number, transform)
        })
    })
}

/// Chooses for a responder of phase 2: the best of ours for this peer that it offers (RFC 2408
/// §4.2), in transport mode.
///
/// # Errors
/// [`NoProposal`]; look for [`Unsupported::NotTransport`] in what the peer offered.
pub fn choose_esp(
    sa: &SecurityAssociation<'_>,
    policy: &EspPolicy<'_>,
) -> Result<ChosenEsp, NoProposal<EspProposal, OfferedEsp>> {
    let offers: Vec<(OfferedEsp, Transform<'_>)> = OfferedEsp::all(sa)
        .map(|(mut offered, transform)| {
            let mode = offered.transport_mode(policy.udp);
            offered.fault = offered.fault.or(mode.err());
            (offered, transform)
        })
        .collect();
    let mut ours = policy.proposals.to_vec();
    ours.sort_by_key(|one| !policy.fingerprint.prefers(one.suite));
    for wanted in &ours {
        let chosen = offers.iter().find_map(|(offered, transform)| {
            let proposal = accepted(*wanted, offered.proposal().ok()?, policy.groups)?;
            Some(ChosenEsp {
                proposal,
                mode: offered.mode?,
                lifetime: offered.lifetime,
                spi: offered.spi,
                number: offered.proposal_number,
                transform: transform.octets.to_vec(),
            })
        });
        if let Some(chosen) = chosen {
            return Ok(chosen);
        }
    }
    let theirs: Vec<OfferedEsp> = offers.into_iter().map(|(offered, _)| offered).collect();
    let nearest = Near::of_esp(&ours, &theirs);
    Err(NoProposal { ours, theirs, nearest })
}

/// What both agree on if one of ours meets one of theirs.
pub(super) fn accepted(
    ours: EspProposal,
    theirs: EspProposal,
    groups: &[DhGroup],
) -> Option<EspProposal> {
    let group_fits = match (ours.pfs, theirs.pfs) {
        (Some(ours), theirs) => theirs == Some(ours),
        (None, Some(theirs)) => groups.contains(&theirs),
        (None, None) => true,
    };
    (group_fits && on_the_wire(ours.suite) == theirs.suite)
        .then_some(EspProposal { suite: ours.suite, pfs: theirs.pfs })
}

/// The suite that a peer reads from our numbers: HMAC-SHA-256 has one for both of its lengths.
const fn on_the_wire(suite: EspSuite) -> EspSuite {
    match suite {
        EspSuite::Separate(cipher, EspIntegrity::HmacSha2_256_96) => {
            EspSuite::Separate(cipher, EspIntegrity::HmacSha2_256_128)
        }
        other => other,
    }
}

/// A responder answered with something that was not offered.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BadChoice {
    /// Not exactly one proposal with exactly one transform (RFC 2408 §4.2).
    #[error("the peer chose more than one transform")]
    NotOne,
    /// It can't be used at all.
    #[error("the peer chose what can't be used: {0}")]
    Unsupported(#[from] Unsupported),
    /// We did not offer it.
    #[error("the peer chose what was not offered")]
    NotOffered,
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Result<T, BadChoice> {
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(BadChoice::NotOne),
    }
}

/// Checks for an initiator of phase 1 that what the responder chose was offered.
///
/// # Errors
/// [`BadChoice`].
pub fn accept_ike(
    sa: &SecurityAssociation<'_>,
    offered: &[IkeProposal],
    methods: &[AuthMethod],
) -> Result<ChosenIke, BadChoice> {
    let (chosen, number, transform) = only(offered_ike(sa))?;
    let proposal = chosen.proposal()?;
    let auth = chosen.auth.ok_or(Unsupported::Missing("authentication method"))?;
    if !offered.contains(&proposal) || !methods.contains(&auth) {
        return Err(BadChoice::NotOffered);
    }
    let transform = transform.octets.to_vec();
    Ok(ChosenIke { proposal, auth, lifetime: chosen.lifetime, number, transform })
}

/// Checks for an initiator of phase 2 that what the responder chose was offered, with the
/// encapsulation that was offered.
///
/// # Errors
/// [`BadChoice`].
pub fn accept_esp(
    sa: &SecurityAssociation<'_>,
    offered: &[EspProposal],
    mode: EncapsulationMode,
) -> Result<ChosenEsp, BadChoice> {
    let (chosen, transform) = only(OfferedEsp::all(sa))?;
    let theirs = chosen.proposal()?;
    let ours = offered
        .iter()
        .find(|ours| ours.pfs == theirs.pfs && on_the_wire(ours.suite) == theirs.suite);
    let proposal = *ours.ok_or(BadChoice::NotOffered)?;
    if chosen.transport_mode(mode.is_udp())? != mode {
        return Err(BadChoice::NotOffered);
    }
    Ok(ChosenEsp {
        proposal,
        mode,
        lifetime: chosen.lifetime,
        spi: chosen.spi,
        number: chosen.proposal_number,
        transform: transform.octets.to_vec(),
    })
}
