//! L2TP over IPsec between our own client and server.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::ike::Encapsulation;
use vpn_core::Socket;
use vpn_netsim::Nat;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;

use sim::World;
use sim::packet;
use sim::secs;
use sim::secure_client_config;

/// A packet goes from the client to the server and comes back.
fn echoes(world: &mut World, id: NodeId, tag: u8) {
    let before = world.clients[&id].packets.len();
    let packet = packet::udp(world.clients[&id].address(), sim::INSIDE, 200, tag);
    world.send(id, &packet).unwrap();
    world.run_for(secs(1));
    let packets = &world.clients[&id].packets;
    assert_eq!(packets[before..], [packet::echoed(&packet)]);
}

#[test]
fn from_the_first_packet_on_500_to_an_ip_packet_and_back() {
    for seed in [1, 2] {
        let mut world = World::secure(seed);
        let id = world.connect(secure_client_config());
        let up = world.wait_up(id, secs(10));
        assert_eq!(up.path.socket, Socket::L2tp);
        echoes(&mut world, id, 1);
        world.hang_up(id);
        let reason = world.wait_end(id, secs(10));
        assert_eq!(reason, DisconnectReason::Local(LocalReason::Requested));
        world.wait_empty(secs(150));
    }
}

#[test]
fn udp_encapsulation_without_a_nat() {
    let mut world = World::secure(1);
    let config = secure_client_config().ipsec(|ipsec| ipsec.encapsulation(Encapsulation::Force));
    let id = world.connect(config);
    world.wait_up(id, secs(10));
    echoes(&mut world, id, 1);
}

#[test]
fn behind_nats() {
    for nat in [Nat::FULL_CONE, Nat::SYMMETRIC, Nat::HOME_ROUTER] {
        let mut world = World::secure(3);
        let inside = world.net.add_nat(Realm::PUBLIC, "203.0.113.1".parse().unwrap(), nat);
        let ids: Vec<_> =
            (0..5).map(|_| world.add_inside(inside, secure_client_config())).collect();
        for id in &ids {
            world.call(*id);
        }
        for id in &ids {
            world.wait_up(*id, secs(20));
        }
        for id in &ids {
            echoes(&mut world, *id, 1);
        }
    }
}

#[test]
fn the_wrong_key_is_told_in_a_sentence() {
    let mut world = World::secure(1);
    let config = ClientConfig::new(sim::server_address().ip(), "another").user("alice", "x");
    let id = world.connect(config);
    let reason = world.wait_end(id, secs(200));
    assert!(reason.explain().contains("pre-shared key"), "{}", reason.explain());
}
