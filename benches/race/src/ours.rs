//! The suites of `vpn-crypto`, called as `ipsec-esp` calls them.

use vpn_core::crypto::BoxedOpenKey;
use vpn_core::crypto::BoxedSealKey;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::SealJob;
use vpn_crypto::esp::Path;

use crate::contender::Column;
use crate::contender::Contender;
use crate::contender::Task;
use crate::contender::Work;
use crate::fixture::Counting;
use crate::packets::Packets;
use crate::packets::Shape;
use crate::packets::Way;

pub(crate) fn contenders(task: Task, every_path: bool) -> Vec<Contender> {
    let fastest = vpn_crypto::provider().esp_suite(task.suite).unwrap();
    let narrow = vpn_crypto::esp::suite_on(task.suite, Path::Bits256).filter(|_| task.avx2);
    let ours = narrow.unwrap_or(fastest);
    let twin = vpn_crypto::esp::portable(task.suite).unwrap();
    let mut all = vec![
        Contender::new(Column::Ours, work(task, ours)),
        Contender::new(Column::Twin, work(task, twin)),
    ];
    let paths = if every_path { &Path::ALL[1..] } else { &[] };
    for path in paths {
        if let Some(crypto) = vpn_crypto::esp::suite_on(task.suite, *path) {
            all.push(Contender::new(Column::OnPath(*path), work(task, crypto)));
        }
    }
    all
}

/// Seals as the safe twin does: the packets that opening is measured with.
pub(crate) fn seal(task: Task, packets: &mut Packets) {
    let twin = vpn_crypto::esp::portable(task.suite).unwrap();
    work(Task { way: Way::Seal, ..task }, twin)(packets);
}

/// Opens as the safe twin does.
pub(crate) fn open(task: Task, packets: &mut Packets) {
    let twin = vpn_crypto::esp::portable(task.suite).unwrap();
    work(Task { way: Way::Open, ..task }, twin)(packets);
}

fn work(task: Task, crypto: &'static dyn EspCrypto) -> Work {
    let one_by_one = task.shape == Shape::One;
    match task.way {
        Way::Seal => {
            let keys: Vec<BoxedSealKey> = task
                .keymats()
                .iter()
                .map(|keymat| crypto.seal_key(keymat, &mut Counting(7)).unwrap())
                .collect();
            let mut sequence = 0;
            Box::new(move |packets| {
                let mut jobs: Vec<SealJob<'_>> = packets
                    .each()
                    .zip(keys.iter().cycle())
                    .map(|(packet, key)| {
                        sequence += 1;
                        SealJob {
                            key: key.as_ref(),
                            sequence,
                            extended: false,
                            packet,
                            sealed: false,
                        }
                    })
                    .collect();
                if one_by_one {
                    jobs.chunks_mut(1).for_each(|job| crypto.seal(job));
                } else {
                    crypto.seal(&mut jobs);
                }
                assert!(jobs.iter().all(|job| job.sealed));
            })
        }
        Way::Open => {
            let keys: Vec<BoxedOpenKey> =
                task.keymats().iter().map(|keymat| crypto.open_key(keymat).unwrap()).collect();
            Box::new(move |packets| {
                let mut jobs: Vec<OpenJob<'_>> = packets
                    .each()
                    .zip(keys.iter().cycle())
                    .map(|(packet, key)| {
                        let (key, sequence) = (key.as_ref(), 0);
                        OpenJob { key, sequence, extended: false, packet, authentic: false }
                    })
                    .collect();
                if one_by_one {
                    jobs.chunks_mut(1).for_each(|job| crypto.open(job));
                } else {
                    crypto.open(&mut jobs);
                }
                assert!(jobs.iter().all(|job| job.authentic));
            })
        }
    }
}
