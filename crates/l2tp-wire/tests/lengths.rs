//! Every AVP type at every length, every truncation and every changed octet of real messages: no
//! panic, and the right verdict.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

#[path = "support/message.rs"]
mod message;
mod support;

use l2tp_wire::AttributeType;
use l2tp_wire::Avp;
use l2tp_wire::DecodeError;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::RawAvp;
use l2tp_wire::ValueError;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::MessageErrorKind;
use message::avp;
use message::decode;
use message::required;
use support::CAPTURES;
use support::datagrams;
use support::md5;

/// The least and the most octets of a value, from the table of RFC 2661 §4.4 (and RFC 3145 §2).
fn range(attribute: u16) -> (usize, usize) {
    const ANY: usize = 1017;
    match attribute {
        0 | 2 | 6 | 9 | 10 | 14 | 29 | 32 => (2, 2),
        1 => (2, ANY),
        3 | 4 | 15..=19 | 24 | 25 | 38 => (4, 4),
        5 => (8, 8),
        12 => (3, ANY),
        13 => (16, 16),
        34 => (26, 26),
        35 => (10, 10),
        39 => (0, 0),
        46 => (5, ANY),
        _ => (0, ANY),
    }
}

#[test]
fn every_type_at_every_length() {
    let octets = [1; 1017];
    for attribute in (0..=104).map(AttributeType) {
        for len in 0..=1017 {
            let raw = avp(attribute, &octets[..len]);
            let mut departures = Leniencies::empty();
            let result = Avp::decode_noting(&raw, &mut departures);
            if !attribute.is_recognized() || attribute == AttributeType::PACKET_PROCESSING_DELAY {
                assert_eq!(result, Ok(Avp::Raw(raw)));
                continue;
            }
            let (least, most) = range(attribute.0);
            if len < least {
                assert_eq!(result, Err(ValueError { len, needed: least }), "{attribute} {len}");
                continue;
            }
            let value = result.unwrap();
            assert_eq!(value.attribute_type(), attribute);
            assert!(!matches!(value, Avp::Raw(_)), "{attribute}");
            let long = len > most || attribute == AttributeType::RESULT_CODE && len == 3;
            assert_eq!(departures.contains(Leniencies::LONG_VALUE), long, "{attribute} {len}");
            // Shown, whatever it is.
            assert!(!value.to_string().is_empty() || len == 0 || most == 0);
        }
    }
}

/// The same inside of a message that lists the attribute, in strict and tolerant mode.
#[test]
fn every_type_at_every_length_in_a_message() {
    let octets = [1; 1017];
    for (message_type, listed) in [
        (MessageType::SCCRP, &[4, 6, 8, 10, 11, 13][..]),
        (MessageType::ICRQ, &[18, 25, 22, 21, 23]),
        (MessageType::ICCN, &[26, 27, 28, 29, 30, 31, 32, 33, 37, 38, 39]),
        (MessageType::CDN, &[12, 46]),
    ] {
        for attribute in listed.iter().map(|number| AttributeType(*number)) {
            let (least, most) = range(attribute.0);
            for len in 0..=1017 {
                let mut avps = required(message_type);
                avps.push(avp(attribute, &octets[..len]));
                let datagram = message::message(message_type, &avps);
                let wrong = MessageErrorKind::WrongLength(attribute);
                for leniencies in [Leniencies::empty(), Leniencies::all()] {
                    let (result, heard) = decode(&datagram, leniencies);
                    let refused = len < least || len > most && leniencies.is_empty();
                    let out_of_range =
                        attribute == AttributeType::PROXY_AUTHEN_ID || len == 0 && least == 0;
                    match (refused, attribute.is_mandatory()) {
                        (true, true) => assert_eq!(result.unwrap_err().kind, wrong),
                        (true, false) => {
                            assert!(result.is_ok());
                            assert_eq!(heard.ignored, [wrong], "{attribute} {len}");
                        }
                        (false, _) if out_of_range => {}
                        (false, _) => {
                            assert!(result.is_ok(), "{attribute} {len} {result:?}");
                            let long: Vec<_> = (len > most)
                                .then_some((Leniencies::LONG_VALUE, Some(attribute)))
                                .into_iter()
                                .collect();
                            assert_eq!(heard.lenient, long);
                        }
                    }
                }
            }
        }
    }
}

/// A message cut short is refused by its own Length, and cut at an AVP's end by what is missing.
#[test]
fn every_truncation_of_real_messages() {
    for (name, secret) in CAPTURES {
        for mut datagram in datagrams(name) {
            let Packet::Control(_) = Packet::decode(&datagram).unwrap() else { continue };
            for len in 0..datagram.len() {
                let cut = Packet::decode(&datagram[..len]);
                assert_eq!(cut, Err(DecodeError::Truncated), "{name} {len}");
            }
            let mut ends = vec![12];
            while *ends.last().unwrap() < datagram.len() {
                let at = *ends.last().unwrap();
                ends.push(
                    at + (usize::from(datagram[at] & 3) << 8 | usize::from(datagram[at + 1])),
                );
            }
            for len in (12..datagram.len()).rev() {
                datagram[2..4].copy_from_slice(&u16::try_from(len).unwrap().to_be_bytes());
                let mut scratch = [0; 1500];
                let context = DecodeContext::new().leniencies(Leniencies::empty()).secret(
                    md5(),
                    secret,
                    &mut scratch,
                );
                let Ok(Packet::Control(control)) = Packet::decode(&datagram[..len]) else {
                    panic!("{name}")
                };
                let complete = control.avps().all(|avp| avp.is_ok());
                assert_eq!(complete, ends.contains(&len), "{name} {len}");
                let result = Message::decode(&control, context);
                if !complete {
                    assert!(result.is_err());
                }
            }
        }
    }
}

/// Each octet of each message with each bit turned round: never a panic, in any mode, and the walk
/// takes no more steps than there are octets.
#[test]
fn every_bit_of_real_messages() {
    for (name, secret) in [CAPTURES[4], CAPTURES[8]] {
        for datagram in datagrams(name) {
            for bit in 0..datagram.len() * 8 {
                let mut changed = datagram.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let Ok(Packet::Control(control)) = Packet::decode(&changed) else { continue };
                assert!(control.avps().count() * 6 <= changed.len());
                for raw in control.avps().flatten() {
                    let _ = Avp::decode(&raw).map(|avp| avp.to_string().len());
                }
                for leniencies in [Leniencies::empty(), Leniencies::all()] {
                    let mut scratch = [0; 1500];
                    let context = DecodeContext::new().leniencies(leniencies).secret(
                        md5(),
                        secret,
                        &mut scratch,
                    );
                    if let Err(error) = Message::decode(&control, context) {
                        assert!(error.to_string().len() < 120, "{error}");
                    }
                }
            }
        }
    }
}

/// Length 0, over and over, is no endless walk.
#[test]
fn a_walk_over_zeros_ends() {
    let zeros = [0; 65_535];
    assert_eq!(l2tp_wire::Avps::new(&zeros).count(), 1);
    let shortest: Vec<u8> = [0, 6, 0, 0, 0, 99].repeat(10_000);
    assert_eq!(l2tp_wire::Avps::new(&shortest).count(), 10_000);
    let of_vendor = RawAvp { mandatory: false, ..avp(AttributeType(99), b"") };
    let datagram = message::message(MessageType::HELLO, &vec![of_vendor; 10_000]);
    let (result, heard) = decode(&datagram, Leniencies::empty());
    assert!(result.is_ok() && heard.ignored.len() == 10_000);
}
