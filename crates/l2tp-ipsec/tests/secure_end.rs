//! How L2TP over IPsec goes on, or ends, when its security associations do.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use l2tp_ipsec::Client;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Server;
use l2tp_ipsec::ike::Lifetimes;
use vpn_core::Socket;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;
use vpn_netsim::Verdict;

use sim::World;
use sim::millis;
use sim::packet;
use sim::secs;
use sim::secure_client_config;
use sim::wire;

fn cut_the_line(world: &mut World) {
    world.net.intercept(|_, _| Verdict::Drop);
}

fn up(world: &mut World) -> NodeId {
    let id = world.connect(secure_client_config());
    world.wait_both_up(id, secs(10));
    id
}

/// Both sides ask for new keys at once, and both keep the same pair: nothing is sent on the other
/// when it goes.
#[test]
fn new_keys_that_cross_lose_nothing() {
    for (seed, skew) in (1..9).flat_map(|seed| [(seed, 0), (seed, 20), (seed, 45)]) {
        let link = Link { delay: millis(50), ..Link::PERFECT };
        let mut world = World::new(seed, link, sim::secure_server_config(), sim::users());
        let id = up(&mut world);
        let address = world.clients[&id].address();
        let session = world.session_of(address).unwrap();
        let mut sent = Vec::new();
        for n in 0..7_000_u32 {
            if n == 100 {
                world.net.with(id, |node, now| node.client_mut().machine.rekey(now));
                world.run_for(millis(skew));
                world.with_server(|server, now| server.rekey(now, session));
            }
            let packet = packet::udp(address, sim::INSIDE, 60, n.to_le_bytes()[0]);
            world.send(id, &packet).unwrap();
            sent.push(packet::echoed(&packet));
            world.run_for(millis(10));
        }
        world.run_for(secs(2));
        let came = &world.clients[&id].packets;
        assert_eq!(came.len(), sent.len(), "seed {seed}, {skew} ms apart: packets are lost");
        assert!(came.iter().zip(&sent).all(|(a, b)| a == b), "packets are out of order");
    }
}

/// RFC 3193 §3.1: whatever the server does, an orderly end takes no longer than its steps may.
#[test]
fn a_dead_server_holds_nobody_up() {
    for alive in [0, 20, 60, 90, 120, 150, 200, 250, 300, 400, 10_000] {
        let link = Link { delay: millis(20), ..Link::PERFECT };
        let mut world = World::new(1, link, sim::secure_server_config(), sim::users());
        let id = world.connect(secure_client_config());
        world.run_for(millis(alive));
        cut_the_line(&mut world);
        let began = world.net.now();
        world.hang_up(id);
        world.wait_end(id, secs(60));
        let took = world.clients[&id].ended_at.unwrap().since(began);
        assert!(took <= secs(5), "alive for {alive} ms: it took {took:?}");
    }
}

#[test]
fn dead_clients_do_not_hold_up_a_drained_server() {
    let mut world = World::secure(1);
    for _ in 0..20 {
        up(&mut world);
    }
    cut_the_line(&mut world);
    world.with_server(|server, now| server.drain(now));
    assert!(world.run_while(secs(10), |world| !world.drained), "not drained");
}

/// A server tells why IPsec ended, not what followed from it.
#[test]
fn a_dead_peer_is_told_by_its_ipsec() {
    let mut world = World::secure(1);
    let id = up(&mut world);
    cut_the_line(&mut world);
    world.run_for(secs(400));
    let ended: Vec<_> = world.disconnected.iter().map(|ended| ended.reason.clone()).collect();
    assert!(matches!(ended[..], [DisconnectReason::Ipsec(_)]), "{ended:?}");
    assert!(world.clients[&id].ended.is_some());
}

/// A side that follows nobody does not ask control about each packet.
#[test]
fn a_packet_from_elsewhere_wakes_only_who_may_follow() {
    for behind_nat in [false, true] {
        let mut world = World::secure(1);
        let realm = if behind_nat {
            world.net.add_nat(Realm::PUBLIC, "203.0.113.1".parse().unwrap(), Nat::HOME_ROUTER)
        } else {
            Realm::PUBLIC
        };
        let id = world.add_inside(realm, secure_client_config());
        world.call(id);
        let session = world.wait_both_up(id, secs(10));
        world.run_for(secs(1));
        let (server, client) = (world.server().data_plane(), world.client(id).data_plane());
        let to = world.clients[&id].address();
        let (path, datagram) =
            wire::seal(&server, session, &packet::udp(sim::INSIDE, to, 60, 1)).unwrap();
        let mut seen = wire::seen_by_peer(path);
        if behind_nat {
            assert_eq!(seen.socket, Socket::NatT);
            seen.local = (world.address(id).ip(), 4500).into();
            seen.remote.set_port(4501);
        } else {
            seen.remote.set_ip("192.0.2.99".parse().unwrap());
        }
        assert!(matches!(wire::open(&client, seen, &datagram).0, Inbound::Ip(_)));
        assert!(!client.needs_control(), "behind a NAT: {behind_nat}");
    }
}

