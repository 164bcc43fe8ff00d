//! Sixteen lanes of 32-bit words in registers of 512 bits.

use core::arch::asm;
use core::arch::x86_64::*;

use super::load;

/// Word `t` of sixteen messages in one register.
pub(super) type Words = [__m512i; 16];

/// Gives `value` back, and keeps the compiler from moving what makes it behind what comes later:
/// left alone it finishes one chain of rounds before it begins the next, to save registers.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn in_order(mut value: __m512i) -> __m512i {
    // SAFETY: no instruction is added, and nothing but the register is named.
    unsafe {
        asm!("/* {0} */", inout(zmm_reg) value, options(nomem, nostack, preserves_flags));
    }
    value
}

/// Loads one word for each lane.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_words(words: &[u32; 16]) -> __m512i {
    // SAFETY: the array is 64 octets that may be read, and the load has no alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

/// Stores one word for each lane.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store_words(words: &mut [u32; 16], value: __m512i) {
    // SAFETY: the array is 64 octets that may be written, and the store has no alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), value) }
}

/// The big-endian words of block `at` of each lane, as columns.
///
/// Four lanes lie in the quarters of a register as they are loaded, and what remains is to transpose
/// the quarters.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn words(lanes: &[&[[u8; 64]]; 16], at: usize) -> Words {
    let swap = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
    let mut words = [swap; 16];
    for (quarter, words) in words.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let part = |lane: usize| load::xmm(&lanes[lane][at].as_chunks().0[quarter]);
        let mut rows = [swap; 4];
        for (lane, row) in rows.iter_mut().enumerate() {
            let parts = _mm512_castsi128_si512(part(lane));
            let parts = _mm512_inserti32x4::<1>(parts, part(lane + 4));
            let parts = _mm512_inserti32x4::<2>(parts, part(lane + 8));
            let parts = _mm512_inserti32x4::<3>(parts, part(lane + 12));
            *row = _mm512_shuffle_epi8(parts, swap);
        }
        *words = transpose(rows);
    }
    words
}

/// Transposes each 128-bit quarter as a matrix of 4 by 4 words.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose([r0, r1, r2, r3]: [__m512i; 4]) -> [__m512i; 4] {
    let low01 = _mm512_unpacklo_epi32(r0, r1);
    let high01 = _mm512_unpackhi_epi32(r0, r1);
    let low23 = _mm512_unpacklo_epi32(r2, r3);
    let high23 = _mm512_unpackhi_epi32(r2, r3);
    [
        _mm512_unpacklo_epi64(low01, low23),
        _mm512_unpackhi_epi64(low01, low23),
        _mm512_unpacklo_epi64(high01, high23),
        _mm512_unpackhi_epi64(high01, high23),
    ]
}

/// Transposes a matrix of 4 by 4 quarters.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn quarters([r0, r1, r2, r3]: [__m512i; 4]) -> [__m512i; 4] {
    let low01 = _mm512_shuffle_i32x4::<0x44>(r0, r1);
    let high01 = _mm512_shuffle_i32x4::<0xee>(r0, r1);
    let low23 = _mm512_shuffle_i32x4::<0x44>(r2, r3);
    let high23 = _mm512_shuffle_i32x4::<0xee>(r2, r3);
    [
        _mm512_shuffle_i32x4::<0x88>(low01, low23),
        _mm512_shuffle_i32x4::<0xdd>(low01, low23),
        _mm512_shuffle_i32x4::<0x88>(high01, high23),
        _mm512_shuffle_i32x4::<0xdd>(high01, high23),
    ]
}

/// `compress` for a hash function of `$words` words, over the function `block` beside it: hashes
/// `blocks` blocks of each of `16 * G` lanes, each of which has at least so many.
macro_rules! compress {
    ($words:literal) => {
        #[target_feature(enable = "avx512f,avx512bw")]
        pub(super) fn compress<const G: usize>(
            states: &mut [[[u32; 16]; $words]; 2],
            lanes: &[[&[[u8; 64]]; 16]; 2],
            blocks: usize,
        ) {
            let mut state = [[_mm512_setzero_si512(); $words]; G];
            for (state, words) in state.iter_mut().zip(&*states) {
                for (state, words) in state.iter_mut().zip(words) {
                    *state = $crate::kernel::wide::load_words(words);
                }
            }
            for at in 0..blocks {
                let mut words = [[_mm512_setzero_si512(); 16]; G];
                for (words, lanes) in words.iter_mut().zip(lanes) {
                    *words = $crate::kernel::wide::words(lanes, at);
                }
                block(&mut state, &mut words);
            }
            for (state, words) in state.iter().zip(states) {
                for (state, words) in state.iter().zip(words) {
                    $crate::kernel::wide::store_words(words, *state);
                }
            }
        }
    };
}

pub(super) use compress;
