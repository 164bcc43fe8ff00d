//! Phase 1 of every SA: what the state table asks for, done.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use vpn_core::DropReason;
use vpn_core::Path;
use vpn_core::Socket;

use super::Endpoint;
use super::Wakeup;
use super::output::Sending;
use super::peer::BundleKey;
use super::sa::Credit;
use super::sa::Established;
use super::sa::HalfOpenSource;
use super::sa::IkeSa;
use super::sa::Phase;
use super::sa::Up;
use crate::AuthMethod;
use crate::CloseReason;
use crate::Cookies;
use crate::CredentialsTicket;
use crate::Event;
use crate::Exchange;
use crate::ExchangeType;
use crate::Header;
use crate::KeyLogEntry;
use crate::Message;
use crate::MessageBuilder;
use crate::NotifyType;
use crate::PayloadType;
use crate::PeerHandle;
use crate::ProtocolId;
use crate::admission::Admission;
use crate::config::Candidate;
use crate::config::Policy;
use crate::event::Role;
use crate::fragment::Reassembly;
use crate::handle::SaId;
use crate::payload::Notification;
use crate::v1::aggressive_mode;
use crate::v1::fault::Fault;
use crate::v1::main_mode::FirstAnswer;
use crate::v1::main_mode::FirstMessage;
use crate::v1::negotiation::Context;
use crate::v1::negotiation::Negotiation;
use crate::v1::negotiation::Proven;
use crate::v1::phase_1;
use crate::v1::phase_1::Action;
use crate::v1::phase_1::State;
use crate::v1::repeat::Answered;
use crate::v1::repeat::Due;
use crate::v1::repeat::Request;
use crate::vendor::Fingerprint;

/// What a message of phase 1 led to.
enum Outcome {
    Answer(Vec<u8>),
    Proven(Proven, Option<Vec<u8>>),
}

impl Endpoint {
    /// Starts main mode with a peer that we know: to connect, or to renew its IKE SA.
    pub(super) fn start_phase_1(&mut self, handle: PeerHandle) -> Result<(), CloseReason> {
        let random = CloseReason::Internal("the random generator");
        let initiator = self.tools.octets().map_err(|_| random)?;
        let id = SaId(self.next_handle());
        let gone = CloseReason::Internal("the peer");
        let peer = self.peers.get_mut(&handle).ok_or(gone)?;
        let cookies = Cookies::first(initiator);
        let mut context = Context {
            now: self.now,
            path: peer.path,
            policy: &peer.policy,
            tools: &mut self.tools,
        };
        let first = FirstMessage::new(&mut context, cookies, peer.auth);
        let FirstMessage { mut negotiation, datagram } = first.map_err(reason_of)?;
        negotiation.candidates = peer
            .secret
            .clone()
            .filter(|_| peer.auth == AuthMethod::PRE_SHARED_KEY)
            .map(|secret| Vec::from([Candidate { secret, only: None }]));
        negotiation.initial_contact = peer.info.is_none();
        let retransmission = peer.policy.retransmission;
        let sa = IkeSa {
            id,
            role: Role::Initiator,
            mode: Exchange::MainMode,
            path: peer.path,
            nat_t: peer.nat_t,
            policy: Arc::clone(&peer.policy),
            peer: Some(handle),
            phase: Phase::Negotiating(Box::new(negotiation)),
            request: Some(Request::new(datagram.clone(), self.now, &retransmission)),
            answered: None,
            credit: Credit::Unlimited,
            reassembly: Reassembly::default(),
            give_up_at: self.now + retransmission.give_up() * 4,
            heard_on_nat_t: false,
            half_open: None,
            entered: None,
        };
        peer.negotiating = Some(id);
        peer.renew_at = None;
        let path = peer.path;
        self.by_cookie.insert(initiator, id);
        self.sas.insert(id, sa);
        self.send(id, path, &datagram, Sending::First);
        self.settle_sa(id);
        Ok(())
    }

