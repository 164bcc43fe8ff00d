//! SHA-256 over sixteen lanes for each register: AVX-512.

use core::arch::x86_64::*;
use core::hint::black_box;

use super::sha256_constants::K;
use super::wide::Words;
use super::wide::in_order;

super::wide::compress!(8);

/// Hashes one block of each lane, `G` groups of sixteen lanes interleaved.
#[inline]
#[target_feature(enable = "avx512f")]
fn block<const G: usize>(state: &mut [[__m512i; 8]; G], words: &mut [Words; G]) {
    let mut v = *state;
    macro_rules! step {
        ($k:ident, $more:literal, $i:literal, $a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal) => {
            let k = _mm512_set1_epi32($k[$i / 4][$i % 4].cast_signed());
            for g in 0..G {
                let (v, w) = (&mut v[g], &mut words[g]);
                let early = in_order(_mm512_add_epi32(_mm512_add_epi32(w[$i], k), v[$h]));
                let choice = _mm512_ternarylogic_epi32::<0xca>(v[$e], v[$f], v[$g]);
                let majority = _mm512_ternarylogic_epi32::<0xe8>(v[$a], v[$b], v[$c]);
                let early = in_order(_mm512_add_epi32(early, choice));
                let one = _mm512_add_epi32(early, big1(v[$e]));
                v[$d] = _mm512_add_epi32(v[$d], one);
                v[$h] = _mm512_add_epi32(_mm512_add_epi32(one, majority), big0(v[$a]));
                if $more {
                    let sum = _mm512_add_epi32(w[$i], w[($i + 9) % 16]);
                    let more =
                        _mm512_add_epi32(small0(w[($i + 1) % 16]), small1(w[($i + 14) % 16]));
                    w[$i] = in_order(_mm512_add_epi32(sum, more));
                }
            }
        };
    }
    macro_rules! sixteen {
        ($k:ident, $more:literal) => {
            step!($k, $more, 0, 0 1 2 3 4 5 6 7);
            step!($k, $more, 1, 7 0 1 2 3 4 5 6);
            step!($k, $more, 2, 6 7 0 1 2 3 4 5);
            step!($k, $more, 3, 5 6 7 0 1 2 3 4);
            step!($k, $more, 4, 4 5 6 7 0 1 2 3);
            step!($k, $more, 5, 3 4 5 6 7 0 1 2);
            step!($k, $more, 6, 2 3 4 5 6 7 0 1);
            step!($k, $more, 7, 1 2 3 4 5 6 7 0);
            step!($k, $more, 8, 0 1 2 3 4 5 6 7);
            step!($k, $more, 9, 7 0 1 2 3 4 5 6);
            step!($k, $more, 10, 6 7 0 1 2 3 4 5);
            step!($k, $more, 11, 5 6 7 0 1 2 3 4);
            step!($k, $more, 12, 4 5 6 7 0 1 2 3);
            step!($k, $more, 13, 3 4 5 6 7 0 1 2);
            step!($k, $more, 14, 2 3 4 5 6 7 0 1);
            step!($k, $more, 15, 1 2 3 4 5 6 7 0);
        };
    }
    let (quarters, _) = K.as_chunks::<4>();
    for k in &quarters[..3] {
        // Looked at from outside, the words stay in memory and leave the registers to the rounds.
        black_box(&mut *words);
        sixteen!(k, true);
    }
    let k = &quarters[3];
    sixteen!(k, false);
    for g in 0..G {
        for j in 0..8 {
            state[g][j] = _mm512_add_epi32(state[g][j], v[g][j]);
        }
    }
}

macro_rules! sigma {
    ($name:ident, $a:literal, $b:literal, $third:ident $c:literal) => {
        #[inline]
        #[target_feature(enable = "avx512f")]
        fn $name(x: __m512i) -> __m512i {
            let (a, b) = (_mm512_ror_epi32::<$a>(x), _mm512_ror_epi32::<$b>(x));
            _mm512_ternarylogic_epi32::<0x96>(a, b, $third::<$c>(x))
        }
    };
}
sigma!(big0, 2, 13, _mm512_ror_epi32 22);
sigma!(big1, 6, 11, _mm512_ror_epi32 25);
sigma!(small0, 7, 18, _mm512_srli_epi32 3);
sigma!(small1, 17, 19, _mm512_srli_epi32 10);
