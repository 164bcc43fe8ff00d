//! Quick mode (RFC 2409 §5.5): three messages under an IKE SA that agree on a pair of ESP SAs.
//!
//! ```text
//!   initiator                                              responder
//!   1  HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr] [, NAT-OA, NAT-OA]  ─▶
//!      ◀─  2  HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr] [, NAT-OA, NAT-OA] [, N]
//!   3  HDR*, HASH(3)  ─▶
//! ```
//!
//! The responder can receive on the new pair before message 2 goes out, and sends on it when
//! message 3 or the first ESP packet shows that the initiator has it.

mod initiator;
mod responder;
mod selector;
mod state;

pub(crate) use initiator::Wanted;
pub(crate) use initiator::offer;
pub(crate) use initiator::offered;
pub(crate) use responder::Answer;
pub(crate) use responder::answer;
pub(crate) use state::Action;
pub(crate) use state::Event;
pub(crate) use state::State;
pub(crate) use state::step;

use alloc::vec::Vec;
use core::net::IpAddr;

use vpn_core::Path;
use vpn_core::SecretBytes;
use vpn_core::crypto::EspSuite;

use super::NatTraversal;
use super::cipher::Iv;
use super::fault::Fault;
use super::keys::KeymatSeed;
use super::keys::Nonces;
use super::negotiation::Half;
use super::payloads::Payloads;
use super::repeat::Answered;
use super::repeat::Request;
use super::secured::Secured;
use crate::ChildHandle;
use crate::ChildKeys;
use crate::EncapsulationMode;
use crate::MessageBuilder;
use crate::NatOa;
use crate::NatStatus;
use crate::PayloadType;
use crate::ProtocolId;
use crate::Selectors;
use crate::config::Policy;
use crate::event::Role;
use crate::payload::NatOriginalAddress;
use crate::proposal::EspProposal;
use crate::proposal::Lifetime;
use crate::tools::Tools;
use crate::vendor::Fingerprint;

/// What a quick mode is told about the IKE SA that it runs under.
pub(crate) struct Context<'a> {
    pub(crate) path: Path,
    pub(crate) policy: &'a Policy,
    pub(crate) tools: &'a mut Tools,
    pub(crate) secured: &'a Secured,
    pub(crate) nat: NatStatus,
    /// Whether ESP has to be wrapped in UDP.
    pub(crate) floated: bool,
    pub(crate) fingerprint: Fingerprint,
}

impl Context<'_> {
    /// Whether both sides know NAT traversal.
    pub(crate) fn nat_traversal(&self) -> bool {
        self.nat.version.is_some()
    }
}

/// One quick mode under way.
pub(crate) struct QuickMode {
    pub(crate) state: State,
    pub(crate) message_id: u32,
    pub(crate) role: Role,
    pub(crate) child: ChildHandle,
    pub(crate) replaces: Option<ChildHandle>,
    /// What the pair carries, seen from us.
    pub(crate) selectors: Selectors,
    /// IDci_b and IDcr_b as they were sent.
    pub(crate) identities: Option<[Vec<u8>; 2]>,
    /// The SPI that we receive on.
    pub(crate) spi: u32,
    /// How packets are wrapped, as we offered it.
    mode: EncapsulationMode,
    ours: Half,
    private: Option<SecretBytes>,
    theirs: Half,
    /// The IV of the next message.
    pub(crate) iv: Iv,
    /// Our message that awaits an answer.
    pub(crate) request: Option<Request>,
    /// Their message that was answered last.
    pub(crate) answered: Option<Answered>,
    /// When it was done, or when it is given up.
    pub(crate) over_at: vpn_core::Instant,
}

/// What quick mode agreed on.
#[derive(Debug)]
pub(crate) struct Agreement {
    pub(crate) proposal: EspProposal,
    pub(crate) inbound: ChildKeys,
    pub(crate) outbound: ChildKeys,
    pub(crate) encapsulated: bool,
    pub(crate) lifetime: Lifetime,
    pub(crate) nat_oa: NatOa,
}

impl QuickMode {
    fn nonces(&self) -> Nonces<'_> {
        let (initiator, responder) = match self.role {
            Role::Initiator => (&self.ours.nonce, &self.theirs.nonce),
            Role::Responder => (&self.theirs.nonce, &self.ours.nonce),
        };
        Nonces { initiator, responder }
    }

    /// The keys of both directions: each SPI is its receiver's choice.
    fn keys(
        &self,
        secured: &Secured,
        suite: EspSuite,
        outbound_spi: u32,
        shared: Option<&SecretBytes>,
    ) -> (ChildKeys, ChildKeys) {
        let keys = |spi| {
            let seed = KeymatSeed {
                shared_secret: shared.map(SecretBytes::expose),
                protocol: ProtocolId::ESP,
                spi,
                nonces: self.nonces(),
            };
            let keymat = secured.keys.keymat(secured.prf, &seed, suite.keymat_len());
            ChildKeys { spi, keymat }
        };
        (keys(self.spi), keys(outbound_spi))
    }
}

/// Adds the NAT-OA payloads: the initiator's address, then the responder's, as we see them
/// (RFC 3947 §5.2).
fn write_nat_oa(
    version: NatTraversal,
    initiator: IpAddr,
    responder: IpAddr,
    builder: &mut MessageBuilder<'_>,
) {
    for address in [initiator, responder] {
        let original = NatOriginalAddress(address);
        builder.payload(version.nat_oa(), |out| original.encode(out));
    }
}

/// Reads none, one or two NAT-OA payloads: the first is the initiator's address. A single one of a
/// draft is the sender's own.
fn read_nat_oa(payloads: &Payloads<'_>, sender: Role) -> NatOa {
    let mut all = payloads
        .matching(PayloadType::is_nat_oa)
        .filter_map(|body| NatOriginalAddress::decode(body).ok())
        .map(|original| original.0);
    match (all.next(), all.next(), sender) {
        (None, _, _) => NatOa::default(),
        (initiator, None, Role::Initiator) => NatOa { initiator, responder: None },
        (responder, None, Role::Responder) => NatOa { initiator: None, responder },
        (initiator, responder, _) => NatOa { initiator, responder },
    }
}

/// The public value of the peer where a new key exchange was agreed on, and only there.
fn public_value(payloads: &Payloads<'_>, wanted: bool) -> Result<Vec<u8>, Fault> {
    match (payloads.at_most_one(PayloadType::KEY_EXCHANGE)?, wanted) {
        (Some(public), true) => Ok(public.to_vec()),
        (None, false) => Ok(Vec::new()),
        (None, true) => Err(Fault::malformed("it sent no public value for the group it chose")),
        (Some(_), false) => Err(Fault::malformed("it sent a public value without a group")),
    }
}
