use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::net::Ipv4Addr;

use l2tp_control::SessionCloseReason;
use l2tp_control::SessionInfo;
use l2tp_control::TunnelHandle;
use ppp_core::AuthMethod;
use ppp_core::Event;
use ppp_core::Link;
use ppp_core::Phase;
use vpn_core::Instant;

use crate::Connected;
use crate::DisconnectReason;
use crate::Disconnected;
use crate::SessionId;
use crate::SessionStatus;
use crate::plane::Entry;
use crate::plane::Ipv4Pair;
use crate::plane::Ipv6Pair;
use crate::plane::Shared;
use crate::plane::Side;

/// One session: its PPP link and what the data plane knows of it.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) link: Link,
    pub(crate) entry: Entry,
    pub(crate) tunnel: TunnelHandle,
    /// The largest IP packet that goes through what is below.
    pub(crate) mtu: u16,
    /// Who the peer proved to be.
    pub(crate) user: Option<String>,
    pub(crate) auth: Option<AuthMethod>,
    /// The address that was lent to the peer, and to whom.
    pub(crate) lease: Option<Box<Lease>>,
    /// Since when IPv4 is up.
    pub(crate) up_since: Option<Instant>,
    /// By when IPv4 must be up, while it is not.
    pub(crate) up_by: Option<Instant>,
    /// What was told of the session when IPv4 came up last.
    pub(crate) told: Option<Box<Connected>>,
    /// How many packets had been sent when idleness was last looked at.
    pub(crate) sent_before: u64,
    /// When data was last seen to pass.
    pub(crate) active_at: Instant,
    /// Why we are closing it.
    pub(crate) ending: Option<Box<DisconnectReason>>,
    /// The entry in the queue of deadlines.
    pub(crate) deadline: Option<Instant>,
    /// Whether the session is in the queue of those with frames to send.
    pub(crate) sends: bool,
    /// Whether the session is in the queue of those with events to read.
    pub(crate) tells: bool,
}

/// An address that a session holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lease {
    pub(crate) address: Ipv4Addr,
    /// The name under which the peer logged in.
    pub(crate) user: Box<[u8]>,
}

impl Conn {
    pub(crate) fn new(now: Instant, link: Link, info: &SessionInfo, side: Side, mtu: u16) -> Self {
        let entry = Entry {
            session: info.session,
            link: info.link,
            path: info.path,
            local_tunnel_id: info.local_tunnel_id,
            local_session_id: info.local_session_id,
            peer_tunnel_id: info.peer_tunnel_id,
            peer_session_id: info.peer_session_id,
            data_length: info.data_length,
            acfc: false,
            pfc: false,
            mtu: 0,
            side,
            ipv4: None,
            ipv6: None,
            reorder: info.reorder.is_some(),
            sequence: Arc::clone(&info.sequence),
            shared: Arc::new(Shared::default()),
        };
        Self {
            link,
            entry,
            tunnel: info.tunnel,
            mtu,
            user: None,
            auth: None,
            lease: None,
            up_since: None,
            up_by: None,
            told: None,
            sent_before: 0,
            active_at: now,
            ending: None,
            deadline: None,
            sends: false,
            tells: false,
        }
    }

    /// Brings the entry for the data plane up to what the link has negotiated.
    pub(crate) fn refresh(&mut self) {
        let form = self.link.form();
        self.entry.acfc = form.acfc;
        self.entry.pfc = form.pfc;
        self.entry.mtu = form.mtu.min(self.mtu);
        self.entry.ipv4 = form.ipv4.map(|v4| Ipv4Pair { local: v4.local, peer: v4.peer });
        self.entry.ipv6 = form.ipv6.map(|v6| Ipv6Pair { local: v6.local.0, peer: v6.peer.0 });
    }

    pub(crate) fn status(&self, rekeys: u32) -> SessionStatus {
        SessionStatus {
            session: self.entry.session,
            path: self.entry.path,
            user: self.user.clone(),
            phase: self.link.phase(),
            peer_address: self.entry.ipv4.map(|pair| pair.peer),
            up_since: self.up_since,
            rekeys,
            counters: self.entry.shared.counters(),
        }
    }

    /// Why PPP was ending when its call closed. The peer's Terminate-Request says more than the CDN
    /// that follows it.
    pub(crate) fn ppp_reason(&mut self, now: Instant) -> Option<DisconnectReason> {
        if self.link.phase() != Phase::Terminate {
            return None;
        }
        self.link.lower_down(now);
        while let Some(event) = self.link.poll_event() {
            if let Event::Closed { reason } = event {
                return Some(DisconnectReason::Ppp(reason));
            }
        }
        None
    }

    /// What is told of the session when its call has closed. What closed it first is the reason.
    pub(crate) fn into_ended(self, session: SessionId, reason: SessionCloseReason) -> Disconnected {
        let reason = match self.ending {
            Some(ending) => *ending,
            None if self.link.phase() == Phase::Authenticate => {
                DisconnectReason::CallDuringLogin(reason)
            }
            None => DisconnectReason::Call(reason),
        };
        Disconnected {
            session,
            path: self.entry.path,
            user: self.user,
            reason,
            counters: self.entry.shared.counters(),
        }
    }
}
