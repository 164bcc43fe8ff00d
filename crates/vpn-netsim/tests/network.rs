//! The simulated network, seen through its public API, with a machine that pings and echoes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod echo;

use alloc::rc::Rc;
use core::cell::RefCell;
use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;

use echo::Echo;
use echo::Got;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_netsim::Burst;
use vpn_netsim::Datagram;
use vpn_netsim::Fate;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::Net;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;
use vpn_netsim::Verdict;

const SECOND: Duration = Duration::from_secs(1);
const SERVER: &str = "192.0.2.1:1701";

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(seconds: u64) -> Instant {
    Instant::ZERO + SECOND * u32::try_from(seconds).unwrap()
}

/// A server that echoes, and a client that pings it every second.
fn pair(seed: u64, link: Link) -> (Net<Echo>, NodeId, NodeId) {
    let mut net = Net::new(seed);
    net.set_default_link(link);
    let client = Echo::pinging(Path::l2tp(addr("192.0.2.2:1701"), addr(SERVER)), SECOND);
    let client = net.add(client, &[ip("192.0.2.2")]);
    let server = net.add(Echo::default(), &[ip("192.0.2.1")]);
    (net, client, server)
}

fn bad_link() -> Link {
    Link {
        loss: 0.1,
        burst: Some(Burst { enter: 0.02, leave: 0.3 }),
        duplicate: 0.1,
        corrupt: 0.05,
        reorder: 0.2,
        hold: Duration::from_secs(3),
        delay: Duration::from_millis(80),
        jitter: Duration::from_millis(900),
        mtu: Some(1_000),
    }
}

#[test]
fn a_ping_takes_the_delay_of_both_ways() {
    let (mut net, client, server) = pair(1, Link::PERFECT);
    let slow = |millis| Link { delay: Duration::from_millis(millis), ..Link::PERFECT };
    net.set_link(client, server, slow(30));
    net.set_link(server, client, slow(12));
    let (id, got) = net.next_event(at(10)).unwrap();
    assert_eq!((id, got.echo, net.now().as_micros()), (server, false, 30_000));
    assert_eq!(got.path, Path::l2tp(addr(SERVER), addr("192.0.2.2:1701")));
    let (id, got) = net.next_event(at(10)).unwrap();
    assert_eq!((id, got.echo, net.now().as_micros()), (client, true, 42_000));
    assert_eq!(net.next_event(at(1)).map(|_| net.now()), None);
    assert_eq!(net.now(), at(1));
}

#[test]
fn every_datagram_has_one_fate() {
    let (mut net, ..) = pair(2, bad_link());
    net.run_until(at(5_000));
    let counts = net.counts();
    let in_flight = u64::try_from(net.in_flight()).unwrap();
    assert_eq!(counts.sent + counts.duplicated, counts.ended() + in_flight);
    assert!(counts.sent > 8_000 && counts.lost > 1_000 && counts.delivered > 5_000, "{counts:?}");
    assert!(counts.duplicated > 400 && counts.corrupted > 200 && counts.reordered > 800);
    assert!(counts.unroutable == 0 && counts.too_large == 0 && counts.partitioned == 0);
}

fn capture_of(seed: u64) -> Vec<u8> {
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);
    impl std::io::Write for Shared {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(octets)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (mut net, ..) = pair(seed, bad_link());
    let file = Shared::default();
    net.capture(file.clone());
    net.run_until(at(600));
    drop(net);
    file.0.take()
}

#[test]
fn the_seed_decides_everything() {
    assert_eq!(capture_of(3), capture_of(3));
    assert_ne!(capture_of(3), capture_of(4));
}

#[test]
fn what_exceeds_the_mtu_disappears() {
    let link = Link { mtu: Some(128), ..Link::default() };
    let (mut net, client, server) = pair(5, link);
    net.with(client, |node, _| node.padding = 100 - echo::HEADER);
    net.run_until(at(1));
    assert!(net.counts().too_large == 0 && net.counts().delivered > 0);
    net.with(client, |node, _| node.padding += 1);
    let before = net.node(server).received;
    net.run_for(SECOND * 10);
    assert!(net.counts().too_large >= 10);
    assert!(net.node(server).received <= before + 1);
}

