//! What operators do, and what clients are told.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod sim;

use core::net::Ipv4Addr;
use core::time::Duration;

use l2tp_control::AuthFailure;
use l2tp_control::SessionCloseReason;
use l2tp_control::TunnelCloseReason;
use l2tp_ipsec::AuthMethod;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::Users;
use l2tp_wire::CdnResult;
use l2tp_wire::StopCcnResult;
use ppp_core::AnswerError;
use ppp_core::AuthVerdict;
use ppp_core::CloseReason;
use ppp_core::NetworkFailure;
use ppp_core::Phase;
use vpn_netsim::Link;
use vpn_netsim::NodeId;

use sim::World;
use sim::client_config;
use sim::millis;
use sim::secs;
use sim::server_config;
use sim::users;

fn world(config: ServerConfig, users: Users) -> World {
    World::new(1, Link::default(), config, users)
}

/// Has a client fail, and says why; everything is cleaned up behind it.
fn fails(server: ServerConfig, client: ClientConfig) -> DisconnectReason {
    let mut world = world(server, users());
    let id = world.connect(client);
    let reason = world.wait_end(id, secs(150));
    assert!(world.clients[&id].up.is_none(), "it never came up");
    world.wait_empty(secs(150));
    reason
}

#[test]
fn sessions_are_listed_with_what_they_carry() {
    let mut world = world(server_config(), users());
    assert_eq!(world.server().sessions().count(), 0);
    let id = world.connect(client_config());
    let up = world.wait_up(id, secs(10));
    world.run_for(secs(1));
    let before: Vec<_> = world.server().sessions().collect();
    let [status] = &before[..] else { panic!("{before:?}") };
    assert_eq!(status.user.as_deref(), Some("alice"));
    assert_eq!(status.phase, Phase::Network);
    assert_eq!(status.peer_address, Some(up.local_address));
    assert_eq!(status.path.remote, world.address(id));
    assert!(status.up_since.unwrap() <= world.net.now());
    assert_eq!((up.peer_address, up.user.as_str()), (sim::INSIDE, "alice"));
    assert_eq!(up.auth, Some(AuthMethod::ChapMd5));

    let packet = sim::packet::udp(up.local_address, sim::INSIDE, 100, 0);
    for _ in 0..3 {
        world.send(id, &packet).unwrap();
    }
    world.run_for(secs(1));
    let counters = world.server().session(status.session).unwrap().counters;
    assert_eq!((counters.rx_packets, counters.rx_octets), (3, 300));
    assert_eq!((counters.tx_packets, counters.tx_octets), (3, 300));
    assert_eq!(world.client(id).session().unwrap().counters, counters, "seen from the other end");
}

#[test]
fn an_operator_disconnects_one_of_many() {
    let mut world = world(server_config(), users());
    let ids: Vec<_> = (0..3).map(|_| world.connect(client_config())).collect();
    world.run_for(secs(5));
    let session = world.session_of(world.clients[&ids[1]].address()).unwrap();
    world.with_server(|server, now| server.disconnect(now, session, LocalReason::Requested));
    let reason = world.wait_end(ids[1], secs(5));
    let told = matches!(
        &reason,
        DisconnectReason::Ppp(CloseReason::PeerTerminated { message, .. })
            if message == "administrative disconnect"
    );
    assert!(told, "{reason}");
    let ended = &world.disconnected[0];
    assert_eq!(ended.session, session);
    assert_eq!(ended.reason, DisconnectReason::Local(LocalReason::Requested));
    assert_eq!(ended.user.as_deref(), Some("alice"));
    assert_eq!(world.server().sessions().count(), 2);
    // A session that is over needs no closing.
    world.with_server(|server, now| server.disconnect(now, session, LocalReason::Requested));
    world.run_for(secs(5));
    assert_eq!(world.disconnected.len(), 1);
}

#[test]
fn a_client_may_hang_up_at_any_moment() {
    for step in 0..60 {
        let mut world = World::ordinary(step);
        let id = world.connect(client_config());
        world.run_for(millis(step * 5));
        world.hang_up(id);
        let reason = world.wait_end(id, secs(40));
        assert_eq!(reason, DisconnectReason::Local(LocalReason::Requested), "after {step} × 5 ms");
        world.wait_empty(secs(200));
    }
}

#[test]
fn a_client_that_never_connected_can_be_closed() {
    let mut world = World::ordinary(1);
    let id = world.add(client_config());
    world.hang_up(id);
    assert_eq!(world.wait_end(id, secs(0)), DisconnectReason::Local(LocalReason::Requested));
    assert_eq!(world.net.counts().sent, 0);
}

