//! IPCP and IPv6CP against a peer that is written by hand, in both roles (RFC 1332, 1877, 5072).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use core::net::Ipv4Addr;
use core::time::Duration;

use harness::assign;
use harness::client;
use harness::peer::*;
use harness::server;
use ppp_core::AddressAnswer;
use ppp_core::AddressRequest;
use ppp_core::CloseReason;
use ppp_core::Event;
use ppp_core::InterfaceId;
use ppp_core::Ipv4Mode;
use ppp_core::Ipv6Mode;
use ppp_core::LinkConfig;
use ppp_core::NetworkFailure;
use ppp_core::Phase;
use ppp_core::Protocol;
use vpn_core::DropReason;

const IPCP: Protocol = Protocol::IPCP;
const IPV6CP: Protocol = Protocol::IPV6CP;

fn v4_only(config: LinkConfig) -> LinkConfig {
    config.ipv6(Ipv6Mode::Off)
}

fn v6_only(id: u64) -> LinkConfig {
    let on = Ipv6Mode::On { interface_id: Some(InterfaceId(id)) };
    client().ipv4(Ipv4Mode::Off).ipv6(on)
}

/// A client in the network phase, with the Configure-Request of its only protocol.
fn asking(config: LinkConfig) -> (Peer, Sent) {
    let (mut peer, request) = Peer::opened(config);
    peer.acknowledge(&request);
    peer.send(Protocol::LCP, REQUEST, &[]);
    let request = peer.sent().pop().unwrap();
    assert_eq!((peer.link.phase(), request.code), (Phase::Network, REQUEST));
    (peer, request)
}

fn address_requests(peer: &Peer) -> Vec<AddressRequest> {
    let requests = peer.events.iter().filter_map(|event| match event {
        Event::AddressRequest(request) => Some(request.clone()),
        _ => None,
    });
    requests.collect()
}

/// A server that has been told which addresses to give, and what it sent then.
fn giving(answer: AddressAnswer, options: &[u8]) -> (Peer, Vec<Sent>) {
    let mut peer = Peer::networked(v4_only(server()));
    peer.send(IPCP, REQUEST, options);
    let (now, requests) = (peer.now, address_requests(&peer));
    assert_eq!(requests.len(), 1);
    assert_eq!(&*requests[0].user, b"alice");
    peer.link.answer_address(now, requests[0].ticket, answer).unwrap();
    let sent = peer.sent();
    (peer, sent)
}

fn events(peer: &mut Peer) -> Vec<Event> {
    let _ = peer.frame(&[]);
    core::mem::take(&mut peer.events)
}

const ALL_ZERO: [u8; 30] = [
    3, 6, 0, 0, 0, 0, 129, 6, 0, 0, 0, 0, 130, 6, 0, 0, 0, 0, 131, 6, 0, 0, 0, 0, 132, 6, 0, 0, 0,
    0,
];

#[test]
fn a_windows_client_gets_address_and_name_servers() {
    // Address, DNS, NBNS, DNS, NBNS, all zero. There is no NBNS here: Reject first.
    let (mut peer, sent) = giving(assign(), &ALL_ZERO);
    assert_eq!(sent.iter().map(|s| s.code).collect::<Vec<_>>(), [REQUEST, REJECT]);
    assert_eq!(sent[0].data, [3, 6, 10, 99, 0, 1]);
    assert_eq!(sent[1].data, [&ALL_ZERO[12..18], &ALL_ZERO[24..]].concat());
    peer.send(IPCP, REQUEST, &[&ALL_ZERO[..12], &ALL_ZERO[18..24]].concat());
    let nak = peer.only();
    let right = [3, 6, 10, 99, 0, 10, 129, 6, 10, 99, 0, 1, 131, 6, 10, 99, 0, 2];
    assert_eq!((nak.code, &nak.data[..]), (NAK, &right[..]));
    peer.send(IPCP, REQUEST, &right);
    assert_eq!(peer.only().code, ACK);
    peer.acknowledge(&sent[0]);
    let form = peer.link.form().ipv4.unwrap();
    assert_eq!((form.local.octets(), form.peer.octets()), ([10, 99, 0, 1], [10, 99, 0, 10]));
    assert!(matches!(peer.events[..], [.., Event::Ipv4Up(_), Event::FormChanged]));
}

