//! Pairs of ESP SAs: how they come, take each other's place, and go.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::Endpoint;
use super::Wakeup;
use super::bundle::esp_path;
use super::peer;
use super::peer::Child;
use super::phase_1::rekey_after;
use super::sa::IkeSa;
use crate::ChildCloseReason;
use crate::ChildHandle;
use crate::ChildLifetime;
use crate::ChildSa;
use crate::Event;
use crate::PayloadType;
use crate::PeerHandle;
use crate::ProtocolId;
use crate::Selector;
use crate::event::Role;
use crate::handle::SaId;
use crate::payload::Delete;
use crate::proposal::Lifetime;
use crate::v1::quick_mode::Agreement;
use crate::v1::quick_mode::State;

/// How long a pair that was replaced can still receive.
const LINGER: Duration = Duration::from_secs(60);
/// How many pairs of a peer, already replaced, can still receive.
const LINGERING: usize = 4;
/// Two pairs of different sides that came within this time of each other, both in place of an
/// older one, crossed each other.
const CROSSING: Duration = Duration::from_secs(20);
/// SPIs below are reserved (RFC 4303 §2.1).
const FIRST_SPI: u32 = 256;
/// With less than this left of its life, a pair is not rekeyed once more.
const TOO_LATE: Duration = Duration::from_secs(5);

impl Endpoint {
    /// An SPI that no pair has.
    pub(super) fn fresh_spi(&mut self) -> Option<u32> {
        (0..16).find_map(|_| {
            let spi = u32::from_be_bytes(self.tools.octets().ok()?);
            (spi >= FIRST_SPI && !self.by_spi.contains_key(&spi)).then_some(spi)
        })
    }

