use core::arch::x86_64::*;

use zeroize::Zeroize;

use crate::kernel::cpu::AesClmul;

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
    pub(super) round_keys: [[u8; 16]; 15],
    /// 10, 12 or 14.
    pub(super) rounds: usize,
}

impl Key {
    pub(super) fn new(token: AesClmul, key: &[u8]) -> Option<Self> {
        let mut expanded = Self {
            powers: [[0; 16]; TABLE],
            halves: [[0; 16]; TABLE],
            round_keys: [[0; 16]; 15],
            rounds: match key.len() {
                16 => 10,
                24 => 12,
                32 => 14,
                _ => return None,
            },
        };
        let AesClmul { .. } = token;
        // SAFETY: the token says that the processor has the instructions.
        unsafe { expand(&mut expanded, key) };
        Some(expanded)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.powers.zeroize();
        self.halves.zeroize();
        self.round_keys.zeroize();
    }
}

#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
fn expand(expanded: &mut Key, key: &[u8]) {
    schedule(&mut expanded.round_keys, key, expanded.rounds);
    let mut h = load(&expanded.round_keys[0]);
    for round_key in &expanded.round_keys[1..expanded.rounds] {
        h = _mm_aesenc_si128(h, load(round_key));
    }
    h = _mm_aesenclast_si128(h, load(&expanded.round_keys[expanded.rounds]));

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

/// The AES key schedule (FIPS 197 §5.2).
#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
fn schedule(round_keys: &mut [[u8; 16]; 15], key: &[u8], rounds: usize) {
    let words = round_keys.as_flattened_mut();
    words[..key.len()].copy_from_slice(key);
    let mut constant = 1_u8;
    for at in (key.len()..16 * (rounds + 1)).step_by(4) {
        let mut word = [words[at - 4], words[at - 3], words[at - 2], words[at - 1]];
        if at % key.len() == 0 {
            word = substitute(word);
            word.rotate_left(1);
            word[0] ^= constant;
            constant = (constant << 1) ^ ((constant >> 7) * 0x1b);
        } else if key.len() == 32 && at % 32 == 16 {
            word = substitute(word);
        }
        for (i, octet) in word.into_iter().enumerate() {
            words[at + i] = words[at + i - key.len()] ^ octet;
        }
    }
}

/// SubWord: in the last round of AES the rows of four equal columns shift into themselves.
#[target_feature(enable = "aes,pclmulqdq,ssse3,sse4.1")]
fn substitute(word: [u8; 4]) -> [u8; 4] {
    let columns = _mm_set1_epi32(i32::from_ne_bytes(word));
    _mm_cvtsi128_si32(_mm_aesenclast_si128(columns, _mm_setzero_si128())).to_ne_bytes()
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
