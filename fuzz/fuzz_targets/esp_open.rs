//! ESP packets, both before and behind authentication (RFC 4303 §3.4).
//!
//! The first octet chooses. Under a real suite nothing made up is ever opened, and nothing but
//! counters changes. Under a suite that believes everything, the trailer is the fuzzer's: what is
//! opened has a right trailer and lies inside the packet, and it opens again after it was sealed.
#![no_main]

mod trusting;

use std::sync::LazyLock;

use ipsec_esp::InboundSa;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenFailure;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use ipsec_esp::checksum;
use ipsec_esp::checksum::Addresses;
use ipsec_esp::checksum::ChecksumRepair;
use libfuzzer_sys::fuzz_target;
use trusting::Trusting;
use vpn_core::PacketMut;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspSuite;

const SPI: Spi = Spi(0x6161_6161);

struct Fixed;

impl SecureRandom for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(8);
        Ok(())
    }
}

static TRUSTING: LazyLock<Vec<Trusting>> =
    LazyLock::new(|| EspSuite::all().map(Trusting).collect());

fn sas(crypto: &'static dyn EspCrypto, extended: bool) -> (OutboundSa<Local>, InboundSa<Local>) {
    let keymat: Vec<u8> = (0..100).take(crypto.suite().keymat_len()).collect();
    let config = SaConfig::new(SPI).extended_sequence_numbers(extended);
    let seal = crypto.seal_key(&keymat, &mut Fixed).unwrap();
    (
        OutboundSa::new(seal, config).unwrap(),
        InboundSa::new(crypto.open_key(&keymat).unwrap(), config).unwrap(),
    )
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, octets)) = input.split_first() else { return };
    let extended = choice & 0x40 != 0;
    if choice & 0x80 == 0 {
        let suites = vpn_crypto::provider().esp;
        made_up(suites[usize::from(choice & 0x3f) % suites.len()], extended, octets);
    } else {
        let suites = &*TRUSTING;
        believed(&suites[usize::from(choice & 0x3f) % suites.len()], extended, octets);
    }
});

fn made_up(crypto: &'static dyn EspCrypto, extended: bool, octets: &[u8]) {
    let (_, inbound) = sas(crypto, extended);
    for own in [false, true] {
        let mut storage = octets.to_vec();
        if let (true, Some(spi)) = (own, storage.first_chunk_mut()) {
            *spi = SPI.0.to_be_bytes();
        }
        let refused = inbound.open_explained(&mut PacketMut::whole(&mut storage)).unwrap_err();
        assert!(own || octets.starts_with(b"aaaa") || refused != OpenFailure::BadIcv);
    }
    assert_eq!((inbound.usage().packets, inbound.usage().octets), (0, 0));
    let failures: u64 = OpenFailure::ALL.iter().map(|cause| inbound.failures(*cause)).sum();
    assert_eq!(failures, 2);
}

fn believed(crypto: &'static dyn EspCrypto, extended: bool, octets: &[u8]) {
    let (out, inbound) = sas(crypto, extended);
    let mut storage = octets.to_vec();
    if let Some(spi) = storage.first_chunk_mut() {
        *spi = SPI.0.to_be_bytes();
    }
    let before = storage.clone();
    let mut packet = PacketMut::whole(&mut storage);
    let Ok(opened) = inbound.open_explained(&mut packet) else { return };

    // The trailer as RFC 4303 §2.4 wants it, found in another way.
    let suite = crypto.suite();
    let behind = before.len() - suite.icv_len();
    let (pad_length, next_header) = (usize::from(before[behind - 2]), before[behind - 1]);
    let payload_end = behind - 2 - pad_length;
    assert!((0..pad_length).all(|at| usize::from(before[payload_end + at]) == at + 1));
    assert_eq!(opened.next_header, NextHeader(next_header));
    assert!((1..1 << 33).contains(&opened.sequence));
    let start = 8 + suite.iv_len();
    assert!(before[start..payload_end].starts_with(packet.payload()));
    assert_eq!(next_header == 59, packet.is_empty() && next_header == 59);

    // Whatever is inside, checksums can be repaired, and are right then.
    let addresses = Addresses { source: [10, 0, 0, 1].into(), destination: [192, 0, 2, 1].into() };
    let mut segment = packet.payload().to_vec();
    ChecksumRepair::Recompute.apply(addresses, opened.next_header, &mut segment);
    let long_enough = segment.len() >= if opened.next_header == NextHeader::TCP { 18 } else { 8 };
    assert!(!long_enough || checksum::is_right(addresses, opened.next_header, &segment));

    // Sealed by us and opened again it is the same.
    let payload = packet.payload().to_vec();
    let room = out.room();
    let mut storage = vec![0; room.front + payload.len() + room.back];
    let window = room.front..room.front + payload.len();
    storage[window.clone()].copy_from_slice(&payload);
    let mut packet = PacketMut::new(&mut storage, window).unwrap();
    out.seal(&mut packet, opened.next_header).unwrap();
    let (_, fresh) = sas(crypto, extended);
    let again = fresh.open(&mut packet).unwrap();
    assert_eq!((again.next_header, packet.payload()), (opened.next_header, &payload[..]));
}
