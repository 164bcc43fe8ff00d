//! First messages: ours, and those of others.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use vpn_core::DropReason;
use vpn_core::Path;

use crate::AuthMethod;
use crate::CloseReason;
use crate::Cookies;
use crate::Exchange;
use crate::ExchangeType;
use crate::Header;
use crate::Message;
use crate::MessageBuilder;
use crate::NotifyType;
use crate::PayloadType;
use crate::PeerHandle;
use crate::ProtocolId;
use crate::admission::Admission;
use crate::config::Candidate;
use crate::config::Policy;
use crate::endpoint::Endpoint;
use crate::endpoint::output::Sending;
use crate::endpoint::peer::BundleKey;
use crate::endpoint::sa::Credit;
use crate::endpoint::sa::HalfOpenSource;
use crate::endpoint::sa::IkeSa;
use crate::endpoint::sa::Phase;
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
use crate::v1::repeat::Request;

impl Endpoint {
    /// Starts main mode with a peer that we know: to connect, or to renew its IKE SA.
    pub(in crate::endpoint) fn start_phase_1(
        &mut self,
        handle: PeerHandle,
    ) -> Result<(), CloseReason> {
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
            give_up_at: self.now + retransmission.give_up().saturating_mul(4),
            heard_on_nat_t: false,
            half_open: None,
            probe: None,
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
    pub(in crate::endpoint) fn on_first_message(
        &mut self,
        path: Path,
        octets: &[u8],
    ) -> Result<(), DropReason> {
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
        if self.half_open.admit(address, &self.config.limits) == Admission::Refuse {
            return Err(DropReason::LimitReached);
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
        let admission = self.half_open.admit(path.remote.ip(), &self.config.limits);
        if let Admission::InPlaceOf(oldest) = admission {
            self.forget_sa(oldest);
        }
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
            probe: None,
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
