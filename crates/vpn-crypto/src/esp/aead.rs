//! AES-GCM (RFC 4106) and ChaCha20-Poly1305 (RFC 7634) as ESP uses them.

use aes_gcm::AesGcm;
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::KeyInit;
use aes_gcm::aead::array::Array;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::consts::U16;
use chacha20poly1305::ChaCha20Poly1305;
use vpn_core::Secret;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspKeyError;

/// A combined mode algorithm with its key and salt.
pub(super) struct Aead {
    algorithm: Algorithm,
    salt: Secret<{ EspAead::SALT_LEN }>,
}

enum Algorithm {
    Aes128(AesGcm<aes::Aes128Enc, U12>),
    Aes192(AesGcm<aes::Aes192Enc, U12>),
    Aes256(AesGcm<aes::Aes256Enc, U12>),
    ChaCha20(ChaCha20Poly1305),
}

/// The ICV is wrong, or a length is impossible.
pub(super) struct Refused;

/// The octets that are authenticated but not sent with the ciphertext: SPI and sequence number, of
/// 4 or 8 octets (RFC 4106 §5, RFC 7634 §2.1).
pub(super) struct Aad {
    octets: [u8; 12],
    len: usize,
}

impl Aad {
    /// From the first eight octets of the packet and, for extended sequence numbers, the high half.
    pub(super) fn new(header: &[u8; 8], high: Option<u32>) -> Self {
        let [s0, s1, s2, s3, n0, n1, n2, n3] = *header;
        match high.map(u32::to_be_bytes) {
            Some([h0, h1, h2, h3]) => {
                Self { octets: [s0, s1, s2, s3, h0, h1, h2, h3, n0, n1, n2, n3], len: 12 }
            }
            None => Self { octets: [s0, s1, s2, s3, n0, n1, n2, n3, 0, 0, 0, 0], len: 8 },
        }
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl Aead {
    /// `keymat` is the key and then the salt (RFC 4106 §8.1, RFC 7634 §2).
    pub(super) fn new(algorithm: EspAead, keymat: &[u8]) -> Result<Self, EspKeyError> {
        let wrong = EspKeyError::WrongLength {
            needed: algorithm.key_len() + EspAead::SALT_LEN,
            given: keymat.len(),
        };
        let (key, salt) = keymat.split_last_chunk().ok_or(wrong)?;
        let algorithm = match algorithm {
            EspAead::Aes128Gcm16 => Algorithm::Aes128(new(key, wrong)?),
            EspAead::Aes192Gcm16 => Algorithm::Aes192(new(key, wrong)?),
            EspAead::Aes256Gcm16 => Algorithm::Aes256(new(key, wrong)?),
            EspAead::ChaCha20Poly1305 => Algorithm::ChaCha20(new(key, wrong)?),
            _ => return Err(EspKeyError::UnknownSuite),
        };
        Ok(Self { algorithm, salt: Secret::new(*salt) })
    }

    pub(super) fn encrypt(
        &self,
        iv: [u8; 8],
        aad: &[u8],
        data: &mut [u8],
        icv: &mut [u8],
    ) -> Result<(), Refused> {
        let nonce = self.nonce(iv);
        match &self.algorithm {
            Algorithm::Aes128(aead) => encrypt(aead, nonce, aad, data, icv),
            Algorithm::Aes192(aead) => encrypt(aead, nonce, aad, data, icv),
            Algorithm::Aes256(aead) => encrypt(aead, nonce, aad, data, icv),
            Algorithm::ChaCha20(aead) => encrypt(aead, nonce, aad, data, icv),
        }
    }

    pub(super) fn decrypt(
        &self,
        iv: [u8; 8],
        aad: &[u8],
        data: &mut [u8],
        icv: &[u8],
    ) -> Result<(), Refused> {
        let nonce = self.nonce(iv);
        match &self.algorithm {
            Algorithm::Aes128(aead) => decrypt(aead, nonce, aad, data, icv),
            Algorithm::Aes192(aead) => decrypt(aead, nonce, aad, data, icv),
            Algorithm::Aes256(aead) => decrypt(aead, nonce, aad, data, icv),
            Algorithm::ChaCha20(aead) => decrypt(aead, nonce, aad, data, icv),
        }
    }

    /// The salt and then the IV (RFC 4106 §4, RFC 7634 §2).
    fn nonce(&self, iv: [u8; 8]) -> Array<u8, U12> {
        let [s0, s1, s2, s3] = *self.salt.expose();
        let [v0, v1, v2, v3, v4, v5, v6, v7] = iv;
        [s0, s1, s2, s3, v0, v1, v2, v3, v4, v5, v6, v7].into()
    }
}

fn new<A: KeyInit>(key: &[u8], wrong: EspKeyError) -> Result<A, EspKeyError> {
    A::new_from_slice(key).map_err(|_| wrong)
}

fn encrypt<A: AeadInOut<NonceSize = U12, TagSize = U16>>(
    aead: &A,
    nonce: Array<u8, U12>,
    aad: &[u8],
    data: &mut [u8],
    icv: &mut [u8],
) -> Result<(), Refused> {
    let icv: &mut [u8; 16] = icv.try_into().map_err(|_| Refused)?;
    let tag = aead.encrypt_inout_detached(&nonce, aad, data.into());
    *icv = tag.map_err(|_| Refused)?.into();
    Ok(())
}

fn decrypt<A: AeadInOut<NonceSize = U12, TagSize = U16>>(
    aead: &A,
    nonce: Array<u8, U12>,
    aad: &[u8],
    data: &mut [u8],
    icv: &[u8],
) -> Result<(), Refused> {
    let tag = icv.try_into().map_err(|_| Refused)?;
    aead.decrypt_inout_detached(&nonce, aad, data.into(), tag).map_err(|_| Refused)
}
