//! The case of an access network: subscribers, their LAC, and the LNS that takes over
//! (RFC 2661 §4.4.5, §5.2.1, §9.5).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod access;

use core::time::Duration;

use access::METHODS;
use access::World;
use access::client;
use access::ipv4;
use access::lac_config;
use access::lns_config;
use l2tp_control::SessionCloseReason;
use l2tp_control::TunnelCloseReason;
use l2tp_ipsec::AuthMethod;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::LacEvent;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::SubscriberError;
use l2tp_ipsec::SubscriberId;
use l2tp_ipsec::Users;
use l2tp_wire::AttributeType;
use l2tp_wire::CdnResult;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use ppp_core::CloseReason;
use ppp_core::Phase;
use ppp_core::Protocol;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_netsim::Link;

const SECOND: Duration = Duration::from_secs(1);

/// How it ended with a subscriber, according to the LAC.
fn ended(world: &World, id: SubscriberId) -> Option<&DisconnectReason> {
    world.said.iter().find_map(|event| match event {
        LacEvent::Ended { subscriber, reason, .. } if *subscriber == id => Some(reason),
        _ => None,
    })
}

fn result_from_peer(reason: &DisconnectReason) -> CdnResult {
    match reason {
        DisconnectReason::Call(SessionCloseReason::Peer { result, .. }) => result.result,
        other => panic!("{other}"),
    }
}

/// The attributes of the first control message of a type, with whether each is hidden.
fn attributes(world: &World, message: MessageType) -> Vec<(AttributeType, bool)> {
    let wire = world.wire.borrow();
    let control = wire.iter().find_map(|datagram| match Packet::decode(datagram).unwrap() {
        Packet::Control(control) if control.message_type() == Some(message) => Some(control),
        _ => None,
    });
    let avps = control.unwrap().avps().map(Result::unwrap);
    avps.map(|avp| (avp.attribute_type, avp.hidden)).collect()
}

fn shows(world: &World, text: &[u8]) -> bool {
    let wire = world.wire.borrow();
    wire.iter().any(|datagram| datagram.windows(text.len()).any(|part| part == text))
}

#[test]
fn the_subscriber_notices_nothing() {
    for method in METHODS {
        for secret in [None, Some("shared")] {
            let mut lac = lac_config(&[method]);
            let mut lns = lns_config(&METHODS);
            if let Some(secret) = secret {
                (lac, lns) = (lac.tunnel_secret(secret), lns.tunnel_secret(secret));
            }
            let mut world = World::new(lac, lns);
            let id = world.dial(client("alice", &[method]));
            world.run(SECOND);

            let subscriber = world.subscriber(0);
            let up = &world.connected[0];
            assert_eq!(subscriber.address(), Some(up.peer_address), "{method}");
            assert_eq!((&up.user[..], up.auth), ("alice", Some(method)));
            // LCP stands as the LAC negotiated it, and nobody asked a second time.
            assert_eq!(subscriber.heard_of_lns(Protocol::LCP, None), 0, "{method}");
            assert_eq!(subscriber.challenges(), usize::from(method != AuthMethod::Pap));
            assert!(matches!(
                &world.said[..],
                [LacEvent::Calling { user, .. }, LacEvent::Forwarding { subscriber, .. }]
                    if user == "alice" && *subscriber == id
            ));

            // Both know each other's magic number: echoes are answered for hours.
            world.run(2 * 3600 * SECOND);
            assert_eq!(world.subscriber(0).link.phase(), Phase::Network, "{method}");
            assert!(world.disconnected.is_empty() && ended(&world, id).is_none());

            // What the LNS was told, and who could read it on the way.
            let told = attributes(&world, MessageType::ICCN);
            let hidden = secret.is_some();
            for (attribute, hidden) in [
                (AttributeType::INITIAL_RECEIVED_LCP_CONFREQ, false),
                (AttributeType::LAST_SENT_LCP_CONFREQ, false),
                (AttributeType::LAST_RECEIVED_LCP_CONFREQ, false),
                (AttributeType::PROXY_AUTHEN_TYPE, false),
                (AttributeType::PROXY_AUTHEN_NAME, hidden),
                (AttributeType::PROXY_AUTHEN_ID, false),
                (AttributeType::PROXY_AUTHEN_RESPONSE, hidden),
            ] {
                assert!(told.contains(&(attribute, hidden)), "{method}: {attribute:?} in {told:?}");
            }
            let challenge = (AttributeType::PROXY_AUTHEN_CHALLENGE, false);
            assert_eq!(told.contains(&challenge), method != AuthMethod::Pap);
            assert_eq!(shows(&world, b"wonderland"), method == AuthMethod::Pap && !hidden);
        }
    }
}

