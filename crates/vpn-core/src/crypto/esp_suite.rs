use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// The algorithms that protect an ESP security association, in one of the two ways that RFC 4303
/// §3.3.2 has.
///
/// The value names a suite and knows its lengths; what computes it is an
/// [`EspCrypto`](super::EspCrypto).
///
/// ```
/// use vpn_core::crypto::EspCipher;
/// use vpn_core::crypto::EspIntegrity;
/// use vpn_core::crypto::EspSuite;
///
/// let suite: EspSuite = "aes256-sha1".parse().unwrap();
/// assert_eq!(suite, EspSuite::Separate(EspCipher::Aes256Cbc, EspIntegrity::HmacSha1_96));
/// assert_eq!((suite.keymat_len(), suite.iv_len(), suite.icv_len()), (32 + 20, 16, 12));
/// assert_eq!(suite.to_string(), "aes256-sha1");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EspSuite {
    /// Separate confidentiality and integrity algorithms: encrypt, then authenticate (RFC 4303
    /// §3.3.2.1).
    Separate(EspCipher, EspIntegrity),
    /// A combined mode algorithm (RFC 4303 §3.3.2.2).
    Combined(EspAead),
}

/// An encryption algorithm without integrity of its own.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EspCipher {
    /// No encryption (RFC 2410): for tests and labs.
    Null,
    /// Triple DES, EDE, in CBC mode (RFC 2451).
    TripleDesCbc,
    /// AES with a key of 128 bits in CBC mode (RFC 3602).
    Aes128Cbc,
    /// AES with a key of 192 bits in CBC mode (RFC 3602).
    Aes192Cbc,
    /// AES with a key of 256 bits in CBC mode (RFC 3602).
    Aes256Cbc,
}

/// An integrity algorithm.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EspIntegrity {
    /// HMAC-MD5 cut to 96 bits (RFC 2403): to receive from old peers only.
    HmacMd5_96,
    /// HMAC-SHA-1 cut to 96 bits (RFC 2404).
    HmacSha1_96,
    /// HMAC-SHA-256 cut to 128 bits (RFC 4868).
    HmacSha2_256_128,
    /// HMAC-SHA-256 cut to 96 bits, as a draft of RFC 4868 had it: what old Linux and Android
    /// kernels send although they announce the number of the 128-bit one.
    HmacSha2_256_96,
    /// HMAC-SHA-384 cut to 192 bits (RFC 4868).
    HmacSha2_384_192,
    /// HMAC-SHA-512 cut to 256 bits (RFC 4868).
    HmacSha2_512_256,
}

/// A combined mode algorithm. Its key is followed by a salt of 4 octets.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EspAead {
    /// AES-GCM with a key of 128 bits and an ICV of 16 octets (RFC 4106).
    Aes128Gcm16,
    /// AES-GCM with a key of 192 bits and an ICV of 16 octets (RFC 4106).
    Aes192Gcm16,
    /// AES-GCM with a key of 256 bits and an ICV of 16 octets (RFC 4106).
    Aes256Gcm16,
    /// ChaCha20-Poly1305 (RFC 7634).
    ChaCha20Poly1305,
}

/// No suite has this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("no ESP suite has this name; known are aes256-sha1, 3des-sha1, aes256gcm16 and the like")]
pub struct UnknownEspSuite;

impl EspSuite {
    /// Every suite.
    pub fn all() -> impl Iterator<Item = Self> {
        let separate = EspCipher::ALL
            .iter()
            .flat_map(|cipher| EspIntegrity::ALL.iter().map(|mac| Self::Separate(*cipher, *mac)));
        separate.chain(EspAead::ALL.iter().map(|aead| Self::Combined(*aead)))
    }

    /// Octets of the initialization vector that stand before the ciphertext.
    #[must_use]
    pub const fn iv_len(self) -> usize {
        match self {
            Self::Separate(cipher, _) => cipher.iv_len(),
            Self::Combined(_) => 8,
        }
    }

    /// What the length of the ciphertext is a multiple of: the cipher's block, and at least 4
    /// (RFC 4303 §2.4).
    #[must_use]
    pub const fn alignment(self) -> usize {
        match self {
            Self::Separate(EspCipher::Null, _) | Self::Combined(_) => 4,
            Self::Separate(cipher, _) => cipher.iv_len(),
        }
    }

    /// Octets of the integrity check value at the end of the packet.
    #[must_use]
    pub const fn icv_len(self) -> usize {
        match self {
            Self::Separate(_, integrity) => integrity.icv_len(),
            Self::Combined(_) => 16,
        }
    }

    /// Octets of the encryption key; for a combined mode algorithm with its salt.
    #[must_use]
    pub const fn encryption_key_len(self) -> usize {
        match self {
            Self::Separate(cipher, _) => cipher.key_len(),
            Self::Combined(aead) => aead.key_len() + EspAead::SALT_LEN,
        }
    }

    /// Octets of the integrity key; none for a combined mode algorithm.
    #[must_use]
    pub const fn integrity_key_len(self) -> usize {
        match self {
            Self::Separate(_, integrity) => integrity.key_len(),
            Self::Combined(_) => 0,
        }
    }

    /// Octets of keying material for one direction: the encryption key, then the integrity key.
    #[must_use]
    pub const fn keymat_len(self) -> usize {
        self.encryption_key_len() + self.integrity_key_len()
    }
}

impl EspCipher {
    /// Every cipher.
    pub const ALL: &'static [Self] =
        &[Self::Null, Self::TripleDesCbc, Self::Aes128Cbc, Self::Aes192Cbc, Self::Aes256Cbc];

