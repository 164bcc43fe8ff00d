use core::fmt;

use thiserror::Error;
use zeroize::Zeroize;

use super::EspCipher;
use crate::RandomError;
use crate::SecureRandom;
use crate::ct_eq;

/// What IKE is made of: each list is also the policy, since what is not in it can't be negotiated.
#[derive(Clone, Copy)]
pub struct IkeCrypto {
    /// Hash functions with their HMAC, which is IKEv1's PRF (RFC 2409 §4).
    pub hashes: &'static [&'static dyn IkeHash],
    /// Ciphers in CBC mode, for the payloads of ISAKMP messages (RFC 2409 appendix B).
    pub ciphers: &'static [&'static dyn CbcCrypto],
    /// Diffie-Hellman groups.
    pub groups: &'static [&'static dyn KeyExchange],
}

impl IkeCrypto {
    /// What computes `algorithm`.
    #[must_use]
    pub fn hash(&self, algorithm: HashAlgorithm) -> Option<&'static dyn IkeHash> {
        self.hashes.iter().copied().find(|hash| hash.algorithm() == algorithm)
    }

    /// What computes `cipher`.
    #[must_use]
    pub fn cipher(&self, cipher: EspCipher) -> Option<&'static dyn CbcCrypto> {
        self.ciphers.iter().copied().find(|known| known.cipher() == cipher)
    }

    /// What computes in `group`.
    #[must_use]
    pub fn group(&self, group: DhGroup) -> Option<&'static dyn KeyExchange> {
        self.groups.iter().copied().find(|known| known.group() == group)
    }
}

/// A hash function of IKE.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HashAlgorithm {
    /// MD5: broken, for receiving old peers only.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha2_256,
    /// SHA-384.
    Sha2_384,
    /// SHA-512.
    Sha2_512,
}

impl HashAlgorithm {
    /// Every hash function.
    pub const ALL: &'static [Self] =
        &[Self::Md5, Self::Sha1, Self::Sha2_256, Self::Sha2_384, Self::Sha2_512];

    /// Octets of output.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha2_256 => 32,
            Self::Sha2_384 => 48,
            Self::Sha2_512 => 64,
        }
    }

    /// The name in strongSwan's notation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha2_256 => "sha256",
            Self::Sha2_384 => "sha384",
            Self::Sha2_512 => "sha512",
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The output of a hash or an HMAC: often a key, so it is wiped on drop and never printed.
#[derive(Clone)]
pub struct Digest {
    octets: [u8; Self::MAX],
    len: usize,
}

impl Digest {
    /// The longest output of any [`HashAlgorithm`], in octets.
    pub const MAX: usize = 64;

    /// Takes the first [`Digest::MAX`] octets of `octets`.
    #[must_use]
    pub fn new(octets: &[u8]) -> Self {
        let mut digest = Self { octets: [0; Self::MAX], len: octets.len().min(Self::MAX) };
        for (to, from) in digest.octets.iter_mut().zip(octets) {
            *to = *from;
        }
        digest
    }

    /// The octets.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    /// Whether `other` is equal, in time that depends only on the lengths.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        ct_eq(self.expose(), other)
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        self.octets.zeroize();
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({} octets)", self.len)
    }
}

/// A hash function and its HMAC (RFC 2104).
pub trait IkeHash: Send + Sync {
    /// Which one.
    fn algorithm(&self) -> HashAlgorithm;

    /// The hash of the concatenation of `parts`.
    fn hash(&self, parts: &[&[u8]]) -> Digest;

    /// The HMAC of the concatenation of `parts` under `key`, which may have any length.
    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Digest;
}

/// A block cipher in CBC mode without padding.
pub trait CbcCrypto: Send + Sync {
    /// Which one. Never [`EspCipher::Null`].
    fn cipher(&self) -> EspCipher;

    /// Encrypts `data` in place.
    ///
    /// # Errors
    /// [`CbcError`]; `data` is as it was.
    fn encrypt(&self, key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), CbcError>;

    /// Decrypts `data` in place.
    ///
    /// # Errors
    /// [`CbcError`]; `data` is as it was.
    fn decrypt(&self, key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), CbcError>;
}

/// Key, IV or data of a CBC operation have an impossible length.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the key, the initialization vector or the data do not fit the cipher")]
pub struct CbcError;

