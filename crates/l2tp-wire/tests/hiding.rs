//! Hidden AVPs (RFC 2661 §4.3) inside of messages: the order of vectors, what must not be hidden,
//! what can't be unhidden.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

#[path = "support/message.rs"]
mod message;
mod support;

use l2tp_wire::AttributeSet;
use l2tp_wire::AttributeType;
use l2tp_wire::Avp;
use l2tp_wire::EncodeError;
use l2tp_wire::ErrorCode;
use l2tp_wire::FramingTypes;
use l2tp_wire::Hiding;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::MessageType;
use l2tp_wire::ProxyAuthenResponse;
use l2tp_wire::ProxyAuthenType;
use l2tp_wire::RawAvp;
use l2tp_wire::VendorId;
use l2tp_wire::hidden::HidingKey;
use l2tp_wire::hidden::MAX_HIDDEN_LEN;
use l2tp_wire::hidden::UnhideError;
use l2tp_wire::hidden::hide;
use l2tp_wire::hidden::unhide;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::Iccn;
use l2tp_wire::message::Icrp;
use l2tp_wire::message::MessageError;
use l2tp_wire::message::MessageErrorKind;
use message::Heard;
use message::avp;
use message::control;
use message::required;
use support::md5;

const SECRET: &[u8] = b"tsecret";
const VECTOR: &[u8] = b"sixteen octets..";

const ICCN: Iccn<'static> = Iccn {
    tx_connect_speed: 10_000_000,
    framing_type: FramingTypes::SYNC,
    initial_received_lcp_confreq: Some(b"\x01\x04\x05\x78"),
    last_sent_lcp_confreq: Some(b"\x03\x04\xc0\x23"),
    last_received_lcp_confreq: Some(b""),
    proxy_authen_type: Some(ProxyAuthenType::PAP),
    proxy_authen_name: Some(b"alice"),
    proxy_authen_challenge: None,
    proxy_authen_id: Some(l2tp_wire::ProxyAuthenId(7)),
    proxy_authen_response: Some(ProxyAuthenResponse(b"wonderland")),
    private_group_id: Some(b"blue"),
    rx_connect_speed: Some(1_000_000),
    sequencing_required: true,
};

fn key<'a>(secret: &'a [u8], random_vector: &'a [u8]) -> HidingKey<'a> {
    HidingKey { md5: md5(), secret, random_vector }
}

fn build(hiding: &[Hiding<'_>], fill: impl Fn(&mut MessageBuilder<'_, '_>)) -> Vec<u8> {
    let mut out = vec![0; 4096];
    let mut builder = MessageBuilder::new(&mut out, 7, 8).unwrap();
    if let Some(first) = hiding.first() {
        builder.hide(*first);
    }
    fill(&mut builder);
    let len = builder.finish().unwrap();
    out.truncate(len);
    out
}

fn decode<'a>(
    datagram: &'a [u8],
    secret: &[u8],
    scratch: &'a mut [u8],
    leniencies: Leniencies,
) -> (Result<Message<'a>, MessageError>, Heard) {
    let mut heard = Heard::default();
    let context = DecodeContext::new()
        .leniencies(leniencies)
        .secret(md5(), secret, scratch)
        .observer(&mut heard);
    (Message::decode(&control(datagram), context), heard)
}

/// Everything that may be hidden is, with padding; what may not be is not.
#[test]
fn a_message_hidden_throughout() {
    for padding in [&b""[..], b"p", &[0x70; 40]] {
        let hiding =
            Hiding { key: key(SECRET, VECTOR), attributes: AttributeSet::HIDEABLE, padding };
        let datagram = build(&[hiding], |builder| ICCN.encode(builder).unwrap());
        let mut vectors = 0;
        for raw in control(&datagram).avps() {
            let raw = raw.unwrap();
            vectors += usize::from(raw.attribute_type == AttributeType::RANDOM_VECTOR);
            assert_eq!(raw.hidden, raw.attribute_type.may_be_hidden(), "{raw:?}");
            assert_eq!(raw.mandatory, raw.attribute_type.is_mandatory());
        }
        assert_eq!(vectors, 1);
        assert!(!datagram.windows(10).any(|window| window == b"wonderland"));
        let mut scratch = vec![0; datagram.len()];
        let (result, heard) = decode(&datagram, SECRET, &mut scratch, Leniencies::empty());
        assert_eq!(result, Ok(Message::Iccn(ICCN)));
        assert_eq!(heard, Heard::default());
    }
}

