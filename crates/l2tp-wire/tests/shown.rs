//! What is shown to people: values, registry names, errors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/message.rs"]
mod message;

use l2tp_wire::AttributeType as A;
use l2tp_wire::Avp;
use l2tp_wire::ErrorCode;
use l2tp_wire::RawAvp;
use l2tp_wire::VendorId;
use message::avp;

#[test]
fn values() {
    for (attribute, value, shown) in [
        (A::MESSAGE_TYPE, &[0, 10][..], "ICRQ"),
        (A::MESSAGE_TYPE, &[0, 99], "message type 99"),
        (A::RESULT_CODE, &[0, 1], "result 1, error 0 (no general error)"),
        (A::RESULT_CODE, b"\0\x02\0\x02bye", "result 2, error 2 (length is wrong), \"bye\""),
        (A::PROTOCOL_VERSION, &[1, 0], "1.0"),
        (A::FRAMING_CAPABILITIES, &[0, 0, 0, 3], "SYNC | ASYNC"),
        (A::BEARER_CAPABILITIES, &[0; 4], "none"),
        (A::BEARER_TYPE, &[0, 0, 0, 5], "DIGITAL | 0x4"),
        (A::TIE_BREAKER, &[0, 0, 0, 0, 0, 0, 1, 2], "0x102"),
        (A::HOST_NAME, "h\u{f6}st\n".as_bytes(), "h\u{f6}st\\n"),
        (A::HOST_NAME, b"a\xff\0", "a\\xff\\x00"),
        (A::ASSIGNED_TUNNEL_ID, &[1, 0], "256"),
        (A::CHALLENGE, &[0xab, 0x01], "ab01"),
        (A::Q931_CAUSE_CODE, b"\0\x10\x45", "cause 16, message 0x45"),
        (A::PROXY_AUTHEN_TYPE, &[0, 2], "CHAP"),
        (A::PROXY_AUTHEN_ID, &[0, 7], "7"),
        (A::PROXY_AUTHEN_RESPONSE, b"pw", "7077"),
        (
            A::CALL_ERRORS,
            b"\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05\0\0\0\x06",
            "CRC 1, framing 2, hardware overruns 3, buffer overruns 4, time-outs 5, alignment 6",
        ),
        (A::ACCM, b"\0\0\xff\xff\xff\xff\0\x0a\0\0", "send 0xffffffff, receive 0x000a0000"),
        (A::SEQUENCING_REQUIRED, &[], ""),
        (
            A::PPP_DISCONNECT_CAUSE_CODE,
            b"\0\x10\xc0\x23\x01bad",
            "authentication failed, protocol 0xc023, at peer, \"bad\"",
        ),
        (A::PPPOE_RELAY, &[1, 2], "0102"),
    ] {
        assert_eq!(Avp::decode(&avp(attribute, value)).unwrap().to_string(), shown);
    }
}

#[test]
fn names() {
    assert_eq!(A(24).to_string(), "(Tx) Connect Speed");
    assert_eq!(A(200).to_string(), "attribute 200");
    assert_eq!(ErrorCode(8).to_string(), "unknown AVP with the M bit set");
    assert_eq!(VendorId(311).to_string(), "Microsoft");
    let of_vendor = |vendor_id, attribute| RawAvp { vendor_id, ..avp(A(attribute), b"") };
    assert_eq!(of_vendor(VendorId::BROADBAND_FORUM, 1).name(), Some("Agent Circuit ID"));
    assert_eq!(of_vendor(VendorId::CISCO, 7).name(), None);
    assert_eq!(of_vendor(VendorId::IETF, 7).name(), Some("Host Name"));
}
