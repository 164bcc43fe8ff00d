/// A hash function with `N` octets of output.
pub trait Hash<const N: usize>: Send + Sync {
    /// The hash of the concatenation of `parts`.
    fn hash(&self, parts: &[&[u8]]) -> [u8; N];
}

/// A block cipher in its bare form: one block, one direction.
pub trait BlockEncrypt<const KEY: usize, const BLOCK: usize>: Send + Sync {
    /// Enciphers `block` under `key`.
    fn encrypt(&self, key: &[u8; KEY], block: &[u8; BLOCK]) -> [u8; BLOCK];
}

/// The broken primitives that PPP and L2TP authentication are defined on.
///
/// None of them protects traffic. They come through the provider so that a product whose policy
/// forbids one can see its use in one place.
#[derive(Clone, Copy)]
pub struct LegacyCrypto {
    /// MD4 (RFC 1320), for the NT password hash (RFC 2759 §8.3).
    pub md4: &'static dyn Hash<16>,
    /// MD5 (RFC 1321), for CHAP (RFC 1994 §4.1), the L2TP challenge response (RFC 2661 §4.4.3) and
    /// hidden AVPs (RFC 2661 §4.3).
    pub md5: &'static dyn Hash<16>,
    /// SHA-1 (FIPS 180-4), for MS-CHAPv2 (RFC 2759 §8.2, §8.7).
    pub sha1: &'static dyn Hash<20>,
    /// DES (FIPS 46-3) with a key of 8 octets whose parity bits are ignored, for MS-CHAPv2
    /// (RFC 2759 §8.6).
    pub des: &'static dyn BlockEncrypt<8, 8>,
}
