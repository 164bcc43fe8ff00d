//! Whole sessions whose counters begin just below their wrap.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use vpn_netsim::Link;
use vpn_netsim::NodeId;

use sim::World;
use sim::millis;
use sim::secs;

/// Five below the wrap of 16 bits.
const FIRST: u16 = u16::MAX - 4;

fn lossy(loss: f64) -> Link {
    Link { loss, delay: millis(20), jitter: millis(5), ..Link::PERFECT }
}

/// Sends `count` packets each way and says how many came back.
fn traffic(world: &mut World, id: NodeId, count: usize) -> usize {
    let packet = sim::packet::udp(world.clients[&id].address(), sim::INSIDE, 60, 3);
    for _ in 0..count {
        // A late copy of a Configure-Request takes IPCP down for a moment.
        while world.send(id, &packet).is_err() {
            world.run_for(millis(100));
        }
        world.run_for(millis(5));
    }
    world.run_for(secs(1));
    world.clients[&id].packets.len()
}

#[test]
fn control_and_data_numbers_wrap() {
    for (seed, reorder) in (0..30).flat_map(|seed| [(seed, false), (seed, true)]) {
        let server = sim::server_config().first_number(FIRST).sequencing(true).hello(secs(5));
        let client = sim::client_config().first_number(FIRST).sequencing(true).hello(secs(5));
        let (server, client) = if reorder {
            (server.reorder(millis(50)), client.reorder(millis(50)))
        } else {
            (server, client)
        };
        let loss = if seed == 0 { 0.0 } else { 0.10 };
        let mut world = World::new(seed, lossy(loss), server, sim::users());
        let id = world.connect(client);
        world.wait_both_up(id, secs(120));
        let back = traffic(&mut world, id, 50);
        if loss == 0.0 {
            assert_eq!(back, 50);
        } else {
            assert!(back >= 25, "{back} of 50 came back, seed {seed}");
        }
        // HELLOs carry the control numbers over the wrap at both ends.
        world.run_for(secs(100));
        assert_eq!(world.clients[&id].ended, None, "seed {seed}");
        world.hang_up(id);
        world.wait_end(id, secs(60));
        world.wait_empty(secs(300));
    }
}

#[test]
fn data_numbers_pass_the_wrap_many_times() {
    let mut world = World::new(
        4,
        Link { delay: millis(1), ..Link::PERFECT },
        sim::server_config().sequencing(true),
        sim::users(),
    );
    world.echo = false;
    let id = world.connect(sim::client_config());
    world.wait_both_up(id, secs(10));
    let packet = sim::packet::udp(world.clients[&id].address(), sim::INSIDE, 28, 3);
    let count = 2 * 65_536 + 100;
    for n in 0..count {
        world.send(id, &packet).unwrap();
        if n % 1_000 == 0 {
            world.run_for(millis(10));
        }
    }
    world.run_for(secs(1));
    assert_eq!(world.packets.len(), count);
    let status = world.server().sessions().next().unwrap();
    assert_eq!(status.counters.rx_packets, count as u64);
    assert_eq!(status.counters.rx_missing, 0);
}

#[test]
fn ppp_identifiers_wrap() {
    // An Echo-Request every other second: 8 bits wrap every eight minutes.
    let server = sim::server_config().echo(secs(1));
    let client = sim::client_config().echo(secs(1));
    let mut world = World::new(5, lossy(0.05), server, sim::users());
    let id = world.connect(client);
    world.wait_both_up(id, secs(60));
    world.run_for(secs(3_000));
    assert_eq!(world.clients[&id].ended, None);
    assert!(world.net.counts().sent > 1_500, "the echoes were sent");
    assert!(traffic(&mut world, id, 20) > 10);
    world.hang_up(id);
    world.wait_end(id, secs(60));
    world.wait_empty(secs(300));
}
