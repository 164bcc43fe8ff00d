//! Every path of every suite against the portable code: the same octets, on every length and in
//! batches of every size, with lengths and keys mixed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stderr
)]

use proptest::prelude::*;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::BoxedOpenKey;
use vpn_core::crypto::BoxedSealKey;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::SealJob;
use vpn_crypto::esp::Path;
use vpn_crypto::esp::portable;
use vpn_crypto::esp::suite_on;

/// Octets that look random and are the same in every run.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

impl SecureRandom for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill_with(|| self.next() as u8);
        Ok(())
    }
}

/// One implementation with a few SAs.
struct Side {
    crypto: &'static dyn EspCrypto,
    seal: Vec<BoxedSealKey>,
    open: Vec<BoxedOpenKey>,
}

const SAS: usize = 5;

impl Side {
    fn new(crypto: &'static dyn EspCrypto) -> Self {
        let keymats = (0..SAS as u64).map(|seed| {
            let mut keymat = vec![0; crypto.suite().keymat_len()];
            Seeded(seed).fill(&mut keymat).unwrap();
            keymat
        });
        let keymats: Vec<_> = keymats.collect();
        let seal = keymats.iter().zip(100..);
        let seal = seal.map(|(k, seed)| crypto.seal_key(k, &mut Seeded(seed)).unwrap());
        let open = keymats.iter().map(|k| crypto.open_key(k).unwrap());
        Self { crypto, seal: seal.collect(), open: open.collect() }
    }

    fn seal(&self, packets: &mut [Packet]) -> Vec<bool> {
        let mut jobs: Vec<_> = packets
            .iter_mut()
            .map(|packet| SealJob {
                key: self.seal[packet.sa].as_ref(),
                sequence: packet.sequence,
                extended: packet.extended,
                packet: &mut packet.octets,
                sealed: false,
            })
            .collect();
        self.crypto.seal(&mut jobs);
        jobs.iter().map(|job| job.sealed).collect()
    }