fn drains(clients: usize) {
    let mut world = world(server_config(), users());
    let ids: Vec<NodeId> = (0..clients).map(|_| world.connect(client_config())).collect();
    world.run_for(secs(20));
    assert_eq!(world.server().sessions().count(), clients);
    world.with_server(|server, now| server.drain(now));
    let late = world.connect(client_config());
    assert!(world.run_while(secs(60), |world| !world.drained), "not drained after a minute");
    for id in ids {
        let reason = world.wait_end(id, secs(5));
        let told = match &reason {
            DisconnectReason::Ppp(CloseReason::PeerTerminated { message, .. }) => {
                message == "shutting down"
            }
            _ => false,
        };
        assert!(told, "{reason}");
    }
    assert_eq!((world.server().sessions().count(), world.server().tunnels()), (0, 0));
    let shut_down = DisconnectReason::Local(LocalReason::ShuttingDown);
    assert!(world.disconnected.iter().all(|ended| ended.reason == shut_down));
    assert_eq!(world.server().poll_timeout(), None, "a drained server is inert");
    // Whoever comes now is turned away, or finds nobody.
    let reason = world.wait_end(late, secs(31));
    let turned_away = match &reason {
        DisconnectReason::Tunnel(TunnelCloseReason::Peer(result)) => {
            result.result == StopCcnResult::SHUTTING_DOWN
        }
        DisconnectReason::Tunnel(TunnelCloseReason::NoAnswer { .. }) => true,
        _ => false,
    };
    assert!(turned_away, "{reason}");
}

#[test]
fn a_server_is_drained() {
    drains(0);
    drains(1);
    drains(2_000);
}

#[test]
fn drain_does_not_wait_for_the_dead() {
    let mut world = world(server_config(), users());
    let ids: Vec<NodeId> = (0..5).map(|_| world.connect(client_config())).collect();
    world.run_for(secs(5));
    world.net.partition(&ids);
    world.with_server(|server, now| server.drain(now));
    // PPP gives up after two Terminate-Requests, the call's CDN and the StopCCN after 31 s each.
    assert!(world.run_while(secs(6 + 31 + 31 + 1), |world| !world.drained));
    assert_eq!(world.disconnected.len(), 5);
    assert_eq!((world.server().sessions().count(), world.server().tunnels()), (0, 0));
}

#[test]
fn idle_sessions_end_and_busy_ones_stay() {
    let limit = secs(600);
    for by_server in [true, false] {
        let (server, client) = if by_server {
            (server_config().idle_timeout(limit), client_config())
        } else {
            (server_config(), client_config().idle_timeout(limit))
        };
        let mut world = world(server, users());
        let (idle, busy) = (world.connect(client.clone()), world.connect(client));
        let up = world.wait_up(busy, secs(10));
        world.run_for(secs(1));
        let packet = sim::packet::udp(up.local_address, sim::INSIDE, 60, 0);
        for _ in 0..30 {
            world.run_for(secs(300));
            assert_eq!(world.clients[&busy].ended, None);
            world.send(busy, &packet).unwrap();
        }
        assert!(
            world.clients[&idle].ended.is_some(),
            "echoes do not keep a session from being idle"
        );
        let idle = if by_server {
            assert_eq!(world.disconnected.len(), 1);
            world.disconnected[0].reason.clone()
        } else {
            world.clients[&idle].ended.clone().unwrap()
        };
        assert_eq!(idle, DisconnectReason::Local(LocalReason::Idle(limit)));
        assert_eq!(
            world.clients[&busy].packets.len(),
            29 + usize::from(world.clients[&busy].packets.len() == 30)
        );
        world.run_for(limit + secs(100));
        assert!(world.clients[&busy].ended.is_some());
        world.wait_empty(sim::NOTICED);
    }
}

#[test]
fn sessions_last_no_longer_than_they_may() {
    let limit = secs(3_600);
    let mut world = world(server_config().session_limit(limit), users());
    let id = world.connect(client_config());
    world.wait_up(id, secs(10));
    let start = world.net.now();
    world.wait_end(id, limit + secs(5));
    assert!(world.net.now().since(start) >= limit - secs(1));
    assert_eq!(
        world.disconnected[0].reason,
        DisconnectReason::Local(LocalReason::TimeLimit(limit))
    );
}

#[test]
fn no_more_sessions_than_allowed() {
    let mut world = world(server_config().max_sessions(2), users());
    let ids: Vec<_> = (0..2).map(|_| world.connect(client_config())).collect();
    world.run_for(secs(5));
    let third = world.connect(client_config());
    let reason = world.wait_end(third, secs(10));
    let told = match &reason {
        DisconnectReason::Call(SessionCloseReason::Peer { result, .. }) => {
            result.result == CdnResult::NO_FACILITIES_TEMPORARY
        }
        _ => false,
    };
    assert!(told, "{reason:?}");
    world.hang_up(ids[0]);
    world.run_for(secs(5));
    world.redial(third, client_config());
    world.wait_up(third, secs(10));
}