    /// Takes the first message of somebody who wants to connect.
    pub(super) fn on_first_message(&mut self, path: Path, octets: &[u8]) -> Result<(), DropReason> {
        // Whoever we are connected to may renew its IKE SA, even where we answer nobody else.
        let known = self.connected_to(path.remote);
        if !self.config.respond && known.is_none() {
            return Err(DropReason::NotAllowed);
        }
        let message = Message::decode(octets)?;
        let aggressive = message.header.exchange_type == ExchangeType::AGGRESSIVE;
        if aggressive && !self.config.aggressive {
            self.failed(path, Role::Responder, CloseReason::AggressiveRefused);
            return Err(DropReason::NotAllowed);
        }
        let address = path.remote.ip();
        match self.half_open.admit(address, &self.config.limits) {
            Admission::Admit => {}
            Admission::InPlaceOf(oldest) => self.forget_sa(oldest),
            Admission::Refuse => return Err(DropReason::LimitReached),
        }
        let methods = self.methods(path, aggressive, known);
        if methods.is_empty() {
            self.failed(path, Role::Responder, CloseReason::NoCredentials);
            return Err(DropReason::NotAllowed);
        }
        if aggressive {
            return self.on_first_aggressive(path, octets, &message, &methods);
        }
        let peer = known.and_then(|known| self.peers.get(&known));
        let policy = Arc::clone(peer.map_or(&self.policy, |peer| &peer.policy));
        let secret = peer.and_then(|peer| peer.secret.clone());
        let mut context = Context { now: self.now, path, policy: &policy, tools: &mut self.tools };
        match FirstAnswer::new(&mut context, &message, &methods) {
            Ok(FirstAnswer { mut negotiation, datagram }) => {
                negotiation.candidates =
                    secret.map(|secret| Vec::from([Candidate { secret, only: None }]));
                let mode = Exchange::MainMode;
                let id = self.insert_half_open(path, octets, mode, negotiation, policy);
                self.answer(id, path, octets, datagram);
                Ok(())
            }
            Err(fault) => Err(self.refuse_first(path, octets, &message, fault)),
        }
    }

    fn on_first_aggressive(
        &mut self,
        path: Path,
        octets: &[u8],
        message: &Message<'_>,
        methods: &[AuthMethod],
    ) -> Result<(), DropReason> {
        // The first answer has the key exchange in it already.
        let limits = &self.config.limits;
        if !self.key_exchanges.spend(path.remote.ip(), self.now, limits) {
            return Err(DropReason::LimitReached);
        }
        let policy = Arc::clone(&self.policy);
        let mut context = Context { now: self.now, path, policy: &policy, tools: &mut self.tools };
        match aggressive_mode::first(&mut context, message, methods) {
            Ok(negotiation) => {
                let mode = Exchange::AggressiveMode;
                let id = self.insert_half_open(path, octets, mode, negotiation, policy);
                self.resume_or_ask(id, path, octets)
            }
            Err(fault) => Err(self.refuse_first(path, octets, message, fault)),
        }
    }

    /// A peer that we connected to, by its address and port.
    fn connected_to(&self, remote: SocketAddr) -> Option<PeerHandle> {
        let mut there = self.bundles.range(BundleKey::before(remote)..);
        let (_, handle) = there.next().filter(|(key, _)| key.remote == remote)?;
        let peer = self.peers.get(handle)?;
        (peer.role == Role::Initiator).then_some(*handle)
    }

    /// How the sides may prove who they are.
    fn methods(&self, path: Path, aggressive: bool, known: Option<PeerHandle>) -> Vec<AuthMethod> {
        if let Some(known) = known.and_then(|known| self.peers.get(&known)) {
            return Vec::from([known.auth]);
        }
        let table = self.config.psks.candidates(path.remote.ip(), None, 1);
        let psk = self.config.ask_for_credentials || !table.is_empty();
        let policy = &self.config.policy;
        let signatures = policy.signer.is_some() && policy.trust.is_some() && !aggressive;
        let psk = psk.then_some(AuthMethod::PRE_SHARED_KEY);
        psk.into_iter().chain(signatures.then_some(AuthMethod::RSA_SIGNATURES)).collect()
    }

