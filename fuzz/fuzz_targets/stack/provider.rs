//! A provider without any security in IKE and ESP. PPP's own authentication is what it always is.

use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use crate::no_security::NO_SECURITY;
use crate::trusting::Trusting;

/// The ESP proposals that it has, and the octets of their ICV.
pub(crate) const ESP: [&str; 2] = ["aes256-sha1", "aes256-sha256"];
pub(crate) const ICV_LEN: [usize; 2] = [12, 16];

static SHA1: Trusting = suite(EspIntegrity::HmacSha1_96);
static SHA256: Trusting = suite(EspIntegrity::HmacSha2_256_128);
/// As a peer takes the one before that cuts its ICV.
static SHA256_CUT: Trusting = suite(EspIntegrity::HmacSha2_256_96);

const fn suite(integrity: EspIntegrity) -> Trusting {
    Trusting(EspSuite::Separate(EspCipher::Aes256Cbc, integrity))
}

pub(crate) static PROVIDER: CryptoProvider =
    CryptoProvider { esp: &[&SHA1, &SHA256, &SHA256_CUT], ..NO_SECURITY };
