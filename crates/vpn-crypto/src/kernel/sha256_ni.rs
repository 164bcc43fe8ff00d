//! SHA-256 with the SHA instructions, over several messages at once.

use core::arch::x86_64::*;

use super::load;
use super::sha256_constants::K;

/// Hashes `blocks` blocks of each of `N` messages, interleaved.
///
/// Each message has at least so many blocks.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(super) fn compress<const N: usize>(
    states: &mut [[u32; 8]; N],
    messages: [&[[u8; 64]]; N],
    blocks: usize,
) {
    let mut all = [Rounds { abef: load::xmm(&[0; 16]), cdgh: load::xmm(&[0; 16]) }; N];
    for (rounds, state) in all.iter_mut().zip(&*states) {
        *rounds = Rounds::new(state);
    }
    for at in 0..blocks {
        let before = all;
        let mut words = [[load::xmm(&[0; 16]); 4]; N];
        for (words, message) in words.iter_mut().zip(messages) {
            *words = block(&message[at]);
        }
        macro_rules! groups {
            ($($group:literal)*) => {$(
                for (rounds, words) in all.iter_mut().zip(&mut words) {
                    rounds.four::<$group>(words);
                }
            )*};
        }
        groups!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for (rounds, before) in all.iter_mut().zip(before) {
            rounds.end(before);
        }
    }
    for (rounds, state) in all.iter().zip(states) {
        *state = rounds.state();
    }
}

/// How many groups of four rounds a block takes.
pub(super) const GROUPS: usize = 16;

/// The words of a block.
#[inline]
#[target_feature(enable = "ssse3")]
pub(super) fn block(octets: &[u8; 64]) -> [__m128i; 4] {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let mut words = [swap; 4];
    for (words, octets) in words.iter_mut().zip(octets.as_chunks().0) {
        *words = _mm_shuffle_epi8(load::xmm(octets), swap);
    }
    words
}

/// The eight words of the state, where the instructions want them.
#[derive(Clone, Copy)]
pub(super) struct Rounds {
    abef: __m128i,
    cdgh: __m128i,
}

impl Rounds {
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    pub(super) fn new(&[a, b, c, d, e, f, g, h]: &[u32; 8]) -> Self {
        let badc = _mm_shuffle_epi32::<0xb1>(load::words(&[a, b, c, d]));
        let hgfe = _mm_shuffle_epi32::<0x1b>(load::words(&[e, f, g, h]));
        Self { abef: _mm_alignr_epi8::<8>(badc, hgfe), cdgh: _mm_blend_epi16::<0xf0>(hgfe, badc) }
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    pub(super) fn state(&self) -> [u32; 8] {
        let feba = _mm_shuffle_epi32::<0x1b>(self.abef);
        let dchg = _mm_shuffle_epi32::<0xb1>(self.cdgh);
        let mut state = [0; 8];
        if let [first, second] = state.as_chunks_mut().0 {
            load::store_words(first, _mm_blend_epi16::<0xf0>(feba, dchg));
            load::store_words(second, _mm_alignr_epi8::<8>(dchg, feba));
        }
        state
    }

    /// Four rounds, the group `GROUP` of sixteen (FIPS 180-4 §6.2.2).
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    pub(super) fn four<const GROUP: usize>(&mut self, words: &mut [__m128i; 4]) {
        let [w0, w1, w2, w3] = [
            words[GROUP % 4],
            words[(GROUP + 1) % 4],
            words[(GROUP + 2) % 4],
            words[(GROUP + 3) % 4],
        ];
        let word = if GROUP < 4 {
            w0
        } else {
            let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
            _mm_sha256msg2_epu32(sum, w3)
        };
        words[GROUP % 4] = word;
        let [k0, k1, k2, k3] = K[GROUP].map(u32::cast_signed);
        let sum = _mm_add_epi32(word, _mm_set_epi32(k3, k2, k1, k0));
        // Two rounds turn ABEF into the next CDGH, as it were.
        self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, sum);
        self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, _mm_shuffle_epi32::<0x0e>(sum));
    }

    /// The groups of rounds from `FROM` up to `TO`.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    pub(super) fn fours<const FROM: usize, const TO: usize>(&mut self, words: &mut [__m128i; 4]) {
        macro_rules! groups {
            ($($group:literal)*) => {$(
                if FROM <= $group && $group < TO {
                    self.four::<$group>(words);
                }
            )*};
        }
        groups!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    }

    /// Adds the state from before the block.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(super) fn end(&mut self, before: Self) {
        self.abef = _mm_add_epi32(self.abef, before.abef);
        self.cdgh = _mm_add_epi32(self.cdgh, before.cdgh);
    }
}
