//! Clients behind NATs.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use std::collections::BTreeSet;

use l2tp_ipsec::ClientConfig;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;

use sim::World;
use sim::client_config;
use sim::millis;
use sim::packet;
use sim::secs;
use sim::server_config;
use sim::users;

const OUTSIDE: &str = "203.0.113.1";

/// Asks often enough for a NAT that forgets after 30 s.
fn config() -> ClientConfig {
    client_config().echo(secs(10))
}

/// Clients behind one NAT that all call at once.
fn behind(nat: Nat, clients: usize, link: Link) -> (World, Realm, Vec<NodeId>) {
    let mut world = World::new(1, link, server_config(), users());
    let inside = world.net.add_nat(Realm::PUBLIC, OUTSIDE.parse().unwrap(), nat);
    let add = |world: &mut World| world.add_inside(inside, config());
    let ids: Vec<_> = (0..clients).map(|_| add(&mut world)).collect();
    for id in &ids {
        world.call(*id);
    }
    (world, inside, ids)
}

fn all_work(world: &mut World, ids: &[NodeId]) {
    for id in ids {
        let packet = packet::udp(world.clients[id].address(), sim::INSIDE, 60, 0);
        world.send(*id, &packet).unwrap();
    }
    world.run_for(secs(1));
    for id in ids {
        let packet = packet::udp(world.clients[id].address(), sim::INSIDE, 60, 0);
        assert_eq!(world.clients[id].packets, [packet::echoed(&packet)]);
    }
}

#[test]
fn many_clients_share_an_address() {
    for nat in [Nat::FULL_CONE, Nat::SYMMETRIC, Nat::HOME_ROUTER] {
        for loss in [0.0, 0.1] {
            let (mut world, _, ids) = behind(nat, 30, Link { loss, ..Link::default() });
            // Five of one address may be half open at a time: of more that call at the same moment,
            // some have to dial again.
            for _ in 0..10 {
                world.run_for(secs(40));
                for id in &ids {
                    if world.clients[id].ended.is_some() {
                        world.redial(*id, config());
                        world.run_for(millis(30));
                    }
                }
            }
            let addresses: BTreeSet<_> = ids.iter().map(|id| world.clients[id].address()).collect();
            assert_eq!(addresses.len(), ids.len());
            world.net.set_default_link(Link::default());
            all_work(&mut world, &ids);
            for id in &ids {
                world.hang_up(*id);
                world.wait_end(*id, secs(60));
            }
            world.wait_empty(secs(150));
        }
    }
}

#[test]
fn idle_sessions_keep_their_mapping() {
    for nat in [Nat::FULL_CONE, Nat::SYMMETRIC, Nat::HOME_ROUTER] {
        let (mut world, inside, ids) = behind(nat, 3, Link::default());
        world.run_for(secs(24 * 3600));
        assert_eq!(world.net.mappings(inside), ids.len());
        assert_eq!(world.disconnected, []);
        all_work(&mut world, &ids);
    }
}

#[test]
fn a_nat_that_forgets_ends_sessions_in_time_and_lets_them_come_back() {
    let (mut world, inside, ids) = behind(Nat::SYMMETRIC, 3, Link::default());
    world.run_for(secs(100));
    world.net.rebind(inside);
    // HELLO and its repeats notice; whose port is another now is a stranger.
    world.run_for(secs(60 + 31 + 3));
    for id in &ids {
        assert!(world.clients[id].ended.is_some());
    }
    assert_eq!(world.server().sessions().count(), 0);
    for id in &ids {
        world.redial(*id, config());
        world.wait_both_up(*id, secs(10));
    }
    all_work(&mut world, &ids);
}

#[test]
fn a_link_that_swallows_large_packets_takes_no_session_down() {
    let link = Link { mtu: Some(1_200), ..Link::default() };
    let mut world = World::new(1, link, server_config(), users());
    let id = world.connect(client_config());
    let address = world.wait_up(id, secs(10)).local_address;
    world.run_for(secs(1));
    for (len, tag) in [(1_400, 1), (1_100, 2)] {
        world.send(id, &packet::udp(address, sim::INSIDE, len, tag)).unwrap();
    }
    world.run_for(secs(600));
    assert_eq!(world.clients[&id].packets.len(), 1, "the smaller one came back");
    assert_eq!(world.clients[&id].ended, None);
}