    fn insert_half_open(
        &mut self,
        path: Path,
        octets: &[u8],
        mode: Exchange,
        negotiation: Negotiation,
        policy: Arc<Policy>,
    ) -> SaId {
        let id = SaId(self.next_handle());
        let cookies = negotiation.cookies;
        let sa = IkeSa {
            id,
            role: Role::Responder,
            mode,
            path,
            nat_t: (path.local, path.remote),
            policy,
            peer: None,
            phase: Phase::Negotiating(Box::new(negotiation)),
            request: None,
            answered: None,
            credit: Credit::first(octets.len()),
            reassembly: Reassembly::default(),
            give_up_at: self.now + self.config.limits.half_open_time,
            heard_on_nat_t: false,
            half_open: Some(HalfOpenSource { cookie: cookies.initiator, remote: path.remote }),
            entered: None,
        };
        self.by_cookie.insert(cookies.responder, id);
        self.by_first.insert((cookies.initiator, path.remote), id);
        self.half_open.insert(id, path.remote.ip());
        self.sas.insert(id, sa);
        self.settle_sa(id);
        id
    }

    /// Tells somebody whose first message we can't use why, if that is worth a datagram.
    fn refuse_first(
        &mut self,
        path: Path,
        octets: &[u8],
        message: &Message<'_>,
        fault: Fault,
    ) -> DropReason {
        let (reason, notify) = match fault {
            Fault::Drop(reason) => return reason,
            Fault::Suspect(dropped, reason) => {
                self.failed(path, Role::Responder, reason);
                return dropped;
            }
            Fault::Fail(reason, notify) => (reason, notify),
        };
        let rate = self.config.limits.failures_per_second;
        if let Some(notify) = notify.filter(|_| self.refusals.allow(self.now, rate)) {
            let datagram = clear_notification(message.header.cookies, notify);
            self.send_stateless(path, &datagram, octets.len());
        }
        self.failed(path, Role::Responder, reason);
        DropReason::NotAllowed
    }

