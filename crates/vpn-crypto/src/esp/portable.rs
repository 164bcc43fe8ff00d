use core::any::Any;

use vpn_core::SecureRandom;
use vpn_core::crypto::BoxedOpenKey;
use vpn_core::crypto::BoxedSealKey;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspKeyError;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::SealJob;
use vpn_core::ct_eq;

use super::aead::Aad;
use super::aead::Aead;
use super::cbc::Decryptor;
use super::cbc::Encryptor;
use super::cbc::IvCipher;
use super::hmac::Mac;

/// An ESP suite computed one packet at a time by the portable RustCrypto code, which uses the
/// instructions for AES, SHA and carry-less multiplication where the processor has them.
#[derive(Debug)]
pub struct Portable {
    suite: EspSuite,
    iv_len: usize,
    /// The alignment of the ciphertext, less one.
    mask: usize,
    icv_len: usize,
}

/// The keys of an outbound SA in any suite, without a heap.
pub struct SealKey {
    crypto: &'static Portable,
    keys: SealKeys,
}

/// The keys of an inbound SA in any suite, without a heap.
pub struct OpenKey {
    crypto: &'static Portable,
    keys: OpenKeys,
}

#[allow(clippy::large_enum_variant, reason = "lives once per SA, in place or boxed whole")]
enum SealKeys {
    Separate { cipher: Encryptor, mac: Mac, ivs: IvCipher },
    Combined(Aead),
}

#[allow(clippy::large_enum_variant, reason = "lives once per SA, in place or boxed whole")]
enum OpenKeys {
    Separate { cipher: Decryptor, mac: Mac },
    Combined(Aead),
}

/// The parts of an ESP packet that a suite works on.
struct Parts<'a> {
    header: &'a [u8; 8],
    iv: &'a mut [u8],
    data: &'a mut [u8],
    icv: &'a mut [u8],
}

impl Portable {
    pub(super) const fn new(suite: EspSuite) -> Self {
        let (iv_len, icv_len) = (suite.iv_len(), suite.icv_len());
        Self { suite, iv_len, mask: suite.alignment() - 1, icv_len }
    }

    /// `keymat` cut into the encryption key (with its salt) and the integrity key.
    fn cut<'a>(&self, keymat: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), EspKeyError> {
        let needed = self.suite.keymat_len();
        match keymat.split_at_checked(self.suite.encryption_key_len()) {
            Some(cut) if keymat.len() == needed => Ok(cut),
            _ => Err(EspKeyError::WrongLength { needed, given: keymat.len() }),
        }
    }

    /// The packet cut into its parts, unless its length is impossible.
    fn parts<'a>(&self, packet: &'a mut [u8]) -> Option<Parts<'a>> {
        let (header, rest) = packet.split_first_chunk_mut()?;
        let (iv, rest) = rest.split_at_mut_checked(self.iv_len)?;
        let (data, icv) = rest.split_at_mut_checked(rest.len().checked_sub(self.icv_len)?)?;
        let whole = !data.is_empty() && data.len() & self.mask == 0;
        whole.then_some(Parts { header, iv, data, icv })
    }
}

impl EspCrypto for Portable {
    fn suite(&self) -> EspSuite {
        self.suite
    }

