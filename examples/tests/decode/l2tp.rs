//! L2TP messages and their AVPs, good and bad.

use serde_json::Value;
use serde_json::json;

use crate::build::avp;
use crate::build::avp_u16;
use crate::build::control;
use crate::build::control_message;
use crate::build::ipv4;
use crate::build::pcap;
use crate::build::ppp;
use crate::build::udp;
use crate::error;
use crate::last;
use crate::protos;
use crate::row;
use crate::rows;

const RAW_IP: u16 = 101;
const HELLO: u16 = 6;

#[test]
fn an_initiator_is_known_by_its_port_when_the_responder_moves() {
    let to = |src: u16, dst: u16, payload: &[u8]| ipv4(17, 0, 0, &udp(src, dst, payload));
    let from = |src: u16, dst: u16, payload: &[u8]| {
        let mut packet = to(src, dst, payload);
        packet[12..20].rotate_left(4);
        packet
    };
    let sccrq = control_message(&avp_u16(0, 1));
    let sccrp = control_message(&avp_u16(0, 2));
    let data = [&[0, 2, 0, 7, 0, 8][..], &ppp(0xc021, 9, &[0; 4])].concat();
    let rows = rows(&pcap(
        u32::from(RAW_IP),
        &[
            &to(40000, 3333, &sccrp), // not known yet
            &to(40000, 1701, &sccrq),
            &from(3333, 40000, &sccrp),
            &to(40000, 3333, &data),
            &from(53, 40000, b"\x12\x34 is no L2TP"),
            &to(3333, 40000, &sccrp), // another host's port
        ],
    ));
    let found: Vec<_> = rows.iter().map(protos).collect();
    assert_eq!(
        found,
        [
            vec!["udp"],
            vec!["udp", "l2tp"],
            vec!["udp", "l2tp"],
            vec!["udp", "l2tp", "ppp", "lcp"],
            vec!["udp"],
            vec!["udp"],
        ]
    );
    assert!(rows.iter().all(|row| row["error"].is_null()));
}

#[test]
fn data_messages_in_every_form() {
    let lcp = ppp(0xc021, 9, &[0; 4]);
    // Length, sequence, offset, priority: 16 combinations.
    for bits in 0..16_u16 {
        let has = |bit: u16| bits >> bit & 1 != 0;
        let flags = [(0, 0x4000), (1, 0x0800), (2, 0x0200), (3, 0x0100)];
        let flags =
            flags.into_iter().filter(|(bit, _)| has(*bit)).map(|(_, flag)| flag).sum::<u16>();
        let mut message = (flags | 2).to_be_bytes().to_vec();
        let len = 6 + 2 * bits.count_ones() as usize + 2 * usize::from(has(1))
            - 2 * usize::from(has(3))
            + 3 * usize::from(has(2))
            + lcp.len();
        if has(0) {
            message.extend((len as u16).to_be_bytes());
        }
        message.extend([0, 7, 0, 8]);
        if has(1) {
            message.extend([0, 5, 0, 6]);
        }
        if has(2) {
            message.extend([0, 3, 9, 9, 9]);
        }
        message.extend(&lcp);
        let row = row(RAW_IP, &ipv4(17, 0, 0, &udp(1701, 1701, &message)));
        assert_eq!(
            (protos(&row), error(&row)),
            (vec!["udp", "l2tp", "ppp", "lcp"], ""),
            "{bits:#x}"
        );
        let l2tp = &row["layers"][1];
        assert_eq!((&l2tp["tunnel_id"], &l2tp["session_id"]), (&json!(7), &json!(8)));
        assert_eq!(l2tp["ns"], if has(1) { json!(5) } else { Value::Null });
        assert_eq!(l2tp["offset"], if has(2) { json!(3) } else { Value::Null });
        assert_eq!(l2tp["priority"], json!(has(3)));
    }
}

/// The L2TP layer of a control message with a Message Type in front of `avps`.
fn l2tp(message: u16, avps: &[u8]) -> Value {
    row(RAW_IP, &control(&[&avp_u16(0, message)[..], avps].concat()))
}

