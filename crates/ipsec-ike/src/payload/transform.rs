use alloc::vec::Vec;

use vpn_core::Reader;

use crate::DecodeError;
use crate::PayloadType;
use crate::attribute::Attributes;
use crate::message::put_payload;

/// Transform: one set of algorithms of a proposal (RFC 2408 §3.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transform<'a> {
    /// Its number in the proposal.
    pub number: u8,
    /// The Transform-Id, whose meaning the proposal's protocol has.
    pub id: u8,
    /// The attributes.
    pub attributes: Attributes<'a>,
    /// The body as it was sent. A responder returns what it chose unchanged (RFC 2408 §4.2).
    pub octets: &'a [u8],
}

impl<'a> Transform<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`].
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let kind = PayloadType::TRANSFORM;
        let cut = |_| DecodeError::Malformed { kind, what: "it is cut short" };
        let mut reader = Reader::new(octets);
        let number = reader.u8().map_err(cut)?;
        let id = reader.u8().map_err(cut)?;
        reader.take(2).map_err(cut)?;
        let attributes = Attributes::decode(kind, reader.rest())?;
        Ok(Self { number, id, attributes, octets })
    }
}

/// Appends the body of a transform, whose attributes `write` appends.
pub fn encode_transform(out: &mut Vec<u8>, number: u8, id: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[number, id, 0, 0]);
    write(out);
}

/// Reads one payload of a list that all are of one kind, such as the transforms of a proposal; says
/// also whether another follows.
pub(super) fn nested<'a>(
    kind: PayloadType,
    reader: &mut Reader<'a>,
) -> Result<(&'a [u8], bool), DecodeError> {
    let malformed = |what| DecodeError::Malformed { kind, what };
    let cut = |_| malformed("it is cut short");
    let next = PayloadType(reader.u8().map_err(cut)?);
    reader.u8().map_err(cut)?;
    let length = reader.u16().map_err(cut)?;
    let body_len = usize::from(length).checked_sub(4);
    let body = body_len.and_then(|len| reader.take(len).ok());
    let body = body.ok_or(DecodeError::PayloadLength { kind, length })?;
    if next == kind {
        Ok((body, true))
    } else if next == PayloadType::NONE {
        Ok((body, false))
    } else {
        Err(malformed("something else follows it"))
    }
}

/// Appends payloads of one kind, each announcing the next.
pub(super) fn put_nested<'b>(
    out: &mut Vec<u8>,
    kind: PayloadType,
    bodies: impl IntoIterator<Item = &'b [u8]>,
) {
    let mut bodies = bodies.into_iter().peekable();
    while let Some(body) = bodies.next() {
        let next = if bodies.peek().is_some() { kind } else { PayloadType::NONE };
        put_payload(out, next, |out| out.extend_from_slice(body));
    }
}
