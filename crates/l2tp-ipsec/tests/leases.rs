//! Log-in, addresses and idleness: what a session may hold, and for how long.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod sim;

use core::net::Ipv4Addr;

use l2tp_ipsec::ConfigError;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::Server;
use l2tp_ipsec::Users;
use vpn_netsim::Link;
use vpn_netsim::SeededRandom;

use sim::World;
use sim::client_config;
use sim::millis;
use sim::secs;
use sim::server_config;

/// The first address that the pool of these tests lends.
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);

#[test]
fn a_log_in_that_nobody_answers_ends_in_time() {
    let config = server_config().ask_for_users(true).login_timeout(secs(5));
    let mut world = World::new(1, Link::default(), config, Users::new());
    let id = world.connect(client_config());
    world.wait_end(id, secs(30));
    let ended = &world.disconnected[0];
    assert_eq!(ended.reason, DisconnectReason::Local(LocalReason::LoginTime(secs(5))));
    world.wait_empty(sim::NOTICED);
}

#[test]
fn a_fixed_address_is_kept_for_its_user() {
    let users = Users::new().user("alice", "wonderland").user_at("bob", "builder", FIRST);
    let mut world = World::new(1, Link::default(), server_config(), users);
    let alice = world.connect(client_config());
    let alice = world.wait_up(alice, secs(10));
    assert_ne!(alice.local_address, FIRST);
    let bob = world.connect(client_config().user("bob", "builder"));
    assert_eq!(world.wait_up(bob, secs(10)).local_address, FIRST);
}

#[test]
fn nobody_gets_the_servers_own_address() {
    let users = Users::new().user_at("bob", "builder", sim::INSIDE);
    let random = Box::new(SeededRandom::new(1));
    let server = Server::new(server_config(), users, vpn_crypto::provider(), random);
    assert_eq!(server.err(), Some(ConfigError::UserAtServer(sim::INSIDE)));
}

#[test]
fn a_session_that_only_receives_is_not_idle() {
    let config = server_config().idle_timeout(secs(10));
    let mut world = World::new(1, Link::default(), config, sim::users());
    let id = world.connect(client_config());
    let session = world.wait_both_up(id, secs(10));
    let packet = sim::packet::udp(sim::INSIDE, world.clients[&id].address(), 100, 0);
    for _ in 0..10 {
        world.run_for(secs(5));
        world.send_down(session, &packet).unwrap();
    }
    assert_eq!(world.server().sessions().count(), 1);
    let reason = world.wait_end(id, secs(40));
    assert!(reason.explain().contains("idle"), "{reason}");
    assert_eq!(world.disconnected[0].reason, DisconnectReason::Local(LocalReason::Idle(secs(10))));
}

#[test]
fn a_drain_ends_whenever_it_begins() {
    for step in 0..60 {
        let mut world = World::ordinary(step);
        let id = world.connect(client_config());
        world.run_for(millis(step * 5));
        world.with_server(|server, now| server.drain(now));
        assert!(world.run_while(secs(60), |world| !world.drained), "after {step} × 5 ms");
        world.wait_end(id, secs(60));
    }
}
