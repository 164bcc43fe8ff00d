//! What is sealed opens: every suite, every length, alone and in batches of any shape.
#![allow(clippy::restriction, reason = "a test")]

mod support;

use ipsec_esp::InboundSa;
use ipsec_esp::Incoming;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenError;
use ipsec_esp::OutboundSa;
use ipsec_esp::Outgoing;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use ipsec_esp::open_batch;
use ipsec_esp::seal_batch;
use proptest::prelude::*;
use support::SPI;
use support::pair;
use support::sendable;
use vpn_core::Encap;
use vpn_core::PacketMut;
use vpn_core::crypto::EspSuite;

const LONGEST: usize = 9000;

fn payload(len: usize, seed: u8) -> Vec<u8> {
    // Not UDP, IPv4 or IPv6, so that no length field is looked at.
    (0..len).map(|i| seed.wrapping_add(u8::try_from(i % 251).unwrap())).collect()
}

/// A buffer with exactly the room that sealing needs around the payload.
fn buffer(sa: &OutboundSa<Local>, payload: &[u8]) -> (Vec<u8>, core::ops::Range<usize>) {
    let room = sa.room();
    let mut storage = vec![0xaa; room.front];
    storage.extend(payload);
    storage.resize(storage.len() + room.back, 0xaa);
    (storage, room.front..room.front + payload.len())
}

fn any_suite() -> impl Strategy<Value = EspSuite> {
    prop::sample::select(sendable().collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn alone(
        suite in any_suite(),
        len in prop_oneof![0..200_usize, 0..=LONGEST],
        extended in any::<bool>(),
        next in any::<u8>().prop_filter("says its own length", |n| ![4, 17, 41, 59].contains(n)),
        seed in any::<u8>(),
    ) {
        let config = SaConfig::new(SPI).extended_sequence_numbers(extended);
        let (out, inbound) = pair::<Local>(suite, u64::from(seed), config);
        let plain = payload(len, seed);
        for sequence in 1..4 {
            let (mut storage, window) = buffer(&out, &plain);
            let mut packet = PacketMut::new(&mut storage, window).unwrap();
            let sealed = out.seal(&mut packet, NextHeader(next)).unwrap();
            prop_assert_eq!((sealed.sequence, sealed.soft_limit), (sequence, false));
            prop_assert_eq!(packet.len(), out.packet_len(len));
            prop_assert_eq!(packet.headroom(), 0);
            prop_assert!(out.payload_len(packet.len()).unwrap() >= len);
            let opened = inbound.open(&mut packet).unwrap();
            prop_assert_eq!(opened.sequence, sequence);
            prop_assert_eq!(opened.next_header, NextHeader(next));
            prop_assert_eq!((opened.first, opened.newest), (sequence == 1, true));
            prop_assert_eq!(packet.payload(), &plain);
        }
        prop_assert_eq!(out.usage(), inbound.usage());
    }

    /// Any number of packets, of any lengths, of SAs of any suites, some of them more than once.
    #[test]
    fn in_a_batch(
        suites in prop::collection::vec(any_suite(), 1..6),
        shape in prop::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![9 => 0..1600_usize, 1 => 0..=LONGEST]),
            0..150,
        ),
        order in any::<u64>(),
    ) {
        let sas: Vec<(OutboundSa<Local>, InboundSa<Local>)> = suites
            .iter()
            .zip(0_u32..)
            .map(|(suite, n)| {
                let config = SaConfig::new(Spi(1000 + n)).replay_window(256);
                pair(*suite, u64::from(n), config)
            })
            .collect();
        let plain: Vec<(usize, Vec<u8>)> = shape
            .iter()
            .map(|(at, len)| (at.index(sas.len()), payload(*len, 7)))
            .collect();
        let mut buffers: Vec<_> = plain.iter().map(|(at, data)| buffer(&sas[*at].0, data)).collect();
        let mut packets: Vec<PacketMut<'_>> = buffers
            .iter_mut()
            .map(|(storage, window)| PacketMut::new(storage, window.clone()).unwrap())
            .collect();
        let mut batch: Vec<Outgoing<'_, '_, Local>> = packets
            .iter_mut()
            .zip(&plain)
            .map(|(packet, (at, _))| Outgoing::new(&sas[*at].0, packet, NextHeader::TCP))
            .collect();
        seal_batch(&mut batch);

        // Numbers are given out in order, without a gap, for each SA.
        let mut next = vec![1; sas.len()];
        for (item, (at, _)) in batch.iter().zip(&plain) {
            prop_assert_eq!(item.outcome().unwrap().sequence, next[*at]);
            next[*at] += 1;
        }

        // Opened in another order, in batches of another shape.
        let mut shuffled: Vec<usize> = (0..packets.len()).collect();
        shuffled.sort_by_key(|at| order.rotate_left(u32::try_from(*at).unwrap()).wrapping_mul(0x9e37_79b9));
        let mut sealed: Vec<Vec<u8>> = shuffled.iter().map(|at| packets[*at].payload().to_vec()).collect();
        let mut packets: Vec<PacketMut<'_>> = sealed.iter_mut().map(|octets| PacketMut::whole(octets)).collect();
        let mut batch: Vec<Incoming<'_, '_, Local>> = packets
            .iter_mut()
            .zip(&shuffled)
            .map(|(packet, at)| Incoming::new(&sas[plain[*at].0].1, packet))
            .collect();
        for part in batch.chunks_mut(50) {
            open_batch(part);
        }
        for item in &batch {
            prop_assert_eq!(item.outcome().unwrap().next_header, NextHeader::TCP);
        }
        for (packet, at) in packets.iter().zip(&shuffled) {
            prop_assert_eq!(packet.payload(), &plain[*at].1);
        }
    }
}

