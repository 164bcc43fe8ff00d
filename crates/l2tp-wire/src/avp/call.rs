//! Call management AVPs (RFC 2661 §4.4.4), and the capabilities of §4.4.3 that have their form.

use bitflags::bitflags;

use super::value::Value;
use super::value::ValueError;
use super::value::prefixed;
use super::value::put_prefixed;
use crate::Leniencies;

bitflags! {
    /// Kinds of framing: Framing Capabilities (RFC 2661 §4.4.3) and Framing Type (§4.4.4).
    ///
    /// Reserved bits are kept as they come.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct FramingTypes: u32 {
        /// S: synchronous framing.
        const SYNC = 1;
        /// A: asynchronous framing.
        const ASYNC = 2;
    }
}

bitflags! {
    /// Kinds of bearer: Bearer Capabilities (RFC 2661 §4.4.3) and Bearer Type (§4.4.4).
    ///
    /// Reserved bits are kept as they come.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct BearerTypes: u32 {
        /// D: digital access.
        const DIGITAL = 1;
        /// A: analog access.
        const ANALOG = 2;
    }
}

macro_rules! mask {
    ($mask:ty) => {
        impl Value<'_> for $mask {
            const LEN: Option<usize> = u32::LEN;

            #[inline]
            fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
                u32::decode(value, departures).map(Self::from_bits_retain)
            }

            #[inline]
            fn encoded_len(&self) -> usize {
                4
            }

            #[inline]
            fn encode(&self, out: &mut [u8]) {
                self.bits().encode(out);
            }
        }
    };
}

mask!(FramingTypes);
mask!(BearerTypes);

/// Why a switched call ended, in the words of the telephone network: the Q.931 Cause Code AVP
/// (RFC 2661 §4.4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Q931Cause<'a> {
    /// The Q.931 cause code, in its native encoding.
    pub code: u16,
    /// The Q.931 message code, in its native encoding.
    pub message: u8,
    /// A text in ASCII; it may be empty.
    pub advisory: &'a [u8],
}

impl<'a> Value<'a> for Q931Cause<'a> {
    fn decode(value: &'a [u8], _: &mut Leniencies) -> Result<Self, ValueError> {
        let ([c0, c1, message], advisory) = prefixed(value)?;
        Ok(Self { code: u16::from_be_bytes([*c0, *c1]), message: *message, advisory })
    }

    fn encoded_len(&self) -> usize {
        self.advisory.len().saturating_add(3)
    }

    fn encode(&self, out: &mut [u8]) {
        let [c0, c1] = self.code.to_be_bytes();
        put_prefixed(out, [c0, c1, self.message], self.advisory);
    }
}
