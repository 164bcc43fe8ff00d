//! New keys under traffic: no packet is lost or overtaken, and L2TP and PPP notice nothing.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use core::time::Duration;

use l2tp_ipsec::ike::Lifetimes;
use vpn_netsim::Link;
use vpn_netsim::NodeId;

use sim::World;
use sim::millis;
use sim::packet;
use sim::secs;
use sim::secure_client_config;
use sim::secure_server_config;
use sim::users;

/// Lifetimes that end often.
const SHORT: Lifetimes = Lifetimes { ike: secs(300), esp: secs(120), esp_kilobytes: None };
/// Lifetimes that end never in a test.
const LONG: Lifetimes =
    Lifetimes { ike: secs(30 * 86_400), esp: secs(30 * 86_400), esp_kilobytes: None };

fn world(seed: u64, link: Link, client: Lifetimes, server: Lifetimes) -> (World, NodeId) {
    let config = secure_server_config().ipsec(|ipsec| ipsec.lifetimes(server));
    let mut world = World::new(seed, link, config, users());
    let id = world.connect(secure_client_config().ipsec(|ipsec| ipsec.lifetimes(client)));
    world.wait_both_up(id, secs(10));
    (world, id)
}

/// Sends a numbered packet at every interval and has the server send it back: all must come, in
/// order.
fn traffic(world: &mut World, id: NodeId, packets: u32, interval: Duration, len: usize) {
    let before = world.clients[&id].packets.len();
    let address = world.clients[&id].address();
    let sent: Vec<_> = (0..packets)
        .map(|n| {
            let packet = packet::udp(address, sim::INSIDE, len, n.to_le_bytes()[0]);
            world.send(id, &packet).unwrap();
            world.run_for(interval);
            packet::echoed(&packet)
        })
        .collect();
    world.run_for(secs(2));
    let came = &world.clients[&id].packets[before..];
    assert_eq!(came.len(), sent.len(), "some packets are lost");
    assert!(came.iter().zip(&sent).all(|(a, b)| a == b), "packets are out of order");
    assert_eq!(world.clients[&id].ups, 1, "PPP noticed");
}

#[test]
fn either_side_may_ask_for_new_keys() {
    for (client, server) in [(SHORT, LONG), (LONG, SHORT), (SHORT, SHORT)] {
        for seed in 1..5 {
            let (mut world, id) = world(seed, Link::PERFECT, client, server);
            traffic(&mut world, id, 6_000, millis(200), 100);
            assert!(world.rekeyed(id) >= 8, "{} rekeys in 20 minutes", world.rekeyed(id));
            world.hang_up(id);
            world.wait_end(id, secs(10));
            world.wait_empty(secs(150));
        }
    }
}

#[test]
fn delay_and_jitter_lose_nothing_at_the_change() {
    // More jitter than lies between the last message of quick mode and the next packet.
    let link = Link { delay: millis(60), jitter: millis(40), ..Link::PERFECT };
    for seed in 1..5 {
        let (mut world, id) = world(seed, link, SHORT, SHORT);
        traffic(&mut world, id, 12_000, millis(50), 100);
    }
}

#[test]
fn lost_ike_messages_lose_no_data() {
    // Three in ten datagrams of IKE are lost; those of ESP all come.
    for seed in 1..8 {
        let (mut world, id) = world(seed, Link::PERFECT, SHORT, SHORT);
        let mut count = seed;
        world.net.intercept(move |_, datagram| {
            let is_ike = datagram.socket == vpn_core::Socket::Ike;
            count = count.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if is_ike && count >> 33 & 0xff < 76 {
                vpn_netsim::Verdict::Drop
            } else {
                vpn_netsim::Verdict::Pass
            }
        });
        traffic(&mut world, id, 6_000, millis(100), 100);
    }
}

/// Windows asks for 250,000 kB, and a fast transfer uses them up within seconds.
#[test]
fn octets_run_out_before_time() {
    let bytes = Lifetimes { esp_kilobytes: Some(1_000), ..LONG };
    for (client, server) in [(bytes, LONG), (LONG, bytes), (bytes, bytes)] {
        let link = Link { delay: millis(10), ..Link::PERFECT };
        let (mut world, id) = world(1, link, client, server);
        traffic(&mut world, id, 8_000, millis(1), 1_300);
        assert!(world.rekeyed(id) >= 8, "{} rekeys in 10 MB", world.rekeyed(id));
    }
}

#[test]
fn on_request() {
    let (mut world, id) = world(1, Link::PERFECT, LONG, LONG);
    for n in 1..4 {
        world.net.with(id, |node, now| node.client_mut().machine.rekey(now));
        traffic(&mut world, id, 20, millis(100), 100);
        assert_eq!(world.rekeyed(id), n);
    }
    let session = world.session_of(world.clients[&id].address()).unwrap();
    world.with_server(|server, now| server.rekey(now, session));
    traffic(&mut world, id, 20, millis(100), 100);
    assert_eq!(world.rekeyed(id), 4);
}

/// A peer such as strongSwan has its inbound SA when it has handled the last message of quick mode:
/// ESP that overtook it would be lost.
#[test]
fn the_old_keys_serve_until_the_peer_has_the_new_ones() {
    let (mut world, id) = world(1, Link::PERFECT, LONG, LONG);
    let packet = packet::udp(world.clients[&id].address(), sim::INSIDE, 20, 1);
    let spi = |world: &mut World| {
        let mut datagram = Vec::new();
        world.net.with(id, |node, _| {
            let _ = node.client_mut().machine.send_ip(&packet, &mut datagram).unwrap();
        });
        datagram[..4].to_vec()
    };
    let old = spi(&mut world);
    world.net.with(id, |node, now| node.client_mut().machine.rekey(now));
    world.run_for(millis(500));
    assert_eq!(spi(&mut world), old, "the peer may not have the new ones yet");
    world.run_for(secs(1));
    assert_eq!(world.rekeyed(id), 1);
    let new = spi(&mut world);
    assert_ne!(new, old, "it has had time");

    // What comes under the new keys shows that the peer has them.
    world.net.with(id, |node, now| node.client_mut().machine.rekey(now));
    world.run_for(millis(200));
    let session = world.session_of(world.clients[&id].address()).unwrap();
    let down = packet::udp(sim::INSIDE, world.clients[&id].address(), 20, 1);
    world.send_down(session, &down).unwrap();
    world.run_for(millis(200));
    assert_ne!(spi(&mut world), new);
}
