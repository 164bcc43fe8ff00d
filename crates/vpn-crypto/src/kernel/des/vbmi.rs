//! Triple DES by look-ups in registers: AVX-512 VBMI.
//!
//! `vpermi2b` looks 64 octets up in a table of 128 at once, in the same time whatever they are. A
//! block is a lane of 64 bits. Each half is kept as E expands it: an octet for each S-box, with six
//! bits. Two look-ups, whose tables share the bits of all S-boxes, are the S-boxes of a round for
//! eight blocks, and `vpmultishiftqb`, which gives each octet eight bits of its lane from anywhere,
//! does P and E together, bit by bit.
//!
//! This is also how one packet alone is encrypted, a chain of 48 rounds a block: the latency of a
//! round is about that of table code, without its tables in memory.

use core::arch::x86_64::*;

use super::Lane;
use super::Piece;
use super::schedule::ROUNDS;
use super::schedule::Schedule;
use super::tables;

/// Blocks in a register.
pub(super) const LANES: usize = 8;

/// For each bit of the S-boxes' output, from the first, whether it is in the second table. For each
/// S-box three of the six bits that go in come from each table, and half a table has eight bits of
/// four S-boxes: found by trial, checked by [`PLACES`] and [`P_THEN_E`].
const IN_SECOND: u32 = 0x5e70_61ea;

/// For each octet, which half of the tables it is looked up in.
const UPPER: u64 = 0x4040_0000_4040_0000;

/// Where in the octet of its S-box each output bit stands, in its table.
const PLACES: [u8; 32] = {
    let mut places = [0; 32];
    let mut used = [[0; 2]; 2];
    let mut at = 0;
    while at < 32 {
        let used = &mut used[(IN_SECOND >> at & 1) as usize][at / 8 % 2];
        places[at] = *used;
        *used += 1;
        assert!(*used <= 8);
        at += 1;
    }
    places
};

/// Two tables that every octet is looked up in. Each has 64 octets for S-boxes 1, 2, 5 and 6 and 64
/// for the others, and in an octet of these two bits on average of what each S-box gives.
static TABLES: [[[u8; 64]; 2]; 2] = {
    let mut tables = [[[0; 64]; 2]; 2];
    let mut at = 0;
    while at < 32 * 64 {
        let (bit, input) = (at / 64, at % 64);
        let value = tables::substitute(bit / 4, input as u8) >> (3 - bit % 4) & 1;
        tables[(IN_SECOND >> bit & 1) as usize][bit / 8 % 2][input] |= value << PLACES[bit];
        at += 1;
    }
    tables
};

/// Where the bit that goes to bit `to` begins, if it comes from bit `from` of the lane.
const fn shift(from: usize, to: usize) -> u8 {
    ((from + 64 - to) % 64) as u8
}

/// P and then E: three times from each table, where each octet of the lane takes a bit from, and
/// which bit of it that becomes.
static P_THEN_E: [[([u8; 8], [u8; 8]); 3]; 2] = {
    let mut steps = [[([0; 8], [0; 8]); 3]; 2];
    let mut at = 0;
    while at < 8 {
        let mut taken = [0; 2];
        let mut bit = 0;
        while bit < 6 {
            let from = tables::P[tables::expand(at, bit)] as usize - 1;
            let table = (IN_SECOND >> from & 1) as usize;
            let step = &mut steps[table][taken[table]];
            step.0[at] = shift(8 * (from / 4) + PLACES[from] as usize, 5 - bit);
            step.1[at] = 1 << (5 - bit);
            taken[table] += 1;
            bit += 1;
        }
        at += 1;
    }
    steps
};

/// E of a half that stands twice in the lane, the first bit most significant: its octets are
/// runs of bits.
const EXPANSION: u64 = {
    let mut octets = [0; 8];
    let mut s_box = 0;
    while s_box < 8 {
        octets[s_box] = ((64 + 27 - 4 * s_box) % 64) as u8;
        s_box += 1;
    }
    u64::from_le_bytes(octets)
};

