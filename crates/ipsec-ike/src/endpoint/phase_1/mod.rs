//! Phase 1 of every SA: what the state table asks for, done.

mod end;
mod first;

pub(super) use end::rekey_after;

use alloc::vec::Vec;

use vpn_core::DropReason;
use vpn_core::Path;
use vpn_core::Socket;

use crate::AuthMethod;
use crate::CloseReason;
use crate::CredentialsTicket;
use crate::Event;
use crate::Exchange;
use crate::ExchangeType;
use crate::Message;
use crate::NotifyType;
use crate::config::Candidate;
use crate::endpoint::Endpoint;
use crate::endpoint::output::Sending;
use crate::endpoint::sa::Credit;
use crate::endpoint::sa::IkeSa;
use crate::endpoint::sa::Phase;
use crate::handle::SaId;
use crate::v1::fault::Fault;
use crate::v1::negotiation::Context;
use crate::v1::negotiation::Negotiation;
use crate::v1::negotiation::Proven;
use crate::v1::phase_1;
use crate::v1::phase_1::Action;
use crate::v1::phase_1::State;
use crate::v1::repeat::Answered;
use crate::v1::repeat::Request;

/// The most octets of a message that is held, and decrypted with one pre-shared key after the other.
/// Real ones have under 1,500: there are no certificates in them.
const MAX_PSK_MESSAGE: usize = 8_192;

/// What a message of phase 1 led to.
enum Outcome {
    Answer(Vec<u8>),
    Proven(Proven, Option<Vec<u8>>),
}

impl Endpoint {
    /// Takes a message of phase 1 of an SA that is there.
    pub(in crate::endpoint) fn on_phase_1(
        &mut self,
        id: SaId,
        path: Path,
        octets: &[u8],
        message: &Message<'_>,
    ) -> Result<(), DropReason> {
        let sa = self.sas.get(&id).ok_or(DropReason::UnknownTunnel)?;
        let provider = self.tools.provider;
        let repeated = sa.answered.as_ref().is_some_and(|one| one.is_of(provider, octets));
        if !repeated && message.header.cookies.is_first() {
            // Another first message with the same cookie. It must not pass for message 3, which
            // has to show ours.
            return Err(DropReason::Duplicate);
        }
        let event = match (repeated, message.header.exchange_type) {
            (true, _) => phase_1::Event::Repeated,
            (false, ExchangeType::AGGRESSIVE) => phase_1::Event::Aggressive,
            _ if message.header.is_encrypted() => phase_1::Event::MainModeEncrypted,
            _ => phase_1::Event::MainModeClear,
        };
        let state = match &sa.phase {
            Phase::Negotiating(negotiation) => negotiation.state,
            Phase::Established(_) => State::Established,
        };
        match phase_1::step(state, event) {
            // To nobody else, as long as the peer is not proven.
            Action::RepeatAnswer if sa.half_open.is_some() && sa.path.remote != path.remote => {
                Err(DropReason::WrongPeer)
            }
            // What comes on port 500 after the change is old (RFC 3947 §4).
            Action::RepeatAnswer
                if sa.path.socket == Socket::NatT && path.socket == Socket::Ike =>
            {
                Err(DropReason::Duplicate)
            }
            Action::RepeatAnswer => {
                let reply = sa.answered.as_ref().map(|one| one.reply.clone()).unwrap_or_default();
                if !reply.is_empty() {
                    self.send(id, path, &reply, Sending::Repeated);
                }
                Ok(())
            }
            Action::MainMode(2) => self.on_clear(id, path, octets, Negotiation::on_message_2),
            Action::MainMode(3) => self.on_message_3(id, path, octets),
            Action::MainMode(4) => self.on_clear(id, path, octets, Negotiation::on_message_4),
            Action::MainMode(5) | Action::AggressiveMessage3 => {
                self.resume_or_ask(id, path, octets)
            }
            Action::MainMode(_) => self.on_message_6(id, octets),
            Action::Drop(reason) => Err(reason),
            // Those are asked for by timers and by the application.
            Action::Resume | Action::RepeatRequest | Action::GiveUp => {
                Err(DropReason::UnexpectedState)
            }
        }
    }

