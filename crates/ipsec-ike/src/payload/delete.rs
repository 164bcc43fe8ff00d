use alloc::vec::Vec;

use vpn_core::Reader;

use super::DOI_IPSEC;
use crate::DecodeError;
use crate::PayloadType;
use crate::ProtocolId;

/// Delete: SAs that the sender has removed, by its inbound SPIs (RFC 2408 §3.15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delete<'a> {
    /// What was removed. All SPIs are of one protocol.
    pub protocol: ProtocolId,
    spi_len: usize,
    spis: &'a [u8],
}

impl<'a> Delete<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError`] for another domain of interpretation, an SPI length that the protocol does not
    /// have, or when number and length of SPIs do not make up the payload.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let malformed = |what| DecodeError::Malformed { kind: PayloadType::DELETE, what };
        let cut = |_| malformed("it is cut short");
        let mut reader = Reader::new(body);
        let doi = reader.u32().map_err(cut)?;
        let protocol = ProtocolId(reader.u8().map_err(cut)?);
        let spi_len = usize::from(reader.u8().map_err(cut)?);
        let count = usize::from(reader.u16().map_err(cut)?);
        if !matches!(doi, 0 | DOI_IPSEC) {
            return Err(DecodeError::UnsupportedDoi(doi));
        }
        let expected = match protocol {
            ProtocolId::ISAKMP => 16,
            ProtocolId::IPCOMP => 2,
            _ => 4,
        };
        if spi_len != expected {
            return Err(malformed("its SPIs have not the length of their protocol's"));
        }
        let spis = reader.rest();
        if count == 0 || count.checked_mul(spi_len) != Some(spis.len()) {
            return Err(malformed("the number of SPIs is not what it says"));
        }
        Ok(Self { protocol, spi_len, spis })
    }

    /// The SPIs: 4 octets each for ESP, 16 for ISAKMP (both cookies).
    pub fn spis(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        self.spis.chunks_exact(self.spi_len)
    }

    /// Appends the body of a deletion of one SA.
    pub fn encode(protocol: ProtocolId, spi: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&DOI_IPSEC.to_be_bytes());
        out.extend_from_slice(&[protocol.0, u8::try_from(spi.len()).unwrap_or(u8::MAX), 0, 1]);
        out.extend_from_slice(spi);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: [u8; 16] = [0, 0, 0, 1, 3, 4, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];

    #[test]
    fn spis_are_counted() {
        let delete = Delete::decode(&TWO).unwrap();
        assert_eq!(delete.protocol, ProtocolId::ESP);
        assert!(delete.spis().eq([&[1, 2, 3, 4][..], &[5, 6, 7, 8]]));
        for len in 0..TWO.len() {
            assert!(Delete::decode(&TWO[..len]).is_err(), "{len}");
        }
        for (at, value) in [(3, 2), (5, 0), (5, 8), (7, 0), (7, 1), (7, 3), (6, 1), (4, 1)] {
            let mut wrong = TWO;
            wrong[at] = value;
            assert!(Delete::decode(&wrong).is_err(), "{at}");
        }
    }

    #[test]
    fn written() {
        let mut out = Vec::new();
        Delete::encode(ProtocolId::ISAKMP, &[9; 16], &mut out);
        let delete = Delete::decode(&out).unwrap();
        assert_eq!(delete.protocol, ProtocolId::ISAKMP);
        assert!(delete.spis().eq([&[9; 16][..]]));
    }
}