    /// Installs what a quick mode agreed on. The initiator may send at once; the responder when it
    /// is confirmed.
    pub(super) fn install(
        &mut self,
        id: SaId,
        handle: PeerHandle,
        message_id: u32,
        agreement: Agreement,
    ) {
        let now = self.now;
        let spread = self.tools.below(25).unwrap_or(0);
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, fingerprint) = match sa.established() {
            Some(established) => (sa.path, established.traits.fingerprint),
            None => return,
        };
        let quick_mode = sa.established().and_then(|one| one.quick_modes.get(&message_id));
        let Some(quick_mode) = quick_mode else { return };
        let (child, role, selectors) = (quick_mode.child, quick_mode.role, quick_mode.selectors);
        let replaces = quick_mode.replaces.or_else(|| self.same_purpose(handle, child, selectors));
        let Agreement { proposal, inbound, outbound, encapsulated, lifetime, nat_oa } = agreement;
        let seconds = lifetime.seconds.unwrap_or(Lifetime::DEFAULT_SECONDS);
        let time = Duration::from_secs(seconds);
        let entry = Child {
            peer: handle,
            inbound_spi: inbound.spi,
            outbound_spi: outbound.spi,
            selectors,
            replaces,
            role,
            installed: now,
            ready: false,
            used: false,
            rekey_at: Some(now + rekey_after(time, role, spread)),
            ends_at: now + time,
            replaced_by: None,
            rekeying: false,
            entered: None,
        };
        self.by_spi.insert(inbound.spi, child);
        self.children.insert(child, entry);
        if let Some(peer) = self.peers.get_mut(&handle) {
            peer.children.insert(child);
        }
        let wins = self.rival(child).is_none();
        let (local, remote) = (path.local.ip(), path.remote.ip());
        let protocol = selectors.protocol;
        self.emit(Event::ChildInstall(Box::new(ChildSa {
            peer: handle,
            child,
            replaces,
            suite: proposal.suite,
            inbound,
            outbound,
            esp_path: esp_path(path, encapsulated),
            encapsulated,
            local: Selector { protocol, port: selectors.local_port, address: local },
            remote: Selector { protocol, port: selectors.remote_port, address: remote },
            nat_oa,
            lifetime: ChildLifetime { time, kilobytes: lifetime.kilobytes },
            outbound_ready: role == Role::Initiator && wins,
            fingerprint,
        })));
        if role == Role::Initiator {
            self.take_place(child);
        }
        self.settle_child(child);
    }

    /// The pair in use that carries the same, so that a new one is meant to replace it: IKEv1 does
    /// not say so.
    fn same_purpose(
        &self,
        handle: PeerHandle,
        new: ChildHandle,
        selectors: crate::Selectors,
    ) -> Option<ChildHandle> {
        let peer = self.peers.get(&handle)?;
        let same = |handle: &&ChildHandle| {
            self.children.get(handle).is_some_and(|child| {
                **handle != new && child.selectors == selectors && child.replaced_by.is_none()
            })
        };
        peer.children.iter().rev().find(same).copied()
    }

    /// A pair that crossed this one and that both sides keep in its place: the one with the
    /// smaller SPIs. Otherwise each side might use, and delete, what the other does not.
    fn rival(&self, handle: ChildHandle) -> Option<ChildHandle> {
        let child = self.children.get(&handle)?;
        let peer = self.peers.get(&child.peer)?;
        let rival = |handle: &&ChildHandle| {
            self.children.get(handle).is_some_and(|other| {
                let apart = child.installed.since(other.installed);
                other.ready
                    && other.replaced_by.is_none()
                    && !self.follows(child, **handle)
                    && other.selectors == child.selectors
                    && other.role != child.role
                    && other.replaces.is_some()
                    && child.replaces.is_some()
                    && apart < CROSSING
                    && other.name() < child.name()
            })
        };
        peer.children.iter().find(rival).copied()
    }

    /// Whether a pair was meant to take the place of `older`, and did not cross it. With our own we
    /// know. The peer's came after it had `older` if ESP came on that before; what it had under way
    /// till then it has [given up](Self::abandon).
    fn follows(&self, child: &Child, older: ChildHandle) -> bool {
        let used = self.children.get(&older).is_some_and(|older| older.used);
        child.replaces == Some(older) && (child.role == Role::Initiator || used)
    }

    /// A pair has been replaced: what else was to replace it is no longer wanted.
    fn abandon(&mut self, old: ChildHandle) {
        let Some(peer) = self.children.get(&old).and_then(|child| self.peers.get(&child.peer))
        else {
            return;
        };
        for id in peer.sas.clone() {
            let established = self.sas.get_mut(&id).and_then(IkeSa::established_mut);
            let Some(established) = established else { continue };
            established.quick_modes.retain(|_, quick_mode| {
                quick_mode.state != State::Message2Awaited || quick_mode.replaces != Some(old)
            });
            self.settle_sa(id);
        }
    }

    /// The peer has this pair, too.
    pub(super) fn confirm(&mut self, handle: ChildHandle) {
        let Some(child) = self.children.get(&handle) else { return };
        if child.ready {
            return;
        }
        let wins = self.rival(handle).is_none() && child.replaced_by.is_none();
        if wins {
            self.emit(Event::ChildReady { child: handle });
        }
        self.take_place(handle);
    }

    /// A pair is whole: it takes the place of those that carry the same, or gives way to one that
    /// crossed it.
    fn take_place(&mut self, handle: ChildHandle) {
        let rival = self.rival(handle);
        let Some(child) = self.children.get_mut(&handle) else { return };
        child.ready = true;
        let (peer, selectors) = (child.peer, child.selectors);
        if let Some(rival) = rival {
            return self.retire(handle, rival);
        }
        let Some(peer) = self.peers.get(&peer) else { return };
        let old: Vec<ChildHandle> = peer
            .children
            .iter()
            .copied()
            .filter(|other| {
                *other != handle
                    && self.children.get(other).is_some_and(|other| {
                        other.ready && other.selectors == selectors && other.replaced_by.is_none()
                    })
            })
            .collect();
        for old in old {
            self.retire(old, handle);
        }
    }

    /// A pair is not sent on any more, and receives for a while.
    fn retire(&mut self, old: ChildHandle, new: ChildHandle) {
        let linger = self.now + LINGER;
        let Some(child) = self.children.get_mut(&old) else { return };
        child.replaced_by = Some(new);
        child.rekey_at = None;
        child.rekeying = false;
        child.ends_at = child.ends_at.min(linger);
        let peer = child.peer;
        self.settle_child(old);
        self.abandon(old);
        self.end_old_ones(peer);
    }

    /// Of the pairs that only receive, the newest few stay. A fast transfer uses up its octets, and
    /// so its pairs, much sooner than [`LINGER`] is over.
    fn end_old_ones(&mut self, handle: PeerHandle) {
        let Some(peer) = self.peers.get(&handle) else { return };
        let replaced = |child: &&ChildHandle| {
            self.children.get(child).is_some_and(|child| child.replaced_by.is_some())
        };
        // Handles are given in the order of time.
        let old = peer.children.iter().filter(replaced).rev().skip(LINGERING);
        for old in old.copied().collect::<Vec<_>>() {
            self.close_child_with(old, ChildCloseReason::Replaced, true);
        }
    }

    /// Something is due for a pair: to be rekeyed, or to end.
    pub(super) fn on_child_due(&mut self, handle: ChildHandle) {
        let now = self.now;
        let Some(child) = self.children.get_mut(&handle) else { return };
        if child.ends_at <= now {
            let reason = match child.replaced_by {
                Some(_) => ChildCloseReason::Replaced,
                None => ChildCloseReason::Expired,
            };
            return self.close_child_with(handle, reason, true);
        }
        if child.rekey_at.is_some_and(|at| at <= now) {
            self.rekey(handle);
        }
    }

    /// Negotiates a pair in place of this one. Says whether there is anything to replace.
    pub(super) fn rekey(&mut self, handle: ChildHandle) -> bool {
        let Some(child) = self.children.get_mut(&handle) else { return false };
        child.rekey_at = None;
        if child.replaced_by.is_some() || child.rekeying {
            return false;
        }
        let (peer, selectors) = (child.peer, child.selectors);
        // The peer may be about to do the same: its new pair is on the way.
        let pending = self.peers.get(&peer).is_some_and(|peer| {
            peer.children.iter().any(|other| {
                self.children
                    .get(other)
                    .is_some_and(|other| other.replaces == Some(handle) && !other.ready)
            })
        });
        if pending {
            self.rekey_failed(handle);
            return true;
        }
        if let Some(child) = self.children.get_mut(&handle) {
            child.rekeying = true;
        }
        let new = ChildHandle(self.next_handle());
        let request = peer::Request { child: new, replaces: Some(handle), selectors };
        self.want_child(peer, request);
        true
    }

    /// A pair could not be replaced: it is tried again while there is time.
    pub(super) fn rekey_failed(&mut self, handle: ChildHandle) {
        let now = self.now;
        let Some(child) = self.children.get_mut(&handle) else { return };
        child.rekeying = false;
        let left = child.ends_at.since(now);
        if child.replaced_by.is_none() && left > TOO_LATE {
            child.rekey_at = Some(now + left / 3);
        }
        self.settle_child(handle);
    }

    /// The peer has deleted a pair.
    pub(super) fn on_child_deleted(&mut self, handle: ChildHandle) {
        let Some(child) = self.children.get(&handle) else { return };
        if child.replaced_by.is_some() {
            // What we receive on it may still be under way; we do not send on it any more.
            return;
        }
        let peer = child.peer;
        let heir = self.peers.get(&peer).and_then(|peer| {
            let newer = |other: &&ChildHandle| {
                self.children.get(other).is_some_and(|other| {
                    other.replaces == Some(handle) || other.replaced_by == Some(handle)
                })
            };
            peer.children.iter().rev().find(newer).copied()
        });
        if let Some(heir) = heir {
            // The peer means the pair that is left, whichever of us began it.
            if let Some(heir) = self.children.get_mut(&heir) {
                heir.replaced_by = None;
            }
            self.retire(handle, heir);
            let unready = self.children.get(&heir).is_some_and(|heir| !heir.ready);
            if unready {
                return self.on_child_used(heir);
            }
            return self.emit(Event::ChildReady { child: heir });
        }
        self.drop_child(handle, ChildCloseReason::DeletedByPeer);
        self.end_without_children(peer);
    }

    /// A peer without any SA is none.
    fn end_without_children(&mut self, handle: PeerHandle) {
        let Some(peer) = self.peers.get(&handle) else { return };
        if peer.children.is_empty() && peer.current.is_none() && peer.negotiating.is_none() {
            self.close_peer_with(handle, crate::CloseReason::DeletedByPeer, false);
        }
    }

    /// Ends a pair; `tell` tells the peer.
    pub(super) fn close_child_with(
        &mut self,
        handle: ChildHandle,
        reason: ChildCloseReason,
        tell: bool,
    ) {
        let Some(peer) = self.children.get(&handle).map(|child| child.peer) else { return };
        let current = self.peers.get(&peer).and_then(|peer| peer.current);
        if let Some(current) = current.filter(|_| tell) {
            self.send_delete_child(current, handle);
        }
        self.drop_child(handle, reason);
        self.end_without_children(peer);
    }

    /// Tells the peer that a pair is gone, by what we received on (RFC 2408 §3.15).
    pub(super) fn send_delete_child(&mut self, id: SaId, handle: ChildHandle) {
        let Some(child) = self.children.get(&handle) else { return };
        let spi = child.inbound_spi.to_be_bytes();
        self.send_informational(id, |builder| {
            builder.payload(PayloadType::DELETE, |out| Delete::encode(ProtocolId::ESP, &spi, out));
        });
    }

    /// Forgets a pair and says so.
    pub(super) fn drop_child(&mut self, handle: ChildHandle, reason: ChildCloseReason) {
        let Some(child) = self.children.remove(&handle) else { return };
        self.deadlines.update(Wakeup::Child(handle), child.entered, None);
        self.by_spi.remove(&child.inbound_spi);
        if let Some(peer) = self.peers.get_mut(&child.peer) {
            peer.children.remove(&handle);
        }
        self.emit(Event::ChildClosed { child: handle, reason });
    }
}
