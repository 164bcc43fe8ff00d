//! Addresses that change, and addresses that are shared.

use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;

use ipsec_ike::ConnectConfig;
use ipsec_ike::Event;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::Net;
use vpn_netsim::Realm;

use crate::network::*;

#[test]
fn keepalives_come_from_the_side_behind_the_nat() {
    let quiet = |config: ipsec_ike::EndpointConfig| config.dpd(None);
    let (client, server) = (quiet(client_config()), quiet(server_config()));
    let mut pair = Pair::behind_nat(1, client, server, Nat::HOME_ROUTER);
    pair.connect();
    pair.run(secs(205));
    assert_eq!(pair.net.node(pair.server).counts().keepalives, 10);
    assert_eq!(pair.net.node(pair.client).counts().keepalives, 0);
    // ESP that goes out makes them unnecessary.
    let peer = pair.handle(pair.client).unwrap();
    for _ in 0..20 {
        pair.net.with(pair.client, |client, now| client.note_outbound(now, peer));
        pair.run(secs(10));
    }
    assert!(pair.net.node(pair.server).counts().keepalives <= 11);
}

#[test]
fn the_server_follows_a_rebound_client() {
    let mut net = Net::new(2);
    net.set_default_link(Link { delay: Duration::from_millis(20), ..Link::PERFECT });
    let server = net.add(endpoint(server_config(), 1), &[SERVER]);
    let inside = net.add_nat(Realm::PUBLIC, CLIENT, Nat::HOME_ROUTER);
    let private = IpAddr::from([10, 0, 0, 2]);
    let client = net.add_inside(inside, endpoint(client_config(), 2), &[private]);
    let local = SocketAddr::new(private, 500);
    let config = ConnectConfig::new(SocketAddr::new(SERVER, 500), local);
    net.with(client, |client, now| client.connect(now, config)).unwrap();
    let run = |net: &mut Net<ipsec_ike::Endpoint>, time: Duration| {
        let limit = net.now() + time;
        let mut events = Vec::new();
        while let Some(event) = net.next_event(limit) {
            events.push(event);
        }
        events
    };
    run(&mut net, secs(5));
    net.readdress(inside, IpAddr::from([198, 51, 100, 8]));
    // The client's own R-U-THERE shows the new address.
    let events = run(&mut net, secs(60));
    let changed: Vec<_> = events
        .iter()
        .filter_map(|(node, event)| match event {
            Event::PathChanged { path, .. } => Some((*node, path.remote.ip())),
            _ => None,
        })
        .collect();
    assert_eq!(changed, [(server, IpAddr::from([198, 51, 100, 8]))]);
    // Nobody is taken for dead.
    let events = run(&mut net, secs(3_600));
    let closed = events.iter().any(|(_, event)| matches!(event, Event::PeerClosed { .. }));
    assert!(!closed, "{events:?}");
}

#[test]
fn who_is_behind_a_nat_itself_does_not_follow() {
    let mut pair = Pair::behind_nat(3, client_config(), server_config(), Nat::HOME_ROUTER);
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    let elsewhere = SocketAddr::new(IpAddr::from([203, 0, 113, 5]), 4500);
    for (node, follows) in [(pair.client, false), (pair.server, true)] {
        let peer = pair.handle(node).unwrap();
        let known = pair.net.node(node).peer(peer).unwrap().esp_path;
        let path = Path { socket: Socket::NatT, local: known.local, remote: elsewhere };
        let followed = pair.net.with(node, |end, now| end.note_path(now, peer, path));
        assert_eq!(followed, follows);
        let again = pair.net.with(node, |end, now| end.note_path(now, peer, path));
        assert!(!again, "it is there already");
        let now_at = pair.net.node(node).peer(peer).unwrap().esp_path.remote;
        assert_eq!(now_at == elsewhere, follows);
    }
}

#[test]
fn two_clients_behind_one_nat_with_the_same_private_address_and_identity() {
    let mut net = Net::new(4);
    net.set_default_link(Link { delay: Duration::from_millis(20), ..Link::PERFECT });
    let server = net.add(endpoint(server_config(), 1), &[SERVER]);
    let outer = net.add_nat(Realm::PUBLIC, CLIENT, Nat::HOME_ROUTER);
    let private = IpAddr::from([10, 0, 0, 2]);
    let mut clients = Vec::new();
    for n in 0..2u8 {
        let own = IpAddr::from([192, 168, 0, 10 + n]);
        let inner = net.add_nat(outer, own, Nat::HOME_ROUTER);
        let client = endpoint(client_config(), 10 + u64::from(n));
        clients.push(net.add_inside(inner, client, &[private]));
    }
    for client in &clients {
        let local = SocketAddr::new(private, 500);
        let config = ConnectConfig::new(SocketAddr::new(SERVER, 500), local);
        net.with(*client, |client, now| client.connect(now, config)).unwrap();
    }
    let limit = net.now() + secs(6 * 3_600);
    let mut ups = Vec::new();
    while let Some((node, event)) = net.next_event(limit) {
        match event {
            Event::PeerUp { peer, info } if node == server => {
                assert_eq!(info.remote_id.address(), Some(private));
                ups.push((peer, info.path.remote));
            }
            Event::PeerClosed { .. } | Event::Failed { .. } => panic!("{event:?}"),
            _ => {}
        }
    }
    assert_eq!(ups.len(), 2);
    assert_ne!(ups[0].1, ups[1].1);
    let counts = net.node(server).counts();
    assert_eq!((counts.peers, counts.children), (2, 2));
}

#[test]
fn many_clients_behind_one_address() {
    let mut net = Net::new(5);
    net.set_default_link(Link { delay: Duration::from_millis(20), ..Link::PERFECT });
    let server = net.add(endpoint(server_config(), 1), &[SERVER]);
    let inside = net.add_nat(Realm::PUBLIC, CLIENT, Nat::HOME_ROUTER);
    let many = 300u16;
    for n in 0..many {
        let [high, low] = n.to_be_bytes();
        let own = IpAddr::from([10, 0, high, low]);
        let client = net.add_inside(inside, endpoint(client_config(), 100 + u64::from(n)), &[own]);
        let local = SocketAddr::new(own, 500);
        let config = ConnectConfig::new(SocketAddr::new(SERVER, 500), local);
        net.with(client, |client, now| client.connect(now, config)).unwrap();
    }
    net.run_for(secs(60));
    let counts = net.node(server).counts();
    assert_eq!((counts.peers, counts.children), (many.into(), many.into()), "{counts:?}");
}
