//! SAs end where they must, and say so before.
#![allow(clippy::restriction, reason = "a test")]

mod support;

use ipsec_esp::InboundSa;
use ipsec_esp::Lifetime;
use ipsec_esp::Limits;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenFailure;
use ipsec_esp::OutboundSa;
use ipsec_esp::Outgoing;
use ipsec_esp::SaConfig;
use ipsec_esp::SealError;
use ipsec_esp::Sealed;
use ipsec_esp::seal_batch;
use support::SPI;
use support::pair;
use vpn_core::PacketMut;

fn limits(packets: u64, octets: u64) -> Limits {
    Limits { packets, octets, ..Limits::NONE }
}

fn sas(soft: Limits, hard: Limits) -> (OutboundSa<Local>, InboundSa<Local>) {
    let lifetime = Lifetime::new(hard).with_soft(soft);
    pair("aes128-sha1".parse().unwrap(), 1, SaConfig::new(SPI).lifetime(lifetime))
}

fn seal(sa: &OutboundSa<Local>) -> (Result<Sealed, SealError>, Vec<u8>) {
    let mut storage = [0; 300];
    let mut packet = PacketMut::new(&mut storage, 100..150).unwrap(); // 64 octets of ciphertext
    let sealed = sa.seal(&mut packet, NextHeader::TCP);
    (sealed, packet.payload().to_vec())
}

/// The packet with this sequence number of a fresh SA.
fn sealed(sa: &OutboundSa<Local>, sequence: u64) -> Vec<u8> {
    let mut octets = Vec::new();
    for _ in 0..sequence {
        octets = seal(sa).1;
    }
    octets
}

#[test]
fn by_packets() {
    let (out, inbound) = sas(limits(3, u64::MAX), limits(5, u64::MAX));
    for sequence in 1..=5 {
        let (sealed, mut octets) = seal(&out);
        assert_eq!(sealed, Ok(Sealed { sequence, soft_limit: sequence == 3 }));
        let opened = inbound.open_explained(&mut PacketMut::whole(&mut octets)).unwrap();
        assert_eq!(opened.soft_limit, sequence == 3);
    }
    for _ in 0..3 {
        assert_eq!(seal(&out).0, Err(SealError::Exhausted));
    }
    assert_eq!(out.usage().packets, 5);
    // A peer that does not keep to the lifetime is cut off.
    let (longer, _) = sas(limits(100, u64::MAX), limits(100, u64::MAX));
    let mut sixth = sealed(&longer, 6);
    let refused = inbound.open_explained(&mut PacketMut::whole(&mut sixth));
    assert_eq!(refused, Err(OpenFailure::Expired));
}

#[test]
fn a_soft_limit_that_was_lost_on_the_way_is_still_announced() {
    let (out, inbound) = sas(limits(3, u64::MAX), limits(10, u64::MAX));
    let mut packets: Vec<_> = (0..6).map(|_| seal(&out).1).collect();
    let mut open =
        |at: usize| inbound.open(&mut PacketMut::whole(&mut packets[at])).unwrap().soft_limit;
    assert_eq!([open(1), open(4), open(2), open(5)], [false, true, false, false]);
}

#[test]
fn by_octets() {
    let (out, inbound) = sas(limits(u64::MAX, 130), limits(u64::MAX, 4 * 64));
    for (sequence, soft_limit) in [(1, false), (2, false), (3, true), (4, false)] {
        let (sealed, mut octets) = seal(&out);
        assert_eq!(sealed, Ok(Sealed { sequence, soft_limit }));
        let opened = inbound.open(&mut PacketMut::whole(&mut octets)).unwrap();
        assert_eq!(opened.soft_limit, soft_limit);
    }
    assert_eq!(seal(&out).0, Err(SealError::Exhausted), "it would be over the limit");
    assert_eq!(inbound.usage(), ipsec_esp::Usage { packets: 4, octets: 256 });
    let (longer, _) = sas(Limits::NONE, Limits::NONE);
    let mut fifth = sealed(&longer, 5);
    let refused = inbound.open_explained(&mut PacketMut::whole(&mut fifth));
    assert_eq!(refused, Err(OpenFailure::Expired));
}

/// Inside one batch the limits lie at the same packets as one by one.
#[test]
fn in_a_batch() {
    for (soft, hard) in [
        (limits(3, u64::MAX), limits(7, u64::MAX)),
        (limits(u64::MAX, 3 * 64), limits(u64::MAX, 7 * 64)),
        (limits(u64::MAX, 3 * 64 - 10), limits(u64::MAX, 7 * 64 + 63)),
    ] {
        let (out, _) = sas(soft, hard);
        let mut storages = [[0; 300]; 10];
        let mut packets: Vec<_> =
            storages.iter_mut().map(|s| PacketMut::new(s, 100..150).unwrap()).collect();
        let mut batch: Vec<_> =
            packets.iter_mut().map(|p| Outgoing::new(&out, p, NextHeader::TCP)).collect();
        seal_batch(&mut batch);
        for (item, sequence) in batch.iter().zip(1..) {
            let want = if sequence <= 7 {
                Ok(Sealed { sequence, soft_limit: sequence == 3 })
            } else {
                Err(SealError::Exhausted)
            };
            assert_eq!(item.outcome(), want);
        }
        assert_eq!(seal(&out).0, Err(SealError::Exhausted));
    }
}

#[test]
fn a_closed_sa_seals_nothing() {
    let (out, inbound) = sas(Limits::NONE, Limits::NONE);
    let mut sealed = seal(&out).1;
    out.close();
    assert_eq!(seal(&out).0, Err(SealError::Closed));
    assert_eq!(out.usage().packets, 1);
    inbound.close();
    let refused = inbound.open_explained(&mut PacketMut::whole(&mut sealed));
    assert_eq!(refused, Err(OpenFailure::Expired));
}
