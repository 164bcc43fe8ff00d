//! SHA-1 with the SHA instructions, over several messages at once.

use core::arch::x86_64::*;

use super::load;

/// Hashes `blocks` blocks of each of `N` messages, interleaved: the rounds of one message are a
/// chain, in which an instruction could begin every other cycle and ends after six.
///
/// Each message has at least so many blocks.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(super) fn compress<const N: usize>(
    states: &mut [[u32; 5]; N],
    messages: [&[[u8; 64]]; N],
    blocks: usize,
) {
    let mut all = [Rounds { abcd: load::xmm(&[0; 16]), e: load::xmm(&[0; 16]) }; N];
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
        groups!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
        for (rounds, before) in all.iter_mut().zip(before) {
            rounds.end(before);
        }
    }
    for (rounds, state) in all.iter().zip(states) {
        *state = rounds.state();
    }
}

/// How many groups of four rounds a block takes.
pub(super) const GROUPS: usize = 20;

/// The words of a block.
#[inline]
#[target_feature(enable = "ssse3")]
pub(super) fn block(octets: &[u8; 64]) -> [__m128i; 4] {
    let swap = _mm_set_epi64x(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f);
    let mut words = [swap; 4];
    for (words, octets) in words.iter_mut().zip(octets.as_chunks().0) {
        *words = _mm_shuffle_epi8(load::xmm(octets), swap);
    }
    words
}

/// The five words of the state, where the instructions want them: A on top, and E on top of a
/// register of its own, in which the round before also leaves what it must still add.
#[derive(Clone, Copy)]
pub(super) struct Rounds {
    abcd: __m128i,
    e: __m128i,
}

impl Rounds {
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(super) fn new(&[a, b, c, d, e]: &[u32; 5]) -> Self {
        let abcd = _mm_shuffle_epi32::<0x1b>(load::words(&[a, b, c, d]));
        Self { abcd, e: _mm_set_epi32(e.cast_signed(), 0, 0, 0) }
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(super) fn state(&self) -> [u32; 5] {
        let mut words = [0; 4];
        load::store_words(&mut words, _mm_shuffle_epi32::<0x1b>(self.abcd));
        let [a, b, c, d] = words;
        [a, b, c, d, _mm_extract_epi32::<3>(self.e).cast_unsigned()]
    }

    /// Four rounds, the group `GROUP` of twenty (FIPS 180-4 §6.1.2).
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
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
            _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w0, w1), w2), w3)
        };
        words[GROUP % 4] = word;
        let sum = if GROUP == 0 {
            _mm_add_epi32(self.e, word)
        } else {
            _mm_sha1nexte_epu32(self.e, word)
        };
        self.e = self.abcd;
        self.abcd = match GROUP / 5 {
            0 => _mm_sha1rnds4_epu32::<0>(self.abcd, sum),
            1 => _mm_sha1rnds4_epu32::<1>(self.abcd, sum),
            2 => _mm_sha1rnds4_epu32::<2>(self.abcd, sum),
            _ => _mm_sha1rnds4_epu32::<3>(self.abcd, sum),
        };
    }

    /// The groups of rounds from `FROM` up to `TO`.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(super) fn fours<const FROM: usize, const TO: usize>(&mut self, words: &mut [__m128i; 4]) {
        macro_rules! groups {
            ($($group:literal)*) => {$(
                if FROM <= $group && $group < TO {
                    self.four::<$group>(words);
                }
            )*};
        }
        groups!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
    }

    /// Adds the state from before the block.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(super) fn end(&mut self, before: Self) {
        self.e = _mm_sha1nexte_epu32(self.e, before.e);
        self.abcd = _mm_add_epi32(self.abcd, before.abcd);
    }
}
