//! Quick modes under an established IKE SA: what the state table asks for, done.

use alloc::vec::Vec;
use core::time::Duration;

use vpn_core::DropReason;
use vpn_core::Path;

use super::Endpoint;
use super::informational::dropped;
use super::output::Sending;
use super::peer;
use super::sa::Established;
use super::sa::IkeSa;
use super::sa::Phase;
use super::sa::QuickModes;
use crate::ChildCloseReason;
use crate::ChildHandle;
use crate::CloseReason;
use crate::Event;
use crate::Exchange;
use crate::Message;
use crate::NotifyType;
use crate::PayloadType;
use crate::PeerHandle;
use crate::ProtocolId;
use crate::event::Role;
use crate::handle::SaId;
use crate::payload::Notification;
use crate::tools::Tools;
use crate::v1::fault::Fault;
use crate::v1::quick_mode;
use crate::v1::quick_mode::Action;
use crate::v1::quick_mode::Answer;
use crate::v1::quick_mode::Context;
use crate::v1::quick_mode::QuickMode;
use crate::v1::quick_mode::State;
use crate::v1::quick_mode::Wanted;
use crate::v1::repeat::Answered;
use crate::v1::repeat::Due;
use crate::v1::repeat::Request;
use crate::v1::secured::HashOf;

/// For how long repetitions of a quick mode that is done are answered.
const REMEMBERED: Duration = Duration::from_secs(60);

/// So many quick modes make an IKE SA due for renewal, and twice as many are its end: each id is
/// remembered.
const MANY_QUICK_MODES: usize = 4_096;

/// What a quick mode is told about the SA that it runs under, and the SA's quick modes apart.
fn context<'a>(
    sa: &'a mut IkeSa,
    tools: &'a mut Tools,
) -> Option<(Context<'a>, &'a mut QuickModes)> {
    let IkeSa { path, policy, phase: Phase::Established(established), .. } = sa else {
        return None;
    };
    let Established { secured, nat, floated, traits, quick_modes, .. } = &mut **established;
    let context = Context {
        path: *path,
        policy,
        tools,
        secured,
        nat: *nat,
        floated: *floated,
        fingerprint: traits.fingerprint,
    };
    Some((context, quick_modes))
}

impl Endpoint {
    /// Negotiates the pairs that waited for an IKE SA.
    pub(super) fn start_waiting(&mut self, handle: PeerHandle) {
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        let Some(current) = peer.current else { return };
        for request in core::mem::take(&mut peer.waiting) {
            self.start_quick_mode(current, handle, request);
        }
    }

    /// Negotiates a pair under the peer's IKE SA, once there is one.
    pub(super) fn want_child(&mut self, handle: PeerHandle, request: peer::Request) {
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        match peer.current {
            Some(_) if peer.negotiating.is_some() && peer.held_until.is_some() => {
                peer.waiting.push(request);
                self.settle_peer(handle);
            }
            Some(current) => self.start_quick_mode(current, handle, request),
            None => {
                peer.waiting.push(request);
                self.ensure_sa(handle);
            }
        }
    }

    fn start_quick_mode(&mut self, id: SaId, handle: PeerHandle, request: peer::Request) {
        let now = self.now;
        let random = CloseReason::Internal("the random generator");
        let (Ok(message_id), Some(spi)) = (self.tools.message_id(), self.fresh_spi()) else {
            return self.child_failed(handle, request, random);
        };
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let retransmission = sa.policy.retransmission;
        let path = sa.path;
        let peer::Request { child, replaces, selectors } = request;
        let wanted = Wanted { child, replaces, selectors, spi };
        let over_at = now + retransmission.give_up().saturating_mul(2);
        let Some((mut context, _)) = context(sa, &mut self.tools) else { return };
        let offered = quick_mode::offer(&mut context, wanted, message_id, over_at);
        let Ok((mut quick_mode, datagram)) = offered else {
            return self.child_failed(handle, request, CloseReason::Internal("quick mode"));
        };
        quick_mode.request = Some(Request::new(datagram.clone(), now, &retransmission));
        if let Some(established) = sa.established_mut() {
            established.use_id(message_id);
            established.quick_modes.insert(message_id, quick_mode);
        }
        self.send(id, path, &datagram, Sending::First);
        self.settle_sa(id);
    }

