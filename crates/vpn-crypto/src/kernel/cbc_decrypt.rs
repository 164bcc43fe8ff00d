//! CBC decryption of one packet: its blocks do not wait for each other.

use core::arch::x86_64::*;

use super::aes_schedule::Schedule;
use super::cbc_encrypt::Kernel;

/// Decrypts `data` in place. `keys` are decrypting round keys.
pub(crate) fn decrypt(kernel: Kernel, keys: &Schedule, iv: &[u8; 16], data: &mut [[u8; 16]]) {
    match kernel {
        // SAFETY: the token says that the processor has the instructions.
        Kernel::Bits128(_) => unsafe { bits128(keys, iv, data) },
        // SAFETY: as above.
        Kernel::Bits256(_) => unsafe { bits256(keys, iv, data) },
        // SAFETY: as above.
        Kernel::Bits512(_) => unsafe { bits512(keys, iv, data) },
    }
}

/// A kernel with `$each` blocks in each register: groups of eight registers, then of four, two and
/// one, and at the end less than a register.
macro_rules! kernel {
    ($name:ident, $features:literal, $each:literal, $register:ty, $iv:ident, $spread:ident, $load:ident,
     $store:ident, $part:ident, $store_part:ident, $before:ident, $xor:ident, $round:ident,
     $last:ident) => {
        #[target_feature(enable = $features)]
        fn $name(keys: &Schedule, iv: &[u8; 16], data: &mut [[u8; 16]]) {
            let mut before = $iv(iv);
            let (eights, rest) = data.as_chunks_mut::<{ 8 * $each }>();
            for blocks in eights {
                before = group::<8>(keys, before, blocks.as_chunks_mut().0);
            }
            let (fours, rest) = rest.as_chunks_mut::<{ 4 * $each }>();
            for blocks in fours {
                before = group::<4>(keys, before, blocks.as_chunks_mut().0);
            }
            let (twos, rest) = rest.as_chunks_mut::<{ 2 * $each }>();
            for blocks in twos {
                before = group::<2>(keys, before, blocks.as_chunks_mut().0);
            }
            let (ones, rest) = rest.as_chunks_mut::<$each>();
            for blocks in ones.chunks_mut(1) {
                before = group::<1>(keys, before, blocks);
            }
            if !rest.is_empty() {
                let [out] = rounds(keys, before, [$part(rest)]).1;
                $store_part(rest, out);
            }

            /// Decrypts `R` registers, and gives the last of them back as it was.
            #[inline]
            #[target_feature(enable = $features)]
            fn group<const R: usize>(
                keys: &Schedule,
                before: $register,
                data: &mut [[[u8; 16]; $each]],
            ) -> $register {
                let mut text = [before; R];
                for (text, data) in text.iter_mut().zip(&*data) {
                    *text = $load(data);
                }
                let (last, out) = rounds(keys, before, text);
                for (out, data) in out.iter().zip(data) {
                    $store(data, *out);
                }
                last
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn rounds<const R: usize>(
                keys: &Schedule,
                mut before: $register,
                text: [$register; R],
            ) -> ($register, [$register; R]) {
                let [first, inner @ ..] = keys.keys();
                let (inner, last) = (&inner[..keys.rounds() - 1], inner[keys.rounds() - 1]);
                let mut state = text;
                let key = $spread(*first);
                for state in &mut state {
                    *state = $xor(*state, key);
                }
                for key in inner {
                    let key = $spread(*key);
                    for state in &mut state {
                        *state = $round(*state, key);
                    }
                }
                let key = $spread(last);
                for (state, text) in state.iter_mut().zip(text) {
                    *state = $xor($last(*state, key), $before(text, before));
                    before = text;
                }
                (before, state)
            }
        }
    };
}

kernel!(
    bits128,
    "aes,sse4.1",
    1,
    __m128i,
    iv1,
    spread1,
    load1,
    store1,
    part1,
    store_part1,
    before1,
    _mm_xor_si128,
    _mm_aesdec_si128,
    _mm_aesdeclast_si128
);
kernel!(
    bits256,
    "aes,avx2,vaes",
    2,
    __m256i,
    iv2,
    _mm256_broadcastsi128_si256,
    load2,
    store2,
    part2,
    store_part2,
    before2,
    _mm256_xor_si256,
    _mm256_aesdec_epi128,
    _mm256_aesdeclast_epi128
);
kernel!(
    bits512,
    "aes,avx2,vaes,avx512f",
    4,
    __m512i,
    iv4,
    _mm512_broadcast_i32x4,
    load4,
    store4,
    part4,
    store_part4,
    before4,
    _mm512_xor_si512,
    _mm512_aesdec_epi128,
    _mm512_aesdeclast_epi128
);

use width128::*;
use width256::*;
use width512::*;

/// One block in each register.
mod width128 {
    use core::arch::x86_64::*;

    use super::super::load::store_xmm;
    use super::super::load::xmm;

    #[inline]
    pub(super) fn iv1(iv: &[u8; 16]) -> __m128i {
        xmm(iv)
    }

    #[inline]
    pub(super) fn spread1(key: __m128i) -> __m128i {
        key
    }

    #[inline]
    pub(super) fn load1([block]: &[[u8; 16]; 1]) -> __m128i {
        xmm(block)
    }

    #[inline]
    pub(super) fn store1([block]: &mut [[u8; 16]; 1], value: __m128i) {
        store_xmm(block, value);
    }

    /// There is no part of a block.
    #[inline]
    pub(super) fn part1(_: &[[u8; 16]]) -> __m128i {
        xmm(&[0; 16])
    }

    #[inline]
    pub(super) fn store_part1(_: &mut [[u8; 16]], _: __m128i) {}

    /// The block before each block of `text`.
    #[inline]
    pub(super) fn before1(_text: __m128i, before: __m128i) -> __m128i {
        before
    }
}

/// Two blocks in each register.
mod width256 {
    use core::arch::x86_64::*;

    use super::super::load::store_xmm;
    use super::super::load::xmm;

    /// The IV as the last block of a register.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn iv2(iv: &[u8; 16]) -> __m256i {
        _mm256_broadcastsi128_si256(xmm(iv))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn load2(blocks: &[[u8; 16]; 2]) -> __m256i {
        // SAFETY: the array may be read, and the load has no alignment.
        unsafe { _mm256_loadu_si256(blocks.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn store2(blocks: &mut [[u8; 16]; 2], value: __m256i) {
        // SAFETY: the array may be written, and the store has no alignment.
        unsafe { _mm256_storeu_si256(blocks.as_mut_ptr().cast(), value) }
    }

    /// The one block that is left over.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn part2(blocks: &[[u8; 16]]) -> __m256i {
        blocks.first().map_or(_mm256_setzero_si256(), |block| _mm256_castsi128_si256(xmm(block)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn store_part2(blocks: &mut [[u8; 16]], value: __m256i) {
        if let Some(block) = blocks.first_mut() {
            store_xmm(block, _mm256_castsi256_si128(value));
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn before2(text: __m256i, before: __m256i) -> __m256i {
        _mm256_permute2x128_si256::<0x21>(before, text)
    }
}

/// Four blocks in each register.
mod width512 {
    use core::arch::x86_64::*;

    use super::super::load::xmm;

    /// The IV as the last block of a register.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn iv4(iv: &[u8; 16]) -> __m512i {
        _mm512_broadcast_i32x4(xmm(iv))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn load4(blocks: &[[u8; 16]; 4]) -> __m512i {
        // SAFETY: the array may be read, and the load has no alignment.
        unsafe { _mm512_loadu_si512(blocks.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn store4(blocks: &mut [[u8; 16]; 4], value: __m512i) {
        // SAFETY: the array may be written, and the store has no alignment.
        unsafe { _mm512_storeu_si512(blocks.as_mut_ptr().cast(), value) }
    }

    /// A bit for each half of the first blocks.
    fn mask(blocks: usize) -> u8 {
        match blocks {
            0 => 0x00,
            1 => 0x03,
            2 => 0x0f,
            3 => 0x3f,
            _ => 0xff,
        }
    }

    /// Up to four blocks.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn part4(blocks: &[[u8; 16]]) -> __m512i {
        // SAFETY: only the halves of blocks that are there are read.
        unsafe { _mm512_maskz_loadu_epi64(mask(blocks.len()), blocks.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn store_part4(blocks: &mut [[u8; 16]], value: __m512i) {
        // SAFETY: only the halves of blocks that are there are written.
        unsafe {
            _mm512_mask_storeu_epi64(blocks.as_mut_ptr().cast(), mask(blocks.len()), value);
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn before4(text: __m512i, before: __m512i) -> __m512i {
        _mm512_alignr_epi64::<6>(text, before)
    }
}
