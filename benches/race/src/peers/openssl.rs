//! The system's OpenSSL: ciphers through EVP with a kept context, HMAC from kept SHA states, which
//! is several times faster than its HMAC through EVP.

use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::sha::Sha1;
use openssl::sha::Sha256;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use super::equal;
use super::nonce;
use crate::contender::Column;
use crate::contender::Contender;
use crate::contender::Task;
use crate::contender::Work;
use crate::packets::HEADER;
use crate::packets::Way;

pub(crate) fn contender(task: Task) -> Contender {
    let work = match task.suite {
        EspSuite::Combined(_) => gcm(task),
        EspSuite::Separate(..) => cbc(task),
    };
    Contender::new(Column::OpenSsl, work)
}

/// A cipher context with its key. The IV follows with each packet.
fn context(cipher: &openssl::cipher::CipherRef, key: &[u8], way: Way) -> CipherCtx {
    let mut context = CipherCtx::new().unwrap();
    match way {
        Way::Seal => context.encrypt_init(Some(cipher), Some(key), None).unwrap(),
        Way::Open => context.decrypt_init(Some(cipher), Some(key), None).unwrap(),
    }
    context.set_padding(false);
    context
}

fn set_iv(context: &mut CipherCtx, iv: &[u8], way: Way) {
    match way {
        Way::Seal => context.encrypt_init(None, None, Some(iv)).unwrap(),
        Way::Open => context.decrypt_init(None, None, Some(iv)).unwrap(),
    }
}

fn gcm(task: Task) -> Work {
    let way = task.way;
    let sa = |(key, salt): (Vec<u8>, Vec<u8>)| {
        let cipher = if key.len() == 32 { Cipher::aes_256_gcm() } else { Cipher::aes_128_gcm() };
        (context(cipher, &key, way), <[u8; 4]>::try_from(salt).unwrap())
    };
    let mut sas: Vec<_> = task.keys().into_iter().map(sa).collect();
    Box::new(move |packets| {
        let (layout, sa_count) = (packets.layout, sas.len());
        for (index, packet) in packets.each().enumerate() {
            let (context, salt) = &mut sas[index % sa_count];
            let (front, data) = packet.split_at_mut(layout.front);
            let (data, icv) = data.split_at_mut(layout.data);
            set_iv(context, &nonce(*salt, front), way);
            context.cipher_update(&front[..HEADER], None).unwrap();
            context.cipher_update_inplace(data, layout.data).unwrap();
            match way {
                Way::Seal => {
                    context.cipher_final(&mut []).unwrap();
                    context.tag(icv).unwrap();
                }
                Way::Open => {
                    context.set_tag(icv).unwrap();
                    context.cipher_final(&mut []).unwrap();
                }
            }
        }
    })
}

/// HMAC with the states after the padded key.
enum Mac {
    Sha1 { inner: Sha1, outer: Sha1 },
    Sha256 { inner: Sha256, outer: Sha256 },
}

impl Mac {
    fn new(integrity: EspIntegrity, key: &[u8]) -> Self {
        let padded = |pad: u8| {
            let mut block = [pad; 64];
            block.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
            block
        };
        let (inner_pad, outer_pad) = (padded(0x36), padded(0x5c));
        if integrity == EspIntegrity::HmacSha1_96 {
            let (mut inner, mut outer) = (Sha1::new(), Sha1::new());
            inner.update(&inner_pad);
            outer.update(&outer_pad);
            Self::Sha1 { inner, outer }
        } else {
            let (mut inner, mut outer) = (Sha256::new(), Sha256::new());
            inner.update(&inner_pad);
            outer.update(&outer_pad);
            Self::Sha256 { inner, outer }
        }
    }

    /// The MAC, and zeros where it is shorter than the array.
    fn sign(&self, message: &[u8]) -> [u8; 32] {
        match self {
            Self::Sha1 { inner, outer } => {
                let (mut inner, mut outer) = (inner.clone(), outer.clone());
                inner.update(message);
                outer.update(&inner.finish());
                let mut mac = [0; 32];
                mac[..20].copy_from_slice(&outer.finish());
                mac
            }
            Self::Sha256 { inner, outer } => {
                let (mut inner, mut outer) = (inner.clone(), outer.clone());
                inner.update(message);
                outer.update(&inner.finish());
                outer.finish()
            }
        }
    }
}

fn cbc(task: Task) -> Work {
    let EspSuite::Separate(cipher, integrity) = task.suite else { unreachable!("GCM") };
    let way = task.way;
    let cipher = match cipher {
        EspCipher::Aes256Cbc => Cipher::aes_256_cbc(),
        EspCipher::Aes128Cbc => Cipher::aes_128_cbc(),
        _ => Cipher::des_ede3_cbc(),
    };
    let sa =
        |(key, mac): (Vec<u8>, Vec<u8>)| (context(cipher, &key, way), Mac::new(integrity, &mac));
    let mut sas: Vec<_> = task.keys().into_iter().map(sa).collect();
    Box::new(move |packets| {
        let (layout, sa_count) = (packets.layout, sas.len());
        let end = layout.front + layout.data;
        for (index, packet) in packets.with_tailroom().enumerate() {
            let (context, mac) = &mut sas[index % sa_count];
            if way == Way::Open {
                let (message, icv) = packet.split_at(end);
                assert!(equal(&mac.sign(message)[..layout.icv], &icv[..layout.icv]));
            }
            let (front, data) = packet.split_at_mut(layout.front);
            set_iv(context, &front[HEADER..], way);
            context.cipher_update_inplace(data, layout.data).unwrap();
            if way == Way::Seal {
                let (message, icv) = packet.split_at_mut(end);
                icv[..layout.icv].copy_from_slice(&mac.sign(message)[..layout.icv]);
            }
        }
    })
}
