//! Sealing and opening of a batch of packets, in the ways that are measured.

use core::hint::black_box;
use core::ops::Range;

use ipsec_esp::InboundSa;
use ipsec_esp::Incoming;
use ipsec_esp::NextHeader;
use ipsec_esp::OutboundSa;
use ipsec_esp::Outgoing;
use ipsec_esp::Shared;
use ipsec_esp::open_batch;
use ipsec_esp::seal_batch;
use vpn_core::PacketMut;

/// How many packets a batch has.
pub(crate) const BATCH: usize = 32;

/// Payload lengths.
pub(crate) const SIZES: [usize; 3] = [64, 576, 1400];

/// The storage of one packet, whose payload begins at [`FRONT`].
pub(crate) type Slot = [u8; 2048];

/// Headroom: enough for every header in front of a payload.
pub(crate) const FRONT: usize = 64;

/// Both ends of some SAs.
pub(crate) type Sas = (Vec<OutboundSa<Shared>>, Vec<InboundSa<Shared>>);
/// The packets of a batch.
pub(crate) type Slots = Vec<Slot>;

/// Storage for a batch.
pub(crate) fn slots() -> Slots {
    vec![[0x5a; 2048]; BATCH]
}

/// A packet of `size` octets to seal.
pub(crate) fn payload(slot: &mut Slot, size: usize) -> PacketMut<'_> {
    PacketMut::new(slot, FRONT..FRONT + size).unwrap()
}

/// Where the sealed packet lies.
pub(crate) fn sealed(sa: &OutboundSa<Shared>, size: usize) -> Range<usize> {
    let start = FRONT - sa.room().front;
    start..start + sa.packet_len(size)
}

/// One packet after the other, under the first SA.
pub(crate) fn seal_each(slots: &mut Slots, sas: &Sas, size: usize) {
    for slot in slots {
        let sealed = sas.0[0].seal(&mut payload(slot, size), NextHeader::UDP);
        assert!(black_box(sealed).is_ok());
    }
}

/// In one batch, under all SAs in turn.
pub(crate) fn seal_all(slots: &mut Slots, sas: &Sas, size: usize) {
    let mut packets: Vec<PacketMut<'_>> =
        slots.iter_mut().map(|slot| payload(slot, size)).collect();
    let mut batch: Vec<_> = packets
        .iter_mut()
        .zip(sas.0.iter().cycle())
        .map(|(packet, sa)| Outgoing::new(sa, packet, NextHeader::UDP))
        .collect();
    seal_batch(&mut batch);
    assert!(batch.iter().all(|item| item.outcome().is_ok()));
}

/// One packet after the other, under the first SA.
pub(crate) fn open_each(slots: &mut Slots, sas: &Sas, size: usize) {
    let range = sealed(&sas.0[0], size);
    for slot in slots {
        let mut packet = PacketMut::new(slot, range.clone()).unwrap();
        assert!(black_box(sas.1[0].open(&mut packet)).is_ok());
    }
}

/// In one batch, under all SAs in turn.
pub(crate) fn open_all(slots: &mut Slots, sas: &Sas, size: usize) {
    let range = sealed(&sas.0[0], size);
    let mut packets: Vec<PacketMut<'_>> =
        slots.iter_mut().map(|slot| PacketMut::new(slot, range.clone()).unwrap()).collect();
    let mut batch: Vec<_> = packets
        .iter_mut()
        .zip(sas.1.iter().cycle())
        .map(|(packet, sa)| Incoming::new(sa, packet))
        .collect();
    open_batch(&mut batch);
    assert!(batch.iter().all(|item| item.outcome().is_ok()));
}
