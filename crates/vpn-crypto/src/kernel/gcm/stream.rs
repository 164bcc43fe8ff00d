//! CTR and GHASH over one packet in one pass (NIST SP 800-38D), for each width of register.
//!
//! An ESP packet begins with SPI, sequence number and IV: 16 octets, the size of a block. The
//! stream takes them for block 0, so that everything falls into place. Block 0 gets counter 1,
//! whose key stream masks the tag, and the first block of data gets counter 2; GHASH begins with
//! block 0, in which the additional data stands instead of the header, and goes on with the
//! ciphertext. What follows the last block of ciphertext, the lengths, is added in the register
//! where it falls.
//!
//! GHASH is computed in the form of POLYVAL (RFC 8452 appendix A): octets reversed, powers of H
//! times x, so that products need no shifts. A group of registers is multiplied by as many powers
//! and reduced once. Between groups the lanes stay apart: each is a sum that belongs to the same
//! lane of the next register.

use super::Key;
use super::POWERS;
use super::registers;
use super::registers::with_features;

/// Registers in a group.
const GROUP: usize = 8;

/// Encrypts the next counters of a stream, as many as make `$n` registers. A macro, because the
/// states must not go through memory and an instruction set and `inline(always)` do not go together.
macro_rules! key_stream {
    ($stream:ident, $n:expr) => {{
        let keys = $stream.key.schedule.keys();
        let step = broadcast(_mm_set_epi32(0, 0, 0, LANES as i32));
        let whitening = broadcast(keys[0]);
        let mut states = [zero(); $n];
        for state in &mut states {
            *state = xor(reverse($stream.counters), whitening);
            $stream.counters = add($stream.counters, step);
        }
        macro_rules! rounds {
            ($range:expr) => {
                for round_key in &keys[$range] {
                    let round_key = broadcast(*round_key);
                    for state in &mut states {
                        *state = aes(*state, round_key);
                    }
                }
            };
        }
        rounds!(1..10);
        if $stream.key.schedule.rounds() > 10 {
            rounds!(10..12);
        }
        if $stream.key.schedule.rounds() > 12 {
            rounds!(12..14);
        }
        let last = broadcast(keys[$stream.key.schedule.rounds()]);
        for state in &mut states {
            *state = aes_last(*state, last);
        }
        states
    }};
}

/// Adds the products of register `$i` of a group, `$x`, which is ciphertext. A macro for the reason
/// that [`key_stream`] is one.
macro_rules! hash {
    ($stream:ident, $sum:ident, $i:expr, $x:expr) => {
        let mut x = reverse($x);
        if $i == 0 {
            x = begin($stream, x);
        }
        // The same power for each lane.
        let power = POWERS - (GROUP - $i) * LANES;
        let h = broadcast(block(&$stream.key.powers[power]));
        let halves = broadcast(block(&$stream.key.halves[power]));
        $sum = multiply($sum, x, h, halves);
    };
}

/// [`key_stream`] for a group, with the hash of the group of ciphertext at `$at`, which can be read,
/// beside the rounds.
macro_rules! key_stream_and_hash {
    ($stream:ident, $sum:ident, $at:expr) => {{
        let keys = $stream.key.schedule.keys();
        let step = broadcast(_mm_set_epi32(0, 0, 0, LANES as i32));
        let whitening = broadcast(keys[0]);
        let mut states = [zero(); GROUP];
        for state in &mut states {
            *state = xor(reverse($stream.counters), whitening);
            $stream.counters = add($stream.counters, step);
        }
        for round in 1..$stream.key.schedule.rounds() {
            let round_key = broadcast(keys[round]);
            for state in &mut states {
                *state = aes(*state, round_key);
            }
            if round <= GROUP {
                let place = $at.wrapping_add((round - 1) * WIDTH);
                // SAFETY: the group can be read, and this is one of its registers.
                hash!($stream, $sum, round - 1, unsafe { load(place) });
            }
        }
        let last = broadcast(keys[$stream.key.schedule.rounds()]);
        for state in &mut states {
            *state = aes_last(*state, last);
        }
        states
    }};
}

