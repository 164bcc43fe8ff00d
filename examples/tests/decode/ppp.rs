//! What PPP frames say.

use serde_json::Value;
use serde_json::json;

use crate::build::ppp;
use crate::error;
use crate::last;
use crate::protos;
use crate::row;

const PPP: u16 = 9;
const LCP: u16 = 0xc021;
const PAP: u16 = 0xc023;
const CHAP: u16 = 0xc223;
const IPCP: u16 = 0x8021;
const IPV6CP: u16 = 0x8057;
const CCP: u16 = 0x80fd;

fn frame(protocol: u16, code: u8, data: &[u8]) -> Value {
    row(PPP, &ppp(protocol, code, data))
}

/// The options' names and values.
fn options(protocol: u16, data: &[u8]) -> Vec<(String, Value)> {
    let row = frame(protocol, 1, data);
    assert_eq!(error(&row), "");
    let options = last(&row)["options"].as_array().unwrap();
    options.iter().map(|o| (o["name"].as_str().unwrap().to_string(), o["value"].clone())).collect()
}

#[test]
fn options_of_every_protocol() {
    for (protocol, data, name, value) in [
        (LCP, &[1, 4, 5, 0x78][..], "Maximum-Receive-Unit", json!(1400)),
        (LCP, &[2, 6, 0, 0x0a, 0, 0], "Async-Control-Character-Map", json!(0x000a_0000)),
        (LCP, &[3, 4, 0xc0, 0x23], "Authentication-Protocol", json!("PAP")),
        (LCP, &[3, 5, 0xc2, 0x23, 5], "Authentication-Protocol", json!("CHAP-MD5")),
        (LCP, &[3, 5, 0xc2, 0x23, 0x80], "Authentication-Protocol", json!("MS-CHAPv1")),
        (LCP, &[3, 5, 0xc2, 0x23, 0x81], "Authentication-Protocol", json!("MS-CHAPv2")),
        (LCP, &[3, 4, 0xc2, 0x27], "Authentication-Protocol", json!("EAP")),
        (LCP, &[3, 5, 0xc1, 0x23, 1], "Authentication-Protocol", json!("0xc123 01")),
        (LCP, &[5, 6, 1, 2, 3, 4], "Magic-Number", json!(0x0102_0304)),
        (LCP, &[7, 2], "Protocol-Field-Compression", Value::Null),
        (LCP, &[8, 2], "Address-and-Control-Field-Compression", Value::Null),
        (LCP, &[13, 3, 6], "Callback", json!({"operation":6,"message":""})),
        (LCP, &[17, 4, 6, 0x4e], "Multilink-MRRU", json!(1614)),
        (
            LCP,
            &[19, 5, 3, 1, 2],
            "Multilink-Endpoint-Discriminator",
            json!({"class":3,"address":"0102"}),
        ),
        (LCP, &[77, 3, 9], "option 77", json!("09")),
        (IPCP, &[3, 6, 10, 9, 0, 1], "IP-Address", json!("10.9.0.1")),
        (IPCP, &[129, 6, 10, 9, 0, 1], "Primary-DNS", json!("10.9.0.1")),
        (IPCP, &[132, 6, 10, 9, 0, 1], "Secondary-NBNS", json!("10.9.0.1")),
        (
            IPCP,
            &[2, 6, 0, 0x2d, 15, 1],
            "IP-Compression-Protocol",
            json!("VJ compressed TCP/IP 0f01"),
        ),
        (IPV6CP, &[1, 10, 0, 1, 0, 2, 0, 3, 0, 4], "Interface-Identifier", json!("1:2:3:4")),
        (CCP, &[18, 6, 1, 0, 0, 0x40], "MPPC/MPPE", json!(0x0100_0040)),
        (CCP, &[26, 4, 0x78, 0], "Deflate", json!("7800")),
    ] {
        assert_eq!(options(protocol, data), [(String::from(name), value)]);
    }
}

#[test]
fn packets_of_lcp() {
    for (code, data, expected) in [
        (5, &b"bye"[..], json!({"code":"Terminate-Request","message":"bye"})),
        (6, b"", json!({"code":"Terminate-Ack","message":""})),
        (7, &[12, 1, 0, 4], json!({"code":"Code-Reject","rejected_code":12,"data":"0c010004"})),
        (
            8,
            &[0x80, 0xfd, 1, 1],
            json!({"code":"Protocol-Reject","rejected_protocol":0x80fd,
            "data":"0101"}),
        ),
        (9, &[0, 0, 0, 5, 6], json!({"code":"Echo-Request","magic":5,"data":"06"})),
        (11, &[0, 0, 0, 5], json!({"code":"Discard-Request","magic":5})),
        (
            12,
            b"\0\0\0\x05MSRASV5.20",
            json!({"code":"Identification","magic":5,
            "message":"MSRASV5.20"}),
        ),
        (13, &[0, 0, 0, 5, 0, 0, 0, 60], json!({"code":"Time-Remaining","seconds":60})),
    ] {
        let row = frame(LCP, code, data);
        assert_eq!((protos(&row), error(&row)), (vec!["ppp", "lcp"], ""));
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&last(&row)[key], value, "{row}");
        }
        assert_eq!(last(&row)["id"], 1);
    }
}