#[test]
fn users_with_a_fixed_address_get_it() {
    let fixed = Ipv4Addr::new(10, 9, 7, 7);
    let outside = Ipv4Addr::new(172, 16, 0, 9);
    let users = users().user_at("bob", "builder", fixed).user_at("eve", "apple", outside);
    let mut world = world(server_config(), users);
    let config = |name, password| client_config().user(name, password);
    let bob = world.connect(config("bob", "builder"));
    let eve = world.connect(config("eve", "apple"));
    let alice = world.connect(client_config());
    assert_eq!(world.wait_up(bob, secs(10)).local_address, fixed);
    assert_eq!(world.wait_up(eve, secs(10)).local_address, outside);
    assert_ne!(world.wait_up(alice, secs(10)).local_address, fixed);

    let second = world.connect(config("bob", "builder"));
    let reason = world.wait_end(second, secs(60));
    assert!(matches!(reason, DisconnectReason::NoIpv4(NetworkFailure::Rejected)), "{reason:?}");
    world.hang_up(bob);
    world.run_for(secs(5));
    world.redial(second, config("bob", "builder"));
    assert_eq!(world.wait_up(second, secs(10)).local_address, fixed);
}

#[test]
fn an_exhausted_pool_is_told_and_refills() {
    let config = server_config().pool("10.8.0.0/30".parse().unwrap());
    let mut world = world(config, users());
    let first = world.connect(client_config());
    assert_eq!(world.wait_up(first, secs(10)).local_address, Ipv4Addr::new(10, 8, 0, 2));
    let second = world.connect(client_config());
    let reason = world.wait_end(second, secs(60));
    assert!(reason.explain().contains("address pool"), "{reason}");
    assert_eq!(world.disconnected[0].reason, DisconnectReason::NoIpv4(NetworkFailure::NoAddress));
    world.hang_up(first);
    world.run_for(secs(5));
    world.redial(second, client_config());
    assert_eq!(world.wait_up(second, secs(10)).local_address, Ipv4Addr::new(10, 8, 0, 2));
}

#[test]
fn addresses_do_not_leak_over_bad_lines() {
    let config = server_config().pool("10.8.0.0/28".parse().unwrap());
    let mut world = World::new(9, Link { loss: 0.2, ..Link::default() }, config, users());
    let ids: Vec<_> = (0..13).map(|_| world.add(client_config())).collect();
    for round in 0..20u64 {
        for id in &ids {
            if round == 0 {
                world.call(*id);
            } else {
                world.redial(*id, client_config());
            }
        }
        world.run_for(secs(round * 3));
        for id in &ids {
            if world.clients[id].ended.is_none() {
                world.hang_up(*id);
            }
            world.wait_end(*id, secs(100));
        }
        world.wait_empty(secs(300));
    }
}

#[test]
fn a_wrong_password_is_told() {
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2, AuthMethod::Pap] {
        for user in ["alice", "nobody"] {
            let client = client_config().user(user, "wrong").auth([method]);
            let reason = fails(server_config().auth([method]), client);
            let told = matches!(&reason, DisconnectReason::Ppp(CloseReason::AuthFailed(_)));
            assert!(told, "{method:?}: {reason}");
            assert!(reason.explain().contains("password"), "{reason}");
        }
    }
}

#[test]
fn every_method_lets_the_right_user_in() {
    let all = [AuthMethod::MsChapV2, AuthMethod::ChapMd5, AuthMethod::Pap];
    for method in all {
        for (server, client) in [(vec![method], all.to_vec()), (all.to_vec(), vec![method])] {
            let mut world = world(server_config().auth(server), users());
            let id = world.connect(client_config().auth(client));
            assert_eq!(world.wait_up(id, secs(20)).auth, Some(method));
        }
    }
}

#[test]
fn no_common_method_is_told() {
    let server = server_config().auth([AuthMethod::MsChapV2]);
    let reason = fails(server, client_config().auth([AuthMethod::Pap]));
    let told = matches!(&reason, DisconnectReason::Ppp(CloseReason::NoCommonAuth { .. }));
    assert!(told, "{reason:?}");
    let text = reason.explain();
    assert!(text.contains("PAP") && text.contains("MS-CHAP"), "both lists are named: {text}");
}

