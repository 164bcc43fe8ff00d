use thiserror::Error;
use vpn_core::DropReason;
use vpn_core::Truncated;

use crate::NotifyType;
use crate::PayloadType;

/// Why octets are not a message, or not a payload, that can be processed.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum DecodeError {
    /// Shorter than a header, or than a length field says.
    #[error("the message is cut short")]
    Truncated,
    /// The Length of the header is less than the header has.
    #[error("Length is {0}, less than the header has")]
    BadLength(u32),
    /// Not version 1 (RFC 2408 §3.1).
    #[error("version {}.{} is not spoken here", .0 >> 4, .0 & 0x0f)]
    UnsupportedVersion(u8),
    /// A payload whose length is less than its own header or reaches past the end of the message.
    #[error("a payload of type {kind} has length {length}, which is impossible")]
    PayloadLength {
        /// Which payload.
        kind: PayloadType,
        /// Its Payload Length.
        length: u16,
    },
    /// More payloads than any message has.
    #[error("there are more than {} payloads", crate::chain::MAX_PAYLOADS)]
    TooManyPayloads,
    /// A payload whose content breaks the rules of its kind.
    #[error("the {kind} payload is malformed: {what}")]
    Malformed {
        /// Which payload.
        kind: PayloadType,
        /// Which rule.
        what: &'static str,
    },
    /// A Domain of Interpretation other than IPsec's (RFC 2407 §4.6.1).
    #[error("the Domain of Interpretation is {0}, not IPsec's, which is 1")]
    UnsupportedDoi(u32),
    /// A Situation other than SIT_IDENTITY_ONLY (RFC 2407 §4.2).
    #[error("the Situation is {0:#x}, where only SIT_IDENTITY_ONLY is spoken")]
    UnsupportedSituation(u32),
}

impl DecodeError {
    /// The notification that RFC 2408 §5 has for the fault. It is sent only where that tells a
    /// stranger nothing.
    #[must_use]
    pub const fn notify_type(self) -> NotifyType {
        match self {
            Self::Truncated | Self::BadLength(_) | Self::PayloadLength { .. } => {
                NotifyType::UNEQUAL_PAYLOAD_LENGTHS
            }
            Self::UnsupportedVersion(_) => NotifyType::INVALID_MAJOR_VERSION,
            Self::TooManyPayloads => NotifyType::PAYLOAD_MALFORMED,
            Self::Malformed { kind, .. } => match kind {
                PayloadType::SECURITY_ASSOCIATION
                | PayloadType::PROPOSAL
                | PayloadType::TRANSFORM => NotifyType::BAD_PROPOSAL_SYNTAX,
                PayloadType::KEY_EXCHANGE => NotifyType::INVALID_KEY_INFORMATION,
                PayloadType::IDENTIFICATION => NotifyType::INVALID_ID_INFORMATION,
                PayloadType::HASH => NotifyType::INVALID_HASH_INFORMATION,
                PayloadType::SIGNATURE => NotifyType::INVALID_SIGNATURE,
                _ => NotifyType::PAYLOAD_MALFORMED,
            },
            Self::UnsupportedDoi(_) => NotifyType::DOI_NOT_SUPPORTED,
            Self::UnsupportedSituation(_) => NotifyType::SITUATION_NOT_SUPPORTED,
        }
    }
}

impl From<Truncated> for DecodeError {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

impl From<DecodeError> for DropReason {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Truncated => Self::Truncated,
            DecodeError::UnsupportedVersion(_) => Self::UnsupportedVersion,
            _ => Self::Malformed,
        }
    }
}

/// Why a message could not be built. All of them are the caller's to mend.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum EncodeError {
    /// A payload with more octets than its length field can say.
    #[error("the {0} payload has more than 65531 octets")]
    PayloadTooLong(PayloadType),
    /// A message with more octets than one UDP datagram carries.
    #[error("the message has {0} octets, more than a datagram carries")]
    MessageTooLong(usize),
}