#[test]
fn no_zero_is_ever_suggested() {
    let zero = Some(Ipv4Addr::UNSPECIFIED);
    let answer = AddressAnswer::Assign {
        local: Ipv4Addr::UNSPECIFIED,
        peer: [10, 0, 0, 2].into(),
        dns: [zero, None],
        nbns: [None, zero],
    };
    let (mut peer, sent) = giving(answer, &ALL_ZERO);
    // We do not say who we are, and name no server.
    assert!(sent[0].data.is_empty());
    assert_eq!((sent[1].code, &sent[1].data[..]), (REJECT, &ALL_ZERO[6..]));
    peer.send(IPCP, REQUEST, &ALL_ZERO[..6]);
    assert_eq!(peer.only().data, [3, 6, 10, 0, 0, 2]);
}

#[test]
fn a_wrong_address_is_nakked_and_a_stubborn_peer_gets_none() {
    let wrong = [3, 6, 192, 168, 0, 1];
    let (mut peer, sent) = giving(assign(), &wrong);
    peer.acknowledge(&sent[0]);
    assert_eq!((sent[1].code, &sent[1].data[..]), (NAK, &[3, 6, 10, 99, 0, 10][..]));
    for _ in 0..4 {
        peer.send(IPCP, REQUEST, &wrong);
        assert_eq!(peer.only().code, NAK);
    }
    peer.send(IPCP, REQUEST, &wrong);
    let reject = peer.only();
    assert_eq!((reject.code, &reject.data[..]), (REJECT, &wrong[..]));
    // It goes on without an address: then without IPv4.
    peer.send(IPCP, REQUEST, &[]);
    let sent = peer.sent();
    assert_eq!(sent.iter().map(|s| s.code).collect::<Vec<_>>(), [ACK, TERMINATE, TERMINATE]);
    assert!(!peer.events.iter().any(|event| matches!(event, Event::Ipv4Up(_))));
    assert_eq!(peer.link.form().ipv4, None);
}

#[test]
fn a_peer_that_does_not_ask_for_an_address_is_told_to() {
    let (mut peer, sent) = giving(assign(), &[]);
    assert_eq!((sent[1].code, &sent[1].data[..]), (NAK, &[3, 6, 10, 99, 0, 10][..]));
    peer.send(IPCP, REQUEST, &[3, 6, 10, 99, 0, 10]);
    assert_eq!(peer.only().code, ACK);
}

#[test]
fn compression_and_old_options_are_rejected() {
    let vj = [2, 6, 0, 0x2d, 15, 1];
    let old = [1, 10, 0, 0, 0, 0, 0, 0, 0, 0];
    let mobile = [4, 6, 0, 0, 0, 0];
    let bad = [&vj[..], &old, &mobile, &[3, 5, 1, 2, 3], &[200, 2]].concat();
    let (_, sent) = giving(assign(), &bad);
    assert_eq!((sent[1].code, &sent[1].data), (REJECT, &bad));
    let (mut peer, _) = asking(v4_only(client()));
    peer.send(IPCP, REQUEST, &[&[3, 6, 10, 0, 0, 1][..], &vj].concat());
    assert_eq!(peer.only().data, vj);
}

#[test]
fn the_question_is_asked_once_and_the_last_request_is_answered() {
    let mut peer = Peer::networked(v4_only(server()));
    assert_eq!(peer.packet(IPCP, TERMINATE, 1, &[]), Err(DropReason::UnexpectedState));
    for address in 1..5 {
        peer.send(IPCP, REQUEST, &[3, 6, 10, 0, 0, address]);
    }
    let last = peer.send(IPCP, REQUEST, &[3, 6, 10, 99, 0, 10]);
    let requests = address_requests(&peer);
    assert_eq!((requests.len(), requests[0].hint), (1, Some([10, 0, 0, 1].into())));
    assert!(peer.sent().is_empty());
    let now = peer.now;
    peer.link.answer_address(now, requests[0].ticket, assign()).unwrap();
    let sent = peer.sent();
    assert_eq!((sent[1].code, sent[1].identifier), (ACK, last));
    let long = peer.packet(IPCP, REQUEST, 1, &[0; 300]);
    assert!(long.is_err());
}

