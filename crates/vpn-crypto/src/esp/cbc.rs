//! CBC over whole blocks in place (RFC 2451, RFC 3602), and the IVs for it.

use aes::cipher::Block;
use aes::cipher::BlockCipherDecrypt;
use aes::cipher::BlockCipherEncrypt;
use aes::cipher::BlockModeDecrypt;
use aes::cipher::BlockModeEncrypt;
use aes::cipher::InnerIvInit;
use aes::cipher::KeyInit;
use aes::cipher::array::Array;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspKeyError;
use zeroize::Zeroize;

/// A cipher with its key, set up for one direction: `A`, `B` and `C` are AES with keys of 128, 192
/// and 256 bits.
#[allow(clippy::large_enum_variant, reason = "lives once per SA, in place or boxed whole")]
pub(super) enum Cipher<A, B, C> {
    Null,
    TripleDes(des::TdesEde3),
    Aes128(A),
    Aes192(B),
    Aes256(C),
}

/// A cipher set up to encrypt.
pub(super) type Encryptor = Cipher<aes::Aes128Enc, aes::Aes192Enc, aes::Aes256Enc>;
/// A cipher set up to decrypt.
pub(super) type Decryptor = Cipher<aes::Aes128Dec, aes::Aes192Dec, aes::Aes256Dec>;

/// The IV or the data have an impossible length.
pub(super) struct BadLength;

fn expand<C: KeyInit>(key: &[u8]) -> Result<C, EspKeyError> {
    let wrong = |_| EspKeyError::WrongLength { needed: C::key_size(), given: key.len() };
    C::new_from_slice(key).map_err(wrong)
}

/// Refuses a key that makes triple DES single DES (RFC 2451 §2.3). The parity bits do not count.
pub(super) fn triple_des(key: &[u8]) -> Result<des::TdesEde3, EspKeyError> {
    let equal =
        |a: &[u8], b: &[u8]| a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b)) & 0xfe == 0;
    if let ([k1, k2, k3], []) = key.as_chunks::<8>()
        && (equal(k1, k2) || equal(k2, k3))
    {
        return Err(EspKeyError::Weak);
    }
    expand(key)
}

impl<A: KeyInit, B: KeyInit, C: KeyInit> Cipher<A, B, C> {
    pub(super) fn new(cipher: EspCipher, key: &[u8]) -> Result<Self, EspKeyError> {
        Ok(match cipher {
            EspCipher::Null => Self::Null,
            EspCipher::TripleDesCbc => Self::TripleDes(triple_des(key)?),
            EspCipher::Aes128Cbc => Self::Aes128(expand(key)?),
            EspCipher::Aes192Cbc => Self::Aes192(expand(key)?),
            EspCipher::Aes256Cbc => Self::Aes256(expand(key)?),
            _ => return Err(EspKeyError::UnknownSuite),
        })
    }
}

impl Encryptor {
    pub(super) fn encrypt(&self, iv: &[u8], data: &mut [u8]) -> Result<(), BadLength> {
        match self {
            Self::Null => Ok(()),
            Self::TripleDes(cipher) => encrypt(cipher, iv, data),
            Self::Aes128(cipher) => encrypt(cipher, iv, data),
            Self::Aes192(cipher) => encrypt(cipher, iv, data),
            Self::Aes256(cipher) => encrypt(cipher, iv, data),
        }
    }
}

impl Decryptor {
    pub(super) fn decrypt(&self, iv: &[u8], data: &mut [u8]) -> Result<(), BadLength> {
        match self {
            Self::Null => Ok(()),
            Self::TripleDes(cipher) => decrypt(cipher, iv, data),
            Self::Aes128(cipher) => decrypt(cipher, iv, data),
            Self::Aes192(cipher) => decrypt(cipher, iv, data),
            Self::Aes256(cipher) => decrypt(cipher, iv, data),
        }
    }
}

fn encrypt<C: BlockCipherEncrypt>(cipher: &C, iv: &[u8], data: &mut [u8]) -> Result<(), BadLength> {
    let iv = <&Block<C>>::try_from(iv).map_err(|_| BadLength)?;
    let (blocks, []) = Array::slice_as_chunks_mut(data) else { return Err(BadLength) };
    cbc::Encryptor::inner_iv_init(cipher, iv).encrypt_blocks(blocks);
    Ok(())
}

fn decrypt<C: BlockCipherDecrypt>(cipher: &C, iv: &[u8], data: &mut [u8]) -> Result<(), BadLength> {
    let iv = <&Block<C>>::try_from(iv).map_err(|_| BadLength)?;
    let (blocks, []) = Array::slice_as_chunks_mut(data) else { return Err(BadLength) };
    cbc::Decryptor::inner_iv_init(cipher, iv).decrypt_blocks(blocks);
    Ok(())
}

/// Makes the IVs of one SA: the packet counter encrypted under a random key.
///
/// Nobody can predict the next one without the key, which is what CBC needs (NIST SP 800-38A
/// appendix C, RFC 3602 §3), and no two threads share a generator. A cipher with shorter blocks
/// takes the first octets.
pub(super) struct IvCipher(aes::Aes128Enc);

impl IvCipher {
    pub(super) fn new(rng: &mut dyn SecureRandom) -> Result<Self, RandomError> {
        let mut key = [0; 16];
        rng.fill(&mut key)?;
        let cipher = aes::Aes128Enc::new(&key.into());
        key.zeroize();
        Ok(Self(cipher))
    }

    pub(super) fn iv(&self, sequence: u64) -> [u8; 16] {
        let mut block = u128::from(sequence).to_be_bytes().into();
        self.0.encrypt_block(&mut block);
        block.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn weak_triple_des_keys_are_refused() {
        let key = |parts: [u8; 3]| -> Vec<u8> { parts.iter().flat_map(|k| [*k; 8]).collect() };
        for (parts, weak) in [
            ([2, 2, 4], true),
            ([2, 4, 4], true),
            ([2, 3, 8], true),  // only parity differs
            ([2, 4, 2], false), // two-key triple DES is not single DES
            ([2, 4, 8], false),
        ] {
            let refused = |e: Option<EspKeyError>| e == Some(EspKeyError::Weak);
            assert_eq!(refused(Encryptor::new(EspCipher::TripleDesCbc, &key(parts)).err()), weak);
            assert_eq!(refused(Decryptor::new(EspCipher::TripleDesCbc, &key(parts)).err()), weak);
        }
    }

    #[test]
    fn lengths_that_are_no_whole_blocks_are_refused() {
        let cipher = Encryptor::new(EspCipher::Aes128Cbc, &[1; 16]).ok().unwrap();
        assert!(cipher.encrypt(&[0; 16], &mut [0; 15]).is_err());
        assert!(cipher.encrypt(&[0; 8], &mut [0; 16]).is_err());
        assert!(cipher.encrypt(&[0; 16], &mut [0; 16]).is_ok());
    }
}
