//! How keys are renewed, and what ends.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use ipsec_ike::ChildCloseReason;
use ipsec_ike::ChildHandle;
use ipsec_ike::CloseReason;
use ipsec_ike::ConnectConfig;
use ipsec_ike::Endpoint;
use ipsec_ike::Event;
use ipsec_ike::Lifetimes;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_netsim::Nat;
use vpn_netsim::NodeId;

use crate::network::*;

fn lifetimes(ike: u64, esp: u64) -> Lifetimes {
    Lifetimes { ike: secs(ike), esp: secs(esp), esp_kilobytes: None }
}

/// Follows both ends' events: at any time each end has a pair to send on, and the other end can
/// receive on it.
fn assert_no_gap(pair: &Pair) {
    let mut inbound: [BTreeMap<u32, ChildHandle>; 2] = Default::default();
    let mut outbound: [BTreeMap<ChildHandle, u32>; 2] = Default::default();
    let mut current: [Option<ChildHandle>; 2] = [None, None];
    let side = |node: NodeId| usize::from(node == pair.client);
    for (node, event) in &pair.events {
        let at = side(*node);
        match event {
            Event::ChildInstall(child) => {
                inbound[at].insert(child.inbound.spi, child.child);
                outbound[at].insert(child.child, child.outbound.spi);
                if child.outbound_ready {
                    current[at] = Some(child.child);
                }
            }
            Event::ChildReady { child } => current[at] = Some(*child),
            Event::ChildClosed { child, reason } => {
                assert_eq!(*reason, ChildCloseReason::Replaced);
                assert_ne!(current[at], Some(*child), "the pair in use was closed");
                inbound[at].retain(|_, known| known != child);
                outbound[at].remove(child);
            }
            Event::PeerUp { .. } | Event::PeerRekeyed { .. } | Event::PathChanged { .. } => {}
            other => panic!("{other:?}"),
        }
        for at in 0..2 {
            let Some(child) = current[at] else { continue };
            let spi = outbound[at][&child];
            assert!(inbound[1 - at].contains_key(&spi), "the other end can't receive {spi:08x}");
        }
    }
    assert!(current[0].is_some() && current[1].is_some());
}

fn rekeyed(pair: &Pair, node: NodeId) -> usize {
    pair.of(node).filter(|event| matches!(event, Event::PeerRekeyed { .. })).count()
}

#[test]
fn pairs_are_renewed_without_a_gap() {
    for seed in 0..10 {
        let config = |config: ipsec_ike::EndpointConfig| config.lifetimes(lifetimes(3_600, 120));
        let (client, server) = (config(client_config()), config(server_config()));
        let mut pair = Pair::new(seed, client, server);
        pair.connect();
        pair.run(secs(1_200));
        assert_no_gap(&pair);
        let installed = pair.installed(pair.client).len();
        assert!((10..=14).contains(&installed), "{installed}");
        assert_eq!(rekeyed(&pair, pair.client), 0);
        let counts = pair.net.node(pair.client).counts();
        assert!(counts.children <= 3, "{counts:?}");
    }
}

#[test]
fn the_server_renews_too() {
    // The client's clock for renewal is far away; the server's is near.
    let client = client_config().lifetimes(lifetimes(86_400, 86_400));
    let server = server_config().lifetimes(lifetimes(600, 120));
    let mut pair = Pair::behind_nat(3, client, server, Nat::HOME_ROUTER);
    pair.connect();
    pair.run(secs(3_600));
    assert_no_gap(&pair);
    assert!(rekeyed(&pair, pair.server) >= 5);
    assert!(pair.installed(pair.client).len() >= 30);
    assert_eq!(pair.net.node(pair.server).counts().peers, 1);
}

#[test]
fn both_lifetimes_alike() {
    // As Apple's: both end at once.
    for seed in 0..5 {
        let config = |config: ipsec_ike::EndpointConfig| config.lifetimes(lifetimes(120, 120));
        let (client, server) = (config(client_config()), config(server_config()));
        let mut pair = Pair::behind_nat(seed, client, server, Nat::HOME_ROUTER);
        pair.connect();
        pair.run(secs(3_600));
        assert_no_gap(&pair);
        for node in [pair.client, pair.server] {
            let counts = pair.net.node(node).counts();
            assert_eq!(counts.peers, 1);
            assert!(counts.ike_sas <= 6, "{counts:?}");
            assert!(counts.children <= 4, "{counts:?}");
        }
    }
}

#[test]
fn two_days() {
    let mut pair = Pair::behind_nat(5, client_config(), server_config(), Nat::HOME_ROUTER);
    pair.connect();
    pair.run(secs(48 * 3_600));
    assert_no_gap(&pair);
    assert!(rekeyed(&pair, pair.server) >= 5);
    let counts = pair.net.node(pair.server).counts();
    assert_eq!((counts.peers, counts.half_open), (1, 0));
    assert!(counts.children <= 2 && counts.ike_sas <= 2, "{counts:?}");
}

