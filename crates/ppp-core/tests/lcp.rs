//! LCP against a peer that is written by hand (RFC 1661, RFC 1570).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use core::time::Duration;

use harness::client;
use harness::peer::*;
use harness::server;
use ppp_core::AuthMethod;
use ppp_core::CloseReason;
use ppp_core::ControlCode;
use ppp_core::Event;
use ppp_core::Ipv6Mode;
use ppp_core::LcpOption;
use ppp_core::LinkConfig;
use ppp_core::Options;
use ppp_core::Phase;
use ppp_core::Protocol;
use ppp_core::RawOption;
use ppp_core::Restart;
use vpn_core::DropReason;

const LCP: Protocol = Protocol::LCP;

/// A link that demands and gives no proof.
fn open_to_all() -> LinkConfig {
    client().ipv6(Ipv6Mode::Off)
}

fn magic_of(request: &Sent) -> u32 {
    let magic = Options::new(&request.data).find_map(|option| {
        match LcpOption::decode(&option.unwrap()).unwrap() {
            LcpOption::Magic(magic) => Some(magic),
            _ => None,
        }
    });
    magic.unwrap()
}

#[test]
fn asks_ten_times_in_thirty_seconds_and_gives_up() {
    let (mut peer, first) = Peer::opened(open_to_all());
    for _ in 0..9 {
        peer.wait(Duration::from_millis(2_999));
        assert!(peer.sent().is_empty());
        peer.wait(Duration::from_millis(1));
        // The same Identifier, since no valid reply has come (RFC 1661 §5.1).
        assert_eq!(peer.only(), first);
    }
    peer.wait(Duration::from_secs(3));
    assert!(peer.sent().is_empty());
    assert_eq!(peer.closed(), Some(&CloseReason::Timeout { protocol: LCP }));
    assert_eq!(peer.link.phase(), Phase::Closed);
    assert_eq!(peer.frame(&[0xff, 3, 0xc0, 0x21, 1, 1, 0, 4]), Err(DropReason::Closed));
}

#[test]
fn counters_and_timer_are_as_configured() {
    let restart = Restart {
        period: Duration::from_millis(500),
        first: Duration::from_millis(500),
        max_configure: 3,
        max_terminate: 1,
        max_failure: 1,
    };
    let (mut peer, _) = Peer::opened(open_to_all().restart(restart));
    peer.wait(Duration::from_millis(1_499));
    assert_eq!(peer.sent().len(), 2);
    assert!(peer.closed().is_none());
    peer.wait(Duration::from_millis(1));
    assert!(peer.closed().is_some());

    let mut peer = Peer::established(open_to_all().restart(restart), &[]);
    let now = peer.now;
    peer.link.close(now, "");
    assert_eq!(peer.sent().last().unwrap().code, TERMINATE);
    peer.wait(Duration::from_millis(500));
    assert_eq!(peer.closed(), Some(&CloseReason::Local));
}

#[test]
fn the_restart_timer_may_start_short_and_double() {
    let first = Duration::from_millis(500);
    let config = || open_to_all().restart(Restart { first, ..Restart::default() });
    let (mut peer, request) = Peer::opened(config());
    for wait in [500, 1_000, 2_000, 3_000, 3_000] {
        peer.wait(Duration::from_millis(wait - 1));
        assert!(peer.sent().is_empty());
        peer.wait(Duration::from_millis(1));
        assert_eq!(peer.only(), request);
    }
    peer.wait(Duration::from_millis(14_999));
    assert_eq!(peer.sent().len(), 4);
    assert!(peer.closed().is_none());
    peer.wait(Duration::from_millis(1));
    assert!(peer.closed().is_some());
    // The next request starts anew.
    let (mut peer, request) = Peer::opened(config());
    peer.wait(Duration::from_secs(9));
    peer.sent();
    peer.packet(LCP, NAK, request.identifier, &[5, 6, 7, 7, 7, 7]).unwrap();
    peer.only();
    peer.wait(Duration::from_millis(500));
    peer.only();
    peer.wait(Duration::from_secs(1));
    peer.only();
    // A peer that leaves gets a whole period.
    let mut peer = Peer::networked(server().restart(Restart { first, ..Restart::default() }));
    peer.send(LCP, TERMINATE, b"");
    peer.wait(Duration::from_millis(2_999));
    assert!(peer.closed().is_none());
}