/// A Diffie-Hellman group by its number, which IKEv1 and IKEv2 share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DhGroup(pub u16);

impl DhGroup {
    /// 1024-bit MODP (RFC 2409 §6.2): within reach of a large attacker; old clients only.
    pub const MODP_1024: Self = Self(2);
    /// 1536-bit MODP (RFC 3526 §2).
    pub const MODP_1536: Self = Self(5);
    /// 2048-bit MODP (RFC 3526 §3).
    pub const MODP_2048: Self = Self(14);
    /// 3072-bit MODP (RFC 3526 §4).
    pub const MODP_3072: Self = Self(15);
    /// 4096-bit MODP (RFC 3526 §5).
    pub const MODP_4096: Self = Self(16);
    /// NIST P-256 (RFC 5903 §3.1).
    pub const ECP_256: Self = Self(19);
    /// NIST P-384 (RFC 5903 §3.2).
    pub const ECP_384: Self = Self(20);
    /// NIST P-521 (RFC 5903 §3.3).
    pub const ECP_521: Self = Self(21);
    /// Curve25519 (RFC 8031).
    pub const CURVE_25519: Self = Self(31);

    /// Every group that has a name here.
    pub const NAMED: &'static [Self] = &[
        Self::MODP_1024,
        Self::MODP_1536,
        Self::MODP_2048,
        Self::MODP_3072,
        Self::MODP_4096,
        Self::ECP_256,
        Self::ECP_384,
        Self::ECP_521,
        Self::CURVE_25519,
    ];

    /// The name in strongSwan's notation.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::MODP_1024 => "modp1024",
            Self::MODP_1536 => "modp1536",
            Self::MODP_2048 => "modp2048",
            Self::MODP_3072 => "modp3072",
            Self::MODP_4096 => "modp4096",
            Self::ECP_256 => "ecp256",
            Self::ECP_384 => "ecp384",
            Self::ECP_521 => "ecp521",
            Self::CURVE_25519 => "curve25519",
            _ => return None,
        })
    }
}

impl fmt::Display for DhGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "group {}", self.0),
        }
    }
}

impl fmt::Debug for DhGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Diffie-Hellman in one group, in constant time.
///
/// All values have one width each, padded on the left with zeros (RFC 2409 §5): a public value
/// or shared secret that happens to begin with zeros is not shorter.
pub trait KeyExchange: Send + Sync {
    /// The group.
    fn group(&self) -> DhGroup;

    /// Octets of a private value as [`generate`](KeyExchange::generate) writes it.
    fn private_len(&self) -> usize;

    /// Octets of a public value on the wire: the modulus' width, both coordinates of an ECP point
    /// without a leading octet (RFC 5903 §7), 32 for Curve25519.
    fn public_len(&self) -> usize;

    /// Octets of the shared secret: the modulus' width, or one coordinate.
    fn shared_len(&self) -> usize;

    /// Draws a private value and computes its public value.
    ///
    /// Exponents of MODP groups are short ones, as RFC 3526 §8 allows: twice the group's strength.
    ///
    /// # Errors
    /// [`KeyExchangeError`]; the outputs have unspecified content.
    fn generate(
        &self,
        rng: &mut dyn SecureRandom,
        private: &mut [u8],
        public: &mut [u8],
    ) -> Result<(), KeyExchangeError>;

    /// Computes the shared secret from our private and the peer's public value.
    ///
    /// # Errors
    /// [`KeyExchangeError`]: also for a peer's value that is outside the group or in a small
    /// subgroup (0, 1, p-1; a point that is not on the curve; a Curve25519 result of zero).
    fn agree(
        &self,
        private: &[u8],
        peer_public: &[u8],
        shared: &mut [u8],
    ) -> Result<(), KeyExchangeError>;
}

/// Why a key exchange failed.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum KeyExchangeError {
    /// A buffer or the peer's public value does not have the group's length.
    #[error("a value of the key exchange has the wrong length for its group")]
    WrongLength,
    /// The peer's public value is not one that an honest peer sends.
    #[error("the peer's public value is not valid in the group")]
    InvalidPublicValue,
    /// Our private value is not one that [`KeyExchange::generate`] writes.
    #[error("our private value is not valid in the group: was it wiped, or is it another group's?")]
    InvalidPrivateValue,
    /// No random octets.
    #[error(transparent)]
    Random(#[from] RandomError),
}
