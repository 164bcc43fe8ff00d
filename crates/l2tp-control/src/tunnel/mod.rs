//! One tunnel: its control connection (RFC 2661 §7.2) and what belongs to it.

mod auth;
pub(crate) mod collision;
pub(crate) mod handshake;
pub(crate) mod state;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use core::net::SocketAddr;

use vpn_core::Instant;
use vpn_core::Path;

use crate::LinkId;
use crate::PeerInfo;
use crate::SessionHandle;
use crate::TunnelConfig;
use crate::TunnelHandle;
use crate::TunnelInfo;
use crate::channel::Channel;
use crate::channel::earlier;
use crate::seq;

pub(crate) use auth::Challenge;
use handshake::Handshake;
use state::TunnelState;

/// Where a tunnel is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// The state machine runs.
    Open,
    /// We sent a StopCCN. The channel goes on until it is acknowledged, and a full retransmission
    /// cycle longer (RFC 2661 §5.8).
    Stopping,
    /// The peer sent a StopCCN. What it repeats is acknowledged for a full retransmission cycle
    /// (RFC 2661 §5.7).
    Stopped,
}

/// Octets to and from a peer that has not shown yet that it gets what we send to its address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Budget {
    received: usize,
    sent: usize,
}

impl Budget {
    /// How many times what it sent a peer may get before it has answered.
    const FACTOR: usize = 3;

    pub(crate) const fn receive(&mut self, octets: usize) {
        self.received = self.received.saturating_add(octets);
    }

    /// Takes `octets` from the budget, if that much is left.
    pub(crate) const fn spend(&mut self, octets: usize) -> bool {
        let sent = self.sent.saturating_add(octets);
        if sent > self.received.saturating_mul(Self::FACTOR) {
            return false;
        }
        self.sent = sent;
        true
    }
}

/// The calls of a tunnel.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// By the Session ID that we assigned. `None` keeps an ID out of use for a while.
    pub(crate) by_local_id: BTreeMap<u16, Option<SessionHandle>>,
    /// By the Session ID that the peer assigned.
    pub(crate) by_peer_id: BTreeMap<u16, SessionHandle>,
    /// How many sessions there are.
    pub(crate) len: usize,
    /// Calls that wait until the tunnel is open and its queue has room, the oldest first.
    pub(crate) waiting: BTreeSet<SessionHandle>,
}

/// A tunnel.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) handle: TunnelHandle,
    pub(crate) link: LinkId,
    pub(crate) path: Path,
    /// The peer's address when the tunnel was asked for: what tables know the tunnel by.
    pub(crate) origin: SocketAddr,
    pub(crate) local_id: u16,
    pub(crate) peer_id: u16,
    pub(crate) state: TunnelState,
    pub(crate) phase: Phase,
    /// Whether we asked for it.
    pub(crate) initiator: bool,
    /// Whether the application knows of it.
    pub(crate) announced: bool,
    /// Whether the peer has shown that it gets what we send to its address.
    pub(crate) proven: bool,
    /// Whether anything ever came from the peer.
    pub(crate) heard: bool,
    /// Whether it is in the queue of those with something to send.
    pub(crate) in_output: bool,
    pub(crate) budget: Budget,
    pub(crate) config: Arc<TunnelConfig>,
    pub(crate) channel: Channel,
    /// When set-up has taken too long, a HELLO is due, or a closed tunnel is forgotten.
    pub(crate) timer: Option<Instant>,
    /// The deadline under which it is entered among all others.
    pub(crate) entered: Option<Instant>,
    pub(crate) last_heard: Instant,
    pub(crate) established_at: Instant,
    pub(crate) peer: Option<Box<PeerInfo>>,
    pub(crate) calls: Calls,
    pub(crate) handshake: Option<Box<Handshake>>,
}

impl Tunnel {
    pub(crate) fn new(
        handle: TunnelHandle,
        (link, path): (LinkId, Path),
        local_id: u16,
        config: Arc<TunnelConfig>,
        now: Instant,
    ) -> Self {
        Self {
            handle,
            link,
            path,
            origin: path.remote,
            local_id,
            peer_id: 0,
            state: TunnelState::Idle,
            phase: Phase::Open,
            initiator: false,
            announced: false,
            proven: link.is_authenticated(),
            heard: false,
            in_output: false,
            budget: Budget::default(),
            channel: Channel::new(config.first_numbers),
            timer: Some(now + config.setup_timeout),
            config,
            entered: None,
            last_heard: now,
            established_at: now,
            peer: None,
            calls: Calls::default(),
            handshake: Some(Box::default()),
        }
    }

    /// Whether calls can be made.
    pub(crate) fn is_established(&self) -> bool {
        self.state == TunnelState::Established
    }

    /// Whether `nr` acknowledges our SCCRP.
    pub(crate) fn has_acknowledged(&self, nr: u16) -> bool {
        let first = self.config.first_numbers.ns;
        let sent = seq::distance(first, self.channel.next_ns());
        let answered = matches!(self.state, TunnelState::WaitCtlConn | TunnelState::Established);
        answered && (1..=sent).contains(&seq::distance(first, nr))
    }

    /// When there is something to do next, other than to send what is due at `now`.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        earlier(self.channel.deadline(now), self.timer)
    }

    pub(crate) fn info(&self) -> TunnelInfo {
        TunnelInfo {
            tunnel: self.handle,
            link: self.link,
            path: self.path,
            state: self.state,
            initiator: self.initiator,
            local_tunnel_id: self.local_id,
            peer_tunnel_id: self.peer_id,
            sessions: self.calls.len,
            peer: self.peer.as_deref().cloned(),
        }
    }
}
