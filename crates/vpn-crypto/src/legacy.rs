//! MD4, MD5, SHA-1 and DES for PPP and L2TP authentication.

use des::cipher::BlockCipherEncrypt;
use des::cipher::KeyInit;
use md5::Digest;
use vpn_core::crypto::BlockEncrypt;
use vpn_core::crypto::Hash;

pub(crate) struct Md4;
pub(crate) struct Md5;
pub(crate) struct Sha1;
pub(crate) struct Des;

fn digest<D: Digest, const N: usize>(parts: &[&[u8]]) -> [u8; N]
where
    [u8; N]: From<md5::digest::Output<D>>,
{
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

impl Hash<16> for Md4 {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 16] {
        digest::<md4::Md4, 16>(parts)
    }
}

impl Hash<16> for Md5 {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 16] {
        digest::<md5::Md5, 16>(parts)
    }
}

impl Hash<20> for Sha1 {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 20] {
        digest::<sha1::Sha1, 20>(parts)
    }
}

impl BlockEncrypt<8, 8> for Des {
    fn encrypt(&self, key: &[u8; 8], block: &[u8; 8]) -> [u8; 8] {
        let mut block = (*block).into();
        des::Des::new(&(*key).into()).encrypt_block(&mut block);
        block.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
    }

    /// RFC 1320 appendix A.5.
    #[test]
    fn md4_rfc1320() {
        assert_eq!(Md4.hash(&[]), hex("31d6cfe0d16ae931b73c59d7e0c089c0"));
        assert_eq!(Md4.hash(&[b"a", b"bc"]), hex("a448017aaf21d8525fc10ae87aa6729d"));
        assert_eq!(Md4.hash(&[b"message digest"]), hex("d9130a8164549fe818874806e1c7014b"));
    }

    /// RFC 1321 appendix A.5.
    #[test]
    fn md5_rfc1321() {
        assert_eq!(Md5.hash(&[]), hex("d41d8cd98f00b204e9800998ecf8427e"));
        assert_eq!(Md5.hash(&[b"ab", b"", b"c"]), hex("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(Md5.hash(&[b"message digest"]), hex("f96b697d7cb7938d525a2f31aaf161d0"));
    }

    /// FIPS 180-4 examples (also RFC 3174 §7.3).
    #[test]
    fn sha1_fips180() {
        assert_eq!(Sha1.hash(&[b"abc"]), hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let (a, b) = long.split_at(13);
        assert_eq!(Sha1.hash(&[a, b]), hex("84983e441c3bd26ebaae4aa1f95129e5e54670f1"));
    }

    /// NIST SP 500-20, variable plaintext known answer, and a key whose parity bits are wrong.
    #[test]
    fn des_sp500_20() {
        let key = hex("0101010101010101");
        assert_eq!(Des.encrypt(&key, &hex("8000000000000000")), hex("95f8a5e5dd31d900"));
        let even = hex("0000000000000000");
        assert_eq!(Des.encrypt(&even, &hex("8000000000000000")), hex("95f8a5e5dd31d900"));
    }
}
