use core::fmt;

use thiserror::Error;

use crate::AttributeType;
use crate::MessageType;
use crate::VendorId;
use crate::vendor::attribute_name;

/// Octets of an AVP before its value.
pub(crate) const AVP_HEADER_LEN: usize = 6;
/// The most octets of an AVP, header and all: its Length has 10 bits (RFC 2661 §4.1).
pub(crate) const MAX_AVP_LEN: usize = 0x3ff;

/// A Message Type AVP up to its value.
const MESSAGE_TYPE_HEADER: [u8; AVP_HEADER_LEN] = [0x80, 8, 0, 0, 0, 0];
/// The same with the M bit clear.
const OPTIONAL_MESSAGE_TYPE_HEADER: [u8; AVP_HEADER_LEN] = [0, 8, 0, 0, 0, 0];

const MANDATORY: u16 = 0x8000;
/// The H bit in the first two octets of an AVP.
pub(crate) const HIDDEN: u16 = 0x4000;
const RESERVED: u16 = 0x3c00;
const LENGTH: u16 = 0x03ff;

/// The M bit in the first two octets of an AVP.
#[inline]
pub(crate) const fn mandatory_bit(mandatory: bool) -> u16 {
    if mandatory { MANDATORY } else { 0 }
}

/// The six octets in front of a value, read as far as they are needed.
#[derive(Clone, Copy)]
pub(crate) struct AvpHeader<'a> {
    octets: &'a [u8; AVP_HEADER_LEN],
    /// M, H, the reserved bits and the Length.
    bits: u16,
}

impl<'a> AvpHeader<'a> {
    #[inline]
    const fn vendor_id(self) -> VendorId {
        let [_, _, high, low, ..] = *self.octets;
        VendorId(u16::from_be_bytes([high, low]))
    }

    #[inline]
    pub(crate) const fn attribute_type(self) -> AttributeType {
        let [.., high, low] = *self.octets;
        AttributeType(u16::from_be_bytes([high, low]))
    }

    #[inline]
    pub(crate) const fn is_mandatory(self) -> bool {
        self.bits & MANDATORY != 0
    }

    /// Whether the AVP is this one of the IETF's.
    #[inline]
    pub(crate) const fn is(self, attribute: AttributeType) -> bool {
        let [_, _, v0, v1, t0, t1] = *self.octets;
        u32::from_be_bytes([v0, v1, t0, t1]) == attribute.0 as u32
    }

    /// Neither hidden, nor with a reserved bit set, and with this M bit.
    #[inline]
    pub(crate) const fn is_plain(self, mandatory: bool) -> bool {
        self.bits & !LENGTH == mandatory_bit(mandatory)
    }

    pub(crate) const fn with_value(self, value: &'a [u8]) -> RawAvp<'a> {
        let [reserved, _] = (self.bits & RESERVED).to_be_bytes();
        RawAvp {
            mandatory: self.is_mandatory(),
            hidden: self.bits & HIDDEN != 0,
            reserved: reserved >> 2,
            vendor_id: self.vendor_id(),
            attribute_type: self.attribute_type(),
            value,
        }
    }
}

/// An AVP as it stands in a message (RFC 2661 §4.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawAvp<'a> {
    /// M: what a receiver does that does not recognize the AVP. Set: it ends the session or the
    /// tunnel. Clear: it ignores the AVP.
    pub mandatory: bool,
    /// H: the value is hidden (RFC 2661 §4.3); see [`hidden`](crate::hidden).
    pub hidden: bool,
    /// The four reserved bits, in the low half. An AVP with one of them set counts as
    /// unrecognized.
    pub reserved: u8,
    /// Who defined the attribute.
    pub vendor_id: VendorId,
    /// The attribute, in the numbering of `vendor_id`.
    pub attribute_type: AttributeType,
    /// The value, still hidden where `hidden` says so. At most 1017 octets fit.
    pub value: &'a [u8],
}

impl RawAvp<'_> {
    /// The attribute's registered name, for the IETF's own and for well-known vendor attributes.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        match self.vendor_id {
            VendorId::IETF => self.attribute_type.name(),
            vendor => attribute_name(vendor, self.attribute_type.0),
        }
    }

    /// The first two octets on the wire but for the Length.
    pub(crate) const fn bits(&self) -> u16 {
        let hidden = if self.hidden { HIDDEN } else { 0 };
        mandatory_bit(self.mandatory)
            | hidden
            | u16::from_be_bytes([self.reserved << 2, 0]) & RESERVED
    }
}

