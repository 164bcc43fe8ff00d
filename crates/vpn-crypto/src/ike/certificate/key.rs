use alloc::vec::Vec;
use core::fmt;

use pki_types::CertificateDer;
use pki_types::PrivateKeyDer;
use pki_types::pem::PemObject;
use rand_core::TryCryptoRng;
use rand_core::TryRng;
use rsa::Pkcs1v15Sign;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::SignatureScheme;
use thiserror::Error;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::SignatureError;
use vpn_core::crypto::SigningKey;

use super::long_enough;
use super::peer::public_key;

/// An RSA private key in memory, wiped on drop.
///
/// It makes the signatures of IKEv1 (RFC 2409 §5.1), blinded with fresh random octets and checked
/// against the public key before they leave, so that neither time nor a fault in the computation
/// tells of the key.
pub struct RsaKey(RsaPrivateKey);

impl RsaKey {
    /// The first private key in `pem`: PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// [`RsaKeyError`].
    pub fn from_pem(pem: &str) -> Result<Self, RsaKeyError> {
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(key)) => Self::from_pkcs8_der(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => Self::from_pkcs1_der(key.secret_pkcs1_der()),
            Ok(_) => Err(RsaKeyError::NotRsa),
            Err(_) if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") => {
                Err(RsaKeyError::Encrypted)
            }
            Err(_) => Err(RsaKeyError::NotFound),
        }
    }

    /// A key in PKCS#8 (RFC 5208), DER encoded.
    ///
    /// # Errors
    /// [`RsaKeyError`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, RsaKeyError> {
        Self::checked(RsaPrivateKey::from_pkcs8_der(der).map_err(|_| RsaKeyError::NotRsa)?)
    }

    /// A key in PKCS#1 (RFC 8017 appendix A.1.2), DER encoded.
    ///
    /// # Errors
    /// [`RsaKeyError`].
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, RsaKeyError> {
        Self::checked(RsaPrivateKey::from_pkcs1_der(der).map_err(|_| RsaKeyError::NotRsa)?)
    }

    fn checked(key: RsaPrivateKey) -> Result<Self, RsaKeyError> {
        if !long_enough(key.as_public_key()) {
            return Err(RsaKeyError::TooShort);
        }
        Ok(Self(key))
    }

    /// Whether `certificate`, DER encoded, is for this key.
    #[must_use]
    pub fn belongs_to(&self, certificate: &[u8]) -> bool {
        let certificate = CertificateDer::from(certificate);
        public_key(&certificate).is_ok_and(|key| key == *self.0.as_public_key())
    }
}

impl SigningKey for RsaKey {
    fn sign(&self, hash: &[u8], rng: &mut dyn SecureRandom) -> Result<Vec<u8>, SignatureError> {
        let scheme = Pkcs1v15Sign::new_unprefixed();
        scheme.sign(Some(&mut Blinding(rng)), &self.0, hash).map_err(|error| match error {
            rsa::Error::Rng => RandomError.into(),
            _ => SignatureError::Key,
        })
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey")
    }
}

/// Our generator in the form that `rsa` takes.
struct Blinding<'a>(&'a mut dyn SecureRandom);

impl TryRng for Blinding<'_> {
    type Error = RandomError;

    fn try_next_u32(&mut self) -> Result<u32, RandomError> {
        let mut octets = [0; 4];
        self.0.fill(&mut octets)?;
        Ok(u32::from_ne_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomError> {
        let mut octets = [0; 8];
        self.0.fill(&mut octets)?;
        Ok(u64::from_ne_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0.fill(out)
    }
}

impl TryCryptoRng for Blinding<'_> {}

/// Why a private key was not accepted.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum RsaKeyError {
    /// There is none in the text.
    #[error("no private key in PEM form: it begins with -----BEGIN PRIVATE KEY-----")]
    NotFound,
    /// It is protected with a passphrase.
    #[error("the private key is protected with a passphrase: decrypt it with `openssl pkey`")]
    Encrypted,
    /// It can't be read, is of another kind, or its parts do not fit together.
    #[error("the private key is not a valid RSA key with two primes")]
    NotRsa,
    /// The modulus has fewer than 2048 bits.
    #[error("the RSA key is too short: make one of 2048 bits or more")]
    TooShort,
}
