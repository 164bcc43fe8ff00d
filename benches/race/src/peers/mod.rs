//! Other projects' libraries. They find the IV in the packet, while ours and RustCrypto make one.

mod aws_lc;
mod ipsec_mb;
mod openssl;

pub(crate) use ipsec_mb::version as ipsec_mb_version;

use vpn_core::crypto::EspSuite;

use crate::contender::Column;
use crate::contender::Contender;
use crate::contender::Task;
use crate::contender::Work;
use crate::packets::HEADER;
use crate::packets::Packets;
use crate::packets::Way;

/// GCM with ring, or with aws-lc-rs, whose interface is ring's.
macro_rules! gcm {
    ($library:ident, $task:expr) => {{
        use $library::aead::AES_128_GCM;
        use $library::aead::AES_256_GCM;
        use $library::aead::Aad;
        use $library::aead::LessSafeKey;
        use $library::aead::Nonce;
        use $library::aead::UnboundKey;

        let task: Task = $task;
        let sa = |(key, salt): (Vec<u8>, Vec<u8>)| {
            let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
            let key = LessSafeKey::new(UnboundKey::new(algorithm, &key).unwrap());
            (key, <[u8; 4]>::try_from(salt).unwrap())
        };
        let sas: Vec<_> = task.keys().into_iter().map(sa).collect();
        let work: Work = Box::new(move |packets| {
            let layout = packets.layout;
            for (packet, (key, salt)) in packets.each().zip(sas.iter().cycle()) {
                let (front, data) = packet.split_at_mut(layout.front);
                let nonce = Nonce::assume_unique_for_key(nonce(*salt, front));
                let aad = Aad::from(&front[..HEADER]);
                if task.way == Way::Open {
                    key.open_in_place(nonce, aad, data).unwrap();
                    continue;
                }
                let (data, icv) = data.split_at_mut(layout.data);
                let tag = key.seal_in_place_separate_tag(nonce, aad, data).unwrap();
                icv.copy_from_slice(tag.as_ref());
            }
        });
        work
    }};
}
use gcm;

pub(crate) fn contenders(task: Task) -> Vec<Contender> {
    let mut all = Vec::new();
    if let EspSuite::Combined(_) = task.suite {
        all.push(Contender::new(Column::Ring, gcm!(ring, task)));
    }
    all.extend(aws_lc::contender(task));
    all.push(openssl::contender(task));
    all.extend(ipsec_mb::contenders(task));
    all
}

/// Seals with OpenSSL under the IVs that the packets have.
pub(crate) fn seal_again(task: Task, packets: &mut Packets) {
    (openssl::contender(Task { way: Way::Seal, ..task }).work)(packets);
}

/// Whether two octet strings are equal, in constant time.
fn equal(one: &[u8], other: &[u8]) -> bool {
    vpn_core::ct_eq(one, other)
}

/// The nonce of GCM: the salt, then the IV.
fn nonce(salt: [u8; 4], front: &[u8]) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&salt);
    nonce[4..].copy_from_slice(&front[8..16]);
    nonce
}
