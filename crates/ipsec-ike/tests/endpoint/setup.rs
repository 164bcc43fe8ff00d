//! Main mode and quick mode, with what they negotiate.

use vpn_core::Socket;
use vpn_netsim::Nat;

use crate::network::*;

#[test]
fn without_a_nat() {
    let mut pair = Pair::new(1, client_config(), server_config());
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up), "{:?}", pair.events);
    pair.run(secs(1));
    let (client, server) = (pair.installed(pair.client), pair.installed(pair.server));
    assert_eq!((client.len(), server.len()), (1, 1));
    assert_match(client[0], server[0]);
    assert!(!client[0].encapsulated);
    assert_eq!(client[0].esp_path.socket, Socket::Esp);
    assert_eq!((client[0].esp_path.remote.ip(), client[0].esp_path.remote.port()), (SERVER, 0));
    assert!(client[0].outbound_ready && !server[0].outbound_ready);
    let info = pair.info(pair.server).unwrap();
    assert!(!info.nat.local && !info.nat.remote && info.nat.version.is_some());
    assert_eq!(info.remote_id.address(), Some(CLIENT));
    assert_eq!(pair.net.node(pair.server).counts().half_open, 0);
    assert_eq!(pair.net.node(pair.server).drops().total(), 0);
    assert_eq!(pair.net.node(pair.client).drops().total(), 0);
}

#[test]
fn behind_a_nat() {
    let mut pair = Pair::behind_nat(1, client_config(), server_config(), Nat::HOME_ROUTER);
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up), "{:?}", pair.events);
    let (client, server) = (pair.installed(pair.client), pair.installed(pair.server));
    assert_match(client[0], server[0]);
    assert!(client[0].encapsulated && server[0].encapsulated);
    assert_eq!(client[0].esp_path.socket, Socket::NatT);
    assert_eq!(client[0].esp_path.remote.port(), 4500);
    assert_eq!(server[0].esp_path.remote.ip(), CLIENT);
    assert_eq!(server[0].remote.address, CLIENT);
    assert_eq!(server[0].nat_oa.initiator, Some(pair.client_address));
    assert_eq!(server[0].nat_oa.responder, Some(SERVER));
    assert_eq!(client[0].nat_oa.initiator, Some(CLIENT));
    let info = pair.info(pair.client).unwrap();
    assert!(info.nat.local && !info.nat.remote && info.encapsulated);
    let info = pair.info(pair.server).unwrap();
    assert!(!info.nat.local && info.nat.remote && info.encapsulated);
}