/// The bits of a half at the even octets of the lane, of the same half expanded.
static CONTRACTION: [[u8; 8]; 8] = {
    let mut table = [[0; 8]; 8];
    let mut bit = 0;
    while bit < 32 {
        let (octet, to) = (2 * (bit / 8), 7 - bit % 8);
        table[to][octet] = shift(8 * (bit / 4) + 4 - bit % 4, to);
        bit += 1;
    }
    table
};

/// Key steps: see [`Steps::new`].
pub(super) const STEPS: usize = ROUNDS + 4;

/// A schedule as it is added to the halves, wiped on drop with the key that it is in.
///
/// The halves are kept with the round key already added that they will need when they are next
/// put into the S-boxes. So what is added in a round is the sum of two round keys, in the same
/// instruction that adds the S-boxes' output.
pub(crate) struct Steps(pub(super) [[u64; 1]; STEPS]);

const START: usize = ROUNDS;
const TURN_1: usize = ROUNDS + 1;
const TURN_2: usize = ROUNDS + 2;
const END: usize = ROUNDS + 3;

impl Steps {
    pub(super) fn new(schedule: &Schedule) -> Self {
        let mut steps = [[0]; STEPS];
        let mut keys = *schedule.round_keys();
        for key in &mut keys {
            *key |= UPPER;
        }
        steps[START] = [keys[0]];
        // What has been added to the half that is changed, and to the half that goes in.
        let (mut changed, mut goes_in) = (0, keys[0]);
        for round in 0..ROUNDS {
            if round % 16 == 15 && round + 1 < ROUNDS {
                // The halves do not change places between two DES: this half is changed again.
                let turn = if round == 15 { TURN_1 } else { TURN_2 };
                steps[turn] = [goes_in ^ keys[round + 1]];
                goes_in = keys[round + 1];
            } else {
                let next = keys.get(round + 1).copied().unwrap_or(0);
                steps[round] = [changed ^ next];
                (changed, goes_in) = (goes_in, next);
            }
        }
        // After the last round the halves have changed places in this account.
        steps[END] = [changed];
        let steps = Self(steps);
        zeroize::Zeroize::zeroize(&mut keys);
        steps
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// The steps of eight keys, one for each lane.
pub(super) type Rows = [[u64; LANES]; STEPS];

/// What does not change from block to block.
struct Constants {
    tables: [[__m512i; 2]; 2],
    shifts: [[__m512i; 3]; 2],
    bits: [[__m512i; 3]; 2],
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn constants() -> Constants {
    let mut tables = [[_mm512_setzero_si512(); 2]; 2];
    for (register, half) in tables.as_flattened_mut().iter_mut().zip(TABLES.as_flattened()) {
        // SAFETY: the array has 64 octets, and there is no need of alignment.
        *register = unsafe { _mm512_loadu_si512(half.as_ptr().cast()) };
    }
    Constants {
        tables,
        shifts: P_THEN_E.map(|steps| steps.map(|(shifts, _)| octets(&shifts))),
        bits: P_THEN_E.map(|steps| steps.map(|(_, bits)| octets(&bits))),
    }
}

/// The same eight octets in each lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn octets(octets: &[u8; 8]) -> __m512i {
    _mm512_set1_epi64(i64::from_le_bytes(*octets))
}

/// The bits of `a` where `mask` has ones, else of `b`.
#[inline]
#[target_feature(enable = "avx512f")]
fn select(mask: __m512i, a: __m512i, b: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0xca>(mask, a, b)
}

/// Adds to `sum` the bits of `a` where `mask` has ones.
#[inline]
#[target_feature(enable = "avx512f")]
fn add_some(sum: __m512i, a: __m512i, mask: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0x78>(sum, a, mask)
}

/// The step of one key for all lanes, or of eight keys.
#[inline]
#[target_feature(enable = "avx512f")]
fn step<const K: usize>(steps: &[[u64; K]; STEPS], at: usize) -> __m512i {
    let row = &steps[at];
    if K == LANES {
        // SAFETY: the row has eight words, and there is no need of alignment.
        unsafe { _mm512_loadu_si512(row.as_ptr().cast()) }
    } else {
        _mm512_set1_epi64(row[0].cast_signed())
    }
}

/// The 48 rounds over `N` registers of blocks, whose halves are expanded. `K` is 1 where the lanes
/// of a register share a key, else 8.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn rounds<const N: usize, const K: usize>(
    constants: &Constants,
    steps: [&[[u64; K]; STEPS]; N],
    left: &mut [__m512i; N],
    right: &mut [__m512i; N],
) {
    macro_rules! round {
        ($changed:ident, $goes_in:ident, $at:expr) => {
            for i in 0..N {
                let [[a0, a1], [b0, b1]] = constants.tables;
                let a = _mm512_permutex2var_epi8(a0, $goes_in[i], a1);
                let b = _mm512_permutex2var_epi8(b0, $goes_in[i], b1);
                // A tree, so that it does not matter which bits are there first.
                let [[x0, x1, x2], [y0, y1, y2]] = constants.shifts;
                let [[m0, m1, m2], [n0, n1, n2]] = constants.bits;
                let x0 = _mm512_multishift_epi64_epi8(x0, a);
                let y0 = _mm512_multishift_epi64_epi8(y0, b);
                let x1 = _mm512_multishift_epi64_epi8(x1, a);
                let y1 = _mm512_multishift_epi64_epi8(y1, b);
                let x2 = _mm512_multishift_epi64_epi8(x2, a);
                let y2 = _mm512_multishift_epi64_epi8(y2, b);
                let sum = _mm512_xor_si512($changed[i], step(steps[i], $at));
                let sum = add_some(sum, select(m0, x0, y0), _mm512_or_si512(m0, n0));
                let rest = select(_mm512_or_si512(m1, n1), select(m1, x1, y1), select(m2, x2, y2));
                let bits = _mm512_ternarylogic_epi64::<0xfe>(m1, n1, _mm512_or_si512(m2, n2));
                $changed[i] = add_some(sum, rest, bits);
            }
        };
    }
    macro_rules! des {
        ($first:ident, $second:ident, $from:literal) => {
            for at in 0..8 {
                round!($first, $second, $from + 2 * at);
                round!($second, $first, $from + 2 * at + 1);
            }
        };
    }
    macro_rules! turn {
        ($half:ident, $at:expr) => {
            for i in 0..N {
                $half[i] = _mm512_xor_si512($half[i], step(steps[i], $at));
            }
        };
    }
    turn!(right, START);
    des!(left, right, 0);
    turn!(left, TURN_1);
    des!(right, left, 16);
    turn!(right, TURN_2);
    des!(left, right, 32);
    turn!(left, END);
}

/// The halves of blocks after the initial permutation, expanded.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn split(blocks: __m512i) -> (__m512i, __m512i) {
    // The permutation takes the blocks' octets for rows of bits from the last to the first, and
    // the halves' octets are columns of them. A product with single bits takes columns.
    let rows = _mm512_shuffle_epi8(blocks, reversal());
    let half = |columns: u32| {
        let columns = _mm512_set1_epi32(columns.cast_signed());
        let half = _mm512_gf2p8affine_epi64_epi8::<0>(columns, rows);
        let runs = _mm512_multishift_epi64_epi8(_mm512_set1_epi64(EXPANSION.cast_signed()), half);
        _mm512_and_si512(runs, _mm512_set1_epi8(0x3f))
    };
    (half(0x4010_0401), half(0x8020_0802))
}

