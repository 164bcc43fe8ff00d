//! What IKE is made of: hash functions, ciphers and Diffie-Hellman groups.
//!
//! [`provider`](crate::provider) offers [`HASHES`], [`CIPHERS`] and [`GROUPS`]. Groups 2 and 5 are
//! in the list because the machines' own policy decides about them. MD5 is not; a server that still
//! has to receive from a peer with MD5 brings a provider whose list it wrote down itself:
//!
//! ```
//! use vpn_core::crypto::CryptoProvider;
//! use vpn_core::crypto::HashAlgorithm;
//! use vpn_core::crypto::IkeCrypto;
//!
//! static OLD: CryptoProvider = CryptoProvider {
//!     ike: IkeCrypto { hashes: vpn_crypto::ike::ALL_HASHES, ..vpn_crypto::provider().ike },
//!     ..*vpn_crypto::provider()
//! };
//!
//! assert!(vpn_crypto::provider().ike.hash(HashAlgorithm::Md5).is_none());
//! assert!(OLD.ike.hash(HashAlgorithm::Md5).is_some());
//! ```

#[cfg(feature = "x509")]
mod certificate;
mod cipher;
mod curve25519;
mod ecp;
mod hash;
mod modp;

#[cfg(feature = "x509")]
pub use certificate::NoCertificate;
#[cfg(feature = "x509")]
pub use certificate::RsaKey;
#[cfg(feature = "x509")]
pub use certificate::RsaKeyError;
#[cfg(feature = "x509")]
pub use certificate::TrustStore;
#[cfg(feature = "x509")]
pub use certificate::TrustStoreError;
#[cfg(feature = "x509")]
pub use certificate::certificates_from_pem;
use vpn_core::crypto::CbcCrypto;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::HashAlgorithm;
use vpn_core::crypto::IkeHash;
use vpn_core::crypto::KeyExchange;

use cipher::Cbc;
use curve25519::Curve25519;
use ecp::Ecp;
use hash::Hash;

/// The hash functions that may be negotiated, best first.
pub static HASHES: &[&dyn IkeHash] = ALL_HASHES.split_at(4).0;

/// [`HASHES`], and MD5 after them, which may be received but not proposed.
pub static ALL_HASHES: &[&dyn IkeHash] = &[
    &Hash::<sha2::Sha256>::new(HashAlgorithm::Sha2_256),
    &Hash::<sha2::Sha384>::new(HashAlgorithm::Sha2_384),
    &Hash::<sha2::Sha512>::new(HashAlgorithm::Sha2_512),
    &Hash::<sha1::Sha1>::new(HashAlgorithm::Sha1),
    &Hash::<md5::Md5>::new(HashAlgorithm::Md5),
];

/// The ciphers, best first.
pub static CIPHERS: &[&dyn CbcCrypto] = &[
    &Cbc::<aes::Aes256Enc, aes::Aes256Dec>::new(EspCipher::Aes256Cbc),
    &Cbc::<aes::Aes192Enc, aes::Aes192Dec>::new(EspCipher::Aes192Cbc),
    &Cbc::<aes::Aes128Enc, aes::Aes128Dec>::new(EspCipher::Aes128Cbc),
    &Cbc::<des::TdesEde3, des::TdesEde3>::new(EspCipher::TripleDesCbc),
];

/// The Diffie-Hellman groups, best first.
pub static GROUPS: &[&dyn KeyExchange] = &[
    &Curve25519,
    &Ecp::<p256::NistP256>::new(DhGroup::ECP_256),
    &Ecp::<p384::NistP384>::new(DhGroup::ECP_384),
    &Ecp::<p521::NistP521>::new(DhGroup::ECP_521),
    &modp::MODP_2048,
    &modp::MODP_3072,
    &modp::MODP_4096,
    &modp::MODP_1536,
    &modp::MODP_1024,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_with_a_name_is_there_once() {
        for algorithm in HashAlgorithm::ALL {
            let known = |list: &[&dyn IkeHash]| {
                list.iter().filter(|hash| hash.algorithm() == *algorithm).count()
            };
            assert_eq!(known(ALL_HASHES), 1);
            assert_eq!(known(HASHES), usize::from(*algorithm != HashAlgorithm::Md5));
        }
        assert_eq!(ALL_HASHES.len(), HashAlgorithm::ALL.len());
        for cipher in EspCipher::ALL {
            let known = CIPHERS.iter().filter(|known| known.cipher() == *cipher).count();
            assert_eq!(known, usize::from(*cipher != EspCipher::Null));
        }
        for group in DhGroup::NAMED {
            assert_eq!(GROUPS.iter().filter(|known| known.group() == *group).count(), 1);
        }
        assert_eq!(GROUPS.len(), DhGroup::NAMED.len());
    }
}
