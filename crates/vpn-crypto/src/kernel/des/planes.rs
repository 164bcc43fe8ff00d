//! Registers as planes of bits.

use core::arch::x86_64::*;

use super::bitslice::Plane;
use super::gates::Three;
use super::gates::Two;
use super::s_boxes;

/// 256 lanes.
///
/// Values are made and worked at only in functions that a token for AVX2 has let in, into which
/// everything here is inlined. That is why the blocks below are sound.
#[derive(Clone, Copy)]
pub(super) struct Bits256(__m256i);

/// 512 lanes.
///
/// Values are made and worked at only in functions that a token for AVX-512 has let in, into which
/// everything here is inlined. That is why the blocks below are sound.
#[derive(Clone, Copy)]
pub(super) struct Bits512(__m512i);

macro_rules! operation {
    ($($name:ident($($argument:ident),*) = $value:expr;)*) => { $(
        #[inline(always)]
        fn $name(self $(, $argument: Self)*) -> Self {
            // SAFETY: this type's documentation has the reason.
            Self(unsafe { $value(self.0 $(, $argument.0)*) })
        }
    )* };
}

impl Two for Bits256 {
    operation! {
        and(other) = _mm256_and_si256;
        or(other) = _mm256_or_si256;
        xor(other) = _mm256_xor_si256;
        and_not(other) = |a, b| _mm256_andnot_si256(b, a);
        not() = |a| _mm256_xor_si256(a, _mm256_set1_epi8(-1));
    }
}

impl Plane for Bits256 {
    const WORDS: usize = 4;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm256_setzero_si256() })
    }

    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm256_slli_epi64::<N>(self.0) })
    }

    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm256_srli_epi64::<N>(self.0) })
    }

    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm256_set1_epi64x(word.cast_signed()) })
    }

    super::bitslice::two_input_s_boxes!();
}

impl Two for Bits512 {
    operation! {
        and(other) = _mm512_and_si512;
        or(other) = _mm512_or_si512;
        xor(other) = _mm512_xor_si512;
        and_not(other) = |a, b| _mm512_andnot_si512(b, a);
        not() = |a| _mm512_ternarylogic_epi64::<0x55>(a, a, a);
    }
}

impl Three for Bits512 {
    #[inline(always)]
    fn table<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm512_ternarylogic_epi64::<TABLE>(self.0, b.0, c.0) })
    }
}

impl Plane for Bits512 {
    const WORDS: usize = 8;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm512_setzero_si512() })
    }

    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm512_sll_epi64(self.0, _mm_cvtsi32_si128(N)) })
    }

    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm512_srl_epi64(self.0, _mm_cvtsi32_si128(N)) })
    }

    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: this type's documentation has the reason.
        Self(unsafe { _mm512_set1_epi64(word.cast_signed()) })
    }

    #[inline(always)]
    fn s_box(s_box: usize, input: [Self; 6]) -> [Self; 4] {
        match s_box {
            0 => s_boxes::t1(input),
            1 => s_boxes::t2(input),
            2 => s_boxes::t3(input),
            3 => s_boxes::t4(input),
            4 => s_boxes::t5(input),
            5 => s_boxes::t6(input),
            6 => s_boxes::t7(input),
            _ => s_boxes::t8(input),
        }
    }
}

macro_rules! entries {
    ($module:ident, $plane:ident, $features:literal) => {
        pub(super) mod $module {
            use zeroize::Zeroize;

            use super::super::Key;
            use super::super::bitslice;
            use super::super::bitslice::Keys;
            use super::super::bitslice::Plane;
            use super::$plane;

            /// Lanes.
            pub(in super::super) const LANES: usize = 64 * $plane::WORDS;

            /// Rows of words as registers.
            #[inline]
            #[target_feature(enable = $features)]
            fn load(words: &[[u64; $plane::WORDS]; 64]) -> [$plane; 64] {
                // SAFETY: the same size, and every bit pattern is a value of both.
                unsafe { core::mem::transmute_copy(words) }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn store(words: &mut [[u64; $plane::WORDS]; 64], planes: &[$plane; 64]) {
                // SAFETY: the same size, and every bit pattern is a value of both.
                *words = unsafe { core::mem::transmute_copy(planes) };
            }

            /// Makes the planes of keys that as many lanes in turn have as is said beside each.
            #[target_feature(enable = $features)]
            pub(in super::super) fn set_keys<'a>(
                planes: &mut Keys<$plane>,
                keys: impl Iterator<Item = (&'a Key, usize)> + Clone,
            ) {
                let Some((first, _)) = keys.clone().next() else { return };
                if keys.clone().all(|(key, _)| core::ptr::eq(key, first)) {
                    planes.set_all(&first.parts);
                    return;
                }
                let mut rows = [[[0; $plane::WORDS]; 64]; 3];
                let lanes = keys.flat_map(|(key, lanes)| core::iter::repeat_n(key, lanes));
                for (at, key) in lanes.enumerate().take(LANES) {
                    for (rows, part) in rows.iter_mut().zip(&key.parts) {
                        rows.as_flattened_mut()[at] = *part;
                    }
                }
                planes.set(&mut [load(&rows[0]), load(&rows[1]), load(&rows[2])]);
                rows.zeroize();
            }

            #[target_feature(enable = $features)]
            pub(in super::super) fn crypt<const DECRYPT: bool>(
                keys: &Keys<$plane>,
                words: &mut [[u64; $plane::WORDS]; 64],
            ) {
                let mut planes = load(words);
                bitslice::crypt::<_, DECRYPT>(keys, &mut planes);
                store(words, &planes);
            }
        }
    };
}

entries!(bits256, Bits256, "avx2");
entries!(bits512, Bits512, "avx2,avx512f");