#[test]
fn what_the_lns_would_not_have_agreed_to_is_negotiated_anew() {
    let other = [
        (AuthMethod::Pap, AuthMethod::ChapMd5),
        (AuthMethod::ChapMd5, AuthMethod::MsChapV2),
        (AuthMethod::MsChapV2, AuthMethod::Pap),
    ];
    for (first, second) in other {
        let mut world = World::new(lac_config(&[first]), lns_config(&[second]));
        world.dial(client("alice", &METHODS));
        world.run(30 * SECOND);
        let subscriber = world.subscriber(0);
        assert_eq!(subscriber.address(), Some(world.connected[0].peer_address), "{first}");
        assert_eq!(world.connected[0].auth, Some(second));
        assert_eq!(subscriber.lcp_requests_from_lns(), 1, "{first}");
    }
}

#[test]
fn an_lns_that_does_not_trust_the_lac_asks_again() {
    for method in METHODS {
        // It is what a server does unless told otherwise.
        let lns = l2tp_ipsec::ServerConfig::plain_l2tp()
            .pool("10.9.0.0/24".parse().unwrap())
            .auth([method]);
        let mut world = World::new(lac_config(&[method]), lns);
        world.dial(client("alice", &[method]));
        world.run(30 * SECOND);
        let subscriber = world.subscriber(0);
        assert_eq!(subscriber.address(), Some(world.connected[0].peer_address), "{method}");
        assert_eq!(subscriber.lcp_requests_from_lns(), 0, "{method}");
        assert_eq!(subscriber.challenges(), if method == AuthMethod::Pap { 0 } else { 2 });
    }
}

#[test]
fn a_proof_that_does_not_fit_is_not_told() {
    // A Proxy Authen Name has room for 1017 octets at most, a PPP frame for more.
    let mut world = World::new(lac_config(&[AuthMethod::ChapMd5]), lns_config(&METHODS));
    let id = world.dial_by_hand();
    let lac_says = |world: &World| world.subscriber(0).heard.clone();
    // By hand: agree to whatever the LAC asks, ask for nothing, and answer with a long name.
    let options = lac_says(&world)[0][8..].to_vec();
    let mut ack = b"\xff\x03\xc0\x21\x02".to_vec();
    ack.push(lac_says(&world)[0][5]);
    ack.extend_from_slice(&u16::try_from(options.len() + 4).unwrap().to_be_bytes());
    ack.extend_from_slice(&options);
    let frame = |world: &mut World, frame: &[u8]| {
        world.with_lac(|lac, now| lac.handle_frame(now, id, frame))
    };
    let _ = frame(&mut world, &ack);
    let _ = frame(&mut world, b"\xff\x03\xc0\x21\x01\x01\x00\x04");
    let challenge = lac_says(&world).into_iter().find(|f| f[2..5] == [0xc2, 0x23, 1]).unwrap();
    let mut response = b"\xff\x03\xc2\x23\x02".to_vec();
    response.push(challenge[5]);
    response.extend_from_slice(&(4 + 17 + 1100_u16).to_be_bytes());
    response.push(16);
    response.extend_from_slice(&[7; 16 + 1100]);
    let _ = frame(&mut world, &response);
    world.run(SECOND);
    assert!(world.said.iter().any(|event| matches!(event, LacEvent::Forwarding { .. })));
    let told = attributes(&world, MessageType::ICCN);
    assert!(told.iter().all(|(kind, _)| *kind != AttributeType::LAST_SENT_LCP_CONFREQ));
    assert_eq!(world.subscriber(0).lcp_requests_from_lns(), 1);
}

#[test]
fn a_wrong_password_is_found_by_the_lns() {
    for method in METHODS {
        let users = Users::new().user("alice", "other");
        let mut world = World::with_users(lac_config(&[method]), lns_config(&[method]), users, 1);
        let id = world.dial(client("alice", &[method]));
        world.run(60 * SECOND);
        let closed = world.subscriber(0).closed.as_ref();
        assert!(matches!(closed, Some(CloseReason::AuthFailed(_))), "{method}: {closed:?}");
        let reason = ended(&world, id).unwrap();
        assert_eq!(result_from_peer(reason), CdnResult::ADMINISTRATIVE, "{method}");
        let reason = &world.disconnected[0].reason;
        assert!(matches!(reason, DisconnectReason::Ppp(CloseReason::AuthFailed(_))), "{reason}");
        assert!(world.connected.is_empty());
    }
}

