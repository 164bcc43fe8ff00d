//! The rules of RFC 2661 §4.1, §4.2, §4.4 and §7.1 on what a receiver does with an AVP, and of §6
//! on which AVPs a message has: strict, tolerant, and what the observer hears.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/message.rs"]
mod message;

use l2tp_wire::AttributeType;
use l2tp_wire::AvpError;
use l2tp_wire::ErrorCode;
use l2tp_wire::FramingTypes;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::RawAvp;
use l2tp_wire::VendorId;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::MessageError;
use l2tp_wire::message::MessageErrorKind;
use l2tp_wire::message::Scope;
use message::Heard;
use message::REQUIRED;
use message::avp;
use message::control;
use message::decode;
use message::message;
use message::required;
use message::strict;

const ALL: Leniencies = Leniencies::all();
const STRICT: Leniencies = Leniencies::empty();

/// The scope of a fault in a message of this type.
fn scope(message_type: MessageType) -> Scope {
    match message_type.0 {
        1..=6 => Scope::Tunnel,
        _ => Scope::Session,
    }
}

fn with(message_type: MessageType, extra: RawAvp<'_>) -> Vec<u8> {
    let mut avps = required(message_type);
    avps.push(extra);
    message(message_type, &avps)
}

/// The lists of RFC 2661 §6.1 to §6.14, message by message: number, required, optional.
const LISTS: [(u16, &[u16], &[u16]); 14] = [
    (1, &[2, 7, 3, 9], &[4, 10, 11, 5, 6, 8]),
    (2, &[2, 3, 7, 9], &[4, 6, 8, 10, 11, 13]),
    (3, &[], &[13]),
    (4, &[9, 1], &[]),
    (6, &[], &[]),
    (7, &[14, 15, 16, 17, 18, 19, 21], &[23]),
    (8, &[14], &[25]),
    (9, &[24, 19], &[38, 39]),
    (10, &[14, 15], &[18, 25, 22, 21, 23]),
    (11, &[14], &[]),
    (12, &[24, 19], &[26, 27, 28, 29, 30, 31, 32, 33, 37, 38, 39]),
    (14, &[1, 14], &[12, 46]),
    (15, &[34], &[]),
    (16, &[35], &[]),
];

/// A good value for each attribute.
fn good_value(attribute: u16) -> &'static [u8] {
    match attribute {
        0 => &[0, 6],
        1 => &[0, 1, 0, 0],
        2 => &[1, 0],
        3 | 4 | 15..=19 | 24 | 25 | 38 => &[0, 0, 0, 1],
        5 => &[1; 8],
        6 | 9 | 10 | 14 | 29 | 32 => &[0, 1],
        7 | 8 | 11 | 21..=23 | 26..=28 | 30 | 31 | 33 | 36 | 37 => b"octets",
        12 => &[0, 16, 0x45],
        13 => &[7; 16],
        34 => &[0; 26],
        35 => &[0; 10],
        39 => &[],
        46 => &[0, 3, 0, 0, 1],
        _ => panic!("{attribute}"),
    }
}

/// Every attribute that has a typed value.
fn recognized() -> impl Iterator<Item = u16> {
    (0..=39).filter(|number| *number != 20).chain([46])
}

#[test]
fn the_lists_are_those_of_the_rfc() {
    for (number, required_numbers, _) in LISTS {
        let mut listed: Vec<_> =
            required(MessageType(number)).iter().map(|avp| avp.attribute_type.0).collect();
        listed.sort_unstable();
        let mut expected = required_numbers.to_vec();
        expected.sort_unstable();
        assert_eq!(listed, expected, "message {number}");
    }
}

