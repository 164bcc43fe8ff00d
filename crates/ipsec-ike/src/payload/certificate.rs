use alloc::vec::Vec;

use vpn_core::Reader;

use crate::CertEncoding;
use crate::DecodeError;
use crate::PayloadType;

/// Certificate: one certificate of the sender's chain (RFC 2408 §3.9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Certificate<'a> {
    /// What `data` is.
    pub encoding: CertEncoding,
    /// The certificate, in DER where the encoding is an X.509 one.
    pub data: &'a [u8],
}

/// Certificate Request: which certificate the sender would like (RFC 2408 §3.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CertificateRequest<'a> {
    /// What kind of certificate.
    pub encoding: CertEncoding,
    /// Who must have issued it: a Distinguished Name in DER, or nothing where any will do.
    pub authority: &'a [u8],
}

fn split(kind: PayloadType, body: &[u8]) -> Result<(CertEncoding, &[u8]), DecodeError> {
    let mut reader = Reader::new(body);
    let encoding = reader.u8();
    let encoding = encoding.map_err(|_| DecodeError::Malformed { kind, what: "it is empty" })?;
    Ok((CertEncoding(encoding), reader.rest()))
}

impl<'a> Certificate<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] without an encoding or a certificate.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let kind = PayloadType::CERTIFICATE;
        let (encoding, data) = split(kind, body)?;
        if data.is_empty() {
            return Err(DecodeError::Malformed { kind, what: "there is no certificate in it" });
        }
        Ok(Self { encoding, data })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.encoding.0);
        out.extend_from_slice(self.data);
    }
}

impl<'a> CertificateRequest<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] without an encoding.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (encoding, authority) = split(PayloadType::CERTIFICATE_REQUEST, body)?;
        Ok(Self { encoding, authority })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.encoding.0);
        out.extend_from_slice(self.authority);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let certificate = Certificate::decode(&[4, 0x30, 0]).unwrap();
        assert_eq!(certificate.encoding, CertEncoding::X509_SIGNATURE);
        assert_eq!(certificate.data, [0x30, 0]);
        assert!(Certificate::decode(&[]).is_err() && Certificate::decode(&[4]).is_err());
        let request = CertificateRequest::decode(&[4]).unwrap();
        assert!(request.authority.is_empty(), "any authority");
        assert!(CertificateRequest::decode(&[]).is_err());
        let mut out = Vec::new();
        certificate.encode(&mut out);
        request.encode(&mut out);
        assert_eq!(out, [4, 0x30, 0, 4]);
    }
}
