//! What clients other than those captured are known to send: decoded as they mean it, and anything
//! unusual heard of.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/message.rs"]
mod message;

use l2tp_wire::AttributeType as A;
use l2tp_wire::BearerTypes;
use l2tp_wire::FramingTypes;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::ProtocolVersion;
use l2tp_wire::RawAvp;
use l2tp_wire::StopCcnResult;
use l2tp_wire::VendorId;
use l2tp_wire::message::Sccrq;
use message::Heard;
use message::avp;
use message::decode;
use message::message;
use message::required;
use message::strict;

/// A run of AVPs, each with the M bit of its definition.
fn sccrq(avps: &[(A, &[u8])]) -> Vec<u8> {
    let avps: Vec<_> = avps.iter().map(|(attribute, value)| avp(*attribute, value)).collect();
    message(MessageType::SCCRQ, &avps)
}

#[test]
fn windows() {
    let datagram = sccrq(&[
        (A::PROTOCOL_VERSION, &[1, 0]),
        (A::FRAMING_CAPABILITIES, &[0, 0, 0, 1]),
        (A::BEARER_CAPABILITIES, &[0; 4]),
        (A::FIRMWARE_REVISION, &[0x0a, 0]),
        (A::HOST_NAME, b"NONE"),
        (A::VENDOR_NAME, b"Microsoft"),
        (A::ASSIGNED_TUNNEL_ID, &[0, 8]),
        (A::RECEIVE_WINDOW_SIZE, &[0, 8]),
    ]);
    let expected = Sccrq {
        protocol_version: ProtocolVersion::RFC_2661,
        framing_capabilities: FramingTypes::SYNC,
        bearer_capabilities: Some(BearerTypes::empty()),
        tie_breaker: None,
        firmware_revision: Some(0x0a00),
        host_name: b"NONE",
        vendor_name: Some(b"Microsoft"),
        assigned_tunnel_id: 8,
        receive_window_size: Some(8),
        challenge: None,
    };
    assert_eq!(strict(&datagram), Ok(Message::Sccrq(expected)));
}

/// Windows puts a Correlation ID of its own into the ICRQ, with M clear ([MS-L2TPIE] §2.2.1.1).
#[test]
fn windows_correlation_id() {
    let correlation =
        RawAvp { mandatory: false, vendor_id: VendorId::MICROSOFT, ..avp(A(1), &[0x42; 16]) };
    assert_eq!(correlation.name(), Some("Correlation ID"));
    let mut avps = required(MessageType::ICRQ);
    avps.push(correlation);
    let datagram = message(MessageType::ICRQ, &avps);
    let (result, heard) = decode(&datagram, Leniencies::empty());
    assert!(result.is_ok());
    assert_eq!(heard.extensions, [(VendorId::MICROSOFT, A(1), vec![0x42; 16])]);
}

#[test]
fn macos() {
    let datagram = sccrq(&[
        (A::PROTOCOL_VERSION, &[1, 0]),
        (A::FRAMING_CAPABILITIES, &[0, 0, 0, 3]),
        (A::HOST_NAME, b"mac"),
        (A::ASSIGNED_TUNNEL_ID, &[0, 8]),
        (A::RECEIVE_WINDOW_SIZE, &[0, 4]),
    ]);
    assert!(strict(&datagram).is_ok());
    // Some versions write the Result Code in host order.
    let avps = [avp(A::ASSIGNED_TUNNEL_ID, &[0, 8]), avp(A::RESULT_CODE, &[6, 0])];
    let datagram = message(MessageType::STOP_CCN, &avps);
    let (result, heard) = decode(&datagram, Leniencies::all());
    let Message::StopCcn(stop) = result.unwrap() else { panic!() };
    assert_eq!(stop.result_code.stop_ccn(), StopCcnResult::SHUTTING_DOWN);
    assert_eq!(heard.lenient, [(Leniencies::SWAPPED_RESULT_CODE, Some(A::RESULT_CODE))]);
}

/// Android's mtpd: a window of 1, and a Result Code without an Error Code. It wants the first two
/// octets of our Message Type to be exactly 0x8008.
#[test]
fn android() {
    let datagram = sccrq(&[
        (A::PROTOCOL_VERSION, &[1, 0]),
        (A::HOST_NAME, b"anonymous"),
        (A::FRAMING_CAPABILITIES, &[0, 0, 0, 3]),
        (A::ASSIGNED_TUNNEL_ID, &[0, 8]),
        (A::RECEIVE_WINDOW_SIZE, &[0, 1]),
    ]);
    assert!(strict(&datagram).is_ok());
    assert_eq!(datagram[12..14], [0x80, 0x08]);
    let avps = [avp(A::RESULT_CODE, &[0, 6]), avp(A::ASSIGNED_TUNNEL_ID, &[0, 8])];
    let datagram = message(MessageType::STOP_CCN, &avps);
    let Message::StopCcn(stop) = strict(&datagram).unwrap() else { panic!() };
    assert_eq!(stop.result_code.stop_ccn(), StopCcnResult::SHUTTING_DOWN);
}

/// osvbng puts Call Errors and ACCM, with M set, into its ICCN.
#[test]
fn osvbng() {
    let mut avps = required(MessageType::ICCN);
    avps.extend([avp(A::CALL_ERRORS, &[0; 26]), avp(A::ACCM, &[0; 10])]);
    let datagram = message(MessageType::ICCN, &avps);
    let (result, heard) = decode(&datagram, Leniencies::all());
    assert!(result.is_ok());
    let unlisted = |attribute| (Leniencies::UNLISTED_AVP, Some(attribute));
    assert_eq!(heard.lenient, [unlisted(A::CALL_ERRORS), unlisted(A::ACCM)]);
}

/// prol2tp offers L2TPv3 in the same SCCRQ, with AVPs whose M bit is clear.
#[test]
fn an_offer_of_l2tp_version_3() {
    let mut avps = required(MessageType::SCCRQ);
    for (attribute, value) in [
        (A::ROUTER_ID, &[0; 4][..]),
        (A::ASSIGNED_CONTROL_CONNECTION_ID, &[0x28, 0x46, 0xf1, 0x81]),
        (A::PSEUDOWIRE_CAPABILITIES_LIST, &[0, 7, 0, 5, 0, 4]),
    ] {
        avps.push(RawAvp { mandatory: false, ..avp(attribute, value) });
    }
    let datagram = message(MessageType::SCCRQ, &avps);
    let (result, heard) = decode(&datagram, Leniencies::empty());
    assert!(result.is_ok());
    assert_eq!((heard.ignored.len(), heard.extensions.len()), (3, 3));
    assert_eq!(heard.lenient, Heard::default().lenient);
}
