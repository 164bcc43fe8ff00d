use thiserror::Error;
use vpn_core::DropReason;
use vpn_core::Truncated;

/// Why received octets are not what they claim to be.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum DecodeError {
    /// Fewer octets than the fixed part of the format has.
    #[error("cut short: {0}")]
    Truncated(#[from] Truncated),
    /// The Length field of a packet is below its 4-octet header or beyond the frame
    /// (RFC 1661 §5).
    #[error("the Length field says {length} octets and the frame has {available}")]
    PacketLength {
        /// What the field says.
        length: usize,
        /// What the frame has.
        available: usize,
    },
    /// The Length field of an option is below 2 or beyond the packet (RFC 1661 §6).
    #[error("option {kind} says it has {length} octets and {available} are left")]
    OptionLength {
        /// The option's Type.
        kind: u8,
        /// What its Length field says.
        length: usize,
        /// What the packet has left, from the option's Type on.
        available: usize,
    },
    /// A value has a length that its type does not allow.
    #[error("a value of {length} octets does not fit its type")]
    ValueLength {
        /// How many octets the value has.
        length: usize,
    },
    /// The code is not one that this decoder reads.
    #[error("code {0} is not one of this protocol")]
    UnknownCode(u8),
}

impl From<DecodeError> for DropReason {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Truncated(_) => Self::Truncated,
            DecodeError::PacketLength { .. }
            | DecodeError::OptionLength { .. }
            | DecodeError::ValueLength { .. }
            | DecodeError::UnknownCode(_) => Self::Malformed,
        }
    }
}
