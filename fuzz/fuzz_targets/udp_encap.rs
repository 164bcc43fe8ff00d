//! What arrives on port 4500, and whole IP packets into and out of transport mode (RFC 3948, RFC 4303
//! §3.1.1).
#![no_main]

use ipsec_esp::InboundSa;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use ipsec_esp::checksum;
use ipsec_esp::checksum::ChecksumRepair;
use ipsec_esp::transport;
use ipsec_esp::transport::TransportError;
use ipsec_esp::transport::UdpPorts;
use ipsec_esp::udp_encap::Encapsulated;
use ipsec_esp::udp_encap::MIN_ESP_LEN;
use ipsec_esp::udp_encap::classify;
use libfuzzer_sys::fuzz_target;
use vpn_core::PacketMut;
use vpn_core::RandomError;
use vpn_core::SecureRandom;

struct Fixed;

impl SecureRandom for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(8);
        Ok(())
    }
}

fn sas() -> (OutboundSa<Local>, InboundSa<Local>) {
    let crypto = vpn_crypto::provider().esp_suite("aes128gcm16".parse().unwrap()).unwrap();
    let config = SaConfig::new(Spi(0x0a0a_0a0a));
    let seal = crypto.seal_key(&[3; 20], &mut Fixed).unwrap();
    let open = crypto.open_key(&[3; 20]).unwrap();
    (OutboundSa::new(seal, config).unwrap(), InboundSa::new(open, config).unwrap())
}

fuzz_target!(|octets: &[u8]| {
    match classify(octets) {
        Encapsulated::Keepalive => assert_eq!(octets, [0xff]),
        Encapsulated::Ike(message) => assert_eq!([&[0; 4], message].concat(), octets),
        Encapsulated::Esp(packet) => {
            assert!(packet == octets && packet.len() >= MIN_ESP_LEN && packet[..4] != [0; 4]);
        }
        Encapsulated::Malformed => assert!(octets != [0xff] && octets.len() < MIN_ESP_LEN),
    }

    let (out, inbound) = sas();
    let mut copy = octets.to_vec();
    assert!(transport::open_ip(&inbound, &mut PacketMut::whole(&mut copy)).is_err());

    for udp in [None, Some(UdpPorts { source: 4500, destination: 61_000 })] {
        let (out_again, inbound) = sas();
        let mut storage = vec![0; 100];
        storage.extend(octets);
        storage.resize(storage.len() + 100, 0);
        let mut packet = PacketMut::new(&mut storage, 100..100 + octets.len()).unwrap();
        match transport::seal_ip(&out_again, &mut packet, udp) {
            Ok(_) => {}
            Err(TransportError::Malformed | TransportError::Fragment) => continue,
            Err(other) => panic!("{other:?}"),
        }
        let outside = transport::addresses(packet.payload()).unwrap();
        let opened = transport::open_ip(&inbound, &mut packet).unwrap();
        // What comes back is what went in, but for what is recomputed: the header checksum. What
        // stood behind the packet is gone.
        let (got, version) = (packet.payload(), octets[0] >> 4);
        if opened.next_header == NextHeader::NONE {
            continue;
        }
        let shorter = got.len() <= octets.len();
        assert!(shorter);
        let header = if version == 4 { usize::from(octets[0] & 15) * 4 } else { 40 };
        for (at, (got, was)) in got.iter().zip(octets).enumerate() {
            let length_field = if version == 4 { 2..4 } else { 4..6 };
            let recomputed = length_field.contains(&at) || (version == 4 && (10..12).contains(&at));
            assert!(got == was || recomputed, "{at} of {header}");
        }
        assert_eq!(transport::addresses(got), Ok(outside));
        let mut segment = got[header.min(got.len())..].to_vec();
        for repair in [ChecksumRepair::Recompute, ChecksumRepair::Zero] {
            repair.apply(outside, opened.next_header, &mut segment);
        }
        let _ = checksum::is_right(outside, opened.next_header, &segment);
    }
    drop(out);
});
