//! Registers from octets and back, without alignment.

use core::arch::x86_64::*;

/// Loads 16 octets.
#[inline(always)]
pub(super) fn xmm(octets: &[u8; 16]) -> __m128i {
    // SAFETY: the array may be read, the load has no alignment, and x86-64 has SSE2.
    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
}

/// Stores 16 octets.
#[inline(always)]
pub(super) fn store_xmm(octets: &mut [u8; 16], value: __m128i) {
    // SAFETY: the array may be written, the store has no alignment, and x86-64 has SSE2.
    unsafe { _mm_storeu_si128(octets.as_mut_ptr().cast(), value) }
}

/// Loads four words.
#[inline(always)]
pub(super) fn words(words: &[u32; 4]) -> __m128i {
    // SAFETY: the array may be read, the load has no alignment, and x86-64 has SSE2.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

/// Stores four words.
#[inline(always)]
pub(super) fn store_words(words: &mut [u32; 4], value: __m128i) {
    // SAFETY: the array may be written, the store has no alignment, and x86-64 has SSE2.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), value) }
}
