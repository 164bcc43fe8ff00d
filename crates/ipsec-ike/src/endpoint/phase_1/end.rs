//! How phase 1 ends: both sides are proven, or it comes to nothing.

use alloc::boxed::Box;
use core::time::Duration;

use vpn_core::DropReason;
use vpn_core::Path;
use vpn_core::Socket;

use crate::AuthMethod;
use crate::CloseReason;
use crate::Cookies;
use crate::Event;
use crate::KeyLogEntry;
use crate::Message;
use crate::NotifyType;
use crate::PayloadType;
use crate::ProtocolId;
use crate::endpoint::Endpoint;
use crate::endpoint::Wakeup;
use crate::endpoint::output::Sending;
use crate::endpoint::sa::Established;
use crate::endpoint::sa::IkeSa;
use crate::endpoint::sa::Phase;
use crate::endpoint::sa::Up;
use crate::event::Role;
use crate::handle::SaId;
use crate::payload::Notification;
use crate::v1::main_mode::FirstMessage;
use crate::v1::negotiation::Context;
use crate::v1::negotiation::Proven;
use crate::v1::phase_1;
use crate::v1::phase_1::Action;
use crate::v1::phase_1::State;
use crate::v1::repeat::Due;
use crate::vendor::Fingerprint;

impl Endpoint {
    /// Both sides are proven: the SA is up, and its keys are told where that is wanted.
    pub(super) fn on_proven(&mut self, id: SaId, proven: Proven) {
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
    pub(in crate::endpoint) fn forget_sa(&mut self, id: SaId) {
        self.leave_half_open(id);
        let Some(sa) = self.sas.remove(&id) else { return };
        self.deadlines.update(Wakeup::Sa(id), sa.entered, None);
        if let Some(probe) = sa.probe {
            self.probes.remove(&probe);
        }
        let cookies = sa.cookies();
        let ours = match sa.role {
            Role::Initiator => cookies.initiator,
            Role::Responder => cookies.responder,
        };
        self.by_cookie.remove(&ours);
    }

    /// A negotiation failed for good.
    pub(in crate::endpoint) fn fail_phase_1(
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

    /// Nothing at all comes back on the port of NAT traversal: that may be a firewall, or a peer
    /// that is silent about a wrong key. A first message to that port, of an exchange that does not
    /// go on, tells which: whoever answers it is reached.
    fn probe_nat_t(&mut self, id: SaId) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let Phase::Negotiating(negotiation) = &sa.phase else { return };
        let silent = negotiation.state == State::Message6Awaited
            && sa.path.socket == Socket::NatT
            && !sa.heard_on_nat_t;
        if !silent || sa.probe.is_some() {
            return;
        }
        let method = negotiation.agreed.map_or(AuthMethod::PRE_SHARED_KEY, |agreed| agreed.auth);
        let Ok(cookie) = self.tools.octets() else { return };
        let mut context =
            Context { now: self.now, path: sa.path, policy: &sa.policy, tools: &mut self.tools };
        let first = FirstMessage::new(&mut context, Cookies::first(cookie), method);
        let Ok(FirstMessage { datagram, .. }) = first else { return };
        sa.probe = Some(cookie);
        let path = sa.path;
        self.probes.insert(cookie, id);
        self.send(id, path, &datagram, Sending::First);
    }

    /// Reports an attempt that led to nothing, but not too often.
    pub(in crate::endpoint) fn failed(&mut self, path: Path, role: Role, reason: CloseReason) {
        let rate = self.config.limits.failures_per_second;
        if self.failures.allow(self.now, rate) {
            self.report(Event::Failed { path, role, reason });
        }
    }

    /// A notification in clear: anybody may have sent it, so it is a hint for the report if the
    /// attempt fails, and nothing else (RFC 2408 §5.1 leaves that to policy).
    pub(in crate::endpoint) fn on_hint(
        &mut self,
        id: SaId,
        message: &Message<'_>,
    ) -> Result<(), DropReason> {
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
    pub(in crate::endpoint) fn on_negotiation_due(&mut self, id: SaId) {
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
                self.probe_nat_t(id);
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
pub(in crate::endpoint) fn rekey_after(lifetime: Duration, role: Role, spread: u32) -> Duration {
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