#[test]
fn a_subscriber_that_does_not_want_to_prove_itself_is_not_forwarded() {
    let mut world = World::new(lac_config(&[AuthMethod::MsChapV2]), lns_config(&METHODS));
    let id = world.dial(client("alice", &[AuthMethod::Pap]));
    world.run(60 * SECOND);
    let reason = ended(&world, id);
    assert!(
        matches!(reason, Some(DisconnectReason::Ppp(CloseReason::NoCommonAuth { .. }))),
        "{reason:?}"
    );
    assert!(world.wire.borrow().is_empty(), "the LNS was called");
}

#[test]
fn a_lost_line_is_told_to_the_lns() {
    let mut world = World::new(lac_config(&METHODS), lns_config(&METHODS));
    let id = world.dial(client("alice", &METHODS));
    world.run(SECOND);
    world.cut(0);
    world.run(SECOND);
    let lower_down = DisconnectReason::Ppp(CloseReason::LowerDown);
    assert_eq!(ended(&world, id), Some(&lower_down));
    assert_eq!(result_from_peer(&world.disconnected[0].reason), CdnResult::LOST_CARRIER);
    let dropped = world.with_lac(|lac, now| lac.handle_frame(now, id, b"\xff\x03\xc0\x21"));
    assert_eq!(dropped, Handled::Dropped(DropReason::UnknownSession));
    assert_eq!(world.access().lac.subscribers(), 0);
}

#[test]
fn a_line_may_be_lost_at_any_moment() {
    let lower_down = DisconnectReason::Ppp(CloseReason::LowerDown);
    for wait in 0..120 {
        let mut world = World::new(lac_config(&METHODS), lns_config(&METHODS));
        let id = world.dial(client("alice", &METHODS));
        world.run(Duration::from_millis(wait));
        world.cut(0);
        world.run(120 * SECOND);
        assert_eq!(ended(&world, id), Some(&lower_down), "after {wait} ms");
        assert_eq!(world.server().sessions().count(), 0);
        assert_eq!((world.server().tunnels(), world.access().lac.counts().sessions), (0, 0));
    }
}

#[test]
fn a_lost_lns_ends_its_subscribers_and_the_next_one_calls_again() {
    let mut world = World::new(lac_config(&METHODS), lns_config(&METHODS));
    let first = world.dial(client("alice", &METHODS));
    world.run(SECOND);
    world.net.partition(&[world.lns]);
    world.run(180 * SECOND);
    let reason = ended(&world, first).unwrap();
    assert!(
        matches!(reason, DisconnectReason::Tunnel(TunnelCloseReason::NoAnswer { .. })),
        "{reason}"
    );
    // The subscriber was told, though its line stayed up.
    let closed = world.subscriber(0).closed.as_ref();
    let told = closed.is_some_and(|reason| {
        matches!(reason, CloseReason::PeerTerminated { message, .. } if message.contains("network"))
            || matches!(reason, CloseReason::EchoLost { .. })
    });
    assert!(told, "{closed:?}");

    world.net.heal();
    world.dial(client("alice", &METHODS));
    world.run(10 * SECOND);
    assert!(world.subscriber(1).address().is_some());
}

#[test]
fn an_lns_that_is_not_there_is_given_up() {
    let mut world = World::new(lac_config(&METHODS), lns_config(&METHODS));
    world.net.partition(&[world.lns]);
    let id = world.dial(client("alice", &METHODS));
    world.run(SECOND);
    // Its frames wait, but not without limit.
    let keep = |lac: &mut l2tp_ipsec::Lac, now| lac.handle_frame(now, id, &[0xff; 1000]);
    let kept = (0..20).filter(|_| world.with_lac(keep) == Handled::Consumed).count();
    assert_eq!(kept, 8);
    assert_eq!(world.access().lac.drops().get(DropReason::LimitReached), 12);
    world.run(60 * SECOND);
    let reason = ended(&world, id).unwrap();
    assert!(matches!(
        reason,
        DisconnectReason::Tunnel(TunnelCloseReason::NoAnswer { heard: false, .. })
    ));
    let closed = world.subscriber(0).closed.as_ref();
    assert!(matches!(closed, Some(CloseReason::PeerTerminated { .. })), "{closed:?}");
}

