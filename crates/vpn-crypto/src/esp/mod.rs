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
//!
//! # Processors
//! Each suite runs on the widest kernels that the processor has, which is found out at run time.
//! [`path`] says which those are, and [`suite_on`] forces others.
//!
//! | processor | AES-CBC | AES-GCM | 3DES-CBC |
//! |---|---|---|---|
//! | AVX-512 and VAES: Zen 4 and later, Ice Lake and later servers | 512-bit | 512-bit | 512-bit |
//! | AVX2 and VAES: Zen 3, Alder Lake | 256-bit | 256-bit | 256-bit |
//! | AVX2 and AES-NI: Zen, Skylake | 128-bit | 128-bit | 256-bit |
//! | any other x86-64 with AES-NI | 128-bit | 128-bit | portable |
//! | any other | portable | portable | portable |
//!
//! [`Path`] has the instructions in full. HMAC-SHA1 and HMAC-SHA2-256 use the SHA instructions, on
//! several packets at once, and with AVX-512 sixteen or 32 packets in a register each; a processor
//! that has neither hashes with RustCrypto, as do the longer hash functions everywhere. A packet
//! that comes alone is encrypted and hashed in one go. ChaCha20-Poly1305 and NULL are RustCrypto's.
//!
//! # Constant time
//! AES-CBC, AES-GCM and the hashes run on instructions that take the same time whatever the key and
//! the text are, and ICVs are compared as a whole. So does 3DES with 512 bits, and with 256 bits
//! from seven packets to seal, or 56 octets to open, together; fewer, and all 3DES on the portable
//! path, are left to the `des` crate, whose S-boxes are tables in memory. RustCrypto's portable AES
//! and GHASH use no tables.
//!
//! # Batches
//! Sealing and opening take longest for packets that come alone: CBC encryption and the hashes are
//! chains, and only packets beside each other keep the processor busy. Batches of 32 or 64 are best,
//! whatever keys and lengths they have.

mod aead;
#[cfg(target_arch = "x86_64")]
mod aes_cbc;
#[cfg(target_arch = "x86_64")]
mod alone;
mod cbc;
#[cfg(target_arch = "x86_64")]
mod gcm;
mod hmac;
#[cfg(target_arch = "x86_64")]
mod macs;
mod portable;
mod suite;
#[cfg(target_arch = "x86_64")]
mod triple_des;
#[cfg(test)]
mod vectors;

pub use portable::OpenKey;
pub use portable::Portable;
pub use portable::SealKey;
use suite::Suite;
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

pub use crate::kernel::Path;

/// The suites that protect traffic today, and those that deployed peers still need, each on the
/// fastest [`Path`] that the processor has.
pub static SUITES: &[&dyn EspCrypto] = REFERENCES.split_at(OFFERED).0;

/// [`SUITES`], and with them NULL encryption, for tests and labs, and HMAC-MD5, which may be
/// received but not sent.
pub static ALL_SUITES: &[&dyn EspCrypto] = &REFERENCES;

/// The portable code of `suite`, to make keys that need no heap.
#[must_use]
pub fn portable(suite: EspSuite) -> Option<&'static Portable> {
    PORTABLE.iter().find(|portable| portable.suite() == suite)
}

/// `suite` on one path, for tests and measurements; `None` if it has no such path or the processor
/// lacks the instructions. [`path`] names the path that [`SUITES`] take.
#[must_use]
pub fn suite_on(suite: EspSuite, path: Path) -> Option<&'static dyn EspCrypto> {
    let on = |suites: &'static [Suite]| -> Option<&'static dyn EspCrypto> {
        Some(suites.iter().find(|on| on.suite() == suite && suite::runs_on(suite, path))?)
    };
    match path {
        Path::Portable => Some(portable(suite)?),
        Path::Bits128 => on(&BITS128),
        Path::Bits256 => on(&BITS256),
        Path::Bits512 => on(&BITS512),
    }
}

/// The path that `suite` takes in [`SUITES`] on this processor.
#[must_use]
pub fn path(suite: EspSuite) -> Path {
    suite::fastest(suite)
}

/// How many suites are offered by default.
const OFFERED: usize = 24;

