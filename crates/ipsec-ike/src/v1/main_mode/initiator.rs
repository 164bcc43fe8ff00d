use alloc::vec::Vec;

use crate::AuthMethod;
use crate::CloseReason;
use crate::Cookies;
use crate::Encapsulation;
use crate::ExchangeType;
use crate::Header;
use crate::Message;
use crate::MessageBuilder;
use crate::PayloadType;
use crate::event::Role;
use crate::payload::SecurityAssociation;
use crate::proposal;
use crate::v1::choice::agreed;
use crate::v1::fault::Fault;
use crate::v1::negotiation::Context;
use crate::v1::negotiation::Negotiation;
use crate::v1::negotiation::Proven;
use crate::v1::negotiation::SHORTEST_LIFETIME;
use crate::v1::payloads::Payloads;
use crate::v1::peer_traits::PeerTraits;
use crate::v1::peer_traits::write_vendor_ids;
use crate::v1::phase_1::State;

/// The start of main mode on our side.
pub(crate) struct FirstMessage {
    pub(crate) negotiation: Negotiation,
    pub(crate) datagram: Vec<u8>,
}

impl FirstMessage {
    /// Builds message 1: every proposal of the policy, and what else we can do.
    pub(crate) fn new(
        context: &mut Context<'_>,
        cookies: Cookies,
        auth: AuthMethod,
    ) -> Result<Self, Fault> {
        let policy = context.policy;
        let mut offer = Vec::new();
        let lifetime = policy.lifetimes.ike_lifetime();
        match policy.emulated {
            Some(profile) => profile.write_ike_offer(&mut offer),
            None => proposal::write_ike_offer(&mut offer, &policy.ike, &[auth], lifetime),
        }
        let mut datagram = Vec::new();
        let header = Header::new(cookies, ExchangeType::MAIN_MODE, 0);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        builder.raw(PayloadType::SECURITY_ASSOCIATION, &offer);
        write_vendor_ids(&mut builder, policy, None);
        builder.finish()?;
        let traits = PeerTraits::unknown();
        let negotiation = Negotiation::new(State::Message2Awaited, cookies, offer, traits);
        Ok(Self { negotiation, datagram })
    }
}

impl Negotiation {
    /// Takes the responder's choice, and answers with message 3.
    pub(crate) fn on_message_2(
        &mut self,
        context: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, Fault> {
        // Where cookies and public values are the same, HASH_R is HASH_I.
        if message.header.cookies.responder == self.cookies.initiator {
            return Err(Fault::malformed("its cookie is our own"));
        }
        let payloads = Payloads::read(message.payloads())?;
        let body = payloads.one(PayloadType::SECURITY_ASSOCIATION, "its choice is missing")?;
        let sa = SecurityAssociation::decode(body)?;
        let method = match &self.candidates {
            Some(_) => AuthMethod::PRE_SHARED_KEY,
            None => AuthMethod::RSA_SIGNATURES,
        };
        let chosen = proposal::accept_ike(&sa, &context.policy.ike, &[method])
            .map_err(|_| Fault::suspect(CloseReason::ChoiceNotOffered))?;
        let agreed = agreed(&chosen, context.policy);
        if agreed.lifetime < SHORTEST_LIFETIME {
            return Err(Fault::suspect(CloseReason::LifetimeTooShort(agreed.lifetime)));
        }
        // What the first message is taken for stays unchanged until the last check is passed.
        self.traits = PeerTraits::read(&payloads, context.policy, &[]);
        self.agreed = Some(agreed);
        self.cookies.responder = message.header.cookies.responder;
        self.generate(context.tools)?;
        let datagram = self.message_3(context)?;
        self.state = State::Message4Awaited;
        Ok(datagram)
    }

    fn message_3(&self, context: &Context<'_>) -> Result<Vec<u8>, Fault> {
        let prf = self.prf(context.tools)?;
        let mut datagram = Vec::new();
        let header = Header::new(self.cookies, ExchangeType::MAIN_MODE, 0);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        self.write_half(prf, context.path, context.policy.encapsulation, &mut builder);
        self.write_certificate_requests(context.policy, &mut builder)?;
        builder.finish()?;
        Ok(datagram)
    }

    /// Takes the responder's public value, derives the keys, and answers with message 5.
    pub(crate) fn on_message_4(
        &mut self,
        context: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let payloads = Payloads::read(message.payloads())?;
        let prf = self.prf(context.tools)?;
        self.take_half(context.tools, &payloads)?;
        self.agree(context.tools)?;
        self.detect_nat(prf, context.path, &payloads);
        if self.agreed()?.auth == AuthMethod::PRE_SHARED_KEY {
            let candidate = self.candidates.as_ref().and_then(|all| all.first()).cloned();
            let candidate = candidate.ok_or(Fault::Fail(CloseReason::NoCredentials, None))?;
            self.derive(prf, context, Some(&candidate.secret))?;
        } else {
            self.derive(prf, context, None)?;
        }
        let mut datagram = Vec::new();
        let header = Header::new(self.cookies, ExchangeType::MAIN_MODE, 0);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        self.write_proof(context, Role::Initiator, &mut builder)?;
        builder.finish()?;
        let secured = self.secured()?;
        secured.phase_1_iv = secured.cipher.encrypt(&secured.phase_1_iv, &mut datagram)?;
        self.state = State::Message6Awaited;
        Ok(datagram)
    }

    /// Takes the responder's proof.
    pub(crate) fn on_message_6(
        &mut self,
        context: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<Proven, Fault> {
        let mut body = message.body.to_vec();
        let secured = self.secured()?;
        let next_iv = secured.cipher.decrypt(&secured.phase_1_iv, &mut body)?;
        let chain = crate::Chain::new(message.header.next_payload, &body);
        let payloads = Payloads::read(chain).map_err(|_| {
            // The first thing that a wrong key shows.
            Fault::suspect(CloseReason::PskMismatch { role: Role::Initiator, tried: 1 })
        })?;
        let remote_id = self.verify_proof(context, Role::Responder, &payloads)?;
        let local_id = self.local_id(context)?;
        self.secured()?.phase_1_iv = next_iv;
        self.state = State::Established;
        let initial_contact = payloads.has_initial_contact();
        Ok(Proven { local_id, remote_id, initial_contact })
    }

    /// The port that message 5 goes to (RFC 3947 §4).
    pub(crate) fn floats_now(&self, encapsulation: Encapsulation) -> bool {
        self.state == State::Message6Awaited && self.floats(encapsulation)
    }
}
