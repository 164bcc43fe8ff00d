//! Sessions that carry nothing for two days, and peers that die.
#![allow(
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod sim;

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use l2tp_control::TunnelCloseReason;
use l2tp_ipsec::DisconnectReason;
use ppp_core::CloseReason;
use vpn_netsim::Link;
use vpn_netsim::NodeId;
use vpn_netsim::Verdict;

use sim::World;
use sim::millis;
use sim::secs;

const TWO_DAYS: Duration = secs(48 * 3600);

/// HELLO after 60 s of silence, and 1 + 2 + 4 + 8 + 16 s of repeats (RFC 2661 §5.5, §5.8).
const HELLO_NOTICES: Duration = secs(60 + 31);

/// An interval of 30 s in which the last sign of life came, one without any, four with requests that
/// nobody answers; then two Terminate-Requests that nobody answers (RFC 1661 §4.6).
const ECHO_NOTICES: Duration = secs(30 * 6 + 2 * 3);

fn up(world: &mut World, clients: usize) -> Vec<NodeId> {
    let ids: Vec<_> = (0..clients).map(|_| world.connect(sim::client_config())).collect();
    for id in &ids {
        world.wait_up(*id, secs(120));
    }
    ids
}

#[test]
fn two_idle_days_change_nothing() {
    for loss in [0.0, 0.05] {
        let link = Link { loss, delay: millis(30), ..Link::PERFECT };
        let mut world = World::new(2, link, sim::server_config(), sim::users());
        let ids = up(&mut world, 10);
        let before = world.net.counts().sent;
        world.run_for(TWO_DAYS);
        let sent = world.net.counts().sent - before;
        for id in &ids {
            assert_eq!(world.clients[id].ended, None);
            assert_eq!(world.clients[id].ups, 1);
        }
        assert_eq!(world.server().sessions().count(), ids.len());
        assert_eq!(world.disconnected, []);

        // Each end may ask once in 15 s and be answered, if all were cut as short as they may be.
        let bound = 10 * (TWO_DAYS.as_secs() / 15) * 4;
        println!("{sent} datagrams in two days for ten sessions at loss {loss}; bound {bound}");
        assert!(sent <= bound);
        for id in ids {
            let packet = sim::packet::udp(world.clients[&id].address(), sim::INSIDE, 40, 0);
            assert!((0..20).any(|_| {
                world.send(id, &packet).unwrap();
                world.run_for(secs(1));
                !world.clients[&id].packets.is_empty()
            }));
        }
    }
}

#[test]
fn a_dead_peer_is_noticed_in_time_at_both_ends() {
    for seed in 0..20 {
        let mut world = World::ordinary(seed);
        let ids = up(&mut world, 3);
        world.run_for(secs(seed * 7));
        let gone = world.net.now();
        world.net.partition(&ids[..2]);
        world.run_for(HELLO_NOTICES + secs(1));
        for id in &ids[..2] {
            let caller = &world.clients[id];
            let told = caller.ended.as_ref().unwrap();
            assert!(
                matches!(told, DisconnectReason::Tunnel(TunnelCloseReason::NoAnswer { .. }))
                    || matches!(told, DisconnectReason::Ppp(CloseReason::EchoLost { .. })),
                "{told}"
            );
            assert!(caller.ended_at.unwrap().since(gone) <= HELLO_NOTICES, "{caller:?}");
        }
        assert_eq!(world.disconnected.len(), 2);
        assert_eq!(world.server().sessions().count(), 1, "the third one lives");
        assert_eq!(world.clients[&ids[2]].ended, None);
        world.hang_up(ids[2]);
        world.wait_empty(sim::NOTICED);
    }
}

#[test]
fn a_peer_that_dies_amid_traffic_is_noticed_as_soon() {
    for seed in 0..20 {
        let mut world = World::ordinary(seed);
        let id = up(&mut world, 1)[0];
        let packet = sim::packet::udp(world.clients[&id].address(), sim::INSIDE, 60, 0);
        for _ in 0..seed * 9 {
            world.send(id, &packet).unwrap();
            world.run_for(secs(1));
        }
        let gone = world.net.now();
        world.net.partition(&[id]);
        world.wait_end(id, secs(300));
        world.run_for(secs(300));
        let by_client = world.clients[&id].ended_at.unwrap().since(gone);
        assert!(by_client <= HELLO_NOTICES + secs(1), "{by_client:?}");
    }
}

#[test]
fn a_peer_whose_ppp_has_died_is_noticed_by_echo() {
    for seed in 0..10 {
        let mut world = World::ordinary(seed);
        let id = up(&mut world, 1)[0];
        world.run_for(secs(seed * 11));
        let gone = world.net.now();
        // Control messages have the T bit; data messages are lost.
        world.net.intercept(|_, datagram| {
            if datagram.payload[0] & 0x80 == 0 { Verdict::Drop } else { Verdict::Pass }
        });
        let reason = world.wait_end(id, ECHO_NOTICES + secs(1));
        let by_server = world.disconnected.first().map(|ended| ended.reason.clone());
        let lost = |reason: &DisconnectReason| {
            matches!(reason, DisconnectReason::Ppp(CloseReason::EchoLost { missed: 4 }))
        };
        assert!(lost(&reason) || by_server.as_ref().is_some_and(lost), "{reason} / {by_server:?}");
        let took = world.clients[&id].ended_at.unwrap().since(gone);
        assert!(took <= ECHO_NOTICES + secs(1), "{took:?}");
        world.wait_empty(sim::NOTICED);
    }
}

#[test]
fn timers_of_many_sessions_do_not_fire_together() {
    const SLOT: u64 = 10;
    let mut world = World::ordinary(3);
    up(&mut world, 1_000);
    let slots = Rc::new(RefCell::new(vec![0u32; 360]));
    let (start, seen) = (world.net.now(), Rc::clone(&slots));
    world.net.observe(move |at, _, _| {
        let nth = usize::try_from(at.since(start).as_secs() / SLOT).unwrap();
        if let Some(slot) = seen.borrow_mut().get_mut(nth) {
            *slot += 1;
        }
    });
    world.run_for(secs(3_600));
    let slots = slots.borrow();
    let mean = slots.iter().sum::<u32>() / 360;
    let most = *slots.iter().max().unwrap();
    println!(
        "1,000 idle sessions that came up together: {mean} datagrams in {SLOT} s, {most} at most"
    );
    assert!(most <= 3 * mean, "{most} at most, {mean} on average");
}