    /// Takes a message of phase 1 of an SA that is there.
    pub(super) fn on_phase_1(
        &mut self,
        id: SaId,
        path: Path,
        octets: &[u8],
        message: &Message<'_>,
    ) -> Result<(), DropReason> {
        let sa = self.sas.get(&id).ok_or(DropReason::UnknownTunnel)?;
        let provider = self.tools.provider;
        let repeated = sa.answered.as_ref().is_some_and(|one| one.is_of(provider, octets));
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
        let limits = self.config.limits;
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let negotiation = sa.negotiation_mut().ok_or(DropReason::UnexpectedState)?;
        if negotiation.failures >= limits.authentication_attempts {
            return Err(DropReason::LimitReached);
        }
        let psk = negotiation.agreed.map(|agreed| agreed.auth) == Some(AuthMethod::PRE_SHARED_KEY);
        if psk && negotiation.candidates.is_none() {
            let claimed = negotiation.claimed_identity();
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
    pub(super) fn on_credentials(&mut self, id: SaId, candidates: Option<Vec<Candidate>>) -> bool {
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

    /// Both sides are proven: the SA is up, and its keys are told where that is wanted.
    fn on_proven(&mut self, id: SaId, proven: Proven) {
        let now = self.now;
        self.leave_half_open(id);
        let spread = self.tools.below(25).unwrap_or(0);
        let key_log = self.config.key_log;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let (role, path) = (sa.role, sa.path);
        let encapsulation = sa.policy.encapsulation;
        let Some(negotiation) = sa.negotiation_mut() else { return };
        let (Some(secured), Ok(agreed)) = (negotiation.secured.take(), negotiation.agreed()) else {
            return;
        };
        let entry = key_log.then(|| KeyLogEntry {
            initiator_cookie: secured.cookies.initiator,
            encryption_key: secured.cipher.key().clone(),
            remote: path.remote,
        });
        let credential = match negotiation.candidates.take() {
            Some(candidates) => candidates.into_iter().nth(negotiation.fitting),
            None => None,
        };
        let up = Up {
            proven,
            secret: credential.map(|candidate| candidate.secret),
            traits: negotiation.traits,
            nat: negotiation.nat,
            agreed,
            floated: negotiation.floats(encapsulation) && path.socket == Socket::NatT,
        };
        let rekey_at = now + rekey_after(agreed.lifetime, role, spread);
        let established = Established::new(secured, &up, now, rekey_at);
        sa.phase = Phase::Established(Box::new(established));
        if let Some(entry) = entry {
            self.emit(Event::KeyLog(entry));
        }
        self.join(id, up);
    }

    /// An attempt of somebody else is over, one way or the other.
    fn leave_half_open(&mut self, id: SaId) {
        if let Some(source) = self.sas.get_mut(&id).and_then(|sa| sa.half_open.take()) {
            self.half_open.remove(id, source.remote.ip());
            self.by_first.remove(&(source.cookie, source.remote));
        }
    }

    /// Forgets an SA, whatever it was about.
    pub(super) fn forget_sa(&mut self, id: SaId) {
        self.leave_half_open(id);
        let Some(sa) = self.sas.remove(&id) else { return };
        self.deadlines.update(Wakeup::Sa(id), sa.entered, None);
        let cookies = sa.cookies();
        let ours = match sa.role {
            Role::Initiator => cookies.initiator,
            Role::Responder => cookies.responder,
        };
        self.by_cookie.remove(&ours);
    }

    /// A negotiation failed for good.
    pub(super) fn fail_phase_1(
        &mut self,
        id: SaId,
        path: Path,
        reason: CloseReason,
        notify: Option<NotifyType>,
    ) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let (peer, role) = (sa.peer, sa.role);
        let random = self.tools.message_id();
        if let (Some(notify), Ok(message_id), Some(negotiation)) =
            (notify, random, sa.negotiation_mut())
            && let Some(secured) = &negotiation.secured
        {
            let spi = secured.cookies.spi();
            let protocol = ProtocolId::ISAKMP;
            let notification = Notification { protocol, notify_type: notify, spi: &spi, data: &[] };
            let message = secured.seal_informational(message_id, |builder| {
                builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
            });
            if let Ok(message) = message {
                self.send(id, path, &message, Sending::First);
            }
        }
        self.forget_sa(id);
        match peer {
            Some(peer) => self.on_phase_1_failed(peer, reason),
            None => self.failed(path, role, reason),
        }
    }

    /// Reports an attempt that led to nothing, but not too often.
    pub(super) fn failed(&mut self, path: Path, role: Role, reason: CloseReason) {
        let rate = self.config.limits.failures_per_second;
        if self.failures.allow(self.now, rate) {
            self.emit(Event::Failed { path, role, reason });
        }
    }

    /// A notification in clear: anybody may have sent it, so it is a hint for the report if the
    /// attempt fails, and nothing else (RFC 2408 §5.1 leaves that to policy).
    pub(super) fn on_hint(&mut self, id: SaId, message: &Message<'_>) -> Result<(), DropReason> {
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let negotiation = sa.negotiation_mut().ok_or(DropReason::Unauthenticated)?;
        let bodies = message.payloads().map_while(Result::ok);
        let hint = bodies
            .filter(|payload| payload.kind == PayloadType::NOTIFICATION)
            .find_map(|payload| Notification::decode(payload.body).ok());
        if let Some(hint) = hint.filter(|hint| hint.notify_type.is_error()) {
            negotiation.hint = Some(hint.notify_type);
        }
        Err(DropReason::Unauthenticated)
    }

    /// It is time to repeat a message of phase 1, or to give up.
    pub(super) fn on_negotiation_due(&mut self, id: SaId) {
        let now = self.now;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let Phase::Negotiating(negotiation) = &sa.phase else { return };
        let state = negotiation.state;
        let due = match &mut sa.request {
            Some(request) => request.due(now, &sa.policy.retransmission),
            None => Due::NotYet,
        };
        let event = match due {
            Due::GiveUp => phase_1::Event::GiveUpTime,
            _ if now >= sa.give_up_at => phase_1::Event::GiveUpTime,
            Due::Repeat => phase_1::Event::RepeatTime,
            Due::NotYet => return,
        };
        let path = sa.path;
        match phase_1::step(state, event) {
            Action::RepeatRequest => {
                let datagram = sa.request.as_ref().map(|one| one.datagram.clone());
                self.send(id, path, &datagram.unwrap_or_default(), Sending::Repeated);
            }
            Action::GiveUp => match give_up_reason(sa) {
                Some(reason) => self.fail_phase_1(id, path, reason, None),
                None => self.forget_sa(id),
            },
            _ => {}
        }
    }
}

/// After how much of a lifetime keys are renewed: 85 to 90 % of it. The sides take different
/// parts of that, so that they seldom do it both.
pub(super) fn rekey_after(lifetime: Duration, role: Role, spread: u32) -> Duration {
    let per_mille = match role {
        Role::Initiator => 850 + spread,
        Role::Responder => 875 + spread,
    };
    lifetime / 1_000 * per_mille
}

/// Why an attempt ends that got no further; `None` if it is not worth a word.
fn give_up_reason(sa: &IkeSa) -> Option<CloseReason> {
    let Phase::Negotiating(negotiation) = &sa.phase else { return None };
    if let Some(suspicion) = &negotiation.suspicion {
        return Some(suspicion.clone());
    }
    let hint = negotiation.hint;
    let timeout =
        CloseReason::Timeout { exchange: sa.mode, awaited: negotiation.state.awaited(), hint };
    let psk = negotiation.agreed.is_some_and(|one| one.auth == AuthMethod::PRE_SHARED_KEY);
    let on_nat_t = sa.path.socket == Socket::NatT;
    Some(match negotiation.state {
        State::Message2Awaited => match hint {
            Some(NotifyType::NO_PROPOSAL_CHOSEN) => {
                CloseReason::ProposalsRefused { ours: sa.policy.ike.clone() }
            }
            hint => CloseReason::NoAnswer { hint },
        },
        State::Message6Awaited if on_nat_t && !sa.heard_on_nat_t => CloseReason::NatTBlocked,
        State::Message6Awaited if psk => {
            CloseReason::PskMismatch { role: Role::Initiator, tried: 1 }
        }
        State::Message5Awaited
            if negotiation.nat.local
                && matches!(negotiation.traits.fingerprint, Fingerprint::Windows { .. }) =>
        {
            CloseReason::ServerBehindNatWindows
        }
        // Nobody has shown to be there.
        State::Message3Awaited => return None,
        _ => timeout,
    })
}

/// A notification in clear, to somebody of whom nothing is kept.
fn clear_notification(cookies: Cookies, notify_type: NotifyType) -> Vec<u8> {
    let mut datagram = Vec::new();
    let header = Header::new(cookies, ExchangeType::INFORMATIONAL, 0);
    let mut builder = MessageBuilder::new(&mut datagram, header);
    let notification =
        Notification { protocol: ProtocolId::ISAKMP, notify_type, spi: &[], data: &[] };
    builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
    if builder.finish().is_err() {
        datagram.clear();
    }
    datagram
}

/// Why a step of ours failed.
fn reason_of(fault: Fault) -> CloseReason {
    match fault {
        Fault::Drop(_) => CloseReason::Internal("a message of ours"),
        Fault::Suspect(_, reason) | Fault::Fail(reason, _) => reason,
    }
}
