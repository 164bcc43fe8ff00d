use alloc::vec::Vec;

use vpn_core::Instant;

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
use crate::EncapsulationMode;
use crate::ExchangeType;
use crate::Message;
use crate::PayloadType;
use crate::Selectors;
use crate::config::Policy;
use crate::event::Role;
use crate::payload::Nonce;
use crate::payload::SecurityAssociation;
use crate::proposal;
use crate::proposal::EspProposal;
use crate::proposal::Lifetime;
use crate::v1::fault::Fault;
use crate::v1::negotiation::Half;
use crate::v1::negotiation::NONCE_LEN;
use crate::v1::negotiation::SHORTEST_LIFETIME;
use crate::v1::negotiation::agree;
use crate::v1::negotiation::generate;
use crate::v1::negotiation::key_exchange;
use crate::v1::payloads::Payloads;
use crate::v1::secured::HashOf;

/// What a new pair is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) child: ChildHandle,
    pub(crate) replaces: Option<ChildHandle>,
    pub(crate) selectors: Selectors,
    /// The SPI that we receive on.
    pub(crate) spi: u32,
}

/// Starts a quick mode: returns it with message 1.
pub(crate) fn offer(
    context: &mut Context<'_>,
    wanted: Wanted,
    message_id: u32,
    over_at: Instant,
) -> Result<(QuickMode, Vec<u8>), Fault> {
    let policy = context.policy;
    let proposals = offered(policy);
    let mode = match context.nat.version {
        Some(version) if context.floated => version.udp_transport(),
        _ => EncapsulationMode::TRANSPORT,
    };
    let mut offer = Vec::new();
    let lifetime = policy.lifetimes.esp_lifetime();
    match policy.emulated {
        Some(profile) => profile.write_esp_offer(&mut offer, wanted.spi, mode),
        None => proposal::write_esp_offer(&mut offer, wanted.spi, &proposals, mode, lifetime),
    }
    let (private, public) = match proposals.first().and_then(|proposal| proposal.pfs) {
        Some(group) => {
            let exchange = key_exchange(context.tools, group)?;
            let (private, public) = generate(exchange, context.tools)?;
            (Some(private), public)
        }
        None => (None, Vec::new()),
    };
    let ours = Half { public, nonce: context.tools.bytes(NONCE_LEN)? };
    let (local, remote) = (context.path.local.ip(), context.path.remote.ip());
    let identities = selector::identities(wanted.selectors, local, remote);
    let kind = ExchangeType::QUICK_MODE;
    let first_iv = context.secured.first_iv(message_id);
    let (datagram, iv) =
        context.secured.seal(kind, message_id, &first_iv, HashOf::First, |builder| {
            builder.raw(PayloadType::SECURITY_ASSOCIATION, &offer);
            builder.raw(PayloadType::NONCE, &ours.nonce);
            if private.is_some() {
                builder.raw(PayloadType::KEY_EXCHANGE, &ours.public);
            }
            for identity in &identities {
                builder.raw(PayloadType::IDENTIFICATION, identity);
            }
            if let Some(version) = context.nat.version.filter(|_| context.floated) {
                write_nat_oa(version, local, remote, builder);
            }
        })?;
    let quick_mode = QuickMode {
        state: State::Message2Awaited,
        message_id,
        role: Role::Initiator,
        child: wanted.child,
        replaces: wanted.replaces,
        selectors: wanted.selectors,
        identities: Some(identities),
        spi: wanted.spi,
        mode,
        ours,
        private,
        theirs: Half::default(),
        iv,
        request: None,
        answered: None,
        over_at,
    };
    Ok((quick_mode, datagram))
}

/// The proposals that can stand in one message: there is one Key Exchange payload, so all have the
/// group of the first, or none.
pub(crate) fn offered(policy: &Policy) -> Vec<EspProposal> {
    let group = policy.esp.first().and_then(|proposal| proposal.pfs);
    policy.esp.iter().copied().filter(|proposal| proposal.pfs == group).collect()
}

