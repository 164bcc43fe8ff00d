//! The seam between the protocols and the ciphers.
//!
//! A [`CryptoProvider`] is an explicit value made of parts: no process default, no guess from
//! feature flags. `vpn_crypto::provider()` is the one that ships; a product may swap any part (for
//! a hardware module, say), and a fuzzer may bring one without security.

mod legacy;

pub use legacy::BlockEncrypt;
pub use legacy::Hash;
pub use legacy::LegacyCrypto;

/// Everything cryptographic that the protocols need.
///
/// Machines hold it as `&'static CryptoProvider`: one word each, whatever it grows to.
#[derive(Clone, Copy)]
pub struct CryptoProvider {
    /// What PPP authentication and L2TP tunnel authentication are made of.
    pub legacy: LegacyCrypto,
}

impl core::fmt::Debug for CryptoProvider {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CryptoProvider")
    }
}
