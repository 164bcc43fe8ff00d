//! What must hold for any octets. The fuzz targets call these, and so does the replay of their
//! corpora (`tests/corpus.rs`).

use l2tp_wire::AttributeType;
use l2tp_wire::Avp;
use l2tp_wire::ControlMessage;
use l2tp_wire::DataHeader;
use l2tp_wire::DecodeError;
use l2tp_wire::EncodeError;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::Packet;
use l2tp_wire::hidden::HidingKey;
use l2tp_wire::hidden::hide;
use l2tp_wire::hidden::unhide;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::Scope;
use l2tp_wire::set_ns_nr;
use l2tp_wire::zlb;
use vpn_core::PacketMut;
use vpn_core::crypto::Hash;

const SECRET: &[u8] = b"tsecret";

fn md5() -> &'static dyn Hash<16> {
    vpn_crypto::provider().legacy.md5
}

/// A datagram: what decodes is built again and decodes to the same.
pub(crate) fn header(datagram: &[u8]) {
    let packet = match Packet::decode(datagram) {
        Ok(packet) => packet,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    match packet {
        Packet::Data(message) => {
            let mut out = vec![0; message.header.encoded_len()];
            message.header.encode(message.payload.len(), &mut out).unwrap();
            out.extend(message.payload);
            assert_eq!(Packet::decode(&out), Ok(packet));
        }
        Packet::Control(control) => {
            let ControlMessage { tunnel_id, session_id, ns, nr, .. } = control;
            let length = datagram.len() - control.trailing();
            let mut out = zlb(tunnel_id, session_id, ns, nr).to_vec();
            assert_eq!(control.is_zlb(), length == out.len());
            out[2..4].copy_from_slice(&datagram[2..4]);
            out.extend(control.avps().rest());
            assert_eq!(out[2..], datagram[2..length]);
        }
    }
}

/// The AVPs of a control message: the walk ends, every value can be shown, and what is accepted in
/// strict mode survives being built again.
pub(crate) fn control(avps: &[u8]) {
    let mut datagram = zlb(1, 2, 3, 4).to_vec();
    datagram.extend(avps);
    let Ok(length) = u16::try_from(datagram.len()) else { return };
    datagram[2..4].copy_from_slice(&length.to_be_bytes());
    let Ok(Packet::Control(message)) = Packet::decode(&datagram) else { panic!("a good header") };

    let mut steps = 0;
    let mut out = vec![0; datagram.len()];
    let mut builder = MessageBuilder::new(&mut out, 1, 2).unwrap();
    for raw in message.avps().flatten() {
        steps += 1;
        builder.raw(&raw).unwrap();
        if let Ok(avp) = Avp::decode(&raw) {
            let _ = avp.to_string().len();
        }
    }
    assert!(steps * 6 <= avps.len());
    let len = builder.finish().unwrap();
    set_ns_nr(&mut out, 3, 4);
    assert_eq!(out[4..len], datagram[4..len]);

    for leniencies in [Leniencies::all(), Leniencies::empty()] {
        let mut scratch = vec![0; datagram.len()];
        let context =
            DecodeContext::new().leniencies(leniencies).secret(md5(), SECRET, &mut scratch);
        match Message::decode(&message, context) {
            Ok(typed) => built_again(&typed, leniencies),
            Err(error) => {
                assert!(error.to_string().len() < 200);
                assert!(error.scope() == Scope::Message || error.error_code().name().is_some());
            }
        }
    }
}

fn built_again(message: &Message<'_>, leniencies: Leniencies) {
    let mut out = vec![0; 65_535];
    let mut builder = MessageBuilder::new(&mut out, 1, 2).unwrap();
    match message.encode(&mut builder) {
        // A value that is put up with is never sent.
        Err(EncodeError::ForbiddenValue(_)) if !leniencies.is_empty() => return,
        result => result.unwrap(),
    }
    let len = builder.finish().unwrap();
    let Ok(Packet::Control(again)) = Packet::decode(&out[..len]) else { panic!("a good header") };
    let strict = DecodeContext::new().leniencies(Leniencies::empty());
    assert_eq!(Message::decode(&again, strict).as_ref(), Ok(message));
}

/// A hidden value (RFC 2661 §4.3) with any length inside: never more comes out than went in, and it
/// hides to the same octets again.
pub(crate) fn avp_hidden(octets: &[u8]) {
    let [attribute, length, vector @ .., 0] = octets else { return };
    let (random_vector, value) = vector.split_at(vector.len().min(16));
    let attribute = AttributeType(u16::from(*attribute));
    let key = HidingKey { md5: md5(), secret: SECRET, random_vector };
    // The first two octets are those that come out as `length`, so that every length is met.
    let digest = md5().hash(&[&attribute.0.to_be_bytes(), SECRET, random_vector]);
    let [high, low] = (u16::from(*length) * u16::from(*length) / 32).to_be_bytes();
    let mut hidden = vec![high ^ digest[0], low ^ digest[1]];
    hidden.extend(value.iter().take(1015));
    let mut scratch = vec![0xaa; hidden.len()];
    if let Ok(unhidden) = unhide(&key, attribute, &hidden, &mut scratch) {
        assert_eq!(unhidden.value.len() + unhidden.padding.len() + 2, hidden.len());
        let mut out = vec![0; hidden.len()];
        let len = hide(&key, attribute, unhidden.value, unhidden.padding, &mut out).unwrap();
        assert_eq!(out[..len], hidden);
    }
    for len in 0..hidden.len() {
        assert!(unhide(&key, attribute, &hidden, &mut scratch[..len]).is_err());
    }
}

/// A data message in place: the header comes off, goes on again, and comes off the same.
pub(crate) fn data(datagram: &[u8]) {
    let mut storage = datagram.to_vec();
    let mut packet = PacketMut::whole(&mut storage);
    let header = match DataHeader::strip(&mut packet) {
        Ok(header) => header,
        Err(error) => {
            assert_eq!(packet.payload(), datagram);
            if error != DecodeError::Control {
                assert_eq!(Packet::decode(datagram), Err(error));
            }
            return;
        }
    };
    let Ok(Packet::Data(message)) = Packet::decode(datagram) else { panic!("no data message") };
    assert_eq!((message.header, message.payload), (header, packet.payload()));
    let frame = packet.payload().to_vec();
    header.prepend(&mut packet).unwrap();
    assert_eq!(DataHeader::strip(&mut packet), Ok(header));
    assert_eq!(packet.payload(), frame);
}
