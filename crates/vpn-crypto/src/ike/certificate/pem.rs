use alloc::vec::Vec;

use pki_types::CertificateDer;
use pki_types::pem::PemObject;
use thiserror::Error;

/// The text holds no certificate that can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("no certificate in PEM form: it begins with -----BEGIN CERTIFICATE-----")]
pub struct NoCertificate;

/// The certificates in `pem`, DER encoded, in their order. Other things between them, such as a
/// private key, are left out.
///
/// # Errors
/// [`NoCertificate`] if there is none or one can't be read.
pub fn certificates_from_pem(pem: &str) -> Result<Vec<Vec<u8>>, NoCertificate> {
    let read = CertificateDer::pem_slice_iter(pem.as_bytes());
    let certificates: Result<Vec<_>, _> = read.map(|der| der.map(|der| der.to_vec())).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(NoCertificate),
    }
}
