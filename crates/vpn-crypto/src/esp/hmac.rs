//! HMAC (RFC 2104) from kept key states.
//!
//! What a key makes of the inner and the outer padding block is computed once for the life of an
//! SA. Each packet then starts from a copy of those words, and whole blocks are hashed where they
//! stand in the packet: a saving of 20 to 40 ns a packet over cloning the hash objects of the `hmac`
//! crate, which buffer every message and wipe the buffer.

use vpn_core::crypto::EspIntegrity;
use zeroize::Zeroize;

/// A hash function by its compression function, with blocks of `BLOCK` octets.
pub(super) trait BlockHash<const BLOCK: usize> {
    /// The chaining value, as words.
    type State: Copy + Zeroize;

    /// Where the chaining value starts.
    const INITIAL: Self::State;

    /// Octets of the message length at the end of the last block.
    const LENGTH_FIELD: usize;

    /// Hashes whole blocks.
    fn compress(state: &mut Self::State, blocks: &[[u8; BLOCK]]);

    /// The message length in bits, as it stands at the end of the length field.
    fn length(bits: u64) -> [u8; 8];

    /// Writes as much of the digest as fits, and says how long it is.
    fn digest(state: &Self::State, out: &mut [u8]) -> usize;
}

/// The key states of one HMAC key.
pub(super) struct KeyStates<H: BlockHash<BLOCK>, const BLOCK: usize> {
    pub(super) inner: H::State,
    pub(super) outer: H::State,
}

impl<H: BlockHash<BLOCK>, const BLOCK: usize> KeyStates<H, BLOCK> {
    /// From a key that is no longer than a block; every ESP key is the length of its hash.
    fn new(key: &[u8]) -> Self {
        let mut padded = [0x36; BLOCK];
        for (octet, key) in padded.iter_mut().zip(key) {
            *octet ^= key;
        }
        let (mut inner, mut outer) = (H::INITIAL, H::INITIAL);
        H::compress(&mut inner, &[padded]);
        for octet in &mut padded {
            *octet ^= 0x36 ^ 0x5c;
        }
        H::compress(&mut outer, &[padded]);
        padded.zeroize();
        Self { inner, outer }
    }

    /// Fills `icv` with the start of the HMAC of `message` and then of the four octets of `high`.
    fn mac(&self, message: &[u8], high: Option<u32>, icv: &mut [u8]) {
        let mut state = self.inner;
        H::compress(&mut state, message.as_chunks::<BLOCK>().0);
        let high = high.map(u32::to_be_bytes);
        let high = high.as_ref().map_or(&[][..], |high| high);
        let mut last = Last::EMPTY;
        last.end::<H>(message, high);
        H::compress(&mut state, last.blocks());

        let mut digest = [0; BLOCK];
        let len = H::digest(&state, &mut digest);
        let mut state = self.outer;
        let mut last = Last::EMPTY;
        last.end::<H>(digest.get(..len).unwrap_or_default(), &[]);
        H::compress(&mut state, last.blocks());
        H::digest(&state, icv);
    }
}

/// The one or two blocks that end a message.
pub(super) struct Last<const BLOCK: usize> {
    /// Behind a block for what stands before them in the message.
    octets: [[u8; BLOCK]; 3],
    used: usize,
}

impl<const BLOCK: usize> Last<BLOCK> {
    pub(super) const EMPTY: Self = Self { octets: [[0; BLOCK]; 3], used: 2 };

    /// Fills empty blocks with the end of `message`, `extra`, the padding and the length. Before
    /// them go the key block and the whole blocks of the message.
    #[inline]
    pub(super) fn end<H: BlockHash<BLOCK>>(&mut self, message: &[u8], extra: &[u8]) {
        let tail = message.as_chunks::<BLOCK>().1;
        let octets = self.octets.as_flattened_mut();
        // Always as much as a block, so that it takes no call to copy it.
        let place = octets.get_mut(tail.len()..).and_then(|octets| octets.first_chunk_mut());
        match (place, message.last_chunk::<BLOCK>()) {
            (Some(place), Some(end)) => *place = *end,
            _ => {
                let places = octets.iter_mut().skip(BLOCK);
                places.zip(tail).for_each(|(place, octet)| *place = *octet);
            }
        }
        self.pad::<H>(message.len(), tail.len(), extra);
    }

    #[inline]
    fn pad<H: BlockHash<BLOCK>>(&mut self, len: usize, end: usize, extra: &[u8]) {
        let behind = self.octets.as_flattened_mut().iter_mut().skip(BLOCK + end);
        for (place, octet) in behind.zip(extra.iter().chain(&[0x80])) {
            *place = *octet;
        }
        if end + extra.len() + 1 + H::LENGTH_FIELD <= BLOCK {
            self.used = 1;
        }
        // No packet comes near 2^61 octets.
        let bits = u64::try_from(BLOCK + len + extra.len()).unwrap_or(u64::MAX).saturating_mul(8);
        let used = self.octets.split_at_mut(1 + self.used).0;
        if let Some(field) = used.as_flattened_mut().last_chunk_mut::<8>() {
            *field = H::length(bits);
        }
    }