#[test]
fn the_application_knows_users_that_the_server_does_not() {
    let mut world = world(server_config().ask_for_users(true), Users::new());
    let patient = client_config();
    for accept in [true, false] {
        let id = world.connect(patient.clone());
        world.run_while(secs(10), |world| world.requests.is_empty());
        let (session, request) = world.requests.pop().unwrap();
        assert_eq!(request.user(), "alice");
        // As long as a RADIUS server may take. The client repeats its Response meanwhile.
        world.run_for(secs(8));
        assert_eq!(world.clients[&id].ended, None);
        assert!(world.requests.is_empty(), "it is asked once");
        let provider = vpn_crypto::provider();
        let verdict = if accept {
            request.verify(b"wonderland", provider)
        } else {
            AuthVerdict::wrong_password()
        };
        let ticket = request.ticket;
        let answer = |world: &mut World| {
            world.with_server(|server, _| server.answer_auth(session, ticket, verdict.clone()))
        };
        assert_eq!(answer(&mut world), Ok(()));
        assert_eq!(answer(&mut world), Err(AnswerError::Stale), "once");
        if accept {
            assert_eq!(world.wait_up(id, secs(10)).user, "alice");
        } else {
            let reason = world.wait_end(id, secs(10));
            assert!(
                matches!(reason, DisconnectReason::Ppp(CloseReason::AuthFailed(_))),
                "{reason}"
            );
        }
    }
}

#[test]
fn logging_in_may_not_take_for_ever() {
    let limit = secs(20);
    let config = server_config().ask_for_users(true).login_timeout(limit);
    let mut world = world(config, Users::new());
    let id = world.connect(client_config());
    world.wait_end(id, limit + secs(5));
    assert_eq!(
        world.disconnected[0].reason,
        DisconnectReason::Local(LocalReason::LoginTime(limit))
    );
    world.wait_empty(sim::NOTICED);
}

#[test]
fn a_ticket_of_a_session_that_is_gone_is_no_use() {
    let mut world = world(server_config().ask_for_users(true), Users::new());
    let id = world.connect(client_config());
    world.run_while(secs(10), |world| world.requests.is_empty());
    let (session, request) = world.requests.pop().unwrap();
    world.hang_up(id);
    world.wait_end(id, secs(10));
    world.run_for(secs(1));
    let verdict = request.verify(b"wonderland", vpn_crypto::provider());
    let answer =
        world.with_server(|server, _| server.answer_auth(session, request.ticket, verdict));
    assert_eq!(answer, Err(AnswerError::Stale));
    world.wait_empty(sim::NOTICED);
}

#[test]
fn tunnel_secrets_must_match() {
    let reason = fails(server_config().tunnel_secret("one"), client_config().tunnel_secret("two"));
    let refused = matches!(
        &reason,
        DisconnectReason::Tunnel(TunnelCloseReason::NotAuthorized(_) | TunnelCloseReason::Peer(_))
    );
    assert!(refused, "{reason:?}");

    let reason = fails(server_config().tunnel_secret("one"), client_config());
    let expected = TunnelCloseReason::NotAuthorized(AuthFailure::NoSecret);
    assert_eq!(reason, DisconnectReason::Tunnel(expected));

    let reason = fails(server_config(), client_config().tunnel_secret("one"));
    assert!(matches!(&reason, DisconnectReason::Tunnel(_)), "{reason:?}");
    assert!(reason.explain().contains("secret"), "{reason}");
}

#[test]
fn a_tunnel_secret_and_hidden_avps_work_over_a_bad_line() {
    for seed in 0..20 {
        let link = Link { loss: 0.1, duplicate: 0.1, reorder: 0.2, ..Link::default() };
        let server = server_config().tunnel_secret("s3cret").hide_avps(seed % 2 == 0);
        let mut world = World::new(seed, link, server, users());
        let client = client_config().tunnel_secret("s3cret").hide_avps(seed % 3 == 0);
        let id = world.connect(client);
        world.wait_both_up(id, secs(120));
        world.hang_up(id);
        world.wait_end(id, secs(100));
        world.wait_empty(secs(200));
    }
}

#[test]
fn a_server_that_never_answers_is_given_up_after_31_seconds() {
    let mut world = World::ordinary(1);
    let id = world.add(client_config());
    world.net.partition(&[id]);
    world.call(id);
    let reason = world.wait_end(id, secs(32));
    assert_eq!(world.net.now().as_micros(), 31_000_000);
    assert!(
        matches!(
            reason,
            DisconnectReason::Tunnel(TunnelCloseReason::NoAnswer { heard: false, .. })
        ),
        "{reason}"
    );
    assert_eq!(world.net.counts().sent, 6, "the SCCRQ and its five repeats");
}

#[test]
fn a_server_that_falls_silent_ends_every_state() {
    // Whatever the client waits for, silence ends it within the published time.
    for step in 0..60 {
        let mut world = World::ordinary(step);
        let id = world.connect(client_config());
        world.run_for(millis(step * 5));
        world.net.partition(&[id]);
        let limit: Duration = secs(60 + 31 + 31);
        world.wait_end(id, limit);
        world.wait_empty(secs(300));
    }
}
