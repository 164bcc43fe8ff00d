//! Frames, packets and HDLC lines: what reads is written the same again, and nothing is read beyond
//! its end (RFC 1661 §2, §5; RFC 1662 §4).
#![no_main]

use libfuzzer_sys::fuzz_target;
use ppp_core::Maintenance;
use ppp_core::Packet;
use ppp_core::auth::ChapPacket;
use ppp_core::auth::PapPacket;
use ppp_core::frame;
use ppp_core::hdlc;

fuzz_target!(|octets: &[u8]| {
    let mut rest = octets;
    let mut decoder = hdlc::Decoder::new(512);
    while let Some(frame) = decoder.next_frame(&mut rest) {
        assert!(frame.len() <= 516);
    }
    assert!(rest.is_empty());

    let Ok((_, start)) = frame::protocol(octets) else { return };
    let mut line = Vec::new();
    hdlc::encode(octets, u32::MAX, &mut line);
    if (2..=500).contains(&octets.len()) {
        assert_eq!(hdlc::Decoder::new(512).next_frame(&mut &line[..]), Some(octets));
    }

    let information = &octets[start..];
    let Ok(packet) = Packet::decode(information) else { return };
    let mut again = Vec::new();
    packet.encode(&mut again).unwrap();
    assert!(information.starts_with(&again));
    let mut data = Vec::new();
    if let Ok(maintenance) = Maintenance::decode(&packet) {
        maintenance.encode_data(&mut data);
        assert_eq!(data, packet.data);
    }
    if let Ok(chap) = ChapPacket::decode(&packet) {
        data.clear();
        chap.encode_data(&mut data);
        assert_eq!(data, packet.data);
    }
    if let Ok(pap) = PapPacket::decode(&packet) {
        data.clear();
        pap.encode_data(&mut data);
        assert_eq!(PapPacket::decode(&Packet { data: &data, ..packet }), Ok(pap));
    }
});
