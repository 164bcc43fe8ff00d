use bitflags::bitflags;

use crate::DecodeError;

bitflags! {
    /// The first 16 bits of every message (RFC 2661 §3.1), without the version.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Flags: u16 {
        /// T: a control message.
        const CONTROL = 0x8000;
        /// L: the Length field is present.
        const LENGTH = 0x4000;
        /// S: Ns and Nr are present.
        const SEQUENCE = 0x0800;
        /// O: the Offset Size field is present.
        const OFFSET = 0x0200;
        /// P: to be sent before other data messages.
        const PRIORITY = 0x0100;
    }
}

/// The version of RFC 2661.
pub(crate) const VERSION: u16 = 2;
const VERSION_MASK: u16 = 0x000f;

impl Flags {
    /// What every control message has set.
    pub(crate) const OF_CONTROL: Self = Self::CONTROL.union(Self::LENGTH).union(Self::SEQUENCE);

    /// Splits the first 16 bits of a message. Reserved bits are ignored (RFC 2661 §3.1).
    #[inline]
    pub(crate) const fn from_wire(bits: u16) -> Result<Self, DecodeError> {
        match bits & VERSION_MASK {
            VERSION => Ok(Self::from_bits_truncate(bits)),
            1 => Err(DecodeError::L2f),
            3 => Err(DecodeError::L2tpV3),
            version => Err(DecodeError::UnsupportedVersion(version.to_be_bytes()[1])),
        }
    }

    /// The first 16 bits of a message with these flags.
    #[inline]
    pub(crate) const fn to_wire(self) -> u16 {
        self.bits() | VERSION
    }
}
