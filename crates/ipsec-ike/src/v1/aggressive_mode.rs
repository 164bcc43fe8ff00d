//! Aggressive mode with a pre-shared key, as responder only (RFC 2409 §5.4).
//!
//! ```text
//!   initiator                              responder
//!   1  HDR, SA, KE, Ni, IDii, VID…    ─▶
//!                                     ◀─   2  HDR, SA, KE, Nr, IDir, HASH_R, NAT-D, NAT-D, VID…
//!   3  HDR[*], HASH_I, NAT-D, NAT-D   ─▶
//! ```
//!
//! HASH_R goes out in clear to whoever asks: see
//! [`aggressive_psk_responder_weak`](crate::EndpointConfig::aggressive_psk_responder_weak).

use alloc::vec::Vec;

use vpn_core::DropReason;

use super::choice::agreed;
use super::choice::choose_ike;
use super::fault::Fault;
use super::negotiation::Context;
use super::negotiation::Negotiation;
use super::negotiation::Proven;
use super::negotiation::SHORTEST_LIFETIME;
use super::payloads::Payloads;
use super::peer_traits::PeerTraits;
use super::peer_traits::write_vendor_ids;
use super::phase_1::State;
use crate::AuthMethod;
use crate::Chain;
use crate::CloseReason;
use crate::Cookies;
use crate::ExchangeType;
use crate::Header;
use crate::Message;
use crate::MessageBuilder;
use crate::NotifyType;
use crate::PayloadType;
use crate::event::Role;
use crate::identity::Identity;
use crate::payload::Identification;
use crate::v1::main_mode::MAX_OFFER;

/// The most octets of a stranger's Identification payload: it is kept until the stranger proves it.
const MAX_IDENTITY: usize = 1_024;

/// Takes message 1. The answer needs the peer's key, so it comes later.
pub(crate) fn first(
    context: &mut Context<'_>,
    message: &Message<'_>,
    methods: &[AuthMethod],
) -> Result<Negotiation, Fault> {
    let payloads = Payloads::read(message.payloads())?;
    let offer = payloads.one(PayloadType::SECURITY_ASSOCIATION, "its proposals are missing")?;
    if offer.len() > MAX_OFFER {
        return Err(Fault::Drop(DropReason::TooLarge));
    }
    let body = payloads.one(PayloadType::IDENTIFICATION, "it did not say who it is")?;
    if body.len() > MAX_IDENTITY {
        return Err(Fault::Drop(DropReason::TooLarge));
    }
    let identification = Identification::decode(body)?;
    if !identification.is_of_phase_1() {
        return Err(Fault::malformed("its identity has a port that is not IKE's"));
    }
    let identity = Identity::from_payload(&identification);
    if !context.policy.remote_id.allows(&identity) {
        return Err(Fault::Fail(CloseReason::IdentityRejected(identity), None));
    }
    let traits = PeerTraits::read(&payloads, context.policy, offer);
    let chosen = choose_ike(offer, context.policy, methods)?;
    let agreed = agreed(&chosen, context.policy);
    if agreed.lifetime < SHORTEST_LIFETIME {
        let reason = CloseReason::LifetimeTooShort(agreed.lifetime);
        return Err(Fault::Fail(reason, Some(NotifyType::NO_PROPOSAL_CHOSEN)));
    }
    let cookies = Cookies { responder: context.tools.octets()?, ..message.header.cookies };
    let state = State::AggressiveMessage3Awaited;
    let mut negotiation = Negotiation::new(state, cookies, offer.to_vec(), traits);
    negotiation.agreed = Some(agreed);
    negotiation.claimed = body.to_vec();
    negotiation.take_half(context.tools, &payloads)?;
    chosen.encode(&mut negotiation.choice);
    Ok(negotiation)
}

impl Negotiation {
    /// Who the initiator said that it is, where it did before it proved it.
    pub(crate) fn claimed_identity(&self) -> Option<Identity> {
        Identification::decode(&self.claimed).ok().map(|claimed| Identity::from_payload(&claimed))
    }

    /// Answers message 1 with message 2, now that the peer's key is known. Only the first of
    /// several can be used, since the answer is made with it.
    pub(crate) fn answer_aggressive(
        &mut self,
        context: &mut Context<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let prf = self.prf(context.tools)?;
        let candidate = self.candidates.as_ref().and_then(|all| all.first()).cloned();
        let candidate = candidate.ok_or(Fault::Fail(CloseReason::NoCredentials, None))?;
        self.generate(context.tools)?;
        self.agree(context.tools)?;
        self.derive(prf, context, Some(&candidate.secret))?;
        let mut datagram = Vec::new();
        let header = Header::new(self.cookies, ExchangeType::AGGRESSIVE, 0);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        builder.raw(PayloadType::SECURITY_ASSOCIATION, &self.choice);
        self.write_half(prf, context.path, context.policy.encapsulation, &mut builder);
        self.write_proof(context, Role::Responder, &mut builder)?;
        write_vendor_ids(&mut builder, context.policy, Some(&self.traits));
        builder.finish()?;
        Ok(datagram)
    }

    /// Takes the initiator's proof, encrypted or not (RFC 2409 §5.4 leaves that open).
    pub(crate) fn on_aggressive_message_3(
        &mut self,
        context: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<Proven, Fault> {
        let mut body = message.body.to_vec();
        let mut next_iv = None;
        if message.header.is_encrypted() {
            let secured = self.secured()?;
            next_iv = Some(secured.cipher.decrypt(&secured.phase_1_iv, &mut body)?);
        }
        let payloads = Payloads::read(Chain::new(message.header.next_payload, &body))?;
        let hash = self.proof(Role::Initiator, &self.claimed)?;
        let proof = payloads.one(PayloadType::HASH, "it did not prove who it is")?;
        if !hash.ct_eq(proof) {
            let reason = CloseReason::PskMismatch { role: Role::Responder, tried: 1 };
            return Err(Fault::Suspect(DropReason::Unauthenticated, reason));
        }
        let prf = self.prf(context.tools)?;
        self.detect_nat(prf, context.path, &payloads);
        let remote_id = self.claimed_identity();
        let remote_id = remote_id.ok_or(Fault::malformed("it did not say who it is"))?;
        let local_id = self.local_id(context)?;
        let secured = self.secured()?;
        secured.phase_1_iv = next_iv.unwrap_or(secured.phase_1_iv);
        self.state = State::Established;
        // HASH_I does not cover it: in clear anybody may have added it (RFC 2407 §4.6.3).
        let initial_contact = message.header.is_encrypted() && payloads.has_initial_contact();
        Ok(Proven { local_id, remote_id, initial_contact })
    }
}