impl QuickMode {
    /// Takes the responder's choice, and answers with message 3. The pair is whole then.
    pub(crate) fn on_message_2(
        &mut self,
        context: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<(Agreement, Vec<u8>), Fault> {
        let secured = context.secured;
        let opened = secured.open(message, &self.iv, HashOf::Second(&self.ours.nonce))?;
        // From here on it is the peer itself that speaks.
        let payloads = Payloads::read(opened.payloads())?;
        let body = payloads.one(PayloadType::SECURITY_ASSOCIATION, "its choice is missing")?;
        let not_offered = |_| Fault::Fail(CloseReason::ChoiceNotOffered, None);
        let sa = SecurityAssociation::decode(body)?;
        let offered = offered(context.policy);
        let chosen = proposal::accept_esp(&sa, &offered, self.mode).map_err(not_offered)?;
        let nonce = payloads.one(PayloadType::NONCE, "it sent no nonce")?;
        Nonce::decode(nonce)?;
        let public = public_value(&payloads, self.private.is_some())?;
        self.check_identities(&payloads)?;
        let shared = match (&self.private, chosen.proposal.pfs) {
            (Some(private), Some(group)) => {
                Some(agree(key_exchange(context.tools, group)?, private, &public)?)
            }
            _ => None,
        };
        self.theirs = Half { public, nonce: nonce.to_vec() };
        let suite = chosen.proposal.suite;
        let (inbound, outbound) = self.keys(secured, suite, chosen.spi, shared.as_ref());
        let ours = context.policy.lifetimes.esp_lifetime();
        let lifetime = responder_lifetime(&payloads)
            .into_iter()
            .fold(ours.shorter(chosen.lifetime), Lifetime::shorter);
        if lifetime.seconds.is_some_and(|seconds| seconds < SHORTEST_LIFETIME.as_secs()) {
            let time = core::time::Duration::from_secs(lifetime.seconds.unwrap_or(0));
            return Err(Fault::Fail(CloseReason::LifetimeTooShort(time), None));
        }
        let (kind, id) = (ExchangeType::QUICK_MODE, self.message_id);
        let hash = HashOf::Third(self.nonces());
        let (datagram, iv) = secured.seal(kind, id, &opened.next_iv, hash, |_| ())?;
        self.iv = iv;
        self.private = None;
        self.state = State::Done;
        let encapsulated = chosen.mode.is_udp();
        let nat_oa = read_nat_oa(&payloads, Role::Responder);
        let proposal = chosen.proposal;
        Ok((Agreement { proposal, inbound, outbound, encapsulated, lifetime, nat_oa }, datagram))
    }

    /// The responder must repeat our identities (RFC 2409 §5.5). One that narrows a port that we
    /// left open, or shows its address behind a NAT, is understood all the same.
    fn check_identities(&self, payloads: &Payloads<'_>) -> Result<(), Fault> {
        let Some(received) = selector::received(payloads)? else { return Ok(()) };
        let got = selector::selectors(Some(&received), Role::Initiator)?;
        let asked = self.selectors;
        let fits = |got: u16, asked: u16| got == asked || asked == 0;
        let protocol = fits(got.protocol.into(), asked.protocol.into());
        let ports =
            fits(got.local_port, asked.local_port) && fits(got.remote_port, asked.remote_port);
        if protocol && ports {
            Ok(())
        } else {
            Err(Fault::Fail(CloseReason::SelectorMismatch { by_peer: true }, None))
        }
    }
}

/// What the responder says about lifetimes (RFC 2407 §4.6.3.1).
fn responder_lifetime(payloads: &Payloads<'_>) -> Option<Lifetime> {
    let notification = payloads
        .notifications()
        .find(|one| one.notify_type == crate::NotifyType::RESPONDER_LIFETIME)?;
    let kind = PayloadType::NOTIFICATION;
    let attributes = crate::attribute::Attributes::decode(kind, notification.data).ok()?;
    Lifetime::from_notification(&attributes)
}