impl fmt::Debug for RawAvp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawAvp")
            .field("mandatory", &self.mandatory)
            .field("hidden", &self.hidden)
            .field("reserved", &self.reserved)
            .field("vendor_id", &self.vendor_id)
            .field("attribute_type", &self.attribute_type.0)
            .field("name", &self.name())
            .field("value_len", &self.value.len())
            .finish()
    }
}

/// Why the AVPs of a message can't be told apart any further.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum AvpError {
    /// Fewer octets are left than an AVP header has.
    #[error("{0} octets are left, fewer than an AVP header has")]
    Trailing(usize),
    /// The Length of an AVP is below 6.
    #[error("an AVP has Length {0}, and 6 is the least")]
    TooShort(u16),
    /// The Length of an AVP reaches past the end of the message.
    #[error("an AVP has Length {length}, and {left} octets are left")]
    TooLong {
        /// The Length field.
        length: u16,
        /// Octets left in the message, those of the AVP's header included.
        left: usize,
    },
}

/// Walks over the AVPs of a message. It ends after the first error.
///
/// Each step takes at least the six octets of an AVP header.
#[derive(Clone, Copy, Debug)]
pub struct Avps<'a> {
    rest: &'a [u8],
}

impl<'a> Avps<'a> {
    /// Walks over `octets`, a run of AVPs without a message header.
    #[inline]
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// The octets not walked over yet.
    #[inline]
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The header of the AVP at the front.
    #[inline]
    pub(crate) fn peek(&self) -> Option<AvpHeader<'a>> {
        let octets = self.rest.first_chunk::<AVP_HEADER_LEN>()?;
        let [high, low, ..] = *octets;
        Some(AvpHeader { octets, bits: u16::from_be_bytes([high, low]) })
    }

    /// Takes the AVP off the front, if its Length lies between 6 and what is left.
    #[inline]
    pub(crate) fn advance(&mut self, header: AvpHeader<'a>) -> Option<&'a [u8]> {
        self.advance_by(usize::from(header.bits & LENGTH))
    }

    /// The same for an AVP that is plain, has this M bit, and `value_len` octets of value.
    ///
    /// The Length being a constant, the walk goes on without waiting for what was read.
    #[inline]
    pub(crate) fn advance_fixed(
        &mut self,
        header: AvpHeader<'a>,
        mandatory: bool,
        value_len: usize,
    ) -> Option<&'a [u8]> {
        let length = value_len + AVP_HEADER_LEN;
        if usize::from(header.bits) != usize::from(mandatory_bit(mandatory)) | length {
            return None;
        }
        self.advance_by(length)
    }

    #[inline]
    fn advance_by(&mut self, length: usize) -> Option<&'a [u8]> {
        let (avp, rest) = self.rest.split_at_checked(length)?;
        let (_, value) = avp.split_at_checked(AVP_HEADER_LEN)?;
        self.rest = rest;
        Some(value)
    }

    /// Why the AVP with this header can't be taken.
    #[cold]
    pub(crate) fn fault(&self, header: AvpHeader<'_>) -> AvpError {
        let length = header.bits & LENGTH;
        if usize::from(length) < AVP_HEADER_LEN {
            AvpError::TooShort(length)
        } else {
            AvpError::TooLong { length, left: self.rest.len() }
        }
    }

    fn end<T>(&mut self, error: AvpError) -> Option<Result<T, AvpError>> {
        self.rest = &[];
        Some(Err(error))
    }
}

impl<'a> Iterator for Avps<'a> {
    type Item = Result<RawAvp<'a>, AvpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(header) = self.peek() else {
            return self.end(AvpError::Trailing(self.rest.len()));
        };
        match self.advance(header) {
            Some(value) => Some(Ok(header.with_value(value))),
            None => self.end(self.fault(header)),
        }
    }
}

impl core::iter::FusedIterator for Avps<'_> {}

/// The Message Type AVP at the front of `avps`: its value, its M bit, and what follows. `None`
/// where something else is first, or where it is hidden or not of length 8 (RFC 2661 §4.4.1).
#[inline]
pub(crate) fn first_message_type(avps: &[u8]) -> Option<(MessageType, bool, Avps<'_>)> {
    let (header, after) = avps.split_first_chunk::<AVP_HEADER_LEN>()?;
    let (value, rest) = after.split_first_chunk()?;
    let mandatory = *header == MESSAGE_TYPE_HEADER;
    if !mandatory && *header != OPTIONAL_MESSAGE_TYPE_HEADER {
        return None;
    }
    Some((MessageType(u16::from_be_bytes(*value)), mandatory, Avps::new(rest)))
}
