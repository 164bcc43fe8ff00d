//! IP, UDP, GRE, ESP and IKE packets, good and bad.

use serde_json::Value;
use serde_json::json;

use crate::build::avp;
use crate::build::avp_u16;
use crate::build::control_message;
use crate::build::ipv4;
use crate::build::ipv6;
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
fn ip_headers_with_options_and_extensions() {
    let inner = udp(5000, 6000, b"hello");
    let mut options = ipv4(17, 0, 0, &[&[1; 8][..], &inner].concat());
    options[0] = 0x47;
    // Hop-by-hop, destination options, routing, AH with 12 octets of ICV, an atomic fragment.
    let mut extensions = vec![60, 0, 0, 0, 0, 0, 0, 0];
    extensions.extend([43, 1]);
    extensions.extend([0; 14]);
    extensions.extend([51, 0, 0, 0, 0, 0, 0, 0]);
    extensions.extend([44, 4]);
    extensions.extend([0; 22]);
    extensions.extend([17, 0, 0, 0, 0, 0, 0, 9]);
    extensions.extend(&inner);
    let mut segmented = ipv4(17, 0, 0, &inner);
    segmented[2..4].fill(0);
    for packet in [options, ipv6(0, &extensions), segmented] {
        let row = row(RAW_IP, &packet);
        assert_eq!((protos(&row), error(&row)), (vec!["udp"], ""));
        assert_eq!(
            row["layers"][0],
            json!({"proto":"udp","src_port":5000,"dst_port":6000,"len":5})
        );
    }
}

#[test]
fn ip_inside_ip_ends() {
    let mut packet = ipv4(17, 0, 0, &udp(1, 2, &[]));
    for depth in 1..10 {
        let row = row(RAW_IP, &packet);
        if depth <= 6 {
            let mut expected = vec!["ip"; depth - 1];
            expected.push("udp");
            assert_eq!((protos(&row), error(&row)), (expected, ""));
        } else {
            assert!(error(&row).contains("nested deeper"), "{row}");
        }
        packet = ipv4(4, 0, 0, &packet);
    }
}

#[test]
fn other_payloads_of_ip_are_named() {
    let echo = |kind| [kind, 0, 0, 0, 0, 7, 0, 9];
    let mut tcp = [0; 20];
    tcp[..4].copy_from_slice(&[0, 80, 0x1f, 0x90]);
    tcp[12..14].copy_from_slice(&[0x50, 0x12]);
    for (packet, expected) in [
        (ipv4(1, 0, 0, &echo(8)), json!({"message":"echo request","id":7,"seq":9,"version":4})),
        (ipv6(58, &echo(129)), json!({"message":"echo reply","id":7,"seq":9,"version":6})),
        (ipv4(1, 0, 0, &echo(99)), json!({"message":null,"type":99})),
        (ipv4(6, 0, 0, &tcp), json!({"src_port":80,"dst_port":8080,"flags":"SYN+ACK","len":0})),
        (ipv4(89, 0, 0, &[0; 4]), json!({"proto":"payload","name":"OSPF","len":4})),
        (ipv4(200, 0, 0, &[]), json!({"proto":"payload","protocol":200,"name":null})),
        (ipv6(59, &[]), json!({"name":"no next header"})),
    ] {
        let row = row(RAW_IP, &packet);
        assert_eq!(error(&row), "");
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&last(&row)[key], value, "{row}");
        }
    }
}