/// The blocks before the final permutation has been done, from halves that are expanded. The right
/// half comes first, since the last round does not exchange them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn join(left: __m512i, right: __m512i) -> __m512i {
    let mut contracted = [left, right];
    for half in &mut contracted {
        let mut bits = [*half; 8];
        for (bit, shifts) in bits.iter_mut().zip(&CONTRACTION) {
            *bit = _mm512_multishift_epi64_epi8(octets(shifts), *half);
        }
        let [b0, b1, b2, b3, b4, b5, b6, b7] = bits;
        let select = |mask: i8, a, b| select(_mm512_set1_epi8(mask), a, b);
        let low = select(0x03, select(0x01, b0, b1), select(0x04, b2, b3));
        let high = select(0x30, select(0x10, b4, b5), select(0x40, b6, b7));
        *half = select(0x0f, low, high);
    }
    let [left, right] = contracted;
    // Rows of the final permutation: octets of both halves in turn. Their columns are the block.
    let rows = _mm512_mask_shuffle_epi8(left, 0xaaaa_aaaa_aaaa_aaaa, right, from_even());
    let columns = _mm512_set1_epi64(0x8040_2010_0804_0201_u64.cast_signed());
    _mm512_gf2p8affine_epi64_epi8::<0>(columns, rows)
}

