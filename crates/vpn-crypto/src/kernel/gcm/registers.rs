//! What the stream asks of a register, for each of three widths.
//!
//! The functions have the same names and meanings in each module, so that the stream is written
//! once. A *lane* is 128 bits: one block.

/// Octets that are all ones, and then zeros: a register loaded `n` octets before the middle keeps
/// `n` octets of another.
static ONES_THEN_ZEROS: [u8; 64] = {
    let mut table = [0; 64];
    let (mut ones, _) = table.split_at_mut(32);
    while let Some((first, rest)) = ones.split_first_mut() {
        *first = 0xff;
        ones = rest;
    }
    table
};

/// Gives each function the instructions that its module is about.
macro_rules! with_features {
    ($features:literal, $($item:item)*) => {
        $(
            #[inline]
            #[target_feature(enable = $features)]
            $item
        )*
    };
}
pub(super) use with_features;

/// What differs between the widths by the names of the instructions alone.
macro_rules! registers {
    (
        $features:literal, $register:ident, $lanes:literal,
        xor: $xor:ident, and: $and:ident, add: $add:ident, shuffle: $shuffle:ident,
        swap: $swap:ident, up: $up:ident, down: $down:ident, zero: $zero:ident,
        load: $load:ident, store: $store:ident,
        aes: $aes:ident, aes_last: $aes_last:ident, clmul: $clmul:ident
    ) => {
        use core::arch::x86_64::*;

        pub(in super::super) type Register = $register;
        /// Blocks in a register.
        pub(in super::super) const LANES: usize = $lanes;
        /// Octets in a register.
        pub(in super::super) const WIDTH: usize = 16 * LANES;

        with_features! { $features,
            pub(in super::super) fn zero() -> Register {
                $zero()
            }

            pub(in super::super) fn xor(a: Register, b: Register) -> Register {
                $xor(a, b)
            }

            /// Adds 32-bit words.
            pub(in super::super) fn add(a: Register, b: Register) -> Register {
                $add(a, b)
            }

            /// Turns the octets of each lane round.
            pub(in super::super) fn reverse(a: Register) -> Register {
                let order = _mm_set_epi64x(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f);
                $shuffle(a, broadcast(order))
            }

            /// Exchanges the halves of each lane.
            pub(in super::super) fn swap_halves(a: Register) -> Register {
                $swap::<0x4e>(a)
            }

            /// The low half of each lane moved up, zeros below it.
            pub(in super::super) fn low_to_high(a: Register) -> Register {
                $up::<8>(a)
            }

            /// The high half of each lane moved down, zeros above it.
            pub(in super::super) fn high_to_low(a: Register) -> Register {
                $down::<8>(a)
            }

            pub(in super::super) fn aes(a: Register, key: Register) -> Register {
                $aes(a, key)
            }

            pub(in super::super) fn aes_last(a: Register, key: Register) -> Register {
                $aes_last(a, key)
            }

            /// The carry-less product of two halves of each lane, numbered as in
            /// `_mm_clmulepi64_si128`.
            pub(in super::super) fn clmul<const HALVES: i32>(a: Register, b: Register) -> Register {
                $clmul::<HALVES>(a, b)
            }

            /// # Safety
            /// [`WIDTH`] octets can be read at `from`.
            pub(in super::super) unsafe fn load(from: *const u8) -> Register {
                // SAFETY: the caller's promise; there is no need of alignment.
                unsafe { $load(from.cast()) }
            }

            /// # Safety
            /// [`WIDTH`] octets can be written at `to`.
            pub(in super::super) unsafe fn store(to: *mut u8, a: Register) {
                // SAFETY: the caller's promise; there is no need of alignment.
                unsafe { $store(to.cast(), a) }
            }
        }
    };
    // What only 512 bits have instructions for, done through memory.
    (parts, $features:literal, $and:ident) => {
        with_features! { $features,
            /// The first `len` octets; the others become zero.
            pub(in super::super) fn keep(a: Register, len: usize) -> Register {
                let mask = super::ONES_THEN_ZEROS.as_ptr().wrapping_add(32 - len.min(WIDTH));
                // SAFETY: a register of up to 32 octets, from one of 0 to 32, lies in the 64.
                $and(a, unsafe { load(mask) })
            }

            /// The first `len` octets at `from`, and zeros.
            ///
            /// # Safety
            /// They can be read.
            pub(in super::super) unsafe fn load_part(from: *const u8, len: usize) -> Register {
                let mut octets = [0_u8; WIDTH];
                // SAFETY: the caller's promise, and not more than the array has; which then is
                // read whole.
                unsafe {
                    core::ptr::copy_nonoverlapping(from, octets.as_mut_ptr(), len.min(WIDTH));
                    load(octets.as_ptr())
                }
            }

            /// Writes the first `len` octets.
            ///
            /// # Safety
            /// They can be written at `to`.
            pub(in super::super) unsafe fn store_part(to: *mut u8, a: Register, len: usize) {
                let mut octets = [0_u8; WIDTH];
                // SAFETY: the array takes a register; then the caller's promise, and not more than
                // the array has.
                unsafe {
                    store(octets.as_mut_ptr(), a);
                    core::ptr::copy_nonoverlapping(octets.as_ptr(), to, len.min(WIDTH));
                }
            }
        }
    };
}

