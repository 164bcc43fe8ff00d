//! How the peers of a [`Stack`] come, go, and come back.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use ipsec_esp::BundleId;
use ipsec_esp::Generation;
use ipsec_ike::AuthMethod;
use ipsec_ike::CloseReason;
use ipsec_ike::PeerHandle;
use ipsec_ike::PeerInfo;
use ipsec_ike::Role;
use ipsec_ike::Selectors;
use l2tp_control::LinkId;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelResult;
use l2tp_wire::StopCcnResult;
use vpn_core::Instant;
use vpn_core::SecretBytes;

use super::Bundle;
use super::Ipsec;
use super::Pair;
use crate::DisconnectReason;
use crate::plane::Plane;
use crate::plane::link_of;
use crate::stack::Note;
use crate::stack::Stack;

/// How often a link is looked at that may have no tunnel. One without any at two looks is closed.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// How long the sessions of a peer wait that has deleted all its SAs. Some do so to authenticate
/// anew, and come back at once.
const GRACE: Duration = Duration::from_secs(60);

impl Ipsec {
    pub(super) fn peer_up(&mut self, now: Instant, peer: PeerHandle, info: &PeerInfo) {
        let info = Arc::new(info.clone());
        let look = Some(now + LOOK_INTERVAL);
        let psk = self.ike.psk_of(peer).cloned();
        let place = (info.remote_id.clone(), info.esp_path.remote);
        let back = self.left.get(&place).copied();
        if let Some((id, bundle)) = back.and_then(|id| Some((id, self.bundles.get_mut(&id)?)))
            && bundle.was_proved_by(&info, psk.as_ref())
        {
            self.left.remove(&place);
            self.looks.update(id, bundle.look, look);
            self.peers.insert(peer, id);
            (bundle.peer, bundle.path, bundle.info) = (peer, info.esp_path, info);
            (bundle.look, bundle.idle, bundle.gone) = (look, false, None);
            bundle.returned = true;
            return;
        }
        let id = self.sad.open_bundle();
        self.looks.update(id, None, look);
        let (local, remote) = (info.path.local.ip(), info.path.remote.ip());
        let path = info.esp_path;
        let bundle = Bundle {
            peer,
            info,
            path,
            local,
            remote,
            look,
            selectors: Selectors::l2tp(),
            idle: false,
            secured: false,
            used: false,
            psk,
            cuts: false,
            returned: false,
            gone: None,
        };
        self.bundles.insert(id, bundle);
        self.peers.insert(peer, id);
    }

    /// Keeps the link of a peer that began itself and has deleted all its SAs. Says whether the
    /// peer is waited for.
    fn wait_for(&mut self, now: Instant, peer: PeerHandle, reason: &CloseReason) -> bool {
        let Some(id) = self.peers.get(&peer).copied() else { return false };
        let Some(bundle) = self.bundles.get_mut(&id) else { return false };
        let place = (bundle.info.remote_id.clone(), bundle.path.remote);
        let may_return =
            *reason == CloseReason::DeletedByPeer && bundle.info.role == Role::Responder;
        if !may_return || self.left.contains_key(&place) {
            return false;
        }
        let until = Some(now + GRACE);
        self.looks.update(id, bundle.look, until);
        (bundle.look, bundle.gone) = (until, Some(reason.clone()));
        self.left.insert(place, id);
        self.peers.remove(&peer);
        true
    }

    /// Forgets a peer and all its SAs. Returns the link that it was.
    fn peer_closed(&mut self, peer: PeerHandle, plane: &Plane) -> Option<(LinkId, Bundle)> {
        let id = self.peers.remove(&peer)?;
        self.forget(id, plane)
    }

    fn forget(&mut self, id: BundleId, plane: &Plane) -> Option<(LinkId, Bundle)> {
        let bundle = self.bundles.remove(&id)?;
        if bundle.gone.is_some() {
            self.left.remove(&(bundle.info.remote_id.clone(), bundle.path.remote));
        }
        self.looks.update(id, bundle.look, None);
        let spis = self.sad.close_bundle(id);
        let pairs: Vec<Pair> = self
            .pairs
            .range((id, Generation(0))..=(id, Generation(u32::MAX)))
            .map(|(pair, _)| *pair)
            .collect();
        for pair in pairs {
            if let Some(child) = self.pairs.remove(&pair) {
                self.children.remove(&child);
            }
            self.undecided.remove(&pair);
        }
        plane.change(|table| {
            for spi in spis {
                table.remove_receiver(spi);
            }
            table.remove_carrier(link_of(id));
        });
        Some((link_of(id), bundle))
    }
}

