//! CBC encryption of many packets at once.
//!
//! Inside one packet each block waits for the one before it, for the whole latency of the cipher.
//! So each packet gets a lane of its own, with its own round keys, and the lanes go through the
//! rounds together. A lane whose packet ends takes the next; when none is left, the last lane
//! moves into the gap, so that the lanes in use are always the first ones.

use core::arch::x86_64::*;
use core::hint::black_box;

use zeroize::Zeroize;

use super::aes_schedule::MOST;
use super::aes_schedule::Schedule;
use super::cpu::AesNi;
use super::cpu::Vaes256;
use super::cpu::Vaes512;
use super::path::Path;
use super::wide::quarters;

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
    /// Whether all lanes have the same key, which then lies in the lanes of the first register.
    one: bool,
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
    let Some(first) = jobs.first().map(|job| job.keys) else { return };
    let one = jobs.iter().all(|job| core::ptr::eq(job.keys, first));
    // Zeros in registers of any type are the same zeros.
    let zero = super::load::xmm(&[0; 16]);
    let mut idle = [zero; IDLE];
    let idle = idle.as_mut_ptr();
    let mut lanes = Lanes::<L> {
        keys: [[zero; L]; MOST],
        chain: [zero; L],
        rounds: first.rounds(),
        one,
        active: 0,
        data: [idle; L],
        left: [0; L],
    };
    if one {
        for lane in 0..L.min(4) {
            lanes.set_key(lane, first);
        }
    }
    let mut waiting = jobs.iter_mut().filter(|job| !job.data.is_empty());
    while lanes.active < L
        && let Some(job) = waiting.next()
    {
        lanes.active += 1;
        lanes.fill(lanes.active - 1, job);
    }
    let used = if one { L.min(4) } else { lanes.active };
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
        if !self.one {
            self.set_key(lane, job.keys);
        }
        self.chain[lane] = super::load::xmm(&job.iv);
        self.data[lane] = job.data.as_mut_ptr().cast();
        self.left[lane] = job.data.len();
    }

    fn set_key(&mut self, lane: usize, keys: &Schedule) {
        for (row, key) in self.keys.iter_mut().zip(keys.keys()) {
            row[lane] = *key;
        }
    }

    /// Ends a lane: the last takes its place.
    fn close(&mut self, lane: usize, idle: *mut __m128i) {
        self.active -= 1;
        let last = self.active;
        if lane != last {
            if !self.one {
                for row in &mut self.keys {
                    row[lane] = row[last];
                }
            }
            self.chain[lane] = self.chain[last];
            self.data[lane] = self.data[last];
            self.left[lane] = self.left[last];
        }
        self.data[last] = idle;
    }

    fn shortest(&self) -> usize {
        self.left[..self.active].iter().copied().min().unwrap_or(0)
    }
}