#[test]
fn a_client_takes_what_it_is_given() {
    let (mut peer, request) = asking(v4_only(client()));
    let asked = [3, 6, 0, 0, 0, 0, 129, 6, 0, 0, 0, 0, 131, 6, 0, 0, 0, 0];
    assert_eq!(request.data, asked);
    // l2tpns: one name server, and it acknowledges zero for the other.
    peer.packet(IPCP, NAK, request.identifier, &[3, 6, 10, 98, 0, 16, 129, 6, 10, 98, 0, 1])
        .unwrap();
    let request = peer.only();
    assert_eq!(request.data, [3, 6, 10, 98, 0, 16, 129, 6, 10, 98, 0, 1, 131, 6, 0, 0, 0, 0]);
    peer.acknowledge(&request);
    peer.send(IPCP, REQUEST, &[3, 6, 10, 98, 0, 1]);
    let form = peer.link.form().ipv4.unwrap();
    assert_eq!(form.local.octets(), [10, 98, 0, 16]);
    assert_eq!(form.dns, [Some([10, 98, 0, 1].into()), None]);
}

#[test]
fn a_client_lives_without_name_servers_and_without_the_peers_address() {
    let (mut peer, request) = asking(v4_only(client()));
    peer.packet(IPCP, REJECT, request.identifier, &request.data[6..]).unwrap();
    let request = peer.only();
    assert_eq!(request.data, [3, 6, 0, 0, 0, 0]);
    peer.packet(IPCP, NAK, request.identifier, &[3, 6, 10, 0, 0, 2, 129, 6, 1, 1, 1, 1]).unwrap();
    let request = peer.only();
    assert_eq!(request.data, [3, 6, 10, 0, 0, 2]);
    peer.acknowledge(&request);
    peer.send(IPCP, REQUEST, &[]);
    let form = peer.link.form().ipv4.unwrap();
    assert_eq!((form.peer, form.dns), (Ipv4Addr::UNSPECIFIED, [None, None]));
}

#[test]
fn a_client_does_not_go_round_with_zeros() {
    // Nak'ed with zero again and again.
    let (mut peer, mut request) = asking(v4_only(client()));
    for round in 0..30 {
        let zero = peer.packet(IPCP, NAK, request.identifier, &[3, 6, 0, 0, 0, 0]);
        assert!(zero.is_ok(), "{round}");
        request = peer.sent().remove(0);
        if request.code != REQUEST {
            break;
        }
    }
    assert_eq!(request.code, TERMINATE);
    // Acknowledged with zero.
    let (mut peer, request) = asking(v4_only(client()));
    peer.acknowledge(&request);
    peer.send(IPCP, REQUEST, &[3, 6, 10, 0, 0, 1]);
    assert_eq!(peer.link.form().ipv4, None);
    peer.wait(Duration::from_secs(10));
    let Some(CloseReason::NoNetwork { ipv4, .. }) = peer.closed() else { panic!() };
    assert_eq!(*ipv4, NetworkFailure::NoAddress);
    // Rejected, with nothing to fall back on.
    let (mut peer, request) = asking(v4_only(client()));
    peer.packet(IPCP, REJECT, request.identifier, &request.data[..6]).unwrap();
    assert_eq!(peer.sent()[0].code, TERMINATE);
}