#[test]
fn an_lns_that_clears_a_call_ends_its_subscriber() {
    let mut world = World::new(lac_config(&METHODS), lns_config(&METHODS));
    let id = world.dial(client("alice", &METHODS));
    world.run(SECOND);
    let session = world.connected[0].session;
    world.net.with(world.lns, |node, now| {
        node.server_mut().disconnect(now, session, LocalReason::Requested);
    });
    world.run(SECOND);
    assert_eq!(result_from_peer(ended(&world, id).unwrap()), CdnResult::ADMINISTRATIVE);
    let closed = world.subscriber(0).closed.as_ref();
    assert!(matches!(closed, Some(CloseReason::PeerTerminated { .. })), "{closed:?}");
}

#[test]
fn ip_passes_both_ways() {
    for sequencing in [false, true] {
        let lac = lac_config(&METHODS).sequencing(sequencing);
        let mut world = World::new(lac, lns_config(&METHODS));
        let id = world.dial(client("alice", &METHODS));
        world.run(SECOND);
        let up = &world.connected[0];
        let (inside, outside) = (up.peer_address, up.local_address);
        let (there, back) = (ipv4(inside, outside), ipv4(outside, inside));
        for _ in 0..10 {
            let frame = [&[0xff, 0x03, 0x00, 0x21], &there[..]].concat();
            let handled = world.with_lac(|lac, now| lac.handle_frame(now, id, &frame));
            assert_eq!(handled, Handled::Consumed);
            world.send_from_lns(&back);
            world.run(SECOND);
        }
        assert_eq!(world.packets, vec![there; 10]);
        assert_eq!(world.subscriber(0).packets, vec![back; 10]);
        let numbered =
            world.wire.borrow().iter().all(|datagram| match Packet::decode(datagram).unwrap() {
                Packet::Data(data) => data.header.sequence.is_some() == sequencing,
                Packet::Control(_) => true,
            });
        assert!(numbered, "sequencing: {sequencing}");
    }
}

#[test]
fn many_subscribers_share_a_tunnel() {
    let users = (0..20).fold(Users::new(), |users, n| users.user(&format!("u{n}"), "wonderland"));
    let mut world = World::with_users(lac_config(&METHODS), lns_config(&METHODS), users, 1);
    for n in 0..20 {
        world.dial(client(&format!("u{n}"), &METHODS));
    }
    world.run(SECOND);
    assert_eq!(world.connected.len(), 20);
    let mut addresses: Vec<_> = (0..20).map(|n| world.subscriber(n).address().unwrap()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 20);
    let counts = world.access().lac.counts();
    assert_eq!((counts.tunnels, counts.sessions), (1, 20));

    // It stays while one of them is there, and goes when none has been for a while.
    (1..20).for_each(|n| world.cut(n));
    world.run(120 * SECOND);
    assert_eq!(world.server().tunnels(), 1);
    assert_eq!(world.server().sessions().count(), 1);
    world.cut(0);
    world.run(29 * SECOND);
    assert_eq!(world.server().tunnels(), 1);
    world.run(2 * SECOND);
    assert_eq!(world.server().tunnels(), 0);
    // A subscriber after that gets a new one.
    world.dial(client("u7", &METHODS));
    world.run(SECOND);
    assert!(world.subscriber(20).address().is_some());
}

#[test]
fn a_burst_of_subscribers_waits_its_turn() {
    // More calls than control messages may wait in the tunnel.
    let users = (0..400).fold(Users::new(), |users, n| users.user(&format!("u{n}"), "wonderland"));
    let lns = lns_config(&METHODS).pool("10.9.0.0/22".parse().unwrap());
    let mut world = World::with_users(lac_config(&METHODS), lns, users, 1);
    for n in 0..400 {
        world.dial(client(&format!("u{n}"), &METHODS));
    }
    world.run(5 * SECOND);
    assert!((0..400).all(|n| world.subscriber(n).address().is_some()));
    assert_eq!(world.access().lac.counts().tunnels, 1);
    // They all learn of the tunnel's end.
    world.net.partition(&[world.lns]);
    world.run(180 * SECOND);
    let ends = world.said.iter().filter(|event| matches!(event, LacEvent::Ended { .. })).count();
    assert_eq!((ends, world.access().lac.subscribers()), (400, 0));
}