#[test]
fn gre_brings_ppp_and_ip() {
    let lcp = ppp(0xc021, 9, &[0; 4]);
    let mut pptp = vec![0x30, 0x81, 0x88, 0x0b, 0, lcp.len() as u8, 0x12, 0x34];
    pptp.extend([0, 0, 0, 5, 0, 0, 0, 4]);
    pptp.extend(&lcp);
    let row_of_pptp = row(RAW_IP, &ipv4(47, 0, 0, &pptp));
    assert_eq!((protos(&row_of_pptp), error(&row_of_pptp)), (vec!["gre", "ppp", "lcp"], ""));
    let gre = &row_of_pptp["layers"][0];
    assert_eq!((&gre["call_id"], &gre["seq"], &gre["ack"]), (&json!(0x1234), &json!(5), &json!(4)));
    // An acknowledgement has no payload.
    let ack = [0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 4];
    assert_eq!(protos(&row(RAW_IP, &ipv4(47, 0, 0, &ack))), ["gre"]);
    let mut plain = vec![0xb0, 0, 0x08, 0];
    plain.extend([0; 12]);
    plain.extend(ipv4(17, 0, 0, &udp(1, 2, &[])));
    assert_eq!(protos(&row(RAW_IP, &ipv4(47, 0, 0, &plain))), ["gre", "ip", "udp"]);
}

#[test]
fn fragments_come_together_in_any_order() {
    let message = control_message(&[avp_u16(0, HELLO), avp(0, 0, 8, &[b'x'; 40])].concat());
    let datagram = udp(1701, 1701, &message);
    let cuts = [(0_usize, 24_usize), (24, 48), (48, datagram.len())];
    let v4 = cuts.map(|(start, end)| {
        let more = if end < datagram.len() { 0x2000 } else { 0 };
        ipv4(17, 77, more | (start / 8) as u16, &datagram[start..end])
    });
    let v6 = cuts.map(|(start, end)| {
        let field = start as u16 | u16::from(end < datagram.len());
        let mut header = vec![17, 0];
        header.extend(field.to_be_bytes());
        header.extend([0, 0, 0, 77]);
        ipv6(44, &[&header[..], &datagram[start..end]].concat())
    });
    for parts in [v4, v6] {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let frames = order.map(|n: usize| parts[n].as_slice());
            let rows = rows(&pcap(u32::from(RAW_IP), &frames));
            assert_eq!((protos(&rows[0]), protos(&rows[1])), (vec!["fragment"], vec!["fragment"]));
            assert_eq!(protos(&rows[2]), ["fragment", "udp", "l2tp"]);
            assert_eq!(rows[2]["layers"][0]["completes"], json!([1, 2, 3]));
            assert_eq!(last(&rows[2])["message"], "HELLO");
            assert!(rows.iter().all(|row| row["error"].is_null()));
        }
    }
    // Fragments that can't be: no octets, 7 octets and more to come, an end beyond 65,535.
    for (field, payload) in [(0x2001, 0), (0x2000, 7), (0x1fff, 16)] {
        let row = row(RAW_IP, &ipv4(17, 77, field, &vec![0; payload]));
        assert!(error(&row).starts_with("IP fragment"), "{row}");
    }
}

#[test]
fn faults_of_ip_and_udp() {
    let good = ipv4(17, 0, 0, &udp(1, 2, b"hello"));
    let with = |at: usize, octet: u8| {
        let mut packet = good.clone();
        packet[at] = octet;
        packet
    };
    for (packet, expected) in [
        (with(0, 0x44), "header length 16"),
        (with(3, 19), "total length 19"),
        (with(3, 200), "IP payload: 180 octets needed, 13 left"),
        (with(0, 0x4f), "IPv4 header: header length 60, total length 33"),
        (with(25, 7), "UDP header: length 7 is less than its own 8"),
        (with(25, 99), "UDP payload: 91 octets needed, 5 left"),
        (good[..19].to_vec(), "IPv4 header: 4 octets needed, 3 left"),
        (ipv6(60, &[17, 3]), "IPv6 extension header: 30 octets needed, 0 left"),
        (ipv6(44, &[17, 0, 0]), "IPv6 fragment header"),
        (ipv4(17, 0, 0, &[0; 7]), "UDP header"),
        (ipv4(6, 0, 0, &[0; 20]), "TCP header: its length is 0 in 20 octets"),
        (ipv4(1, 0, 0, &[8, 0, 0]), "ICMP header"),
        (ipv4(47, 0, 0, &[0x20, 1]), "GRE header"),
        (ipv4(50, 0, 0, &[1; 7]), "ESP packet: it can't have 7 octets"),
    ] {
        let row = row(RAW_IP, &packet);
        assert!(error(&row).contains(expected), "{expected}: {row}");
    }
    // The addresses and what could be read are there all the same.
    let row = row(RAW_IP, &with(25, 99));
    assert_eq!((&row["src"], protos(&row)), (&json!("10.0.0.1"), vec!["udp"]));
}