    fn open(&self, packets: &mut [Packet]) -> Vec<bool> {
        let mut jobs: Vec<_> = packets
            .iter_mut()
            .map(|packet| OpenJob {
                key: self.open[packet.sa].as_ref(),
                sequence: packet.sequence,
                extended: packet.extended,
                packet: &mut packet.octets,
                authentic: false,
            })
            .collect();
        self.crypto.open(&mut jobs);
        jobs.iter().map(|job| job.authentic).collect()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Packet {
    sa: usize,
    sequence: u64,
    extended: bool,
    octets: Vec<u8>,
}

impl Packet {
    /// A packet to seal, with so many units of plaintext.
    fn new(suite: EspSuite, units: usize, sa: usize, random: &mut Seeded) -> Self {
        let len = 8 + suite.iv_len() + units * suite.alignment() + suite.icv_len();
        let mut octets = vec![0; len];
        random.fill(&mut octets).unwrap();
        Self { sa, sequence: random.next(), extended: random.below(2) == 0, octets }
    }
}

/// What both sides make of the same packets. `wrong` names one that is changed on its way.
fn compare(twin: &Side, side: &Side, packets: &[Packet], wrong: Option<usize>) {
    let (mut expected, mut sealed) = (packets.to_vec(), packets.to_vec());
    assert_eq!(side.seal(&mut sealed), twin.seal(&mut expected));
    for (sealed, expected) in sealed.iter().zip(&expected) {
        assert!(sealed == expected, "length {}", expected.octets.len());
    }
    if let Some(wrong) = wrong {
        let place = wrong * 7 % sealed[wrong].octets.len();
        sealed[wrong].octets[place] ^= 0x10;
    }
    let authentic = side.open(&mut sealed);
    for (n, (opened, plain)) in sealed.iter().zip(packets).enumerate() {
        let suite = side.crypto.suite();
        let body = 8 + suite.iv_len()..plain.octets.len().saturating_sub(suite.icv_len());
        let possible = !body.is_empty() && body.len().is_multiple_of(suite.alignment());
        assert_eq!(authentic[n], wrong != Some(n) && possible, "{n}");
        if authentic[n] {
            assert!(opened.octets[body.clone()] == plain.octets[body], "{n}");
        }
    }
}

/// The suites that may be sealed with.
fn suites() -> impl Iterator<Item = EspSuite> {
    vpn_crypto::provider().esp.iter().map(|crypto| crypto.suite())
}

fn slow(suite: EspSuite) -> bool {
    matches!(suite, EspSuite::Separate(EspCipher::TripleDesCbc, _))
}

/// Runs `test` on each path that the processor has.
fn on_every_path(suites: impl Iterator<Item = EspSuite>, test: impl Fn(&Side, &Side)) {
    for suite in suites {
        let twin = Side::new(portable(suite).unwrap());
        for path in [Path::Bits128, Path::Bits256, Path::Bits512] {
            match suite_on(suite, path) {
                Some(crypto) => test(&twin, &Side::new(crypto)),
                None => eprintln!("SKIPPED: {suite} has no {path} path on this processor"),
            }
        }
    }
}

/// All lengths up to 2100 octets of plaintext, one packet at a time and in batches of different
/// lengths.
#[test]
fn every_length() {
    on_every_path(suites(), |twin, side| {
        let suite = side.crypto.suite();
        let mut random = Seeded(1);
        let units = if slow(suite) { 48 } else { 2100 / suite.alignment() };
        let mut all: Vec<_> =
            (1..=units).map(|units| Packet::new(suite, units, units % SAS, &mut random)).collect();
        for packet in &all {
            compare(twin, side, core::slice::from_ref(packet), None);
        }
        compare(twin, side, &all, None);
        all.reverse();
        compare(twin, side, &all, Some(3));
    });
}

/// Batches of 1 to 64 packets: of equal length under one key, and with both mixed.
#[test]
fn every_batch_size() {
    on_every_path(suites(), |twin, side| {
        let suite = side.crypto.suite();
        let mut random = Seeded(2);
        let most = if slow(suite) { 64 } else { 800 } / suite.alignment();
        let step = if slow(suite) { 5 } else { 1 };
        for count in (1..=64).step_by(step) {
            let units = 1 + random.below(most);
            let equal: Vec<_> =
                (0..count).map(|_| Packet::new(suite, units, 0, &mut random)).collect();
            compare(twin, side, &equal, Some(random.below(count)));
            let mixed: Vec<_> = (0..count)
                .map(|_| {
                    let (units, sa) = (1 + random.below(most), random.below(SAS));
                    Packet::new(suite, units, sa, &mut random)
                })
                .collect();
            compare(twin, side, &mixed, Some(random.below(count)));
        }
    });
}

/// Packets too short, or with a part of a block, are left alone, whatever stands beside them.
#[test]
fn impossible_lengths() {
    on_every_path(suites(), |twin, side| {
        let suite = side.crypto.suite();
        let mut random = Seeded(3);
        let around = 8 + suite.iv_len() + suite.icv_len();
        let packets: Vec<_> = (0..around + 2 * suite.alignment())
            .map(|len| {
                let mut packet = Packet::new(suite, 3, len % SAS, &mut random);
                packet.octets.truncate(len);
                packet.octets.resize(len, 0x77);
                packet
            })
            .collect();
        for packet in &packets {
            compare(twin, side, core::slice::from_ref(packet), None);
        }
        compare(twin, side, &packets, None);
    });
}

/// Keys of another suite, or of another path, do nothing, and take nothing from the others.
#[test]
fn keys_of_others() {
    on_every_path(suites(), |twin, side| {
        let suite = side.crypto.suite();
        let packet = Packet::new(suite, 4, 0, &mut Seeded(4));
        let mut octets = [packet.octets.clone(), packet.octets.clone(), packet.octets.clone()];
        let keys = [&side.seal[0], &twin.seal[0], &side.seal[0]];
        let mut jobs: Vec<_> = octets
            .iter_mut()
            .zip(keys)
            .map(|(octets, key)| SealJob {
                key: key.as_ref(),
                sequence: packet.sequence,
                extended: packet.extended,
                packet: octets,
                sealed: false,
            })
            .collect();
        side.crypto.seal(&mut jobs);
        let sealed: Vec<bool> = jobs.iter().map(|job| job.sealed).collect();
        assert_eq!(sealed, [true, false, true]);
        assert_eq!(octets[1], packet.octets);
        assert_eq!(octets[0], octets[2]);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any batch.
    #[test]
    fn any_batch(
        packets in prop::collection::vec((1_usize..140, 0..SAS), 1..=70),
        seed in any::<u64>(),
    ) {
        let of = ["aes256-sha1", "aes128-sha256", "aes192-sha512", "aes256gcm16"];
        on_every_path(of.iter().map(|name| name.parse().unwrap()), |twin, side| {
            let mut random = Seeded(seed);
            let packets: Vec<_> = packets
                .iter()
                .map(|(units, sa)| Packet::new(side.crypto.suite(), *units, *sa, &mut random))
                .collect();
            compare(twin, side, &packets, None);
        });
    }
}
