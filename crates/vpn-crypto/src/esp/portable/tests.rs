use alloc::vec;
use alloc::vec::Vec;

use vpn_core::RandomError;

use super::*;
use crate::esp::ALL_SUITES;
use crate::esp::portable;

struct Counting(u8);

impl SecureRandom for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octet in out {
            *octet = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        Ok(())
    }
}

struct Broken;

impl SecureRandom for Broken {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

fn every_suite() -> impl Iterator<Item = &'static Portable> {
    EspSuite::all().map(|suite| portable(suite).unwrap())
}

fn keymat(suite: EspSuite) -> Vec<u8> {
    (0..suite.keymat_len()).map(|i| u8::try_from(i % 251).unwrap().wrapping_mul(7)).collect()
}

fn keys(crypto: &'static Portable) -> (SealKey, OpenKey) {
    let keymat = keymat(crypto.suite);
    let seal = SealKey::for_any_suite(crypto, &keymat, &mut Counting(9)).ok().unwrap();
    (seal, OpenKey::new(crypto, &keymat).ok().unwrap())
}

/// A packet of `blocks` units of plaintext, ready to be sealed.
fn packet(suite: EspSuite, blocks: usize) -> Vec<u8> {
    let mut packet = vec![0x33; 8 + suite.iv_len()];
    packet.extend((0..blocks * suite.alignment()).map(|i| u8::try_from(i % 256).unwrap()));
    packet.resize(packet.len() + suite.icv_len(), 0);
    packet
}

fn seal(key: &SealKey, sequence: u64, extended: bool, packet: &mut [u8]) -> bool {
    let mut job = SealJob { key, sequence, extended, packet, sealed: false };
    key.crypto.seal(core::slice::from_mut(&mut job));
    job.sealed
}

fn open(key: &OpenKey, sequence: u64, extended: bool, packet: &mut [u8]) -> bool {
    let mut job = OpenJob { key, sequence, extended, packet, authentic: false };
    key.crypto.open(core::slice::from_mut(&mut job));
    job.authentic
}

#[test]
fn what_is_sealed_opens() {
    for crypto in every_suite() {
        let suite = crypto.suite;
        let (seal_key, open_key) = keys(crypto);
        for (blocks, extended) in (1..12).flat_map(|n| [(n, false), (n, true)]) {
            let plain = packet(suite, blocks);
            let mut sealed = plain.clone();
            assert!(seal(&seal_key, 5 << 32 | 3, extended, &mut sealed), "{suite}");
            let body = 8 + suite.iv_len()..plain.len() - suite.icv_len();
            let null = matches!(suite, EspSuite::Separate(vpn_core::crypto::EspCipher::Null, _));
            assert_eq!(sealed[body.clone()] == plain[body.clone()], null, "{suite}");
            assert_eq!(sealed[..8], plain[..8]);
            let mut opened = sealed.clone();
            assert!(open(&open_key, 5 << 32 | 3, extended, &mut opened), "{suite}");
            assert_eq!(opened[body.clone()], plain[body]);
            // The high half is covered when, and only when, it is part of the sequence number.
            assert_eq!(open(&open_key, 6 << 32 | 3, extended, &mut sealed.clone()), !extended);
            assert!(!open(&open_key, 5 << 32 | 3, !extended, &mut sealed));
        }
    }
}

#[test]
fn every_single_bit_counts() {
    for crypto in every_suite() {
        let (seal_key, open_key) = keys(crypto);
        let mut sealed = packet(crypto.suite, 3);
        assert!(seal(&seal_key, 1, true, &mut sealed));
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!open(&open_key, 1, true, &mut flipped), "{} bit {bit}", crypto.suite);
        }
    }
}

#[test]
fn impossible_lengths_are_neither_sealed_nor_opened() {
    for crypto in every_suite() {
        let suite = crypto.suite;
        let (seal_key, open_key) = keys(crypto);
        let around = 8 + suite.iv_len() + suite.icv_len();
        for len in 0..around + 2 * suite.alignment() {
            let possible = len > around && (len - around) % suite.alignment() == 0;
            assert_eq!(seal(&seal_key, 1, false, &mut vec![0; len]), possible, "{suite} {len}");
            assert!(!open(&open_key, 1, false, &mut vec![0; len]), "{suite} {len}");
        }
    }
}

