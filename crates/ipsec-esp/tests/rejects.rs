//! What is not what an honest peer sent is refused, and changes nothing but counters.
#![allow(clippy::restriction, reason = "a test")]

mod support;

use ipsec_esp::InboundSa;
use ipsec_esp::Incoming;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenFailure;
use ipsec_esp::OutboundSa;
use ipsec_esp::Outgoing;
use ipsec_esp::SaConfig;
use ipsec_esp::SaError;
use ipsec_esp::SealError;
use ipsec_esp::Spi;
use ipsec_esp::open_batch;
use ipsec_esp::seal_batch;
use support::SPI;
use support::Seeded;
use support::crypto;
use support::pair;
use support::sendable;
use vpn_core::PacketMut;
use vpn_core::SecureRandom;
use vpn_core::crypto::BoxedOpenKey;
use vpn_core::crypto::BoxedSealKey;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspKeyError;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::OpenKey;
use vpn_core::crypto::SealJob;
use vpn_core::crypto::SealKey;

/// Sealed packets of an SA, and the SA to open them.
fn sealed(suite: EspSuite, extended: bool) -> (Vec<Vec<u8>>, InboundSa<Local>) {
    let config = SaConfig::new(SPI).extended_sequence_numbers(extended);
    let (out, inbound) = pair::<Local>(suite, 77, config);
    let seal = |_| {
        let mut storage = [0x42; 300];
        let mut packet = PacketMut::new(&mut storage, 64..64 + 45).unwrap();
        out.seal(&mut packet, NextHeader::TCP).unwrap();
        packet.payload().to_vec()
    };
    ((0..3).map(seal).collect(), inbound)
}

fn open(sa: &InboundSa<Local>, octets: &[u8]) -> Result<u64, OpenFailure> {
    let mut storage = octets.to_vec();
    sa.open_explained(&mut PacketMut::whole(&mut storage)).map(|opened| opened.sequence)
}

/// Every single-bit flip and every truncation, of a packet ahead of the window: refused, usage and
/// window as before, and the packet itself opens afterwards.
#[test]
fn flips_and_truncations() {
    for (suite, extended) in sendable().flat_map(|suite| [(suite, false), (suite, true)]) {
        let (packets, sa) = sealed(suite, extended);
        assert_eq!(open(&sa, &packets[0]), Ok(1));
        let before = sa.usage();
        for bit in 0..packets[2].len() * 8 {
            let mut flipped = packets[2].clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let want = if bit < 32 { OpenFailure::UnknownSpi } else { OpenFailure::BadIcv };
            match open(&sa, &flipped) {
                Err(refused) if refused == want => {}
                // The number that was opened already, or one that is not in use.
                Err(OpenFailure::Replay | OpenFailure::TooOld) if (32..64).contains(&bit) => {}
                other => panic!("{suite} bit {bit}: {other:?}"),
            }
        }
        for len in 0..packets[2].len() {
            let refused = open(&sa, &packets[2][..len]).unwrap_err();
            assert!(
                matches!(refused, OpenFailure::Malformed | OpenFailure::BadIcv),
                "{suite} {len}"
            );
        }
        let mut longer = packets[2].clone();
        for _ in 0..40 {
            longer.push(0);
            assert!(open(&sa, &longer).is_err());
        }
        assert_eq!(sa.usage(), before);
        assert_eq!(open(&sa, &packets[2]), Ok(3));
        assert_eq!(open(&sa, &packets[1]), Ok(2), "the window did not move too far");
        assert_eq!(open(&sa, &packets[1]), Err(OpenFailure::Replay));
    }
}

/// Keys, sequence number sizes and directions that do not match.
#[test]
fn other_keys() {
    for suite in sendable() {
        let (packets, _) = sealed(suite, false);
        let (_, other_keys) = pair::<Local>(suite, 78, SaConfig::new(SPI));
        assert_eq!(open(&other_keys, &packets[0]), Err(OpenFailure::BadIcv));
        let (_, other_spi) = pair::<Local>(suite, 77, SaConfig::new(Spi(4711)));
        assert_eq!(open(&other_spi, &packets[0]), Err(OpenFailure::UnknownSpi));
        let config = SaConfig::new(SPI).extended_sequence_numbers(true);
        let (_, extended) = pair::<Local>(suite, 77, config);
        assert_eq!(open(&extended, &packets[0]), Err(OpenFailure::BadIcv));
        assert_eq!(extended.forged_in_a_row(), 1);
    }
}

/// Each cause is counted once, and only the live path hides it.
#[test]
fn causes_are_counted() {
    let (mut packets, sa) = sealed("aes128-sha256".parse().unwrap(), false);
    assert_eq!(open(&sa, &packets[0]), Ok(1));
    packets[1][20] ^= 1;
    let mut foreign = packets[2].clone();
    foreign[0] ^= 1;
    for (octets, cause) in [
        (packets[0].as_slice(), OpenFailure::Replay),
        (&packets[1], OpenFailure::BadIcv),
        (&packets[2][..21], OpenFailure::Malformed),
        (&foreign, OpenFailure::UnknownSpi),
    ] {
        let before = sa.failures(cause);
        assert_eq!(open(&sa, octets), Err(cause));
        let mut storage = octets.to_vec();
        assert!(sa.open(&mut PacketMut::whole(&mut storage)).is_err());
        assert_eq!(sa.failures(cause), before + 2, "{}", cause.name());
    }
    let total: u64 = OpenFailure::ALL.iter().map(|cause| sa.failures(*cause)).sum();
    assert_eq!(total, 8);
    sa.close();
    assert_eq!(open(&sa, &packets[2]), Err(OpenFailure::Expired));
}