#[test]
fn both_renew_a_pair_at_once() {
    for seed in 0..50 {
        let mut pair = Pair::new(seed, client_config(), server_config());
        pair.connect();
        assert!(pair.run_until(secs(5), Pair::is_up));
        pair.run(secs(5));
        let (client, server) = (pair.client, pair.server);
        let ends = [(client, pair.ready(client)[0]), (server, pair.ready(server)[0])];
        for (node, child) in ends {
            pair.net.with(node, |end, now| end.rekey_child(now, child)).unwrap();
            if seed % 2 == 1 {
                pair.run(std::time::Duration::from_millis(seed));
            }
        }
        pair.run(secs(200));
        assert_no_gap(&pair);
        // One pair is left, the same at both ends.
        let left = |node: NodeId| {
            let closed: Vec<ChildHandle> = pair
                .of(node)
                .filter_map(|event| match event {
                    Event::ChildClosed { child, .. } => Some(*child),
                    _ => None,
                })
                .collect();
            let all = pair.installed(node).into_iter();
            let left = all.filter(|child| !closed.contains(&child.child));
            left.map(|child| (child.inbound.spi, child.outbound.spi)).collect::<Vec<_>>()
        };
        let (at_client, at_server) = (left(client), left(server));
        assert_eq!((at_client.len(), at_server.len()), (1, 1), "seed {seed}");
        assert_eq!(at_client[0], (at_server[0].1, at_server[0].0), "seed {seed}");
    }
}

/// Two ends by hand, with what is on the way from each to the other.
struct Wire {
    ends: [Endpoint; 2],
    paths: [Path; 2],
    on_the_way: [Vec<Vec<u8>>; 2],
    events: [Vec<Event>; 2],
}

impl Wire {
    fn up() -> Self {
        let addresses = [CLIENT, SERVER].map(|ip| SocketAddr::new(ip, 500));
        let paths = [(0, 1), (1, 0)].map(|(here, there)| Path {
            socket: Socket::Ike,
            local: addresses[here],
            remote: addresses[there],
        });
        let ends = [endpoint(client_config(), 1), endpoint(server_config(), 2)];
        let mut wire =
            Self { ends, paths, on_the_way: Default::default(), events: Default::default() };
        let config = ConnectConfig::new(addresses[1], addresses[0]);
        wire.ends[0].connect(Instant::ZERO, config).unwrap();
        wire.poll();
        while let Some(from) = (0..2).find(|from| !wire.on_the_way[*from].is_empty()) {
            wire.deliver(from, 0);
        }
        wire
    }

    fn poll(&mut self) {
        for at in 0..2 {
            let mut datagram = Vec::new();
            while self.ends[at].poll_transmit(Instant::ZERO, &mut datagram).is_some() {
                self.on_the_way[at].push(core::mem::take(&mut datagram));
            }
            self.events[at].extend(core::iter::from_fn(|| self.ends[at].poll_event()));
        }
    }

    fn deliver(&mut self, from: usize, place: usize) {
        let datagram = self.on_the_way[from].remove(place);
        let to = 1 - from;
        let _ = self.ends[to].handle_datagram(Instant::ZERO, self.paths[to], &datagram);
        self.poll();
    }

    /// The pair that this end sends on.
    fn sends_on(&self, at: usize) -> u32 {
        let current = self.events[at].iter().rev().find_map(|event| match event {
            Event::ChildInstall(child) if child.outbound_ready => Some(child.child),
            Event::ChildReady { child } => Some(*child),
            _ => None,
        });
        let install = self.events[at].iter().find_map(|event| match event {
            Event::ChildInstall(child) if Some(child.child) == current => Some(child),
            _ => None,
        });
        install.unwrap().outbound.spi
    }

    fn receives_on(&self, at: usize, spi: u32) -> bool {
        self.events[at]
            .iter()
            .any(|event| matches!(event, Event::ChildInstall(child) if child.inbound.spi == spi))
    }
}

/// Both ends renew the same pair, or both the IKE SA, or one each: every order in which what is on
/// the way can arrive.
#[test]
fn every_order_of_crossing_renewals() {
    for (client_child, server_child) in [(true, true), (false, false), (true, false), (false, true)]
    {
        let mut choices: Vec<(usize, usize)> = Vec::new();
        let mut orders = 0;
        loop {
            let mut wire = Wire::up();
            for (at, child) in [(0, client_child), (1, server_child)] {
                let peer = wire.ends[at].peers().next().unwrap();
                if child {
                    let old = wire.events[at].iter().find_map(|event| match event {
                        Event::ChildInstall(child) => Some(child.child),
                        _ => None,
                    });
                    wire.ends[at].rekey_child(Instant::ZERO, old.unwrap()).unwrap();
                } else {
                    wire.ends[at].rekey_peer(Instant::ZERO, peer).unwrap();
                }
            }
            wire.poll();
            let mut step = 0;
            loop {
                let options: Vec<(usize, usize)> = (0..2)
                    .flat_map(|from| (0..wire.on_the_way[from].len()).map(move |at| (from, at)))
                    .collect();
                if options.is_empty() {
                    break;
                }
                if choices.len() == step {
                    choices.push((0, options.len()));
                }
                let (from, at) = options[choices[step].0];
                wire.deliver(from, at);
                step += 1;
                for here in 0..2 {
                    let spi = wire.sends_on(here);
                    assert!(wire.receives_on(1 - here, spi), "{choices:?}");
                }
            }
            let (one, other) = (wire.sends_on(0), wire.sends_on(1));
            let same = wire.events[0].iter().any(|event| {
                matches!(event, Event::ChildInstall(child)
                    if child.outbound.spi == one && child.inbound.spi == other)
            });
            assert!(same, "the ends send on different pairs after {choices:?}");
            orders += 1;
            // The next order: the last choice that has another option takes it.
            choices.truncate(step);
            while choices.last().is_some_and(|(taken, of)| taken + 1 == *of) {
                choices.pop();
            }
            match choices.last_mut() {
                Some((taken, _)) => *taken += 1,
                None => break,
            }
        }
        assert!(orders >= 10, "{orders}");
    }
}