/// Lengths that the ICV covers but the cipher cannot have must not pass either.
#[test]
fn an_authentic_packet_of_impossible_length_is_not_opened() {
    let crypto = portable("aes128-sha1".parse().unwrap()).unwrap();
    let (_, open_key) = keys(crypto);
    let mut packet = packet(crypto.suite, 2);
    packet.pop();
    let OpenKeys::Separate { mac, .. } = &open_key.keys else { panic!() };
    let (message, icv) = packet.split_at_mut(8 + 16 + 31);
    mac.mac(message, None, icv);
    assert!(!open(&open_key, 1, false, &mut packet));
}

#[test]
fn a_batch_of_many_keys_is_what_its_packets_are_alone() {
    for crypto in every_suite() {
        let keymats: Vec<Vec<u8>> = (0..5)
            .map(|n| keymat(crypto.suite).iter().map(|octet| octet ^ (n << 4 | n << 1)).collect())
            .collect();
        let keys: Vec<SealKey> = keymats
            .iter()
            .map(|keymat| SealKey::for_any_suite(crypto, keymat, &mut Counting(1)).ok().unwrap())
            .collect();
        let mut together: Vec<Vec<u8>> =
            (0..23).map(|n| packet(crypto.suite, 1 + n * 5 % 13)).collect();
        let mut alone = together.clone();
        let mut jobs: Vec<SealJob<'_>> = together
            .iter_mut()
            .enumerate()
            .map(|(n, packet)| SealJob {
                key: &keys[n % 5],
                sequence: n as u64 + 1,
                extended: n % 2 == 0,
                packet,
                sealed: false,
            })
            .collect();
        crypto.seal(&mut jobs);
        assert!(jobs.iter().all(|job| job.sealed));
        for (n, packet) in alone.iter_mut().enumerate() {
            assert!(seal(&keys[n % 5], n as u64 + 1, n % 2 == 0, packet));
        }
        assert_eq!(together, alone);

        let keys: Vec<OpenKey> =
            keymats.iter().map(|keymat| OpenKey::new(crypto, keymat).ok().unwrap()).collect();
        together[7][20] ^= 1;
        let mut jobs: Vec<OpenJob<'_>> = together
            .iter_mut()
            .enumerate()
            .map(|(n, packet)| OpenJob {
                key: &keys[n % 5],
                sequence: n as u64 + 1,
                extended: n % 2 == 0,
                packet,
                authentic: false,
            })
            .collect();
        crypto.open(&mut jobs);
        assert!(jobs.iter().enumerate().all(|(n, job)| job.authentic == (n != 7)));
    }
}

struct Foreign;

impl vpn_core::crypto::SealKey for Foreign {
    fn crypto(&self) -> &'static dyn EspCrypto {
        ALL_SUITES[0]
    }
}

impl vpn_core::crypto::OpenKey for Foreign {
    fn crypto(&self) -> &'static dyn EspCrypto {
        ALL_SUITES[0]
    }
}

#[test]
fn a_key_of_another_implementation_does_nothing() {
    let mut packet = packet(ALL_SUITES[0].suite(), 2);
    let before = packet.clone();
    let mut job = [SealJob {
        key: &Foreign,
        sequence: 1,
        extended: false,
        packet: &mut packet,
        sealed: false,
    }];
    ALL_SUITES[0].seal(&mut job);
    assert!(!job[0].sealed);
    let mut job = [OpenJob {
        key: &Foreign,
        sequence: 1,
        extended: false,
        packet: &mut packet,
        authentic: false,
    }];
    ALL_SUITES[0].open(&mut job);
    assert!(!job[0].authentic);
    assert_eq!(packet, before);
}

