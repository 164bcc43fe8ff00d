//! aws-lc-rs, which has no 3DES.

use aws_lc_rs::cipher;
use aws_lc_rs::cipher::DecryptingKey;
use aws_lc_rs::cipher::DecryptionContext;
use aws_lc_rs::cipher::EncryptingKey;
use aws_lc_rs::cipher::EncryptionContext;
use aws_lc_rs::cipher::UnboundCipherKey;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use super::equal;
use super::gcm;
use super::nonce;
use crate::contender::Column;
use crate::contender::Contender;
use crate::contender::Task;
use crate::contender::Work;
use crate::packets::HEADER;
use crate::packets::Way;

pub(crate) fn contender(task: Task) -> Option<Contender> {
    let work = match task.suite {
        EspSuite::Combined(_) => gcm!(aws_lc_rs, task),
        EspSuite::Separate(EspCipher::TripleDesCbc, _) => return None,
        EspSuite::Separate(_, EspIntegrity::HmacSha1_96) => {
            cbc(task, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)
        }
        EspSuite::Separate(..) => cbc(task, hmac::HMAC_SHA256),
    };
    Some(Contender::new(Column::AwsLc, work))
}

fn cbc(task: Task, integrity: hmac::Algorithm) -> Work {
    let cipher = |key: &[u8]| {
        let algorithm = if key.len() == 32 { &cipher::AES_256 } else { &cipher::AES_128 };
        UnboundCipherKey::new(algorithm, key).unwrap()
    };
    let iv = |front: &[u8]| FixedLength::from(<[u8; 16]>::try_from(&front[HEADER..]).unwrap());
    match task.way {
        Way::Seal => {
            let sa = |(key, mac): (Vec<u8>, Vec<u8>)| {
                (EncryptingKey::cbc(cipher(&key)).unwrap(), hmac::Key::new(integrity, &mac))
            };
            let sas: Vec<_> = task.keys().into_iter().map(sa).collect();
            Box::new(move |packets| {
                let layout = packets.layout;
                for (packet, (key, mac)) in packets.each().zip(sas.iter().cycle()) {
                    let (message, icv) = packet.split_at_mut(layout.front + layout.data);
                    let (front, data) = message.split_at_mut(layout.front);
                    let context = EncryptionContext::Iv128(iv(front));
                    key.less_safe_encrypt(data, context).unwrap();
                    icv.copy_from_slice(&hmac::sign(mac, message).as_ref()[..layout.icv]);
                }
            })
        }
        Way::Open => {
            let sa = |(key, mac): (Vec<u8>, Vec<u8>)| {
                (DecryptingKey::cbc(cipher(&key)).unwrap(), hmac::Key::new(integrity, &mac))
            };
            let sas: Vec<_> = task.keys().into_iter().map(sa).collect();
            Box::new(move |packets| {
                let layout = packets.layout;
                for (packet, (key, mac)) in packets.each().zip(sas.iter().cycle()) {
                    let (message, icv) = packet.split_at_mut(layout.front + layout.data);
                    assert!(equal(&hmac::sign(mac, message).as_ref()[..layout.icv], icv));
                    let (front, data) = message.split_at_mut(layout.front);
                    key.decrypt(data, DecryptionContext::Iv128(iv(front))).unwrap();
                }
            })
        }
    }
}
