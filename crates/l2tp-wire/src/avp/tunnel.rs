//! Control connection management AVPs (RFC 2661 §4.4.3).

use core::fmt;

use super::value::Value;
use super::value::ValueError;
use super::value::fixed;
use crate::Leniencies;

/// The version of the L2TP protocol that a peer speaks (RFC 2661 §4.4.3). It is not the version in
/// the header of each message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProtocolVersion {
    /// Ver.
    pub version: u8,
    /// Rev.
    pub revision: u8,
}

impl ProtocolVersion {
    /// Version 1, revision 0: that of RFC 2661.
    pub const RFC_2661: Self = Self { version: 1, revision: 0 };
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.revision)
    }
}

impl Value<'_> for ProtocolVersion {
    const LEN: Option<usize> = Some(2);

    #[inline]
    fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
        let [version, revision] = *fixed(value, departures)?;
        Ok(Self { version, revision })
    }

    #[inline]
    fn encoded_len(&self) -> usize {
        2
    }

    #[inline]
    fn encode(&self, out: &mut [u8]) {
        out.copy_from_slice(&[self.version, self.revision]);
    }
}