/// Turns the octets of each lane round.
#[inline]
#[target_feature(enable = "avx512f")]
fn reversal() -> __m512i {
    _mm512_set4_epi32(0x0809_0a0b, 0x0c0d_0e0f, 0x0001_0203, 0x0405_0607)
}

/// Puts each even octet behind itself.
#[inline]
#[target_feature(enable = "avx512f")]
fn from_even() -> __m512i {
    _mm512_set4_epi32(0x0e0e_0c0c, 0x0a0a_0808, 0x0606_0404, 0x0202_0000)
}

/// Encrypts the next `blocks` blocks of each lane in CBC mode.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
pub(super) fn encrypt<const N: usize, const K: usize>(
    steps: [&[[u64; K]; STEPS]; N],
    lanes: &mut [Lane<'_>],
    blocks: usize,
) {
    let constants = constants();
    let (mut left, mut right) = ([_mm512_setzero_si512(); N], [_mm512_setzero_si512(); N]);
    let mut words = [[0_u64; LANES]; N];
    for (word, lane) in words.as_flattened_mut().iter_mut().zip(&*lanes) {
        let first = lane.data.first().map_or(0, |block| u64::from_le_bytes(*block));
        *word = u64::from_le_bytes(lane.before) ^ first;
    }
    let mut next = words.map(|words| split(load(&words)));
    for at in 0..blocks {
        for i in 0..N {
            // The ciphertext before is added as the halves that it was made of.
            let before = (left[i], right[i]);
            left[i] = _mm512_xor_si512(next[i].0, before.1);
            right[i] = _mm512_xor_si512(next[i].1, before.0);
        }
        // What comes next does not wait for what comes out.
        for (word, lane) in words.as_flattened_mut().iter_mut().zip(&*lanes) {
            *word = lane.data.get(at + 1).map_or(0, |block| u64::from_le_bytes(*block));
        }
        for i in 0..N {
            next[i] = split(load(&words[i]));
        }
        rounds(&constants, steps, &mut left, &mut right);
        for i in 0..N {
            store(&mut words[i], join(left[i], right[i]));
        }
        for (word, lane) in words.as_flattened_mut().iter_mut().zip(&mut *lanes) {
            lane.data[at] = word.to_le_bytes();
        }
    }
}

/// Decrypts pieces of up to eight blocks in CBC mode, each with a key of its own.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
pub(super) fn decrypt<const N: usize>(pieces: [&mut Piece<'_>; N]) {
    let constants = constants();
    let mut steps = [&pieces[0].key.steps.0; N];
    let (mut left, mut right) = ([_mm512_setzero_si512(); N], [_mm512_setzero_si512(); N]);
    let mut before = left;
    for (i, piece) in pieces.iter().enumerate() {
        steps[i] = &piece.key.steps.0;
        let mut words = [0; LANES];
        for (word, block) in words.iter_mut().zip(&*piece.blocks) {
            *word = u64::from_le_bytes(*block);
        }
        let ciphertext = load(&words);
        let first = _mm512_set1_epi64(i64::from_le_bytes(piece.before));
        before[i] = _mm512_alignr_epi64::<7>(ciphertext, first);
        (left[i], right[i]) = split(ciphertext);
    }
    rounds(&constants, steps, &mut left, &mut right);
    for (i, piece) in pieces.into_iter().enumerate() {
        let mut words = [0; LANES];
        store(&mut words, _mm512_xor_si512(join(left[i], right[i]), before[i]));
        for (word, block) in words.iter().zip(&mut *piece.blocks) {
            *block = word.to_le_bytes();
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(words: &[u64; LANES]) -> __m512i {
    // SAFETY: the array has 64 octets, and there is no need of alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(words: &mut [u64; LANES], value: __m512i) {
    // SAFETY: the array has 64 octets, and there is no need of alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), value) }
}