#[test]
fn port_4500_carries_three_things() {
    let on_4500 = |payload: &[u8]| row(RAW_IP, &ipv4(17, 0, 0, &udp(4500, 61000, payload)));
    assert_eq!(protos(&on_4500(&[0xff])), ["udp", "nat-keepalive"]);
    let esp = on_4500(&[0xc0, 1, 2, 3, 0, 0, 0, 9, 1, 2, 3]);
    assert_eq!(
        last(&esp),
        &json!({"proto":"esp","spi":0xc001_0203_u32,"seq":9,"suite":null,"status":"unknown_spi"})
    );
    let esp = on_4500(&[0xc0, 1, 2, 3, 0, 0, 0]);
    assert_eq!(
        last(&esp),
        &json!({"proto":"esp","spi":null,"seq":null,"suite":null,"status":"malformed"})
    );
    assert_eq!(error(&esp), "ESP packet: it can't have 7 octets");
    let mut ike = vec![0, 0, 0, 0];
    ike.extend([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]);
    ike.extend([8, 0x10, 32, 1, 0, 0, 0, 5, 0, 0, 0, 32, 9, 9, 9, 9]);
    let row = on_4500(&ike);
    assert_eq!((protos(&row), error(&row)), (vec!["udp", "ike"], ""));
    let expected = json!({"version":"1.0","exchange":"quick mode","message_id":5,"encrypted":true,
                          "initiator_cookie":"0101010101010101","payloads":[]});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&last(&row)[key], value);
    }
}

#[test]
fn ike_payloads_in_clear_are_named_and_checked() {
    let on_500 = |first: u8, version: u8, body: &[u8]| {
        let mut ike = vec![1; 16];
        ike.extend([first, version, if version == 0x10 { 2 } else { 34 }, 0, 0, 0, 0, 0]);
        ike.extend((28 + body.len() as u32).to_be_bytes());
        ike.extend(body);
        row(RAW_IP, &ipv4(17, 0, 0, &udp(500, 500, &ike)))
    };
    let row = on_500(1, 0x10, &[13, 0, 0, 6, 1, 2, 99, 0, 0, 4, 0, 0, 0, 4]);
    assert_eq!(last(&row)["payloads"], json!(["SA", "VID", "type 99"]));
    assert_eq!(error(&row), "");
    let row = on_500(41, 0x20, &[46, 0, 0, 4, 9, 9, 9, 9]);
    assert_eq!((&last(&row)["payloads"], &last(&row)["encrypted"]), (&json!(["N"]), &json!(true)));
    for (body, expected) in [
        (&[][..], "IKE message: the message is cut short"),
        (&[1, 0, 0, 0], "IKE message: a payload of type SA has length 0, which is impossible"),
        (&[0, 0, 0, 9, 1], "a payload of type SA has length 9, which is impossible"),
        (&[1, 0, 0, 4], "IKE message: the message is cut short"),
    ] {
        let row = on_500(1, 0x10, body);
        assert!(error(&row).contains(expected), "{row}");
    }
    assert!(error(&on_500(1, 0x30, &[0, 0, 0, 4])).contains("version 3.0"));
    let short = row_of_ike(&[7; 27]);
    assert!(error(&short).starts_with("IKE header"), "{short}");
    assert!(error(&row_of_ike(&[7; 40])).contains("in a datagram of 40 octets"));
}

fn row_of_ike(octets: &[u8]) -> Value {
    row(RAW_IP, &ipv4(17, 0, 0, &udp(500, 500, octets)))
}
