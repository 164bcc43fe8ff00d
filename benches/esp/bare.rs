//! The same suites by bare calls of the RustCrypto crates: the yardstick.
//!
//! HMAC states are kept and cloned, keys are expanded once, lengths are trusted. A CBC IV is one AES
//! block, as ours is; a GCM IV is a counter.

use core::cell::Cell;

use aes_gcm::AesGcm;
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U12;
use cbc::cipher::Array;
use cbc::cipher::BlockCipherEncrypt;
use cbc::cipher::BlockModeDecrypt;
use cbc::cipher::BlockModeEncrypt;
use cbc::cipher::InnerIvInit;
use cbc::cipher::KeyInit;
use chacha20poly1305::ChaCha20Poly1305;
use hmac::Hmac;
use hmac::Mac;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::EspSuite::Combined;
use vpn_core::crypto::EspSuite::Separate;

type Work = Box<dyn Fn(&mut [u8])>;

/// Sealing and opening of a whole ESP packet in place.
pub(crate) struct Bare {
    pub(crate) seal: Work,
    pub(crate) open: Work,
}

/// The bare calls of `suite`, if it is offered.
pub(crate) fn bare(suite: EspSuite, keymat: &[u8]) -> Option<Bare> {
    let (cipher_key, mac_key) = keymat.split_at(suite.encryption_key_len());
    let (iv, icv) = (suite.iv_len(), suite.icv_len());

    macro_rules! cbc_hmac {
        ($enc:ty, $dec:ty, $hash:ty) => {{
            let (enc, dec) = (
                <$enc>::new_from_slice(cipher_key).unwrap(),
                <$dec>::new_from_slice(cipher_key).unwrap(),
            );
            let mac = Hmac::<$hash>::new_from_slice(mac_key).unwrap();
            let open_mac = mac.clone();
            let iv_cipher = aes::Aes128Enc::new(&[3; 16].into());
            let counter = Cell::new(0_u64);
            let seal = move |packet: &mut [u8]| {
                let (message, tag) = packet.split_at_mut(packet.len() - icv);
                let (front, data) = message.split_at_mut(8 + iv);
                counter.set(counter.get() + 1);
                let mut block = u128::from(counter.get()).to_be_bytes().into();
                iv_cipher.encrypt_block(&mut block);
                front[8..].copy_from_slice(&block[..iv]);
                let (blocks, _) = Array::slice_as_chunks_mut(data);
                let iv = (&front[8..]).try_into().unwrap();
                cbc::Encryptor::inner_iv_init(&enc, iv).encrypt_blocks(blocks);
                let mut mac = mac.clone();
                mac.update(message);
                tag.copy_from_slice(&mac.finalize().into_bytes()[..icv]);
            };
            let open = move |packet: &mut [u8]| {
                let (message, tag) = packet.split_at_mut(packet.len() - icv);
                let mut mac = open_mac.clone();
                mac.update(message);
                mac.verify_truncated_left(tag).unwrap();
                let (front, data) = message.split_at_mut(8 + iv);
                let (blocks, _) = Array::slice_as_chunks_mut(data);
                let iv = (&front[8..]).try_into().unwrap();
                cbc::Decryptor::inner_iv_init(&dec, iv).decrypt_blocks(blocks);
            };
            Bare { seal: Box::new(seal), open: Box::new(open) }
        }};
    }
    macro_rules! aead {
        ($aead:ty) => {{
            let (key, salt) = cipher_key.split_at(cipher_key.len() - 4);
            let seal_aead = <$aead>::new_from_slice(key).unwrap();
            let open_aead = <$aead>::new_from_slice(key).unwrap();
            let salt: [u8; 4] = salt.try_into().unwrap();
            let nonce = move |front: &[u8]| {
                let mut nonce = [0; 12];
                nonce[..4].copy_from_slice(&salt);
                nonce[4..].copy_from_slice(&front[8..16]);
                nonce
            };
            let counter = Cell::new(0_u64);
            let seal = move |packet: &mut [u8]| {
                let (front, data) = packet.split_at_mut(16);
                counter.set(counter.get() + 1);
                front[8..].copy_from_slice(&counter.get().to_be_bytes());
                let (data, tag) = data.split_at_mut(data.len() - 16);
                let nonce = nonce(front).into();
                let made = seal_aead.encrypt_inout_detached(&nonce, &front[..8], data.into());
                tag.copy_from_slice(&made.unwrap());
            };
            let open = move |packet: &mut [u8]| {
                let (front, data) = packet.split_at_mut(16);
                let (data, tag) = data.split_at_mut(data.len() - 16);
                let (nonce, tag) = (nonce(front).into(), (&*tag).try_into().unwrap());
                open_aead.decrypt_inout_detached(&nonce, &front[..8], data.into(), tag).unwrap();
            };
            Bare { seal: Box::new(seal), open: Box::new(open) }
        }};
    }

    macro_rules! cbc {
        ($enc:ty, $dec:ty, $integrity:expr) => {
            match $integrity {
                EspIntegrity::HmacSha1_96 => cbc_hmac!($enc, $dec, sha1::Sha1),
                EspIntegrity::HmacSha2_256_128 | EspIntegrity::HmacSha2_256_96 => {
                    cbc_hmac!($enc, $dec, sha2::Sha256)
                }
                EspIntegrity::HmacSha2_384_192 => cbc_hmac!($enc, $dec, sha2::Sha384),
                EspIntegrity::HmacSha2_512_256 => cbc_hmac!($enc, $dec, sha2::Sha512),
                _ => return None,
            }
        };
    }

    Some(match suite {
        Separate(EspCipher::Aes256Cbc, mac) => cbc!(aes::Aes256Enc, aes::Aes256Dec, mac),
        Separate(EspCipher::Aes192Cbc, mac) => cbc!(aes::Aes192Enc, aes::Aes192Dec, mac),
        Separate(EspCipher::Aes128Cbc, mac) => cbc!(aes::Aes128Enc, aes::Aes128Dec, mac),
        Separate(EspCipher::TripleDesCbc, mac) => cbc!(des::TdesEde3, des::TdesEde3, mac),
        Combined(EspAead::Aes128Gcm16) => aead!(AesGcm<aes::Aes128Enc, U12>),
        Combined(EspAead::Aes192Gcm16) => aead!(AesGcm<aes::Aes192Enc, U12>),
        Combined(EspAead::Aes256Gcm16) => aead!(AesGcm<aes::Aes256Enc, U12>),
        Combined(EspAead::ChaCha20Poly1305) => aead!(ChaCha20Poly1305),
        _ => return None,
    })
}
