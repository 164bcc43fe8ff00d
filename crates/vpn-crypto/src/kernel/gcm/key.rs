use core::arch::x86_64::*;

use zeroize::Zeroize;

use crate::kernel::aes_schedule::Schedule;
use crate::kernel::cpu::AesClmul;
use crate::kernel::cpu::AesNi;

/// The greatest power of H that the stream needs: for eight registers of four blocks, two blocks
/// that it does not leave alone behind them, and the lengths.
pub(super) const POWERS: usize = 8 * 4 + 2 + 1;

/// Powers and the zeros behind them, which unused lanes of the last register meet.
const TABLE: usize = POWERS + 3;

/// An expanded key.
#[repr(C, align(64))]
pub(crate) struct Key {
    /// The powers of H times x, in the form of POLYVAL: from the greatest to the first, and zeros.
    pub(super) powers: [[u8; 16]; TABLE],
    /// Of each power the sum of its halves, in both halves.
    pub(super) halves: [[u8; 16]; TABLE],
    pub(super) schedule: Schedule,
}

impl Key {
    pub(super) fn new(token: AesClmul, key: &[u8]) -> Option<Self> {
        let mut expanded = Self {
            powers: [[0; 16]; TABLE],
            halves: [[0; 16]; TABLE],
            schedule: Schedule::encrypting(AesNi::new()?, key)?,
        };
        let AesClmul { .. } = token;
        // SAFETY: the token says that the processor has the instructions.
        unsafe { expand(&mut expanded) };
        Some(expanded)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.powers.zeroize();
        self.halves.zeroize();
    }
}

#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
fn expand(expanded: &mut Key) {
    let (keys, rounds) = (expanded.schedule.keys(), expanded.schedule.rounds());
    let mut h = keys[0];
    for round_key in &keys[1..rounds] {
        h = _mm_aesenc_si128(h, *round_key);
    }
    h = _mm_aesenclast_si128(h, keys[rounds]);

    // H times x modulo x^128 + x^127 + x^126 + x^121 + 1, octets reversed.
    let mut octets = [0; 16];
    store(&mut octets, h);
    let h = u128::from_be_bytes(octets);
    let carry = (h >> 127).wrapping_neg() & 0xc200_0000_0000_0000_0000_0000_0000_0001;
    octets = ((h << 1) ^ carry).to_le_bytes();
    let h = load(&octets);
    octets.zeroize();

    let mut power = h;
    for (place, halves) in expanded.powers.iter_mut().zip(&mut expanded.halves).take(POWERS).rev() {
        store(place, power);
        store(halves, _mm_xor_si128(power, _mm_shuffle_epi32::<0x4e>(power)));
        power = product(power, h);
    }
}

/// The product in the field, in the form of POLYVAL.
#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
fn product(a: __m128i, b: __m128i) -> __m128i {
    let poly = _mm_set_epi64x(0, 0xc200_0000_0000_0000_u64.cast_signed());
    let middle =
        _mm_xor_si128(_mm_clmulepi64_si128::<0x01>(a, b), _mm_clmulepi64_si128::<0x10>(a, b));
    let low = _mm_xor_si128(_mm_clmulepi64_si128::<0x00>(a, b), _mm_bslli_si128::<8>(middle));
    let high = _mm_xor_si128(_mm_clmulepi64_si128::<0x11>(a, b), _mm_bsrli_si128::<8>(middle));
    let low =
        _mm_xor_si128(_mm_shuffle_epi32::<0x4e>(low), _mm_clmulepi64_si128::<0x00>(low, poly));
    let low =
        _mm_xor_si128(_mm_shuffle_epi32::<0x4e>(low), _mm_clmulepi64_si128::<0x00>(low, poly));
    _mm_xor_si128(high, low)
}

#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
fn load(octets: &[u8; 16]) -> __m128i {
    // SAFETY: the array has 16 octets, and there is no need of alignment.
    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
}

#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
fn store(octets: &mut [u8; 16], value: __m128i) {
    // SAFETY: the array has 16 octets, and there is no need of alignment.
    unsafe { _mm_storeu_si128(octets.as_mut_ptr().cast(), value) }
}