/// Every message with every recognized AVP added: taken where §6 lists it, else left out.
#[test]
fn every_avp_in_every_message() {
    for (number, required_numbers, optional) in LISTS {
        let message_type = MessageType(number);
        for attribute in recognized() {
            let datagram = with(message_type, avp(AttributeType(attribute), good_value(attribute)));
            let (tolerant, heard) = decode(&datagram, ALL);
            assert_eq!(tolerant.unwrap().message_type(), message_type);
            let strict = strict(&datagram);
            let attribute = AttributeType(attribute);
            let error = |kind| Err(MessageError { message_type: Some(message_type), kind });
            if attribute == AttributeType::RANDOM_VECTOR || optional.contains(&attribute.0) {
                assert!(strict.is_ok(), "{message_type} {attribute}: {strict:?}");
                assert_eq!(heard, Heard::default());
            } else if required_numbers.contains(&attribute.0)
                || attribute == AttributeType::MESSAGE_TYPE
            {
                assert_eq!(strict, error(MessageErrorKind::Duplicate(attribute)));
                assert_eq!(heard.lenient, [(Leniencies::DUPLICATE_AVP, Some(attribute))]);
            } else {
                if attribute.is_mandatory() {
                    let kind = MessageErrorKind::UnknownAvp(VendorId::IETF, attribute);
                    assert_eq!(strict, error(kind));
                    assert_eq!(strict.unwrap_err().scope(), scope(message_type));
                } else {
                    assert!(strict.is_ok());
                }
                assert_eq!(heard.lenient, [(Leniencies::UNLISTED_AVP, Some(attribute))]);
            }
        }
    }
}

/// Every required AVP left out of every message.
#[test]
fn a_required_avp_is_missing() {
    let defaulted = [3, 15, 19, 24];
    for (message_type, listed) in REQUIRED {
        for (left_out, _) in listed {
            let avps: Vec<_> = required(message_type)
                .into_iter()
                .filter(|avp| avp.attribute_type != *left_out)
                .collect();
            let datagram = message(message_type, &avps);
            let expected = MessageError {
                message_type: Some(message_type),
                kind: MessageErrorKind::Missing(*left_out),
            };
            assert_eq!(strict(&datagram), Err(expected));
            assert_eq!(expected.scope(), scope(message_type));
            assert_eq!(expected.error_code(), ErrorCode::OUT_OF_RANGE);
            let (tolerant, heard) = decode(&datagram, ALL);
            if defaulted.contains(&left_out.0) {
                assert!(tolerant.is_ok());
                assert_eq!(heard.lenient, [(Leniencies::MISSING_AVP, Some(*left_out))]);
            } else {
                assert_eq!(tolerant, Err(expected));
            }
        }
    }
}

#[test]
fn the_defaults_of_what_is_missing() {
    let without = |message_type, left_out: &[AttributeType]| {
        let mut avps = required(message_type);
        avps.retain(|avp| !left_out.contains(&avp.attribute_type));
        message(message_type, &avps)
    };
    use AttributeType as A;
    let sccrq = without(MessageType::SCCRQ, &[A::FRAMING_CAPABILITIES]);
    let Message::Sccrq(sccrq) = decode(&sccrq, ALL).0.unwrap() else { panic!() };
    assert_eq!(sccrq.framing_capabilities, FramingTypes::SYNC | FramingTypes::ASYNC);
    let icrq = without(MessageType::ICRQ, &[A::CALL_SERIAL_NUMBER]);
    let Message::Icrq(icrq) = decode(&icrq, ALL).0.unwrap() else { panic!() };
    assert_eq!(icrq.call_serial_number, 0);
    let iccn = without(MessageType::ICCN, &[A::TX_CONNECT_SPEED, A::FRAMING_TYPE]);
    let Message::Iccn(iccn) = decode(&iccn, ALL).0.unwrap() else { panic!() };
    assert_eq!((iccn.tx_connect_speed, iccn.framing_type), (0, FramingTypes::SYNC));
}

/// RFC 2661 §4.1, §4.2: M decides what an unrecognized AVP does, of the IETF or of a vendor; a
/// reserved bit makes any AVP unrecognized.
#[test]
fn unrecognized_avps() {
    let unknown = |vendor, attribute, reserved, mandatory| RawAvp {
        mandatory,
        hidden: false,
        reserved,
        vendor_id: vendor,
        attribute_type: attribute,
        value: b"\0\x01",
    };
    let host_name = AttributeType::HOST_NAME;
    let receive_window = AttributeType::RECEIVE_WINDOW_SIZE;
    for (message_type, _) in REQUIRED {
        for (vendor, attribute, reserved) in [
            (VendorId::IETF, AttributeType(40), 0),
            (VendorId::IETF, AttributeType(0xffff), 0),
            (VendorId::MICROSOFT, AttributeType(1), 0),
            (VendorId(0xffff), host_name, 0),
            (VendorId::IETF, receive_window, 1),
            (VendorId::IETF, receive_window, 2),
            (VendorId::IETF, receive_window, 4),
            (VendorId::IETF, receive_window, 8),
        ] {
            let kind = MessageErrorKind::UnknownAvp(vendor, attribute);
            let datagram = with(message_type, unknown(vendor, attribute, reserved, true));
            for leniencies in [ALL, STRICT] {
                let error = decode(&datagram, leniencies).0.unwrap_err();
                assert_eq!(error, MessageError { message_type: Some(message_type), kind });
                assert_eq!(error.scope(), scope(message_type));
                assert_eq!(error.error_code(), ErrorCode::UNKNOWN_MANDATORY_AVP);
                let text = error.to_string();
                assert!(text.contains(&format!("attribute {}", attribute.0)), "{text}");
            }
            let datagram = with(message_type, unknown(vendor, attribute, reserved, false));
            for leniencies in [ALL, STRICT] {
                let (result, heard) = decode(&datagram, leniencies);
                assert_eq!(result.unwrap().message_type(), message_type);
                assert_eq!((heard.ignored, heard.lenient), (vec![kind], vec![]));
            }
        }
    }
}