#[test]
fn only_the_attributes_asked_for_are_hidden() {
    let attributes = AttributeSet::of(&[
        AttributeType::PROXY_AUTHEN_RESPONSE,
        AttributeType::SEQUENCING_REQUIRED,
    ]);
    let hiding = Hiding { key: key(SECRET, VECTOR), attributes, padding: b"" };
    let datagram = build(&[hiding], |builder| ICCN.encode(builder).unwrap());
    let hidden: Vec<_> = control(&datagram)
        .avps()
        .map(Result::unwrap)
        .filter(|avp| avp.hidden)
        .map(|avp| avp.attribute_type)
        .collect();
    assert_eq!(hidden, [AttributeType::PROXY_AUTHEN_RESPONSE]);
}

/// A message that hides nothing has no vector.
#[test]
fn no_vector_without_need() {
    let hiding =
        Hiding { key: key(SECRET, VECTOR), attributes: AttributeSet::HIDEABLE, padding: b"" };
    let datagram = build(&[hiding], |builder| builder.message_type(MessageType::HELLO).unwrap());
    assert_eq!(control(&datagram).avps().count(), 1);
}

/// RFC 2661 §4.4.1: each hidden AVP goes with the vector that most closely precedes it.
#[test]
fn several_vectors() {
    let mut out = [0; 512];
    let mut builder = MessageBuilder::new(&mut out, 7, 8).unwrap();
    let attributes = AttributeSet::HIDEABLE;
    builder.message_type(MessageType::ICRQ).unwrap();
    let numbers: [Avp<'_>; 4] = [
        Avp::AssignedSessionId(77),
        Avp::CallSerialNumber(88),
        Avp::CalledNumber(b"a number that takes more than one block of sixteen"),
        Avp::CallingNumber(b"555"),
    ];
    let vectors: [&[u8]; 2] = [b"the first vector", b"another"];
    for (pair, random_vector) in numbers.chunks(2).zip(vectors) {
        builder.hide(Hiding { key: key(SECRET, random_vector), attributes, padding: b"pad" });
        for number in pair {
            builder.avp(number).unwrap();
        }
    }
    let len = builder.finish().unwrap();
    let types: Vec<_> =
        control(&out[..len]).avps().map(|avp| avp.unwrap().attribute_type.0).collect();
    assert_eq!(types, [0, 36, 14, 15, 36, 21, 22]);
    let mut scratch = [0; 512];
    let (result, _) = decode(&out[..len], SECRET, &mut scratch, Leniencies::empty());
    let Message::Icrq(icrq) = result.unwrap() else { panic!() };
    assert_eq!((icrq.assigned_session_id, icrq.call_serial_number), (77, 88));
    assert_eq!(
        icrq.called_number,
        Some(&b"a number that takes more than one block of sixteen"[..])
    );
    assert_eq!(icrq.calling_number, Some(&b"555"[..]));
}

fn hidden_session_id(vector_first: bool) -> Vec<u8> {
    let mut out = [0; 64];
    let attribute = AttributeType::ASSIGNED_SESSION_ID;
    let len = hide(&key(SECRET, VECTOR), attribute, &[0, 9], b"padding", &mut out).unwrap();
    let hidden = RawAvp { hidden: true, ..avp(attribute, &out[..len]) };
    let vector = avp(AttributeType::RANDOM_VECTOR, VECTOR);
    let avps = if vector_first { [vector, hidden] } else { [hidden, vector] };
    message::message(MessageType::ICRP, &avps)
}