impl Bundle {
    /// Whether its peer proved itself by the same method and, if any, with the same key.
    fn was_proved_by(&self, info: &PeerInfo, psk: Option<&SecretBytes>) -> bool {
        let same_key = match (&self.psk, psk) {
            (Some(before), Some(now)) => before.ct_eq(now.expose()),
            (before, now) => {
                before.is_none() && now.is_none() && info.auth != AuthMethod::PRE_SHARED_KEY
            }
        };
        self.info.auth == info.auth && same_key
    }
}

impl Stack {
    /// Looks at the links whose time it is: whether they have a tunnel, or waited long enough.
    pub(super) fn look_at_links(&mut self, now: Instant) {
        let Some(ipsec) = &mut self.ipsec else { return };
        let mut over = Vec::new();
        while let Some(id) = ipsec.looks.pop_due(now) {
            let Some(bundle) = ipsec.bundles.get_mut(&id) else { continue };
            bundle.look = None;
            if let Some(reason) = bundle.gone.clone() {
                let peer = bundle.peer;
                over.extend(ipsec.forget(id, &self.plane).map(|gone| (peer, gone, reason)));
                continue;
            }
            let look = Some(now + LOOK_INTERVAL);
            bundle.look = look;
            ipsec.looks.update(id, None, look);
            let none = self.endpoint.tunnels_on(link_of(id)) == 0;
            if !none || !core::mem::replace(&mut bundle.idle, none) {
                bundle.idle = none;
                continue;
            }
            let _ = ipsec.ike.close_peer(now, bundle.peer);
        }
        for (peer, (link, bundle), reason) in over {
            self.link_over(now, peer, link, &bundle, reason);
        }
    }

    /// A peer is gone. Its sessions wait for it where it may come back.
    pub(super) fn peer_closed(&mut self, now: Instant, peer: PeerHandle, reason: CloseReason) {
        let Some(ipsec) = &mut self.ipsec else { return };
        let link = ipsec.peers.get(&peer).map(|id| link_of(*id));
        let has_sessions = link.is_some_and(|link| !self.endpoint.sessions_on(link).is_empty());
        if has_sessions && ipsec.wait_for(now, peer, &reason) {
            return;
        }
        match ipsec.peer_closed(peer, &self.plane) {
            Some((link, bundle)) => self.link_over(now, peer, link, &bundle, reason),
            None => {
                self.notes.push_back(Note::IkeFailed { peer: Some(peer), path: None, reason });
            }
        }
    }

    /// A peer that was away has opened a tunnel: it knows nothing of those before. They must not
    /// keep its address from it.
    pub(in crate::stack) fn end_older_tunnels(&mut self, now: Instant, tunnel: TunnelHandle) {
        let Some(link) = self.endpoint.tunnel(tunnel).map(|info| info.link) else { return };
        let bundle = self.ipsec.as_ref().and_then(|ipsec| ipsec.bundle_of(link));
        if !bundle.is_some_and(|(_, bundle)| bundle.returned) {
            return;
        }
        for session in self.endpoint.sessions_on(link) {
            let Some(conn) = self.conns.get_mut(&session) else { continue };
            let older = conn.tunnel;
            if older != tunnel {
                let reason = DisconnectReason::Ipsec(CloseReason::Replaced);
                conn.ending.get_or_insert_with(|| Box::new(reason));
                let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
                self.endpoint.close_tunnel(now, older, result);
            }
        }
    }

    /// A link has ended, and everything over it does.
    fn link_over(
        &mut self,
        now: Instant,
        peer: PeerHandle,
        link: LinkId,
        bundle: &Bundle,
        reason: CloseReason,
    ) {
        if bundle.secured && !bundle.used {
            self.notes.push_back(Note::NoSccrq(bundle.path));
        }
        for session in self.endpoint.sessions_on(link) {
            if let Some(conn) = self.conns.get_mut(&session) {
                let reason = DisconnectReason::Ipsec(reason.clone());
                conn.ending.get_or_insert_with(|| Box::new(reason));
            }
        }
        self.endpoint.close_link(now, link);
        self.notes.push_back(Note::PeerClosed { peer, reason });
    }
}