    /// Octets of the key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Null => 0,
            Self::TripleDesCbc | Self::Aes192Cbc => 24,
            Self::Aes128Cbc => 16,
            Self::Aes256Cbc => 32,
        }
    }

    /// Octets of the initialization vector, which for CBC is one block.
    #[must_use]
    pub const fn iv_len(self) -> usize {
        match self {
            Self::Null => 0,
            Self::TripleDesCbc => 8,
            Self::Aes128Cbc | Self::Aes192Cbc | Self::Aes256Cbc => 16,
        }
    }

    /// The name that [`EspSuite`] is written with.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::TripleDesCbc => "3des",
            Self::Aes128Cbc => "aes128",
            Self::Aes192Cbc => "aes192",
            Self::Aes256Cbc => "aes256",
        }
    }
}

impl EspIntegrity {
    /// Every integrity algorithm.
    pub const ALL: &'static [Self] = &[
        Self::HmacMd5_96,
        Self::HmacSha1_96,
        Self::HmacSha2_256_128,
        Self::HmacSha2_256_96,
        Self::HmacSha2_384_192,
        Self::HmacSha2_512_256,
    ];

    /// Octets of the key: always the length of the hash (RFC 2403 §3, RFC 2404 §3, RFC 4868
    /// §2.1.1).
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::HmacMd5_96 => 16,
            Self::HmacSha1_96 => 20,
            Self::HmacSha2_256_128 | Self::HmacSha2_256_96 => 32,
            Self::HmacSha2_384_192 => 48,
            Self::HmacSha2_512_256 => 64,
        }
    }

    /// Octets of the integrity check value.
    #[must_use]
    pub const fn icv_len(self) -> usize {
        match self {
            Self::HmacMd5_96 | Self::HmacSha1_96 | Self::HmacSha2_256_96 => 12,
            Self::HmacSha2_256_128 => 16,
            Self::HmacSha2_384_192 => 24,
            Self::HmacSha2_512_256 => 32,
        }
    }

    /// The name that [`EspSuite`] is written with.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacMd5_96 => "md5",
            Self::HmacSha1_96 => "sha1",
            Self::HmacSha2_256_128 => "sha256",
            Self::HmacSha2_256_96 => "sha256_96",
            Self::HmacSha2_384_192 => "sha384",
            Self::HmacSha2_512_256 => "sha512",
        }
    }
}

impl EspAead {
    /// Every combined mode algorithm.
    pub const ALL: &'static [Self] =
        &[Self::Aes128Gcm16, Self::Aes192Gcm16, Self::Aes256Gcm16, Self::ChaCha20Poly1305];

    /// Octets of the salt behind the key (RFC 4106 §8.1, RFC 7634 §2).
    pub const SALT_LEN: usize = 4;

    /// Octets of the key, without the salt.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm16 => 16,
            Self::Aes192Gcm16 => 24,
            Self::Aes256Gcm16 | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// The name of the suite.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Gcm16 => "aes128gcm16",
            Self::Aes192Gcm16 => "aes192gcm16",
            Self::Aes256Gcm16 => "aes256gcm16",
            Self::ChaCha20Poly1305 => "chacha20poly1305",
        }
    }
}

/// Writes `aes256-sha1`, `3des-sha1`, `aes256gcm16` and so on: the notation of strongSwan's `esp =`
/// lines.
impl fmt::Display for EspSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Separate(cipher, integrity) => {
                write!(f, "{}-{}", cipher.name(), integrity.name())
            }
            Self::Combined(aead) => f.write_str(aead.name()),
        }
    }
}

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for EspSuite {
    type Err = UnknownEspSuite;

    fn from_str(text: &str) -> Result<Self, UnknownEspSuite> {
        let found = match text.split_once('-') {
            Some((cipher, integrity)) => {
                let cipher = EspCipher::ALL.iter().find(|known| known.name() == cipher);
                let integrity = EspIntegrity::ALL.iter().find(|known| known.name() == integrity);
                cipher.zip(integrity).map(|(cipher, mac)| Self::Separate(*cipher, *mac))
            }
            None => EspAead::ALL
                .iter()
                .find(|known| known.name() == text)
                .map(|aead| Self::Combined(*aead)),
        };
        found.ok_or(UnknownEspSuite)
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn names_come_back() {
        let suites: Vec<EspSuite> = EspSuite::all().collect();
        assert_eq!(suites.len(), 5 * 6 + 4);
        for suite in suites {
            assert_eq!(suite.to_string().parse(), Ok(suite));
        }
        for wrong in
            ["", "-", "aes256", "aes256-", "aes256-sha2", "aes256gcm16-sha1", "AES256-SHA1"]
        {
            assert_eq!(wrong.parse::<EspSuite>(), Err(UnknownEspSuite), "{wrong}");
        }
    }

    /// The lengths of the algorithms' documents, written out once more.
    #[test]
    fn lengths() {
        let cases = [
            // name, IV, alignment, ICV, KEYMAT
            ("null-md5", 0, 4, 12, 16),
            ("3des-sha1", 8, 8, 12, 44),
            ("aes128-sha1", 16, 16, 12, 36),
            ("aes192-sha256_96", 16, 16, 12, 56),
            ("aes256-sha256", 16, 16, 16, 64),
            ("aes256-sha384", 16, 16, 24, 80),
            ("aes256-sha512", 16, 16, 32, 96),
            ("aes128gcm16", 8, 4, 16, 20),
            ("aes192gcm16", 8, 4, 16, 28),
            ("aes256gcm16", 8, 4, 16, 36),
            ("chacha20poly1305", 8, 4, 16, 36),
        ];
        for (name, iv, alignment, icv, keymat) in cases {
            let suite: EspSuite = name.parse().unwrap();
            let lengths = (suite.iv_len(), suite.alignment(), suite.icv_len(), suite.keymat_len());
            assert_eq!(lengths, (iv, alignment, icv, keymat), "{name}");
        }
    }
}
