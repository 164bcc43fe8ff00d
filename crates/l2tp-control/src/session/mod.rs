//! One session: its call (RFC 2661 §7.4, §7.5) and its data.

mod disconnect;
mod incoming;
mod outgoing;
pub(crate) mod state;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use vpn_core::Instant;

use crate::ConnectedCall;
use crate::IncomingCall;
use crate::OutgoingCall;
use crate::ReorderQueue;
use crate::SessionHandle;
use crate::SessionInfo;
use crate::TunnelHandle;
use crate::channel::earlier;
use crate::sequence::DataSequence;
use crate::tunnel::Tunnel;
use state::CallKind;
use state::CallState;

/// How many frames are kept that overtook the ICCN or OCCN, and their longest length.
const EARLY_FRAMES: usize = 8;
const LONGEST_EARLY_FRAME: usize = 2048;

/// The call that a session was opened for.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Incoming(IncomingCall),
    Outgoing(OutgoingCall),
}

/// What a session needs only until it is established.
#[derive(Debug)]
pub(crate) struct CallSetup {
    pub(crate) call: Call,
    /// What our ICCN or OCCN will say, once that is known.
    pub(crate) connected: Option<ConnectedCall>,
    /// Whether the peer's ICRP has come; the ICCN goes out when the line is connected too.
    pub(crate) accepted: bool,
    /// What our OCRP will say.
    pub(crate) physical_channel: Option<u32>,
    /// Frames that overtook the ICCN or OCCN, with their sequence numbers.
    early: Vec<(Option<u16>, Bytes)>,
}

impl CallSetup {
    pub(crate) const fn new(call: Call, connected: Option<ConnectedCall>) -> Self {
        Self { call, connected, accepted: false, physical_channel: None, early: Vec::new() }
    }

    /// Keeps a frame that overtook the message that connects the call; says whether it did.
    pub(crate) fn keep_early(&mut self, ns: Option<u16>, frame: &[u8]) -> bool {
        let fits = self.early.len() < EARLY_FRAMES && frame.len() <= LONGEST_EARLY_FRAME;
        if fits {
            self.early.push((ns, Bytes::copy_from_slice(frame)));
        }
        fits
    }

    /// How many frames are kept.
    pub(crate) const fn early_len(&self) -> usize {
        self.early.len()
    }

    pub(crate) fn take_early(&mut self) -> Vec<(Option<u16>, Bytes)> {
        core::mem::take(&mut self.early)
    }
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) handle: SessionHandle,
    pub(crate) tunnel: TunnelHandle,
    pub(crate) kind: CallKind,
    pub(crate) state: CallState,
    pub(crate) local_id: u16,
    pub(crate) peer_id: u16,
    pub(crate) serial: u32,
    /// Whether the application knows of it.
    pub(crate) announced: bool,
    pub(crate) sequence: Arc<DataSequence>,
    pub(crate) reorder: Option<Box<ReorderQueue>>,
    pub(crate) setup: Option<Box<CallSetup>>,
    /// When set-up has taken too long.
    pub(crate) timer: Option<Instant>,
    /// The deadline under which it is entered among all others.
    pub(crate) entered: Option<Instant>,
    pub(crate) last_wen: Option<Instant>,
}

impl Session {
    pub(crate) fn new(
        handle: SessionHandle,
        tunnel: &Tunnel,
        kind: CallKind,
        local_id: u16,
        setup: CallSetup,
    ) -> Self {
        Self {
            handle,
            tunnel: tunnel.handle,
            kind,
            state: CallState::Idle,
            local_id,
            peer_id: 0,
            serial: match &setup.call {
                Call::Incoming(call) => call.serial,
                Call::Outgoing(call) => call.serial,
            },
            announced: false,
            sequence: Arc::new(DataSequence::new(kind.is_lac(), tunnel.config.first_numbers.ns)),
            reorder: None,
            setup: Some(Box::new(setup)),
            timer: None,
            entered: None,
            last_wen: None,
        }
    }

    /// When there is something to do next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let reorder = self.reorder.as_ref().and_then(|queue| queue.poll_timeout());
        earlier(reorder, self.timer)
    }

    pub(crate) fn info(&self, tunnel: &Tunnel) -> SessionInfo {
        SessionInfo {
            session: self.handle,
            tunnel: self.tunnel,
            kind: self.kind,
            state: self.state,
            link: tunnel.link,
            path: tunnel.path,
            local_tunnel_id: tunnel.local_id,
            local_session_id: self.local_id,
            peer_tunnel_id: tunnel.peer_id,
            peer_session_id: self.peer_id,
            serial: self.serial,
            data_length: tunnel.config.data_length,
            sequence: self.sequence.clone(),
            reorder: tunnel.config.reorder.map(|reorder| reorder.limit),
            peer_host_name: tunnel
                .peer
                .as_ref()
                .map_or_else(Bytes::new, |peer| peer.host_name.clone()),
        }
    }
}
