//! Sixteen lanes of 32-bit words in registers of 512 bits.

use core::arch::asm;
use core::arch::x86_64::*;

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

/// Loads 64 octets.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(octets: &[u8; 64]) -> __m512i {
    // SAFETY: the array is 64 octets that may be read, and the load has no alignment.
    unsafe { _mm512_loadu_si512(octets.as_ptr().cast()) }
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
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn words(lanes: &[&[[u8; 64]]; 16], at: usize) -> Words {
    let swap = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
    let mut rows = [swap; 16];
    for (row, blocks) in rows.iter_mut().zip(lanes) {
        *row = _mm512_shuffle_epi8(load(&blocks[at]), swap);
    }
    transpose(rows)
}

/// Rows to columns, a matrix of 16 by 16 words.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: Words) -> Words {
    // Pairs of rows, then fours of them, within each 128-bit quarter.
    let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, ra, rb, rc, rd, re, rf] = rows;
    let a = four(r0, r1, r2, r3);
    let b = four(r4, r5, r6, r7);
    let c = four(r8, r9, ra, rb);
    let d = four(rc, rd, re, rf);
    // Quarter q of a[i] has the words 4q+i of rows 0 to 3: gather equal quarters.
    let [w0, w4, w8, wc] = quarters([a[0], b[0], c[0], d[0]]);
    let [w1, w5, w9, wd] = quarters([a[1], b[1], c[1], d[1]]);
    let [w2, w6, wa, we] = quarters([a[2], b[2], c[2], d[2]]);
    let [w3, w7, wb, wf] = quarters([a[3], b[3], c[3], d[3]]);
    [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, wa, wb, wc, wd, we, wf]
}

/// Transposes each 128-bit quarter as a matrix of 4 by 4 words.
#[inline]
#[target_feature(enable = "avx512f")]
fn four(r0: __m512i, r1: __m512i, r2: __m512i, r3: __m512i) -> [__m512i; 4] {
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