#[test]
fn what_cannot_be_unhidden() {
    let attribute = AttributeType::ASSIGNED_SESSION_ID;
    let good = hidden_session_id(true);
    let kind = |error| MessageErrorKind::Hidden(attribute, error);

    let mut scratch = [0; 64];
    let (result, _) = decode(&good, SECRET, &mut scratch, Leniencies::empty());
    assert_eq!(result, Ok(Message::Icrp(Icrp { assigned_session_id: 9 })));

    let late = hidden_session_id(false);
    let error = decode(&late, SECRET, &mut scratch, Leniencies::all()).0.unwrap_err();
    assert_eq!(error.kind, kind(UnhideError::NoRandomVector));
    assert_eq!(error.error_code(), ErrorCode::OUT_OF_RANGE);

    let error = Message::decode(&control(&good), DecodeContext::new()).unwrap_err();
    assert_eq!(error.kind, kind(UnhideError::NoSecret));

    let error = decode(&good, SECRET, &mut [0; 10], Leniencies::all()).0.unwrap_err();
    assert_eq!(error.kind, kind(UnhideError::NoRoom));
    assert_eq!(error.error_code(), ErrorCode::INSUFFICIENT_RESOURCES);

    let error = decode(&good, b"other", &mut scratch, Leniencies::all()).0.unwrap_err();
    let MessageErrorKind::Hidden(_, UnhideError::WrongLength { left: 9, .. }) = error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(error.error_code(), ErrorCode::WRONG_LENGTH);
    assert!(error.to_string().contains("check the secret"), "{error}");
}

/// With M clear, an AVP that can't be unhidden is left out.
#[test]
fn what_cannot_be_unhidden_and_is_not_mandatory() {
    let attribute = AttributeType::PHYSICAL_CHANNEL_ID;
    for (octets, error) in [
        (&b""[..], UnhideError::TooShort(0)),
        (b"x", UnhideError::TooShort(1)),
        (b"xyz", UnhideError::NoRandomVector),
    ] {
        let mut avps = required(MessageType::ICRQ);
        if octets.len() < 2 {
            avps.push(avp(AttributeType::RANDOM_VECTOR, VECTOR));
        }
        avps.push(RawAvp { hidden: true, ..avp(attribute, octets) });
        let datagram = message::message(MessageType::ICRQ, &avps);
        let mut scratch = [0; 64];
        let (result, heard) = decode(&datagram, SECRET, &mut scratch, Leniencies::empty());
        assert!(result.is_ok());
        assert_eq!(heard.ignored, [MessageErrorKind::Hidden(attribute, error)]);
    }
}

/// RFC 2661 §4.4: H must be 0 for some attributes. A Random Vector that is hidden can't be used.
#[test]
fn what_must_not_be_hidden() {
    let hidden = |attribute, value: &[u8], out: &mut [u8; 64]| {
        hide(&key(SECRET, VECTOR), attribute, value, b"", out).unwrap()
    };
    let attribute = AttributeType::RECEIVE_WINDOW_SIZE;
    let mut out = [0; 64];
    let len = hidden(attribute, &[0, 5], &mut out);
    let mut avps = required(MessageType::SCCRQ);
    avps.push(avp(AttributeType::RANDOM_VECTOR, VECTOR));
    avps.push(RawAvp { hidden: true, ..avp(attribute, &out[..len]) });
    let datagram = message::message(MessageType::SCCRQ, &avps);
    let mut scratch = [0; 64];
    let (result, heard) = decode(&datagram, SECRET, &mut scratch, Leniencies::all());
    let Message::Sccrq(sccrq) = result.unwrap() else { panic!() };
    assert_eq!(sccrq.receive_window_size, Some(5));
    assert_eq!(heard.lenient, [(Leniencies::WRONG_HIDDEN_BIT, Some(attribute))]);
    let error = decode(&datagram, SECRET, &mut scratch, Leniencies::empty()).0.unwrap_err();
    assert_eq!(error.kind, MessageErrorKind::MustNotBeHidden(attribute));

    let attribute = AttributeType::RANDOM_VECTOR;
    let len = hidden(attribute, b"another", &mut out);
    let avps = [avp(attribute, VECTOR), RawAvp { hidden: true, ..avp(attribute, &out[..len]) }];
    let datagram = message::message(MessageType::HELLO, &avps);
    let error = decode(&datagram, SECRET, &mut scratch, Leniencies::all()).0.unwrap_err();
    assert_eq!(error.kind, MessageErrorKind::MustNotBeHidden(attribute));
}