#[test]
fn a_late_ack_still_counts_and_a_stale_one_does_not() {
    let (mut peer, request) = Peer::opened(open_to_all());
    peer.wait(Duration::from_secs(7));
    peer.sent();
    let other = request.identifier.wrapping_add(1);
    let stale = peer.packet(LCP, ACK, other, &request.data);
    assert_eq!(stale, Err(DropReason::UnexpectedState));
    let changed = peer.packet(LCP, ACK, request.identifier, &[]);
    assert_eq!(changed, Err(DropReason::UnexpectedState));
    peer.acknowledge(&request);
    // A second copy answers nothing.
    let copy = peer.packet(LCP, ACK, request.identifier, &request.data);
    assert_eq!(copy, Err(DropReason::UnexpectedState));
}

#[test]
fn refuses_octet_for_octet_what_it_does_not_speak() {
    // Windows: MRU, magic, PFC, ACFC, callback by CBCP, MRRU, endpoint discriminator.
    let (mut peer, _) = Peer::opened(open_to_all());
    let good = [1, 4, 5, 0x78, 5, 6, 9, 9, 9, 9, 7, 2, 8, 2];
    let callback = [13, 3, 6];
    let multilink = [17, 4, 6, 0x4e, 18, 2, 19, 7, 2, 10, 98, 0, 1];
    let quality = [4, 8, 0xc0, 0x25, 0, 0, 0, 9];
    let unknown = [99, 5, 1, 2, 3, 0, 2];
    let bad = [&callback[..], &multilink, &quality, &unknown].concat();
    peer.send(LCP, REQUEST, &[&good[..], &bad].concat());
    let reply = peer.only();
    assert_eq!((reply.code, &reply.data), (REJECT, &bad));
    peer.send(LCP, REQUEST, &good);
    assert_eq!(peer.only().code, ACK);
}

#[test]
fn an_option_that_comes_twice_is_rejected_the_second_time() {
    let (mut peer, _) = Peer::opened(open_to_all());
    peer.send(LCP, REQUEST, &[1, 4, 5, 0, 1, 4, 5, 1, 7, 2, 7, 2]);
    let reply = peer.only();
    assert_eq!((reply.code, &reply.data[..]), (REJECT, &[1, 4, 5, 1, 7, 2][..]));
}

#[test]
fn a_request_with_a_broken_option_is_discarded_whole() {
    let (mut peer, _) = Peer::opened(open_to_all());
    for options in [&[1, 0][..], &[1, 1], &[1, 5, 5, 0], &[7, 2, 1], &[99, 2, 5, 7, 1, 2]] {
        assert!(peer.packet(LCP, REQUEST, 1, options).is_err(), "{options:?}");
        assert!(peer.sent().is_empty());
    }
}

#[test]
fn every_cut_of_a_request_is_survived() {
    let request = [1, 9, 0, 22, 1, 4, 5, 0x78, 5, 6, 9, 9, 9, 9, 7, 2, 8, 2, 13, 3, 6, 0];
    for cut in 0..request.len() {
        let (mut peer, _) = Peer::opened(open_to_all());
        let frame = [&[0xff, 0x03, 0xc0, 0x21][..], &request[..cut]].concat();
        assert!(peer.frame(&frame).is_err(), "{cut}");
        assert!(peer.sent().is_empty());
    }
}

