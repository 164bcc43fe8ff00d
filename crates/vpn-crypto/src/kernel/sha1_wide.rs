//! SHA-1 over sixteen lanes for each register: AVX-512.

use core::arch::x86_64::*;

use super::wide::Words;
use super::wide::in_order;

super::wide::compress!(5);

/// Hashes one block of each lane. `G` groups of sixteen lanes are interleaved, since the rounds of
/// one group are a chain that leaves half of the processor idle.
#[inline]
#[target_feature(enable = "avx512f")]
fn block<const G: usize>(state: &mut [[__m512i; 5]; G], words: &mut [Words; G]) {
    let mut v = *state;
    macro_rules! step {
        ($t:expr, $a:literal $b:literal $c:literal $d:literal $e:literal, $f:literal, $k:ident) => {
            for g in 0..G {
                let (v, w) = (&mut v[g], &mut words[g]);
                if $t >= 16 {
                    let mixed = xor3(w[($t + 13) % 16], w[($t + 8) % 16], w[($t + 2) % 16]);
                    w[$t % 16] = _mm512_rol_epi32::<1>(_mm512_xor_si512(mixed, w[$t % 16]));
                }
                let f = _mm512_ternarylogic_epi32::<$f>(v[$b], v[$c], v[$d]);
                let early = _mm512_add_epi32(_mm512_add_epi32(w[$t % 16], $k), v[$e]);
                let sum = in_order(_mm512_add_epi32(early, f));
                v[$e] = _mm512_add_epi32(sum, _mm512_rol_epi32::<5>(v[$a]));
                v[$b] = _mm512_rol_epi32::<30>(v[$b]);
            }
        };
    }
    macro_rules! five {
        ($t:literal, $f:literal, $k:ident) => {
            step!($t, 0 1 2 3 4, $f, $k);
            step!($t + 1, 4 0 1 2 3, $f, $k);
            step!($t + 2, 3 4 0 1 2, $f, $k);
            step!($t + 3, 2 3 4 0 1, $f, $k);
            step!($t + 4, 1 2 3 4 0, $f, $k);
        };
    }
    macro_rules! phase {
        ($t0:literal $t1:literal $t2:literal $t3:literal, $f:literal, $k:expr) => {
            let k = _mm512_set1_epi32(u32::cast_signed($k));
            five!($t0, $f, k);
            five!($t1, $f, k);
            five!($t2, $f, k);
            five!($t3, $f, k);
        };
    }
    // Choice, parity, majority, parity, as truth tables.
    phase!(0 5 10 15, 0xca, 0x5a82_7999);
    phase!(20 25 30 35, 0x96, 0x6ed9_eba1);
    phase!(40 45 50 55, 0xe8, 0x8f1b_bcdc);
    phase!(60 65 70 75, 0x96, 0xca62_c1d6);
    for g in 0..G {
        for j in 0..5 {
            state[g][j] = _mm512_add_epi32(state[g][j], v[g][j]);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}
