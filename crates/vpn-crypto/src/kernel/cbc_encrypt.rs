//! CBC encryption of many packets at once.
//!
//! Inside one packet each block waits for the one before it, for the whole latency of the cipher.
//! So each packet gets a lane of its own, with its own round keys, and the lanes go through the
//! rounds together. A lane whose packet ends takes the next; when none is left, the last lane
//! moves into the gap, so that the lanes in use are always the first ones.

use core::arch::x86_64::*;

use zeroize::Zeroize;

use super::aes_schedule::MOST;
use super::aes_schedule::Schedule;
use super::cpu::AesNi;
use super::cpu::Vaes256;
use super::cpu::Vaes512;
use super::path::Path;

/// One packet to encrypt.
pub(crate) struct Job<'a> {
    /// The encrypting round keys; as many rounds as those of every other job of the call.
    pub(crate) keys: &'a Schedule,
    /// The initialization vector.
    pub(crate) iv: [u8; 16],
    /// The blocks, which are encrypted in place.
    pub(crate) data: &'a mut [[u8; 16]],
}

/// The kernels by width, each with the proof that the processor has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kernel {
    Bits128(AesNi),
    Bits256(Vaes256),
    Bits512(Vaes512),
}

impl Kernel {
    /// The kernel of `path`, if it is one and the processor has it.
    pub(crate) fn new(path: Path) -> Option<Self> {
        match path {
            Path::Portable => None,
            Path::Bits128 => AesNi::new().map(Self::Bits128),
            Path::Bits256 => Vaes256::new().map(Self::Bits256),
            Path::Bits512 => Vaes512::new().map(Self::Bits512),
        }
    }
}

