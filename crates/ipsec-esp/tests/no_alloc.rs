//! No packet costs an allocation, alone or in a batch, good or bad.
#![allow(clippy::restriction, reason = "a test")]

mod support;

use ipsec_esp::Incoming;
use ipsec_esp::NextHeader;
use ipsec_esp::Outgoing;
use ipsec_esp::SaConfig;
use ipsec_esp::Shared;
use ipsec_esp::Spi;
use ipsec_esp::open_batch;
use ipsec_esp::seal_batch;
use support::pair;
use support::sendable;
use vpn_core::PacketMut;

#[test]
fn sealing_and_opening_allocate_nothing() {
    let sas: Vec<_> = sendable()
        .zip(0_u32..)
        .map(|(suite, n)| pair::<Shared>(suite, n.into(), SaConfig::new(Spi(1000 + n))))
        .collect();
    let mut storages = vec![[0x31; 400]; sas.len()];
    let mut packets: Vec<_> =
        storages.iter_mut().map(|storage| PacketMut::new(storage, 100..200).unwrap()).collect();
    let mut outgoing = Vec::with_capacity(sas.len());
    outgoing.extend(
        packets
            .iter_mut()
            .zip(&sas)
            .map(|(packet, (sa, _))| Outgoing::new(sa, packet, NextHeader::TCP)),
    );
    let spent = allocation_counter::measure(|| seal_batch(&mut outgoing));
    assert_eq!(spent.count_total, 0);
    assert!(outgoing.iter().all(|item| item.outcome().is_ok()));

    packets[3].payload_mut()[40] ^= 1;
    let mut incoming = Vec::with_capacity(sas.len());
    incoming
        .extend(packets.iter_mut().zip(&sas).map(|(packet, (_, sa))| Incoming::new(sa, packet)));
    let spent = allocation_counter::measure(|| open_batch(&mut incoming));
    assert_eq!(spent.count_total, 0);
    assert_eq!(incoming.iter().filter(|item| item.outcome().is_ok()).count(), sas.len() - 1);

    for (out, inbound) in &sas {
        let mut storage = [0x31; 400];
        let spent = allocation_counter::measure(|| {
            let mut packet = PacketMut::new(&mut storage, 100..200).unwrap();
            out.seal(&mut packet, NextHeader::TCP).unwrap();
            inbound.open(&mut packet).unwrap();
            assert!(inbound.open(&mut packet).is_err());
        });
        assert_eq!(spent.count_total, 0, "{}", out.suite());
    }
}
