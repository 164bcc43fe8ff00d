use alloc::vec::Vec;

use vpn_core::DropReason;
use vpn_core::SecretBytes;

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
use crate::config::Candidate;
use crate::event::Role;
use crate::v1::auth::PskFound;
use crate::v1::auth::find_psk;
use crate::v1::choice::agreed;
use crate::v1::choice::choose_ike;
use crate::v1::cipher::Iv;
use crate::v1::fault::Fault;
use crate::v1::negotiation::Context;
use crate::v1::negotiation::Negotiation;
use crate::v1::negotiation::Proven;
use crate::v1::negotiation::SHORTEST_LIFETIME;
use crate::v1::payloads::Payloads;
use crate::v1::peer_traits::PeerTraits;
use crate::v1::peer_traits::write_vendor_ids;
use crate::v1::phase_1::State;
use crate::v1::secured::Secured;

/// The start of main mode with us as the responder.
pub(crate) struct FirstAnswer {
    pub(crate) negotiation: Negotiation,
    pub(crate) datagram: Vec<u8>,
}

/// The most octets of an SA payload of a stranger: it is kept until the keys are made of it.
/// Those of real clients have up to about 1,000.
pub(crate) const MAX_OFFER: usize = 3_072;

impl FirstAnswer {
    /// Takes message 1, and answers with our choice, message 2. There is no key exchange yet, and
    /// no more state than what the hashes need later.
    pub(crate) fn new(
        context: &mut Context<'_>,
        message: &Message<'_>,
        auth: &[AuthMethod],
    ) -> Result<Self, Fault> {
        let payloads = Payloads::read(message.payloads())?;
        let offer = payloads.one(PayloadType::SECURITY_ASSOCIATION, "its proposals are missing")?;
        if offer.len() > MAX_OFFER {
            return Err(Fault::Drop(DropReason::TooLarge));
        }
        let traits = PeerTraits::read(&payloads, context.policy, offer);
        let chosen = choose_ike(offer, context.policy, auth)?;
        let agreed = agreed(&chosen, context.policy);
        if agreed.lifetime < SHORTEST_LIFETIME {
            let reason = CloseReason::LifetimeTooShort(agreed.lifetime);
            return Err(Fault::Fail(reason, Some(NotifyType::NO_PROPOSAL_CHOSEN)));
        }
        let responder = context.tools.octets()?;
        let cookies = Cookies { responder, ..message.header.cookies };
        let mut datagram = Vec::new();
        let header = Header::new(cookies, ExchangeType::MAIN_MODE, 0);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        builder.payload(PayloadType::SECURITY_ASSOCIATION, |out| chosen.encode(out));
        write_vendor_ids(&mut builder, context.policy, Some(&traits));
        builder.finish()?;
        let state = State::Message3Awaited;
        let mut negotiation = Negotiation::new(state, cookies, offer.to_vec(), traits);
        negotiation.agreed = Some(agreed);
        Ok(Self { negotiation, datagram })
    }
}

impl Negotiation {
    /// Takes the initiator's public value, and answers with ours, message 4. The peer has shown
    /// our cookie, so it is where it says.
    pub(crate) fn on_message_3(
        &mut self,
        context: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let payloads = Payloads::read(message.payloads())?;
        let prf = self.prf(context.tools)?;
        self.take_half(context.tools, &payloads)?;
        self.generate(context.tools)?;
        self.detect_nat(prf, context.path, &payloads);
        let mut datagram = Vec::new();
        let header = Header::new(self.cookies, ExchangeType::MAIN_MODE, 0);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        self.write_half(prf, context.path, context.policy.encapsulation, &mut builder);
        self.write_certificate_requests(context.policy, &mut builder)?;
        builder.finish()?;
        self.state = State::Message5Awaited;
        Ok(datagram)
    }

    /// Takes the initiator's proof, with whichever of the keys fits, and answers with ours,
    /// message 6.
    pub(crate) fn on_message_5(
        &mut self,
        context: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<(Proven, Vec<u8>), Fault> {
        self.agree(context.tools)?;
        let body = if self.agreed()?.auth == AuthMethod::PRE_SHARED_KEY {
            self.open_with_candidates(context, message)?
        } else {
            self.open_with_signature(context, message)?
        };
        let payloads = Payloads::read(Chain::new(message.header.next_payload, &body))?;
        let remote_id = self.verify_proof(context, Role::Initiator, &payloads)?;
        let mut datagram = Vec::new();
        let header = Header::new(self.cookies, ExchangeType::MAIN_MODE, 0);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        let local_id = self.write_proof(context, Role::Responder, &mut builder)?;
        builder.finish()?;
        let secured = self.secured()?;
        secured.phase_1_iv = secured.cipher.encrypt(&secured.phase_1_iv, &mut datagram)?;
        self.state = State::Established;
        let initial_contact = payloads.has_initial_contact();
        Ok((Proven { local_id, remote_id, initial_contact }, datagram))
    }

    /// Decrypts message 5 with the pre-shared key that fits it. The keys are kept only if one does.
    fn open_with_candidates(
        &mut self,
        context: &Context<'_>,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let prf = self.prf(context.tools)?;
        let cipher = self.agreed()?.proposal.cipher;
        let crypto = context.tools.provider.ike.cipher(cipher);
        let crypto = crypto.ok_or(Fault::Fail(CloseReason::Internal("the cipher"), None))?;
        let candidates = self.candidates.as_deref().unwrap_or_default();
        let secrets: Vec<&SecretBytes> = candidates.iter().map(|one| &one.secret).collect();
        let tried = secrets.len();
        let exchanged = self.exchanged(prf);
        let first = message.header.next_payload;
        let found = find_psk(&exchanged, crypto, secrets, first, message.body);
        let Some(PskFound { candidate, keys, cipher, next_iv, payloads }) = found else {
            let reason = CloseReason::PskMismatch { role: Role::Responder, tried };
            return Err(Fault::Suspect(DropReason::Unauthenticated, reason));
        };
        self.check_only(candidates, candidate, first, &payloads)?;
        let cookies = self.cookies;
        self.fitting = candidate;
        self.secured = Some(Secured { cookies, prf, keys, cipher, phase_1_iv: next_iv });
        Ok(payloads)
    }

    /// A key that is for one identity is for no other, unless another has the same.
    fn check_only(
        &self,
        candidates: &[Candidate],
        fitting: usize,
        first: PayloadType,
        payloads: &[u8],
    ) -> Result<(), Fault> {
        let payloads = Payloads::read(Chain::new(first, payloads))?;
        let claimed = payloads.identity()?;
        let secret = candidates.get(fitting).map(|one| one.secret.expose()).unwrap_or_default();
        let mut same = candidates.iter().filter(|one| one.secret.ct_eq(secret));
        if same.any(|one| one.only.as_ref().is_none_or(|only| *only == claimed)) {
            return Ok(());
        }
        let refused = CloseReason::IdentityRejected(claimed);
        Err(Fault::Fail(refused, Some(NotifyType::INVALID_ID_INFORMATION)))
    }

    fn open_with_signature(
        &mut self,
        context: &Context<'_>,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let prf = self.prf(context.tools)?;
        self.derive(prf, context, None)?;
        let secured = self.secured()?;
        let mut body = message.body.to_vec();
        let next_iv: Iv = secured.cipher.decrypt(&secured.phase_1_iv, &mut body)?;
        // Noise ends here, before the IV moves.
        Payloads::read(Chain::new(message.header.next_payload, &body))?;
        secured.phase_1_iv = next_iv;
        Ok(body)
    }
}
