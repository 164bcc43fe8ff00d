use thiserror::Error;
use vpn_core::DropReason;

use crate::AttributeType;

/// Why a datagram is no L2TP message that can be processed. It is to be dropped; nothing is sent.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum DecodeError {
    /// Shorter than its header, or than its Length field says.
    #[error("the message is cut short")]
    Truncated,
    /// Version 1: L2F (RFC 2341), discarded silently (RFC 2661 §3.1).
    #[error("version 1 is L2F, which is not spoken here")]
    L2f,
    /// Version 3: L2TPv3 (RFC 3931).
    #[error("version 3 is L2TPv3, which is not spoken here")]
    L2tpV3,
    /// Any other version (RFC 2661 §3.1).
    #[error("version {0} is unknown")]
    UnsupportedVersion(u8),
    /// A control message without L or S, or with O or P (RFC 2661 §3.1).
    #[error("a control message must have the L and S bits set, and O and P clear")]
    BadFlags,
    /// The Length field is smaller than the header.
    #[error("Length is {0}, less than the header has")]
    BadLength(u16),
    /// The Offset Size reaches past the end of the message.
    #[error("Offset Size {0} reaches past the end of the message")]
    BadOffset(u16),
    /// A control message where only data messages are expected.
    #[error("a control message, not a data message")]
    Control,
}

impl From<DecodeError> for DropReason {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Truncated => Self::Truncated,
            DecodeError::L2f | DecodeError::L2tpV3 | DecodeError::UnsupportedVersion(_) => {
                Self::UnsupportedVersion
            }
            DecodeError::BadFlags
            | DecodeError::BadLength(_)
            | DecodeError::BadOffset(_)
            | DecodeError::Control => Self::Malformed,
        }
    }
}

/// Why a message could not be built. All of them are the caller's to mend.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum EncodeError {
    /// The output is too small for the message: give it more octets.
    #[error("the output is full: {needed} octets to write, {left} left")]
    NoRoom {
        /// How many octets were to be written.
        needed: usize,
        /// How many fit.
        left: usize,
    },
    /// A value has more octets than an AVP takes, which is 1017 (1015 where it is hidden).
    #[error("the value of {0} has more octets than fit into an AVP")]
    ValueTooLong(AttributeType),
    /// A value that the RFC forbids, such as Assigned Tunnel ID 0.
    #[error("the value of {0} is one that must not be sent")]
    ForbiddenValue(AttributeType),
    /// A message of more than 65,535 octets.
    #[error("the message has {0} octets, more than its Length field can say")]
    MessageTooLong(usize),
}

impl From<vpn_core::Full> for EncodeError {
    fn from(full: vpn_core::Full) -> Self {
        Self::NoRoom { needed: full.needed, left: full.left }
    }
}
