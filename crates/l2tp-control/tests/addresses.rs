//! Where datagrams come from and go to (RFC 2661 §8.1).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

#[path = "support/by_hand.rs"]
mod by_hand;

use core::net::SocketAddr;
use core::time::Duration;

use by_hand::*;
use l2tp_control::Endpoint;
use l2tp_control::Event;
use l2tp_control::LinkId;
use l2tp_control::ReplyFrom;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelState;
use l2tp_wire::Avp;
use l2tp_wire::Message;
use support::*;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;

const NOW: Instant = Instant::ZERO;

fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
}

/// A client that has sent its SCCRQ, and its Tunnel ID.
fn dialling(config: TunnelConfig) -> (Endpoint, u16) {
    let mut endpoint = endpoint(client(config.clone()), 1);
    endpoint.open_tunnel(NOW, LinkId::PLAIN, Pair::path(LAC), config).unwrap();
    let (_, sccrq) = drain(&mut endpoint, NOW).pop().unwrap();
    let id = assigned_tunnel_id(&sccrq);
    (endpoint, id)
}

fn from(remote: SocketAddr) -> Path {
    Path::l2tp(ADDRESSES[LAC], remote)
}

fn answer(endpoint: &mut Endpoint, id: u16, remote: SocketAddr, message: &Message<'_>) -> Handled {
    let datagram = encode((id, 0), (0, 1), message);
    endpoint.handle_datagram(NOW, LinkId::PLAIN, from(remote), &datagram)
}

#[test]
fn the_answer_to_an_sccrq_may_come_from_another_port_or_address() {
    let other_port = SocketAddr::new(ADDRESSES[LNS].ip(), 40_000);
    let other_host = SocketAddr::new(address(77).ip(), 40_000);
    let cases = [
        (ReplyFrom::SamePort, other_port, false),
        (ReplyFrom::SamePort, ADDRESSES[LNS], true),
        (ReplyFrom::SameAddress, other_port, true),
        (ReplyFrom::SameAddress, other_host, false),
        (ReplyFrom::Anywhere, other_host, true),
    ];
    for (reply_from, remote, accepted) in cases {
        let (mut endpoint, id) = dialling(config().reply_from(reply_from));
        let handled = answer(&mut endpoint, id, remote, &sccrp(9));
        let expected =
            if accepted { Handled::Consumed } else { Handled::Dropped(DropReason::WrongPeer) };
        assert_eq!(handled, expected, "{reply_from:?} {remote}");
        if !accepted {
            assert_eq!(drain(&mut endpoint, NOW).len(), 0);
            continue;
        }
        // From then on the address is that one, and no other.
        assert_eq!(drain(&mut endpoint, NOW)[0].0, from(remote));
        let tunnel = endpoint.tunnels().next().unwrap();
        assert_eq!((tunnel.state, tunnel.path), (TunnelState::Established, from(remote)));
        let hello = encode((id, 0), (1, 2), &hello());
        let elsewhere = SocketAddr::new(remote.ip(), 40_001);
        for (remote, expected) in
            [(elsewhere, Handled::Dropped(DropReason::WrongPeer)), (remote, Handled::Consumed)]
        {
            let handled = endpoint.handle_datagram(NOW, LinkId::PLAIN, from(remote), &hello);
            assert_eq!(handled, expected);
        }
    }
}

#[test]
fn a_stranger_who_guesses_the_tunnel_id_cannot_end_the_attempt() {
    let stranger = SocketAddr::new(address(77).ip(), 1701);
    // With a secret, nor take it over.
    let (mut endpoint, id) = dialling(config().secret("s3cret"));
    for message in [sccrp(9), stop_ccn(9), scccn(), hello(), sccrq(9)] {
        let handled = answer(&mut endpoint, id, stranger, &message);
        assert_eq!(handled, Handled::Dropped(DropReason::WrongPeer));
    }
    assert_eq!(drain(&mut endpoint, NOW).len(), 0);
    let tunnel = endpoint.tunnels().next().unwrap();
    assert_eq!((tunnel.state, tunnel.path), (TunnelState::WaitCtlReply, Pair::path(LAC)));
    // A version that is not ours, from elsewhere, is no answer either.
    let (mut endpoint, id) = dialling(config());
    let datagram = encode((id, 0), (0, 1), &sccrp(9));
    let datagram = rewrite(&datagram, |avp| {
        Some(match avp {
            Avp::ProtocolVersion(_) => {
                Avp::ProtocolVersion(l2tp_wire::ProtocolVersion { version: 3, revision: 0 })
            }
            avp => avp,
        })
    });
    let handled = endpoint.handle_datagram(NOW, LinkId::PLAIN, from(stranger), &datagram);
    assert_eq!(handled, Handled::Dropped(DropReason::WrongPeer));
    assert!(endpoint.poll_event().is_none());
}

