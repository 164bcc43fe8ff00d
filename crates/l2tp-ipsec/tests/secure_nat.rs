//! L2TP over IPsec through NATs.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use std::collections::BTreeSet;

use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ike::Lifetimes;
use vpn_core::Socket;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;

use sim::World;
use sim::packet;
use sim::secs;
use sim::secure_client_config;

const OUTSIDE: &str = "203.0.113.1";

fn all_work(world: &mut World, ids: &[NodeId], tag: u8) {
    for id in ids {
        let packet = packet::udp(world.clients[id].address(), sim::INSIDE, 60, tag);
        world.send(*id, &packet).unwrap();
    }
    world.run_for(secs(1));
    for id in ids {
        let packet = packet::udp(world.clients[id].address(), sim::INSIDE, 60, tag);
        let came = world.clients[id].packets.last();
        assert_eq!(came.map(|came| &came[..]), Some(&packet::echoed(&packet)[..]), "{id:?}");
    }
}

fn short() -> ClientConfig {
    let lifetimes = Lifetimes { ike: secs(600), esp: secs(200), esp_kilobytes: None };
    secure_client_config().ipsec(|ipsec| ipsec.lifetimes(lifetimes))
}

/// All from inner port 1701, and the first two even from the same private address: each behind a
/// router of its own, and all of them behind the one of the provider.
#[test]
fn a_thousand_clients_share_an_address() {
    let mut world = World::secure(1);
    let provider = world.net.add_nat(Realm::PUBLIC, OUTSIDE.parse().unwrap(), Nat::HOME_ROUTER);
    let mut ids = Vec::new();
    for router in ["100.64.0.1", "100.64.0.2"] {
        let home = world.net.add_nat(provider, router.parse().unwrap(), Nat::HOME_ROUTER);
        ids.push(world.add_at(home, "192.168.1.2".parse().unwrap(), short()));
    }
    ids.extend((2..1_000).map(|_| world.add_inside(provider, short())));
    for id in &ids {
        world.call(*id);
        world.run_for(sim::millis(30));
    }
    world.run_for(secs(10));
    let addresses: BTreeSet<_> = ids.iter().map(|id| world.clients[id].address()).collect();
    assert_eq!(addresses.len(), ids.len());
    for (id, up) in ids.iter().map(|id| (id, world.clients[id].up.as_ref().unwrap())) {
        let path = up.security.as_ref().unwrap().path;
        assert_eq!(path.socket, Socket::NatT, "{id:?}");
    }
    all_work(&mut world, &ids, 1);
    world.run_for(secs(420));
    all_work(&mut world, &ids, 2);
    assert!(ids.iter().all(|id| world.rekeyed(*id) >= 2 && world.clients[id].ups == 1));
    assert_eq!((&world.refused[..], &world.disconnected[..]), (&[][..], &[][..]));
    // The one of two that goes leaves the other alone.
    world.hang_up(ids[0]);
    world.wait_end(ids[0], secs(10));
    world.run_for(secs(100));
    all_work(&mut world, &ids[1..], 3);
}

#[test]
fn a_peer_that_its_nat_moves_is_followed() {
    for nat in [Nat::FULL_CONE, Nat::SYMMETRIC, Nat::HOME_ROUTER] {
        let mut world = World::secure(1);
        let inside = world.net.add_nat(Realm::PUBLIC, OUTSIDE.parse().unwrap(), nat);
        let ids: Vec<_> =
            (0..3).map(|_| world.add_inside(inside, secure_client_config())).collect();
        for id in &ids {
            world.call(*id);
            world.wait_up(*id, secs(10));
        }
        all_work(&mut world, &ids, 1);
        for n in 2..5 {
            world.net.rebind(inside);
            world.moved.clear();
            all_work(&mut world, &ids, n);
            assert_eq!(world.moved.len(), ids.len(), "each is told of once");
            world.run_for(secs(1000));
        }
        assert!(ids.iter().all(|id| world.clients[id].ups == 1));
    }
}

#[test]
fn idle_sessions_keep_their_mapping() {
    for nat in [Nat::FULL_CONE, Nat::SYMMETRIC, Nat::HOME_ROUTER] {
        let mut world = World::secure(1);
        let inside = world.net.add_nat(Realm::PUBLIC, OUTSIDE.parse().unwrap(), nat);
        let ids: Vec<_> =
            (0..3).map(|_| world.add_inside(inside, secure_client_config())).collect();
        for id in &ids {
            world.call(*id);
            world.wait_up(*id, secs(10));
        }
        world.run_for(secs(24 * 3600));
        assert_eq!(world.disconnected, []);
        all_work(&mut world, &ids, 1);
        assert!(ids.iter().all(|id| world.rekeyed(*id) >= 23 && world.clients[id].ups == 1));
    }
}

#[test]
fn an_old_packet_from_elsewhere_moves_nobody() {
    let mut world = World::secure(1);
    let inside = world.net.add_nat(Realm::PUBLIC, OUTSIDE.parse().unwrap(), Nat::HOME_ROUTER);
    let id = world.add_inside(inside, secure_client_config());
    world.call(id);
    world.wait_up(id, secs(10));
    let address = world.clients[&id].address();
    // Everything that the client sends is also sent, a second later, by somebody else.
    let seen = std::rc::Rc::new(core::cell::RefCell::new(Vec::new()));
    let sink = std::rc::Rc::clone(&seen);
    world.net.observe(move |_, datagram, _| {
        if datagram.socket == Socket::NatT {
            sink.borrow_mut().push((datagram.destination, datagram.payload.clone()));
        }
    });
    for n in 0..5 {
        world.send(id, &packet::udp(address, sim::INSIDE, 60, n)).unwrap();
        world.run_for(secs(1));
    }
    let attacker = world.add(secure_client_config());
    let recorded: Vec<_> = seen.borrow().clone();
    for (destination, payload) in recorded {
        if destination.ip() == sim::server_address().ip() {
            world.post(attacker, Socket::NatT, 4500, destination, payload);
        }
    }
    world.run_for(secs(5));
    assert_eq!(world.moved, []);
    all_work(&mut world, &[id], 9);
}

#[test]
fn loss_delays_and_breaks_nothing() {
    for seed in 1..20 {
        let link = Link { loss: 0.2, reorder: 0.1, duplicate: 0.1, ..Link::default() };
        let mut world = World::new(seed, link, sim::secure_server_config(), sim::users());
        let inside = world.net.add_nat(Realm::PUBLIC, OUTSIDE.parse().unwrap(), Nat::HOME_ROUTER);
        let id = world.add_inside(inside, short());
        world.call(id);
        let mut dials = 0;
        while world.clients[&id].up.is_none() {
            world.run_for(secs(10));
            if world.clients[&id].ended.is_some() {
                dials += 1;
                assert!(dials < 4, "{:?}", world.clients[&id].ended);
                world.redial(id, short());
            }
        }
        world.net.set_default_link(Link::default());
        world.run_for(secs(700));
        all_work(&mut world, &[id], 1);
    }
}
