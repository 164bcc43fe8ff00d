//! One packet, cipher and hash at once.
//!
//! CBC encryption and hashing are both chains that leave most of the processor idle, and one does
//! not wait for the other, save that the hash comes a little behind: so a packet is hashed in the
//! time that it takes to encrypt it. Decryption is no chain and fits into the gaps of the hash.

use core::arch::x86_64::*;

use super::aes_schedule::Schedule;
use super::cbc_decrypt::decrypt;
use super::cbc_encrypt::Kernel;
use super::cpu::AesNi;
use super::cpu::ShaNi;
use super::hash::Hash;
use super::load;
use super::sha1_ni;
use super::sha256_ni;

/// Octets in front of the ciphertext: SPI, sequence number and IV.
const FRONT: usize = 24;

/// A hash function that is stitched to CBC encryption.
pub(crate) trait Stitch<const W: usize>: Hash<W> {
    /// Encrypts what stands behind [`FRONT`] in `message`, which is whole blocks, with the IV in
    /// front of it, and hashes all whole blocks of the message.
    fn encrypt(aes: AesNi, sha: ShaNi, keys: &Schedule, message: &mut [u8], state: &mut [u32; W]);
}

/// Hashes the whole blocks of `message` and decrypts it behind [`FRONT`], whole blocks again, to the
/// end: what is hashed behind the last whole block must have been taken before.
pub(crate) fn decrypt_and_hash<H: Hash<W>, const W: usize>(
    (kernel, sha): (Kernel, ShaNi),
    keys: &Schedule,
    message: &mut [u8],
    state: &mut [u32; W],
) {
    let whole = message.len() / 64;
    let (mut hashed, mut opened) = (0, FRONT);
    let mut chain = [0; 16];
    chain.copy_from_slice(&message[FRONT - 16..FRONT]);
    while opened < message.len() {
        let next = (hashed + GROUP).min(whole);
        let blocks = message[64 * hashed..64 * next].as_chunks().0;
        let mut states = [*state];
        H::streams(sha, &mut states, [blocks], next - hashed);
        [*state] = states;
        hashed = next;
        // Only what was hashed may change.
        let end = if hashed == whole { message.len() } else { 64 * hashed - (64 - FRONT) % 16 };
        let data = message[opened..end].as_chunks_mut::<16>().0;
        let Some(last) = data.last().copied() else { break };
        decrypt(kernel, keys, &chain, data);
        (chain, opened) = (last, end);
    }
}

/// How many blocks are hashed before what they cover is decrypted.
const GROUP: usize = 8;

macro_rules! stitch {
    ($hash:ty, $words:literal, $ni:ident, $function:ident, $a:literal, $b:literal, $c:literal, $d:literal) => {
        impl Stitch<$words> for $hash {
            fn encrypt(
                _: AesNi,
                _: ShaNi,
                keys: &Schedule,
                message: &mut [u8],
                state: &mut [u32; $words],
            ) {
                // SAFETY: the tokens say that the processor has the instructions.
                unsafe { $function(keys, message, state) }
            }
        }

        #[target_feature(enable = "aes,sha,sse4.1,ssse3")]
        fn $function(keys: &Schedule, message: &mut [u8], state: &mut [u32; $words]) {
            let mut input = first(keys, message);
            let (mut hashed, mut at) = (0, FRONT);
            // The hash of 64 octets needs what is encrypted up to there.
            while at < message.len() && at < 64 {
                input = next(keys, input, message, at);
                at += 16;
            }
            let mut rounds = $ni::Rounds::new(state);
            while at + 64 <= message.len() {
                let before = rounds;
                let mut words = $ni::block(octets(message, hashed));
                rounds.fours::<$a, $b>(&mut words);
                input = next(keys, input, message, at);
                rounds.fours::<$b, $c>(&mut words);
                input = next(keys, input, message, at + 16);
                rounds.fours::<$c, $d>(&mut words);
                input = next(keys, input, message, at + 32);
                rounds.fours::<$d, { $ni::GROUPS }>(&mut words);
                input = next(keys, input, message, at + 48);
                rounds.end(before);
                (hashed, at) = (hashed + 64, at + 64);
            }
            while at < message.len() {
                input = next(keys, input, message, at);
                at += 16;
            }
            while hashed + 64 <= message.len() {
                let before = rounds;
                let mut words = $ni::block(octets(message, hashed));
                rounds.fours::<0, { $ni::GROUPS }>(&mut words);
                rounds.end(before);
                hashed += 64;
            }
            *state = rounds.state();
        }
    };
}

stitch!(super::hash::Sha1, 5, sha1_ni, encrypt_sha1, 0, 5, 10, 15);
stitch!(super::hash::Sha256, 8, sha256_ni, encrypt_sha256, 0, 4, 8, 12);

/// What the rounds of the first block begin with.
#[inline]
#[target_feature(enable = "aes")]
fn first(keys: &Schedule, message: &mut [u8]) -> __m128i {
    let iv = load::xmm(block(message, FRONT - 16));
    _mm_xor_si128(iv, _mm_xor_si128(load::xmm(block(message, FRONT)), keys.keys()[0]))
}

/// Encrypts the block at `at`, whose rounds begin with `input`, and gives what those of the next
/// block begin with: the last round adds its plaintext, which saves a step in the chain.
#[inline]
#[target_feature(enable = "aes")]
fn next(keys: &Schedule, input: __m128i, message: &mut [u8], at: usize) -> __m128i {
    let [first, inner @ ..] = keys.keys();
    let (inner, last) = (&inner[..keys.rounds() - 1], inner[keys.rounds() - 1]);
    let behind = message.get(at + 16..).and_then(|behind| behind.first_chunk());
    let behind = _mm_xor_si128(behind.map_or(*first, load::xmm), *first);
    let mut state = input;
    for key in inner {
        state = _mm_aesenc_si128(state, *key);
    }
    load::store_xmm(block(message, at), _mm_aesenclast_si128(state, last));
    _mm_aesenclast_si128(state, _mm_xor_si128(last, behind))
}

#[inline]
fn block(message: &mut [u8], at: usize) -> &mut [u8; 16] {
    &mut message[at..at + 16].as_chunks_mut().0[0]
}

#[inline]
fn octets(message: &[u8], at: usize) -> &[u8; 64] {
    &message[at..at + 64].as_chunks().0[0]
}
