//! AES-CBC with HMAC (RFC 3602, RFC 2404, RFC 4868) on the kernels of the processor.

use core::any::Any;

use arrayvec::ArrayVec;
use vpn_core::SecureRandom;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspKeyError;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::SealJob;
use vpn_core::ct_eq;
use zeroize::Zeroize;

use super::alone;
use super::alone::Keys;
use super::hmac::Mac;
use super::macs::MacJob;
use super::macs::macs;
use super::suite::Suite;
use crate::kernel::Path;
use crate::kernel::aes_schedule::Schedule;
use crate::kernel::aes_schedule::encrypt_blocks;
use crate::kernel::cbc_decrypt::decrypt;
use crate::kernel::cbc_encrypt::Job;
use crate::kernel::cbc_encrypt::Kernel;
use crate::kernel::cbc_encrypt::encrypt;
use crate::kernel::cpu::AesNi;
use crate::kernel::hash;

/// Octets in front of the ciphertext: SPI, sequence number and IV.
const FRONT: usize = 8 + 16;
/// How many packets are worked at together.
const MOST: usize = 64;

/// The keys of an outbound SA.
pub(super) struct SealKey {
    crypto: &'static Suite,
    cipher: Schedule,
    mac: Mac,
    /// Makes the IVs: the packet counter encrypted under a random key, which nobody can predict
    /// (NIST SP 800-38A appendix C, RFC 3602 §3).
    ivs: Schedule,
}

/// The keys of an inbound SA.
pub(super) struct OpenKey {
    crypto: &'static Suite,
    cipher: Schedule,
    mac: Mac,
}

/// Whether the processor has the kernels of `path`.
pub(super) fn runs_on(path: Path) -> bool {
    Kernel::new(path).is_some()
}

/// `keymat` cut into the encryption key and what comes of the integrity key.
fn cut<'a>(suite: &Suite, keymat: &'a [u8]) -> Result<(AesNi, &'a [u8], Mac), EspKeyError> {
    let needed = suite.suite().keymat_len();
    let wrong = EspKeyError::WrongLength { needed, given: keymat.len() };
    let EspSuite::Separate(_, integrity) = suite.suite() else {
        return Err(EspKeyError::UnknownSuite);
    };
    if keymat.len() != needed {
        return Err(wrong);
    }
    let (encryption, key) =
        keymat.split_at_checked(suite.suite().encryption_key_len()).ok_or(wrong)?;
    let mac = Mac::new(integrity, key).ok_or(EspKeyError::UnknownSuite)?;
    Ok((AesNi::new().ok_or(EspKeyError::UnknownSuite)?, encryption, mac))
}

impl SealKey {
    pub(super) fn new(
        crypto: &'static Suite,
        keymat: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<Self, EspKeyError> {
        if let EspSuite::Separate(_, EspIntegrity::HmacMd5_96) = crypto.suite() {
            return Err(EspKeyError::ReceiveOnly);
        }
        let (ni, key, mac) = cut(crypto, keymat)?;
        let cipher = Schedule::encrypting(ni, key).ok_or(EspKeyError::UnknownSuite)?;
        let mut iv_key = [0; 16];
        rng.fill(&mut iv_key)?;
        let ivs = Schedule::encrypting(ni, &iv_key).ok_or(EspKeyError::UnknownSuite)?;
        iv_key.zeroize();
        Ok(Self { crypto, cipher, mac, ivs })
    }
}

impl OpenKey {
    pub(super) fn new(crypto: &'static Suite, keymat: &[u8]) -> Result<Self, EspKeyError> {
        let (ni, key, mac) = cut(crypto, keymat)?;
        let cipher = Schedule::decrypting(ni, key).ok_or(EspKeyError::UnknownSuite)?;
        Ok(Self { crypto, cipher, mac })
    }
}

/// A packet with its keys, and where to say that it is done.
struct Work<'a, K> {
    key: &'a K,
    high: Option<u32>,
    packet: &'a mut [u8],
    done: &'a mut bool,
}