const COUNT: usize = 34;

/// An array of what `$new` makes of every suite, in the order of preference.
macro_rules! every_suite {
    ($new:path $(, $path:expr)?) => {
        [
            $new(Separate(Aes256Cbc, HmacSha2_256_128) $(, $path)?),
            $new(Separate(Aes256Cbc, HmacSha2_384_192) $(, $path)?),
            $new(Separate(Aes256Cbc, HmacSha2_512_256) $(, $path)?),
            $new(Separate(Aes256Cbc, HmacSha1_96) $(, $path)?),
            $new(Separate(Aes256Cbc, HmacSha2_256_96) $(, $path)?),
            $new(Separate(Aes192Cbc, HmacSha2_256_128) $(, $path)?),
            $new(Separate(Aes192Cbc, HmacSha2_384_192) $(, $path)?),
            $new(Separate(Aes192Cbc, HmacSha2_512_256) $(, $path)?),
            $new(Separate(Aes192Cbc, HmacSha1_96) $(, $path)?),
            $new(Separate(Aes192Cbc, HmacSha2_256_96) $(, $path)?),
            $new(Separate(Aes128Cbc, HmacSha2_256_128) $(, $path)?),
            $new(Separate(Aes128Cbc, HmacSha2_384_192) $(, $path)?),
            $new(Separate(Aes128Cbc, HmacSha2_512_256) $(, $path)?),
            $new(Separate(Aes128Cbc, HmacSha1_96) $(, $path)?),
            $new(Separate(Aes128Cbc, HmacSha2_256_96) $(, $path)?),
            $new(Separate(TripleDesCbc, HmacSha2_256_128) $(, $path)?),
            $new(Separate(TripleDesCbc, HmacSha2_384_192) $(, $path)?),
            $new(Separate(TripleDesCbc, HmacSha2_512_256) $(, $path)?),
            $new(Separate(TripleDesCbc, HmacSha1_96) $(, $path)?),
            $new(Separate(TripleDesCbc, HmacSha2_256_96) $(, $path)?),
            $new(Combined(EspAead::Aes256Gcm16) $(, $path)?),
            $new(Combined(EspAead::Aes192Gcm16) $(, $path)?),
            $new(Combined(EspAead::Aes128Gcm16) $(, $path)?),
            $new(Combined(EspAead::ChaCha20Poly1305) $(, $path)?),
            // Not offered unless asked for.
            $new(Separate(Aes256Cbc, HmacMd5_96) $(, $path)?),
            $new(Separate(Aes192Cbc, HmacMd5_96) $(, $path)?),
            $new(Separate(Aes128Cbc, HmacMd5_96) $(, $path)?),
            $new(Separate(TripleDesCbc, HmacMd5_96) $(, $path)?),
            $new(Separate(Null, HmacSha2_256_128) $(, $path)?),
            $new(Separate(Null, HmacSha2_384_192) $(, $path)?),
            $new(Separate(Null, HmacSha2_512_256) $(, $path)?),
            $new(Separate(Null, HmacSha1_96) $(, $path)?),
            $new(Separate(Null, HmacSha2_256_96) $(, $path)?),
            $new(Separate(Null, HmacMd5_96) $(, $path)?),
        ]
    };
}

static PORTABLE: [Portable; COUNT] = every_suite!(Portable::new);
static FASTEST: [Suite; COUNT] = every_suite!(Suite::new, None);
static BITS128: [Suite; COUNT] = every_suite!(Suite::new, Some(Path::Bits128));
static BITS256: [Suite; COUNT] = every_suite!(Suite::new, Some(Path::Bits256));
static BITS512: [Suite; COUNT] = every_suite!(Suite::new, Some(Path::Bits512));

static REFERENCES: [&dyn EspCrypto; COUNT] = {
    let (first, mut rest) = FASTEST.split_first().unwrap();
    let mut references: [&dyn EspCrypto; COUNT] = [first; COUNT];
    let mut open: &mut [&dyn EspCrypto] = references.split_at_mut(1).1;
    while let (Some((suite, more)), Some((place, places))) =
        (rest.split_first(), open.split_first_mut())
    {
        *place = suite;
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
