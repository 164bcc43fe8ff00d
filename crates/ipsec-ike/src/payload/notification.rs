use alloc::vec::Vec;

use vpn_core::Reader;

use super::DOI_IPSEC;
use crate::DecodeError;
use crate::NotifyType;
use crate::PayloadType;
use crate::ProtocolId;

/// Notification: an error or a status (RFC 2408 §3.14, RFC 2407 §4.6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notification<'a> {
    /// What the SPI is of.
    pub protocol: ProtocolId,
    /// What it says.
    pub notify_type: NotifyType,
    /// Which SA it is about: both cookies or one of them for ISAKMP, 4 octets for ESP, or nothing.
    pub spi: &'a [u8],
    /// More, as the type has it.
    pub data: &'a [u8],
}

impl<'a> Notification<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError`] for another domain of interpretation, or an SPI length that no protocol has
    /// or that reaches past the end.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let malformed = |what| DecodeError::Malformed { kind: PayloadType::NOTIFICATION, what };
        let cut = |_| malformed("it is cut short");
        let mut reader = Reader::new(body);
        let doi = reader.u32().map_err(cut)?;
        let protocol = ProtocolId(reader.u8().map_err(cut)?);
        let spi_len = usize::from(reader.u8().map_err(cut)?);
        let notify_type = NotifyType(reader.u16().map_err(cut)?);
        if !matches!(doi, 0 | DOI_IPSEC) {
            return Err(DecodeError::UnsupportedDoi(doi));
        }
        if spi_len > 16 {
            return Err(malformed("its SPI is longer than any"));
        }
        let spi = reader.take(spi_len).map_err(cut)?;
        Ok(Self { protocol, notify_type, spi, data: reader.rest() })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&DOI_IPSEC.to_be_bytes());
        out.extend_from_slice(&[self.protocol.0, u8::try_from(self.spi.len()).unwrap_or(u8::MAX)]);
        out.extend_from_slice(&self.notify_type.0.to_be_bytes());
        out.extend_from_slice(self.spi);
        out.extend_from_slice(self.data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL_CONTACT: [u8; 14] = [0, 0, 0, 1, 3, 4, 0x60, 2, 1, 2, 3, 4, 5, 6];

    #[test]
    fn every_length() {
        let notification = Notification::decode(&INITIAL_CONTACT).unwrap();
        assert_eq!(notification.notify_type, NotifyType::INITIAL_CONTACT);
        assert_eq!((notification.spi, notification.data), (&[1, 2, 3, 4][..], &[5, 6][..]));
        let mut out = Vec::new();
        notification.encode(&mut out);
        assert_eq!(out, INITIAL_CONTACT);
        for len in 0..INITIAL_CONTACT.len() {
            assert_eq!(Notification::decode(&INITIAL_CONTACT[..len]).is_ok(), len >= 12, "{len}");
        }
    }

    #[test]
    fn foreign_domains_and_impossible_spis() {
        let mut wrong = INITIAL_CONTACT;
        wrong[3] = 2;
        assert_eq!(Notification::decode(&wrong), Err(DecodeError::UnsupportedDoi(2)));
        wrong[3] = 0;
        assert!(Notification::decode(&wrong).is_ok(), "the generic domain of RFC 2408");
        let mut long = [0; 40];
        (long[3], long[5]) = (1, 17);
        assert!(Notification::decode(&long).is_err());
    }
}
