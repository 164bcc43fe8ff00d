//! Every way down to the first IP header or PPP frame.

use crate::build::ethernet;
use crate::build::ipv4;
use crate::build::ipv6;
use crate::build::ppp;
use crate::build::udp;
use crate::error;
use crate::last;
use crate::protos;
use crate::row;

const LCP: u16 = 0xc021;

fn with(front: &[u8], rest: &[u8]) -> Vec<u8> {
    [front, rest].concat()
}

#[test]
fn every_link_type_leads_to_ip() {
    let v4 = ipv4(17, 0, 0, &udp(5000, 6000, b"hello"));
    let v6 = ipv6(17, &udp(5000, 6000, b"hello"));
    for (ip, ethertype, family, src) in
        [(&v4, 0x0800_u16, 2_u32, "10.0.0.1"), (&v6, 0x86dd, 30, "2001:db8::1")]
    {
        let ethertype_octets = ethertype.to_be_bytes();
        let cooked = with(&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &ethertype_octets);
        let cooked2 = with(&ethertype_octets, &[0; 18]);
        let frames = [
            (1, ethernet(ethertype, ip), vec!["udp"]),
            // What pads a short frame is not the packet's.
            (1, with(&ethernet(ethertype, ip), &[0; 9]), vec!["udp"]),
            (0, with(&family.to_le_bytes(), ip), vec!["udp"]),
            (0, with(&family.to_be_bytes(), ip), vec!["udp"]),
            (108, with(&family.to_be_bytes(), ip), vec!["udp"]),
            (12, ip.clone(), vec!["udp"]),
            (14, ip.clone(), vec!["udp"]),
            (101, ip.clone(), vec!["udp"]),
            (if ethertype == 0x0800 { 228 } else { 229 }, ip.clone(), vec!["udp"]),
            (113, with(&cooked, ip), vec!["udp"]),
            (276, with(&cooked2, ip), vec!["udp"]),
            (50, [&[0x0f, 0][..], &ethertype_octets, ip].concat(), vec!["udp"]),
            (
                1,
                ethernet(0x8100, &with(&[0x20, 100, ethertype_octets[0], ethertype_octets[1]], ip)),
                vec!["vlan", "udp"],
            ),
            (
                1,
                ethernet(0x88a8, &[&[0, 5, 0x81, 0, 0, 6][..], &ethertype_octets, ip].concat()),
                vec!["vlan", "vlan", "udp"],
            ),
        ];
        for (link_type, frame, expected) in frames {
            let row = row(link_type, &frame);
            assert_eq!((protos(&row), error(&row)), (expected, ""), "{link_type} {row}");
            assert_eq!(row["src"], src);
        }
    }
}

#[test]
fn every_link_type_leads_to_ppp() {
    let echo = ppp(LCP, 9, &[1, 2, 3, 4]);
    let mut pppoe = vec![0x11, 0, 0x12, 0x34];
    pppoe.extend((echo.len() as u16 - 2).to_be_bytes());
    pppoe.extend(&echo[2..]);
    let mut other_code = pppoe.clone();
    other_code[1] = 0x09;
    for (link_type, frame, expected) in [
        (9, echo.clone(), vec!["ppp", "lcp"]),
        (9, echo[2..].to_vec(), vec!["ppp", "lcp"]),
        (50, echo.clone(), vec!["ppp", "lcp"]),
        (51, pppoe.clone(), vec!["pppoe", "ppp", "lcp"]),
        (1, ethernet(0x8864, &pppoe), vec!["pppoe", "ppp", "lcp"]),
        (1, ethernet(0x8864, &with(&pppoe, &[0; 20])), vec!["pppoe", "ppp", "lcp"]),
        (
            1,
            ethernet(0x8100, &with(&[0, 9, 0x88, 0x64], &pppoe)),
            vec!["vlan", "pppoe", "ppp", "lcp"],
        ),
        (1, ethernet(0x8863, &other_code), vec!["pppoe"]),
    ] {
        let row = row(link_type, &frame);
        assert_eq!((protos(&row), error(&row)), (expected, ""), "{link_type}");
    }
    let row = row(1, &ethernet(0x8864, &pppoe));
    assert_eq!(row["src"], "02:00:00:00:00:01");
    assert_eq!(row["layers"][0]["session_id"], 0x1234);
}

#[test]
fn what_is_not_ip_is_named() {
    for (ethertype, name) in [(0x0806, "ARP"), (0x88cc, "LLDP"), (0x0100, "802.3 frame")] {
        let row = row(1, &ethernet(ethertype, &[0; 40]));
        assert_eq!((protos(&row), error(&row)), (vec!["ethernet"], ""));
        assert_eq!(last(&row)["name"], name);
    }
    assert_eq!(last(&row(1, &ethernet(0x9999, &[])))["ethertype"], 0x9999);
}

#[test]
fn faults_of_the_link_layer() {
    let mut pppoe = ethernet(0x8864, &[0x11, 0, 0, 1, 0, 9, 0xc0, 0x21]);
    for (link_type, frame, expected) in [
        (147, vec![0; 60], "link type 147"),
        (1, vec![0; 13], "Ethernet header: 2 octets needed, 1 left"),
        (1, ethernet(0x8100, &[0]), "VLAN tag"),
        (1, ethernet(0x0800, &[]), "IPv4 header: 1 octets needed, 0 left"),
        (1, ethernet(0x86dd, &[0x45]), "IPv6 header: version 4"),
        (101, vec![], "IP header: there is none"),
        (101, vec![0x50], "IP header: version 5"),
        (1, pppoe.clone(), "PPPoE payload: 9 octets needed, 2 left"),
        (0, vec![9, 0, 0, 0], "address family 9"),
        (0, vec![2, 0, 0], "loopback header"),
        (113, vec![0; 15], "Linux cooked header"),
        (276, vec![0; 19], "Linux cooked header"),
        (50, vec![0xff, 0x60, 0xc0, 0x21], "control octet is 0x60"),
        (9, vec![0xff, 0x03, 0xc0], "PPP header: 2 octets needed, 1 left"),
    ] {
        let row = row(link_type, &frame);
        assert!(error(&row).contains(expected), "{expected}: {row}");
        assert_eq!(row["frame"], 1);
    }
    pppoe[14] = 0x12;
    assert!(error(&row(1, &pppoe)).contains("version and type are 0x12"));
}
