//! Room for one more tunnel, and who makes it.

use bytes::Bytes;
use l2tp_wire::ErrorCode;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Path;

use super::admission::Room;
use super::admission::Source;
use crate::Endpoint;
use crate::LinkId;
use crate::TunnelCloseReason;
use crate::TunnelHandle;
use crate::TunnelResult;
use crate::tunnel::Phase;
use crate::tunnel::state::TunnelEvent;

impl Endpoint {
    /// Makes room for a tunnel that a peer asks for, or refuses it.
    pub(super) fn make_room(
        &mut self,
        (link, path): (LinkId, Path),
        datagram: &[u8],
        peer_id: u16,
    ) -> Result<(), Handled> {
        let source = Source::new(link, path.remote.ip());
        match self.half_open.room(self.now, source, &self.config.limits) {
            Room::Yes => {}
            Room::Evict(oldest) => self.evict(oldest),
            Room::No => return Err(self.drops.drop(DropReason::LimitReached)),
        }
        if self.make_place(link, true) {
            return Ok(());
        }
        let reason = TunnelCloseReason::Local(
            TunnelResult::error(ErrorCode::INSUFFICIENT_RESOURCES)
                .message(Bytes::from_static(b"too many tunnels")),
        );
        Err(self.refuse_outright((link, path), datagram, Some(peer_id), &reason))
    }

    /// Makes place for one more tunnel on a link, if it takes the oldest that is over or, where
    /// `unproven` says so, the oldest whose peer has not answered. Says whether there is place.
    pub(super) fn make_place(&mut self, link: LinkId, unproven: bool) -> bool {
        let limits = self.config.limits;
        for scope in [Some(link), None] {
            let full = match scope {
                Some(link) => self.ids.count(link) >= limits.tunnels_per_link,
                None => self.tunnels.len() >= limits.tunnels,
            };
            if !full {
                continue;
            }
            let over = self.over.oldest(scope);
            let strange = || self.half_open.oldest_unproven(scope).filter(|_| unproven);
            let Some(oldest) = over.or_else(strange) else { return false };
            self.evict(oldest);
        }
        true
    }

    fn evict(&mut self, tunnel: TunnelHandle) {
        if self.tunnels.get(tunnel.0).is_some_and(|tunnel| tunnel.phase == Phase::Open) {
            let reason = Some(TunnelCloseReason::Evicted);
            self.tunnel_event(tunnel, TunnelEvent::LocalClose, reason);
        } else {
            self.forget_tunnel(tunnel);
        }
    }
}