#[test]
fn a_partition_stops_what_is_in_flight_too() {
    let (mut net, client, server) = pair(6, Link { delay: SECOND / 2, ..Link::PERFECT });
    net.run_until(at(3));
    assert!(net.in_flight() > 0);
    net.partition(&[client]);
    let received = net.node(server).received;
    net.run_until(at(20));
    assert_eq!(net.node(server).received, received);
    assert!(net.counts().partitioned >= 16);
    net.heal();
    net.run_until(at(30));
    assert!(net.node(server).received >= received + 9);
}

#[test]
fn nodes_of_one_island_still_talk() {
    let (mut net, client, server) = pair(7, Link::default());
    net.partition(&[client, server]);
    net.run_until(at(10));
    assert_eq!(net.counts().partitioned, 0);
    assert!(net.node(client).received >= 9);
}

#[test]
fn many_clients_behind_one_address_are_told_apart() {
    let mut net = Net::new(8);
    let server = net.add(Echo::default(), &[ip("192.0.2.1")]);
    let home = net.add_nat(Realm::PUBLIC, ip("198.51.100.1"), Nat::HOME_ROUTER);
    let clients: Vec<_> = (2..102)
        .map(|host| {
            let local = addr(&format!("10.0.0.{host}:1701"));
            let client = Echo::pinging(Path::l2tp(local, addr(SERVER)), SECOND);
            net.add_inside(home, client, &[local.ip()])
        })
        .collect();
    net.run_until(at(10));
    assert_eq!(net.mappings(home), 100);
    for client in clients {
        assert!(net.node(client).received >= 9);
    }
    assert!(net.node(server).peers.len() == 100);
    assert!(net.node(server).peers.iter().all(|peer| peer.ip() == ip("198.51.100.1")));
}

#[test]
fn a_quiet_mapping_times_out_and_the_answer_is_refused() {
    let mut net = Net::new(9);
    let server = net.add(Echo::default(), &[ip("192.0.2.1")]);
    let home = net.add_nat(Realm::PUBLIC, ip("198.51.100.1"), Nat::HOME_ROUTER);
    let local = addr("10.0.0.2:1701");
    let client = Echo::pinging(Path::l2tp(local, addr(SERVER)), SECOND * 100);
    let client = net.add_inside(home, client, &[local.ip()]);
    net.run_until(at(1));
    let knock = |net: &mut Net<Echo>| {
        let outside = *net.node(server).peers.last().unwrap();
        net.with(server, |node, _| node.say(Path::l2tp(addr(SERVER), outside)));
        net.run_for(SECOND / 10);
        (net.node(client).received, net.counts().nat_refused)
    };
    let (heard, refused) = knock(&mut net);
    assert_eq!((heard, refused), (2, 0));
    net.run_until(at(40));
    assert_eq!(knock(&mut net), (heard, 1));
}

#[test]
fn rebinding_changes_the_port_and_readdressing_the_address() {
    let mut net = Net::new(10);
    let server = net.add(Echo::default(), &[ip("192.0.2.1")]);
    let home = net.add_nat(Realm::PUBLIC, ip("198.51.100.1"), Nat::FULL_CONE);
    let local = addr("10.0.0.2:1701");
    let client = Echo::pinging(Path::l2tp(local, addr(SERVER)), SECOND);
    net.add_inside(home, client, &[local.ip()]);
    net.run_until(at(5));
    net.rebind(home);
    net.run_until(at(10));
    net.readdress(home, ip("198.51.100.2"));
    net.run_until(at(15));
    let peers = &net.node(server).peers;
    assert_eq!(peers.len(), 3);
    assert_eq!(peers[0], addr("198.51.100.1:1701"));
    assert!(peers[1].ip() == peers[0].ip() && peers[1].port() != 1701);
    assert_eq!(peers[2].ip(), ip("198.51.100.2"));
}