    /// Runs one step of the negotiation of an SA.
    fn negotiate<T>(
        &mut self,
        id: SaId,
        path: Path,
        step: impl FnOnce(&mut Negotiation, &mut Context<'_>) -> Result<T, Fault>,
    ) -> Result<T, DropReason> {
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let Phase::Negotiating(negotiation) = &mut sa.phase else {
            return Err(DropReason::UnexpectedState);
        };
        let mut context =
            Context { now: self.now, path, policy: &sa.policy, tools: &mut self.tools };
        match step(negotiation, &mut context) {
            Ok(done) => Ok(done),
            Err(Fault::Drop(reason)) => Err(reason),
            Err(Fault::Suspect(dropped, reason)) => {
                negotiation.suspicion = Some(reason);
                Err(dropped)
            }
            Err(Fault::Fail(reason, notify)) => {
                self.fail_phase_1(id, path, reason, notify);
                Err(DropReason::Unauthenticated)
            }
        }
    }

    /// Takes message 2 or 4, which are in clear: they have to come from where ours went.
    fn on_clear(
        &mut self,
        id: SaId,
        path: Path,
        octets: &[u8],
        step: fn(&mut Negotiation, &mut Context<'_>, &Message<'_>) -> Result<Vec<u8>, Fault>,
    ) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let sa = self.sas.get(&id).ok_or(DropReason::UnknownTunnel)?;
        if sa.path.remote != path.remote || message.header.cookies.is_first() {
            return Err(DropReason::WrongPeer);
        }
        let reply =
            self.negotiate(id, path, |negotiation, context| step(negotiation, context, &message))?;
        let now = self.now;
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let (nat_t_local, nat_t_remote) = sa.nat_t;
        let floats = match &sa.phase {
            Phase::Negotiating(one) => one.floats_now(sa.policy.encapsulation),
            Phase::Established(_) => false,
        };
        if floats && sa.path.socket == Socket::Ike {
            sa.path = Path { socket: Socket::NatT, local: nat_t_local, remote: nat_t_remote };
        }
        sa.answered = Some(Answered::new(self.tools.provider, octets, Vec::new()));
        sa.request = Some(Request::new(reply.clone(), now, &sa.policy.retransmission));
        let path = sa.path;
        self.send(id, path, &reply, Sending::First);
        Ok(())
    }

    /// Takes message 3, for which we have to compute: only from where message 2 went, and within
    /// what its address may ask for.
    fn on_message_3(&mut self, id: SaId, path: Path, octets: &[u8]) -> Result<(), DropReason> {
        let sa = self.sas.get(&id).ok_or(DropReason::UnknownTunnel)?;
        if sa.path.remote != path.remote {
            return Err(DropReason::WrongPeer);
        }
        let limits = &self.config.limits;
        if !self.key_exchanges.spend(path.remote.ip(), self.now, limits) {
            return Err(DropReason::LimitReached);
        }
        let message = Message::decode(octets)?;
        let reply = self.negotiate(id, path, |negotiation, context| {
            negotiation.on_message_3(context, &message)
        })?;
        self.half_open.proven(id);
        if let Some(sa) = self.sas.get_mut(&id) {
            sa.give_up_at = self.now + self.config.limits.half_open_time;
        }
        self.answer(id, path, octets, reply);
        Ok(())
    }

    /// Answers a message, and remembers the answer.
    fn answer(&mut self, id: SaId, path: Path, octets: &[u8], reply: Vec<u8>) {
        // Message 3 of aggressive mode has no answer.
        if !reply.is_empty() {
            self.send(id, path, &reply, Sending::First);
        }
        if let Some(sa) = self.sas.get_mut(&id) {
            sa.answered = Some(Answered::new(self.tools.provider, octets, reply));
        }
    }

