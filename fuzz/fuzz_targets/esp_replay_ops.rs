//! The replay window and whole SAs under any order of operations, against sets of numbers (RFC 4303
//! §3.4.3, appendix A).
#![no_main]

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use ipsec_esp::InboundSa;
use ipsec_esp::Incoming;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenFailure;
use ipsec_esp::OutboundSa;
use ipsec_esp::Refused;
use ipsec_esp::ReplayWindow;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use ipsec_esp::open_batch;
use libfuzzer_sys::fuzz_target;
use vpn_core::PacketMut;
use vpn_core::RandomError;
use vpn_core::SecureRandom;

#[derive(Arbitrary, Debug)]
struct Input {
    window: u16,
    extended: bool,
    start: u64,
    numbers: Vec<Number>,
    packets: Vec<Operation>,
}

/// A number to check and, if its ICV is right, to commit.
#[derive(Arbitrary, Debug)]
enum Number {
    Ahead(u16, bool),
    Behind(u16, bool),
    Far(u32, bool),
    Low(u32, bool),
}

#[derive(Arbitrary, Debug)]
enum Operation {
    Seal(u8),
    Lose(u8),
    Deliver(u8),
    Flip(u8, u16),
    Cut(u8, u8),
    Batch(Vec<u8>),
}

struct Fixed;

impl SecureRandom for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(8);
        Ok(())
    }
}

fuzz_target!(|input: Input| {
    let size = 64 + u32::from(input.window) % (4096 - 63);
    numbers(size, input.start % (1 << 40), input.extended, &input.numbers);
    packets(size, input.extended, &input.packets);
});

fn numbers(size: u32, start: u64, extended: bool, numbers: &[Number]) {
    let window = ReplayWindow::<Local>::new(size).unwrap();
    let wide = u64::from(size);
    let (mut seen, mut highest) = (BTreeSet::new(), 0_u64);
    if start > 0 {
        window.commit(start).unwrap();
        seen.insert(start);
        highest = start;
    }
    for number in numbers {
        let (sequence, authentic) = match *number {
            Number::Ahead(by, authentic) => (highest + u64::from(by), authentic),
            Number::Behind(by, authentic) => (highest.saturating_sub(by.into()), authentic),
            Number::Far(by, authentic) => (highest + u64::from(by), authentic),
            Number::Low(low, authentic) if extended => {
                let Some(sequence) = window.infer(low) else { continue };
                assert!(sequence + wide > highest && sequence < highest + (1 << 32));
                assert_eq!(sequence as u32, low);
                (sequence, authentic)
            }
            Number::Low(low, authentic) => (low.into(), authentic),
        };
        let want = if sequence == 0 || sequence + wide <= highest {
            Err(Refused::TooOld)
        } else if seen.contains(&sequence) {
            Err(Refused::Replayed)
        } else {
            Ok(())
        };
        assert_eq!(window.check(sequence), want);
        if authentic {
            assert_eq!(
                window.commit(sequence).map(|committed| committed.before),
                want.map(|()| highest)
            );
            if want.is_ok() {
                seen.insert(sequence);
                highest = highest.max(sequence);
            }
        }
        assert_eq!(window.highest(), highest);
    }
}

fn packets(window: u32, extended: bool, operations: &[Operation]) {
    let suite = if extended { "aes128gcm16" } else { "aes128-sha1" };
    let crypto = vpn_crypto::provider().esp_suite(suite.parse().unwrap()).unwrap();
    let keymat = vec![3; crypto.suite().keymat_len()];
    let config = SaConfig::new(Spi(999)).extended_sequence_numbers(extended).replay_window(window);
    let out =
        OutboundSa::<Local>::new(crypto.seal_key(&keymat, &mut Fixed).unwrap(), config).unwrap();
    let inbound = InboundSa::<Local>::new(crypto.open_key(&keymat).unwrap(), config).unwrap();
    let mut sealed: Vec<(u64, Vec<u8>)> = Vec::new();
    let (mut opened, mut highest) = (BTreeSet::new(), 0);
    let mut verdict = |sequence: u64, got: Result<u64, Option<OpenFailure>>| {
        let too_old = sequence + u64::from(window) <= highest;
        if too_old || opened.contains(&sequence) {
            assert!(got.is_err());
        } else {
            assert_eq!(got, Ok(sequence));
            opened.insert(sequence);
            highest = highest.max(sequence);
        }
    };
    for operation in operations {
        let pick = |n: u8| sealed.get(usize::from(n) % sealed.len().max(1));
        match operation {
            Operation::Seal(len) | Operation::Lose(len) => {
                let mut storage = [0x55; 400];
                let window = 64..64 + usize::from(*len);
                let mut packet = PacketMut::new(&mut storage, window).unwrap();
                let sequence = out.seal(&mut packet, NextHeader::TCP).unwrap().sequence;
                if matches!(operation, Operation::Seal(_)) {
                    sealed.push((sequence, packet.payload().to_vec()));
                }
            }
            Operation::Deliver(n) => {
                let Some((sequence, octets)) = pick(*n) else { continue };
                let got = inbound.open_explained(&mut PacketMut::whole(&mut octets.clone()));
                verdict(*sequence, got.map(|opened| opened.sequence).map_err(Some));
            }
            Operation::Flip(n, bit) => {
                let Some((_, octets)) = pick(*n) else { continue };
                let mut octets = octets.clone();
                let bit = usize::from(*bit) % (octets.len() * 8);
                octets[bit / 8] ^= 1 << (bit % 8);
                assert!(inbound.open(&mut PacketMut::whole(&mut octets)).is_err());
            }
            Operation::Cut(n, len) => {
                let Some((_, octets)) = pick(*n) else { continue };
                let len = usize::from(*len) % octets.len();
                let mut octets = octets[..len].to_vec();
                assert!(inbound.open(&mut PacketMut::whole(&mut octets)).is_err());
            }
            Operation::Batch(order) => {
                let mut picked: Vec<(u64, Vec<u8>)> =
                    order.iter().filter_map(|n| pick(*n).cloned()).collect();
                let mut packets: Vec<_> =
                    picked.iter_mut().map(|(_, octets)| PacketMut::whole(octets)).collect();
                let mut batch: Vec<_> =
                    packets.iter_mut().map(|packet| Incoming::new(&inbound, packet)).collect();
                open_batch(&mut batch);
                let got: Vec<_> = batch.iter().map(Incoming::outcome).collect();
                for ((sequence, _), got) in picked.iter().zip(got) {
                    verdict(*sequence, got.map(|opened| opened.sequence).map_err(|_| None));
                }
            }
        }
    }
    assert_eq!(inbound.usage().packets, highest);
}
