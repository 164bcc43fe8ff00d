use core::time::Duration;

use l2tp_wire::EncodeError;
use thiserror::Error;

/// Why a tunnel could not be opened.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OpenError {
    /// As many tunnels as [`Limits`](crate::Limits) allow.
    #[error("there are as many tunnels as the limits allow: close one or raise the limit")]
    LimitReached,
    /// The random generator failed.
    #[error("the random generator failed")]
    NoRandomness,
}

/// Why a call could not be begun.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CallError {
    /// There is no such tunnel, or it is closing.
    #[error("the tunnel does not exist any more: open another one")]
    NoTunnel,
    /// As many sessions as [`Limits`](crate::Limits) or the tunnel's configuration allow.
    #[error("there are as many sessions as the limits allow: close one or raise the limit")]
    LimitReached,
    /// The LAC did not say that it can place such a call (RFC 2661 §6.9).
    #[error("the peer's bearer or framing capabilities don't include what the call asks for")]
    PeerIncapable,
    /// A value does not fit into a message.
    #[error("the message can't be built: {0}")]
    Message(#[from] EncodeError),
    /// The random generator failed.
    #[error("the random generator failed")]
    NoRandomness,
}

/// Why a request could not be answered.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum AnswerError {
    /// The request is gone: it was answered before, withdrawn, or not answered in time.
    #[error("the request is gone: it was answered, withdrawn by the peer, or timed out")]
    Gone,
    /// A value does not fit into a message.
    #[error("the message can't be built: {0}")]
    Message(#[from] EncodeError),
    /// The random generator failed.
    #[error("the random generator failed")]
    NoRandomness,
}

/// Why something could not be sent in a session.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SendError {
    /// There is no such session.
    #[error("the session does not exist any more")]
    NoSession,
    /// The session is not in the state for it.
    #[error("the session is not in the state for it: wait until it is established")]
    WrongState,
    /// Only the LAC sends a WEN, and only the LNS an SLI or decides about sequence numbers.
    #[error("that is up to the other end of the call")]
    WrongRole,
    /// The session requires sequence numbers.
    #[error("the session requires sequence numbers at all times")]
    SequencingRequired,
    /// A WEN may go out only once a minute (RFC 2661 §6.13).
    #[error("a WEN may go out once in 60 s: try again in {0:?}")]
    TooSoon(Duration),
    /// Too much waits to be sent already.
    #[error("too much waits to be sent: poll what is there first")]
    QueueFull,
    /// A value does not fit into a message.
    #[error("the message can't be built: {0}")]
    Message(#[from] EncodeError),
    /// The random generator failed.
    #[error("the random generator failed")]
    NoRandomness,
}