#[test]
fn a_refusal_may_come_from_another_port_of_the_same_host() {
    let (mut endpoint, id) = dialling(config());
    let other_port = SocketAddr::new(ADDRESSES[LNS].ip(), 40_000);
    assert_eq!(answer(&mut endpoint, id, other_port, &stop_ccn(9)), Handled::Consumed);
    assert!(matches!(
        endpoint.poll_event(),
        Some(Event::TunnelClosed { reason: TunnelCloseReason::Peer(_), .. })
    ));
}

#[test]
fn the_answer_leaves_from_the_address_that_was_asked() {
    let mut endpoint = endpoint(server(config()), 1);
    for host in [10, 11, 12] {
        let asked = Path::l2tp(address(host), address(1));
        let datagram = encode((0, 0), (0, 0), &sccrq(u16::from(host)));
        let _ = endpoint.handle_datagram(NOW, LinkId::PLAIN, asked, &datagram);
        assert_eq!(drain(&mut endpoint, NOW)[0].0, asked);
    }
}

#[test]
fn a_session_over_ipv6() {
    let [lac, lns]: [SocketAddr; 2] =
        ["[2001:db8::1]:1701".parse().unwrap(), "[2001:db8::2]:1701".parse().unwrap()];
    let mut ends = [endpoint(client(config()), 1), endpoint(server(config()), 2)];
    let paths = [Path::l2tp(lac, lns), Path::l2tp(lns, lac)];
    let tunnel = ends[LAC].open_tunnel(NOW, LinkId::PLAIN, paths[LAC], config()).unwrap();
    let connected = Some(l2tp_control::ConnectedCall::default());
    let call = l2tp_control::IncomingCall::default();
    ends[LAC].open_session(NOW, tunnel, call, connected).unwrap();
    for _ in 0..10 {
        for from in 0..2 {
            for (path, octets) in drain(&mut ends[from], NOW) {
                assert_eq!(path, paths[from]);
                let _ =
                    ends[1 - from].handle_datagram(NOW, LinkId::PLAIN, paths[1 - from], &octets);
            }
        }
    }
    assert_eq!(ends[LNS].sessions().next().unwrap().path, paths[LNS]);
    assert_eq!(ends[LNS].counts().half_open, 0);
}

#[test]
fn two_endpoints_that_hear_each_others_garbage_fall_silent() {
    // What one says to a stranger reaches the other as if it were meant for it, and so on.
    let mut pair = Pair::of(config());
    for (end, other) in [(LAC, LNS), (LNS, LAC)] {
        for message in [sccrp(7), stop_ccn(7), scccn(), hello(), icrq(7), cdn(7)] {
            for ids in [(0, 0), (7, 0), (7, 7)] {
                let path = Path::l2tp(ADDRESSES[end], ADDRESSES[other]);
                let datagram = encode(ids, (0, 0), &message);
                let _ = pair.ends[end].handle_datagram(NOW, pair.link, path, &datagram);
            }
        }
    }
    pair.run(Duration::from_secs(100));
    assert_eq!(pair.sent, []);
}

#[test]
fn a_peer_that_takes_one_message_at_a_time_is_acknowledged_at_once() {
    // Android sends nothing before its last message is acknowledged, even by one that says no more.
    let lns = server(config()).incoming_calls(l2tp_control::Admission::Ask);
    let mut endpoint = endpoint(lns, 1);
    let path = Pair::path(LNS);
    let Message::Sccrq(mut sccrq) = sccrq(9) else { panic!() };
    sccrq.receive_window_size = Some(1);
    let datagram = encode((0, 0), (0, 0), &Message::Sccrq(sccrq));
    let _ = endpoint.handle_datagram(NOW, LinkId::PLAIN, path, &datagram);
    let id = assigned_tunnel_id(&drain(&mut endpoint, NOW)[0].1);
    for (ns, message) in [(1, scccn()), (2, icrq(1)), (3, icrq(2)), (4, hello())] {
        let datagram = encode((id, 0), (ns, 1), &message);
        let _ = endpoint.handle_datagram(NOW, LinkId::PLAIN, path, &datagram);
        let replies = drain(&mut endpoint, NOW);
        assert_eq!(replies.len(), 1);
        assert_eq!(replies[0].1.len(), 12, "a ZLB");
    }
}
