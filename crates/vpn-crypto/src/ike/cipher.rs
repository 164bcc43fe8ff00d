use core::marker::PhantomData;

use aes::cipher::BlockCipherDecrypt;
use aes::cipher::BlockCipherEncrypt;
use aes::cipher::BlockModeDecrypt;
use aes::cipher::BlockModeEncrypt;
use aes::cipher::InnerIvInit;
use aes::cipher::KeyInit;
use aes::cipher::KeyIvInit;
use aes::cipher::array::Array;
use vpn_core::crypto::CbcCrypto;
use vpn_core::crypto::CbcError;
use vpn_core::crypto::EspCipher;

/// A block cipher in CBC mode (RFC 2409 appendix B, RFC 3602): `E` encrypts and `D` decrypts. The
/// round keys are wiped when a message is done.
///
/// Unlike for ESP (RFC 2451 §2.3), no key is refused as weak: IKE makes its keys with the PRF, and
/// RFC 2409 appendix B takes those of triple DES as they come.
pub(super) struct Cbc<E, D>(EspCipher, PhantomData<fn() -> (E, D)>);

impl<E, D> Cbc<E, D> {
    pub(super) const fn new(cipher: EspCipher) -> Self {
        Self(cipher, PhantomData)
    }
}

impl<E, D> CbcCrypto for Cbc<E, D>
where
    E: BlockCipherEncrypt + KeyInit,
    D: BlockCipherDecrypt + KeyInit,
    cbc::Encryptor<E>: InnerIvInit<Inner = E>,
    cbc::Decryptor<D>: InnerIvInit<Inner = D>,
{
    fn cipher(&self) -> EspCipher {
        self.0
    }

    fn encrypt(&self, key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), CbcError> {
        let (blocks, []) = Array::slice_as_chunks_mut(data) else { return Err(CbcError) };
        let mode = cbc::Encryptor::<E>::new_from_slices(key, iv);
        mode.map_err(|_| CbcError)?.encrypt_blocks(blocks);
        Ok(())
    }

    fn decrypt(&self, key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), CbcError> {
        let (blocks, []) = Array::slice_as_chunks_mut(data) else { return Err(CbcError) };
        let mode = cbc::Decryptor::<D>::new_from_slices(key, iv);
        mode.map_err(|_| CbcError)?.decrypt_blocks(blocks);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::CIPHERS;

    #[test]
    fn impossible_lengths_are_refused_and_change_nothing() {
        for cipher in CIPHERS {
            let (key_len, block) = (cipher.cipher().key_len(), cipher.cipher().iv_len());
            for (key, iv, data, good) in [
                (key_len, block, 2 * block, true),
                (key_len, block, 0, true),
                (key_len - 1, block, block, false),
                (key_len + 1, block, block, false),
                (0, block, block, false),
                (key_len, block - 1, block, false),
                (key_len, block + 1, block, false),
                (key_len, block, block - 1, false),
                (key_len, block, block + 1, false),
            ] {
                let (key, iv, text) = (&[7; 33][..key], &[9; 17][..iv], &[5; 40][..data]);
                let mut data = [5; 40];
                let data = &mut data[..text.len()];
                assert_eq!(cipher.encrypt(key, iv, data).is_ok(), good);
                assert_eq!(cipher.decrypt(key, iv, data).is_ok(), good);
                assert_eq!(data, text);
            }
        }
    }
}