impl<K> Work<'_, K> {
    /// IV and ciphertext, without the ICV.
    fn body(&mut self, icv_len: usize) -> Option<(&mut [u8; 16], &mut [[u8; 16]])> {
        let (_, rest) = self.packet.split_first_chunk_mut::<8>()?;
        let (iv, rest) = rest.split_first_chunk_mut::<16>()?;
        let (data, _) = rest.split_at_mut_checked(rest.len().checked_sub(icv_len)?)?;
        match data.as_chunks_mut() {
            (data, []) if !data.is_empty() => Some((iv, data)),
            _ => None,
        }
    }
}

/// Whether a packet of this length has an ICV of `icv_len` octets and whole blocks before it.
fn possible(len: usize, icv_len: usize) -> bool {
    len > FRONT + icv_len && (len - FRONT - icv_len).is_multiple_of(16)
}

/// The high half of an extended sequence number.
fn high(sequence: u64, extended: bool) -> Option<u32> {
    extended.then(|| u32::try_from(sequence >> 32).unwrap_or_default())
}

/// Up to so many packets go one by one, if they are also [`SHORT`]: lanes take time to be set up.
const FEW: usize = 3;
/// Octets of a packet that is too short for lanes to pay among [`FEW`].
const SHORT: usize = 256;

/// Whether packets of these lengths go one by one.
fn one_by_one(mut lengths: impl ExactSizeIterator<Item = usize>) -> bool {
    lengths.len() == 1 || (lengths.len() <= FEW && lengths.all(|len| len < SHORT))
}