#[test]
fn both_renew_the_ike_sa_at_once() {
    for seed in 0..20 {
        let mut pair = Pair::new(seed, client_config(), server_config());
        pair.connect();
        assert!(pair.run_until(secs(5), Pair::is_up));
        pair.run(secs(5));
        for node in [pair.client, pair.server] {
            let peer = pair.handle(node).unwrap();
            pair.net.with(node, |end, now| end.rekey_peer(now, peer)).unwrap();
        }
        pair.run(secs(600));
        assert_no_gap(&pair);
        for node in [pair.client, pair.server] {
            assert_eq!(rekeyed(&pair, node), 2);
            let counts = pair.net.node(node).counts();
            assert_eq!((counts.ike_sas, counts.children), (1, 1), "seed {seed}: {counts:?}");
        }
        // It works: a pair can be negotiated under what is left, from either side.
        for node in [pair.client, pair.server] {
            let child = *pair.ready(node).last().unwrap();
            pair.net.with(node, |end, now| end.rekey_child(now, child)).unwrap();
            let before = pair.installed(node).len();
            pair.run(secs(30));
            assert_eq!(pair.installed(node).len(), before + 1);
        }
    }
}

#[test]
fn closing_tells_the_other_side() {
    for closer in [0, 1] {
        let mut pair = Pair::new(7, client_config(), server_config());
        pair.connect();
        assert!(pair.run_until(secs(5), Pair::is_up));
        pair.run(secs(1));
        let (here, there) = match closer {
            0 => (pair.client, pair.server),
            _ => (pair.server, pair.client),
        };
        let peer = pair.handle(here).unwrap();
        pair.net.with(here, |end, now| end.close_peer(now, peer)).unwrap();
        pair.run(secs(100));
        assert_eq!(pair.closed(here), Some(&CloseReason::Requested));
        assert_eq!(pair.closed(there), Some(&CloseReason::DeletedByPeer));
        for node in [here, there] {
            let end = pair.net.node(node);
            let counts = end.counts();
            assert_eq!((counts.peers, counts.ike_sas, counts.children), (0, 0, 0));
            assert_eq!(end.poll_timeout(), None);
            let last = pair.of(node).last().unwrap();
            assert!(matches!(last, Event::PeerClosed { .. }), "{last:?}");
        }
    }
}

#[test]
fn an_expired_ike_sa_takes_no_pair_along() {
    // The server's rekeying is lost, and so is the client's, until the IKE SA is over.
    let client = client_config().lifetimes(lifetimes(60, 3_600)).dpd(None);
    let server = server_config().lifetimes(lifetimes(60, 3_600)).dpd(None);
    let mut pair = Pair::new(8, client, server);
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    pair.run(secs(1));
    let nodes = [pair.client];
    pair.net.partition(&nodes);
    pair.run(secs(100));
    assert_eq!(pair.net.node(pair.client).counts().children, 1);
    pair.net.heal();
    pair.run(secs(200));
    assert_no_gap(&pair);
    assert_eq!(pair.net.node(pair.client).counts().peers, 1);
    assert!(rekeyed(&pair, pair.client) >= 1);
}

#[test]
fn a_dead_peer_is_noticed() {
    let mut pair = Pair::new(9, client_config(), server_config());
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    let nodes = [pair.client];
    pair.net.partition(&nodes);
    pair.run(secs(60));
    for node in [pair.client, pair.server] {
        let Some(CloseReason::DpdTimeout { silent }) = pair.closed(node) else {
            panic!("{:?}", pair.events);
        };
        assert!((40..=50).contains(&silent.as_secs()), "{silent:?}");
    }
}

#[test]
fn traffic_keeps_dpd_quiet() {
    let mut pair = Pair::new(10, client_config(), server_config());
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    pair.run(secs(1));
    let sent = pair.net.counts();
    for _ in 0..60 {
        for node in [pair.client, pair.server] {
            let peer = pair.handle(node).unwrap();
            pair.net.with(node, |end, now| end.note_inbound(now, peer));
        }
        pair.run(secs(10));
    }
    assert_eq!(pair.net.counts(), sent, "nothing was sent");
}
