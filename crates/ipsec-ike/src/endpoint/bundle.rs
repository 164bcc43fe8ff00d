//! Peers: how their IKE SAs come together, take each other's place, and end.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use vpn_core::Path;
use vpn_core::Socket;

use super::Endpoint;
use super::Wakeup;
use super::output::Sending;
use super::peer::BundleKey;
use super::peer::Peer;
use super::peer::Probe;
use super::sa::IkeSa;
use super::sa::Phase;
use super::sa::Up;
use crate::ChildCloseReason;
use crate::CloseReason;
use crate::Event;
use crate::NotifyType;
use crate::PayloadType;
use crate::PeerHandle;
use crate::PeerInfo;
use crate::ProtocolId;
use crate::config::Dpd;
use crate::config::NAT_T_PORT;
use crate::event::Role;
use crate::handle::SaId;
use crate::payload::Delete;
use crate::v1::negotiation::Proven;

/// How long an IKE SA that was replaced by one of ours stays, for what is under way.
const LINGER_OURS: Duration = Duration::from_secs(30);
/// How long one stays that the peer replaced: it is the peer's to delete.
const LINGER_THEIRS: Duration = Duration::from_secs(300);
/// How many IKE SAs of a peer stay that were replaced: it may make new ones as fast as it likes.
const LINGERING: usize = 4;
/// Two IKE SAs in place of an older one that were established within this time by different sides
/// crossed each other.
const CROSSING: Duration = Duration::from_secs(60);
/// How long a new pair waits for an IKE SA that is being renewed, and the other way round. Some
/// peers hand their pairs over to a new IKE SA when it is up, and delete those with the old one that
/// come later.
const HOLD: Duration = Duration::from_secs(2);
/// After how long we try again to renew an IKE SA.
const RENEW_AGAIN: Duration = Duration::from_secs(60);
/// After how long the side that connected negotiates an IKE SA anew that the peer deleted.
const RENEW_CONNECTED: Duration = Duration::from_secs(2);

/// What an IP path has in place of ports.
const NO_PORT: u16 = 0;

/// Where ESP goes beside the IKE of `path`.
pub(super) fn esp_path(path: Path, encapsulated: bool) -> Path {
    let (socket, port) = match (encapsulated, path.socket) {
        (true, Socket::NatT) => return path,
        // Clients have been seen to ask for UDP where no NAT was found.
        (true, _) => (Socket::NatT, NAT_T_PORT),
        (false, _) => (Socket::Esp, NO_PORT),
    };
    let Path { mut local, mut remote, .. } = path;
    local.set_port(port);
    remote.set_port(port);
    Path { socket, local, remote }
}