#[test]
fn keys_of_the_wrong_length_are_refused() {
    for crypto in every_suite() {
        let needed = crypto.suite.keymat_len();
        for given in [0, needed - 1, needed + 1] {
            let keymat = vec![1; given];
            let wrong = Some(EspKeyError::WrongLength { needed, given });
            assert_eq!(OpenKey::new(crypto, &keymat).err(), wrong);
            assert_eq!(SealKey::for_any_suite(crypto, &keymat, &mut Counting(0)).err(), wrong);
        }
    }
}

#[test]
fn md5_is_received_but_not_sent() {
    let crypto = portable("aes256-md5".parse().unwrap()).unwrap();
    let keymat = keymat(crypto.suite);
    assert_eq!(
        SealKey::new(crypto, &keymat, &mut Counting(0)).err(),
        Some(EspKeyError::ReceiveOnly)
    );
    assert_eq!(crypto.seal_key(&keymat, &mut Counting(0)).err(), Some(EspKeyError::ReceiveOnly));
    assert!(OpenKey::new(crypto, &keymat).is_ok());
}

#[test]
fn without_randomness_there_is_no_cbc_key() {
    let cbc = portable("aes256-sha256".parse().unwrap()).unwrap();
    let failed = Some(EspKeyError::Random(RandomError));
    assert_eq!(SealKey::new(cbc, &keymat(cbc.suite), &mut Broken).err(), failed);
    let gcm = portable("aes256gcm16".parse().unwrap()).unwrap();
    assert!(SealKey::new(gcm, &keymat(gcm.suite), &mut Broken).is_ok(), "its IV is the counter");
}

/// The bits of CBC IVs are even, whatever the counter looks like.
#[test]
fn cbc_ivs_look_random() {
    let crypto = portable("aes256-sha1".parse().unwrap()).unwrap();
    let (key, _) = keys(crypto);
    let (mut ones, count) = (0, 4000);
    let mut places = [0_u32; 128];
    for sequence in 1..=count {
        let mut packet = packet(crypto.suite, 1);
        assert!(seal(&key, sequence, false, &mut packet));
        let iv = u128::from_be_bytes(packet[8..24].try_into().unwrap());
        ones += iv.count_ones();
        places.iter_mut().enumerate().for_each(|(at, sum)| *sum += u32::from(iv >> at & 1 == 1));
    }
    // Six standard deviations: 3 sqrt(n) in all n bits, and so for each place.
    assert!(ones.abs_diff(64 * 4000) < 3 * 716, "{ones}");
    assert!(places.iter().all(|sum| sum.abs_diff(2000) < 3 * 64), "{places:?}");
}

/// Every cipher state wipes itself.
#[test]
fn keys_are_wiped_on_drop() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<aes::Aes128Enc>();
    wiped::<aes::Aes192Enc>();
    wiped::<aes::Aes256Enc>();
    wiped::<aes::Aes128Dec>();
    wiped::<aes::Aes192Dec>();
    wiped::<aes::Aes256Dec>();
    wiped::<des::TdesEde3>();
    wiped::<aes_gcm::AesGcm<aes::Aes256Enc, aes_gcm::aead::consts::U12>>();
    wiped::<chacha20poly1305::ChaCha20Poly1305>();
}

/// IVs of one SA never repeat, and two SAs with the same keys do not share theirs.
#[test]
fn ivs_differ() {
    for crypto in every_suite().filter(|crypto| crypto.suite.iv_len() > 0) {
        let keymat = keymat(crypto.suite);
        let keys = [1, 2]
            .map(|seed| SealKey::for_any_suite(crypto, &keymat, &mut Counting(seed)).ok().unwrap());
        let mut seen = alloc::collections::BTreeSet::new();
        let sas = if matches!(crypto.suite, EspSuite::Combined(_)) { 1 } else { 2 };
        for key in &keys[..sas] {
            for sequence in 1..500 {
                let mut packet = packet(crypto.suite, 1);
                assert!(seal(key, sequence, true, &mut packet));
                assert!(
                    seen.insert(packet[8..8 + crypto.suite.iv_len()].to_vec()),
                    "{}",
                    crypto.suite
                );
            }
        }
    }
}