#[test]
fn frames_may_be_lost_anywhere() {
    for (seed, method) in (0..40).zip(METHODS.into_iter().cycle()) {
        let users = Users::new().user("alice", "wonderland");
        let (lac, lns) = (lac_config(&METHODS), lns_config(&METHODS));
        let mut world = World::with_users(lac, lns, users, seed);
        world.net.set_links(world.lac, world.lns, Link { loss: 0.15, ..Link::default() });
        world.net.with(world.lac, |node, _| node.client_mut().line_loss = 0.15);
        world.dial(client("alice", &[method]));
        world.run(60 * SECOND);
        let subscriber = world.subscriber(0);
        assert!(subscriber.address().is_some(), "seed {seed}, {method}: {:?}", world.said);
        assert_eq!(subscriber.address(), world.connected.last().map(|up| up.peer_address));
    }
}

#[test]
fn there_is_room_for_so_many_subscribers() {
    let mut world = World::new(lac_config(&METHODS).max_subscribers(1), lns_config(&METHODS));
    world.dial(client("alice", &METHODS));
    let refused = world.with_lac(|lac, now| lac.subscriber_up(now).unwrap_err());
    assert_eq!(refused, SubscriberError::LimitReached);
    world.cut(0);
    world.dial(client("alice", &METHODS));
    world.run(SECOND);
    assert!(world.subscriber(1).address().is_some());
}

#[test]
fn a_subscriber_may_be_sent_away() {
    let mut world = World::new(lac_config(&METHODS), lns_config(&METHODS));
    let id = world.dial(client("alice", &METHODS));
    world.run(SECOND);
    world.with_lac(|lac, now| {
        lac.disconnect(now, id);
        lac.disconnect(now, id);
    });
    world.run(SECOND);
    let requested = DisconnectReason::Local(LocalReason::Requested);
    assert_eq!(ended(&world, id), Some(&requested));
    assert_eq!(result_from_peer(&world.disconnected[0].reason), CdnResult::ADMINISTRATIVE);
    let closed = world.subscriber(0).closed.as_ref();
    assert!(matches!(closed, Some(CloseReason::PeerTerminated { .. })), "{closed:?}");
}

#[test]
fn a_lac_closes_in_order_and_then_does_nothing() {
    let mut world = World::new(lac_config(&METHODS), lns_config(&METHODS));
    let first = world.dial(client("alice", &METHODS));
    world.run(SECOND);
    let second = world.dial(
        client("alice", &METHODS)
            .restart(ppp_core::Restart { period: 10 * SECOND, ..ppp_core::Restart::default() }),
    );
    world.with_lac(|lac, now| lac.close(now));
    let refused = world.with_lac(|lac, now| lac.subscriber_up(now).unwrap_err());
    assert_eq!(refused, SubscriberError::Closing);
    world.run(SECOND);
    let shutting_down = DisconnectReason::Local(LocalReason::ShuttingDown);
    assert_eq!(ended(&world, first), Some(&shutting_down));
    assert_eq!(ended(&world, second), Some(&shutting_down));
    assert!(matches!(world.said.last(), Some(LacEvent::Closed)));
    let told = &world.disconnected[0].reason;
    assert!(matches!(told, DisconnectReason::Tunnel(TunnelCloseReason::Peer(_))), "{told}");
    world.with_lac(|lac, now| {
        assert_eq!(lac.poll_timeout(), None);
        assert!(lac.poll_transmit(now, &mut Vec::new()).is_none());
        assert!(lac.poll_frame(now, &mut Vec::new()).is_none());
        let path = vpn_core::Path::l2tp(access::lac_address(), access::lns_address());
        let handled = lac.handle_datagram(now, path, &mut [0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(handled, Handled::Dropped(DropReason::Closed));
        lac.handle_timeout(now);
        assert!(lac.poll_event().is_none());
    });
}

#[test]
fn only_plain_l2tp_is_taken() {
    let mut world = World::new(lac_config(&METHODS), lns_config(&METHODS));
    let mut path = vpn_core::Path::l2tp(access::lac_address(), access::lns_address());
    path.socket = vpn_core::Socket::NatT;
    let handled = world.with_lac(|lac, now| lac.handle_datagram(now, path, &mut [0; 12]));
    assert_eq!(handled, Handled::Dropped(DropReason::NotAllowed));
}
