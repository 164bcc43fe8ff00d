//! AES key expansion (FIPS 197 §5.2) with AES-NI, and single blocks.

use core::arch::x86_64::*;

use zeroize::Zeroize;

use super::cpu::AesNi;

/// The most round keys that an AES key has, that of 256 bits.
pub(crate) const MOST: usize = 15;

/// The round keys of one AES key, wiped on drop.
pub(crate) struct Schedule {
    /// In the order in which they are used; as many as there are rounds, and one.
    keys: [__m128i; MOST],
    rounds: usize,
}

impl Schedule {
    /// To encrypt with. `None` if `key` is not 16, 24 or 32 octets long.
    pub(crate) fn encrypting(_: AesNi, key: &[u8]) -> Option<Self> {
        // SAFETY: the token says that the processor has the instructions.
        unsafe { expand(key) }
    }

    /// To decrypt with.
    pub(crate) fn decrypting(_: AesNi, key: &[u8]) -> Option<Self> {
        // SAFETY: the token says that the processor has the instructions.
        unsafe { expand(key).map(|schedule| invert(schedule)) }
    }

    /// How many rounds there are: 10, 12 or 14.
    pub(super) const fn rounds(&self) -> usize {
        self.rounds
    }

    /// All round keys; behind the last they are zero.
    pub(super) const fn keys(&self) -> &[__m128i; MOST] {
        &self.keys
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.keys.zeroize();
    }
}

#[target_feature(enable = "aes,sse4.1")]
fn expand(key: &[u8]) -> Option<Schedule> {
    let width = key.len() / 4;
    if !matches!(key.len(), 16 | 24 | 32) {
        return None;
    }
    let rounds = width + 6;
    let mut words = [0_u32; 4 * MOST];
    for (word, octets) in words.iter_mut().zip(key.as_chunks().0) {
        *word = u32::from_le_bytes(*octets);
    }
    let mut constant = 1_u8;
    for at in width..4 * (rounds + 1) {
        let (Some(before), Some(first)) = (words.get(at - 1), words.get(at - width)) else { break };
        let (mut mixed, first) = (*before, *first);
        if at % width == 0 {
            mixed = substitute(mixed).rotate_right(8) ^ u32::from(constant);
            constant = constant << 1 ^ if constant >> 7 == 1 { 0x1b } else { 0 };
        } else if width == 8 && at % width == 4 {
            mixed = substitute(mixed);
        }
        if let Some(word) = words.get_mut(at) {
            *word = first ^ mixed;
        }
    }
    let mut keys = [_mm_setzero_si128(); MOST];
    for (key, [w0, w1, w2, w3]) in keys.iter_mut().zip(words.as_chunks().0) {
        let [w0, w1, w2, w3] = [w0, w1, w2, w3].map(|word| word.cast_signed());
        *key = _mm_set_epi32(w3, w2, w1, w0);
    }
    words.zeroize();
    Some(Schedule { keys, rounds })
}

/// The S-box over each octet of a word, without a table.
#[target_feature(enable = "aes,sse4.1")]
fn substitute(word: u32) -> u32 {
    let spread = _mm_set1_epi32(word.cast_signed());
    _mm_extract_epi32::<0>(_mm_aeskeygenassist_si128::<0>(spread)).cast_unsigned()
}

/// The round keys of the equivalent inverse cipher (FIPS 197 §5.3.5).
#[target_feature(enable = "aes,sse4.1")]
fn invert(mut schedule: Schedule) -> Schedule {
    let rounds = schedule.rounds;
    if let Some(used) = schedule.keys.get_mut(..=rounds) {
        used.reverse();
        if let [_, inner @ .., _] = used {
            for key in inner {
                *key = _mm_aesimc_si128(*key);
            }
        }
    }
    schedule
}

/// Encrypts each block under the schedule beside it; all have equally many rounds. Eight at a time
/// hide the latency of each other.
pub(crate) fn encrypt_blocks(_: AesNi, jobs: &mut [(&Schedule, [u8; 16])]) {
    // SAFETY: the token says that the processor has the instructions.
    unsafe { blocks(jobs) }
}

#[target_feature(enable = "aes,sse4.1")]
fn blocks(jobs: &mut [(&Schedule, [u8; 16])]) {
    let (eights, rest) = jobs.as_chunks_mut::<8>();
    for jobs in eights {
        together(jobs);
    }
    for job in rest {
        together(core::array::from_mut(job));
    }
}

#[inline]
#[target_feature(enable = "aes,sse4.1")]
fn together<const N: usize>(jobs: &mut [(&Schedule, [u8; 16]); N]) {
    let rounds = jobs[0].0.rounds;
    let mut state = [_mm_setzero_si128(); N];
    for (state, (schedule, block)) in state.iter_mut().zip(&*jobs) {
        *state = _mm_xor_si128(super::load::xmm(block), schedule.keys[0]);
    }
    for round in 1..rounds {
        for (state, (schedule, _)) in state.iter_mut().zip(&*jobs) {
            *state = _mm_aesenc_si128(*state, schedule.keys[round]);
        }
    }
    for (state, (schedule, block)) in state.iter().zip(jobs) {
        let out = _mm_aesenclast_si128(*state, schedule.keys[rounds]);
        super::load::store_xmm(block, out);
    }
}