#[test]
fn a_removed_node_hears_nothing_and_its_place_can_be_taken() {
    let (mut net, client, server) = pair(11, Link::default());
    net.run_until(at(3));
    let old = net.remove(server);
    assert!(old.received >= 3);
    net.run_until(at(10));
    assert!(net.counts().unroutable >= 6);
    let heard = net.node(client).received;
    let again = net.add(Echo::default(), &[ip("192.0.2.1")]);
    assert_ne!(again, server);
    net.run_until(at(20));
    assert!(net.node(client).received > heard + 8);
    assert_eq!(net.nodes().map(|(id, _)| id).collect::<Vec<_>>(), [client, again]);
}

#[test]
fn an_interceptor_drops_and_changes_what_it_chooses() {
    let (mut net, client, _) = pair(12, Link::default());
    let mut seen = 0;
    net.intercept(move |_, datagram| {
        seen += 1;
        if seen == 3 {
            datagram.payload.truncate(1);
        }
        if seen == 1 { Verdict::Drop } else { Verdict::Pass }
    });
    let mut lengths = Vec::new();
    while let Some((id, Got { len, .. })) = net.next_event(at(4)) {
        lengths.push((id == client, len));
    }
    assert_eq!(net.counts().intercepted, 1);
    assert_eq!(lengths[..3], [(false, echo::HEADER), (true, 1), (false, echo::HEADER)]);
}

#[test]
fn observers_see_each_end_and_injected_datagrams_arrive() {
    let (mut net, client, server) = pair(13, Link { loss: 0.5, ..Link::default() });
    let fates = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&fates);
    net.observe(move |_, datagram, fate| seen.borrow_mut().push((datagram.source, fate)));
    net.run_until(at(100));
    assert_eq!(u64::try_from(fates.borrow().len()).unwrap(), net.counts().ended());
    let before = net.node(server).received;
    let source = addr("203.0.113.66:6666");
    let (socket, payload) = (Socket::L2tp, vec![0; 4]);
    let spoofed = Datagram { socket, source, destination: addr(SERVER), payload };
    net.inject(Realm::PUBLIC, Duration::ZERO, spoofed);
    net.run_for(Duration::ZERO);
    assert_eq!(net.node(server).received, before + 1);
    assert!(fates.borrow().contains(&(source, Fate::Delivered)));
    assert!(net.node(client).received > 0);
}

#[test]
fn a_spoofer_must_be_allowed() {
    let mut net = Net::new(14);
    let server = net.add(Echo::default(), &[ip("192.0.2.1")]);
    let forged = Path::l2tp(addr("203.0.113.5:1701"), addr(SERVER));
    let attacker = net.add(Echo::pinging(forged, SECOND), &[ip("192.0.2.66")]);
    net.allow_spoofing(attacker);
    net.run_until(at(2));
    assert_eq!(net.node(server).peers, [addr("203.0.113.5:1701")]);
}

#[test]
fn ten_thousand_clients_for_an_hour_are_cheap() {
    let mut net = Net::new(15);
    net.set_default_link(Link { jitter: Duration::from_millis(50), ..Link::default() });
    let server = net.add(Echo::default(), &[ip("192.0.2.1")]);
    for host in 0..10_000u32 {
        let local = SocketAddr::new((0x0a00_0000 + host).to_be_bytes().into(), 1701);
        let every = Duration::from_secs(60) + Duration::from_millis(u64::from(host));
        net.add(Echo::pinging(Path::l2tp(local, addr(SERVER)), every), &[local.ip()]);
    }
    net.run_until(at(3_600));
    assert!(net.node(server).received > 550_000);
    assert_eq!(net.node(server).peers.len(), 10_000);
}
