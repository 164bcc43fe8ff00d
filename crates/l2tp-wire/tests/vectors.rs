//! Vectors made by other programs: hidden AVPs, tunnel authentication, and the byte strings that
//! other implementations test themselves with.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod support;

use l2tp_wire::AttributeType;
use l2tp_wire::Avps;
use l2tp_wire::DecodeError;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::RawAvp;
use l2tp_wire::VendorId;
use l2tp_wire::auth;
use l2tp_wire::hidden::HidingKey;
use l2tp_wire::hidden::UnhideError;
use l2tp_wire::hidden::hide;
use l2tp_wire::hidden::unhide;
use support::data;
use support::hex;
use support::hex_field;
use support::json;
use support::md5;
use support::shared;

fn only_avp(octets: &[u8]) -> RawAvp<'_> {
    let mut avps = Avps::new(octets);
    let avp = avps.next().unwrap().unwrap();
    assert!(avps.rest().is_empty());
    avp
}

/// RFC 2661 §4.3, both ways.
#[test]
fn hidden_avps() {
    let vectors = json(data("l2tp-hidden-avp.json"));
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let octets = hex_field(case, "avp");
        let avp = only_avp(&octets);
        assert!(avp.hidden);
        let attribute = AttributeType(case["attribute_type"].as_u64().unwrap().try_into().unwrap());
        assert_eq!(avp.attribute_type, attribute);
        let (secret, random_vector) = (hex_field(case, "secret"), hex_field(case, "random_vector"));
        let key = HidingKey { md5: md5(), secret: &secret, random_vector: &random_vector };

        let mut scratch = vec![0; avp.value.len()];
        let unhidden = unhide(&key, attribute, avp.value, &mut scratch).unwrap();
        assert_eq!(unhidden.value, hex_field(case, "value"));
        assert_eq!(unhidden.padding, hex_field(case, "padding"));

        let mut out = vec![0; avp.value.len()];
        let len = hide(&key, attribute, unhidden.value, unhidden.padding, &mut out).unwrap();
        assert_eq!(out[..len], *avp.value);
    }
}

/// The length that comes out of hiding is checked against what is there (accel-ppp in 2026).
#[test]
fn hidden_avps_whose_inner_length_lies() {
    let vectors = json(data("l2tp-hidden-avp.json"));
    let cases = vectors["inner_length"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let octets = hex_field(case, "avp");
        let avp = only_avp(&octets);
        let (secret, random_vector) = (hex_field(case, "secret"), hex_field(case, "random_vector"));
        let key = HidingKey { md5: md5(), secret: &secret, random_vector: &random_vector };
        let mut scratch = [0; 1023];
        let result = unhide(&key, avp.attribute_type, avp.value, &mut scratch);
        let length = case["declared_length"].as_u64().unwrap().try_into().unwrap();
        let left = case["octets_after_length"].as_u64().unwrap().try_into().unwrap();
        match case["verdict"].as_str().unwrap() {
            "accept" => assert_eq!(result.unwrap().value.len(), usize::from(length)),
            _ => assert_eq!(result, Err(UnhideError::WrongLength { length, left })),
        }
    }
}

/// RFC 2661 §4.4.3, §5.1.1.
#[test]
fn tunnel_authentication() {
    let vectors = json(data("l2tp-tunnel-auth.json"));
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let message_type = MessageType(case["message_type"].as_u64().unwrap().try_into().unwrap());
        let (secret, challenge) = (hex_field(case, "secret"), hex_field(case, "challenge_avp"));
        let expected: [u8; 16] = hex_field(case, "challenge_response_avp").try_into().unwrap();
        assert_eq!(auth::challenge_response(md5(), message_type, &secret, &challenge), expected);
        assert!(auth::verify_response(md5(), message_type, &secret, &challenge, &expected));
        for bit in 0..128 {
            let mut wrong = expected;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!auth::verify_response(md5(), message_type, &secret, &challenge, &wrong));
        }
        let other = MessageType(5 - message_type.0);
        assert!(!auth::verify_response(md5(), other, &secret, &challenge, &expected));
    }
}

/// The byte strings of go-l2tp's tests: runs of AVPs, and messages.
#[test]
fn go_l2tp() {
    let Some(path) = shared("l2tp/go-l2tp-bytes.json") else { return };
    for case in json(path)["cases"].as_array().unwrap() {
        let octets = hex_field(case, "bytes");
        let good = case["expect"] == "ok";
        if case["file"] == "l2tp/avp_test.go" {
            // Theirs also refuses a run without any AVP, which is what a ZLB has, and one with a
            // mandatory AVP of a vendor, which here is refused when the message is decoded.
            let known = |avp: RawAvp<'_>| avp.vendor_id == VendorId::IETF;
            let all_known = Avps::new(&octets).all(|avp| avp.is_ok_and(known));
            assert_eq!(all_known && !octets.is_empty(), good, "{case}");
            continue;
        }
        assert!(good);
        match Packet::decode(&octets) {
            Ok(Packet::Control(control)) => assert!(control.avps().all(|avp| avp.is_ok())),
            Ok(Packet::Data(_)) => panic!("{case}"),
            Err(error) => {
                assert_eq!(error, DecodeError::L2tpV3);
                assert_eq!(octets[1], 3);
            }
        }
    }
}

/// The byte strings of scapy's tests. The second one is a control message without sequence numbers,
/// which RFC 2661 §3.1 forbids.
#[test]
fn scapy() {
    let Some(path) = shared("l2tp/scapy-l2tp-bytes.json") else { return };
    let vectors = json(path);
    let cases = vectors["cases"].as_array().unwrap();
    let in_udp = hex_field(&cases[0], "bytes");
    let Packet::Data(message) = Packet::decode(&in_udp[28..]).unwrap() else { panic!() };
    assert!(message.payload.is_empty());
    let bare = hex_field(&cases[1], "bytes");
    assert_eq!(Packet::decode(&bare), Err(DecodeError::BadFlags));
    assert_eq!(hex("c002"), bare[..2]);
}