#[test]
fn an_sa_that_cannot_be_is_not_made() {
    let suite = "aes256gcm16".parse().unwrap();
    let key = || crypto(suite).open_key(&support::keymat(suite, 1)).unwrap();
    for spi in [0, 1, 255] {
        let refused = InboundSa::<Local>::new(key(), SaConfig::new(Spi(spi))).err();
        assert_eq!(refused, Some(SaError::ReservedSpi(Spi(spi))));
    }
    for window in [0, 63, 4097] {
        let config = SaConfig::new(SPI).replay_window(window);
        assert!(matches!(InboundSa::<Local>::new(key(), config).err(), Some(SaError::Window(_))));
    }
}

/// A peer that cuts HMAC-SHA-256 to 96 bits is found out without touching its packets or the window.
#[test]
fn two_suites_can_be_told_apart() {
    let standard = "aes256-sha256".parse().unwrap();
    let cut = "aes256-sha256_96".parse().unwrap();
    let mut scratch = [0; 2000];
    for (real, other) in [(standard, cut), (cut, standard)] {
        let (packets, sa) = sealed(real, false);
        let (_, wrong) = pair::<Local>(other, 77, SaConfig::new(SPI));
        assert!(sa.recognizes(&packets[0], &mut scratch));
        assert!(!wrong.recognizes(&packets[0], &mut scratch));
        assert!(!sa.recognizes(&packets[0], &mut scratch[..20]), "no room to try");
        assert!(!sa.recognizes(&packets[0][..30], &mut scratch));
        assert_eq!((sa.usage().packets, sa.failures(OpenFailure::BadIcv)), (0, 0));
        assert_eq!(open(&sa, &packets[0]), Ok(1));
    }
}

/// A suite whose hardware has failed: it neither seals nor opens.
struct Dead;

impl EspCrypto for Dead {
    fn suite(&self) -> EspSuite {
        "aes256-sha1".parse().unwrap()
    }

    fn seal_key(
        &'static self,
        _: &[u8],
        _: &mut dyn SecureRandom,
    ) -> Result<BoxedSealKey, EspKeyError> {
        BoxedSealKey::new(self)
    }

    fn open_key(&'static self, _: &[u8]) -> Result<BoxedOpenKey, EspKeyError> {
        BoxedOpenKey::new(self)
    }

    fn seal(&self, _: &mut [SealJob<'_>]) {}

    fn open(&self, _: &mut [OpenJob<'_>]) {}
}

impl SealKey for &'static Dead {
    fn crypto(&self) -> &'static dyn EspCrypto {
        *self
    }
}

impl OpenKey for &'static Dead {
    fn crypto(&self) -> &'static dyn EspCrypto {
        *self
    }
}

/// What the crypto code has not done is never taken for done: no plaintext goes out, nothing comes in.
#[test]
fn dead_crypto_lets_nothing_through() {
    let key = Dead::seal_key(&Dead, &[], &mut Seeded(1)).unwrap();
    let out = OutboundSa::<Local>::new(key, SaConfig::new(SPI)).unwrap();
    let inbound =
        InboundSa::<Local>::new(Dead::open_key(&Dead, &[]).unwrap(), SaConfig::new(SPI)).unwrap();
    let mut storage = [0; 300];
    let mut packet = PacketMut::new(&mut storage, 64..100).unwrap();
    assert_eq!(out.seal(&mut packet, NextHeader::UDP), Err(SealError::Crypto));
    let mut octets = packet.payload().to_vec();
    assert_eq!(open(&inbound, &octets), Err(OpenFailure::BadIcv));
    let mut incoming = PacketMut::whole(&mut octets);
    let mut batch = [Incoming::new(&inbound, &mut incoming)];
    open_batch(&mut batch);
    assert!(batch[0].outcome().is_err());
    let (good, _) = pair::<Local>("aes256-sha1".parse().unwrap(), 1, SaConfig::new(SPI));
    let mut storages = [[0; 300]; 2];
    let [first, second] = &mut storages;
    let mut packets =
        [PacketMut::new(first, 64..100).unwrap(), PacketMut::new(second, 64..100).unwrap()];
    let [first, second] = &mut packets;
    let mut batch = [
        Outgoing::new(&out, first, NextHeader::UDP),
        Outgoing::new(&good, second, NextHeader::UDP),
    ];
    seal_batch(&mut batch);
    assert_eq!(batch[0].outcome(), Err(SealError::Crypto));
    assert!(batch[1].outcome().is_ok(), "one of another implementation of the same suite");
}
