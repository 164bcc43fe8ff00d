use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;
use l2tp_wire::Accm;
use l2tp_wire::AttributeType;
use l2tp_wire::CallErrors;
use l2tp_wire::Leniencies;
use l2tp_wire::MessageType;
use l2tp_wire::VendorId;
use l2tp_wire::message::MessageErrorKind;
use vpn_core::Path;

use crate::CallResult;
use crate::CallState;
use crate::ConnectedCall;
use crate::IncomingCall;
use crate::LinkId;
use crate::OutgoingCall;
use crate::PeerInfo;
use crate::SessionCloseReason;
use crate::SessionHandle;
use crate::SessionInfo;
use crate::SessionTicket;
use crate::TunnelCloseReason;
use crate::TunnelConfig;
use crate::TunnelHandle;
use crate::TunnelResult;
use crate::TunnelState;
use crate::TunnelTicket;

/// What an [`Endpoint`](crate::Endpoint) reports.
#[non_exhaustive]
#[derive(Debug)]
pub enum Event {
    /// A peer asks for a tunnel. Answer with
    /// [`answer_tunnel`](crate::Endpoint::answer_tunnel).
    TunnelRequest(Box<TunnelRequest>),
    /// A tunnel is open.
    TunnelUp {
        /// The tunnel; [`tunnel`](crate::Endpoint::tunnel) tells more.
        tunnel: TunnelHandle,
    },
    /// A tunnel has closed. Its sessions were reported closed before.
    TunnelClosed {
        /// The tunnel.
        tunnel: TunnelHandle,
        /// Why.
        reason: TunnelCloseReason,
    },
    /// A peer asks for a session. Answer with
    /// [`answer_session`](crate::Endpoint::answer_session).
    SessionRequest(Box<SessionRequest>),
    /// The LNS accepted an incoming call that was announced without saying that it is connected.
    /// Go on with [`call_connected`](crate::Endpoint::call_connected) or
    /// [`call_failed`](crate::Endpoint::call_failed).
    CallAccepted {
        /// The session.
        session: SessionHandle,
    },
    /// The outgoing call that the LNS asked for is accepted and is to be placed now. Go on with
    /// [`call_connected`](crate::Endpoint::call_connected) or
    /// [`call_failed`](crate::Endpoint::call_failed).
    PlaceCall {
        /// The session.
        session: SessionHandle,
        /// The call.
        call: Box<OutgoingCall>,
    },
    /// A session is established: PPP frames may flow.
    SessionUp {
        /// The session.
        session: SessionHandle,
        /// Its tunnel.
        tunnel: TunnelHandle,
        /// What a data plane needs.
        info: Box<SessionInfo>,
        /// What the ICCN or OCCN said.
        call: Box<ConnectedCall>,
    },
    /// A PPP frame arrived.
    Data {
        /// The session.
        session: SessionHandle,
        /// The frame.
        frame: Bytes,
    },
    /// A session has closed, or was never established.
    SessionClosed {
        /// The session.
        session: SessionHandle,
        /// Its tunnel.
        tunnel: TunnelHandle,
        /// Why.
        reason: SessionCloseReason,
    },
    /// The LAC tells of errors on the subscriber's line (WEN, RFC 2661 §6.13).
    CallErrors {
        /// The session.
        session: SessionHandle,
        /// Counters since the call was established.
        errors: CallErrors,
    },
    /// The LNS tells which control characters PPP escapes (SLI, RFC 2661 §6.14).
    Accm {
        /// The session.
        session: SessionHandle,
        /// The two maps.
        accm: Accm,
    },
    /// What happened inside; only with [`EndpointConfig::trace`](crate::EndpointConfig::trace).
    Trace(Trace),
}

/// A peer asks for a tunnel: what its SCCRQ says (RFC 2661 §6.1).
#[derive(Clone, Debug)]
pub struct TunnelRequest {
    /// To answer with.
    pub ticket: TunnelTicket,
    /// The tunnel that it will be: a new one, or one that we are opening, where the SCCRQ crossed
    /// ours and won (RFC 2661 §4.4.3, Tie Breaker).
    pub tunnel: TunnelHandle,
    /// The link that it came through.
    pub link: LinkId,
    /// The addresses that it came over.
    pub path: Path,
    /// The peer.
    pub peer: PeerInfo,
    /// Whether the peer wants to see that we know the secret.
    pub challenges: bool,
}

/// The answer to a [`TunnelRequest`].
#[derive(Clone, Debug)]
pub enum TunnelAnswer {
    /// Accept it, with the configuration of the endpoint or another one, for a secret of this
    /// peer's own, say.
    Accept(Option<Arc<TunnelConfig>>),
    /// Refuse it.
    Reject(TunnelResult),
}

/// A peer asks for a session.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    /// To answer with.
    pub ticket: SessionTicket,
    /// The session that it will be.
    pub session: SessionHandle,
    /// Its tunnel.
    pub tunnel: TunnelHandle,
    /// What is asked for.
    pub call: RequestedCall,
}

/// What a peer asks for.
#[derive(Clone, Debug)]
pub enum RequestedCall {
    /// A LAC has an incoming call (ICRQ, RFC 2661 §6.6).
    Incoming(IncomingCall),
    /// An LNS wants a call placed (OCRQ, RFC 2661 §6.9).
    Outgoing(OutgoingCall),
}

/// The answer to a [`SessionRequest`].
#[derive(Clone, Debug)]
pub enum SessionAnswer {
    /// Accept it.
    Accept,
    /// Accept it as the LNS, and begin with sequence numbers in data messages (RFC 2661 §5.4); as
    /// the LAC, tell the physical channel that the call will use.
    AcceptWith {
        /// Whether our data messages carry sequence numbers at first. LNS only.
        sequencing: bool,
        /// Physical channel, in the vendor's own coding. LAC only.
        physical_channel: Option<u32>,
    },
    /// Refuse it.
    Reject(CallResult),
}

/// What happened inside an endpoint.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trace {
    /// A control message went out.
    Sent {
        /// The tunnel.
        tunnel: TunnelHandle,
        /// The message; `None` for a ZLB.
        message: Option<MessageType>,
        /// Its Ns.
        ns: u16,
        /// Its Nr.
        nr: u16,
        /// Whether it went out before.
        repeated: bool,
    },
    /// A control message was taken in, in its turn.
    Received {
        /// The tunnel.
        tunnel: TunnelHandle,
        /// The message, as far as its first AVP tells.
        message: Option<MessageType>,
        /// Its Ns.
        ns: u16,
        /// Its Nr.
        nr: u16,
    },
    /// A control connection changed its state.
    TunnelState {
        /// The tunnel.
        tunnel: TunnelHandle,
        /// The new state.
        state: TunnelState,
    },
    /// A call changed its state.
    CallState {
        /// The session.
        session: SessionHandle,
        /// The new state.
        state: CallState,
    },
    /// A departure from the RFC was put up with.
    Lenient {
        /// The tunnel.
        tunnel: TunnelHandle,
        /// The departure.
        leniency: Leniencies,
        /// The attribute, where it is about one.
        attribute: Option<AttributeType>,
    },
    /// An AVP was ignored.
    Ignored {
        /// The tunnel.
        tunnel: TunnelHandle,
        /// Its vendor.
        vendor: VendorId,
        /// Its type, in the vendor's numbering.
        attribute: AttributeType,
        /// Why.
        reason: MessageErrorKind,
    },
    /// A message was acknowledged and otherwise ignored.
    Unhandled {
        /// The tunnel.
        tunnel: TunnelHandle,
        /// The message, as far as its first AVP tells.
        message: Option<MessageType>,
    },
}