impl Endpoint {
    /// Puts an IKE SA that is up to the peer that it is of, which may be new.
    pub(super) fn join(&mut self, id: SaId, up: Up) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, role, known) = (sa.path, sa.role, sa.peer);
        let Proven { remote_id, initial_contact, .. } = &up.proven;
        let key = BundleKey { identity: remote_id.clone(), remote: path.remote };
        let initial_contact = *initial_contact;
        let existing = self.bundles.get(&key).copied();
        let handle = match known {
            Some(handle) => handle,
            None => match existing.filter(|existing| self.proves_as_before(*existing, &up)) {
                Some(existing) if initial_contact => {
                    // RFC 2407 §4.6.3.3: the peer remembers nothing of what was before.
                    self.close_peer_with(existing, CloseReason::Replaced, false);
                    match self.new_peer(id, &up) {
                        Some(handle) => handle,
                        None => return self.refuse_peer(id, path),
                    }
                }
                Some(existing) => existing,
                None => match self.new_peer(id, &up) {
                    Some(handle) => handle,
                    None => return self.refuse_peer(id, path),
                },
            },
        };
        let stranger = self
            .peers
            .get(&handle)
            .and_then(|peer| peer.info.as_ref())
            .is_some_and(|info| info.remote_id != up.proven.remote_id);
        if stranger {
            // It proved itself with the same key, and is somebody else.
            let reason = CloseReason::IdentityRejected(up.proven.remote_id);
            self.delete_sa(id);
            return self.on_phase_1_failed(handle, reason);
        }
        if let Some(sa) = self.sas.get_mut(&id) {
            sa.peer = Some(handle);
        }
        let first = self.welcome(handle, id, role, path, up);
        match first {
            Some(info) => {
                if known.is_some() {
                    self.bundles.entry(key).or_insert(handle);
                } else {
                    self.bundles.insert(key, handle);
                }
                self.emit(Event::PeerUp { peer: handle, info: Box::new(info) });
            }
            None => {
                if let Some(established) = self.sas.get_mut(&id).and_then(IkeSa::established_mut) {
                    established.renewal = true;
                }
                self.emit(Event::PeerRekeyed { peer: handle });
            }
        }
        self.choose_current(handle, id);
        self.start_waiting(handle);
        self.settle_sa(id);
    }

    /// Whether an IKE SA was proven like those that a peer has, by the same method and the same key:
    /// with keys of their own, two users may claim one identity.
    fn proves_as_before(&self, handle: PeerHandle, up: &Up) -> bool {
        let Some(Peer { info: Some(info), secret, .. }) = self.peers.get(&handle) else {
            return false;
        };
        let same_key = match (secret, &up.secret) {
            (Some(before), Some(now)) => before.ct_eq(now.expose()),
            (before, now) => before.is_none() && now.is_none(),
        };
        info.auth == up.agreed.auth && same_key
    }

    /// Enters an IKE SA with its peer. `Some` when it is the first.
    fn welcome(
        &mut self,
        handle: PeerHandle,
        id: SaId,
        role: Role,
        path: Path,
        up: Up,
    ) -> Option<PeerInfo> {
        let peer = self.peers.get_mut(&handle)?;
        peer.sas.push(id);
        peer.heard = self.now;
        peer.sent = self.now;
        peer.probe = Probe { sequence: peer.probe.sequence, ..Probe::default() };
        peer.renew_at = None;
        peer.held_until = None;
        if peer.negotiating == Some(id) {
            peer.negotiating = None;
        }
        if peer.secret.is_none() {
            peer.secret = up.secret;
        }
        let info = PeerInfo {
            path,
            esp_path: esp_path(path, up.floated),
            encapsulated: up.floated,
            local_id: up.proven.local_id,
            remote_id: up.proven.remote_id,
            nat: up.nat,
            fingerprint: up.traits.fingerprint,
            proposal: up.agreed.proposal,
            auth: up.agreed.auth,
            role,
        };
        let first = peer.info.is_none();
        if first {
            peer.path = path;
        }
        peer.info = Some(info.clone());
        first.then_some(info)
    }

    /// A peer that began itself. `None` when there are too many.
    fn new_peer(&mut self, id: SaId, up: &Up) -> Option<PeerHandle> {
        if !self.config.respond || self.peers.len() >= self.config.limits.peers {
            return None;
        }
        let sequence = u32::from_be_bytes(self.tools.octets().ok()?) >> 1;
        let handle = PeerHandle(self.next_handle());
        let sa = self.sas.get(&id)?;
        let peer = Peer {
            role: Role::Responder,
            policy: Arc::clone(&sa.policy),
            path: sa.path,
            nat_t: sa.nat_t,
            info: None,
            secret: None,
            auth: up.agreed.auth,
            sas: Vec::new(),
            current: None,
            negotiating: None,
            children: BTreeSet::new(),
            waiting: Vec::new(),
            heard: self.now,
            sent: self.now,
            probe: Probe { sequence, ..Probe::default() },
            renew_at: None,
            held_until: None,
            entered: None,
        };
        self.peers.insert(handle, peer);
        Some(handle)
    }

    fn refuse_peer(&mut self, id: SaId, path: Path) {
        self.delete_sa(id);
        if self.config.respond {
            self.failed(path, Role::Responder, CloseReason::LimitReached("peers"));
        }
    }

    /// Has new exchanges run under the newest IKE SA of a peer.
    ///
    /// If both sides renewed it at once, there are two new ones: both sides then keep the one
    /// with the smaller initiator's cookie, or each might delete the other's.
    fn choose_current(&mut self, handle: PeerHandle, new: SaId) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        let (Some(newer), older) = (self.sas.get(&new), peer.current) else { return };
        let older = older.and_then(|id| self.sas.get(&id));
        let crossing = older.is_some_and(|older| {
            let renewed = |sa: &IkeSa| sa.established().is_some_and(|one| one.renewal);
            let young =
                older.established().is_some_and(|one| now.since(one.established) < CROSSING);
            young
                && renewed(older)
                && renewed(newer)
                && older.role != newer.role
                && older.cookies().initiator < newer.cookies().initiator
        });
        let keeper = match older {
            Some(older) if crossing => older.id,
            _ => new,
        };
        let ours = newer.role == Role::Initiator;
        peer.current = Some(keeper);
        let path = self.sas.get(&keeper).filter(|_| !crossing).map(|sa| sa.path);
        let superseded: Vec<SaId> = peer.sas.iter().copied().filter(|id| *id != keeper).collect();
        for id in superseded {
            let Some(sa) = self.sas.get_mut(&id) else { continue };
            let Some(established) = sa.established_mut() else { continue };
            established.rekey_at = None;
            let linger = if ours { LINGER_OURS } else { LINGER_THEIRS };
            established.delete_at.get_or_insert(now + linger);
            self.settle_sa(id);
        }
        if let Some(path) = path {
            self.move_bundle(handle, path);
        }
        let Some(peer) = self.peers.get(&handle) else { return };
        let old = peer.sas.iter().rev().filter(|id| **id != keeper).skip(LINGERING);
        for id in old.copied().collect::<Vec<_>>() {
            self.delete_sa(id);
        }
    }

    /// A peer is reached on another path from now on: it is found there.
    fn move_bundle(&mut self, handle: PeerHandle, path: Path) {
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        let old = peer.key();
        peer.path = path;
        let new = peer.key();
        if let (Some(old), Some(new)) = (old, new)
            && old != new
            && self.bundles.get(&old) == Some(&handle)
        {
            self.bundles.remove(&old);
            self.bundles.entry(new).or_insert(handle);
        }
    }

    /// A negotiation that we began for a peer failed.
    pub(super) fn on_phase_1_failed(&mut self, handle: PeerHandle, reason: CloseReason) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        peer.negotiating = None;
        let keeps = peer.current.is_some() || !peer.children.is_empty();
        if peer.info.is_none() || !keeps {
            return self.close_peer_with(handle, reason, true);
        }
        // What is there goes on until its own end; perhaps the peer renews it.
        peer.renew_at = Some(now + RENEW_AGAIN);
        peer.held_until = None;
        self.start_waiting(handle);
        self.settle_peer(handle);
    }

    /// Has an IKE SA with a peer: there is one, or one is being negotiated from now on.
    pub(super) fn ensure_sa(&mut self, handle: PeerHandle) {
        let Some(peer) = self.peers.get(&handle) else { return };
        if peer.current.is_none() && peer.negotiating.is_none() {
            self.renew(handle);
        }
    }

    /// Negotiates a new IKE SA with a peer that is up.
    pub(super) fn renew(&mut self, handle: PeerHandle) {
        let Some(peer) = self.peers.get(&handle) else { return };
        if peer.negotiating.is_some() {
            return;
        }
        let busy = peer.current.and_then(|id| self.sas.get(&id)).is_some_and(IkeSa::has_quick_mode);
        let held = self.now + HOLD;
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        if busy {
            // Its pair must not be left behind on the old SA.
            peer.renew_at = Some(held);
            return self.settle_peer(handle);
        }
        peer.held_until = peer.current.map(|_| held);
        if let Err(reason) = self.start_phase_1(handle) {
            self.on_phase_1_failed(handle, reason);
        }
    }

    /// An IKE SA is due: to repeat something, to be renewed, or to end.
    pub(super) fn on_sa_due(&mut self, id: SaId) {
        let now = self.now;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        sa.reassembly.expire(now);
        let peer = sa.peer;
        let Phase::Established(established) = &mut sa.phase else {
            return self.on_negotiation_due(id);
        };
        if established.expires_at <= now {
            return self.on_sa_gone(id, CloseReason::Expired);
        }
        if established.delete_at.is_some_and(|at| at <= now) {
            self.delete_sa(id);
            return;
        }
        let rekey = established.rekey_at.is_some_and(|at| at <= now);
        if rekey {
            established.rekey_at = None;
        }
        self.on_quick_modes_due(id);
        if let Some(peer) = peer.filter(|_| rekey) {
            // Without a pair there is nothing to keep it for, unless it was asked for.
            let kept = self
                .peers
                .get(&peer)
                .is_some_and(|peer| !peer.children.is_empty() || peer.role == Role::Initiator);
            if kept {
                self.renew(peer);
            }
        }
    }

    /// An IKE SA is gone. It takes no pair along: those go on to their own end, and a new IKE SA
    /// is negotiated if there are any.
    pub(super) fn on_sa_gone(&mut self, id: SaId, reason: CloseReason) {
        let now = self.now;
        let peer = self.sas.get(&id).and_then(|sa| sa.peer);
        self.abandon_quick_modes(id);
        self.forget_sa(id);
        let Some(handle) = peer else { return };
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        peer.sas.retain(|known| *known != id);
        if peer.current != Some(id) {
            return;
        }
        peer.current = peer.sas.last().copied();
        peer.probe = Probe { sequence: peer.probe.sequence, ..Probe::default() };
        if peer.current.is_some() || peer.negotiating.is_some() {
            return;
        }
        if peer.children.is_empty() {
            return self.close_peer_with(handle, reason, false);
        }
        let wait = match (peer.role, &reason) {
            (_, CloseReason::Expired) => Duration::ZERO,
            (Role::Initiator, _) => RENEW_CONNECTED,
            (Role::Responder, _) => RENEW_AGAIN,
        };
        peer.renew_at = Some(now + wait);
        self.settle_peer(handle);
    }

    /// Deletes one of our IKE SAs, and tells the peer.
    fn delete_sa(&mut self, id: SaId) {
        self.send_delete_sa(id);
        self.on_sa_gone(id, CloseReason::Requested);
    }

    fn send_delete_sa(&mut self, id: SaId) {
        let spi = self.sas.get(&id).map(|sa| sa.cookies().spi());
        let Some(spi) = spi else { return };
        self.send_informational(id, |builder| {
            builder.payload(PayloadType::DELETE, |out| {
                Delete::encode(ProtocolId::ISAKMP, &spi, out);
            });
        });
    }

    /// Ends a peer with all that belongs to it. `tell` sends it deletes, as far as that is possible.
    pub(super) fn close_peer_with(&mut self, handle: PeerHandle, reason: CloseReason, tell: bool) {
        let Some(peer) = self.peers.get(&handle) else { return };
        let (current, children) = (peer.current, peer.children.clone());
        if let Some(current) = current.filter(|_| tell) {
            for child in &children {
                self.send_delete_child(current, *child);
            }
        }
        for child in children {
            self.drop_child(child, ChildCloseReason::PeerClosed);
        }
        let Some(peer) = self.peers.get(&handle) else { return };
        let sas: Vec<SaId> = peer.sas.iter().chain(&peer.negotiating).copied().collect();
        for id in sas {
            if tell {
                self.send_delete_sa(id);
            }
            self.forget_sa(id);
        }
        let Some(peer) = self.peers.remove(&handle) else { return };
        self.deadlines.update(Wakeup::Peer(handle), peer.entered, None);
        if let Some(key) = peer.key()
            && self.bundles.get(&key) == Some(&handle)
        {
            self.bundles.remove(&key);
        }
        self.emit(Event::PeerClosed { peer: handle, reason });
    }

    /// Something is due for a peer: a keepalive, a R-U-THERE, a new IKE SA.
    pub(super) fn on_peer_due(&mut self, handle: PeerHandle) {
        let now = self.now;
        let announced = self.dpd_announced(handle);
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        if peer.keepalive_at().is_some_and(|at| at <= now) {
            peer.sent = now;
            let path = peer.path;
            self.send_keepalive(path);
        }
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        if peer.renew_at.is_some_and(|at| at <= now) {
            peer.renew_at = None;
            if peer.current.is_none() && peer.children.is_empty() {
                return self.close_peer_with(handle, CloseReason::Expired, false);
            }
            self.renew(handle);
        }
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        if peer.held_until.is_some_and(|until| until <= now) {
            peer.held_until = None;
            self.start_waiting(handle);
        }
        if announced {
            self.probe(handle);
        }
    }

    /// Asks a silent peer whether it is there, or takes it for dead (RFC 3706 §5.4).
    fn probe(&mut self, handle: PeerHandle) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        let (Some(Dpd { interval, tries, retry }), Some(current)) = (peer.policy.dpd, peer.current)
        else {
            return;
        };
        let due = peer.probe.next.unwrap_or(peer.heard + interval);
        if due > now {
            return;
        }
        if peer.probe.unanswered >= tries.max(1) {
            let silent = now.since(peer.heard);
            return self.close_peer_with(handle, CloseReason::DpdTimeout { silent }, false);
        }
        peer.probe.unanswered += 1;
        peer.probe.sequence = peer.probe.sequence.wrapping_add(1);
        peer.probe.next = Some(now + retry);
        let sequence = peer.probe.sequence;
        self.send_dpd(current, NotifyType::R_U_THERE, sequence);
    }

    /// Whether the peer announced that it answers R-U-THERE (RFC 3706 §5.1).
    pub(super) fn dpd_announced(&self, handle: PeerHandle) -> bool {
        let current = self.peers.get(&handle).and_then(|peer| peer.current);
        let sa = current.and_then(|id| self.sas.get(&id));
        sa.and_then(|sa| sa.established()).is_some_and(|one| one.traits.dpd)
    }

    /// Something authentic came from a peer.
    pub(super) fn hear_peer(&mut self, handle: PeerHandle) {
        if let Some(peer) = self.peers.get_mut(&handle) {
            peer.heard = self.now;
            peer.probe = Probe { sequence: peer.probe.sequence, ..Probe::default() };
        }
    }

    /// Something authentic and new came from `path`. Where the peer is behind a NAT that gave it
    /// a new address or port, we follow; but not where we are behind one ourselves, since the
    /// other side's address does not change then (RFC 3947 §7). Says whether the path changed.
    pub(super) fn follow(&mut self, handle: PeerHandle, path: Path) -> bool {
        let Some(peer) = self.peers.get_mut(&handle) else { return false };
        let Some(info) = &mut peer.info else { return false };
        let may = info.nat.remote && !info.nat.local;
        let same = peer.path.remote == path.remote;
        if same || !may || path.socket != Socket::NatT || peer.path.socket != Socket::NatT {
            return false;
        }
        let moved = Path { remote: path.remote, ..peer.path };
        info.path = moved;
        info.esp_path = esp_path(moved, info.encapsulated);
        let esp_path = info.esp_path;
        let sas = peer.sas.clone();
        self.move_bundle(handle, moved);
        for id in sas {
            if let Some(sa) = self.sas.get_mut(&id) {
                sa.path.remote = path.remote;
            }
        }
        self.emit(Event::PathChanged { peer: handle, path: esp_path });
        true
    }

    /// Sends a message of an informational exchange (RFC 2409 §5.7).
    pub(super) fn send_informational(
        &mut self,
        id: SaId,
        write: impl FnOnce(&mut crate::MessageBuilder<'_>),
    ) {
        let Ok(message_id) = self.tools.message_id() else { return };
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let path = sa.path;
        let Some(established) = sa.established_mut() else { return };
        // Both sides have the same keys: our own message must not pass for one of the peer when
        // somebody sends it back.
        established.note_informational(message_id);
        if let Ok(message) = established.secured.seal_informational(message_id, write) {
            self.send(id, path, &message, Sending::First);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn esp_goes_beside_ike() {
        let path = |socket, port| Path {
            socket,
            local: ([192, 0, 2, 1], port).into(),
            remote: ([198, 51, 100, 7], port).into(),
        };
        assert_eq!(esp_path(path(Socket::Ike, 500), false), path(Socket::Esp, 0));
        assert_eq!(esp_path(path(Socket::NatT, 4500), false), path(Socket::Esp, 0));
        assert_eq!(esp_path(path(Socket::NatT, 1024), true), path(Socket::NatT, 1024));
        assert_eq!(esp_path(path(Socket::Ike, 500), true), path(Socket::NatT, 4500));
    }
}
