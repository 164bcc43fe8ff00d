//! The option negotiation automaton (RFC 1661 §4), which LCP and every network control protocol
//! run.

mod table;

pub use table::Transition;
pub use table::transition;

/// A state of the automaton (RFC 1661 §4.2). The order is the RFC's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// The lower layer is down and nobody asked for the layer.
    Initial,
    /// Somebody asked for the layer; the lower layer is still down.
    Starting,
    /// The lower layer is up and nobody asked for the layer.
    Closed,
    /// The layer was asked for, and has ended or failed.
    Stopped,
    /// A Terminate-Request is out; the layer is no longer wanted.
    Closing,
    /// A Terminate-Request is out, or the peer's was answered; the layer is still wanted.
    Stopping,
    /// A Configure-Request is out.
    ReqSent,
    /// A Configure-Request is out and acknowledged.
    AckRcvd,
    /// A Configure-Request is out, and the peer's is acknowledged.
    AckSent,
    /// Both ends have acknowledged.
    Opened,
}

/// What can happen to the automaton (RFC 1661 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Event {
    /// The lower layer is up.
    Up,
    /// The lower layer is down.
    Down,
    /// The layer is wanted.
    Open,
    /// The layer is no longer wanted.
    Close,
    /// TO+: the Restart timer expired and the Restart counter is above zero.
    TimeoutPositive,
    /// TO-: the Restart timer expired and the Restart counter is zero.
    TimeoutNegative,
    /// RCR+: an acceptable Configure-Request.
    ReceiveConfigureRequestGood,
    /// RCR-: an unacceptable Configure-Request.
    ReceiveConfigureRequestBad,
    /// RCA: a valid Configure-Ack.
    ReceiveConfigureAck,
    /// RCN: a valid Configure-Nak or Configure-Reject.
    ReceiveConfigureNak,
    /// RTR: a Terminate-Request.
    ReceiveTerminateRequest,
    /// RTA: a Terminate-Ack.
    ReceiveTerminateAck,
    /// RUC: a packet with an unknown code.
    ReceiveUnknownCode,
    /// RXJ+: a Code-Reject or Protocol-Reject that can be lived with.
    ReceiveRejectPermitted,
    /// RXJ-: a Code-Reject or Protocol-Reject that is catastrophic.
    ReceiveRejectCatastrophic,
    /// RXR: an Echo-Request, Echo-Reply or Discard-Request.
    ReceiveEcho,
}

/// What the automaton wants done (RFC 1661 §4.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// tlu: tell the upper layers that this one is up.
    ThisLayerUp,
    /// tld: tell the upper layers that this one is down.
    ThisLayerDown,
    /// tls: tell the lower layer that it is needed.
    ThisLayerStarted,
    /// tlf: tell the lower layer that it is no longer needed.
    ThisLayerFinished,
    /// irc: set the Restart counter to Max-Configure or Max-Terminate.
    InitializeRestartCount,
    /// zrc: set the Restart counter to zero, and start the Restart timer.
    ZeroRestartCount,
    /// scr: send a Configure-Request.
    SendConfigureRequest,
    /// sca: send a Configure-Ack.
    SendConfigureAck,
    /// scn: send a Configure-Nak or Configure-Reject.
    SendConfigureNak,
    /// str: send a Terminate-Request.
    SendTerminateRequest,
    /// sta: send a Terminate-Ack.
    SendTerminateAck,
    /// scj: send a Code-Reject.
    SendCodeReject,
    /// ser: send an Echo-Reply, where the packet asked for one.
    SendEchoReply,
}

impl State {
    /// Every state, in the RFC's order.
    pub const ALL: [Self; 10] = [
        Self::Initial,
        Self::Starting,
        Self::Closed,
        Self::Stopped,
        Self::Closing,
        Self::Stopping,
        Self::ReqSent,
        Self::AckRcvd,
        Self::AckSent,
        Self::Opened,
    ];

    /// Whether the Restart timer runs in this state (RFC 1661 §4.1).
    #[must_use]
    pub const fn has_restart_timer(self) -> bool {
        matches!(
            self,
            Self::Closing | Self::Stopping | Self::ReqSent | Self::AckRcvd | Self::AckSent
        )
    }
}

impl Event {
    /// Every event, in the RFC's order.
    pub const ALL: [Self; 16] = [
        Self::Up,
        Self::Down,
        Self::Open,
        Self::Close,
        Self::TimeoutPositive,
        Self::TimeoutNegative,
        Self::ReceiveConfigureRequestGood,
        Self::ReceiveConfigureRequestBad,
        Self::ReceiveConfigureAck,
        Self::ReceiveConfigureNak,
        Self::ReceiveTerminateRequest,
        Self::ReceiveTerminateAck,
        Self::ReceiveUnknownCode,
        Self::ReceiveRejectPermitted,
        Self::ReceiveRejectCatastrophic,
        Self::ReceiveEcho,
    ];
}