/// A batch with packets that fail in every way: the others are not disturbed.
#[test]
fn failures_in_a_batch_stay_alone() {
    let (out, inbound) = pair::<Local>("aes256-sha256".parse().unwrap(), 1, SaConfig::new(SPI));
    let (other_out, _) = pair::<Local>("aes256gcm16".parse().unwrap(), 2, SaConfig::new(Spi(999)));
    let mut sealed = Vec::new();
    for sa in [&out, &out, &other_out, &out, &out] {
        let (mut storage, window) = buffer(sa, &payload(100, 1));
        let mut packet = PacketMut::new(&mut storage, window).unwrap();
        sa.seal(&mut packet, NextHeader::TCP).unwrap();
        sealed.push(packet.payload().to_vec());
    }
    sealed[1][30] ^= 1; // not authentic
    sealed.push(sealed[0].clone()); // twice in one batch
    sealed.push(Vec::new());
    let mut packets: Vec<PacketMut<'_>> =
        sealed.iter_mut().map(|octets| PacketMut::whole(octets)).collect();
    let mut batch: Vec<_> =
        packets.iter_mut().map(|packet| Incoming::new(&inbound, packet)).collect();
    assert!(batch.iter().all(|item| item.outcome() == Err(OpenError)), "before it is opened");
    open_batch(&mut batch);
    let opened: Vec<_> = batch.iter().map(|item| item.outcome().map(|o| o.sequence)).collect();
    assert_eq!(
        opened,
        [Ok(1), Err(OpenError), Err(OpenError), Ok(3), Ok(4), Err(OpenError), Err(OpenError)]
    );
}

/// A packet without room takes no sequence number from those beside it.
#[test]
fn a_batch_numbers_only_what_fits() {
    let (out, _) = pair::<Local>("aes128-sha1".parse().unwrap(), 1, SaConfig::new(SPI));
    let mut buffers: Vec<_> = (0..5).map(|_| buffer(&out, &payload(64, 1))).collect();
    buffers[2].1 = 0..64;
    let mut packets: Vec<PacketMut<'_>> = buffers
        .iter_mut()
        .map(|(storage, window)| PacketMut::new(storage, window.clone()).unwrap())
        .collect();
    let mut batch: Vec<_> =
        packets.iter_mut().map(|packet| Outgoing::new(&out, packet, NextHeader::UDP)).collect();
    assert!(batch.iter().all(|item| item.outcome().is_err()), "before it is sealed");
    seal_batch(&mut batch);
    let numbers: Vec<_> =
        batch.iter().map(|item| item.outcome().map(|s| s.sequence).ok()).collect();
    assert_eq!(numbers, [Some(1), Some(2), None, Some(3), Some(4)]);
}

/// Dummies and padding against traffic analysis come out as they should.
#[test]
fn dummies_and_flow_confidentiality() {
    for suite in sendable() {
        let (out, inbound) = pair::<Local>(suite, 3, SaConfig::new(SPI));
        let mut storage = [0x11; 600];
        let mut packet = PacketMut::new(&mut storage, 100..300).unwrap();
        out.seal_dummy(&mut packet).unwrap();
        let opened = inbound.open(&mut packet).unwrap();
        assert_eq!((opened.next_header, packet.len()), (NextHeader::NONE, 0), "{suite}");

        let mut datagram = payload(40, 9);
        datagram[4..6].copy_from_slice(&40_u16.to_be_bytes());
        let mut storage = [0x11; 600];
        storage[100..140].copy_from_slice(&datagram);
        let mut packet = PacketMut::new(&mut storage, 100..140).unwrap();
        out.seal_padded(&mut packet, NextHeader::UDP, 300).unwrap();
        assert_eq!(packet.len(), out.packet_len(300));
        assert_eq!(inbound.open(&mut packet).unwrap().next_header, NextHeader::UDP);
        assert_eq!(packet.payload(), datagram, "{suite}");
    }
}

/// As a layer of a stack: the room is exact in front, and the other end takes it off.
#[test]
fn as_a_layer() {
    let (out, inbound) = pair::<Local>("chacha20poly1305".parse().unwrap(), 3, SaConfig::new(SPI));
    let layer: &dyn Encap = &out;
    let mut storage = vec![0; 200];
    let front = layer.room().front;
    let mut packet = PacketMut::new(&mut storage, front..front + 50).unwrap();
    layer.encap(&mut packet).unwrap();
    assert_eq!(packet.headroom(), 0);
    vpn_core::Decap::decap(&inbound, &mut packet).unwrap();
    assert_eq!(packet.payload(), [0; 50]);
}