pub(super) fn seal(suite: &Suite, path: Path, jobs: &mut [SealJob<'_>]) {
    let (Some(kernel), Some(ni)) = (Kernel::new(path), AesNi::new()) else { return };
    if !one_by_one(jobs.iter().map(|job| job.packet.len())) {
        return seal_batch(suite, (kernel, ni, path), jobs);
    }
    for job in jobs {
        let sealed = (job.key as &dyn Any)
            .downcast_ref::<SealKey>()
            .filter(|key| core::ptr::eq(key.crypto, suite))
            .and_then(|key| seal_alone(ni, key, job, suite.suite().icv_len()));
        match sealed {
            Some(()) => job.sealed = true,
            None => seal_batch(suite, (kernel, ni, path), core::slice::from_mut(job)),
        }
    }
}

fn seal_batch(suite: &Suite, (kernel, ni, path): (Kernel, AesNi, Path), jobs: &mut [SealJob<'_>]) {
    let icv_len = suite.suite().icv_len();
    for jobs in jobs.chunks_mut(MOST) {
        let mut works = ArrayVec::<_, MOST>::new();
        let mut ivs = ArrayVec::<_, MOST>::new();
        for SealJob { key, sequence, extended, packet, sealed } in jobs {
            let key: &dyn Any = *key;
            let Some(key) = key.downcast_ref::<SealKey>() else { continue };
            if core::ptr::eq(key.crypto, suite) && possible(packet.len(), icv_len) {
                let high = high(*sequence, *extended);
                works.push(Work { key, high, packet, done: sealed });
                ivs.push((&key.ivs, u128::from(*sequence).to_be_bytes()));
            }
        }
        encrypt_blocks(ni, &mut ivs);
        let mut lanes = ArrayVec::<_, MOST>::new();
        for (work, (_, iv)) in works.iter_mut().zip(&ivs) {
            let keys = &work.key.cipher;
            if let Some((place, data)) = work.body(icv_len) {
                *place = *iv;
                lanes.push(Job { keys, iv: *iv, data });
            }
        }
        encrypt(kernel, &mut lanes);
        drop(lanes);
        let mut mac_jobs = ArrayVec::<_, MOST>::new();
        for work in &mut works {
            let cut = work.packet.len() - icv_len;
            if let Some((message, icv)) = work.packet.split_at_mut_checked(cut) {
                mac_jobs.push(MacJob { mac: &work.key.mac, message, high: work.high, icv });
            }
        }
        macs(hash::Kernels::new(path), &mut mac_jobs);
        drop(mac_jobs);
        for work in &mut works {
            *work.done = true;
        }
    }
}

/// Seals one packet, if its length is possible and there is a stitched kernel.
fn seal_alone(ni: AesNi, key: &SealKey, job: &mut SealJob<'_>, icv_len: usize) -> Option<()> {
    let packet = possible(job.packet.len(), icv_len).then_some(&mut *job.packet)?;
    let mut iv = [(&key.ivs, u128::from(job.sequence).to_be_bytes())];
    encrypt_blocks(ni, &mut iv);
    let [(_, iv)] = iv;
    packet.get_mut(8..FRONT)?.copy_from_slice(&iv);
    let (message, icv) = packet.split_at_mut_checked(packet.len() - icv_len)?;
    let keys = Keys { cipher: &key.cipher, mac: &key.mac };
    alone::seal(ni, &keys, message, high(job.sequence, job.extended), icv)
}

/// Opens one packet. `None` if there is no kernel for it alone.
fn open_alone(
    kernel: Kernel,
    key: &OpenKey,
    job: &mut OpenJob<'_>,
    icv_len: usize,
) -> Option<bool> {
    let packet = possible(job.packet.len(), icv_len).then_some(&mut *job.packet)?;
    let (message, given) = packet.split_at_mut_checked(packet.len() - icv_len)?;
    let mut icv = [0; 32];
    let icv = icv.get_mut(..icv_len)?;
    let keys = Keys { cipher: &key.cipher, mac: &key.mac };
    alone::open(kernel, &keys, message, high(job.sequence, job.extended), icv)?;
    Some(ct_eq(icv, given))
}

pub(super) fn open(suite: &Suite, path: Path, jobs: &mut [OpenJob<'_>]) {
    let Some(kernel) = Kernel::new(path) else { return };
    if !one_by_one(jobs.iter().map(|job| job.packet.len())) {
        return open_batch(suite, (kernel, path), jobs);
    }
    for job in jobs {
        let authentic = (job.key as &dyn Any)
            .downcast_ref::<OpenKey>()
            .filter(|key| core::ptr::eq(key.crypto, suite))
            .and_then(|key| open_alone(kernel, key, job, suite.suite().icv_len()));
        match authentic {
            Some(authentic) => job.authentic = authentic,
            None => open_batch(suite, (kernel, path), core::slice::from_mut(job)),
        }
    }
}

fn open_batch(suite: &Suite, (kernel, path): (Kernel, Path), jobs: &mut [OpenJob<'_>]) {
    let icv_len = suite.suite().icv_len();
    for jobs in jobs.chunks_mut(MOST) {
        let mut works = ArrayVec::<_, MOST>::new();
        let mut icvs = ArrayVec::<_, MOST>::new();
        for OpenJob { key, sequence, extended, packet, authentic } in jobs {
            let key: &dyn Any = *key;
            let Some(key) = key.downcast_ref::<OpenKey>() else { continue };
            if core::ptr::eq(key.crypto, suite) && possible(packet.len(), icv_len) {
                let high = high(*sequence, *extended);
                works.push(Work { key, high, packet, done: authentic });
                icvs.push([0; 32]);
            }
        }
        let mut mac_jobs = ArrayVec::<_, MOST>::new();
        for (work, icv) in works.iter().zip(&mut icvs) {
            let message = work.packet.get(..work.packet.len() - icv_len).unwrap_or_default();
            let icv = icv.get_mut(..icv_len).unwrap_or_default();
            mac_jobs.push(MacJob { mac: &work.key.mac, message, high: work.high, icv });
        }
        macs(hash::Kernels::new(path), &mut mac_jobs);
        drop(mac_jobs);
        for (work, icv) in works.iter_mut().zip(&icvs) {
            let given = work.packet.get(work.packet.len() - icv_len..).unwrap_or_default();
            if !ct_eq(icv.get(..icv_len).unwrap_or_default(), given) {
                continue;
            }
            let keys = &work.key.cipher;
            if let Some((iv, data)) = work.body(icv_len) {
                decrypt(kernel, keys, iv, data);
                *work.done = true;
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
