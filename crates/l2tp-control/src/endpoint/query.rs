use alloc::vec::Vec;

use crate::Counts;
use crate::Endpoint;
use crate::LinkId;
use crate::SessionHandle;
use crate::SessionInfo;
use crate::TunnelHandle;
use crate::TunnelInfo;
use crate::tunnel::Tunnel;

impl Endpoint {
    /// A tunnel as it is now. `None` once it has closed, but for one whose StopCCN is on its way.
    #[must_use]
    pub fn tunnel(&self, tunnel: TunnelHandle) -> Option<TunnelInfo> {
        self.tunnels.get(tunnel.0).map(Tunnel::info)
    }

    /// How many tunnels a link carries, in whatever state.
    #[must_use]
    pub fn tunnels_on(&self, link: LinkId) -> usize {
        self.ids.count(link)
    }

    /// A session as it is now, with what a data plane needs. `None` once it has closed.
    #[must_use]
    pub fn session(&self, session: SessionHandle) -> Option<SessionInfo> {
        let session = self.sessions.get(session.0)?;
        Some(session.info(self.tunnels.get(session.tunnel.0)?))
    }

    /// All tunnels, in an order that depends only on what happened before.
    pub fn tunnels(&self) -> impl Iterator<Item = TunnelInfo> + '_ {
        self.tunnels.iter().map(|(_, tunnel)| tunnel.info())
    }

    /// All sessions, in an order that depends only on what happened before.
    pub fn sessions(&self) -> impl Iterator<Item = SessionInfo> + '_ {
        self.sessions
            .iter()
            .filter_map(|(_, session)| Some(session.info(self.tunnels.get(session.tunnel.0)?)))
    }

    /// The sessions of all tunnels of a link; none for [`LinkId::PLAIN`].
    #[must_use]
    pub fn sessions_on(&self, link: LinkId) -> Vec<SessionHandle> {
        self.ids.on(link).into_iter().flat_map(|tunnel| self.sessions_of(tunnel)).collect()
    }

    /// The sessions of a tunnel, in the order of their IDs.
    pub fn sessions_of(&self, tunnel: TunnelHandle) -> impl Iterator<Item = SessionHandle> + '_ {
        let tunnel = self.tunnels.get(tunnel.0);
        tunnel.into_iter().flat_map(|tunnel| tunnel.calls.by_local_id.values().flatten().copied())
    }

    /// How many there are of everything.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            tunnels: self.tunnels.len(),
            half_open: self.half_open.alive(),
            stopping: self.stopping.len(),
            draining: self.draining.len(),
            sessions: self.sessions.len(),
            drops: self.drops,
        }
    }
}