/// RFC 3193 §3.2: the largest packet of a session, with all that goes around it, is not cut.
#[test]
fn the_largest_packet_fits_the_path() {
    let suites = [
        "3des-sha1",
        "aes128-sha1",
        "aes256-sha256",
        "aes256-sha384",
        "aes256-sha512",
        "aes256gcm16",
        "aes128gcm16",
        "3des-sha256_96",
    ];
    for (suite, sequenced) in suites.iter().flat_map(|suite| [(suite, false), (suite, true)]) {
        for (behind_nat, path_mtu) in [(false, 1400), (true, 1400), (false, 1000), (true, 1001)] {
            let esp: l2tp_ipsec::ike::proposal::EspProposal = suite.parse().unwrap();
            let server = sim::secure_server_config().path_mtu(path_mtu).mtu(1500);
            let server = server.ipsec(|ipsec| ipsec.esp(vec![esp]));
            let mut world = World::new(1, Link::PERFECT, server, sim::users());
            let realm = if behind_nat {
                world.net.add_nat(Realm::PUBLIC, "203.0.113.1".parse().unwrap(), Nat::FULL_CONE)
            } else {
                Realm::PUBLIC
            };
            let config = secure_client_config().path_mtu(1600).mtu(1500).sequencing(sequenced);
            let id = world.add_inside(realm, config.ipsec(|ipsec| ipsec.esp(vec![esp])));
            world.call(id);
            let session = world.wait_both_up(id, secs(10));
            let to = world.clients[&id].address();
            let server = world.server().data_plane();
            let mtu = world.connected[0].mtu;
            let largest = packet::udp(sim::INSIDE, to, usize::from(mtu), 1);
            let (path, datagram) = wire::seal(&server, session, &largest).unwrap();
            let udp = if path.socket == Socket::NatT { 8 } else { 0 };
            let outer = 20 + udp + datagram.len();
            assert!(
                (usize::from(path_mtu) - 20..=usize::from(path_mtu)).contains(&outer),
                "{suite} sequenced: {sequenced}, NAT: {behind_nat}: {outer} of {path_mtu}"
            );
        }
    }
}

/// RFC 3193 §4.2.4: the initiator's port may be any, and either end may begin a quick mode.
#[test]
fn a_client_from_any_port_takes_new_keys_of_the_server() {
    let mut world = World::secure(1);
    let id = world.connect(secure_client_config().l2tp_port(50_123));
    let session = world.wait_both_up(id, secs(10));
    world.with_server(|server, now| server.rekey(now, session));
    world.run_for(secs(2));
    assert_eq!(world.rekeyed(id), 1);
}

/// Old Android kernels announce HMAC-SHA-256 and send 96 bits of it. That is found out once.
#[test]
fn a_peer_that_cuts_its_icv_loses_nothing_later() {
    let mut world = World::secure(1);
    let esp = vec!["aes256-sha256_96".parse().unwrap()];
    let id = world.connect(secure_client_config().ipsec(|ipsec| ipsec.esp(esp)));
    let session = world.wait_both_up(id, secs(20));
    for n in 1..6 {
        if n % 2 == 0 {
            world.with_server(|server, now| server.rekey(now, session));
        } else {
            world.net.with(id, |node, now| node.client_mut().machine.rekey(now));
        }
        let before = world.clients[&id].packets.len();
        for _ in 0..100 {
            let packet = packet::udp(world.clients[&id].address(), sim::INSIDE, 60, 1);
            world.send(id, &packet).unwrap();
            world.run_for(millis(20));
        }
        world.run_for(secs(1));
        assert_eq!(world.clients[&id].packets.len() - before, 100);
    }
    assert_eq!(world.rekeyed(id), 5);
}

/// However a driver mixes its calls, the peer hears of the end of all SAs.
#[test]
fn the_last_event_waits_for_the_last_delete() {
    let now = vpn_core::Instant::ZERO;
    let random = |seed| Box::new(vpn_netsim::SeededRandom::new(seed));
    let provider = vpn_crypto::provider();
    let config = sim::secure_server_config();
    let mut server = Server::new(config, sim::users(), provider, random(1)).unwrap();
    let mut client = Client::new(secure_client_config(), provider, random(2)).unwrap();
    client.connect(now, "192.0.2.2:500".parse().unwrap()).unwrap();
    let mut ended = false;
    for _ in 0..200 {
        let mut datagram = Vec::new();
        if let Some(sent) = client.poll_transmit(now, &mut datagram) {
            let _ = server.handle_datagram(now, wire::seen_by_peer(sent.path), &mut datagram);
        }
        match client.poll_event() {
            Some(ClientEvent::Connected(_)) => client.disconnect(now),
            Some(ClientEvent::Disconnected { .. }) => ended = true,
            _ => {}
        }
        datagram.clear();
        if let Some(sent) = server.poll_transmit(now, &mut datagram) {
            let _ = client.handle_datagram(now, wire::seen_by_peer(sent.path), &mut datagram);
        }
        while server.poll_event().is_some() {}
    }
    assert!(ended);
    assert_eq!(server.ike_counts().peers, 0);
}

/// The pair that both sides keep need not be the newest, and is replaced in its turn.
#[test]
fn octets_run_out_after_new_keys_that_crossed() {
    for seed in 1..9 {
        let few = Lifetimes { ike: secs(86_400), esp: secs(86_400), esp_kilobytes: Some(1_000) };
        let server = sim::secure_server_config().ipsec(|ipsec| ipsec.lifetimes(few));
        let link = Link { delay: millis(10), ..Link::PERFECT };
        let mut world = World::new(seed, link, server, sim::users());
        let id = world.connect(secure_client_config().ipsec(|ipsec| ipsec.lifetimes(few)));
        let session = world.wait_both_up(id, secs(10));
        let address = world.clients[&id].address();
        for n in 0..4_000 {
            if n % 500 == 100 {
                world.net.with(id, |node, now| node.client_mut().machine.rekey(now));
                world.with_server(|server, now| server.rekey(now, session));
            }
            world.send(id, &packet::udp(address, sim::INSIDE, 1_300, 1)).unwrap();
            world.run_for(millis(1));
        }
        world.run_for(secs(1));
        assert_eq!(world.clients[&id].packets.len(), 4_000, "seed {seed}");
    }
}