#[test]
fn a_wrong_length_is_answered_with_a_right_one() {
    let (mut peer, _) = Peer::opened(open_to_all());
    peer.send(LCP, REQUEST, &[1, 3, 5, 5, 4, 1, 2, 2, 2]);
    let reply = peer.only();
    assert_eq!(reply.code, NAK);
    let options: Vec<_> = Options::new(&reply.data)
        .map(|option| LcpOption::decode(&option.unwrap()).unwrap())
        .collect();
    assert!(
        matches!(options[..], [LcpOption::Mru(1500), LcpOption::Magic(_), LcpOption::Accm(0)]),
        "{options:?}"
    );
    // A boolean option has no value to suggest (RFC 1661 §5.3).
    peer.send(LCP, REQUEST, &[7, 3, 0]);
    assert_eq!(peer.only().code, REJECT);
}

#[test]
fn a_useless_mru_is_nakked_until_max_failure() {
    let (mut peer, _) = Peer::opened(open_to_all());
    for _ in 0..5 {
        peer.send(LCP, REQUEST, &[1, 4, 0, 100]);
        let reply = peer.only();
        assert_eq!((reply.code, &reply.data[..]), (NAK, &[1, 4, 0, 128][..]));
    }
    peer.send(LCP, REQUEST, &[1, 4, 0, 100]);
    let reply = peer.only();
    assert_eq!((reply.code, &reply.data[..]), (REJECT, &[1, 4, 0, 100][..]));
    peer.send(LCP, REQUEST, &[]);
    assert_eq!(peer.only().code, ACK);
}

#[test]
fn follows_naks_and_rejects_of_its_own_options() {
    let config = open_to_all().mru(1400).accm(Some(0x000a_0000)).pfc(true).acfc(true);
    let (mut peer, request) = Peer::opened(config);
    let kinds = |sent: &Sent| {
        Options::new(&sent.data).map(|option| option.unwrap().kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&request), [1, 2, 5, 7, 8]);
    peer.packet(LCP, NAK, request.identifier, &[1, 4, 5, 0, 2, 6, 0, 0, 0, 1]).unwrap();
    let second = peer.only();
    assert_ne!(second.identifier, request.identifier);
    assert!(second.data.starts_with(&[1, 4, 5, 0, 2, 6, 0, 0x0a, 0, 1]));
    let rejected = [&second.data[..4], &[7, 2, 8, 2]].concat();
    peer.packet(LCP, REJECT, second.identifier, &rejected).unwrap();
    let third = peer.only();
    assert_eq!(kinds(&third), [2, 5]);
    // A Reject of what was not asked is not valid.
    let foreign = peer.packet(LCP, REJECT, third.identifier, &[1, 4, 5, 0]);
    assert_eq!(foreign, Err(DropReason::Malformed));
    let all = third.data.clone();
    peer.packet(LCP, REJECT, third.identifier, &all).unwrap();
    assert!(peer.only().data.is_empty());
}

#[test]
fn an_unasked_mru_and_absurd_values_are_not_taken() {
    let (mut peer, request) = Peer::opened(open_to_all());
    peer.packet(LCP, NAK, request.identifier, &[1, 4, 0, 10, 19, 3, 0, 99, 2]).unwrap();
    let second = peer.only();
    assert_eq!(second.data, request.data);
    peer.packet(LCP, NAK, second.identifier, &[1, 4, 5, 0]).unwrap();
    assert!(peer.only().data.starts_with(&[1, 4, 5, 0]));
}

#[test]
fn naks_without_end_are_given_up() {
    let (mut peer, mut request) = Peer::opened(open_to_all());
    for _ in 0..20 {
        peer.packet(LCP, NAK, request.identifier, &[99, 2]).unwrap();
        request = peer.only();
        assert_eq!(request.code, REQUEST);
    }
    peer.packet(LCP, NAK, request.identifier, &[99, 2]).unwrap();
    assert_eq!(peer.only().code, TERMINATE);
    peer.send(LCP, TERMINATED, &[]);
    assert_eq!(peer.closed(), Some(&CloseReason::NotConverging { protocol: LCP }));
}