#[test]
fn a_client_with_an_address_of_its_own_may_keep_it() {
    let ours = [192, 0, 2, 9];
    let mode = Ipv4Mode::Ask { address: Some(ours.into()), dns: false, nbns: false };
    let (mut peer, request) = asking(v4_only(client()).ipv4(mode));
    assert_eq!(request.data[2..], ours);
    peer.packet(IPCP, REJECT, request.identifier, &request.data).unwrap();
    let request = peer.only();
    assert!(request.data.is_empty());
    peer.acknowledge(&request);
    peer.send(IPCP, REQUEST, &[3, 6, 10, 0, 0, 1]);
    assert_eq!(peer.link.form().ipv4.unwrap().local.octets(), ours);
}

#[test]
fn a_client_gives_nobody_an_address() {
    let (mut peer, _) = asking(v4_only(client()));
    peer.send(IPCP, REQUEST, &[3, 6, 0, 0, 0, 0, 129, 6, 0, 0, 0, 0]);
    let reject = peer.only();
    assert_eq!((reject.code, reject.data.len()), (REJECT, 12));
}

#[test]
fn an_unanswered_ipcp_ends_a_client_after_ten_requests() {
    let (mut peer, request) = asking(v4_only(client()));
    peer.wait(Duration::from_millis(29_999));
    let sent: Vec<_> = peer.sent().into_iter().filter(|s| s.protocol == IPCP).collect();
    assert_eq!(sent, vec![request; 9]);
    peer.wait(Duration::from_secs(7));
    let Some(CloseReason::NoNetwork { ipv4, ipv6 }) = peer.closed() else { panic!() };
    assert_eq!((*ipv4, *ipv6), (NetworkFailure::Timeout, NetworkFailure::Off));
}

#[test]
fn a_peer_may_end_ipcp_and_start_it_again() {
    let (mut peer, sent) = giving(assign(), &[3, 6, 10, 99, 0, 10]);
    peer.acknowledge(&sent[0]);
    assert!(peer.link.form().ipv4.is_some());
    peer.send(IPCP, TERMINATE, b"");
    assert_eq!(peer.only().code, TERMINATED);
    assert_eq!(peer.link.form().ipv4, None);
    peer.wait(Duration::from_secs(4));
    assert!(matches!(peer.events.last(), Some(Event::Ipv4Failed(NetworkFailure::PeerTerminated))));
    peer.send(IPCP, REQUEST, &[3, 6, 10, 99, 0, 10]);
    let sent = peer.sent();
    assert_eq!(sent.iter().map(|s| s.code).collect::<Vec<_>>(), [REQUEST, ACK]);
    peer.acknowledge(&sent[0]);
    assert!(peer.link.form().ipv4.is_some());
    peer.wait(Duration::from_secs(20));
    assert!(peer.closed().is_none());
    // Or not: then the link has no use.
    peer.send(IPCP, TERMINATE, b"");
    peer.wait(Duration::from_secs(20));
    let Some(CloseReason::NoNetwork { ipv4, .. }) = peer.closed() else { panic!() };
    assert_eq!(*ipv4, NetworkFailure::PeerTerminated);
}

#[test]
fn codes_beyond_seven_belong_to_lcp() {
    let (mut peer, sent) = giving(assign(), &[3, 6, 10, 99, 0, 10]);
    peer.acknowledge(&sent[0]);
    for code in [0, 8, 9, 12, 14, 200] {
        peer.send(IPCP, code, &[1]);
        let reject = peer.only();
        assert_eq!((reject.protocol, reject.code, reject.data[0]), (IPCP, CODE_REJECT, code));
    }
    assert!(peer.link.form().ipv4.is_some());
    // A Code-Reject of what IPCP is made of ends IPCP alone.
    peer.send(IPCP, CODE_REJECT, &[1, 1, 0, 4]);
    assert_eq!(peer.link.form().ipv4, None);
    assert_eq!(peer.link.phase(), Phase::Network);
}