/// A kernel over `$lanes` lanes, `$each` of them in each register.
///
/// It takes the first lanes for `blocks` blocks: `blocks` is at most [`IDLE`], and at most `left` of
/// each lane in use. The lanes of the last register that are not in use write to where nobody reads.
///
/// Packets are read and written `$each` blocks at a time, and so many registers transposed: storing
/// single blocks in as many places costs more than the cipher.
macro_rules! kernel {
    ($name:ident, $features:literal, $lanes:literal / $each:literal, $register:ty, $load_tile:ident,
     $store_tile:ident, $load:ident, $store:ident, $xor:ident, $round:ident, $last:ident) => {
        #[target_feature(enable = $features)]
        fn $name(lanes: &mut Lanes<$lanes>, blocks: usize) {
            match (lanes.active.div_ceil($each), lanes.one) {
                (..=1, true) => run::<1, true>(lanes, blocks),
                (2, true) => run::<2, true>(lanes, blocks),
                (3..=4, true) => run::<4, true>(lanes, blocks),
                (5..=6, true) => run::<6, true>(lanes, blocks),
                (_, true) => run::<8, true>(lanes, blocks),
                (..=1, false) => run::<1, false>(lanes, blocks),
                (2, false) => run::<2, false>(lanes, blocks),
                (3..=4, false) => run::<4, false>(lanes, blocks),
                (5..=6, false) => run::<6, false>(lanes, blocks),
                (_, false) => run::<8, false>(lanes, blocks),
            }

            /// The first `G` registers, under `ONE` key or many.
            #[target_feature(enable = $features)]
            fn run<const G: usize, const ONE: bool>(lanes: &mut Lanes<$lanes>, blocks: usize) {
                // SAFETY: `G` registers are `$each * G` lanes, and so many there are; each has
                // `blocks` blocks to read and write. Keys and chain are aligned to a register.
                unsafe {
                    let key = |round: usize, g: usize| {
                        let g = if ONE { 0 } else { g };
                        $load(lanes.keys[round].as_ptr().add($each * g).cast())
                    };
                    let mut state = [$load(lanes.chain.as_ptr().cast()); G];
                    for g in 0..G {
                        state[g] = $load(lanes.chain.as_ptr().add($each * g).cast());
                    }
                    // The tile before is stored and the one behind is loaded in the shadow of the
                    // rounds, some registers in each step.
                    let mut tiles = [[state; $each]; 3];
                    let [mut before, mut now, mut behind] = [0, 1, 2];
                    let tiles = black_box(&mut tiles);
                    let places = lanes.data.as_ptr();
                    macro_rules! load {
                        ($tile:ident, $g:ident, $at:expr) => {
                            let steps = $each.min(blocks - $at);
                            let columns = $load_tile(places.add($each * $g), $at, steps);
                            for (row, column) in tiles[$tile].iter_mut().zip(columns) {
                                row[$g] = column;
                            }
                        };
                    }
                    macro_rules! store {
                        ($tile:ident, $g:ident, $at:expr) => {
                            let steps = $each.min(blocks - $at);
                            let mut columns = [state[0]; $each];
                            for (row, column) in tiles[$tile].iter().zip(&mut columns) {
                                *column = row[$g];
                            }
                            $store_tile(places.add($each * $g), $at, steps, columns);
                        };
                    }
                    for g in 0..G {
                        load!(now, g, 0);
                    }
                    let mut at = 0;
                    while at < blocks {
                        for step in 0..$each {
                            if at + step < blocks {
                                let row = &mut tiles[now][step];
                                for g in 0..G {
                                    state[g] = $xor(state[g], $xor(row[g], key(0, g)));
                                }
                                for round in 1..lanes.rounds {
                                    for g in 0..G {
                                        state[g] = $round(state[g], key(round, g));
                                    }
                                }
                                for g in 0..G {
                                    state[g] = $last(state[g], key(lanes.rounds, g));
                                }
                                *row = state;
                            }
                            for g in step * G / $each..(step + 1) * G / $each {
                                if at > 0 {
                                    store!(before, g, at - $each);
                                }
                                if at + $each < blocks {
                                    load!(behind, g, at + $each);
                                }
                            }
                        }
                        (before, now, behind) = (now, behind, before);
                        at += $each;
                    }
                    for g in 0..G {
                        store!(before, g, at - $each);
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
    load_tile1,
    store_tile1,
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
    load_tile2,
    store_tile2,
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
    load_tile4,
    store_tile4,
    _mm512_load_si512,
    _mm512_store_si512,
    _mm512_xor_si512,
    _mm512_aesenc_epi128,
    _mm512_aesenclast_epi128
);

/// Block `at` of a lane.
///
/// # Safety
/// The lane must have it, as everywhere below.
#[inline]
#[target_feature(enable = "sse4.1")]
unsafe fn load_tile1(data: *const *mut __m128i, at: usize, _: usize) -> [__m128i; 1] {
    // SAFETY: the lane has the block.
    unsafe { [_mm_loadu_si128((*data).add(at))] }
}

#[inline]
#[target_feature(enable = "sse4.1")]
unsafe fn store_tile1(data: *const *mut __m128i, at: usize, _: usize, [block]: [__m128i; 1]) {
    // SAFETY: the lane has the block.
    unsafe { _mm_storeu_si128((*data).add(at), block) }
}

/// Up to two blocks of two lanes, from `at` on: register `n` has block `n` of both.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load_tile2(data: *const *mut __m128i, at: usize, steps: usize) -> [__m256i; 2] {
    // SAFETY: the lanes have the blocks.
    unsafe {
        let (a, b) = ((*data).add(at), (*data.add(1)).add(at));
        if steps == 2 {
            transpose2([_mm256_loadu_si256(a.cast()), _mm256_loadu_si256(b.cast())])
        } else {
            let one = _mm256_set_m128i(_mm_loadu_si128(b), _mm_loadu_si128(a));
            [one, one]
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store_tile2(data: *const *mut __m128i, at: usize, steps: usize, tile: [__m256i; 2]) {
    // SAFETY: the lanes have the blocks.
    unsafe {
        let (a, b) = ((*data).add(at), (*data.add(1)).add(at));
        if steps == 2 {
            let [row_a, row_b] = transpose2(tile);
            _mm256_storeu_si256(a.cast(), row_a);
            _mm256_storeu_si256(b.cast(), row_b);
        } else {
            _mm_storeu_si128(a, _mm256_castsi256_si128(tile[0]));
            _mm_storeu_si128(b, _mm256_extracti128_si256::<1>(tile[0]));
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn transpose2([a, b]: [__m256i; 2]) -> [__m256i; 2] {
    [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b)]
}

/// Up to four blocks of four lanes, from `at` on: register `n` has block `n` of all.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load_tile4(data: *const *mut __m128i, at: usize, steps: usize) -> [__m512i; 4] {
    let mut rows = [_mm512_setzero_si512(); 4];
    for (lane, row) in rows.iter_mut().enumerate() {
        // SAFETY: the lane has the blocks, and no others are read.
        *row = unsafe {
            let place = (*data.add(lane)).add(at).cast::<i64>();
            match steps {
                4 => _mm512_loadu_si512(place.cast()),
                _ => _mm512_maskz_loadu_epi64(HALVES[steps], place),
            }
        };
    }
    quarters(rows)
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store_tile4(data: *const *mut __m128i, at: usize, steps: usize, tile: [__m512i; 4]) {
    for (lane, row) in quarters(tile).into_iter().enumerate() {
        // SAFETY: the lane has the blocks, and no others are written.
        unsafe {
            let place = (*data.add(lane)).add(at).cast::<i64>();
            match steps {
                4 => _mm512_storeu_si512(place.cast(), row),
                _ => _mm512_mask_storeu_epi64(place, HALVES[steps], row),
            }
        }
    }
}

/// A bit for each half of the first blocks of a register.
const HALVES: [u8; 5] = [0x00, 0x03, 0x0f, 0x3f, 0xff];
