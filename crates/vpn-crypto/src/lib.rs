//! The default crypto provider of the L2TP/IPsec crates.
//!
//! This is the only crate that names third-party ciphers. [`provider`] returns them as a
//! [`CryptoProvider`], the value that every machine takes at construction.
//!
//! ```
//! let provider = vpn_crypto::provider();
//! let digest = provider.legacy.md5.hash(&[b"ab", b"c"]);
//! assert_eq!(digest[..4], [0x90, 0x01, 0x50, 0x98]);
//! ```
//!
//! ESP runs on kernels for the processor that it finds at run time: see [`esp`], section Processors.
//!
//! Feature `os-random` adds `OsRandom`, the operating system's random generator, and feature `x509`
//! what IKE needs for certificates: `ike::RsaKey` and `ike::TrustStore`.
#![no_std]

#[cfg(any(feature = "os-random", feature = "x509", test))]
extern crate alloc;

#[cfg(test)]
extern crate std;

pub mod esp;
pub mod ike;
mod kernel;
mod legacy;
#[cfg(feature = "os-random")]
mod os_random;

#[cfg(feature = "os-random")]
pub use os_random::OsRandom;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::IkeCrypto;
use vpn_core::crypto::LegacyCrypto;

/// The provider made of RustCrypto parts, and of kernels for ESP.
#[must_use]
pub const fn provider() -> &'static CryptoProvider {
    &PROVIDER
}

static PROVIDER: CryptoProvider = CryptoProvider {
    legacy: LegacyCrypto {
        md4: &legacy::Md4,
        md5: &legacy::Md5,
        sha1: &legacy::Sha1,
        des: &legacy::Des,
    },
    esp: esp::SUITES,
    ike: IkeCrypto { hashes: ike::HASHES, ciphers: ike::CIPHERS, groups: ike::GROUPS },
};