    fn seal_key(
        &'static self,
        keymat: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<BoxedSealKey, EspKeyError> {
        BoxedSealKey::new(SealKey::new(self, keymat, rng)?)
    }

    fn open_key(&'static self, keymat: &[u8]) -> Result<BoxedOpenKey, EspKeyError> {
        BoxedOpenKey::new(OpenKey::new(self, keymat)?)
    }

    fn seal(&self, jobs: &mut [SealJob<'_>]) {
        for job in jobs {
            let key: &dyn Any = job.key;
            if let Some(key) = key.downcast_ref::<SealKey>() {
                let high = job.extended.then(|| high(job.sequence));
                job.sealed = key.seal(job.sequence, high, job.packet).is_some();
            }
        }
    }

    fn open(&self, jobs: &mut [OpenJob<'_>]) {
        for job in jobs {
            let key: &dyn Any = job.key;
            if let Some(key) = key.downcast_ref::<OpenKey>() {
                let high = job.extended.then(|| high(job.sequence));
                job.authentic = key.open(high, job.packet).is_some();
            }
        }
    }
}

/// The high half of an extended sequence number.
fn high(sequence: u64) -> u32 {
    let [h0, h1, h2, h3, ..] = sequence.to_be_bytes();
    u32::from_be_bytes([h0, h1, h2, h3])
}

impl SealKey {
    /// Expands the keys of an outbound SA. What is random about its IVs is drawn here.
    ///
    /// # Errors
    /// [`EspKeyError`]; HMAC-MD5 is refused, since it may only be received.
    pub fn new(
        crypto: &'static Portable,
        keymat: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<Self, EspKeyError> {
        if let EspSuite::Separate(_, EspIntegrity::HmacMd5_96) = crypto.suite {
            return Err(EspKeyError::ReceiveOnly);
        }
        Self::for_any_suite(crypto, keymat, rng)
    }

    fn for_any_suite(
        crypto: &'static Portable,
        keymat: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<Self, EspKeyError> {
        let (encryption, integrity) = crypto.cut(keymat)?;
        let keys = match crypto.suite {
            EspSuite::Separate(cipher, mac) => SealKeys::Separate {
                cipher: Encryptor::new(cipher, encryption)?,
                mac: Mac::new(mac, integrity).ok_or(EspKeyError::UnknownSuite)?,
                ivs: IvCipher::new(rng)?,
            },
            EspSuite::Combined(aead) => SealKeys::Combined(Aead::new(aead, encryption)?),
        };
        Ok(Self { crypto, keys })
    }

    fn seal(&self, sequence: u64, high: Option<u32>, packet: &mut [u8]) -> Option<()> {
        let parts = self.crypto.parts(packet)?;
        match &self.keys {
            SealKeys::Separate { cipher, mac, ivs } => {
                let iv_len = parts.iv.len();
                parts.iv.copy_from_slice(ivs.iv(sequence).get(..iv_len)?);
                cipher.encrypt(parts.iv, parts.data).ok()?;
                let (message, icv) =
                    packet.split_at_mut_checked(packet.len() - self.crypto.icv_len)?;
                mac.mac(message, high, icv);
            }
            SealKeys::Combined(aead) => {
                let iv = sequence.to_be_bytes();
                parts.iv.copy_from_slice(&iv);
                let aad = Aad::new(parts.header, high);
                aead.encrypt(iv, aad.octets(), parts.data, parts.icv).ok()?;
            }
        }
        Some(())
    }
}

impl OpenKey {
    /// Expands the keys of an inbound SA.
    ///
    /// # Errors
    /// [`EspKeyError`].
    pub fn new(crypto: &'static Portable, keymat: &[u8]) -> Result<Self, EspKeyError> {
        let (encryption, integrity) = crypto.cut(keymat)?;
        let keys = match crypto.suite {
            EspSuite::Separate(cipher, mac) => OpenKeys::Separate {
                cipher: Decryptor::new(cipher, encryption)?,
                mac: Mac::new(mac, integrity).ok_or(EspKeyError::UnknownSuite)?,
            },
            EspSuite::Combined(aead) => OpenKeys::Combined(Aead::new(aead, encryption)?),
        };
        Ok(Self { crypto, keys })
    }

    fn open(&self, high: Option<u32>, packet: &mut [u8]) -> Option<()> {
        match &self.keys {
            OpenKeys::Separate { cipher, mac } => {
                let (message, icv) =
                    packet.split_at_checked(packet.len().checked_sub(self.crypto.icv_len)?)?;
                let mut expected = [0; 32];
                let expected = expected.get_mut(..icv.len())?;
                mac.mac(message, high, expected);
                if !ct_eq(expected, icv) {
                    return None;
                }
                let parts = self.crypto.parts(packet)?;
                cipher.decrypt(parts.iv, parts.data).ok()
            }
            OpenKeys::Combined(aead) => {
                let parts = self.crypto.parts(packet)?;
                let iv = *parts.iv.first_chunk()?;
                let aad = Aad::new(parts.header, high);
                aead.decrypt(iv, aad.octets(), parts.data, parts.icv).ok()
            }
        }
    }
}

impl vpn_core::crypto::SealKey for SealKey {
    fn crypto(&self) -> &'static dyn EspCrypto {
        self.crypto
    }
}

impl vpn_core::crypto::OpenKey for OpenKey {
    fn crypto(&self) -> &'static dyn EspCrypto {
        self.crypto
    }
}

impl AsRef<dyn vpn_core::crypto::SealKey> for SealKey {
    fn as_ref(&self) -> &(dyn vpn_core::crypto::SealKey + 'static) {
        self
    }
}

impl AsRef<dyn vpn_core::crypto::OpenKey> for OpenKey {
    fn as_ref(&self) -> &(dyn vpn_core::crypto::OpenKey + 'static) {
        self
    }
}

#[cfg(test)]
mod tests;
