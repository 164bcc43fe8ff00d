use alloc::sync::Arc;
use core::time::Duration;

use bytes::Bytes;
use l2tp_wire::BearerTypes;
use l2tp_wire::FramingTypes;
use vpn_core::DropCounters;
use vpn_core::Path;

use crate::CallKind;
use crate::CallState;
use crate::LinkId;
use crate::SessionHandle;
use crate::TunnelHandle;
use crate::TunnelState;
use crate::sequence::DataSequence;

/// What a peer says about itself when a tunnel opens (RFC 2661 §4.4.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerInfo {
    /// Host Name; any octets.
    pub host_name: Bytes,
    /// Vendor Name, in UTF-8; empty where there is none.
    pub vendor_name: Bytes,
    /// Firmware Revision, in the vendor's own coding.
    pub firmware_revision: Option<u16>,
    /// Framing Capabilities.
    pub framing: FramingTypes,
    /// Bearer Capabilities; `None` for a peer that places no outgoing calls.
    pub bearer: Option<BearerTypes>,
}

/// A tunnel as it is now.
#[derive(Clone, Debug)]
pub struct TunnelInfo {
    /// The tunnel.
    pub tunnel: TunnelHandle,
    /// The link that it runs over.
    pub link: LinkId,
    /// The addresses that it runs between.
    pub path: Path,
    /// State of its control connection; [`TunnelState::Idle`] while it closes.
    pub state: TunnelState,
    /// Whether we asked for it.
    pub initiator: bool,
    /// The Tunnel ID that we assigned: it is in the header of what we receive.
    pub local_tunnel_id: u16,
    /// The Tunnel ID that the peer assigned, or 0 while it is not known.
    pub peer_tunnel_id: u16,
    /// How many sessions it has.
    pub sessions: usize,
    /// The peer, once it has told about itself.
    pub peer: Option<PeerInfo>,
}

/// A session as it is now, and what a data plane needs to carry its frames.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// The session.
    pub session: SessionHandle,
    /// Its tunnel.
    pub tunnel: TunnelHandle,
    /// Which call state machine it runs, and so whether we are LAC or LNS.
    pub kind: CallKind,
    /// State of the call.
    pub state: CallState,
    /// The link that its tunnel runs over.
    pub link: LinkId,
    /// The addresses that its tunnel runs between.
    pub path: Path,
    /// Tunnel ID in the header of what we receive.
    pub local_tunnel_id: u16,
    /// Session ID in the header of what we receive.
    pub local_session_id: u16,
    /// Tunnel ID for the header of what we send.
    pub peer_tunnel_id: u16,
    /// Session ID for the header of what we send.
    pub peer_session_id: u16,
    /// Call Serial Number.
    pub serial: u32,
    /// Whether the data messages that we send have a Length field.
    pub data_length: bool,
    /// Sequence numbers of data messages. A data plane takes its numbers from here, so that they
    /// and those of [`send_data`](crate::Endpoint::send_data) count as one.
    pub sequence: Arc<DataSequence>,
    /// How long a frame waits for those before it. With it, what has sequence numbers must go
    /// through the endpoint, which puts it in order.
    pub reorder: Option<Duration>,
    /// Host Name of the peer; any octets.
    pub peer_host_name: Bytes,
}

/// How many there are of everything, taken from the tables at the moment of asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Tunnels in whatever state, those that are closing included.
    pub tunnels: usize,
    /// Tunnels that a peer has asked for and that are not open yet.
    pub half_open: usize,
    /// Tunnels whose StopCCN the peer has not acknowledged yet.
    pub stopping: usize,
    /// Those of them that had been open: what to wait for before the end. Strangers whom we
    /// refused are not among them.
    pub draining: usize,
    /// Sessions in whatever state.
    pub sessions: usize,
    /// Why input was dropped, and how often.
    pub drops: DropCounters,
}
