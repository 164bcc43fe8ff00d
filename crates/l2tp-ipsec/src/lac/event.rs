use alloc::string::String;
use core::fmt;

use l2tp_wire::Accm;
use thiserror::Error;
use vpn_core::Path;

use crate::DisconnectReason;
use crate::SessionId;
use crate::Trace;

/// Names a subscriber's line. Never used again within a [`Lac`](crate::Lac).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SubscriberId(pub(super) u64);

impl fmt::Display for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subscriber {}", self.0)
    }
}

/// What a [`Lac`](crate::Lac) reports.
#[non_exhaustive]
#[derive(Debug)]
pub enum LacEvent {
    /// A subscriber has sent its proof of identity, which nobody has judged yet. The LNS is being
    /// called.
    Calling {
        /// The subscriber.
        subscriber: SubscriberId,
        /// Who it says it is.
        user: String,
    },
    /// The LNS has taken the subscriber: from now on frames pass untouched.
    Forwarding {
        /// The subscriber.
        subscriber: SubscriberId,
        /// The session that carries its frames.
        session: SessionId,
        /// Between which addresses the tunnel runs.
        path: Path,
    },
    /// The LNS tells which control characters PPP escapes: for an async line, whose framing must
    /// follow (SLI, RFC 2661 §6.14).
    Accm {
        /// The subscriber.
        subscriber: SubscriberId,
        /// The two maps.
        accm: Accm,
    },
    /// It is over with a subscriber: take its line down, once its last frames are out. The last
    /// event of this subscriber.
    Ended {
        /// The subscriber.
        subscriber: SubscriberId,
        /// Who it said it is, once it had.
        user: Option<String>,
        /// Why.
        reason: DisconnectReason,
    },
    /// Something that happened inside.
    Trace(Trace),
    /// Everything is closed after [`close`](crate::Lac::close). The last event.
    Closed,
}

/// Why a [`Lac`](crate::Lac) did not take a subscriber.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SubscriberError {
    /// As many subscribers as the configuration allows.
    #[error("there are as many subscribers as max_subscribers allows: take one down or raise it")]
    LimitReached,
    /// The LAC is being closed.
    #[error("the LAC is being closed and takes no new subscriber")]
    Closing,
}