#[test]
fn a_loop_is_found_during_negotiation() {
    let mut peer = Peer::of(open_to_all());
    peer.link.open(peer.now);
    // Everything that is sent comes back.
    for _ in 0..100 {
        for sent in peer.sent() {
            let _ = peer.packet(sent.protocol, sent.code, sent.identifier, &sent.data);
        }
        peer.wait(Duration::from_millis(100));
    }
    assert_eq!(peer.closed(), Some(&CloseReason::Loopback));
}

#[test]
fn equal_magic_numbers_by_chance_are_told_apart() {
    let (mut peer, request) = Peer::opened(open_to_all());
    peer.send(LCP, REQUEST, &request.data);
    let nak = peer.only();
    assert_eq!(nak.code, NAK);
    assert_ne!(magic_of(&nak), magic_of(&request));
    peer.packet(LCP, NAK, request.identifier, &[5, 6, 7, 7, 7, 7]).unwrap();
    let second = peer.only();
    assert_ne!(magic_of(&second), magic_of(&request));
    peer.send(LCP, REQUEST, &nak.data);
    assert_eq!(peer.only().code, ACK);
    // Zero is never right (RFC 1661 §6.4).
    peer.send(LCP, REQUEST, &[5, 6, 0, 0, 0, 0]);
    assert_eq!(peer.only().code, NAK);
}

#[test]
fn a_loop_is_found_in_an_open_link() {
    let (mut peer, request) = Peer::opened(open_to_all());
    peer.acknowledge(&request);
    peer.send(LCP, REQUEST, &[]);
    peer.sent();
    let magic = magic_of(&request).to_be_bytes();
    for round in 0..5 {
        assert!(peer.closed().is_none());
        let echo = peer.packet(LCP, ECHO_REQUEST, round, &magic);
        assert_eq!(echo, Err(DropReason::Duplicate));
    }
    peer.send(LCP, TERMINATED, &[]);
    assert_eq!(peer.closed(), Some(&CloseReason::Loopback));
}

#[test]
fn echoes_are_answered_before_authentication_and_at_any_size() {
    // pppd asks as soon as LCP is open.
    let (mut peer, request) = Peer::opened(server());
    let magic = magic_of(&request).to_be_bytes();
    peer.acknowledge(&request);
    assert_eq!(peer.packet(LCP, ECHO_REQUEST, 1, &[0; 4]), Err(DropReason::UnexpectedState));
    peer.send(LCP, REQUEST, &[1, 4, 5, 0xdc]);
    peer.sent();
    assert_eq!(peer.link.phase(), Phase::Authenticate);
    for (len, reply_len) in [(4, 4), (5, 5), (1500, 1496), (3000, 1496), (60_000, 1496)] {
        let mut data = vec![0xaa; len];
        data[..4].fill(0);
        let identifier = peer.send(LCP, ECHO_REQUEST, &data);
        let reply = peer.only();
        assert_eq!((reply.code, reply.identifier), (ECHO_REPLY, identifier));
        assert_eq!((reply.data.len(), &reply.data[..4]), (reply_len, &magic[..]));
        assert_eq!(reply.data[4..], data[4..reply_len]);
    }
    // Any magic number is tolerated, a missing one is not.
    assert!(peer.packet(LCP, ECHO_REQUEST, 1, &[1, 2, 3, 4]).is_ok());
    for cut in 0..4 {
        assert_eq!(peer.packet(LCP, ECHO_REQUEST, 1, &[0; 4][..cut]), Err(DropReason::Truncated));
    }
}

#[test]
fn a_small_mru_cuts_what_is_returned() {
    let mut peer = Peer::established(open_to_all(), &[1, 4, 0, 200]);
    peer.sent();
    peer.send(LCP, ECHO_REQUEST, &[0; 1000]);
    assert_eq!(peer.only().data.len(), 196);
    peer.send(LCP, 77, &[9; 1000]);
    let reject = peer.only();
    assert_eq!((reject.code, reject.data.len()), (CODE_REJECT, 196));
    peer.send_rejected(Protocol::CCP, &[8; 1000]);
    let reject = peer.only();
    assert_eq!((reject.code, reject.data.len()), (PROTOCOL_REJECT, 196));
    assert_eq!(peer.link.form().mtu, 200);
}

