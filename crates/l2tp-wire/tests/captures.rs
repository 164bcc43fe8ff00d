//! Real peers (xl2tpd, l2tpns) as they were captured: every message decodes whole, and built again
//! it has the same octets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod support;

use l2tp_wire::AttributeSet;
use l2tp_wire::AttributeType;
use l2tp_wire::Avp;
use l2tp_wire::ControlMessage;
use l2tp_wire::Hiding;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::Packet;
use l2tp_wire::RawAvp;
use l2tp_wire::hidden::HidingKey;
use l2tp_wire::hidden::hide;
use l2tp_wire::hidden::unhide;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::MessageErrorKind;
use l2tp_wire::message::Observer;
use l2tp_wire::set_ns_nr;
use l2tp_wire::zlb;
use support::CAPTURES;
use support::datagrams;
use support::md5;

/// Hears nothing, or fails.
struct Silence;

impl Observer for Silence {
    fn extension(&mut self, avp: &RawAvp<'_>) -> bool {
        panic!("extension {avp:?}");
    }

    fn ignored(&mut self, avp: &RawAvp<'_>, reason: MessageErrorKind) {
        panic!("ignored {avp:?}: {reason}");
    }

    fn lenient(&mut self, leniency: Leniencies, attribute: Option<AttributeType>) {
        panic!("{leniency:?} {attribute:?}");
    }
}

