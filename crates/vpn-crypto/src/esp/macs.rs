//! HMAC over many packets at once.

use arrayvec::ArrayVec;

use super::hmac::BlockHash;
use super::hmac::KeyStates;
use super::hmac::Last;
use super::hmac::Mac;
use super::hmac::States;
use crate::kernel::hash::Hash;
use crate::kernel::hash::Kernels;
use crate::kernel::hash::Message;
use crate::kernel::hash::Sha1;
use crate::kernel::hash::Sha256;
use crate::kernel::hash::hash;

/// How many packets are hashed together at most.
const MOST: usize = 64;

/// One packet to authenticate.
pub(super) struct MacJob<'a> {
    pub(super) mac: &'a Mac,
    /// What the ICV covers of the packet.
    pub(super) message: &'a [u8],
    /// For extended sequence numbers, their high half, which is covered too.
    pub(super) high: Option<u32>,
    /// Filled with the start of the MAC.
    pub(super) icv: &'a mut [u8],
}

/// Computes the MAC of every job. All have the same algorithm, each its own key.
pub(super) fn macs(kernels: Kernels, jobs: &mut [MacJob<'_>]) {
    for jobs in jobs.chunks_mut(MOST) {
        match jobs.first().map(|job| &job.mac.0) {
            Some(States::Sha1(_)) => lanes::<Sha1, _, 5>(kernels, jobs, |mac| match &mac.0 {
                States::Sha1(states) => Some(states),
                _ => None,
            }),
            Some(States::Sha256(_)) => lanes::<Sha256, _, 8>(kernels, jobs, |mac| match &mac.0 {
                States::Sha256(states) => Some(states),
                _ => None,
            }),
            _ => {
                for job in jobs {
                    job.mac.mac(job.message, job.high, job.icv);
                }
            }
        }
    }
}

/// The inner hashes of all jobs, then the outer ones. Those that have not the `states` of this
/// algorithm are left out.
fn lanes<K, H, const W: usize>(
    kernels: Kernels,
    jobs: &mut [MacJob<'_>],
    states: impl Fn(&Mac) -> Option<&KeyStates<H, 64>>,
) where
    K: Hash<W>,
    H: BlockHash<64, State = [u32; W]>,
{
    let mut lasts = ArrayVec::<_, MOST>::new();
    for job in &*jobs {
        let high = job.high.map(u32::to_be_bytes);
        let high = high.as_ref().map_or(&[][..], |high| high);
        lasts.push(Last::EMPTY);
        if let Some(last) = lasts.last_mut() {
            last.end::<H>(job.message, high);
        }
    }
    let mut messages = ArrayVec::<_, MOST>::new();
    for (job, last) in jobs.iter().zip(&lasts) {
        let Some(states) = states(job.mac) else { continue };
        let body = job.message.as_chunks().0;
        messages.push(Message { state: states.inner, body, tail: last.blocks() });
    }
    hash::<K, W>(kernels, &mut messages);

    let mut digests = ArrayVec::<_, MOST>::new();
    for message in &messages {
        digests.push([outer_block(&message.state)]);
    }
    let mut messages = ArrayVec::<_, MOST>::new();
    for (states, digest) in jobs.iter().filter_map(|job| states(job.mac)).zip(&digests) {
        messages.push(Message { state: states.outer, body: digest, tail: &[] });
    }
    hash::<K, W>(kernels, &mut messages);
    let keyed = jobs.iter_mut().filter(|job| states(job.mac).is_some());
    for (job, message) in keyed.zip(&messages) {
        H::digest(&message.state, job.icv);
    }
}

/// The one block of the outer hash behind the key block: the inner digest, of big-endian words, the
/// padding and the length.
pub(super) fn outer_block<const W: usize>(inner: &[u32; W]) -> [u8; 64] {
    let mut block = [0; 64];
    let (words, _) = block.as_chunks_mut();
    for (place, word) in words.iter_mut().zip(inner) {
        *place = word.to_be_bytes();
    }
    if let [.., bits] = words {
        *bits = u32::try_from(8 * (64 + 4 * W)).unwrap_or_default().to_be_bytes();
    }
    if let Some(padding) = words.get_mut(W) {
        *padding = [0x80, 0, 0, 0];
    }
    block
}
