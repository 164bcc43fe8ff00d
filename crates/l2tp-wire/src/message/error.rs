use core::fmt;

use thiserror::Error;

use crate::AttributeType;
use crate::AvpError;
use crate::ErrorCode;
use crate::MessageType;
use crate::VendorId;
use crate::hidden::UnhideError;

/// What a fault in a control message ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The message only: it is acknowledged and otherwise ignored.
    Message,
    /// The session that the message belongs to: a CDN with result 2 goes out.
    Session,
    /// The tunnel and all its sessions: a StopCCN with result 2 goes out.
    Tunnel,
}

/// What is wrong with a control message.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum MessageErrorKind {
    /// The message has no AVPs: it is a ZLB, which only acknowledges.
    #[error("a ZLB is no message")]
    Zlb,
    /// The first AVP is not a Message Type (RFC 2661 §4.4.1).
    #[error("Message Type is not the first AVP")]
    NoMessageType,
    /// A message type that is not of RFC 2661.
    #[error("unknown {message_type}")]
    UnknownMessageType {
        /// The type.
        message_type: MessageType,
        /// Its M bit, which decides between ending the tunnel and ignoring the message.
        mandatory: bool,
    },
    /// The AVPs can't be told apart.
    #[error("{0}")]
    Avp(AvpError),
    /// An AVP that is not recognized (RFC 2661 §4.2).
    #[error("unknown AVP: vendor {}, attribute {}", .0.0, .1.0)]
    UnknownAvp(VendorId, AttributeType),
    /// A required AVP is absent (RFC 2661 §6).
    #[error("{} (attribute {}) is missing", .0, .0.0)]
    Missing(AttributeType),
    /// An AVP that must be there once is there twice.
    #[error("{} (attribute {}) is there twice", .0, .0.0)]
    Duplicate(AttributeType),
    /// The length of a value is not what its attribute has.
    #[error("{} (attribute {}) has a wrong length", .0, .0.0)]
    WrongLength(AttributeType),
    /// A value is out of range, or a reserved field in it is not zero.
    #[error("{} (attribute {}) is out of range", .0, .0.0)]
    OutOfRange(AttributeType),
    /// The M bit is not what the attribute's definition says.
    #[error("{} (attribute {}) has a wrong M bit", .0, .0.0)]
    WrongMandatoryBit(AttributeType),
    /// The attribute must not be hidden.
    #[error("{} (attribute {}) must not be hidden", .0, .0.0)]
    MustNotBeHidden(AttributeType),
    /// A hidden value can't be unhidden.
    #[error("hidden attribute {}: {}", .0.0, .1)]
    Hidden(AttributeType, UnhideError),
}

/// Why a control message can't be taken, and what RFC 2661 wants done about it.
///
/// `Display` is one short line that names the attribute, fit for the Error Message of the reply
/// (RFC 2661 §4.4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageError {
    /// The type of the message, where it could be read. A StopCCN or CDN with an error still ends
    /// what it names, and is never answered.
    pub message_type: Option<MessageType>,
    /// What is wrong.
    pub kind: MessageErrorKind,
}

impl MessageError {
    /// What the fault ends (RFC 2661 §4.1, §4.4.1, §7.1).
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match (self.kind, self.message_type) {
            (
                MessageErrorKind::Zlb
                | MessageErrorKind::UnknownMessageType { mandatory: false, .. },
                _,
            ) => Scope::Message,
            (MessageErrorKind::UnknownMessageType { .. }, _) => Scope::Tunnel,
            (_, Some(message_type)) if message_type.is_of_session() => Scope::Session,
            _ => Scope::Tunnel,
        }
    }

    /// The Error Code that goes with result 2 of the StopCCN or CDN (RFC 2661 §4.4.2).
    #[must_use]
    pub const fn error_code(&self) -> ErrorCode {
        match self.kind {
            MessageErrorKind::UnknownMessageType { .. } | MessageErrorKind::UnknownAvp(..) => {
                ErrorCode::UNKNOWN_MANDATORY_AVP
            }
            MessageErrorKind::Avp(_)
            | MessageErrorKind::WrongLength(_)
            | MessageErrorKind::Hidden(
                _,
                UnhideError::TooShort(_) | UnhideError::WrongLength { .. },
            ) => ErrorCode::WRONG_LENGTH,
            MessageErrorKind::Hidden(_, UnhideError::NoRoom) => ErrorCode::INSUFFICIENT_RESOURCES,
            MessageErrorKind::Zlb
            | MessageErrorKind::NoMessageType
            | MessageErrorKind::Missing(_)
            | MessageErrorKind::Duplicate(_)
            | MessageErrorKind::OutOfRange(_)
            | MessageErrorKind::WrongMandatoryBit(_)
            | MessageErrorKind::MustNotBeHidden(_)
            | MessageErrorKind::Hidden(_, UnhideError::NoRandomVector | UnhideError::NoSecret) => {
                ErrorCode::OUT_OF_RANGE
            }
        }
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.message_type) {
            (MessageErrorKind::UnknownMessageType { .. }, _) | (_, None) => self.kind.fmt(f),
            (kind, Some(message_type)) => write!(f, "{message_type}: {kind}"),
        }
    }
}

impl core::error::Error for MessageError {}