    /// Takes an encrypted quick mode message.
    pub(super) fn on_quick_mode(
        &mut self,
        id: SaId,
        path: Path,
        octets: &[u8],
    ) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let message_id = message.header.message_id;
        let sa = self.sas.get(&id).ok_or(DropReason::UnknownTunnel)?;
        let handle = sa.peer.ok_or(DropReason::UnexpectedState)?;
        let established = sa.established().ok_or(DropReason::UnexpectedState)?;
        let Some(quick_mode) = established.quick_modes.get(&message_id) else {
            if established.is_used(message_id) {
                return Err(DropReason::Duplicate);
            }
            return self.on_quick_mode_1(id, handle, path, octets);
        };
        let provider = self.tools.provider;
        let repeated = quick_mode.answered.as_ref().filter(|one| one.is_of(provider, octets));
        let event = match repeated {
            Some(_) => quick_mode::Event::Repeated,
            None => quick_mode::Event::Message,
        };
        match quick_mode::step(quick_mode.state, event) {
            Action::RepeatAnswer => {
                let reply = repeated.map(|one| one.reply.clone()).unwrap_or_default();
                if reply.is_empty() {
                    return Err(DropReason::Duplicate);
                }
                self.send(id, path, &reply, Sending::Repeated);
                Ok(())
            }
            Action::Message2 => self.on_quick_mode_2(id, handle, path, octets),
            Action::Message3 => self.on_quick_mode_3(id, handle, path, octets),
            Action::Drop(reason) => Err(reason),
            // Those are asked for by timers and by the data plane.
            Action::RepeatRequest | Action::Confirm | Action::GiveUp | Action::Forget => {
                Err(DropReason::UnexpectedState)
            }
        }
    }

    /// Takes message 1, installs the pair, and answers.
    fn on_quick_mode_1(
        &mut self,
        id: SaId,
        handle: PeerHandle,
        path: Path,
        octets: &[u8],
    ) -> Result<(), DropReason> {
        let now = self.now;
        let message = Message::decode(octets)?;
        let limits = self.config.limits;
        let children = self.peers.get(&handle).map_or(0, |peer| peer.children.len());
        let spi = self.fresh_spi().ok_or(DropReason::LimitReached)?;
        let child = ChildHandle(self.next_handle());
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let established = sa.established_mut().ok_or(DropReason::UnexpectedState)?;
        let message_id = message.header.message_id;
        let iv = established.secured.first_iv(message_id);
        let opened = established.secured.open(&message, &iv, HashOf::First).map_err(dropped)?;
        // It is the peer that speaks, for the first time with this id.
        if established.under_way() >= limits.exchanges_per_sa
            || children >= limits.children_per_peer
            || established.used_ids() >= 2 * MANY_QUICK_MODES
        {
            return Err(DropReason::LimitReached);
        }
        established.use_id(message_id);
        if established.used_ids() == MANY_QUICK_MODES {
            established.rekey_at = Some(now);
        }
        let retransmission = sa.policy.retransmission;
        let over_at = now + retransmission.give_up();
        let provider = self.tools.provider;
        let (mut context, quick_modes) =
            context(sa, &mut self.tools).ok_or(DropReason::UnexpectedState)?;
        let answered = quick_mode::answer(&mut context, &message, &opened, child, spi, over_at);
        match answered {
            Ok(Answer { mut quick_mode, agreement, datagram }) => {
                quick_mode.request = Some(Request::new(datagram.clone(), now, &retransmission));
                quick_mode.answered = Some(Answered::new(provider, octets, datagram.clone()));
                quick_modes.insert(message_id, quick_mode);
                self.hear_peer(handle);
                self.follow(handle, path);
                self.install(id, handle, message_id, agreement);
                self.send(id, path, &datagram, Sending::First);
                Ok(())
            }
            Err(fault) => {
                let offered = offered_spi(&opened);
                Err(self.refuse_child(id, path, fault, offered))
            }
        }
    }

    /// Tells the peer why there is no pair, and the application, too.
    fn refuse_child(&mut self, id: SaId, path: Path, fault: Fault, spi: Option<u32>) -> DropReason {
        let (reason, notify) = match fault {
            Fault::Drop(reason) => return reason,
            Fault::Suspect(_, reason) => (reason, Some(NotifyType::PAYLOAD_MALFORMED)),
            Fault::Fail(reason, notify) => (reason, notify),
        };
        if let Some(notify_type) = notify {
            let spi = spi.map(u32::to_be_bytes);
            let spi = spi.as_ref().map(<[u8; 4]>::as_slice).unwrap_or_default();
            let protocol = ProtocolId::ESP;
            let notification = Notification { protocol, notify_type, spi, data: &[] };
            self.send_informational(id, |builder| {
                builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
            });
        }
        self.failed(path, Role::Responder, reason);
        DropReason::NotAllowed
    }

    /// Takes message 2: the pair is whole, and the peer has it already.
    fn on_quick_mode_2(
        &mut self,
        id: SaId,
        handle: PeerHandle,
        path: Path,
        octets: &[u8],
    ) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let message_id = message.header.message_id;
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let to = sa.path;
        let provider = self.tools.provider;
        let (mut context, quick_modes) =
            context(sa, &mut self.tools).ok_or(DropReason::UnexpectedState)?;
        let quick_mode = quick_modes.get_mut(&message_id).ok_or(DropReason::UnexpectedState)?;
        match quick_mode.on_message_2(&mut context, &message) {
            Ok((agreement, reply)) => {
                quick_mode.request = None;
                quick_mode.answered = Some(Answered::new(provider, octets, reply.clone()));
                quick_mode.over_at = self.now + REMEMBERED;
                self.hear_peer(handle);
                self.follow(handle, path);
                self.install(id, handle, message_id, agreement);
                self.send(id, to, &reply, Sending::First);
                Ok(())
            }
            // Its hash was right: it is the peer that answers so, and will go on to.
            Err(Fault::Fail(reason, _) | Fault::Suspect(_, reason)) => {
                let request = request_of(quick_mode);
                quick_modes.remove(&message_id);
                self.child_failed(handle, request, reason);
                Err(DropReason::Malformed)
            }
            Err(fault) => Err(dropped(fault)),
        }
    }

    /// Takes message 3: the initiator has the pair.
    fn on_quick_mode_3(
        &mut self,
        id: SaId,
        handle: PeerHandle,
        path: Path,
        octets: &[u8],
    ) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let message_id = message.header.message_id;
        let provider = self.tools.provider;
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        let (context, quick_modes) =
            context(sa, &mut self.tools).ok_or(DropReason::UnexpectedState)?;
        let quick_mode = quick_modes.get_mut(&message_id).ok_or(DropReason::UnexpectedState)?;
        quick_mode.on_message_3(&context, &message).map_err(dropped)?;
        quick_mode.request = None;
        quick_mode.answered = Some(Answered::new(provider, octets, Vec::new()));
        quick_mode.over_at = self.now + REMEMBERED;
        let child = quick_mode.child;
        self.hear_peer(handle);
        self.follow(handle, path);
        self.confirm(child);
        Ok(())
    }

    /// The first ESP packet came on a new pair: that counts as message 3.
    pub(super) fn on_child_used(&mut self, child: ChildHandle) {
        let now = self.now;
        let Some(handle) = self.children.get(&child).map(|one| one.peer) else { return };
        let Some(peer) = self.peers.get(&handle) else { return };
        for id in peer.sas.clone() {
            let established = self.sas.get_mut(&id).and_then(IkeSa::established_mut);
            let quick_modes = established.into_iter().flat_map(|one| one.quick_modes.values_mut());
            for quick_mode in quick_modes.filter(|one| one.child == child) {
                let event = quick_mode::Event::ChildUsed;
                if quick_mode::step(quick_mode.state, event) == Action::Confirm {
                    quick_mode.state = State::Done;
                    quick_mode.request = None;
                    quick_mode.over_at = now + REMEMBERED;
                }
            }
            self.settle_sa(id);
        }
        self.confirm(child);
    }

    /// Quick modes of an SA are due: to repeat, to give up, or to forget.
    pub(super) fn on_quick_modes_due(&mut self, id: SaId) {
        let now = self.now;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let (path, peer) = (sa.path, sa.peer);
        let retransmission = sa.policy.retransmission;
        let Some(established) = sa.established_mut() else { return };
        let mut repeat = Vec::new();
        let mut over = Vec::new();
        for (message_id, quick_mode) in &mut established.quick_modes {
            let due = match &mut quick_mode.request {
                Some(request) => request.due(now, &retransmission),
                None => Due::NotYet,
            };
            let event = match due {
                Due::Repeat => quick_mode::Event::RepeatTime,
                Due::GiveUp => quick_mode::Event::OverTime,
                Due::NotYet if now >= quick_mode.over_at => quick_mode::Event::OverTime,
                Due::NotYet => continue,
            };
            match quick_mode::step(quick_mode.state, event) {
                Action::RepeatRequest => {
                    repeat.extend(quick_mode.request.as_ref().map(|one| one.datagram.clone()));
                }
                Action::GiveUp | Action::Forget => over.push(*message_id),
                _ => {}
            }
        }
        let over: Vec<QuickMode> =
            over.iter().filter_map(|one| established.quick_modes.remove(one)).collect();
        for datagram in repeat {
            self.send(id, path, &datagram, Sending::Repeated);
        }
        let Some(handle) = peer else { return };
        for quick_mode in over {
            match quick_mode.state {
                State::Message2Awaited => self.on_quick_mode_timeout(id, handle, &quick_mode),
                State::Message3Awaited => {
                    self.close_child_with(quick_mode.child, ChildCloseReason::NotConfirmed, true);
                }
                State::Done => {}
            }
        }
    }

    /// The peer does not answer under this IKE SA any more. Perhaps it has forgotten it: a new one
    /// is tried before the pairs that are left are given up.
    fn on_quick_mode_timeout(&mut self, id: SaId, handle: PeerHandle, quick_mode: &QuickMode) {
        let reason = CloseReason::Timeout { exchange: Exchange::QuickMode, awaited: 2, hint: None };
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        if peer.children.is_empty() {
            return self.child_failed(handle, request_of(quick_mode), reason);
        }
        peer.waiting.push(request_of(quick_mode));
        self.on_sa_gone(id, reason);
        self.ensure_sa(handle);
        self.start_waiting(handle);
    }

    /// The IKE SA of quick modes is gone: what they wanted waits for the next one.
    pub(super) fn abandon_quick_modes(&mut self, id: SaId) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let Some(handle) = sa.peer else { return };
        let Some(established) = sa.established_mut() else { return };
        let all = core::mem::take(&mut established.quick_modes);
        for quick_mode in all.into_values() {
            match quick_mode.state {
                State::Message2Awaited => {
                    if let Some(peer) = self.peers.get_mut(&handle) {
                        peer.waiting.push(request_of(&quick_mode));
                    }
                }
                // It may still be used: ESP shows.
                State::Message3Awaited | State::Done => {}
            }
        }
    }

    /// The peer refuses a pair: it names it by our SPI if it can, else the oldest is meant.
    pub(super) fn on_child_refused(&mut self, id: SaId, notification: &Notification<'_>) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let policy = alloc::sync::Arc::clone(&sa.policy);
        let Some(handle) = sa.peer else { return };
        let Some(established) = sa.established_mut() else { return };
        let pending =
            |one: &&QuickMode| one.state == State::Message2Awaited && one.role == Role::Initiator;
        let named = |one: &&QuickMode| notification.spi == one.spi.to_be_bytes();
        let all = || established.quick_modes.values().filter(pending);
        let meant = all().find(named).or_else(|| all().min_by_key(|one| one.child));
        let Some(meant) = meant else { return };
        let (message_id, request) = (meant.message_id, request_of(meant));
        established.quick_modes.remove(&message_id);
        let reason = match notification.notify_type {
            NotifyType::NO_PROPOSAL_CHOSEN => {
                CloseReason::ChildProposalsRefused { ours: quick_mode::offered(&policy) }
            }
            NotifyType::INVALID_ID_INFORMATION => CloseReason::SelectorMismatch { by_peer: true },
            other => CloseReason::PeerNotify(other),
        };
        self.child_failed(handle, request, reason);
    }

    /// A pair that we wanted did not come about.
    fn child_failed(&mut self, handle: PeerHandle, request: peer::Request, reason: CloseReason) {
        if let Some(old) = request.replaces {
            return self.rekey_failed(old);
        }
        let Some(peer) = self.peers.get(&handle) else { return };
        if peer.children.is_empty() && peer.role == Role::Initiator {
            return self.close_peer_with(handle, reason, true);
        }
        let reason = ChildCloseReason::Failed(reason);
        self.emit(Event::ChildClosed { child: request.child, reason });
    }
}

/// What a quick mode was to bring about.
fn request_of(quick_mode: &QuickMode) -> peer::Request {
    let QuickMode { child, replaces, selectors, .. } = *quick_mode;
    peer::Request { child, replaces, selectors }
}

/// The SPI of the first proposal in a message 1, to name it in a refusal.
fn offered_spi(opened: &crate::v1::secured::Opened) -> Option<u32> {
    let mut payloads = opened.payloads().map_while(Result::ok);
    let sa = payloads.find(|payload| payload.kind == PayloadType::SECURITY_ASSOCIATION)?;
    let sa = crate::payload::SecurityAssociation::decode(sa.body).ok()?;
    sa.proposals().next()?.esp_spi()
}