/// An extension that the observer knows keeps its M bit from doing harm. AVPs that this crate
/// recognizes, or that have a reserved bit set, are never asked about.
#[test]
fn extensions() {
    let correlation = RawAvp {
        mandatory: true,
        vendor_id: VendorId::MICROSOFT,
        ..avp(AttributeType(1), &[0x5a; 16])
    };
    let relay = avp(AttributeType::PPPOE_RELAY, b"tag");
    let reserved = RawAvp { reserved: 1, mandatory: false, ..correlation };
    let mut avps = required(MessageType::ICRQ);
    avps.extend([correlation, relay, reserved, avp(AttributeType::CALLED_NUMBER, b"1")]);
    let datagram = message(MessageType::ICRQ, &avps);
    let mut heard = Heard { recognize: true, ..Heard::default() };
    let context = DecodeContext::new().leniencies(STRICT).observer(&mut heard);
    assert!(Message::decode(&control(&datagram), context).is_ok());
    assert_eq!(
        heard.extensions,
        [
            (VendorId::MICROSOFT, AttributeType(1), vec![0x5a; 16]),
            (VendorId::IETF, AttributeType::PPPOE_RELAY, b"tag".to_vec()),
        ]
    );
    let kind = MessageErrorKind::UnknownAvp(VendorId::MICROSOFT, AttributeType(1));
    assert_eq!(heard.ignored, [kind]);
}

/// RFC 2661 §4.4.1: an unknown message type ends the tunnel or is ignored, as its M bit says.
#[test]
fn unknown_message_types() {
    for number in [0, 5, 13, 17, 20, 29, 30, 0xffff] {
        let message_type = MessageType(number);
        let mut datagram = message(message_type, &[avp(AttributeType(40), b"")]);
        for leniencies in [ALL, STRICT] {
            for (mandatory, scope) in [(true, Scope::Tunnel), (false, Scope::Message)] {
                datagram[12] = if mandatory { 0x80 } else { 0 };
                let error = decode(&datagram, leniencies).0.unwrap_err();
                assert_eq!(
                    error.kind,
                    MessageErrorKind::UnknownMessageType { message_type, mandatory }
                );
                assert_eq!(error.scope(), scope);
                assert_eq!(error.error_code(), ErrorCode::UNKNOWN_MANDATORY_AVP);
            }
        }
    }
}

