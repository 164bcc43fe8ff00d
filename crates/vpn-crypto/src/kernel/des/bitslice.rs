//! Triple DES by bit slices: as many blocks at once as a register has bits.
//!
//! A *plane* has one bit of every block. Permutations only rename planes, and the S-boxes are
//! circuits, so nothing is looked up and the time depends on nothing but the number of blocks.
//! Round keys are planes of the raw key bits under other names as well, so that each lane may have
//! a key of its own.

use super::gates::Two;
use super::s_boxes;
use super::tables;

/// A register as slices: a bit for each of `64 * WORDS` blocks.
pub(super) trait Plane: Two {
    /// Words of 64 lanes.
    const WORDS: usize;

    fn zero() -> Self;
    fn shift_left<const N: i32>(self) -> Self;
    fn shift_right<const N: i32>(self) -> Self;
    fn splat(word: u64) -> Self;
    /// S-box `s_box`, from 0.
    fn s_box(s_box: usize, input: [Self; 6]) -> [Self; 4];
}

/// S-boxes of two-input gates.
macro_rules! two_input_s_boxes {
    () => {
        #[inline(always)]
        fn s_box(s_box: usize, input: [Self; 6]) -> [Self; 4] {
            match s_box {
                0 => s_boxes::s1(input),
                1 => s_boxes::s2(input),
                2 => s_boxes::s3(input),
                3 => s_boxes::s4(input),
                4 => s_boxes::s5(input),
                5 => s_boxes::s6(input),
                6 => s_boxes::s7(input),
                _ => s_boxes::s8(input),
            }
        }
    };
}
pub(super) use two_input_s_boxes;

impl Two for u64 {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self & !other
    }

    #[inline(always)]
    fn not(self) -> Self {
        !self
    }
}

impl Plane for u64 {
    const WORDS: usize = 1;

    #[inline(always)]
    fn zero() -> Self {
        0
    }

    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        self << N
    }

    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        self >> N
    }

    #[inline(always)]
    fn splat(word: u64) -> Self {
        word
    }

    two_input_s_boxes!();
}

/// Which of the 168 key planes, 56 for each key in the order of the key's bits from 0 without the
/// parity bits, stands at each place of the round keys: to encrypt with.
static KEY_PLANES: [[u8; 48]; 48] = {
    let mut planes = [[0; 48]; 48];
    let mut at = 0;
    while at < 48 * 48 {
        let (round, place) = (at / 48, at % 48);
        let part = round / 16;
        // The second DES decrypts.
        let inner = if part == 1 { 15 - round % 16 } else { round % 16 };
        let choice = tables::CHOICE_2[place] as usize - 1;
        let (half, turned) = (choice / 28 * 28, choice % 28 + tables::ROTATED[inner]);
        let bit = tables::CHOICE_1[half + turned % 28] as usize - 1;
        planes[round][place] = (56 * part + bit / 8 * 7 + bit % 8) as u8;
        at += 1;
    }
    planes
};

/// Where each place of P's output comes from, inverted: where each bit of the S-boxes' output goes.
static P_PLACES: [u8; 32] = {
    let mut places = [0; 32];
    let mut at = 0;
    while at < 32 {
        places[tables::P[at] as usize - 1] = at as u8;
        at += 1;
    }
    places
};

/// The bits of 64 words as the words of 64 bits, in each word of the planes: row 0 and the most
/// significant bit are first.
#[inline(always)]
fn transpose<P: Plane>(rows: &mut [P; 64]) {
    macro_rules! stage {
        ($distance:literal, $mask:literal) => {
            let mask = P::splat($mask);
            for pairs in rows.chunks_exact_mut(2 * $distance) {
                let (upper, lower) = pairs.split_at_mut($distance);
                for (a, b) in upper.iter_mut().zip(lower) {
                    let exchanged = a.xor(b.shift_right::<$distance>()).and(mask);
                    *a = a.xor(exchanged);
                    *b = b.xor(exchanged.shift_left::<$distance>());
                }
            }
        };
    }
    stage!(32, 0x0000_0000_ffff_ffff);
    stage!(16, 0x0000_ffff_0000_ffff);
    stage!(8, 0x00ff_00ff_00ff_00ff);
    stage!(4, 0x0f0f_0f0f_0f0f_0f0f);
    stage!(2, 0x3333_3333_3333_3333);
    stage!(1, 0x5555_5555_5555_5555);
}

/// The key planes of as many lanes.
pub(super) struct Keys<P>([P; 168]);

impl<P: Plane> Keys<P> {
    pub(super) fn new() -> Self {
        Self([P::zero(); 168])
    }

    /// From the three parts of each lane's key: word `w` of row `r` is the key of lane
    /// `r * P::WORDS + w`.
    #[inline(always)]
    pub(super) fn set(&mut self, parts: &mut [[P; 64]; 3]) {
        for (planes, rows) in self.0.chunks_exact_mut(56).zip(parts) {
            transpose(rows);
            for (planes, rows) in planes.chunks_exact_mut(7).zip(rows.chunks_exact(8)) {
                for (plane, row) in planes.iter_mut().zip(rows) {
                    *plane = *row;
                }
            }
        }
    }

    /// From one key for all lanes.
    #[inline(always)]
    pub(super) fn set_all(&mut self, key: &[u64; 3]) {
        for (planes, part) in self.0.chunks_exact_mut(56).zip(key) {
            for (planes, octet) in planes.chunks_exact_mut(7).zip(part.to_be_bytes()) {
                for (place, plane) in planes.iter_mut().enumerate() {
                    *plane = P::splat((u64::from(octet) >> (7 - place) & 1).wrapping_neg());
                }
            }
        }
    }
}

/// Encrypts or decrypts 64 rows of blocks, big-endian.
#[inline(always)]
pub(super) fn crypt<P: Plane, const DECRYPT: bool>(keys: &Keys<P>, rows: &mut [P; 64]) {
    transpose(rows);
    let (mut left, mut right) = ([P::zero(); 32], [P::zero(); 32]);
    for (place, from) in left.iter_mut().chain(&mut right).zip(tables::INITIAL) {
        *place = rows[usize::from(from) - 1];
    }
    for des in 0..3 {
        for pair in 0..8 {
            let round = 16 * des + 2 * pair;
            let (first, second) =
                if DECRYPT { (47 - round, 46 - round) } else { (round, round + 1) };
            self::round(keys, &KEY_PLANES[first], &mut left, &right);
            self::round(keys, &KEY_PLANES[second], &mut right, &left);
        }
        core::mem::swap(&mut left, &mut right);
    }
    // The halves have been exchanged after the last round too, which makes the pre-output.
    for (place, to) in left.iter().chain(&right).zip(tables::INITIAL) {
        rows[usize::from(to) - 1] = *place;
    }
    transpose(rows);
}

/// One round: adds the S-boxes' output for `goes_in` to `changed`.
#[inline(always)]
fn round<P: Plane>(keys: &Keys<P>, names: &[u8; 48], changed: &mut [P; 32], goes_in: &[P; 32]) {
    macro_rules! s_box {
        ($($s_box:literal)*) => { $(
            let mut input = [P::zero(); 6];
            for (bit, place) in input.iter_mut().enumerate() {
                let key = keys.0[usize::from(names[6 * $s_box + bit])];
                *place = goes_in[tables::expand($s_box, bit)].xor(key);
            }
            for (bit, output) in P::s_box($s_box, input).into_iter().enumerate() {
                let place = &mut changed[usize::from(P_PLACES[4 * $s_box + bit])];
                *place = place.xor(output);
            }
        )* };
    }
    s_box!(0 1 2 3 4 5 6 7);
}
