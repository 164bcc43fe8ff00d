//! 3DES-CBC with HMAC (RFC 2451, RFC 2404, RFC 4868) on the kernels of the processor.

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

use super::cbc::IvCipher;
use super::cbc::triple_des;
use super::hmac::Mac;
use super::macs::MacJob;
use super::macs::macs;
use super::suite::Suite;
use crate::kernel::Path;
use crate::kernel::des::Job;
use crate::kernel::des::Kernel;
use crate::kernel::des::Key;
use crate::kernel::des::decrypt;
use crate::kernel::des::encrypt;
use crate::kernel::hash::Kernels;

/// Octets of a block and of the IV.
const BLOCK: usize = 8;
/// Octets in front of the ciphertext: SPI, sequence number and IV.
const FRONT: usize = 8 + BLOCK;
/// How many packets are worked at together.
const MOST: usize = 64;

/// The keys of an outbound SA.
pub(super) struct SealKey {
    crypto: &'static Suite,
    cipher: Key,
    mac: Mac,
    ivs: IvCipher,
}

/// The keys of an inbound SA.
pub(super) struct OpenKey {
    crypto: &'static Suite,
    cipher: Key,
    mac: Mac,
}

/// Whether the processor has the kernels of `path`.
pub(super) fn runs_on(path: Path) -> bool {
    Kernel::new(path).is_some()
}

/// `keymat` cut into what comes of the encryption key, of which `expand` makes one direction, and
/// of the integrity key.
fn expand(
    suite: &Suite,
    keymat: &[u8],
    expand: fn(&[u8; 24], des::TdesEde3) -> Key,
) -> Result<(Key, Mac), EspKeyError> {
    let needed = suite.suite().keymat_len();
    let wrong = EspKeyError::WrongLength { needed, given: keymat.len() };
    let EspSuite::Separate(_, integrity) = suite.suite() else {
        return Err(EspKeyError::UnknownSuite);
    };
    if keymat.len() != needed {
        return Err(wrong);
    }
    let (key, mac) = keymat.split_first_chunk().ok_or(wrong)?;
    let mac = Mac::new(integrity, mac).ok_or(EspKeyError::UnknownSuite)?;
    Ok((expand(key, triple_des(key)?), mac))
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
        let (cipher, mac) = expand(crypto, keymat, Key::encrypting)?;
        Ok(Self { crypto, cipher, mac, ivs: IvCipher::new(rng)? })
    }
}

impl OpenKey {
    pub(super) fn new(crypto: &'static Suite, keymat: &[u8]) -> Result<Self, EspKeyError> {
        let (cipher, mac) = expand(crypto, keymat, Key::decrypting)?;
        Ok(Self { crypto, cipher, mac })
    }
}

/// A packet with its keys, and where to say that it is done.
struct Work<'a> {
    cipher: &'a Key,
    mac: &'a Mac,
    high: Option<u32>,
    message: &'a mut [u8],
    icv: &'a mut [u8],
    done: &'a mut bool,
}

impl Work<'_> {
    /// What the cipher does. The IV stands in the packet.
    fn job(&mut self) -> Option<Job<'_>> {
        let (_, rest) = self.message.split_first_chunk_mut::<8>()?;
        let (iv, data) = rest.split_first_chunk_mut::<BLOCK>()?;
        Some(Job { key: self.cipher, iv: *iv, data: data.as_chunks_mut().0 })
    }
}

/// The packet cut before its ICV, if its length is possible.
fn cut(packet: &mut [u8], icv_len: usize) -> Option<(&mut [u8], &mut [u8])> {
    let (message, icv) = packet.split_at_mut_checked(packet.len().checked_sub(icv_len)?)?;
    let possible = message.len() > FRONT && message.len().is_multiple_of(BLOCK);
    possible.then_some((message, icv))
}

/// The high half of an extended sequence number.
fn high(sequence: u64, extended: bool) -> Option<u32> {
    extended.then(|| u32::try_from(sequence >> 32).unwrap_or_default())
}

pub(super) fn seal(suite: &Suite, path: Path, jobs: &mut [SealJob<'_>]) {
    let Some(kernel) = Kernel::new(path) else { return };
    let icv_len = suite.suite().icv_len();
    for jobs in jobs.chunks_mut(MOST) {
        let mut works = ArrayVec::<Work<'_>, MOST>::new();
        for SealJob { key, sequence, extended, packet, sealed } in jobs {
            let key: &dyn Any = *key;
            let Some(key) = key.downcast_ref::<SealKey>() else { continue };
            if core::ptr::eq(key.crypto, suite)
                && let Some((message, icv)) = cut(packet, icv_len)
            {
                let [v0, v1, v2, v3, v4, v5, v6, v7, ..] = key.ivs.iv(*sequence);
                if let Some(place) = message.get_mut(8..FRONT) {
                    place.copy_from_slice(&[v0, v1, v2, v3, v4, v5, v6, v7]);
                }
                let high = high(*sequence, *extended);
                let (cipher, mac) = (&key.cipher, &key.mac);
                works.push(Work { cipher, mac, high, message, icv, done: sealed });
            }
        }
        let lanes = works.iter_mut().filter_map(Work::job);
        encrypt(kernel, &mut lanes.collect::<ArrayVec<_, MOST>>());
        let mac_jobs = works.iter_mut().map(|work| MacJob {
            mac: work.mac,
            message: work.message,
            high: work.high,
            icv: work.icv,
        });
        macs(Kernels::new(path), &mut mac_jobs.collect::<ArrayVec<_, MOST>>());
        for work in works {
            *work.done = true;
        }
    }
}

pub(super) fn open(suite: &Suite, path: Path, jobs: &mut [OpenJob<'_>]) {
    let Some(kernel) = Kernel::new(path) else { return };
    let icv_len = suite.suite().icv_len();
    for jobs in jobs.chunks_mut(MOST) {
        let mut works = ArrayVec::<Work<'_>, MOST>::new();
        for OpenJob { key, sequence, extended, packet, authentic } in jobs {
            let key: &dyn Any = *key;
            let Some(key) = key.downcast_ref::<OpenKey>() else { continue };
            if core::ptr::eq(key.crypto, suite)
                && let Some((message, icv)) = cut(packet, icv_len)
            {
                let high = high(*sequence, *extended);
                let (cipher, mac) = (&key.cipher, &key.mac);
                works.push(Work { cipher, mac, high, message, icv, done: authentic });
            }
        }
        let mut expected = [[0; 32]; MOST];
        let mac_jobs = works.iter().zip(&mut expected).map(|(work, icv)| MacJob {
            mac: work.mac,
            message: work.message,
            high: work.high,
            icv: icv.split_at_mut(icv_len.min(32)).0,
        });
        macs(Kernels::new(path), &mut mac_jobs.collect::<ArrayVec<_, MOST>>());
        for (work, expected) in works.iter_mut().zip(&expected) {
            *work.done = ct_eq(expected.split_at(icv_len.min(32)).0, work.icv);
        }
        let authentic = works.iter_mut().filter(|work| *work.done);
        let lanes = authentic.filter_map(Work::job);
        decrypt(kernel, &mut lanes.collect::<ArrayVec<_, MOST>>());
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