#[test]
fn authentication() {
    let response = [&[0xaa; 16][..], &[0; 8], &[0xbb; 24], &[0]].concat();
    let of_version_1 = [&[0; 24][..], &[0xbb; 24], &[1]].concat();
    let value = |value: &[u8]| [&[value.len() as u8][..], value, b"alice"].concat();
    for (protocol, code, data, expected) in [
        (
            PAP,
            1,
            b"\x05alice\x0awonderland".to_vec(),
            json!({"code":"Authenticate-Request",
            "peer_id":"alice","password":"wonderland"}),
        ),
        (PAP, 2, b"\x02ok".to_vec(), json!({"code":"Authenticate-Ack","message":"ok"})),
        (PAP, 3, b"".to_vec(), json!({"code":"Authenticate-Nak","message":""})),
        (
            CHAP,
            1,
            value(&[7; 16]),
            json!({"code":"Challenge","name":"alice",
            "value":"07".repeat(16)}),
        ),
        (
            CHAP,
            2,
            value(&[7; 16]),
            json!({"code":"Response","value":"07".repeat(16),
            "nt_response":null}),
        ),
        (
            CHAP,
            2,
            value(&response),
            json!({"code":"Response","name":"alice",
            "peer_challenge":"aa".repeat(16),"nt_response":"bb".repeat(24)}),
        ),
        (CHAP, 2, value(&of_version_1), json!({"nt_response":null})),
        (CHAP, 3, b"S=00 M=hi".to_vec(), json!({"code":"Success","message":"S=00 M=hi"})),
        (
            CHAP,
            4,
            b"E=691 R=1 M=no".to_vec(),
            json!({"code":"Failure","error":691,
            "retry":true,"message":"E=691 R=1 M=no"}),
        ),
        (CHAP, 4, b"no".to_vec(), json!({"code":"Failure","error":null,"message":"no"})),
        (
            0xc227,
            1,
            b"\x01who?".to_vec(),
            json!({"proto":"eap","code":"Request","type":1,
            "data":"who?"}),
        ),
        (0xc227, 3, vec![], json!({"code":"Success","type":null})),
    ] {
        let row = frame(protocol, code, &data);
        assert_eq!(error(&row), "");
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(last(&row).get(key).unwrap_or(&Value::Null), value, "{row}");
        }
    }
}

#[test]
fn what_ppp_carries_that_is_not_decoded_is_named() {
    for (protocol, name) in [(0x00fd, json!("Compressed datagram")), (0x4021, Value::Null)] {
        let row = frame(protocol, 1, &[]);
        assert_eq!((protos(&row), error(&row)), (vec!["ppp"], ""));
        assert_eq!((&last(&row)["name"], &last(&row)["len"]), (&name, &json!(4)));
    }
}

#[test]
fn faults_of_ppp() {
    let raw = |octets: &[u8]| row(PPP, &[&[0xff, 3, 0xc0, 0x21], octets].concat());
    for (row, expected) in [
        (raw(&[1, 1]), "LCP packet: cut short"),
        (raw(&[1, 1, 0, 9]), "LCP packet: the Length field says 9 octets and the frame has 4"),
        (raw(&[1, 1, 0, 3]), "LCP packet: the Length field says 3"),
        (frame(LCP, 1, &[1, 1]), "LCP options: option 1 says it has 1 octets"),
        (frame(LCP, 1, &[1, 4, 5]), "LCP options: option 1 says it has 4 octets and 3 are left"),
        (frame(LCP, 1, &[1, 3, 5]), "LCP option Maximum-Receive-Unit: a value of 1 octets"),
        (frame(LCP, 99, &[]), "LCP packet: there is no code 99"),
        (frame(LCP, 9, &[1]), "LCP Echo-Request: cut short"),
        (frame(IPCP, 9, &[0; 4]), "IPCP packet: there is no code 9"),
        (frame(IPCP, 1, &[3, 4, 0, 0]), "IPCP option IP-Address"),
        (frame(PAP, 1, b"\x05al"), "PAP packet"),
        (frame(PAP, 9, b""), "PAP packet: code 9"),
        (frame(CHAP, 1, b"\x10al"), "CHAP packet"),
        (frame(0xc227, 9, b""), "EAP packet: there is no code 9"),
        (frame(0xc020, 1, b""), "0xc020 can't be a protocol"),
        (frame(0x0021, 0x45, &[0; 9]), "IPv4 header: 4 octets needed, 1 left"),
        (frame(0x0021, 0x60, &[0; 40]), "IPv4 header: version 6"),
        (frame(0x0057, 0x45, &[0; 40]), "IPv6 header: version 4"),
    ] {
        assert!(error(&row).contains(expected), "{expected}: {row}");
    }
    // An option that can be told from its neighbours does not hide them.
    let row = frame(LCP, 1, &[1, 3, 5, 7, 2]);
    assert_eq!(last(&row)["options"].as_array().unwrap().len(), 2);
}