pub(super) mod bits128 {
    registers!(
        "aes,pclmulqdq,ssse3,sse4.1", __m128i, 1,
        xor: _mm_xor_si128, and: _mm_and_si128, add: _mm_add_epi32, shuffle: _mm_shuffle_epi8,
        swap: _mm_shuffle_epi32, up: _mm_bslli_si128, down: _mm_bsrli_si128,
        zero: _mm_setzero_si128, load: _mm_loadu_si128, store: _mm_storeu_si128,
        aes: _mm_aesenc_si128, aes_last: _mm_aesenclast_si128, clmul: _mm_clmulepi64_si128
    );
    registers!(parts, "aes,pclmulqdq,ssse3,sse4.1", _mm_and_si128);

    with_features! { "aes,pclmulqdq,ssse3,sse4.1",
        pub(in super::super) fn broadcast(block: __m128i) -> Register {
            block
        }

        /// The number of each lane.
        pub(in super::super) fn numbers() -> Register {
            zero()
        }

        pub(in super::super) fn first(a: Register) -> __m128i {
            a
        }

        /// The first lane of `a` and the others of `b`.
        pub(in super::super) fn with_first(a: __m128i, _b: Register) -> Register {
            a
        }

        /// Adds `block` to a lane.
        pub(in super::super) fn xor_at(a: Register, block: __m128i, _lane: usize) -> Register {
            xor(a, block)
        }

        /// The sum of the lanes.
        pub(in super::super) fn sum(a: Register) -> __m128i {
            a
        }
    }
}

pub(super) mod bits256 {
    registers!(
        "aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq", __m256i, 2,
        xor: _mm256_xor_si256, and: _mm256_and_si256, add: _mm256_add_epi32,
        shuffle: _mm256_shuffle_epi8, swap: _mm256_shuffle_epi32, up: _mm256_bslli_epi128,
        down: _mm256_bsrli_epi128, zero: _mm256_setzero_si256, load: _mm256_loadu_si256,
        store: _mm256_storeu_si256, aes: _mm256_aesenc_epi128, aes_last: _mm256_aesenclast_epi128,
        clmul: _mm256_clmulepi64_epi128
    );
    registers!(parts, "aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq", _mm256_and_si256);

