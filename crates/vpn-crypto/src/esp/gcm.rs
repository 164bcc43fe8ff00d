//! AES-GCM suites (RFC 4106) on the kernels of the processor.

use core::any::Any;

use vpn_core::Secret;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspKeyError;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::SealJob;

use super::suite::Suite;
use crate::kernel::Path;
use crate::kernel::gcm::Gcm;
use crate::kernel::gcm::Key;
use crate::kernel::gcm::Start;

/// Octets of the IV, which follows SPI and sequence number.
const IV_LEN: usize = 8;
/// Octets of the ICV.
const ICV_LEN: usize = 16;
/// Octets in front of the ciphertext.
const FRONT: usize = 8 + IV_LEN;

/// The key of an outbound SA.
pub(super) struct SealKey {
    crypto: &'static Suite,
    key: Keyed,
}

/// The key of an inbound SA.
pub(super) struct OpenKey {
    crypto: &'static Suite,
    key: Keyed,
}

struct Keyed {
    gcm: Gcm,
    key: Key,
    salt: Secret<{ EspAead::SALT_LEN }>,
}

/// Whether the processor has the kernels of `path`.
pub(super) fn runs_on(path: Path) -> bool {
    Gcm::on(path).is_some()
}

pub(super) fn seal(jobs: &mut [SealJob<'_>]) {
    for job in jobs {
        let key: &dyn Any = job.key;
        if let Some(SealKey { key, .. }) = key.downcast_ref() {
            job.sealed = key.seal(job).is_some();
        }
    }
}

pub(super) fn open(jobs: &mut [OpenJob<'_>]) {
    for job in jobs {
        let key: &dyn Any = job.key;
        if let Some(OpenKey { key, .. }) = key.downcast_ref() {
            job.authentic = key.open(job).is_some();
        }
    }
}

impl SealKey {
    pub(super) fn new(
        crypto: &'static Suite,
        path: Path,
        keymat: &[u8],
    ) -> Result<Self, EspKeyError> {
        Ok(Self { crypto, key: Keyed::new(crypto, path, keymat)? })
    }
}

impl OpenKey {
    pub(super) fn new(
        crypto: &'static Suite,
        path: Path,
        keymat: &[u8],
    ) -> Result<Self, EspKeyError> {
        Ok(Self { crypto, key: Keyed::new(crypto, path, keymat)? })
    }
}

impl Keyed {
    /// `keymat` is the key and then the salt (RFC 4106 §8.1).
    fn new(crypto: &Suite, path: Path, keymat: &[u8]) -> Result<Self, EspKeyError> {
        let needed = crypto.suite().keymat_len();
        let wrong = EspKeyError::WrongLength { needed, given: keymat.len() };
        if keymat.len() != needed {
            return Err(wrong);
        }
        let (key, salt) = keymat.split_last_chunk().ok_or(wrong)?;
        let gcm = Gcm::on(path).ok_or(EspKeyError::UnknownSuite)?;
        let key = gcm.expand(key).ok_or(wrong)?;
        Ok(Self { gcm, key, salt: Secret::new(*salt) })
    }

    /// The packet cut before its ICV, if its length is possible.
    fn cut(packet: &mut [u8]) -> Option<(&mut [u8], &mut [u8; ICV_LEN])> {
        let (packet, icv) = packet.split_last_chunk_mut()?;
        (packet.len() > FRONT && packet.len().is_multiple_of(4)).then_some((packet, icv))
    }

    /// What encryption begins with. The additional data are SPI and sequence number, of 8 octets,
    /// or 12 with the high half (RFC 4106 §5).
    fn start(&self, packet: &[u8], high: Option<u32>) -> Option<Start> {
        let (header, rest) = packet.split_first_chunk()?;
        let iv = *rest.first_chunk()?;
        let header = u128::from(u64::from_be_bytes(*header));
        let (aad, len) = match high {
            None => (header << 64, 8),
            Some(high) => {
                let spi = header >> 32 << 96;
                (spi | u128::from(high) << 64 | (header & 0xffff_ffff) << 32, 12)
            }
        };
        Some(Start::new(*self.salt.expose(), iv, aad, len))
    }

    fn seal(&self, job: &mut SealJob<'_>) -> Option<()> {
        let (packet, icv) = Self::cut(job.packet)?;
        // The IV is the sequence number, which never repeats under one key.
        packet.get_mut(8..FRONT)?.copy_from_slice(&job.sequence.to_be_bytes());
        let start = self.start(packet, high(job.extended, job.sequence))?;
        *icv = self.gcm.seal(&self.key, start, packet)?;
        Some(())
    }

    fn open(&self, job: &mut OpenJob<'_>) -> Option<()> {
        let (packet, icv) = Self::cut(job.packet)?;
        let start = self.start(packet, high(job.extended, job.sequence))?;
        self.gcm.open(&self.key, start, packet, icv)?.then_some(())
    }
}

/// The high half of an extended sequence number.
fn high(extended: bool, sequence: u64) -> Option<u32> {
    let [h0, h1, h2, h3, ..] = sequence.to_be_bytes();
    extended.then_some(u32::from_be_bytes([h0, h1, h2, h3]))
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
