//! Ten thousand clients of one server, in virtual time.
#![allow(
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod sim;

use core::net::Ipv4Addr;
use std::collections::BTreeSet;

use vpn_netsim::Link;
use vpn_netsim::NodeId;

use sim::World;
use sim::millis;
use sim::secs;

/// Each client connects, gets a packet back, and disconnects. Returns how many datagrams were sent.
fn crowd(clients: u32) -> u64 {
    let link = Link { delay: millis(20), jitter: millis(10), ..Link::PERFECT };
    let mut world = World::new(1, link, sim::server_config(), sim::users());
    let ids: Vec<NodeId> = (0..clients).map(|_| world.add(sim::client_config())).collect();
    for id in &ids {
        world.call(*id);
        world.run_for(core::time::Duration::from_micros(500));
    }
    world.run_for(secs(10));

    let addresses: BTreeSet<Ipv4Addr> = ids.iter().map(|id| world.clients[id].address()).collect();
    assert_eq!(addresses.len(), ids.len(), "every client has an address of its own");
    assert!(!addresses.contains(&sim::INSIDE));
    assert_eq!(world.server().sessions().count(), ids.len());
    assert_eq!(world.server().pool().lent(), ids.len());

    for id in &ids {
        let packet = sim::packet::udp(world.clients[id].address(), sim::INSIDE, 100, 7);
        world.send(*id, &packet).unwrap();
    }
    world.run_for(secs(1));
    for id in &ids {
        let caller = &world.clients[id];
        let sent = sim::packet::udp(caller.address(), sim::INSIDE, 100, 7);
        assert_eq!(caller.packets, [sim::packet::echoed(&sent)], "its own packet and no other");
    }

    for id in &ids {
        world.hang_up(*id);
    }
    world.run_for(secs(10));
    assert!(ids.iter().all(|id| world.clients[id].ended.is_some()));
    world.wait_empty(sim::NOTICED);
    world.net.counts().sent
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the time is shown, and decides nothing")]
fn ten_thousand_clients_come_and_go() {
    let (few, many) = (1_000, 10_000);
    let start = std::time::Instant::now();
    let datagrams_of_few = crowd(few);
    let after_few = start.elapsed();
    let datagrams_of_many = crowd(many);
    let after_many = start.elapsed() - after_few;
    println!(
        "{few} clients: {datagrams_of_few} datagrams, {:.2} s; {many} clients: {datagrams_of_many} datagrams, {:.2} s",
        after_few.as_secs_f64(),
        after_many.as_secs_f64(),
    );
    // Work grows with the clients and no faster; the times are only shown, for they depend on what
    // else the machine does.
    let (few, many) = (u64::from(few), u64::from(many));
    assert!(datagrams_of_many * few <= datagrams_of_few * many * 11 / 10);
    assert!(datagrams_of_many < many * 40, "{} datagrams a client", datagrams_of_many / many);
}