    /// Goes on with a message that needs the peer's keys, or holds it and asks for them.
    fn resume_or_ask(&mut self, id: SaId, path: Path, octets: &[u8]) -> Result<(), DropReason> {
        let ask = self.config.ask_for_credentials;
        let room = self.has_room();
        let limits = self.config.limits;
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let negotiation = sa.negotiation_mut().ok_or(DropReason::UnexpectedState)?;
        if negotiation.failures >= limits.authentication_attempts {
            return Err(DropReason::LimitReached);
        }
        let psk = negotiation.agreed.map(|agreed| agreed.auth) == Some(AuthMethod::PRE_SHARED_KEY);
        if psk && octets.len() > MAX_PSK_MESSAGE {
            return Err(DropReason::TooLarge);
        }
        if psk && negotiation.candidates.is_none() {
            let claimed = negotiation.claimed_identity();
            if ask && !room {
                return Err(DropReason::LimitReached);
            }
            if ask {
                let fingerprint = negotiation.traits.fingerprint;
                negotiation.held = Some((negotiation.state, path, octets.to_vec()));
                negotiation.state = State::CredentialsAwaited;
                let ticket = CredentialsTicket(id);
                let request =
                    Event::CredentialsRequest { ticket, remote: path, id: claimed, fingerprint };
                self.emit(request);
                return Ok(());
            }
            let address = path.remote.ip();
            let most = limits.psk_candidates;
            let candidates = self.config.psks.candidates(address, claimed.as_ref(), most);
            negotiation.candidates = Some(candidates);
        }
        self.resume(id, path, octets)
    }

    /// Takes the message that proves the initiator, now that the keys to try are known.
    fn resume(&mut self, id: SaId, path: Path, octets: &[u8]) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let outcome = self.negotiate(id, path, |negotiation, context| match negotiation.state {
            State::Message5Awaited => negotiation
                .on_message_5(context, &message)
                .map(|(proven, reply)| Outcome::Proven(proven, Some(reply))),
            State::AggressiveMessage3Awaited if negotiation.ours.public.is_empty() => {
                negotiation.answer_aggressive(context).map(Outcome::Answer)
            }
            _ => negotiation
                .on_aggressive_message_3(context, &message)
                .map(|proven| Outcome::Proven(proven, None)),
        });
        match outcome {
            Ok(Outcome::Answer(reply)) => {
                self.answer(id, path, octets, reply);
                Ok(())
            }
            Ok(Outcome::Proven(proven, reply)) => {
                if let Some(sa) = self.sas.get_mut(&id) {
                    sa.path = path;
                    sa.credit = Credit::Unlimited;
                }
                self.answer(id, path, octets, reply.unwrap_or_default());
                self.on_proven(id, proven);
                Ok(())
            }
            Err(reason) => {
                let negotiation = self.sas.get_mut(&id).and_then(IkeSa::negotiation_mut);
                if let Some(negotiation) = negotiation {
                    negotiation.failures += 1;
                }
                Err(reason)
            }
        }
    }

    /// Goes on with the message that is held, with the keys that the application gave. `None`
    /// refuses the peer.
    pub(in crate::endpoint) fn on_credentials(
        &mut self,
        id: SaId,
        candidates: Option<Vec<Candidate>>,
    ) -> bool {
        let Some(sa) = self.sas.get_mut(&id) else { return false };
        let (mode, path) = (sa.mode, sa.path);
        let Some(negotiation) = sa.negotiation_mut() else { return false };
        let action = phase_1::step(negotiation.state, phase_1::Event::Credentials);
        let (Action::Resume, Some((state, from, octets))) = (action, negotiation.held.take())
        else {
            return false;
        };
        negotiation.state = state;
        match candidates {
            None => {
                let notify = NotifyType::AUTHENTICATION_FAILED;
                // Nobody is told in aggressive mode, where the address is not proven.
                let notify = (mode == Exchange::MainMode).then_some(notify);
                self.fail_phase_1(id, path, CloseReason::CredentialsRefused, notify);
            }
            Some(candidates) => {
                negotiation.candidates = Some(candidates);
                // What goes wrong with it is counted like that of any other message.
                if let Err(reason) = self.resume(id, from, &octets) {
                    self.drops.add(reason, 1);
                }
            }
        }
        self.settle_sa(id);
        true
    }

    fn on_message_6(&mut self, id: SaId, octets: &[u8]) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let sa = self.sas.get(&id).ok_or(DropReason::UnknownTunnel)?;
        // Our identity is the one that message 5 told, from the path that it went.
        let ours = sa.path;
        let proven = self.negotiate(id, ours, |negotiation, context| {
            negotiation.on_message_6(context, &message)
        })?;
        if let Some(sa) = self.sas.get_mut(&id) {
            sa.request = None;
            sa.answered = Some(Answered::new(self.tools.provider, octets, Vec::new()));
        }
        self.on_proven(id, proven);
        Ok(())
    }
}
