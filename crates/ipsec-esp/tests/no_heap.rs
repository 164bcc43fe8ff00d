//! SAs with their keys inside, for targets without a heap.
#![allow(clippy::restriction, reason = "a test")]

use ipsec_esp::InboundSa;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use vpn_core::PacketMut;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_crypto::esp::OpenKey;
use vpn_crypto::esp::SealKey;
use vpn_crypto::esp::portable;

struct Fixed;

impl SecureRandom for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(4);
        Ok(())
    }
}

struct Slot {
    outbound: OutboundSa<Local, SealKey>,
    inbound: InboundSa<Local, OpenKey>,
}

#[test]
fn an_sa_can_hold_its_keys() {
    let crypto = portable("aes128-sha256".parse().unwrap()).unwrap();
    let keymat = [9; 16 + 32];
    let config = SaConfig::new(Spi(0x1234));
    let slot = Slot {
        outbound: OutboundSa::new(SealKey::new(crypto, &keymat, &mut Fixed).unwrap(), config)
            .unwrap(),
        inbound: InboundSa::new(OpenKey::new(crypto, &keymat).unwrap(), config).unwrap(),
    };
    let mut storage = [7; 128];
    let mut packet = PacketMut::new(&mut storage, 32..72).unwrap();
    slot.outbound.seal(&mut packet, NextHeader::TCP).unwrap();
    assert_eq!(slot.inbound.open(&mut packet).unwrap().sequence, 1);
    assert_eq!(packet.payload(), [7; 40]);
}