    with_features! { "aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq",
        pub(in super::super) fn broadcast(block: __m128i) -> Register {
            _mm256_broadcastsi128_si256(block)
        }

        /// The number of each lane.
        pub(in super::super) fn numbers() -> Register {
            _mm256_set_epi32(0, 0, 0, 1, 0, 0, 0, 0)
        }

        pub(in super::super) fn first(a: Register) -> __m128i {
            _mm256_castsi256_si128(a)
        }

        /// The first lane of `a` and the others of `b`.
        pub(in super::super) fn with_first(a: __m128i, b: Register) -> Register {
            _mm256_inserti128_si256::<0>(b, a)
        }

        /// Adds `block` to a lane.
        pub(in super::super) fn xor_at(a: Register, block: __m128i, lane: usize) -> Register {
            let both = broadcast(block);
            let low = keep(both, 16);
            xor(a, if lane == 0 { low } else { xor(both, low) })
        }

        /// The sum of the lanes.
        pub(in super::super) fn sum(a: Register) -> __m128i {
            _mm_xor_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a))
        }
    }
}

pub(super) mod bits512 {
    registers!(
        "aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq,avx512f,avx512bw,avx512dq,avx512vl",
        __m512i, 4,
        xor: _mm512_xor_si512, and: _mm512_and_si512, add: _mm512_add_epi32,
        shuffle: _mm512_shuffle_epi8, swap: _mm512_shuffle_epi32, up: _mm512_bslli_epi128,
        down: _mm512_bsrli_epi128, zero: _mm512_setzero_si512, load: _mm512_loadu_si512,
        store: _mm512_storeu_si512, aes: _mm512_aesenc_epi128, aes_last: _mm512_aesenclast_epi128,
        clmul: _mm512_clmulepi64_epi128
    );

    /// Bits for the first `len` octets.
    fn first_octets(len: usize) -> u64 {
        !u64::MAX.unbounded_shl(u32::try_from(len).unwrap_or(64))
    }

    with_features! { "aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq,avx512f,avx512bw,avx512dq,avx512vl",
        pub(in super::super) fn broadcast(block: __m128i) -> Register {
            _mm512_broadcast_i32x4(block)
        }

        /// The number of each lane.
        pub(in super::super) fn numbers() -> Register {
            _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0)
        }

        pub(in super::super) fn first(a: Register) -> __m128i {
            _mm512_castsi512_si128(a)
        }

        /// The first lane of `a` and the others of `b`.
        pub(in super::super) fn with_first(a: __m128i, b: Register) -> Register {
            _mm512_mask_blend_epi64(3, b, _mm512_castsi128_si512(a))
        }

        /// Adds `block` to a lane.
        pub(in super::super) fn xor_at(a: Register, block: __m128i, lane: usize) -> Register {
            let halves = 3_u8.unbounded_shl(u32::try_from(2 * lane).unwrap_or(8));
            _mm512_mask_xor_epi64(a, halves, a, broadcast(block))
        }

        /// The sum of the lanes.
        pub(in super::super) fn sum(a: Register) -> __m128i {
            let half = _mm256_xor_si256(
                _mm512_castsi512_si256(a),
                _mm512_extracti64x4_epi64::<1>(a),
            );
            _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
        }

        /// The first `len` octets; the others become zero.
        pub(in super::super) fn keep(a: Register, len: usize) -> Register {
            _mm512_maskz_mov_epi8(first_octets(len), a)
        }

        /// The first `len` octets at `from`, and zeros.
        ///
        /// # Safety
        /// They can be read.
        pub(in super::super) unsafe fn load_part(from: *const u8, len: usize) -> Register {
            // SAFETY: the caller's promise; what the mask leaves out is not touched.
            unsafe { _mm512_maskz_loadu_epi8(first_octets(len), from.cast()) }
        }

        /// Writes the first `len` octets.
        ///
        /// # Safety
        /// They can be written at `to`.
        pub(in super::super) unsafe fn store_part(to: *mut u8, a: Register, len: usize) {
            // SAFETY: the caller's promise; what the mask leaves out is not touched.
            unsafe { _mm512_mask_storeu_epi8(to.cast(), first_octets(len), a) }
        }
    }
}
