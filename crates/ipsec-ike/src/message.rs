use alloc::vec::Vec;

use crate::Chain;
use crate::DecodeError;
use crate::EncodeError;
use crate::Header;
use crate::PayloadType;
use crate::chain::PAYLOAD_HEADER_LEN;

/// The most octets of a message: what fits into an IPv4 UDP datagram behind a non-ESP marker.
pub const MAX_MESSAGE_LEN: usize = 65_503;

/// Where the Length field lies in the header.
const LENGTH_AT: usize = 24;
/// Where the Next Payload field lies in the header.
const NEXT_PAYLOAD_AT: usize = 16;

/// A received message of version 1, its payloads not looked at yet.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The header.
    pub header: Header,
    /// What follows the header, as long as Length says: payloads, or ciphertext.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a datagram. Octets behind the end that the header tells are dropped.
    ///
    /// # Errors
    /// [`DecodeError`] for another version, or when the datagram is shorter than its Length.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let header = Header::decode(datagram)?;
        if header.major_version() != 1 {
            return Err(DecodeError::UnsupportedVersion(header.version));
        }
        let length = usize::try_from(header.length).map_err(|_| DecodeError::Truncated)?;
        if length < Header::LEN {
            return Err(DecodeError::BadLength(header.length));
        }
        let body = datagram.get(Header::LEN..length).ok_or(DecodeError::Truncated)?;
        Ok(Self { header, body })
    }

    /// The payloads of a message that is not encrypted.
    #[must_use]
    pub const fn payloads(&self) -> Chain<'a> {
        Chain::new(self.header.next_payload, self.body)
    }
}

/// Appends a message to a buffer: the header, then payload after payload.
///
/// Each payload's kind goes into the header before it, and lengths are filled in.
///
/// ```
/// use ipsec_ike::Cookies;
/// use ipsec_ike::ExchangeType;
/// use ipsec_ike::Header;
/// use ipsec_ike::MessageBuilder;
/// use ipsec_ike::PayloadType;
///
/// let mut out = Vec::new();
/// let header = Header::new(Cookies::first([7; 8]), ExchangeType::MAIN_MODE, 0);
/// let mut builder = MessageBuilder::new(&mut out, header);
/// builder.raw(PayloadType::NONCE, &[1, 2, 3, 4, 5, 6, 7, 8]);
/// builder.payload(PayloadType::VENDOR_ID, |out| out.extend_from_slice(b"example"));
/// assert_eq!(builder.finish()?, 28 + 12 + 11);
/// assert_eq!(out[28..32], [13, 0, 0, 12]);
/// # Ok::<(), ipsec_ike::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct MessageBuilder<'o> {
    out: &'o mut Vec<u8>,
    /// Where the message begins.
    start: usize,
    /// Where the kind of the next payload goes.
    next_at: usize,
    fault: Option<EncodeError>,
}

impl<'o> MessageBuilder<'o> {
    /// Starts a message at the end of `out`. The header's Next Payload and Length are filled in
    /// later.
    pub fn new(out: &'o mut Vec<u8>, header: Header) -> Self {
        let start = out.len();
        Header { next_payload: PayloadType::NONE, ..header }.encode(out);
        Self { out, start, next_at: start + NEXT_PAYLOAD_AT, fault: None }
    }

    /// Adds a payload with a body that `write` appends.
    pub fn payload(&mut self, kind: PayloadType, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        if let Some(next) = self.out.get_mut(self.next_at) {
            *next = kind.0;
        }
        let at = self.out.len();
        self.next_at = at;
        if !put_payload(self.out, PayloadType::NONE, write) {
            self.fault = self.fault.or(Some(EncodeError::PayloadTooLong(kind)));
        }
        self
    }

    /// Adds a payload with this body.
    pub fn raw(&mut self, kind: PayloadType, body: &[u8]) -> &mut Self {
        self.payload(kind, |out| out.extend_from_slice(body))
    }

    /// How many octets the message has so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Always `false`, since there is a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills in the length, and returns it.
    ///
    /// # Errors
    /// [`EncodeError`]; then the buffer is as it was before the message.
    pub fn finish(self) -> Result<usize, EncodeError> {
        self.finish_padded(1)
    }