#[test]
fn values_of_avps() {
    const STOP_CCN: u16 = 4;
    const CDN: u16 = 14;
    let lcp_options = [1, 4, 5, 0x78, 3, 5, 0xc2, 0x23, 0x81];
    for (message, avp, name, value) in [
        (STOP_CCN, avp_u16(1, 6), "Result Code", json!({"result":6,"error":0,"message":""})),
        (
            CDN,
            avp(0x8000, 0, 1, b"\x00\x02\x00\x06oh no"),
            "Result Code",
            json!({"result":2,"error":6,"message":"oh no"}),
        ),
        (1, avp_u16(2, 0x0100), "Protocol Version", json!("1.0")),
        (1, avp(0x8000, 0, 3, &[0, 0, 0, 3]), "Framing Capabilities", json!(3)),
        (1, avp(0, 0, 5, &[0, 0, 0, 0, 0, 0, 1, 2]), "Tie Breaker", json!("0x102")),
        (1, avp(0x8000, 0, 7, b"lac"), "Host Name", json!("lac")),
        (1, avp(0x8000, 0, 7, b""), "Host Name", json!("")),
        (1, avp_u16(9, 777), "Assigned Tunnel ID", json!(777)),
        (1, avp(0x8000, 0, 11, &[0xab; 16]), "Challenge", json!("ab".repeat(16))),
        (
            CDN,
            avp(0x8000, 0, 12, &[0, 16, 9]),
            "Q.931 Cause Code",
            json!({"code":16,"message":9,"advisory":""}),
        ),
        (12, avp(0x8000, 0, 24, &[0, 1, 0, 0]), "(Tx) Connect Speed", json!(65536)),
        (12, avp(0, 0, 29, &[0, 2]), "Proxy Authen Type", json!(2)),
        (12, avp(0, 0, 33, b"pw"), "Proxy Authen Response", json!("pw")),
        (12, avp(0, 0, 33, &[1, 2]), "Proxy Authen Response", json!("0102")),
        (12, avp(0, 0, 27, &[1]), "Last Sent LCP CONFREQ", json!("01")),
        (
            12,
            avp(0, 0, 28, &lcp_options),
            "Last Received LCP CONFREQ",
            json!([
                {"type":1,"name":"Maximum-Receive-Unit","value":1400},
                {"type":3,"name":"Authentication-Protocol","value":"MS-CHAPv2"},
            ]),
        ),
        (12, avp(0x8000, 0, 39, &[]), "Sequencing Required", Value::Null),
        (
            16,
            avp(0x8000, 0, 35, &[0, 0, 0, 0, 0, 1, 0, 0, 0, 2]),
            "ACCM",
            json!({"send":1,"receive":2}),
        ),
        (
            15,
            avp(0x8000, 0, 34, &[0; 26]),
            "Call Errors",
            json!({"crc_errors":0,
            "framing_errors":0,"hardware_overruns":0,"buffer_overruns":0,"timeout_errors":0,
            "alignment_errors":0}),
        ),
        (
            CDN,
            avp(0, 0, 46, &[0, 3, 0xc0, 0x21, 1, b'x']),
            "PPP Disconnect Cause Code",
            json!({"code":3,"protocol":0xc021,"direction":1,"message":"x"}),
        ),
        (1, avp(0, 0, 102, &[1, 2, 3]), "S-BFD Target Discriminator ID", json!("010203")),
        (1, avp(0, 0, 200, &[1]), "attribute 200", json!("01")),
        (10, avp(0, 311, 1, &[9; 16]), "Correlation ID", json!("09".repeat(16))),
        (10, avp(0, 4660, 5, &[9]), "vendor 4660 5", json!("09")),
    ] {
        let row = l2tp(message, &avp);
        assert_eq!(error(&row), "", "{name}");
        let shown = &last(&row)["avps"][1];
        assert_eq!((&shown["name"], &shown["value"]), (&json!(name), &value));
        assert_eq!(shown["hidden"], false);
        assert_eq!(shown["mandatory"], avp[0] & 0x80 != 0);
    }
}

#[test]
fn messages_and_their_numbers() {
    for (number, name) in [(1, "SCCRQ"), (4, "StopCCN"), (6, "HELLO"), (14, "CDN"), (28, "CSUN")] {
        assert_eq!(last(&l2tp(number, &[]))["message"], name);
    }
    let unknown = l2tp(99, &[]);
    assert_eq!((&last(&unknown)["message"], error(&unknown)), (&json!("message type 99"), ""));
    let zlb = row(RAW_IP, &control(&[]));
    let expected = json!({"proto":"l2tp","message":"ZLB","tunnel_id":7,"session_id":8,"ns":1,
                          "nr":2,"avps":[]});
    assert_eq!((last(&zlb), error(&zlb)), (&expected, ""));
}