    pub(super) fn blocks(&self) -> &[[u8; BLOCK]] {
        let [_, blocks @ ..] = &self.octets;
        blocks.split_at(self.used).0
    }
}

impl<H: BlockHash<BLOCK>, const BLOCK: usize> Drop for KeyStates<H, BLOCK> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// The integrity algorithm of an SA with its key.
pub(super) struct Mac(pub(super) States);

/// The algorithm, with the states of its key.
pub(super) enum States {
    Md5(KeyStates<Md5, 64>),
    Sha1(KeyStates<Sha1, 64>),
    Sha256(KeyStates<Sha256, 64>),
    Sha384(KeyStates<Sha384, 128>),
    Sha512(KeyStates<Sha512, 128>),
}

impl Mac {
    /// `None` for an algorithm that is not here.
    pub(super) fn new(algorithm: EspIntegrity, key: &[u8]) -> Option<Self> {
        Some(Self(match algorithm {
            EspIntegrity::HmacMd5_96 => States::Md5(KeyStates::new(key)),
            EspIntegrity::HmacSha1_96 => States::Sha1(KeyStates::new(key)),
            EspIntegrity::HmacSha2_256_128 | EspIntegrity::HmacSha2_256_96 => {
                States::Sha256(KeyStates::new(key))
            }
            EspIntegrity::HmacSha2_384_192 => States::Sha384(KeyStates::new(key)),
            EspIntegrity::HmacSha2_512_256 => States::Sha512(KeyStates::new(key)),
            _ => return None,
        }))
    }

    /// Fills `icv` with the start of the MAC of `message` and, for extended sequence numbers, of
    /// their high half (RFC 4303 §3.3.2.1).
    pub(super) fn mac(&self, message: &[u8], high: Option<u32>, icv: &mut [u8]) {
        match &self.0 {
            States::Md5(states) => states.mac(message, high, icv),
            States::Sha1(states) => states.mac(message, high, icv),
            States::Sha256(states) => states.mac(message, high, icv),
            States::Sha384(states) => states.mac(message, high, icv),
            States::Sha512(states) => states.mac(message, high, icv),
        }
    }
}

/// Writes the words of a digest, as many as fit, and of the next the start.
fn put<const N: usize>(mut words: impl Iterator<Item = [u8; N]>, out: &mut [u8]) {
    let (places, rest) = out.as_chunks_mut();
    for (place, word) in places.iter_mut().zip(&mut words) {
        *place = word;
    }
    if let (false, Some(word)) = (rest.is_empty(), words.next()) {
        rest.iter_mut().zip(word).for_each(|(place, octet)| *place = octet);
    }
}

macro_rules! block_hash {
    ($name:ident, $block:literal, $state:ty, $words:literal, $field:literal, $compress:path, $bytes:path, $length:path, $initial:expr) => {
        pub(super) struct $name;

        impl BlockHash<$block> for $name {
            type State = $state;
            const INITIAL: Self::State = $initial;
            const LENGTH_FIELD: usize = $field;

            fn compress(state: &mut Self::State, blocks: &[[u8; $block]]) {
                $compress(state, blocks);
            }

            fn length(bits: u64) -> [u8; 8] {
                $length(bits)
            }

            fn digest(state: &Self::State, out: &mut [u8]) -> usize {
                put(state.iter().take($words).map(|word| $bytes(*word)), out);
                $words * $block / 16
            }
        }
    };
}

block_hash!(
    Md5,
    64,
    [u32; 4],
    4,
    8,
    md5::block_api::compress,
    u32::to_le_bytes,
    u64::to_le_bytes,
    [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
);
block_hash!(
    Sha1,
    64,
    [u32; 5],
    5,
    8,
    sha1::block_api::compress,
    u32::to_be_bytes,
    u64::to_be_bytes,
    [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
);
block_hash!(
    Sha256,
    64,
    [u32; 8],
    8,
    8,
    sha2::block_api::compress256,
    u32::to_be_bytes,
    u64::to_be_bytes,
    [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19
    ]
);
block_hash!(
    Sha384,
    128,
    [u64; 8],
    6,
    16,
    sha2::block_api::compress512,
    u64::to_be_bytes,
    u64::to_be_bytes,
    [
        0xcbbb_9d5d_c105_9ed8,
        0x629a_292a_367c_d507,
        0x9159_015a_3070_dd17,
        0x152f_ecd8_f70e_5939,
        0x6733_2667_ffc0_0b31,
        0x8eb4_4a87_6858_1511,
        0xdb0c_2e0d_64f9_8fa7,
        0x47b5_481d_befa_4fa4
    ]
);
block_hash!(
    Sha512,
    128,
    [u64; 8],
    8,
    16,
    sha2::block_api::compress512,
    u64::to_be_bytes,
    u64::to_be_bytes,
    [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179
    ]
);
