//! Wires that corrupt, strangers who flood, and how little they get out of it.
#![allow(
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod sim;

use core::cell::RefCell;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use core::ops::Range;
use std::collections::BTreeMap;
use std::rc::Rc;

use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ServerConfig;
use vpn_core::Socket;
use vpn_netsim::Datagram;
use vpn_netsim::Fate;
use vpn_netsim::Link;
use vpn_netsim::Realm;
use vpn_netsim::SeededRandom;

use sim::World;
use sim::client_config;
use sim::millis;
use sim::secs;
use sim::server_config;
use sim::users;

/// Returns how many of the sessions came up.
fn corrupted(seeds: Range<u64>, server: fn() -> ServerConfig, client: fn() -> ClientConfig) -> u64 {
    let mut up = 0;
    for seed in seeds {
        let link =
            Link { corrupt: 0.05, loss: 0.02, duplicate: 0.02, reorder: 0.05, ..Link::default() };
        let mut world = World::new(seed, link, server(), users());
        let id = world.connect(client());
        let settled = world.run_while(secs(300), |world| {
            let caller = &world.clients[&id];
            caller.up.is_none() && caller.ended.is_none()
        });
        assert!(settled, "seed {seed}: stuck");
        let caller = &world.clients[&id];
        if let Some(up_as) = caller.up.clone().filter(|_| caller.ended.is_none()) {
            up += 1;
            for n in 0..20 {
                let _ = world.send(id, &sim::packet::udp(up_as.local_address, sim::INSIDE, 100, n));
                world.run_for(millis(100));
            }
            if world.clients[&id].ended.is_none() {
                world.hang_up(id);
            }
            world.wait_end(id, secs(150));
        }
        // The line is mended: what is left must be noticed and forgotten.
        world.net.set_default_link(Link::default());
        world.wait_empty(secs(300));
    }
    up
}

#[test]
fn corruption_ends_in_a_session_or_a_reason() {
    let seeds = vpn_netsim::seeds(200);
    let count = seeds.end - seeds.start;
    let up = corrupted(seeds, server_config, client_config);
    println!("{up} of {count} sessions came up although one datagram in twenty was changed");
    assert!(up * 10 >= count * 7, "{up} of {count}");
}

#[test]
fn corruption_over_ipsec_ends_in_a_session_or_a_reason() {
    let seeds = vpn_netsim::seeds(60);
    let count = seeds.end - seeds.start;
    let up = corrupted(seeds, sim::secure_server_config, sim::secure_client_config);
    println!("{up} of {count} sessions came up although one datagram in twenty was changed");
    assert!(up * 10 >= count * 8, "{up} of {count}");
}

#[test]
fn garbage_for_a_session_is_dropped() {
    let mut world = World::ordinary(1);
    let id = world.connect(client_config());
    world.wait_both_up(id, secs(10));
    let mut random = SeededRandom::new(77);
    for _ in 0..5_000 {
        let len = usize::try_from(random.within(0..=80)).unwrap();
        let mut datagram: Vec<u8> = (0..len).map(|_| random.bits().to_le_bytes()[0]).collect();
        if let [first, second, ..] = &mut datagram[..] {
            // Most begin as an L2TP header does, or nothing behind it would be looked at.
            *first &= 0xcb;
            *second = 2;
        }
        world.post_to_server(id, datagram.clone());
        world.post_to_client(id, datagram);
        world.run_for(millis(1));
    }
    world.run_for(secs(200));
    assert_eq!(world.clients[&id].ended, None);
    let packet = sim::packet::udp(world.clients[&id].address(), sim::INSIDE, 50, 0);
    world.send(id, &packet).unwrap();
    world.run_for(secs(1));
    assert_eq!(world.clients[&id].packets.len(), 1);
}

