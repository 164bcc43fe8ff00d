//! L2TP over IPsec between our own client and server.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use core::cell::RefCell;
use core::net::IpAddr;
use std::rc::Rc;

use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::ike::Encapsulation;
use vpn_core::Socket;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;
use vpn_netsim::Verdict;

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

/// Old Android kernels announce HMAC-SHA-256 and send 96 bits of it: the first packet tells.
#[test]
fn a_peer_that_cuts_its_icv_is_found_out() {
    for seed in [1, 2] {
        let mut world = World::secure(seed);
        let esp = vec!["aes256-sha256_96".parse().unwrap()];
        let id = world.connect(secure_client_config().ipsec(|ipsec| ipsec.esp(esp)));
        world.wait_both_up(id, secs(20));
        let suite = |up: &l2tp_ipsec::Connected| up.security.as_ref().unwrap().esp.to_string();
        assert_eq!(suite(&world.connected[0]), "aes256-sha256_96");
        echoes(&mut world, id, 1);
        // The other kind is not taken for it.
        let esp = vec!["aes256-sha256".parse().unwrap()];
        let id = world.connect(secure_client_config().ipsec(|ipsec| ipsec.esp(esp)));
        world.wait_both_up(id, secs(20));
        assert_eq!(suite(&world.connected[1]), "aes256-sha256");
        echoes(&mut world, id, 1);
    }
}

/// Each site has a key of its own, which the application looks up.
#[test]
fn keys_are_asked_for() {
    use l2tp_ipsec::ike::Credentials;
    let config = sim::secure_server_config().ipsec(|ipsec| ipsec.ask_for_credentials(true));
    let mut world = World::new(1, Link::default(), config, sim::users());
    let key = |n: usize| format!("the key of site {n}, long and random");
    let ids: Vec<_> = (0..3)
        .map(|n| {
            let server = sim::server_address().ip();
            let config = ClientConfig::new(server, &key(n)).user("alice", "wonderland");
            let id = world.connect(config);
            world.run_while(secs(5), |world| world.asked.is_empty());
            let (ticket, path) = world.asked.pop().unwrap();
            assert_eq!(path.remote.ip(), world.address(id).ip());
            // It may be any of these: the right one is found by trial.
            let keys = (0..3).map(|n| key(n).as_str().into()).collect();
            let answer = Credentials::Psk(keys);
            assert!(world.with_server(|s, now| s.answer_credentials(now, ticket, answer)));
            id
        })
        .collect();
    for id in &ids {
        world.wait_up(*id, secs(10));
        echoes(&mut world, *id, 1);
    }
    let stranger = world.connect(secure_client_config());
    world.run_while(secs(5), |world| world.asked.is_empty());
    let (ticket, _) = world.asked.pop().unwrap();
    let answer = Credentials::Refuse;
    assert!(world.with_server(|s, now| s.answer_credentials(now, ticket, answer)));
    world.wait_end(stranger, secs(100));
    let refused = world.refused.last().unwrap().explain();
    assert!(refused.contains("not known here"), "{refused}");
}

#[test]
fn clear_text_is_refused_unless_allowed() {
    let mut world = World::secure(1);
    let id = world.connect(sim::client_config());
    world.wait_end(id, secs(100));
    let drops = world.server().data_plane().drops();
    assert!(drops.get(vpn_core::DropReason::NotAllowed) >= 5);

    let config = sim::secure_server_config().plain_l2tp_too(true);
    let mut world = World::new(1, Link::default(), config, sim::users());
    let clear = world.connect(sim::client_config().auth([l2tp_ipsec::AuthMethod::MsChapV2]));
    let secure = world.connect(secure_client_config());
    for id in [clear, secure] {
        world.wait_up(id, secs(10));
        echoes(&mut world, id, 1);
    }
    let protected: Vec<bool> = world.connected.iter().map(|up| up.security.is_some()).collect();
    assert!(protected.contains(&true) && protected.contains(&false));
}

/// PPP, the call, the tunnel, and only then what carried them; nothing waits for a peer that is gone.
#[test]
fn the_end_comes_from_the_inside_out() {
    for server_is_dead in [false, true] {
        let mut world = World::secure(1);
        let id = world.connect(secure_client_config());
        world.wait_both_up(id, secs(10));
        world.run_for(secs(1));
        let sent = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&sent);
        let client = world.address(id).ip();
        world.net.observe(move |_, datagram, _| {
            if datagram.source.ip() == client {
                sink.borrow_mut().push(datagram.socket);
            }
        });
        if server_is_dead {
            world.net.intercept(|_, _| Verdict::Drop);
        }
        world.hang_up(id);
        let began = world.net.now();
        world.wait_end(id, secs(60));
        let took = world.net.now().since(began);
        assert!(took <= secs(if server_is_dead { 20 } else { 1 }), "{took:?}");
        world.run_for(secs(1));
        let sent = sent.borrow();
        let first_ike = sent.iter().position(|socket| *socket == Socket::Ike).unwrap();
        assert!(first_ike >= 3, "Terminate-Request, CDN and StopCCN go first: {sent:?}");
        assert!(sent[first_ike..].iter().all(|socket| *socket == Socket::Ike), "{sent:?}");
        assert_eq!(sent.len() - first_ike, 2, "a Delete of the pair and one of the IKE SA");
        if !server_is_dead {
            world.wait_empty(secs(150));
        }
    }
}

/// RFC 3193 §4.2.3.
#[test]
fn a_server_may_send_clients_to_another_address() {
    let second: IpAddr = "192.0.2.2".parse().unwrap();
    let config = sim::secure_server_config().redirect(second);
    let mut world = World::new(1, Link::default(), config, sim::users());
    world.add_server(second, sim::secure_server_config());
    let id = world.connect(secure_client_config());
    let up = world.wait_up(id, secs(10));
    assert_eq!(up.security.unwrap().path.remote.ip(), second);
    // Two that send clients to each other keep nobody for ever.
    let config = sim::secure_server_config().redirect(second);
    let mut world = World::new(1, Link::default(), config, sim::users());
    let back = sim::server_address().ip();
    world.add_server(second, sim::secure_server_config().redirect(back));
    let id = world.connect(secure_client_config());
    let reason = world.wait_end(id, secs(60)).explain();
    assert!(reason.contains("L2TP tunnel"), "{reason}");
}

/// What an unset variable in a start script gives.
#[test]
fn an_empty_key_is_refused() {
    use l2tp_ipsec::Client;
    use l2tp_ipsec::Server;
    use l2tp_ipsec::ServerConfig;
    let provider = vpn_crypto::provider();
    let random = || Box::new(vpn_netsim::SeededRandom::new(1));
    let config = ServerConfig::new("").pool("10.9.0.0/24".parse().unwrap());
    let refused = Server::new(config, sim::users(), provider, random()).unwrap_err();
    assert!(refused.to_string().contains("empty"), "{refused}");
    let config = ClientConfig::new(sim::server_address().ip(), "").user("alice", "wonderland");
    let refused = Client::new(config, provider, random()).unwrap_err();
    assert!(refused.to_string().contains("empty"), "{refused}");
}
