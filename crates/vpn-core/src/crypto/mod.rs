//! The seam between the protocols and the ciphers.
//!
//! A [`CryptoProvider`] is an explicit value made of parts: no process default, no guess from
//! feature flags. `vpn_crypto::provider()` is the one that ships; a product may swap any part (for
//! a hardware module, say), and a fuzzer may bring one without security.

#[cfg(feature = "alloc")]
mod certificate;
mod esp;
mod esp_suite;
mod ike;
mod legacy;

#[cfg(feature = "alloc")]
pub use certificate::CertificateError;
#[cfg(feature = "alloc")]
pub use certificate::PeerCertificate;
#[cfg(feature = "alloc")]
pub use certificate::SignatureError;
#[cfg(feature = "alloc")]
pub use certificate::SigningKey;
#[cfg(feature = "alloc")]
pub use certificate::TrustAnchors;
pub use esp::Boxed;
pub use esp::BoxedOpenKey;
pub use esp::BoxedSealKey;
pub use esp::EspCrypto;
pub use esp::EspKeyError;
pub use esp::OpenJob;
pub use esp::OpenKey;
pub use esp::SealJob;
pub use esp::SealKey;
pub use esp_suite::EspAead;
pub use esp_suite::EspCipher;
pub use esp_suite::EspIntegrity;
pub use esp_suite::EspSuite;
pub use esp_suite::UnknownEspSuite;
pub use ike::CbcCrypto;
pub use ike::CbcError;
pub use ike::DhGroup;
pub use ike::Digest;
pub use ike::HashAlgorithm;
pub use ike::IkeCrypto;
pub use ike::IkeHash;
pub use ike::KeyExchange;
pub use ike::KeyExchangeError;
pub use legacy::BlockEncrypt;
pub use legacy::Hash;
pub use legacy::LegacyCrypto;

/// Everything cryptographic that the protocols need.
///
/// Machines hold it as `&'static CryptoProvider`: one word each, whatever it grows to. Each layer
/// has a field of its own.
#[derive(Clone, Copy)]
pub struct CryptoProvider {
    /// What PPP authentication and L2TP tunnel authentication are made of.
    pub legacy: LegacyCrypto,
    /// The ESP suites that may be used. A suite that is not in the list is refused, so the list is
    /// the policy.
    pub esp: &'static [&'static dyn EspCrypto],
    /// What IKE is made of.
    pub ike: IkeCrypto,
}

impl CryptoProvider {
    /// What computes `suite`.
    ///
    /// # Errors
    /// [`EspKeyError::UnknownSuite`] when it is not in [`CryptoProvider::esp`].
    pub fn esp_suite(&self, suite: EspSuite) -> Result<&'static dyn EspCrypto, EspKeyError> {
        let found = self.esp.iter().find(|crypto| crypto.suite() == suite);
        found.copied().ok_or(EspKeyError::UnknownSuite)
    }
}

impl core::fmt::Debug for CryptoProvider {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CryptoProvider")
    }
}