#[test]
fn what_windows_says_about_itself_is_taken_silently() {
    let (mut peer, request) = Peer::opened(open_to_all());
    let text = b"\0\0\0\0MSRASV5.20";
    assert!(peer.packet(LCP, 12, 1, text).is_ok());
    peer.acknowledge(&request);
    peer.send(LCP, REQUEST, &[]);
    peer.sent();
    assert!(peer.packet(LCP, 12, 2, text).is_ok());
    assert!(peer.packet(LCP, 13, 3, &[0, 0, 0, 0, 0, 0, 0, 60]).is_ok());
    assert!(peer.packet(LCP, 11, 4, &[0, 0, 0, 0, 1]).is_ok());
    assert!(peer.packet(LCP, ECHO_REPLY, 5, &[0, 0, 0, 0]).is_ok());
    assert!(peer.packet(LCP, 12, 6, &[0; 3]).is_err());
    assert!(peer.packet(LCP, 13, 7, &[0; 7]).is_err());
    assert!(peer.sent().is_empty());
}

#[test]
fn an_unknown_code_is_rejected_with_a_copy_and_a_new_identifier() {
    let (mut peer, _) = Peer::opened(open_to_all());
    let mut identifiers = Vec::new();
    for code in [0, 14, 15, 200] {
        let identifier = peer.send(LCP, code, &[1, 2]);
        let reject = peer.only();
        assert_eq!(
            (reject.code, &reject.data[..]),
            (CODE_REJECT, &[code, identifier, 0, 6, 1, 2][..])
        );
        identifiers.push(reject.identifier);
    }
    identifiers.dedup();
    assert_eq!(identifiers.len(), 4);
}

#[test]
fn a_rejected_code_ends_the_link_or_does_not() {
    for code in 1..=7 {
        let mut peer = Peer::established(open_to_all(), &[]);
        peer.sent();
        peer.send(LCP, CODE_REJECT, &[code, 1, 0, 4]);
        assert_eq!(peer.only().code, TERMINATE);
        peer.send(LCP, TERMINATED, &[]);
        let wanted = CloseReason::CodeRejected(ControlCode(code));
        assert_eq!(peer.closed(), Some(&wanted));

        let (mut peer, _) = Peer::opened(open_to_all());
        peer.send(LCP, CODE_REJECT, &[code, 1, 0, 4]);
        assert_eq!(peer.closed(), Some(&wanted));
    }
    let mut peer = Peer::established(open_to_all(), &[]);
    peer.sent();
    assert_eq!(peer.packet(LCP, CODE_REJECT, 1, &[]), Err(DropReason::Truncated));
    for code in [8, 9, 10, 11, 12] {
        peer.send(LCP, CODE_REJECT, &[code, 1, 0, 4]);
        assert!(peer.sent().is_empty());
    }
    // A peer without echo is not asked for one.
    peer.wait(Duration::from_secs(20));
    peer.sent();
    peer.wait(Duration::from_secs(3600));
    assert!(peer.sent().iter().all(|sent| sent.protocol != LCP || sent.code == TERMINATE));
}