/// Hands out every control message of every capture that is no ZLB, with the secret of its tunnel.
fn for_each_message(mut check: impl FnMut(&str, &[u8], &[u8], ControlMessage<'_>)) {
    let mut messages = 0;
    for (name, secret) in CAPTURES {
        for datagram in datagrams(name) {
            if let Packet::Control(control) = Packet::decode(&datagram).unwrap()
                && !control.is_zlb()
            {
                check(name, secret, &datagram, control);
                messages += 1;
            }
        }
    }
    assert_eq!(messages, 65);
}

fn decode<'a>(control: &ControlMessage<'a>, secret: &[u8], scratch: &'a mut [u8]) -> Message<'a> {
    let mut silence = Silence;
    let context = DecodeContext::new()
        .leniencies(Leniencies::empty())
        .secret(md5(), secret, scratch)
        .observer(&mut silence);
    Message::decode(control, context).unwrap()
}

/// Even in strict mode, and with nothing ignored.
#[test]
fn every_message_decodes_whole() {
    for_each_message(|_, secret, _, control| {
        let mut scratch = [0; 1500];
        let message = decode(&control, secret, &mut scratch);
        assert_eq!(Some(message.message_type()), control.message_type());
    });
}

#[test]
fn every_data_message_decodes_and_is_built_again() {
    let mut messages = 0;
    for (name, _) in CAPTURES {
        for datagram in datagrams(name) {
            let Packet::Data(data) = Packet::decode(&datagram).unwrap() else { continue };
            assert!(!data.payload.is_empty(), "{name}");
            let mut out = vec![0; data.header.encoded_len()];
            data.header.encode(data.payload.len(), &mut out).unwrap();
            out.extend(data.payload);
            assert_eq!(out, datagram);
            messages += 1;
        }
    }
    assert_eq!(messages, 267);
}

#[test]
fn every_zlb_is_built_again() {
    let mut messages = 0;
    for (name, _) in CAPTURES {
        for datagram in datagrams(name) {
            if let Packet::Control(zlb_in) = Packet::decode(&datagram).unwrap()
                && zlb_in.is_zlb()
            {
                let ControlMessage { tunnel_id, session_id, ns, nr, .. } = zlb_in;
                assert_eq!(zlb(tunnel_id, session_id, ns, nr)[..], datagram);
                messages += 1;
            }
        }
    }
    assert_eq!(messages, 35);
}

/// AVP by AVP: each is decoded to its typed value and written from that.
#[test]
fn built_again_from_typed_avps_the_octets_are_the_same() {
    let mut hidden_avps = 0;
    for_each_message(|name, secret, datagram, control| {
        let mut out = [0; 1500];
        let mut builder =
            MessageBuilder::new(&mut out, control.tunnel_id, control.session_id).unwrap();
        let mut random_vector: &[u8] = &[];
        for raw in control.avps() {
            let raw = raw.unwrap();
            if raw.hidden {
                hidden_avps += 1;
                hide_again(&mut builder, &raw, HidingKey { md5: md5(), secret, random_vector });
                continue;
            }
            let avp = Avp::decode(&raw).unwrap();
            assert!(!matches!(avp, Avp::Raw(_)), "{name}: {avp:?} has no typed value");
            if let Avp::RandomVector(vector) = avp {
                random_vector = vector;
            }
            builder.avp(&avp).unwrap();
        }
        let len = builder.finish().unwrap();
        set_ns_nr(&mut out, control.ns, control.nr);
        assert_eq!(&out[..len], datagram, "{name}");
    });
    assert_eq!(hidden_avps, 4);
}

fn hide_again(builder: &mut MessageBuilder<'_, '_>, raw: &RawAvp<'_>, key: HidingKey<'_>) {
    let mut scratch = [0; 1500];
    let unhidden = unhide(&key, raw.attribute_type, raw.value, &mut scratch).unwrap();
    let plain = RawAvp { hidden: false, value: unhidden.value, ..*raw };
    let avp = Avp::decode(&plain).unwrap();
    assert!(matches!(avp, Avp::AssignedSessionId(1..)), "{avp:?}");
    let mut hidden = [0; 1500];
    let len =
        hide(&key, raw.attribute_type, unhidden.value, unhidden.padding, &mut hidden).unwrap();
    builder.raw(&RawAvp { value: &hidden[..len], ..*raw }).unwrap();
}

/// Message by message: from the typed message. Our order of AVPs is xl2tpd's.
#[test]
fn built_again_from_typed_messages_the_avps_are_the_same() {
    let (mut same, mut other_order, mut without_vector) = (0, 0, 0);
    for_each_message(|name, secret, datagram, control| {
        let mut scratch = [0; 1500];
        let message = decode(&control, secret, &mut scratch);
        let mut out = [0; 1500];
        let mut builder =
            MessageBuilder::new(&mut out, control.tunnel_id, control.session_id).unwrap();
        let padding = hidden_as_in(&control, secret);
        if let Some((hidden, key, padding)) = &padding {
            builder.hide(Hiding { key: *key, attributes: AttributeSet::of(&[*hidden]), padding });
        }
        message.encode(&mut builder).unwrap();
        let len = builder.finish().unwrap();
        set_ns_nr(&mut out, control.ns, control.nr);
        let Packet::Control(built) = Packet::decode(&out[..len]).unwrap() else { panic!() };
        if out[..len] == *datagram {
            same += 1;
        } else if sorted(&built) == sorted(&control) {
            assert!(name.starts_with("l2tpns") || name.starts_with("l2tp-chap"), "{name}");
            other_order += 1;
        } else {
            // xl2tpd, when it may hide, sends a vector even where it hides nothing.
            let mut avps = sorted(&control);
            avps.retain(|(attribute, ..)| {
                AttributeType(*attribute) != AttributeType::RANDOM_VECTOR
            });
            assert_eq!(sorted(&built), avps, "{name}");
            without_vector += 1;
        }
    });
    assert_eq!((same, other_order, without_vector), (50, 4, 11));
}

/// The hidden AVP of a message, with what it was hidden with and its padding.
fn hidden_as_in<'a>(
    control: &ControlMessage<'a>,
    secret: &'a [u8],
) -> Option<(AttributeType, HidingKey<'a>, Vec<u8>)> {
    let mut random_vector: &[u8] = &[];
    for avp in control.avps().map(Result::unwrap) {
        if avp.attribute_type == AttributeType::RANDOM_VECTOR {
            random_vector = avp.value;
        }
        if avp.hidden {
            let key = HidingKey { md5: md5(), secret, random_vector };
            let mut room = [0; 1500];
            let unhidden = unhide(&key, avp.attribute_type, avp.value, &mut room).unwrap();
            return Some((avp.attribute_type, key, unhidden.padding.to_vec()));
        }
    }
    None
}

fn sorted<'a>(control: &ControlMessage<'a>) -> Vec<(u16, bool, bool, &'a [u8])> {
    let mut avps: Vec<_> = control
        .avps()
        .map(Result::unwrap)
        .map(|avp| (avp.attribute_type.0, avp.mandatory, avp.hidden, avp.value))
        .collect();
    avps.sort();
    avps
}