macro_rules! stream {
    ($width:ident, $features:literal) => {
        pub(super) mod $width {
            use core::arch::x86_64::__m128i;
            use core::arch::x86_64::_mm_cvtsi128_si64;
            use core::arch::x86_64::_mm_extract_epi64;
            use core::arch::x86_64::_mm_loadu_si128;
            use core::arch::x86_64::_mm_set_epi32;
            use core::arch::x86_64::_mm_set_epi64x;

            use super::GROUP;
            use super::Key;
            use super::POWERS;
            use super::registers::$width::*;
            use super::with_features;

            /// Whether encryption hashes each group beside the rounds for the next. With 512 bits
            /// the processor overlaps them well enough, and short packets pay for the branches.
            const BESIDE: bool = LANES < 4;

            struct Stream<'a> {
                key: &'a Key,
                /// The next counters, octets reversed.
                counters: Register,
                /// What is to be added to the next register that is hashed.
                hash: Register,
                /// The additional data, octets reversed, until it is hashed.
                aad: __m128i,
                /// Key stream of block 0, once it is there.
                mask: __m128i,
                /// Whether the additional data has not been hashed.
                first: bool,
                /// See [`opening`].
                opening: bool,
            }

            /// Unreduced products: low halves, high halves, and sums of halves (Karatsuba).
            #[derive(Clone, Copy)]
            struct Products {
                low: Register,
                high: Register,
                middle: Register,
            }

            with_features! { $features,
                fn block(octets: &[u8; 16]) -> __m128i {
                    // SAFETY: 16 octets, and there is no need of alignment.
                    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
                }

                fn number(block: u128) -> __m128i {
                    _mm_set_epi64x((block >> 64) as i64, block as i64)
                }

                fn multiply(sum: Products, x: Register, h: Register, halves: Register) -> Products {
                    let folded = xor(x, swap_halves(x));
                    Products {
                        low: xor(sum.low, clmul::<0x00>(x, h)),
                        high: xor(sum.high, clmul::<0x11>(x, h)),
                        middle: xor(sum.middle, clmul::<0x00>(folded, halves)),
                    }
                }

                /// Modulo x^128 + x^127 + x^126 + x^121 + 1, times x^-128.
                fn reduce(sum: Products) -> Register {
                    let poly = broadcast(_mm_set_epi64x(0, 0xc200_0000_0000_0000_u64.cast_signed()));
                    let middle = xor(sum.middle, xor(sum.low, sum.high));
                    let low = xor(sum.low, low_to_high(middle));
                    let high = xor(sum.high, high_to_low(middle));
                    let low = xor(swap_halves(low), clmul::<0x00>(low, poly));
                    xor(high, xor(swap_halves(low), clmul::<0x00>(low, poly)))
                }

                /// Whether block 0 has not been encrypted. Where each group is hashed at once one
                /// flag tells both, by which the compiler sees short packets through.
                fn opening(stream: &Stream<'_>) -> bool {
                    if BESIDE { stream.opening } else { stream.first }
                }

                /// Adds what stands before this register to it, and the additional data.
                fn begin(stream: &mut Stream<'_>, x: Register) -> Register {
                    let x = if stream.first { with_first(stream.aad, x) } else { x };
                    stream.first = false;
                    xor(x, stream.hash)
                }

                /// Encrypts or decrypts a whole group. If [`BESIDE`], what is encrypted is left to
                /// be hashed with the next; everything else is hashed at once.
                ///
                /// # Safety
                /// `GROUP * WIDTH` octets can be read and written at `at`, and as many before if
                /// this is not the first group.
                unsafe fn group<const OPEN: bool>(stream: &mut Stream<'_>, at: *mut u8) {
                    let opening = opening(stream);
                    let mut sum = Products { low: zero(), high: zero(), middle: zero() };
                    let states = if OPEN || !BESIDE || opening {
                        key_stream!(stream, GROUP)
                    } else {
                        let before = at.wrapping_sub(GROUP * WIDTH);
                        key_stream_and_hash!(stream, sum, before)
                    };
                    for i in 0..GROUP {
                        let place = at.wrapping_add(i * WIDTH);
                        // SAFETY: the caller's promise; this is one of the group's registers.
                        let input = unsafe { load(place) };
                        let mut output = xor(input, states[i]);
                        if i == 0 && opening {
                            stream.mask = first(states[0]);
                            output = with_first(first(input), output);
                        }
                        // SAFETY: as above.
                        unsafe { store(place, output) };
                        if OPEN || !BESIDE {
                            hash!(stream, sum, i, if OPEN { input } else { output });
                        }
                    }
                    if OPEN || !BESIDE || !opening {
                        stream.hash = reduce(sum);
                    }
                    stream.opening = false;
                }

                /// Encrypts or decrypts the last `len` octets, which with the block of lengths
                /// take `N` registers, and gives the tag.
                ///
                /// # Safety
                /// `len` octets can be read and written at `at`.
                unsafe fn finish<const OPEN: bool, const N: usize>(
                    stream: &mut Stream<'_>,
                    at: *mut u8,
                    len: usize,
                    lengths: __m128i,
                ) -> [u64; 2] {
                    let mut sum = Products { low: zero(), high: zero(), middle: zero() };
                    if !OPEN && BESIDE && !stream.opening {
                        // The group before, which `group` has left.
                        let before = at.wrapping_sub(GROUP * WIDTH);
                        for i in 0..GROUP {
                            let place = before.wrapping_add(i * WIDTH);
                            // SAFETY: block 0 is encrypted, so there is a group before.
                            hash!(stream, sum, i, unsafe { load(place) });
                        }
                        stream.hash = reduce(sum);
                    }
                    let states = key_stream!(stream, N);
                    let blocks = len.div_ceil(16);
                    // The first block has power `blocks` + 1 and the lengths have power 1.
                    let first_power = POWERS - 1 - blocks;
                    let powers = stream.key.powers.as_ptr().wrapping_add(first_power).cast::<u8>();
                    let halves = stream.key.halves.as_ptr().wrapping_add(first_power).cast::<u8>();
                    let mut sum = Products { low: zero(), high: zero(), middle: zero() };
                    for i in 0..N {
                        let place = at.wrapping_add(i * WIDTH);
                        // Only the last two may lack octets.
                        let here = len.saturating_sub(i * WIDTH).min(WIDTH);
                        let whole = i + 2 < N || (i + 1 < N && here == WIDTH);
                        let input = if whole {
                            // SAFETY: the caller's promise; this register is whole.
                            unsafe { load(place) }
                        } else {
                            // SAFETY: the caller's promise; `here` octets are left.
                            unsafe { load_part(place, here) }
                        };
                        let mut output = xor(input, states[i]);
                        if i == 0 && opening(stream) {
                            stream.mask = first(states[0]);
                            output = with_first(first(input), output);
                        }
                        if whole {
                            // SAFETY: as for loading.
                            unsafe { store(place, output) };
                        } else {
                            output = keep(output, here);
                            // SAFETY: as for loading.
                            unsafe { store_part(place, output, here) };
                        }
                        let mut x = reverse(if OPEN { input } else { output });
                        if i == 0 {
                            x = begin(stream, x);
                        }
                        if i + 1 == N {
                            x = xor_at(x, lengths, blocks % LANES);
                        }
                        // SAFETY: the powers begin at most `N * LANES` before the end of the
                        // table's powers, and behind them are as many zeros as a register has
                        // lanes.
                        let (h, halves) = unsafe {
                            (load(powers.wrapping_add(i * WIDTH)), load(halves.wrapping_add(i * WIDTH)))
                        };
                        sum = multiply(sum, x, h, halves);
                    }
                    let hash = super::registers::bits128::reverse(self::sum(reduce(sum)));
                    let tag = super::registers::bits128::xor(hash, stream.mask);
                    let halves = [_mm_cvtsi128_si64(tag), _mm_extract_epi64::<1>(tag)];
                    halves.map(i64::cast_unsigned)
                }

                /// Encrypts or decrypts all of `packet` but its first block, in place, and gives
                /// the tag as little-endian halves. `start` is the counter block of block 0; `aad` is the additional data
                /// with zeros behind it, and `aad_len` its length. Blocks are numbers, the first
                /// octet highest.
                pub(in super::super) fn run<const OPEN: bool>(
                    key: &Key,
                    start: u128,
                    aad: u128,
                    aad_len: u8,
                    packet: &mut [u8],
                ) -> [u64; 2] {
                    let mut stream = Stream {
                        key,
                        counters: add(broadcast(number(start)), numbers()),
                        hash: zero(),
                        aad: number(aad),
                        mask: number(0),
                        first: true,
                        opening: true,
                    };
                    let text = packet.len().saturating_sub(16);
                    let lengths = number(u128::from(aad_len) << 67 | (text as u128) << 3);
                    let mut at = packet.as_mut_ptr();
                    let mut len = packet.len();
                    // Each lane of a sum between groups needs a block or the lengths to be added to.
                    while len > GROUP * WIDTH + 16 * LANES.saturating_sub(2) {
                        // SAFETY: more than these octets are left of the packet.
                        unsafe { group::<OPEN>(&mut stream, at) };
                        at = at.wrapping_add(GROUP * WIDTH);
                        len -= GROUP * WIDTH;
                    }
                    macro_rules! finish {
                        ($registers:literal) => {
                            // SAFETY: `len` octets are left of the packet.
                            unsafe { finish::<OPEN, $registers>(&mut stream, at, len, lengths) }
                        };
                    }
                    // As many registers as the blocks and the lengths take.
                    match len.div_ceil(16) / LANES {
                        0 => finish!(1),
                        1 => finish!(2),
                        2 => finish!(3),
                        3 => finish!(4),
                        4 => finish!(5),
                        5 => finish!(6),
                        6 => finish!(7),
                        7 => finish!(8),
                        _ => finish!(9),
                    }
                }
            }
        }
    };
}

stream!(bits128, "aes,pclmulqdq,ssse3,sse4.1");
stream!(bits256, "aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq");
stream!(
    bits512,
    "aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq,avx512f,avx512bw,avx512dq,avx512vl"
);