#[test]
fn a_rejected_protocol_ends_what_needs_it() {
    let reject = |protocol: Protocol| protocol.0.to_be_bytes();
    // Before LCP is open it means nothing.
    let (mut peer, _) = Peer::opened(server());
    let early = peer.packet(LCP, PROTOCOL_REJECT, 1, &reject(LCP));
    assert_eq!(early, Err(DropReason::UnexpectedState));

    let mut peer = Peer::established(open_to_all(), &[]);
    peer.sent();
    peer.send(LCP, PROTOCOL_REJECT, &reject(LCP));
    assert_eq!(peer.only().code, TERMINATE);
    peer.wait(Duration::from_secs(7));
    assert_eq!(peer.closed(), Some(&CloseReason::ProtocolRejected(LCP)));

    // The protocol by which the peer must prove itself: no way round.
    let (mut peer, request) = Peer::opened(server());
    peer.acknowledge(&request);
    peer.send(LCP, REQUEST, &[]);
    peer.sent();
    peer.send(LCP, PROTOCOL_REJECT, &reject(Protocol::PAP));
    assert!(peer.sent().is_empty());
    peer.send(LCP, PROTOCOL_REJECT, &reject(Protocol::CHAP));
    assert_eq!(peer.only().code, TERMINATE);
    peer.wait(Duration::from_secs(7));
    assert_eq!(peer.closed(), Some(&CloseReason::ProtocolRejected(Protocol::CHAP)));

    let mut peer = Peer::networked(server());
    peer.send(LCP, PROTOCOL_REJECT, &reject(Protocol::IPV6CP));
    assert_eq!(peer.link.phase(), Phase::Network);
    peer.send(LCP, PROTOCOL_REJECT, &reject(Protocol::CHAP));
    assert_eq!(peer.link.phase(), Phase::Terminate);
}

#[test]
fn unknown_protocols_are_rejected_a_few_a_second() {
    let mut peer = Peer::networked(server());
    let names = [Protocol::CCP, Protocol::MPLSCP, Protocol::BCP, Protocol::ACSCP, Protocol::EAP];
    for protocol in names {
        let identifier = peer.send_rejected(protocol, &[1, 2]);
        let reject = peer.only();
        let [high, low] = protocol.0.to_be_bytes();
        let copy = [high, low, 1, identifier, 0, 6, 1, 2];
        assert_eq!((reject.code, &reject.data[..]), (PROTOCOL_REJECT, &copy[..]));
    }
    // A number that cannot be one is an unknown one (RFC 1661 §2).
    assert_eq!(peer.frame(&[0x80, 0x20, 5]), Err(DropReason::ProtocolNotOpen));
    assert_eq!(peer.only().data, [0x80, 0x20, 5]);
    let mut sent = 0;
    for _ in 0..1000 {
        let _ = peer.frame(&[0x80, 0xfd, 1]);
        sent += peer.sent().len();
    }
    assert_eq!(sent, 10);
    peer.wait(Duration::from_secs(1));
    peer.sent();
    assert_eq!(peer.frame(&[0x80, 0xfd, 1]), Err(DropReason::ProtocolNotOpen));
    assert_eq!(peer.only().code, PROTOCOL_REJECT);
}

#[test]
fn nothing_but_lcp_is_heard_before_lcp_is_open() {
    let (mut peer, request) = Peer::opened(server());
    for frame in [&[0x80, 0x21, 1, 1, 0, 4][..], &[0xc2, 0x23, 1, 1, 0, 4], &[0x80, 0xfd], &[0x21]]
    {
        assert_eq!(peer.frame(frame), Err(DropReason::UnexpectedState), "{frame:02x?}");
    }
    peer.acknowledge(&request);
    peer.send(LCP, REQUEST, &[]);
    peer.sent();
    // In the authentication phase: LCP and authentication only (RFC 1661 §3.5).
    for frame in [&[0x80, 0x21, 1, 1, 0, 4][..], &[0x80, 0xfd], &[0x21, 0x45]] {
        assert_eq!(peer.frame(frame), Err(DropReason::UnexpectedState), "{frame:02x?}");
        assert!(peer.sent().is_empty());
    }
}

#[test]
fn a_request_in_an_open_link_starts_all_anew() {
    let mut peer = Peer::networked(server());
    peer.send(LCP, REQUEST, &[1, 4, 5, 0]);
    let sent = peer.sent();
    assert_eq!(sent.iter().map(|s| s.code).collect::<Vec<_>>(), [REQUEST, ACK]);
    assert_eq!(peer.link.phase(), Phase::Establish);
    assert_eq!(peer.frame(&[0x80, 0x21, 1, 1, 0, 4]), Err(DropReason::UnexpectedState));
    peer.acknowledge(&sent[0]);
    assert_eq!(peer.link.phase(), Phase::Authenticate);
    assert_eq!(peer.only().protocol, Protocol::CHAP);
}

