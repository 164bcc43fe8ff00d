use alloc::vec::Vec;

use vpn_core::Instant;
use vpn_core::SecretBytes;

use super::Agreement;
use super::Context;
use super::QuickMode;
use super::State;
use super::public_value;
use super::read_nat_oa;
use super::selector;
use super::write_nat_oa;
use crate::ChildHandle;
use crate::CloseReason;
use crate::DecodeError;
use crate::ExchangeType;
use crate::Message;
use crate::NotifyType;
use crate::PayloadType;
use crate::ProtocolId;
use crate::event::Role;
use crate::payload::Nonce;
use crate::payload::Notification;
use crate::proposal::ChosenEsp;
use crate::proposal::Lifetime;
use crate::v1::choice::choose_esp;
use crate::v1::fault::Fault;
use crate::v1::negotiation::Half;
use crate::v1::negotiation::NONCE_LEN;
use crate::v1::negotiation::SHORTEST_LIFETIME;
use crate::v1::negotiation::agree;
use crate::v1::negotiation::generate;
use crate::v1::negotiation::key_exchange;
use crate::v1::payloads::Payloads;
use crate::v1::secured::HashOf;
use crate::v1::secured::Opened;
use crate::vendor::Fingerprint;

/// A quick mode that a peer started, with our message 2.
pub(crate) struct Answer {
    pub(crate) quick_mode: QuickMode,
    pub(crate) agreement: Agreement,
    pub(crate) datagram: Vec<u8>,
}

/// Takes message 1, whose hash was right, and answers with our choice.
pub(crate) fn answer(
    context: &mut Context<'_>,
    message: &Message<'_>,
    opened: &Opened,
    child: ChildHandle,
    spi: u32,
    over_at: Instant,
) -> Result<Answer, Fault> {
    let refuse = |reason, notify| Fault::Fail(reason, Some(notify));
    let malformed = |_: DecodeError| {
        let what = CloseReason::Malformed("its identities can't be read");
        refuse(what, NotifyType::INVALID_ID_INFORMATION)
    };
    let payloads = Payloads::read(opened.payloads())?;
    let offer = payloads.one(PayloadType::SECURITY_ASSOCIATION, "its proposals are missing")?;
    let nonce = payloads.one(PayloadType::NONCE, "it sent no nonce")?;
    Nonce::decode(nonce)?;
    let identities = selector::received(&payloads)?;
    let selectors = selector::selectors(identities.as_ref(), Role::Responder).map_err(malformed)?;
    if !context.policy.selector_policy.allows(selectors) {
        let reason = CloseReason::SelectorMismatch { by_peer: false };
        return Err(refuse(reason, NotifyType::INVALID_ID_INFORMATION));
    }
    let chosen = choose_esp(offer, context)?;
    if chosen.lifetime.seconds.is_some_and(|seconds| seconds < SHORTEST_LIFETIME.as_secs()) {
        let time = core::time::Duration::from_secs(chosen.lifetime.seconds.unwrap_or(0));
        let reason = CloseReason::LifetimeTooShort(time);
        return Err(refuse(reason, NotifyType::NO_PROPOSAL_CHOSEN));
    }
    let theirs = public_value(&payloads, chosen.proposal.pfs.is_some())?;
    let (public, shared) = exchange_keys(context, &chosen, &theirs)?;
    let mut quick_mode = QuickMode {
        state: State::Message3Awaited,
        message_id: message.header.message_id,
        role: Role::Responder,
        child,
        replaces: None,
        selectors,
        identities,
        spi,
        mode: chosen.mode,
        ours: Half { public, nonce: context.tools.bytes(NONCE_LEN)? },
        private: None,
        theirs: Half { public: theirs, nonce: nonce.to_vec() },
        iv: opened.next_iv,
        request: None,
        answered: None,
        over_at,
    };
    let suite = chosen.proposal.suite;
    let (inbound, outbound) = quick_mode.keys(context.secured, suite, chosen.spi, shared.as_ref());
    let ours = context.policy.lifetimes.esp_lifetime();
    let lifetime = ours.shorter(chosen.lifetime);
    let datagram = quick_mode.message_2(context, &chosen, lifetime)?;
    let encapsulated = chosen.mode.is_udp();
    let nat_oa = read_nat_oa(&payloads, Role::Initiator);
    let proposal = chosen.proposal;
    let agreement = Agreement { proposal, inbound, outbound, encapsulated, lifetime, nat_oa };
    Ok(Answer { quick_mode, agreement, datagram })
}

/// Our public value and the shared secret, where a new key exchange was agreed on.
fn exchange_keys(
    context: &mut Context<'_>,
    chosen: &ChosenEsp,
    theirs: &[u8],
) -> Result<(Vec<u8>, Option<SecretBytes>), Fault> {
    let Some(group) = chosen.proposal.pfs else { return Ok((Vec::new(), None)) };
    let exchange = key_exchange(context.tools, group)?;
    let (private, public) = generate(exchange, context.tools)?;
    let shared = agree(exchange, &private, theirs)?;
    Ok((public, Some(shared)))
}

impl QuickMode {
    fn message_2(
        &mut self,
        context: &Context<'_>,
        chosen: &ChosenEsp,
        lifetime: Lifetime,
    ) -> Result<Vec<u8>, Fault> {
        let mut choice = Vec::new();
        chosen.encode(self.spi, &mut choice);
        // The transform goes back as it came, so a shorter lifetime of ours is told apart
        // (RFC 2407 §4.5.4).
        let shorter = (lifetime != chosen.lifetime).then_some(lifetime);
        let (kind, id) = (ExchangeType::QUICK_MODE, self.message_id);
        let hash = HashOf::Second(&self.theirs.nonce);
        let (datagram, iv) = context.secured.seal(kind, id, &self.iv, hash, |builder| {
            builder.raw(PayloadType::SECURITY_ASSOCIATION, &choice);
            builder.raw(PayloadType::NONCE, &self.ours.nonce);
            if !self.ours.public.is_empty() {
                builder.raw(PayloadType::KEY_EXCHANGE, &self.ours.public);
            }
            for identity in self.identities.iter().flatten() {
                builder.raw(PayloadType::IDENTIFICATION, identity);
            }
            // Old Mac OS X stumbles over NAT-OA that it does not expect.
            let version = context.nat.version.filter(|_| chosen.mode.is_udp());
            if let Some(version) = version.filter(|_| context.fingerprint != Fingerprint::Apple) {
                let (local, remote) = (context.path.local.ip(), context.path.remote.ip());
                write_nat_oa(version, remote, local, builder);
            }
            if let Some(lifetime) = shorter {
                let mut attributes = Vec::new();
                lifetime.encode(&mut attributes);
                let notification = Notification {
                    protocol: ProtocolId::ESP,
                    notify_type: NotifyType::RESPONDER_LIFETIME,
                    spi: &self.spi.to_be_bytes(),
                    data: &attributes,
                };
                builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
            }
        })?;
        self.iv = iv;
        Ok(datagram)
    }

    /// Takes the proof that the initiator has the keys.
    pub(crate) fn on_message_3(
        &mut self,
        context: &Context<'_>,
        message: &Message<'_>,
    ) -> Result<(), Fault> {
        let opened = context.secured.open(message, &self.iv, HashOf::Third(self.nonces()))?;
        self.iv = opened.next_iv;
        self.state = State::Done;
        Ok(())
    }
}