/// RFC 2661 §4.4.1: Message Type is first, 8 octets long and never hidden.
#[test]
fn the_message_type_comes_first() {
    let good = message(MessageType::HELLO, &[]);
    let change = |at: usize, octet: u8| {
        let mut datagram = good.clone();
        datagram[at] = octet;
        datagram
    };
    let mut late = good.clone();
    late[3] += 8;
    late.splice(12..12, *b"\x80\x08\0\0\0\x0a\0\x04");
    let mut long = good.clone();
    (long[3], long[13]) = (21, 9);
    long.push(0);
    let hidden = change(12, 0xc0);
    let reserved = change(12, 0x84);
    let of_vendor = change(15, 1);
    let other = change(17, 1);
    for datagram in [late, long, hidden, reserved, of_vendor, other, change(13, 7), change(13, 9)] {
        assert_eq!(control(&datagram).message_type(), None);
        let error = decode(&datagram, ALL).0.unwrap_err();
        assert_eq!(error.kind, MessageErrorKind::NoMessageType);
        assert_eq!((error.scope(), error.error_code()), (Scope::Tunnel, ErrorCode::OUT_OF_RANGE));
    }
    let error = decode(&l2tp_wire::zlb(1, 0, 0, 0), ALL).0.unwrap_err();
    assert_eq!((error.kind, error.scope()), (MessageErrorKind::Zlb, Scope::Message));
    // M clear on a type that is known: RFC 2661 §4.4.1 has it set.
    let optional = change(12, 0);
    let (tolerant, heard) = decode(&optional, ALL);
    assert_eq!(tolerant.unwrap().message_type(), MessageType::HELLO);
    let attribute = AttributeType::MESSAGE_TYPE;
    assert_eq!(heard.lenient, [(Leniencies::WRONG_MANDATORY_BIT, Some(attribute))]);
    assert_eq!(strict(&optional).unwrap_err().kind, MessageErrorKind::WrongMandatoryBit(attribute));
}

/// Every M bit turned round.
#[test]
fn wrong_mandatory_bits() {
    for (number, _, optional) in LISTS {
        let message_type = MessageType(number);
        for attribute in optional.iter().map(|number| AttributeType(*number)) {
            let good = avp(attribute, good_value(attribute.0));
            let datagram = with(message_type, RawAvp { mandatory: !good.mandatory, ..good });
            let (tolerant, heard) = decode(&datagram, ALL);
            assert_eq!(tolerant, strict(&with(message_type, good)));
            assert_eq!(heard.lenient, [(Leniencies::WRONG_MANDATORY_BIT, Some(attribute))]);
            let error = strict(&datagram).unwrap_err();
            assert_eq!(error.kind, MessageErrorKind::WrongMandatoryBit(attribute));
        }
    }
}

/// RFC 2661 §7.1: a malformed AVP with M clear is ignored, even its own example of a Rx Connect
/// Speed in 2 octets; with M set it ends the session or tunnel.
#[test]
fn malformed_avps() {
    let attribute = AttributeType::RX_CONNECT_SPEED;
    let datagram = with(MessageType::ICCN, avp(attribute, &[0, 1]));
    for leniencies in [ALL, STRICT] {
        let (result, heard) = decode(&datagram, leniencies);
        let Message::Iccn(iccn) = result.unwrap() else { panic!() };
        assert_eq!(iccn.rx_connect_speed, None);
        assert_eq!(heard.ignored, [MessageErrorKind::WrongLength(attribute)]);
    }
    let attribute = AttributeType::BEARER_TYPE;
    let datagram = with(MessageType::ICRQ, avp(attribute, &[0, 1]));
    for leniencies in [ALL, STRICT] {
        let error = decode(&datagram, leniencies).0.unwrap_err();
        assert_eq!(error.kind, MessageErrorKind::WrongLength(attribute));
        assert_eq!((error.scope(), error.error_code()), (Scope::Session, ErrorCode::WRONG_LENGTH));
        assert_eq!(error.to_string(), "ICRQ: Bearer Type (attribute 18) has a wrong length");
    }
}

/// Each leniency on values: heard of in tolerant mode, an error in strict mode.
#[test]
fn leniencies_on_values() {
    use AttributeType as A;
    use Leniencies as L;
    use MessageType as M;
    for (message_type, attribute, value, leniency) in [
        (M::ICRQ, A::BEARER_TYPE, &[0, 0, 0, 1, 0][..], L::LONG_VALUE),
        (M::ICCN, A::SEQUENCING_REQUIRED, &[0], L::LONG_VALUE),
        (M::SCCRQ, A::CHALLENGE, &[], L::EMPTY_VALUE),
        (M::SCCRQ, A::RECEIVE_WINDOW_SIZE, &[0, 0], L::ZERO_WINDOW),
    ] {
        let datagram = with(message_type, avp(attribute, value));
        let (tolerant, heard) = decode(&datagram, ALL);
        assert!(tolerant.is_ok());
        assert_eq!(heard.lenient, [(leniency, Some(attribute))]);
        let error = strict(&datagram).unwrap_err();
        assert_eq!(error, decode(&datagram, ALL.difference(leniency)).0.unwrap_err());
        match leniency {
            L::LONG_VALUE => assert_eq!(error.kind, MessageErrorKind::WrongLength(attribute)),
            _ => assert_eq!(error.kind, MessageErrorKind::OutOfRange(attribute)),
        }
    }
    // Window 0 means the default of 4, so it reads as absent.
    let datagram = with(M::SCCRQ, avp(A::RECEIVE_WINDOW_SIZE, &[0, 0]));
    let Message::Sccrq(sccrq) = decode(&datagram, ALL).0.unwrap() else { panic!() };
    assert_eq!(sccrq.receive_window_size, None);
    // What is not mandatory is ignored rather than refused.
    let datagram = with(M::ICCN, avp(A::PROXY_AUTHEN_ID, &[1, 7]));
    let (tolerant, heard) = decode(&datagram, ALL);
    let Message::Iccn(iccn) = tolerant.unwrap() else { panic!() };
    assert_eq!(iccn.proxy_authen_id.unwrap().0, 7);
    assert_eq!(heard.lenient, [(L::NONZERO_RESERVED, Some(A::PROXY_AUTHEN_ID))]);
    let Message::Iccn(iccn) = strict(&datagram).unwrap() else { panic!() };
    assert_eq!(iccn.proxy_authen_id, None);
}

