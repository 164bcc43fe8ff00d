use vpn_core::DropReason;

use crate::CloseReason;
use crate::DecodeError;
use crate::NotifyType;

/// What is wrong with a message.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It changes nothing.
    Drop(DropReason),
    /// It changes nothing, since anyone may have sent it; but if nothing better comes, this is
    /// what went wrong.
    Suspect(DropReason, CloseReason),
    /// Its exchange ends, and the peer is told so if there is something to tell.
    Fail(CloseReason, Option<NotifyType>),
}

impl Fault {
    /// Faults of a message that nobody vouches for.
    pub(crate) fn suspect(reason: CloseReason) -> Self {
        Self::Suspect(DropReason::Malformed, reason)
    }

    /// The peer left out a payload that the exchange needs, or put in one too many.
    pub(crate) fn malformed(what: &'static str) -> Self {
        Self::suspect(CloseReason::Malformed(what))
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Drop(error.into())
    }
}

impl From<vpn_core::RandomError> for Fault {
    fn from(_: vpn_core::RandomError) -> Self {
        Self::Fail(CloseReason::Internal("the random generator"), None)
    }
}

impl From<crate::EncodeError> for Fault {
    fn from(_: crate::EncodeError) -> Self {
        Self::Fail(CloseReason::Internal("building a message"), None)
    }
}

impl From<vpn_core::crypto::CbcError> for Fault {
    fn from(_: vpn_core::crypto::CbcError) -> Self {
        Self::Drop(DropReason::Unauthenticated)
    }
}
