//! AES-GCM over ESP packets, fused: CTR and GHASH in one pass, with AES and carry-less
//! multiplication over one, two or four blocks an instruction.
//!
//! Constant time: instructions without tables or branches on secrets; what is branched on are
//! lengths.

mod key;
mod registers;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use key::Key;

use core::hint::black_box;

use super::Path;
use super::cpu::AesClmul;
use super::cpu::VaesClmul256;
use super::cpu::VaesClmul512;
use key::POWERS;

/// The kernels of one width, which the processor has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gcm {
    Bits128(AesClmul),
    Bits256(VaesClmul256, AesClmul),
    Bits512(VaesClmul512, AesClmul),
}

/// What a packet begins with that the cipher leaves alone: SPI, sequence number and IV, and in
/// effect one block.
const FRONT: usize = 16;

/// What the cipher of a packet begins with. Blocks are numbers here, the first octet highest, so
/// that they are put together in registers.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    counter: u128,
    aad: u128,
    aad_len: u8,
}

impl Start {
    /// From the salt, the IV and additional data of `aad_len` octets, at most 16, with zeros behind
    /// them.
    pub(crate) fn new(salt: [u8; 4], iv: [u8; 8], aad: u128, aad_len: u8) -> Self {
        let salt = u128::from(u32::from_be_bytes(salt)) << 96;
        let iv = u128::from(u64::from_be_bytes(iv)) << 32;
        Self { counter: salt | iv | 1, aad, aad_len }
    }
}

impl Gcm {
    /// The kernels of `path`, if the processor has them.
    pub(crate) fn on(path: Path) -> Option<Self> {
        let narrow = AesClmul::new()?;
        match path {
            Path::Portable => None,
            Path::Bits128 => Some(Self::Bits128(narrow)),
            Path::Bits256 => VaesClmul256::new().map(|wide| Self::Bits256(wide, narrow)),
            Path::Bits512 => VaesClmul512::new().map(|wide| Self::Bits512(wide, narrow)),
        }
    }

    /// Expands a key of 16, 24 or 32 octets.
    pub(crate) fn expand(self, key: &[u8]) -> Option<Key> {
        let (Self::Bits128(narrow) | Self::Bits256(_, narrow) | Self::Bits512(_, narrow)) = self;
        Key::new(narrow, key)
    }

    /// Encrypts `packet` but its first 16 octets, in place, and gives the tag. `None` if the packet
    /// is shorter than that.
    pub(crate) fn seal(self, key: &Key, start: Start, packet: &mut [u8]) -> Option<[u8; 16]> {
        let [low, high] = self.run::<false>(key, start, packet)?;
        Some((u128::from(high) << 64 | u128::from(low)).to_le_bytes())
    }

    /// Decrypts `packet` but its first 16 octets, in place, and says whether its tag is `tag`. If
    /// it is not, the packet is wiped: what came out is nobody's plaintext. `None` if the packet
    /// is shorter than that.
    pub(crate) fn open(
        self,
        key: &Key,
        start: Start,
        packet: &mut [u8],
        tag: &[u8; 16],
    ) -> Option<bool> {
        let [low, high] = self.run::<true>(key, start, packet)?;
        let expected = u128::from(high) << 64 | u128::from(low);
        let difference = expected ^ u128::from_le_bytes(*tag);
        // All bits come together before anything is decided.
        let differ = black_box((difference >> 64) as u64 | difference as u64);
        if differ != 0 {
            packet.fill(0);
        }
        Some(differ == 0)
    }

    fn run<const OPEN: bool>(
        self,
        key: &Key,
        Start { counter, aad, aad_len }: Start,
        packet: &mut [u8],
    ) -> Option<[u64; 2]> {
        if packet.len() < FRONT {
            return None;
        }
        macro_rules! run {
            ($width:ident) => {
                // SAFETY: the token says that the processor has the instructions.
                unsafe { stream::$width::run::<OPEN>(key, counter, aad, aad_len, packet) }
            };
        }
        Some(match self {
            Self::Bits128(_) => run!(bits128),
            Self::Bits256(..) => run!(bits256),
            Self::Bits512(..) => run!(bits512),
        })
    }
}
