//! The chain of payloads (RFC 2408 §3.2).

use core::iter::FusedIterator;

use vpn_core::Reader;

use crate::DecodeError;
use crate::PayloadType;

/// The most payloads that are read from one message. Real ones have up to about 25.
pub const MAX_PAYLOADS: usize = 64;

/// Octets of the generic header that each payload begins with (RFC 2408 §3.2).
pub const PAYLOAD_HEADER_LEN: usize = 4;

/// One payload of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload<'a> {
    /// What it is, as the payload before it says.
    pub kind: PayloadType,
    /// What follows the generic header.
    pub body: &'a [u8],
}

/// The payloads of a message, one after the other (RFC 2408 §3.2).
///
/// Each payload begins with the kind of the next, an octet whose value doesn't matter, and its own
/// length. The chain ends with a payload whose next is [`PayloadType::NONE`]. After an error it is
/// over. What follows the last payload, the padding of an encrypted message, is
/// [`rest`](Chain::rest) and none of the chain's business.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    next: PayloadType,
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Chain<'a> {
    /// The chain that begins with a payload of kind `first`.
    #[must_use]
    pub const fn new(first: PayloadType, octets: &'a [u8]) -> Self {
        Self { next: first, reader: Reader::new(octets), left: MAX_PAYLOADS }
    }

    /// What follows the payload that was returned last.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// Walks to the end and returns the octets of all payloads that were left, headers included, without
    /// what follows them.
    ///
    /// Behind a HASH payload that is what the hash is about (RFC 2409 §5.5, §5.7).
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn octets(mut self) -> Result<&'a [u8], DecodeError> {
        let all = self.rest();
        for payload in self.by_ref() {
            payload?;
        }
        let len = all.len() - self.rest().len();
        all.get(..len).ok_or(DecodeError::Truncated)
    }

    fn step(&mut self) -> Result<Payload<'a>, DecodeError> {
        let kind = self.next;
        self.left = self.left.checked_sub(1).ok_or(DecodeError::TooManyPayloads)?;
        let mut reader = self.reader;
        let next = PayloadType(reader.u8()?);
        reader.u8()?;
        let length = reader.u16()?;
        let body_len = usize::from(length).checked_sub(PAYLOAD_HEADER_LEN);
        let body = body_len.and_then(|len| reader.take(len).ok());
        let body = body.ok_or(DecodeError::PayloadLength { kind, length })?;
        self.next = next;
        self.reader = reader;
        Ok(Payload { kind, body })
    }
}

impl<'a> Iterator for Chain<'a> {
    type Item = Result<Payload<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == PayloadType::NONE {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.next = PayloadType::NONE;
        }
        Some(step)
    }
}

impl FusedIterator for Chain<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn walk(first: u8, octets: &[u8]) -> Result<Vec<(u8, usize)>, DecodeError> {
        Chain::new(PayloadType(first), octets)
            .map(|payload| payload.map(|payload| (payload.kind.0, payload.body.len())))
            .collect()
    }

    #[test]
    fn walks_and_leaves_the_padding() {
        let octets = [10, 0xff, 0, 6, 1, 2, 0, 0, 0, 4, 0, 0, 0];
        assert_eq!(walk(8, &octets), Ok(vec![(8, 2), (10, 0)]), "the reserved octet is ignored");
        let mut chain = Chain::new(PayloadType::HASH, &octets);
        assert_eq!(chain.next().unwrap().unwrap().body, [1, 2]);
        assert_eq!(chain.clone().octets(), Ok(&octets[6..10]));
        chain.next();
        assert_eq!((chain.next(), chain.rest()), (None, &octets[10..]));
        assert_eq!(walk(0, &octets), Ok(vec![]));
    }

    #[test]
    fn impossible_lengths() {
        for length in [0, 1, 2, 3, 7, 255] {
            let error = DecodeError::PayloadLength { kind: PayloadType::NONCE, length };
            let mut chain = Chain::new(PayloadType::NONCE, &[0, 0, 0, 0, 9, 9]);
            let octets = [0, 0, 0, u8::try_from(length).unwrap(), 9, 9];
            assert_eq!(walk(10, &octets), Err(error), "{length}");
            chain.reader = Reader::new(&octets);
            assert_eq!(chain.next(), Some(Err(error)));
            assert_eq!(chain.next(), None, "nothing comes behind an error");
        }
        for len in 0..4 {
            assert_eq!(walk(10, &[13, 0, 0, 4][..len]), Err(DecodeError::Truncated));
        }
        assert_eq!(walk(10, &[13, 0, 0, 4]), Err(DecodeError::Truncated), "the next is missing");
    }

    #[test]
    fn the_number_of_payloads_is_bounded() {
        let many = [13, 0, 0, 4].repeat(MAX_PAYLOADS);
        assert_eq!(walk(13, &many), Err(DecodeError::TooManyPayloads));
        let mut enough = many;
        enough[MAX_PAYLOADS * 4 - 4] = 0;
        assert_eq!(walk(13, &enough).unwrap().len(), MAX_PAYLOADS);
    }
}
