//! Whatever happens at a LAC in whatever order, it keeps its contract, says of every subscriber
//! once that it has ended, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod access;

use core::time::Duration;

use access::METHODS;
use access::World;
use access::client;
use access::lac_address;
use access::lac_config;
use access::lns_address;
use access::lns_config;
use l2tp_ipsec::LacEvent;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::Users;
use proptest::prelude::*;
use vpn_core::Socket;
use vpn_netsim::Datagram;
use vpn_netsim::Link;
use vpn_netsim::Realm;

#[derive(Clone, Debug)]
enum Operation {
    Dial(usize),
    Cut(usize),
    SendAway(usize),
    /// A frame from a subscriber: these octets behind the Protocol.
    Frame(usize, u16, Vec<u8>),
    /// A datagram with the LNS's address.
    Forge(Vec<u8>),
    LnsHangsUp(usize),
    Partition,
    Heal,
    Wait(u64),
}

fn operation() -> impl Strategy<Value = Operation> {
    let octets = || prop::collection::vec(any::<u8>(), 0..40);
    let protocol = prop::sample::select(vec![0xc021_u16, 0xc023, 0xc223, 0x8021, 0x0021, 0x1234]);
    prop_oneof![
        3 => (0..3_usize).prop_map(Operation::Dial),
        1 => (0..8_usize).prop_map(Operation::Cut),
        1 => (0..8_usize).prop_map(Operation::SendAway),
        2 => (0..8_usize, protocol, octets()).prop_map(|(n, p, o)| Operation::Frame(n, p, o)),
        1 => octets().prop_map(Operation::Forge),
        1 => (0..8_usize).prop_map(Operation::LnsHangsUp),
        1 => Just(Operation::Partition),
        1 => Just(Operation::Heal),
        5 => (0..5_u64).prop_map(|power| Operation::Wait(10_u64.pow(u32::try_from(power).unwrap()))),
    ]
}

fn carry_out(world: &mut World, operation: Operation) {
    let subscribers = world.access().subscribers.len();
    let id = |world: &World, n: usize| world.access().subscribers[n % subscribers].id;
    match operation {
        Operation::Dial(_) if world.access().lac.subscribers() >= 8 => {}
        Operation::Dial(method) => {
            world.dial(client("alice", &METHODS[method..=method]));
        }
        Operation::Forge(mut payload) => {
            // The IDs of a first tunnel may well be guessed here.
            if let Some(flags) = payload.get_mut(..2) {
                flags.copy_from_slice(&[0xc8, 0x02]);
            }
            let (socket, source, destination) = (Socket::L2tp, lns_address(), lac_address());
            let datagram = Datagram { socket, source, destination, payload };
            world.net.inject(Realm::PUBLIC, Duration::ZERO, datagram);
        }
        Operation::LnsHangsUp(n) if !world.connected.is_empty() => {
            let session = world.connected[n % world.connected.len()].session;
            world.net.with(world.lns, |node, now| {
                node.server_mut().disconnect(now, session, LocalReason::Requested);
            });
        }
        Operation::Partition => world.net.partition(&[world.lns]),
        Operation::Heal => world.net.heal(),
        Operation::Wait(millis) => world.run(Duration::from_millis(millis)),
        Operation::Cut(n) if subscribers > 0 => world.cut(n % subscribers),
        Operation::SendAway(n) if subscribers > 0 => {
            let id = id(world, n);
            world.with_lac(|lac, now| lac.disconnect(now, id));
        }
        Operation::Frame(n, protocol, octets) if subscribers > 0 => {
            let id = id(world, n);
            let [high, low] = protocol.to_be_bytes();
            let frame = [&[0xff, 0x03, high, low], &octets[..]].concat();
            let _ = world.with_lac(|lac, now| lac.handle_frame(now, id, &frame));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_subscriber_ends_once_and_nothing_is_left(
        operations in prop::collection::vec(operation(), 0..60),
        loss in 0.0..0.3_f64,
        seed in any::<u64>(),
    ) {
        let users = Users::new().user("alice", "wonderland");
        let mut world = World::with_users(lac_config(&METHODS), lns_config(&METHODS), users, seed);
        world.net.set_links(world.lac, world.lns, Link { loss, ..Link::default() });
        for operation in operations {
            carry_out(&mut world, operation);
        }
        world.net.heal();
        world.with_lac(|lac, now| lac.close(now));
        world.run(Duration::from_secs(300));
        let mut ended: Vec<_> = world.said.iter().filter_map(|event| match event {
            LacEvent::Ended { subscriber, .. } => Some(*subscriber),
            _ => None,
        }).collect();
        ended.sort_unstable();
        let all: Vec<_> = world.access().subscribers.iter().map(|s| s.id).collect();
        prop_assert_eq!(ended, all);
        prop_assert!(matches!(world.said.last(), Some(LacEvent::Closed)));
        prop_assert_eq!(world.access().lac.counts().sessions, 0);
        prop_assert_eq!(world.server().sessions().count(), 0);
        prop_assert_eq!(world.server().counts().sessions, 0);
    }
}