    /// Pads the body with zeros to a multiple of the cipher's `block` in octets, fills in the length,
    /// padding included, and returns it (RFC 2409 appendix B, RFC 2408 §3.1).
    ///
    /// # Errors
    /// [`EncodeError`]; then the buffer is as it was before the message.
    pub fn finish_padded(self, block: usize) -> Result<usize, EncodeError> {
        let body = self.len().saturating_sub(Header::LEN);
        let padding = body.next_multiple_of(block.max(1)) - body;
        self.out.resize(self.out.len() + padding, 0);
        let len = self.len();
        let too_long = (len > MAX_MESSAGE_LEN).then_some(EncodeError::MessageTooLong(len));
        if let Some(fault) = self.fault.or(too_long) {
            self.out.truncate(self.start);
            return Err(fault);
        }
        let value = u32::try_from(len).map_err(|_| EncodeError::MessageTooLong(len))?;
        let place = self.out.get_mut(self.start + LENGTH_AT..).and_then(<[u8]>::first_chunk_mut);
        if let Some(place) = place {
            *place = value.to_be_bytes();
        }
        Ok(len)
    }
}

/// Appends the generic header of a payload (RFC 2408 §3.2), and a body that `write` appends. Says
/// whether its length fits.
pub(crate) fn put_payload(
    out: &mut Vec<u8>,
    next: PayloadType,
    write: impl FnOnce(&mut Vec<u8>),
) -> bool {
    let at = out.len();
    out.extend_from_slice(&[next.0, 0, 0, 0]);
    write(out);
    let Ok(length) = u16::try_from(out.len() - at) else { return false };
    let place = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<PAYLOAD_HEADER_LEN>);
    if let Some([_, _, length_place @ ..]) = place {
        *length_place = length.to_be_bytes();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cookies;
    use crate::ExchangeType;
    use crate::Payload;
    use alloc::vec;

    fn header() -> Header {
        Header::new(Cookies::first([1; 8]), ExchangeType::MAIN_MODE, 0)
    }

    fn two_payloads() -> Vec<u8> {
        let mut out = vec![0xaa];
        let mut builder = MessageBuilder::new(&mut out, header());
        builder.raw(PayloadType::HASH, b"abc").raw(PayloadType::NONCE, b"");
        assert_eq!(builder.finish_padded(8), Ok(28 + 16));
        out.split_off(1)
    }

    #[test]
    fn what_was_built_is_read() {
        let octets = two_payloads();
        let message = Message::decode(&octets).unwrap();
        assert_eq!((message.header.length, message.body.len()), (44, 16));
        let payloads: Result<Vec<_>, _> = message.payloads().collect();
        let expected = [
            Payload { kind: PayloadType::HASH, body: b"abc" },
            Payload { kind: PayloadType::NONCE, body: b"" },
        ];
        assert_eq!(payloads.unwrap(), expected);
        assert_eq!(message.payloads().octets().unwrap().len(), 11, "padding is no payload");
    }

    #[test]
    fn datagrams_of_the_wrong_length() {
        let octets = two_payloads();
        for len in 0..octets.len() {
            assert_eq!(Message::decode(&octets[..len]).unwrap_err(), DecodeError::Truncated);
        }
        let mut longer = octets.clone();
        longer.push(9);
        assert_eq!(Message::decode(&longer).unwrap().body, &octets[28..]);
        let mut short = octets;
        short[24..28].copy_from_slice(&[0, 0, 0, 27]);
        assert_eq!(Message::decode(&short).unwrap_err(), DecodeError::BadLength(27));
    }

    #[test]
    fn only_version_1() {
        let mut octets = two_payloads();
        for version in 0..=255 {
            octets[17] = version;
            let expected = (version >> 4 != 1).then_some(DecodeError::UnsupportedVersion(version));
            assert_eq!(Message::decode(&octets).err(), expected);
        }
    }

    #[test]
    fn what_does_not_fit_leaves_nothing() {
        let mut out = vec![1, 2];
        let mut builder = MessageBuilder::new(&mut out, header());
        builder.payload(PayloadType::CERTIFICATE, |out| out.resize(out.len() + 65_532, 0));
        let error = EncodeError::PayloadTooLong(PayloadType::CERTIFICATE);
        assert_eq!(builder.finish(), Err(error));
        let mut builder = MessageBuilder::new(&mut out, header());
        builder.payload(PayloadType::CERTIFICATE, |out| out.resize(out.len() + 65_531, 0));
        assert_eq!(builder.finish(), Err(EncodeError::MessageTooLong(28 + 65_535)));
        assert_eq!(out, [1, 2]);
    }
}