#[test]
fn the_same_request_again_is_acknowledged_again() {
    let (mut peer, request) = Peer::opened(open_to_all());
    peer.acknowledge(&request);
    let options = [5, 6, 9, 9, 9, 9];
    peer.packet(LCP, REQUEST, 9, &options).unwrap();
    peer.sent();
    for _ in 0..3 {
        peer.packet(LCP, REQUEST, 9, &options).unwrap();
        let ack = peer.only();
        assert_eq!((ack.code, ack.identifier, &ack.data[..]), (ACK, 9, &options[..]));
        assert_eq!(peer.link.phase(), Phase::Network);
    }
    // A peer that insists has lost its memory: all anew.
    peer.packet(LCP, REQUEST, 9, &options).unwrap();
    assert_eq!(peer.link.phase(), Phase::Establish);
    assert_eq!(peer.sent().iter().map(|s| s.code).collect::<Vec<_>>(), [REQUEST, ACK]);
}

#[test]
fn a_peer_that_leaves_is_answered_and_given_time() {
    let mut peer = Peer::networked(server());
    let identifier = peer.send(LCP, TERMINATE, b"User request");
    let ack = peer.only();
    assert_eq!((ack.code, ack.identifier), (TERMINATED, identifier));
    assert_eq!(peer.link.phase(), Phase::Terminate);
    // Not before one Restart time has passed (RFC 1661 §3.7); repetitions are answered.
    peer.wait(Duration::from_millis(2_999));
    peer.send(LCP, TERMINATE, b"User request");
    assert_eq!(peer.only().code, TERMINATED);
    assert!(peer.closed().is_none());
    peer.wait(Duration::from_millis(1));
    let Some(CloseReason::PeerTerminated { phase, message }) = peer.closed() else { panic!() };
    assert_eq!((*phase, &message[..]), (Phase::Network, "User request"));
}

#[test]
fn a_peer_that_leaves_before_lcp_is_open_may_come_back() {
    let (mut peer, request) = Peer::opened(open_to_all());
    peer.send(LCP, TERMINATE, b"busy");
    assert_eq!(peer.only().code, TERMINATED);
    assert_eq!(peer.link.phase(), Phase::Establish);
    peer.wait(Duration::from_secs(4));
    assert_eq!(peer.only(), request);
    peer.wait(Duration::from_secs(60));
    let Some(CloseReason::PeerTerminated { message, .. }) = peer.closed() else { panic!() };
    assert_eq!(message, "busy");
}

#[test]
fn a_peer_that_leaves_over_authentication_is_believed() {
    let (mut peer, request) = Peer::opened(server());
    peer.packet(LCP, NAK, request.identifier, &[3, 4, 0xc2, 0x27]).unwrap();
    peer.sent();
    peer.send(LCP, TERMINATE, b"EAP only");
    assert_eq!(peer.sent().iter().map(|s| s.code).collect::<Vec<_>>(), [TERMINATED, TERMINATE]);
    peer.send(LCP, TERMINATED, &[]);
    let text = peer.closed().unwrap().to_string();
    let wanted = "no common way for the peer to authenticate: \
                  here MS-CHAPv2, CHAP-MD5, at the peer EAP";
    assert_eq!(text, wanted);
}