fn replaced(message_type: MessageType, attribute: AttributeType, value: &[u8]) -> Vec<u8> {
    let mut avps = required(message_type);
    for avp in &mut avps {
        if avp.attribute_type == attribute {
            avp.value = value;
        }
    }
    message(message_type, &avps)
}

/// RFC 2661 §4.4.3, §4.4.4: IDs are not zero. A peer that gives up may have none yet.
#[test]
fn zero_ids() {
    for (message_type, avps) in REQUIRED {
        for (attribute, _) in avps {
            if !matches!(attribute.0, 9 | 14) {
                continue;
            }
            let datagram = replaced(message_type, *attribute, &[0, 0]);
            let error = strict(&datagram).unwrap_err();
            assert_eq!(error.kind, MessageErrorKind::OutOfRange(*attribute));
            assert_eq!(error.error_code(), ErrorCode::OUT_OF_RANGE);
            let (tolerant, heard) = decode(&datagram, ALL);
            if matches!(message_type, MessageType::STOP_CCN | MessageType::CDN) {
                assert!(tolerant.is_ok());
                assert_eq!(heard.lenient, [(Leniencies::ZERO_ID, Some(*attribute))]);
            } else {
                assert_eq!(tolerant, Err(error));
            }
        }
    }
}

/// Some clients send no octet of Host Name, or octets that are no text (RFC 2661 §4.4.3 wants 1).
#[test]
fn host_names_of_any_octets() {
    let attribute = AttributeType::HOST_NAME;
    for name in [&b"a"[..], b"\0", b"\xff\xfe", &[b'x'; 1017]] {
        let datagram = replaced(MessageType::SCCRQ, attribute, name);
        let Message::Sccrq(sccrq) = strict(&datagram).unwrap() else { panic!() };
        assert_eq!(sccrq.host_name, name);
    }
    let datagram = replaced(MessageType::SCCRQ, attribute, b"");
    assert_eq!(strict(&datagram).unwrap_err().kind, MessageErrorKind::OutOfRange(attribute));
    let (tolerant, heard) = decode(&datagram, ALL);
    assert!(tolerant.is_ok());
    assert_eq!(heard.lenient, [(Leniencies::EMPTY_VALUE, Some(attribute))]);
}

