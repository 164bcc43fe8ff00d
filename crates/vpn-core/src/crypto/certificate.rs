use alloc::boxed::Box;
use alloc::vec::Vec;

use thiserror::Error;

use crate::RandomError;
use crate::SecureRandom;

/// Our private key, with which IKE proves who we are.
///
/// It may live in a hardware module. `vpn_crypto` has one that holds an RSA key in memory.
pub trait SigningKey: Send + Sync {
    /// Signs `hash` as RFC 2409 §5.1 says: with RSA, the private-key operation over a PKCS#1
    /// block of type 1 that holds the bare HASH_I or HASH_R, without a DigestInfo.
    ///
    /// # Errors
    /// [`SignatureError`].
    fn sign(&self, hash: &[u8], rng: &mut dyn SecureRandom) -> Result<Vec<u8>, SignatureError>;
}

/// Whom we trust to vouch for peers.
pub trait TrustAnchors: Send + Sync {
    /// The distinguished names of the authorities, DER encoded, for Certificate Request payloads
    /// (RFC 2408 §3.10).
    fn issuers(&self) -> Vec<Vec<u8>>;

    /// Verifies that the first certificate of `chain` (each DER encoded; the rest in any order)
    /// leads to an authority and is valid at `unix_seconds`.
    ///
    /// # Errors
    /// [`CertificateError`].
    fn verify(
        &self,
        chain: &[&[u8]],
        unix_seconds: u64,
    ) -> Result<Box<dyn PeerCertificate>, CertificateError>;
}

/// A peer's certificate that was found valid.
pub trait PeerCertificate: Send + Sync {
    /// Verifies a signature over `hash`; see [`SigningKey::sign`].
    ///
    /// # Errors
    /// [`SignatureError::Invalid`].
    fn verify(&self, hash: &[u8], signature: &[u8]) -> Result<(), SignatureError>;

    /// The subject's distinguished name, DER encoded.
    fn subject(&self) -> &[u8];

    /// Whether the subjectAltName has this DNS name (RFC 4945 §3.1.2: the whole name, without
    /// regard to case).
    fn has_dns_name(&self, name: &str) -> bool;

    /// Whether the subjectAltName has this mail address.
    fn has_mail_address(&self, address: &str) -> bool;

    /// Whether the subjectAltName has this IP address, 4 or 16 octets.
    fn has_ip_address(&self, address: &[u8]) -> bool;
}

/// Why a signature could not be made or is not right.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SignatureError {
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Invalid,
    /// The key can't sign this.
    #[error("the private key can't sign: is it an RSA key of 2048 bits or more?")]
    Key,
    /// No random octets.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Why a certificate was not accepted.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CertificateError {
    /// Not an X.509 certificate, or one with extensions that must be understood and are not.
    #[error("the certificate can't be read")]
    Malformed,
    /// No chain leads to a trusted authority.
    #[error("no trusted authority vouches for the certificate: add its CA")]
    UnknownIssuer,
    /// Its time has not come or is over.
    #[error("the certificate is not valid at this time: check the clocks and renew it")]
    NotValidNow,
    /// The key is of a kind or size that is not allowed.
    #[error(
        "the certificate's key is of a kind or size that is not allowed: use RSA with 2048 bits or more"
    )]
    Key,
    /// It, or an authority's certificate on the way, is signed with an algorithm that is not
    /// allowed.
    #[error("the certificate is signed with an algorithm that is not allowed: sign with SHA-256")]
    Algorithm,
    /// The certificate may not be used for this.
    #[error("the certificate may not be used for this")]
    Purpose,
}