/// AVPs of a vendor are unhidden before anyone is asked about them.
#[test]
fn hidden_extensions() {
    let mut out = [0; 64];
    let attribute = AttributeType(1);
    let len = hide(&key(SECRET, VECTOR), attribute, b"plain", b"", &mut out).unwrap();
    let extension = RawAvp {
        mandatory: false,
        hidden: true,
        vendor_id: VendorId::CISCO,
        ..avp(attribute, &out[..len])
    };
    let vector = avp(AttributeType::RANDOM_VECTOR, VECTOR);
    let datagram = message::message(MessageType::HELLO, &[vector, extension]);
    let mut scratch = [0; 64];
    let (result, heard) = decode(&datagram, SECRET, &mut scratch, Leniencies::empty());
    assert!(result.is_ok());
    assert_eq!(heard.extensions, [(VendorId::CISCO, attribute, b"plain".to_vec())]);
}

/// Every length of value and padding, and what is one octet too long.
#[test]
fn every_length_is_hidden_and_unhidden() {
    let octets: Vec<u8> = (0..=255).cycle().take(MAX_HIDDEN_LEN + 1).collect();
    let attribute = AttributeType::PROXY_AUTHEN_NAME;
    let key = key(SECRET, VECTOR);
    let (mut out, mut scratch) = ([0; 1024], [0; 1024]);
    for len in 0..=MAX_HIDDEN_LEN {
        let (value, padding) = octets[..MAX_HIDDEN_LEN].split_at(len);
        let padding = &padding[..padding.len().min(20)];
        let hidden_len = hide(&key, attribute, value, padding, &mut out).unwrap();
        assert_eq!(hidden_len, 2 + value.len() + padding.len());
        let unhidden = unhide(&key, attribute, &out[..hidden_len], &mut scratch).unwrap();
        assert_eq!((unhidden.value, unhidden.padding), (value, padding));
    }
    let too_long = hide(&key, attribute, &octets, b"", &mut out);
    assert_eq!(too_long, Err(EncodeError::ValueTooLong(attribute)));
    let no_room = hide(&key, attribute, b"value", b"pad", &mut out[..9]);
    assert!(matches!(no_room, Err(EncodeError::NoRoom { .. })));
}

/// A failed AVP leaves no vector behind, and no part of itself.
#[test]
fn an_avp_that_does_not_fit_leaves_nothing() {
    let hiding =
        Hiding { key: key(SECRET, VECTOR), attributes: AttributeSet::HIDEABLE, padding: b"" };
    let mut out = [0; 56];
    let mut builder = MessageBuilder::new(&mut out, 7, 8).unwrap();
    builder.message_type(MessageType::ICRP).unwrap();
    builder.hide(hiding);
    let session = Avp::AssignedSessionId(9);
    assert!(matches!(
        builder.avp(&Avp::CalledNumber(b"does not fit")),
        Err(EncodeError::NoRoom { .. })
    ));
    assert_eq!(
        builder.avp(&Avp::AssignedSessionId(0)),
        Err(EncodeError::ForbiddenValue(AttributeType::ASSIGNED_SESSION_ID))
    );
    builder.avp(&session).unwrap();
    let len = builder.finish().unwrap();
    assert_eq!(len, 12 + 8 + 22 + 10);
    let mut scratch = [0; 64];
    let (result, _) = decode(&out[..len], SECRET, &mut scratch, Leniencies::empty());
    assert_eq!(result, Ok(Message::Icrp(Icrp { assigned_session_id: 9 })));
}

/// Neither the secret nor what was hidden shows in `Debug`.
#[test]
fn debug_shows_no_secret() {
    let hiding =
        Hiding { key: key(SECRET, VECTOR), attributes: AttributeSet::HIDEABLE, padding: b"" };
    let mut scratch = [0; 64];
    let context = DecodeContext::new().secret(md5(), SECRET, &mut scratch);
    let raw = avp(AttributeType::PROXY_AUTHEN_RESPONSE, b"wonderland");
    let shown = format!("{hiding:?} {context:?} {ICCN:?} {raw:?} {:?}", Avp::decode(&raw));
    for secret in [&b"tsecret"[..], b"wonderland"] {
        assert!(!shown.contains(core::str::from_utf8(secret).unwrap()), "{shown}");
        assert!(!shown.contains(&format!("{secret:?}")), "{shown}");
    }
}
