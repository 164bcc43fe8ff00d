//! The ESP suites.
//!
//! [`provider`](crate::provider) offers [`SUITES`]. NULL encryption and HMAC-MD5 are not among
//! them; a lab, or a server that still has to receive from a peer with MD5, brings a provider whose
//! list it wrote down itself:
//!
//! ```
//! use vpn_core::crypto::CryptoProvider;
//! use vpn_core::crypto::EspCrypto;
//!
//! static LAB: CryptoProvider =
//!     CryptoProvider { esp: vpn_crypto::esp::ALL_SUITES, ..*vpn_crypto::provider() };
//!
//! let suite = "null-sha256".parse().unwrap();
//! assert!(vpn_crypto::provider().esp_suite(suite).is_err());
//! assert!(LAB.esp_suite(suite).is_ok());
//! ```

mod aead;
mod cbc;
mod hmac;
mod portable;
#[cfg(test)]
mod vectors;

pub use portable::OpenKey;
pub use portable::Portable;
pub use portable::SealKey;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCipher::Aes128Cbc;
use vpn_core::crypto::EspCipher::Aes192Cbc;
use vpn_core::crypto::EspCipher::Aes256Cbc;
use vpn_core::crypto::EspCipher::Null;
use vpn_core::crypto::EspCipher::TripleDesCbc;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspIntegrity::HmacMd5_96;
use vpn_core::crypto::EspIntegrity::HmacSha1_96;
use vpn_core::crypto::EspIntegrity::HmacSha2_256_96;
use vpn_core::crypto::EspIntegrity::HmacSha2_256_128;
use vpn_core::crypto::EspIntegrity::HmacSha2_384_192;
use vpn_core::crypto::EspIntegrity::HmacSha2_512_256;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::EspSuite::Combined;
use vpn_core::crypto::EspSuite::Separate;

/// The suites that protect traffic today, and those that deployed peers still need.
pub static SUITES: &[&dyn EspCrypto] = REFERENCES.split_at(OFFERED).0;

/// [`SUITES`], and with them NULL encryption, for tests and labs, and HMAC-MD5, which may be
/// received but not sent.
pub static ALL_SUITES: &[&dyn EspCrypto] = &REFERENCES;

/// The portable code of `suite`, to make keys that need no heap.
#[must_use]
pub fn portable(suite: EspSuite) -> Option<&'static Portable> {
    PORTABLE.iter().find(|portable| portable.suite() == suite)
}

/// How many of [`PORTABLE`] are offered by default.
const OFFERED: usize = 24;

static PORTABLE: [Portable; 34] = [
    Portable::new(Separate(Aes256Cbc, HmacSha2_256_128)),
    Portable::new(Separate(Aes256Cbc, HmacSha2_384_192)),
    Portable::new(Separate(Aes256Cbc, HmacSha2_512_256)),
    Portable::new(Separate(Aes256Cbc, HmacSha1_96)),
    Portable::new(Separate(Aes256Cbc, HmacSha2_256_96)),
    Portable::new(Separate(Aes192Cbc, HmacSha2_256_128)),
    Portable::new(Separate(Aes192Cbc, HmacSha2_384_192)),
    Portable::new(Separate(Aes192Cbc, HmacSha2_512_256)),
    Portable::new(Separate(Aes192Cbc, HmacSha1_96)),
    Portable::new(Separate(Aes192Cbc, HmacSha2_256_96)),
    Portable::new(Separate(Aes128Cbc, HmacSha2_256_128)),
    Portable::new(Separate(Aes128Cbc, HmacSha2_384_192)),
    Portable::new(Separate(Aes128Cbc, HmacSha2_512_256)),
    Portable::new(Separate(Aes128Cbc, HmacSha1_96)),
    Portable::new(Separate(Aes128Cbc, HmacSha2_256_96)),
    Portable::new(Separate(TripleDesCbc, HmacSha2_256_128)),
    Portable::new(Separate(TripleDesCbc, HmacSha2_384_192)),
    Portable::new(Separate(TripleDesCbc, HmacSha2_512_256)),
    Portable::new(Separate(TripleDesCbc, HmacSha1_96)),
    Portable::new(Separate(TripleDesCbc, HmacSha2_256_96)),
    Portable::new(Combined(EspAead::Aes256Gcm16)),
    Portable::new(Combined(EspAead::Aes192Gcm16)),
    Portable::new(Combined(EspAead::Aes128Gcm16)),
    Portable::new(Combined(EspAead::ChaCha20Poly1305)),
    // Not offered unless asked for.
    Portable::new(Separate(Aes256Cbc, HmacMd5_96)),
    Portable::new(Separate(Aes192Cbc, HmacMd5_96)),
    Portable::new(Separate(Aes128Cbc, HmacMd5_96)),
    Portable::new(Separate(TripleDesCbc, HmacMd5_96)),
    Portable::new(Separate(Null, HmacSha2_256_128)),
    Portable::new(Separate(Null, HmacSha2_384_192)),
    Portable::new(Separate(Null, HmacSha2_512_256)),
    Portable::new(Separate(Null, HmacSha1_96)),
    Portable::new(Separate(Null, HmacSha2_256_96)),
    Portable::new(Separate(Null, HmacMd5_96)),
];

static REFERENCES: [&dyn EspCrypto; PORTABLE.len()] = {
    let (first, mut rest) = PORTABLE.split_first().unwrap();
    let mut references: [&dyn EspCrypto; PORTABLE.len()] = [first; PORTABLE.len()];
    let mut open: &mut [&dyn EspCrypto] = references.split_at_mut(1).1;
    while let (Some((portable, more)), Some((place, places))) =
        (rest.split_first(), open.split_first_mut())
    {
        *place = portable;
        (rest, open) = (more, places);
    }
    references
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_is_there_and_the_weak_ones_are_not_offered() {
        assert!(EspSuite::all().all(|suite| portable(suite).is_some()));
        for crypto in ALL_SUITES {
            let weak = matches!(crypto.suite(), Separate(Null, _) | Separate(_, HmacMd5_96));
            assert_eq!(SUITES.iter().any(|offered| offered.suite() == crypto.suite()), !weak);
        }
    }
}
