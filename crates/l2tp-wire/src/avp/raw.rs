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

/// The M bit in the first two octets of an AVP.
pub(crate) const MANDATORY: u16 = 0x8000;
/// The H bit there.
pub(crate) const HIDDEN: u16 = 0x4000;
const RESERVED: u16 = 0x3c00;
const LENGTH: u16 = 0x03ff;

/// The six octets in front of a value, as numbers.
#[derive(Clone, Copy)]
pub(crate) struct AvpHeader {
    /// M, H, the reserved bits and the Length.
    bits: u16,
    vendor: u16,
    attribute: u16,
}

impl AvpHeader {
    #[inline]
    pub(crate) const fn from_wire(octets: &[u8; AVP_HEADER_LEN]) -> Self {
        let [b0, b1, v0, v1, t0, t1] = *octets;
        Self {
            bits: u16::from_be_bytes([b0, b1]),
            vendor: u16::from_be_bytes([v0, v1]),
            attribute: u16::from_be_bytes([t0, t1]),
        }
    }

    /// Octets of the value, or `None` where the Length is below 6.
    #[inline]
    pub(crate) const fn value_len(self) -> Option<usize> {
        ((self.bits & LENGTH) as usize).checked_sub(AVP_HEADER_LEN)
    }

    #[inline]
    pub(crate) const fn attribute_type(self) -> AttributeType {
        AttributeType(self.attribute)
    }

    #[inline]
    pub(crate) const fn is_mandatory(self) -> bool {
        self.bits & MANDATORY != 0
    }

    /// Of the IETF, not hidden, and without a reserved bit set.
    #[inline]
    pub(crate) const fn is_plain_ietf(self) -> bool {
        self.bits & (HIDDEN | RESERVED) == 0 && self.vendor == VendorId::IETF.0
    }

    /// The same for a value that has been unhidden.
    pub(crate) const fn unhidden(self) -> Self {
        Self { bits: self.bits & !HIDDEN, ..self }
    }

    pub(crate) const fn with_value(self, value: &[u8]) -> RawAvp<'_> {
        let [reserved, _] = (self.bits & RESERVED).to_be_bytes();
        RawAvp {
            mandatory: self.is_mandatory(),
            hidden: self.bits & HIDDEN != 0,
            reserved: reserved >> 2,
            vendor_id: VendorId(self.vendor),
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
        let mandatory = if self.mandatory { MANDATORY } else { 0 };
        let hidden = if self.hidden { HIDDEN } else { 0 };
        mandatory | hidden | u16::from_be_bytes([self.reserved << 2, 0]) & RESERVED
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

    /// Takes one AVP off the front. On an error the walk is at its end.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<(AvpHeader, &'a [u8]), AvpError> {
        let all = self.rest;
        let Some((header, after)) = all.split_first_chunk() else {
            self.rest = &[];
            return Err(AvpError::Trailing(all.len()));
        };
        let header = AvpHeader::from_wire(header);
        let length = header.bits & LENGTH;
        let Some(value_len) = header.value_len() else {
            self.rest = &[];
            return Err(AvpError::TooShort(length));
        };
        let Some((value, rest)) = after.split_at_checked(value_len) else {
            self.rest = &[];
            return Err(AvpError::TooLong { length, left: all.len() });
        };
        self.rest = rest;
        Ok((header, value))
    }
}

impl<'a> Iterator for Avps<'a> {
    type Item = Result<RawAvp<'a>, AvpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.step().map(|(header, value)| header.with_value(value)))
    }
}

impl core::iter::FusedIterator for Avps<'_> {}

/// The Message Type AVP at the front of `avps`: its value, its M bit, and what follows. `None`
/// where something else is first, or where it is hidden or not of length 8 (RFC 2661 §4.4.1).
#[inline]
pub(crate) fn first_message_type(avps: &[u8]) -> Option<(MessageType, bool, Avps<'_>)> {
    let mut avps = Avps::new(avps);
    let (header, value) = avps.step().ok()?;
    let [high, low] = value else { return None };
    (header.is_plain_ietf() && header.attribute == AttributeType::MESSAGE_TYPE.0).then_some((
        MessageType(u16::from_be_bytes([*high, *low])),
        header.is_mandatory(),
        avps,
    ))
}