/// The shortest SCCRQ that there is, as a stranger sends it.
fn sccrq(tunnel_id: u16) -> Vec<u8> {
    let mut message = vec![0xc8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    message.extend([0x80, 8, 0, 0, 0, 0, 0, 1]);
    message.extend([0x80, 8, 0, 0, 0, 2, 1, 0]);
    message.extend([0x80, 10, 0, 0, 0, 3, 0, 0, 0, 3]);
    message.extend([0x80, 7, 0, 0, 0, 7, b'x']);
    message.extend([0x80, 8, 0, 0, 0, 9]);
    message.extend(tunnel_id.to_be_bytes());
    message[3] = u8::try_from(message.len()).unwrap();
    message
}

fn spoofed(nth: u32, datagram: Vec<u8>) -> Datagram {
    let address = Ipv4Addr::from(0x6440_0000 + nth % (1 << 22));
    Datagram {
        socket: Socket::L2tp,
        source: SocketAddr::from((address, 1701)),
        destination: sim::server_address(),
        payload: datagram,
    }
}

#[test]
fn strangers_get_no_more_than_three_times_what_they_send() {
    for seed in 0..5 {
        let mut world = World::ordinary(seed);
        let octets = Rc::new(RefCell::new(BTreeMap::<SocketAddr, (usize, usize)>::new()));
        let seen = Rc::clone(&octets);
        world.net.observe(move |_, datagram, fate| {
            let mut octets = seen.borrow_mut();
            if datagram.destination == sim::server_address() {
                if fate == Fate::Delivered {
                    octets.entry(datagram.source).or_default().0 += datagram.payload.len();
                }
            } else {
                octets.entry(datagram.destination).or_default().1 += datagram.payload.len();
            }
        });
        let mut random = SeededRandom::new(seed);
        for nth in 0..2_000u32 {
            let mut datagram = sccrq(u16::try_from(nth % 60_000 + 1).unwrap());
            if nth % 3 == 1 {
                // Changed somewhere: most become something else that may be answered.
                let at = usize::try_from(random.within(0..=datagram.len() as u64 - 1)).unwrap();
                datagram[at] ^= random.bits().to_le_bytes()[0];
            }
            if nth % 7 == 0 {
                datagram
                    .truncate(usize::try_from(random.within(1..=datagram.len() as u64)).unwrap());
            }
            // Some ask once, some again and again.
            let who = if nth % 5 == 0 { 1 } else { nth };
            world.net.inject(Realm::PUBLIC, millis(0), spoofed(who, datagram));
            world.run_for(millis(3));
        }
        world.run_for(secs(200));
        let octets = octets.borrow();
        assert!(octets.values().any(|(_, out)| *out > 0), "somebody was answered");
        for (address, (sent, got)) in &*octets {
            assert!(*got <= 3 * sent, "{address} sent {sent} octets and got {got}");
        }
        world.assert_empty();
    }
}

#[test]
fn a_flood_harms_nobody_and_keeps_nobody_out() {
    let mut world = World::ordinary(1);
    let ids: Vec<_> = (0..1_000).map(|_| world.connect(client_config())).collect();
    world.run_for(secs(10));
    assert_eq!(world.server().sessions().count(), ids.len());

    // 3,000 a second, from as many addresses.
    let mut nth = 0;
    let flood = |world: &mut World, time: u64, nth: &mut u32| {
        for _ in 0..time * 1_000 {
            for _ in 0..3 {
                let id = u16::try_from(*nth % 60_000 + 1).unwrap();
                world.net.inject(Realm::PUBLIC, millis(0), spoofed(*nth, sccrq(id)));
                *nth += 1;
            }
            world.run_for(millis(1));
        }
    };
    flood(&mut world, 20, &mut nth);
    let counts = world.server().counts();
    assert!(counts.half_open <= 10_000, "{counts:?}");
    let honest = world.connect(client_config());
    let called = world.net.now();
    for _ in 0..10 {
        flood(&mut world, 1, &mut nth);
    }
    let up_at = world.clients[&honest].up_at.expect("the honest client is up");
    assert!(up_at.since(called) <= secs(10));
    println!("{nth} strangers; the honest client was up after {:?}", up_at.since(called));

    // Everybody else is still there, and works.
    assert_eq!(world.server().sessions().count(), ids.len() + 1);
    assert_eq!(world.disconnected, []);
    for id in &ids {
        assert_eq!(world.clients[id].ended, None);
        let packet = sim::packet::udp(world.clients[id].address(), sim::INSIDE, 50, 0);
        world.send(*id, &packet).unwrap();
    }
    world.run_for(secs(1));
    assert!(ids.iter().all(|id| world.clients[id].packets.len() == 1));
    // The strangers are forgotten.
    world.run_for(secs(120));
    assert_eq!(world.server().counts().half_open, 0);
    assert_eq!(world.server().counts().tunnels, ids.len() + 1);
}

#[test]
fn two_servers_do_not_answer_each_other_for_ever() {
    // What one of them says is sent to the other in the first one's name, changed a little.
    let mut world = World::ordinary(1);
    let mut random = SeededRandom::new(3);
    for n in 0..200u32 {
        let mut datagram = sccrq(7);
        let at = usize::try_from(random.within(0..=datagram.len() as u64 - 1)).unwrap();
        datagram[at] ^= 1 << (n % 8);
        // The source is the server itself: whatever it answers comes back to it.
        let mut looped = spoofed(0, datagram);
        looped.source = sim::server_address();
        world.net.inject(Realm::PUBLIC, millis(0), looped);
        world.run_for(millis(100));
    }
    world.run_for(secs(120));
    let before = world.net.counts().sent;
    world.run_for(secs(600));
    assert_eq!(world.net.counts().sent, before, "the traffic has died out");
    world.assert_empty();
}
