//! One SA in several threads.
#![allow(clippy::restriction, reason = "a test")]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::thread;

use ipsec_esp::Incoming;
use ipsec_esp::Lifetime;
use ipsec_esp::Limits;
use ipsec_esp::NextHeader;
use ipsec_esp::Outgoing;
use ipsec_esp::SaConfig;
use ipsec_esp::SealError;
use ipsec_esp::Shared;
use ipsec_esp::open_batch;
use ipsec_esp::seal_batch;
use support::SPI;
use support::pair;
use vpn_core::PacketMut;

const THREADS: usize = 4;
const EACH: usize = 4_000;

/// Threads share an outbound SA up to its hard limit: every number is used once, the soft limit is
/// announced once, nothing goes out behind the hard one. Then threads share the inbound SA, each with
/// all packets: every packet is opened once, by whichever comes first.
#[test]
fn each_number_once_each_packet_once() {
    let total = THREADS * EACH;
    let hard = Limits { packets: total as u64 - 100, ..Limits::NONE };
    let soft = Limits { packets: 5_000, ..Limits::NONE };
    let config = SaConfig::new(SPI).lifetime(Lifetime::new(hard).with_soft(soft));
    let (out, _) = pair::<Shared>("aes128gcm16".parse().unwrap(), 1, config);
    let config = SaConfig::new(SPI).replay_window(4096);
    let (_, inbound) = pair::<Shared>("aes128gcm16".parse().unwrap(), 1, config);

    let seal = |thread: usize| {
        let mut sealed = Vec::new();
        for round in 0..EACH / 8 {
            let mut storages = [[0; 200]; 8];
            let mut packets: Vec<_> =
                storages.iter_mut().map(|s| PacketMut::new(s, 50..100).unwrap()).collect();
            if (round + thread).is_multiple_of(3) {
                for packet in &mut packets {
                    let outcome = out.seal(packet, NextHeader::TCP);
                    sealed.push((outcome, packet.payload().to_vec()));
                }
            } else {
                let mut batch: Vec<_> =
                    packets.iter_mut().map(|p| Outgoing::new(&out, p, NextHeader::TCP)).collect();
                seal_batch(&mut batch);
                let outcomes: Vec<_> = batch.iter().map(Outgoing::outcome).collect();
                let octets = packets.iter().map(|p| p.payload().to_vec());
                sealed.extend(outcomes.into_iter().zip(octets));
            }
        }
        sealed
    };
    let sealed: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || seal(n))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let refused = sealed.iter().filter(|(s, _)| *s == Err(SealError::Exhausted)).count();
    let numbers: BTreeSet<u64> =
        sealed.iter().filter_map(|(s, _)| s.ok()).map(|s| s.sequence).collect();
    assert_eq!((sealed.len(), refused, numbers.len()), (total, 100, total - 100));
    assert_eq!(numbers.last(), Some(&hard.packets));
    assert_eq!(sealed.iter().filter(|(s, _)| s.is_ok_and(|s| s.soft_limit)).count(), 1);

    let mut packets: Vec<_> =
        sealed.into_iter().filter_map(|(s, p)| Some((s.ok()?.sequence, p))).collect();
    packets.sort_by_key(|(sequence, _)| *sequence);
    let opened: Vec<AtomicU32> = packets.iter().map(|_| AtomicU32::new(0)).collect();
    let barrier = std::sync::Barrier::new(THREADS);
    // All threads stay within a window of each other: a packet is dropped only as a replay.
    let open = || {
        for (part, marks) in packets.chunks(1_000).zip(opened.chunks(1_000)) {
            barrier.wait();
            for (part, marks) in part.chunks(16).zip(marks.chunks(16)) {
                let mut storages: Vec<Vec<u8>> = part.iter().map(|(_, p)| p.clone()).collect();
                let mut windows: Vec<_> =
                    storages.iter_mut().map(|s| PacketMut::whole(s)).collect();
                let mut batch: Vec<_> =
                    windows.iter_mut().map(|p| Incoming::new(&inbound, p)).collect();
                open_batch(&mut batch);
                for (item, mark) in batch.iter().zip(marks) {
                    mark.fetch_add(u32::from(item.outcome().is_ok()), Ordering::Relaxed);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(open);
        }
    });
    assert!(opened.iter().all(|times| times.load(Ordering::Relaxed) == 1));
    assert_eq!(inbound.usage().packets, hard.packets);
}