/// RFC 2661 §4.4.2: 8, 10 or more octets are right. macOS swaps the octets.
#[test]
fn result_codes() {
    let attribute = AttributeType::RESULT_CODE;
    let result = |value, leniencies| {
        let datagram = replaced(MessageType::CDN, attribute, value);
        let (result, heard) = decode(&datagram, leniencies);
        let result = result.map(|message| {
            let Message::Cdn(cdn) = message else { panic!() };
            let code = cdn.result_code;
            (code.result, code.error.0, code.message.to_vec())
        });
        (result.map_err(|error| error.kind), heard.lenient)
    };
    for leniencies in [ALL, STRICT] {
        assert_eq!(result(&[0, 3], leniencies), (Ok((3, 0, vec![])), vec![]));
        assert_eq!(result(&[0, 2, 0, 6], leniencies), (Ok((2, 6, vec![])), vec![]));
        let with_text = result(&[0, 2, 0, 8, b'h', b'i'], leniencies);
        assert_eq!(with_text, (Ok((2, 8, b"hi".to_vec())), vec![]));
        for short in [&[][..], &[0]] {
            let error = MessageErrorKind::WrongLength(attribute);
            assert_eq!(result(short, leniencies), (Err(error), vec![]));
        }
    }
    let swapped = vec![(Leniencies::SWAPPED_RESULT_CODE, Some(attribute))];
    assert_eq!(result(&[3, 0], ALL), (Ok((3, 0, vec![])), swapped.clone()));
    assert_eq!(result(&[2, 0, 6, 0], ALL), (Ok((2, 6, vec![])), swapped.clone()));
    assert_eq!(result(&[2, 0, 0, 6], ALL), (Ok((2, 6, vec![])), swapped));
    let out_of_range = MessageErrorKind::OutOfRange(attribute);
    assert_eq!(result(&[3, 0], STRICT), (Err(out_of_range), vec![]));
    let long = vec![(Leniencies::LONG_VALUE, Some(attribute))];
    assert_eq!(result(&[0, 3, 9], ALL), (Ok((3, 0, vec![])), long));
}

/// Octets behind the last AVP, and behind the message.
#[test]
fn trailing_octets() {
    for in_message in [true, false] {
        for count in 1..=5 {
            let mut datagram = message(MessageType::HELLO, &[]);
            if in_message {
                datagram[3] += count;
            }
            datagram.extend([0x80; 5].iter().take(usize::from(count)));
            let (tolerant, heard) = decode(&datagram, ALL);
            assert!(tolerant.is_ok());
            assert_eq!(heard.lenient, [(Leniencies::TRAILING_OCTETS, None)]);
            let error = strict(&datagram).unwrap_err();
            let kind = MessageErrorKind::Avp(AvpError::Trailing(usize::from(count)));
            assert_eq!((error.kind, error.error_code()), (kind, ErrorCode::WRONG_LENGTH));
        }
    }
}

/// The Length of an AVP is 6 to what is left (RFC 2661 §4.1); a wrong one ends the walk, whatever
/// the M bit, since nothing behind it can be found.
#[test]
fn every_length_of_an_avp() {
    let mut avps = required(MessageType::ICRP);
    avps.push(RawAvp { mandatory: false, ..avp(AttributeType(200), b"octets") });
    let mut datagram = message(MessageType::ICRP, &avps);
    let at = datagram.len() - 12;
    for length in 0..=0x3ff_u16 {
        let [high, low] = length.to_be_bytes();
        datagram[at..at + 2].copy_from_slice(&[high, low]);
        let (result, heard) = decode(&datagram, ALL);
        let kind = result.as_ref().map_err(|error| error.kind);
        match length {
            0..6 => assert_eq!(kind, Err(MessageErrorKind::Avp(AvpError::TooShort(length)))),
            13.. => {
                let error = AvpError::TooLong { length, left: 12 };
                assert_eq!(kind, Err(MessageErrorKind::Avp(error)));
            }
            6 => {
                // What is left is an AVP header of its own: its Length is "oc", 0x363.
                let error = AvpError::TooLong { length: 0x363, left: 6 };
                assert_eq!(kind, Err(MessageErrorKind::Avp(error)));
            }
            7..=11 => {
                assert!(result.is_ok());
                assert_eq!(heard.lenient, [(Leniencies::TRAILING_OCTETS, None)]);
            }
            12 => assert!(result.is_ok() && heard.lenient.is_empty()),
        }
    }
}

/// RFC 3145 §3.4: one PPP Disconnect Cause Code for each NCP is right; the first counts here.
#[test]
fn several_disconnect_causes() {
    let attribute = AttributeType::PPP_DISCONNECT_CAUSE_CODE;
    let mut avps = required(MessageType::CDN);
    avps.push(avp(attribute, b"\0\x13\x80\x21\x01bad"));
    avps.push(avp(attribute, &[0, 0x13, 0x80, 0x57, 2]));
    let datagram = message(MessageType::CDN, &avps);
    let Message::Cdn(cdn) = strict(&datagram).unwrap() else { panic!() };
    let cause = cdn.ppp_disconnect_cause.unwrap();
    assert_eq!((cause.code.0, cause.protocol, cause.direction.0), (19, 0x8021, 1));
    assert_eq!(cause.message, b"bad");
}