/// Encrypts every job.
pub(crate) fn encrypt(kernel: Kernel, jobs: &mut [Job<'_>]) {
    // The unit has room for two instructions a cycle, of a latency of four: eight registers.
    match kernel {
        // SAFETY: the token says that the processor has the instructions.
        Kernel::Bits128(_) => drive::<8>(jobs, |lanes, blocks| unsafe { bits128(lanes, blocks) }),
        // SAFETY: as above.
        Kernel::Bits256(_) => drive::<16>(jobs, |lanes, blocks| unsafe { bits256(lanes, blocks) }),
        // SAFETY: as above.
        Kernel::Bits512(_) => drive::<32>(jobs, |lanes, blocks| unsafe { bits512(lanes, blocks) }),
    }
}

/// What runs in `L` lanes.
#[repr(C, align(64))]
struct Lanes<const L: usize> {
    /// Round key `r` of lane `l` at `[r][l]`.
    keys: [[__m128i; L]; MOST],
    /// The last block of ciphertext, to begin with the IV.
    chain: [__m128i; L],
    rounds: usize,
    /// How many lanes are in use.
    active: usize,
    /// Where each lane reads and writes. From there on `left` blocks belong to a lane in use, and
    /// [`IDLE`] blocks to any other lane.
    data: [*mut __m128i; L],
    left: [usize; L],
}

/// How many blocks the lanes go through in one call, so that the idle ones need little to write to.
const IDLE: usize = 96;

fn drive<const L: usize>(jobs: &mut [Job<'_>], kernel: impl Fn(&mut Lanes<L>, usize)) {
    let Some(rounds) = jobs.first().map(|job| job.keys.rounds()) else { return };
    // Zeros in registers of any type are the same zeros.
    let zero = super::load::xmm(&[0; 16]);
    let mut idle = [zero; IDLE];
    let idle = idle.as_mut_ptr();
    let mut lanes = Lanes::<L> {
        keys: [[zero; L]; MOST],
        chain: [zero; L],
        rounds,
        active: 0,
        data: [idle; L],
        left: [0; L],
    };
    let mut waiting = jobs.iter_mut().filter(|job| !job.data.is_empty());
    while lanes.active < L
        && let Some(job) = waiting.next()
    {
        lanes.active += 1;
        lanes.fill(lanes.active - 1, job);
    }
    let used = lanes.active;
    while lanes.active > 0 {
        let blocks = lanes.shortest().min(IDLE);
        kernel(&mut lanes, blocks);
        for lane in (0..lanes.active).rev() {
            lanes.left[lane] -= blocks;
            // SAFETY: `left` was at least `blocks`, and so many belonged to the lane.
            lanes.data[lane] = unsafe { lanes.data[lane].add(blocks) };
            if lanes.left[lane] == 0 {
                match waiting.next() {
                    Some(job) => lanes.fill(lane, job),
                    None => lanes.close(lane, idle),
                }
            }
        }
    }
    for key in lanes.keys.iter_mut().flat_map(|row| &mut row[..used]) {
        key.zeroize();
    }
}

impl<const L: usize> Lanes<L> {
    fn fill(&mut self, lane: usize, job: &mut Job<'_>) {
        for (row, key) in self.keys.iter_mut().zip(job.keys.keys()) {
            row[lane] = *key;
        }
        self.chain[lane] = super::load::xmm(&job.iv);
        self.data[lane] = job.data.as_mut_ptr().cast();
        self.left[lane] = job.data.len();
    }

    /// Ends a lane: the last takes its place.
    fn close(&mut self, lane: usize, idle: *mut __m128i) {
        self.active -= 1;
        let last = self.active;
        for row in &mut self.keys {
            row[lane] = row[last];
        }
        self.chain[lane] = self.chain[last];
        self.data[lane] = self.data[last];
        self.left[lane] = self.left[last];
        self.data[last] = idle;
    }

    fn shortest(&self) -> usize {
        self.left[..self.active].iter().copied().min().unwrap_or(0)
    }
}

/// A kernel over `$lanes` lanes, `$each` of them in each register.
///
/// Each takes the first lanes for `blocks` blocks: `blocks` is at most [`IDLE`], and at most `left`
/// of each lane in use. The lanes of the last register that are not in use write to where nobody
/// reads.
macro_rules! kernel {
    ($name:ident, $features:literal, $lanes:literal / $each:literal, $register:ty, $gather:ident,
     $scatter:ident, $load:ident, $store:ident, $xor:ident, $round:ident, $last:ident) => {
        #[target_feature(enable = $features)]
        fn $name(lanes: &mut Lanes<$lanes>, blocks: usize) {
            match lanes.active.div_ceil($each) {
                ..=1 => run::<1>(lanes, blocks),
                2 => run::<2>(lanes, blocks),
                3 => run::<3>(lanes, blocks),
                4 => run::<4>(lanes, blocks),
                5 => run::<5>(lanes, blocks),
                6 => run::<6>(lanes, blocks),
                7 => run::<7>(lanes, blocks),
                _ => run::<8>(lanes, blocks),
            }

            #[target_feature(enable = $features)]
            fn run<const G: usize>(lanes: &mut Lanes<$lanes>, blocks: usize) {
                // SAFETY: `G` registers are `$each * G` lanes, and so many there are; each has
                // `blocks` blocks to read and write. Keys and chain are aligned to a register.
                unsafe {
                    let key = |round: usize, g: usize| {
                        $load(lanes.keys[round].as_ptr().add($each * g).cast())
                    };
                    let mut state = [$load(lanes.chain.as_ptr().cast()); G];
                    for g in 0..G {
                        state[g] = $load(lanes.chain.as_ptr().add($each * g).cast());
                    }
                    for at in 0..blocks {
                        for g in 0..G {
                            let data = $gather(lanes.data.as_ptr().add($each * g), at);
                            state[g] = $xor(state[g], $xor(data, key(0, g)));
                        }
                        for round in 1..lanes.rounds {
                            for g in 0..G {
                                state[g] = $round(state[g], key(round, g));
                            }
                        }
                        for g in 0..G {
                            state[g] = $last(state[g], key(lanes.rounds, g));
                            $scatter(lanes.data.as_ptr().add($each * g), at, state[g]);
                        }
                    }
                    for g in 0..G {
                        $store(lanes.chain.as_mut_ptr().add($each * g).cast(), state[g]);
                    }
                }
            }
        }
    };
}

kernel!(
    bits128,
    "aes,sse4.1",
    8 / 1,
    __m128i,
    gather1,
    scatter1,
    _mm_load_si128,
    _mm_store_si128,
    _mm_xor_si128,
    _mm_aesenc_si128,
    _mm_aesenclast_si128
);
kernel!(
    bits256,
    "aes,avx2,vaes",
    16 / 2,
    __m256i,
    gather2,
    scatter2,
    _mm256_load_si256,
    _mm256_store_si256,
    _mm256_xor_si256,
    _mm256_aesenc_epi128,
    _mm256_aesenclast_epi128
);
kernel!(
    bits512,
    "aes,avx2,vaes,avx512f",
    32 / 4,
    __m512i,
    gather4,
    scatter4,
    _mm512_load_si512,
    _mm512_store_si512,
    _mm512_xor_si512,
    _mm512_aesenc_epi128,
    _mm512_aesenclast_epi128
);

/// Block `at` of one lane.
#[inline]
#[target_feature(enable = "sse4.1")]
unsafe fn gather1(data: *const *mut __m128i, at: usize) -> __m128i {
    // SAFETY: the caller's lane has the block.
    unsafe { _mm_loadu_si128((*data).add(at)) }
}

#[inline]
#[target_feature(enable = "sse4.1")]
unsafe fn scatter1(data: *const *mut __m128i, at: usize, state: __m128i) {
    // SAFETY: the caller's lane has the block.
    unsafe { _mm_storeu_si128((*data).add(at), state) }
}

/// Block `at` of two lanes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn gather2(data: *const *mut __m128i, at: usize) -> __m256i {
    // SAFETY: the caller's lanes have the block.
    unsafe { _mm256_set_m128i(gather1(data.add(1), at), gather1(data, at)) }
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn scatter2(data: *const *mut __m128i, at: usize, state: __m256i) {
    // SAFETY: the caller's lanes have the block.
    unsafe {
        scatter1(data, at, _mm256_castsi256_si128(state));
        scatter1(data.add(1), at, _mm256_extracti128_si256::<1>(state));
    }
}

/// Block `at` of four lanes.
#[inline]
#[target_feature(enable = "avx2,avx512f")]
unsafe fn gather4(data: *const *mut __m128i, at: usize) -> __m512i {
    // SAFETY: the caller's lanes have the block.
    unsafe {
        let low = _mm512_castsi256_si512(gather2(data, at));
        _mm512_inserti64x4::<1>(low, gather2(data.add(2), at))
    }
}

#[inline]
#[target_feature(enable = "avx2,avx512f")]
unsafe fn scatter4(data: *const *mut __m128i, at: usize, state: __m512i) {
    // SAFETY: the caller's lanes have the block.
    unsafe {
        scatter2(data, at, _mm512_castsi512_si256(state));
        scatter2(data.add(2), at, _mm512_extracti64x4_epi64::<1>(state));
    }
}
