//! Data attributes: the values of transforms (RFC 2408 §3.3).

use alloc::vec::Vec;

use vpn_core::Reader;

use crate::DecodeError;
use crate::PayloadType;

/// Set in the type field of an attribute in the short form (RFC 2408 §3.3).
const AF: u16 = 0x8000;

/// One data attribute (RFC 2408 §3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute<'a> {
    /// Its class, 0 to 32767: an [`IkeAttribute`](crate::IkeAttribute) in phase 1, an
    /// [`IpsecAttribute`](crate::IpsecAttribute) in phase 2.
    pub class: u16,
    /// Its value.
    pub value: AttributeValue<'a>,
}

/// The value of an attribute, in one of two forms that mean the same (RFC 2409 appendix A).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttributeValue<'a> {
    /// Type/Value, AF = 1: 16 bits.
    Basic(u16),
    /// Type/Length/Value, AF = 0.
    Variable(&'a [u8]),
}

impl AttributeValue<'_> {
    /// The value as a number, whatever its form; `None` without octets or with more than 8.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Basic(value) => Some(u64::from(*value)),
            Self::Variable(octets) if matches!(octets.len(), 1..=8) => {
                Some(octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
            }
            Self::Variable(_) => None,
        }
    }
}

/// A list of attributes that was found well-formed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes<'a> {
    octets: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Checks a list of attributes. `kind` is the payload that it stands in, for the error.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] when an attribute is cut short.
    pub fn decode(kind: PayloadType, octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        while !reader.is_empty() {
            attribute(&mut reader)
                .ok_or(DecodeError::Malformed { kind, what: "an attribute is cut short" })?;
        }
        Ok(Self { octets })
    }

    /// The list as it was sent.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The attributes, in the order of the message.
    pub fn iter(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let mut reader = Reader::new(self.octets);
        core::iter::from_fn(move || attribute(&mut reader))
    }
}

fn attribute<'a>(reader: &mut Reader<'a>) -> Option<Attribute<'a>> {
    let class = reader.u16().ok()?;
    let length_or_value = reader.u16().ok()?;
    let value = if class & AF == 0 {
        AttributeValue::Variable(reader.take(usize::from(length_or_value)).ok()?)
    } else {
        AttributeValue::Basic(length_or_value)
    };
    Some(Attribute { class: class & !AF, value })
}

/// Appends an attribute in the short form.
pub fn put_basic(out: &mut Vec<u8>, class: u16, value: u16) {
    out.extend_from_slice(&(class | AF).to_be_bytes());
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends an attribute with a number of 4 octets, or of 8 where 4 are too few: the form of
/// lifetimes that every peer reads.
pub fn put_number(out: &mut Vec<u8>, class: u16, value: u64) {
    out.extend_from_slice(&(class & !AF).to_be_bytes());
    match u32::try_from(value) {
        Ok(value) => {
            out.extend_from_slice(&4_u16.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
        Err(_) => {
            out.extend_from_slice(&8_u16.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2407 §4.5.2.
    const LIFETIMES: [u8; 24] =
        [0x80, 1, 0, 1, 0, 2, 0, 4, 0, 1, 0x51, 0x80, 0x80, 1, 0, 2, 0, 2, 0, 4, 0, 1, 0x86, 0xa0];

    fn decode(octets: &[u8]) -> Result<Vec<Attribute<'_>>, DecodeError> {
        Ok(Attributes::decode(PayloadType::TRANSFORM, octets)?.iter().collect())
    }

    #[test]
    fn both_forms() {
        let attributes = decode(&LIFETIMES).unwrap();
        let numbers: Vec<_> =
            attributes.iter().map(|one| (one.class, one.value.number().unwrap())).collect();
        assert_eq!(numbers, [(1, 1), (2, 86_400), (1, 2), (2, 100_000)]);
        let mut out = Vec::new();
        put_basic(&mut out, 1, 1);
        put_number(&mut out, 2, 86_400);
        put_basic(&mut out, 1, 2);
        put_number(&mut out, 2, 100_000);
        assert_eq!(out, LIFETIMES);
    }

    #[test]
    fn numbers_of_any_length() {
        for (octets, number) in [
            (&[0, 2, 0, 1, 7][..], Some(7)),
            (&[0, 2, 0, 2, 1, 0], Some(256)),
            (&[0, 2, 0, 3, 1, 0, 0], Some(65_536)),
            (&[0, 2, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Some(u64::MAX)),
            (&[0, 2, 0, 0], None),
            (&[0, 2, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1], None),
            (&[0x80, 2, 0xff, 0xff], Some(0xffff)),
        ] {
            assert_eq!(decode(octets).unwrap()[0].value.number(), number, "{octets:?}");
        }
        let mut out = Vec::new();
        put_number(&mut out, 2, u64::from(u32::MAX) + 1);
        assert_eq!(out, [0, 2, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn every_truncation_is_refused_or_a_shorter_list() {
        let ends = [0, 4, 12, 16, 24];
        for len in 0..LIFETIMES.len() {
            let result = decode(&LIFETIMES[..len]);
            assert_eq!(result.is_ok(), ends.contains(&len), "{len}");
        }
    }
}