#[test]
fn a_server_goes_through_its_list_when_it_is_asked_for_eap() {
    let methods = [AuthMethod::MsChapV2, AuthMethod::ChapMd5, AuthMethod::Pap];
    let (mut peer, mut request) = Peer::opened(server().authenticate_with(&methods));
    let auth = |sent: &Sent| Options::new(&sent.data).next().unwrap().unwrap().data.to_vec();
    let (ms, md5, pap) = (vec![0xc2, 0x23, 0x81], vec![0xc2, 0x23, 5], vec![0xc0, 0x23]);
    let mut asked = vec![auth(&request)];
    for _ in 0..5 {
        peer.packet(LCP, NAK, request.identifier, &[3, 4, 0xc2, 0x27]).unwrap();
        request = peer.only();
        asked.push(auth(&request));
    }
    assert_eq!(asked, [ms.clone(), md5.clone(), pap.clone(), ms, md5, pap]);
    peer.packet(LCP, NAK, request.identifier, &[3, 4, 0xc2, 0x27]).unwrap();
    assert_eq!(peer.only().code, TERMINATE);
    peer.wait(Duration::from_secs(7));
    assert!(matches!(peer.closed(), Some(CloseReason::NoCommonAuth { .. })));
}

#[test]
fn a_server_lets_nobody_in_who_rejects_authentication() {
    let (mut peer, request) = Peer::opened(server());
    peer.packet(LCP, REJECT, request.identifier, &[3, 5, 0xc2, 0x23, 0x81]).unwrap();
    assert_eq!(peer.only().code, TERMINATE);
    peer.wait(Duration::from_secs(7));
    assert!(matches!(peer.closed(), Some(CloseReason::NoCommonAuth { .. })));
}

#[test]
fn a_client_names_its_own_methods_when_it_is_asked_for_eap() {
    let (mut peer, request) = Peer::opened(client());
    peer.acknowledge(&request);
    let (ms, md5) = ([3, 5, 0xc2, 0x23, 0x81], [3, 5, 0xc2, 0x23, 5]);
    for wanted in [ms, md5, ms, md5, ms] {
        peer.send(LCP, REQUEST, &[3, 4, 0xc2, 0x27]);
        let reply = peer.only();
        assert_eq!((reply.code, &reply.data[..]), (NAK, &wanted[..]));
    }
    peer.send(LCP, REQUEST, &[3, 4, 0xc2, 0x27]);
    let reply = peer.only();
    assert_eq!((reply.code, &reply.data[..]), (REJECT, &[3, 4, 0xc2, 0x27][..]));
    // Odd forms are no better.
    peer.send(LCP, REQUEST, &[3, 5, 0xc0, 0x23, 1]);
    assert_eq!(peer.only().code, REJECT);
    peer.send(LCP, REQUEST, &md5);
    assert_eq!(peer.only().code, ACK);
    assert_eq!(peer.link.phase(), Phase::Authenticate);
}

#[test]
fn output_and_input_are_bounded_when_nobody_drains() {
    let config = open_to_all();
    let (mut peer, request) = Peer::opened(config);
    peer.acknowledge(&request);
    peer.send(LCP, REQUEST, &[]);
    let mut taken = 0;
    while peer.packet(LCP, ECHO_REQUEST, 1, &[0; 1000]).is_ok() {
        taken += 1;
        assert!(taken < 100);
    }
    assert_eq!(peer.link.drops().get(DropReason::LimitReached), 1);
    assert_eq!(peer.sent().iter().filter(|sent| sent.code == ECHO_REPLY).count(), taken);
    assert!(peer.packet(LCP, ECHO_REQUEST, 1, &[0; 1000]).is_ok());
}

#[test]
fn a_failing_random_generator_ends_the_link_in_silence() {
    struct Broken;
    impl vpn_core::SecureRandom for Broken {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), vpn_core::RandomError> {
            Err(vpn_core::RandomError)
        }
    }
    let mut peer = Peer::of(open_to_all());
    let config = alloc::sync::Arc::new(open_to_all());
    peer.link = ppp_core::Link::new(config, vpn_crypto::provider(), Box::new(Broken));
    peer.link.open(peer.now);
    assert!(peer.sent().is_empty());
    let event = peer.link.poll_event();
    assert!(matches!(event, Some(Event::Closed { reason: CloseReason::RandomFailed })));
}

#[test]
fn raw_options_write_what_they_read() {
    let mut out = Vec::new();
    RawOption { kind: 99, data: &[1, 2, 3] }.encode(&mut out);
    assert_eq!(out, [99, 5, 1, 2, 3]);
}