#[test]
fn data_do_not_belong_here() {
    let (mut peer, sent) = giving(assign(), &[3, 6, 10, 99, 0, 10]);
    assert_eq!(peer.frame(&[0x21, 0x45, 0]), Err(DropReason::ProtocolNotOpen));
    peer.acknowledge(&sent[0]);
    assert_eq!(peer.frame(&[0, 0x21, 0x45, 0]), Err(DropReason::ProtocolNotOpen));
    assert!(peer.sent().is_empty());
    // IPv6 is not spoken here.
    assert_eq!(peer.frame(&[0, 0x57, 0x60]), Err(DropReason::ProtocolNotOpen));
    assert_eq!(peer.only().code, PROTOCOL_REJECT);
    assert_eq!(events(&mut peer).len(), 6);
}

#[test]
fn ipv6_identifiers_are_agreed_on() {
    let (mut peer, request) = asking(v6_only(0x11));
    assert_eq!((request.protocol, request.data[9]), (IPV6CP, 0x11));
    peer.acknowledge(&request);
    let theirs = [1, 10, 0, 0, 0, 0, 0, 0, 0, 0x22];
    peer.send(IPV6CP, REQUEST, &theirs);
    assert_eq!(peer.only().data, theirs);
    let form = peer.link.form().ipv6.unwrap();
    assert_eq!((form.local, form.peer), (InterfaceId(0x11), InterfaceId(0x22)));
}

#[test]
fn zero_and_equal_ipv6_identifiers_are_replaced() {
    for asked in [0, 0x11] {
        let (mut peer, _) = asking(v6_only(0x11));
        peer.send(IPV6CP, REQUEST, &[1, 10, 0, 0, 0, 0, 0, 0, 0, asked]);
        let nak = peer.only();
        assert_eq!((nak.code, nak.data.len()), (NAK, 10));
        let suggested = u64::from_be_bytes(nak.data[2..].try_into().unwrap());
        assert!(suggested != 0 && suggested != 0x11);
        // Not made from an IEEE identifier (RFC 5072 §4.1).
        assert_eq!(nak.data[2] & 2, 0);
        peer.send(IPV6CP, REQUEST, &nak.data);
        assert_eq!(peer.only().code, ACK);
    }
    let (mut peer, _) = asking(v6_only(0x11));
    peer.send(IPV6CP, REQUEST, &[1, 9, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(peer.only().code, NAK);
    peer.send(IPV6CP, REQUEST, &[2, 4, 0, 0x4f]);
    assert_eq!(peer.only().code, REJECT);
}

#[test]
fn an_ipv6_identifier_is_asked_for_once() {
    let (mut peer, request) = asking(v6_only(0x11));
    peer.send(IPV6CP, REQUEST, &[]);
    assert_eq!(peer.only().code, NAK);
    peer.send(IPV6CP, REQUEST, &[]);
    assert_eq!(peer.only().code, ACK);
    // Without one the protocol is of no use.
    peer.acknowledge(&request);
    assert_eq!(peer.sent()[0].code, TERMINATE);
    assert_eq!(peer.link.form().ipv6, None);
}

#[test]
fn our_own_ipv6_identifier_follows_naks() {
    let (mut peer, request) = asking(v6_only(0x11));
    peer.packet(IPV6CP, NAK, request.identifier, &[1, 10, 0, 0, 0, 0, 0, 0, 0, 0x33]).unwrap();
    let request = peer.only();
    assert_eq!(request.data[9], 0x33);
    // A suggestion of zero is none: then a random one.
    peer.packet(IPV6CP, NAK, request.identifier, &[1, 10, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    let request = peer.only();
    assert_ne!(request.data[2..], [0; 8]);
    peer.packet(IPV6CP, REJECT, request.identifier, &request.data).unwrap();
    assert_eq!(peer.sent()[0].code, TERMINATE);
}

#[test]
fn both_ends_with_the_same_identifier_part_ways() {
    let mut pair = harness::Pair::new(v6_only(0x11), v6_only(0x11).authenticate_with(&[]));
    pair.open_and_run();
    let [a, b] = pair.ends.each_ref().map(|end| end.link.form().ipv6.unwrap());
    assert_eq!((a.local, a.peer), (b.peer, b.local));
    assert_ne!(a.local, a.peer);
}
