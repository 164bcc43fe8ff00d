use alloc::vec::Vec;

use vpn_core::Reader;

use super::transform::Transform;
use super::transform::nested;
use super::transform::put_nested;
use crate::DecodeError;
use crate::PayloadType;
use crate::ProtocolId;

/// The longest SPI that is taken: both cookies are 16 octets.
const MAX_SPI_LEN: usize = 16;

/// Proposal: the transforms that are offered for one protocol (RFC 2408 §3.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proposal<'a> {
    /// Proposals with the same number belong together: all or none (RFC 2408 §4.2).
    pub number: u8,
    /// For which protocol.
    pub protocol: ProtocolId,
    /// The sender's inbound SPI; in phase 1 what it holds does not matter (RFC 2408 §3.5).
    pub spi: &'a [u8],
    count: u8,
    transforms: &'a [u8],
}

impl<'a> Proposal<'a> {
    /// Reads a body with all transforms in it.
    ///
    /// # Errors
    /// [`DecodeError`], also when the number of transforms is not what the proposal says.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let malformed = |what| DecodeError::Malformed { kind: PayloadType::PROPOSAL, what };
        let cut = |_| malformed("it is cut short");
        let mut reader = Reader::new(body);
        let number = reader.u8().map_err(cut)?;
        let protocol = ProtocolId(reader.u8().map_err(cut)?);
        let spi_len = usize::from(reader.u8().map_err(cut)?);
        let count = reader.u8().map_err(cut)?;
        if spi_len > MAX_SPI_LEN {
            return Err(malformed("its SPI is longer than any"));
        }
        let spi = reader.take(spi_len).map_err(cut)?;
        let transforms = reader.rest();
        let mut found = 0;
        let mut more = true;
        while more {
            let body;
            (body, more) = nested(PayloadType::TRANSFORM, &mut reader)?;
            Transform::decode(body)?;
            found += 1;
        }
        if found != usize::from(count) {
            return Err(malformed("the number of transforms is not what it says"));
        }
        if !reader.is_empty() {
            return Err(malformed("octets follow the last transform"));
        }
        Ok(Self { number, protocol, spi, count, transforms })
    }

    /// The transforms, in the order of the message, which is the sender's order of preference. There
    /// is at least one.
    pub fn transforms(&self) -> impl Iterator<Item = Transform<'a>> + use<'a> {
        let mut reader = Reader::new(self.transforms);
        (0..self.count).map_while(move |_| {
            let (body, _) = nested(PayloadType::TRANSFORM, &mut reader).ok()?;
            Transform::decode(body).ok()
        })
    }

    /// How many transforms there are.
    #[must_use]
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// The SPI as a number, where it is one of ESP.
    #[must_use]
    pub fn esp_spi(&self) -> Option<u32> {
        let octets = self.spi.try_into().ok()?;
        (self.protocol == ProtocolId::ESP).then_some(u32::from_be_bytes(octets))
    }
}

/// Appends the body of a proposal with these transforms, each as
/// [`encode_transform`](super::encode_transform) writes them or as one was received. No more than 255
/// are written.
pub fn encode_proposal<T: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    number: u8,
    protocol: ProtocolId,
    spi: &[u8],
    transforms: &[T],
) {
    let count = u8::try_from(transforms.len()).unwrap_or(u8::MAX);
    let spi_len = u8::try_from(spi.len()).unwrap_or(u8::MAX);
    out.extend_from_slice(&[number, protocol.0, spi_len, count]);
    out.extend_from_slice(spi);
    let bodies = transforms.iter().take(usize::from(count)).map(AsRef::as_ref);
    put_nested(out, PayloadType::TRANSFORM, bodies);
}