#[test]
fn faults_of_l2tp() {
    let hello = avp_u16(0, HELLO);
    let on_1701 = |payload: &[u8]| row(RAW_IP, &ipv4(17, 0, 0, &udp(1701, 5, payload)));
    for (row, expected) in [
        (on_1701(&[]), "L2TP header: the message is cut short"),
        (on_1701(&[0xc8, 3, 0, 12]), "version 3 is L2TPv3"),
        (on_1701(&[0x00, 1, 0, 0]), "version 1 is L2F"),
        (on_1701(&[0x00, 9, 0, 0]), "version 9"),
        (on_1701(&[0x88, 2, 0, 7, 0, 8, 0, 0, 0, 0]), "must have the L and S bits"),
        (on_1701(&[0x42, 2, 0, 12, 0, 7, 0, 8, 0, 9, 0, 0]), "Offset Size 9"),
        (on_1701(&control_message(&[])[..11]), "cut short"),
        (on_1701(&[0, 2, 0, 7, 0, 8]), "PPP header: 2 octets needed, 0 left"),
        (l2tp(1, &[0x80, 3, 0, 0, 0, 9]), "L2TP AVPs, octet 20: an AVP has Length 3"),
        (l2tp(1, &[0x80, 40, 0, 0, 0, 9, 1]), "octet 20: an AVP has Length 40, and 7 octets"),
        (l2tp(1, &[0x80, 8]), "octet 20: 2 octets are left"),
        (
            l2tp(1, &avp(0x8000, 0, 9, &[1])),
            "L2TP Assigned Tunnel ID AVP, octet 20: the value has 1",
        ),
        (row(RAW_IP, &control(&avp_u16(9, 5))), "its first AVP is not a Message Type"),
        (row(RAW_IP, &control(&[avp_u16(9, 5), hello].concat())), "not a Message Type"),
    ] {
        assert!(error(&row).contains(expected), "{expected}: {row}");
    }
    // What could be read is shown.
    let row = l2tp(1, &[&avp_u16(9, 5)[..], &[0x80, 3, 0, 0, 0, 9]].concat());
    assert_eq!(last(&row)["avps"].as_array().unwrap().len(), 2);
}

#[test]
fn hidden_avps_are_opened_or_say_why_not() {
    let vector = avp(0x8000, 0, 36, b"0123456789abcdef");
    let hide = |secret: &[u8], attribute: u16, value: &[u8]| {
        let key = l2tp_wire::hidden::HidingKey {
            md5: vpn_crypto::provider().legacy.md5,
            secret,
            random_vector: b"0123456789abcdef",
        };
        let mut out = [0; 64];
        let attribute_type = l2tp_wire::AttributeType(attribute);
        let len = l2tp_wire::hidden::hide(&key, attribute_type, value, &[0; 9], &mut out).unwrap();
        avp(0xc000, 0, attribute, &out[..len])
    };
    let opened = |avps: &[u8]| {
        let row = l2tp(10, avps);
        (last(&row)["avps"].as_array().unwrap().last().unwrap().clone(), error(&row).to_string())
    };
    let (good, fault) = opened(&[&vector[..], &hide(b"tsecret", 14, &[0x12, 0x34])].concat());
    assert_eq!(
        (&good["value"], &good["hidden"], fault.as_str()),
        (&json!(0x1234), &json!(true), "")
    );
    assert_eq!(good.get("note"), None);
    let (number, _) = opened(&[&vector[..], &hide(b"tsecret", 22, b"555-1234")].concat());
    assert_eq!(number["value"], "555-1234");
    // The original value is itself malformed.
    let (_, fault) = opened(&[&vector[..], &hide(b"tsecret", 14, &[1])].concat());
    assert!(fault.contains("Assigned Session ID AVP"), "{fault}");
    // None of these makes the packet a malformed one: the reader lacks something.
    for (avps, expected) in [
        ([&vector[..], &hide(b"other", 14, &[1, 2])].concat(), "check the secret"),
        (hide(b"tsecret", 14, &[1, 2]), "no Random Vector"),
        ([&vector[..], &avp(0xc000, 0, 14, &[1])].concat(), "at least 2 octets"),
    ] {
        let (shown, fault) = opened(&avps);
        assert!(shown["note"].as_str().unwrap().contains(expected), "{shown}");
        assert_eq!((&shown["hidden"], fault.as_str()), (&json!(true), ""));
    }
}
