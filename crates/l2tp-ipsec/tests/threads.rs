//! The data plane on two threads, while control connects and disconnects others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering;

use l2tp_ipsec::Inbound;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::Plane;
use l2tp_ipsec::SessionId;

use sim::World;
use sim::client_config;
use sim::packet;
use sim::secs;
use sim::wire;

/// One session as its thread knows it.
struct Lane {
    client: Plane,
    server: Plane,
    at_client: SessionId,
    at_server: SessionId,
    packet: Vec<u8>,
}

impl Lane {
    /// Sends a packet up and an answer down.
    fn turn(&self) {
        let (path, sealed) = wire::seal(&self.client, self.at_client, &self.packet).unwrap();
        let opened = wire::open(&self.server, wire::seen_by_peer(path), &sealed);
        assert_eq!(opened, (Inbound::Ip(self.at_server), self.packet.clone()));
        let answer = packet::echoed(&self.packet);
        let (path, sealed) = wire::seal(&self.server, self.at_server, &answer).unwrap();
        let opened = wire::open(&self.client, wire::seen_by_peer(path), &sealed);
        assert_eq!(opened, (Inbound::Ip(self.at_client), answer));
    }
}

#[test]
fn packets_pass_on_threads_while_control_works() {
    let mut world = World::ordinary(1);
    let steady: Vec<_> = (0..4).map(|_| world.connect(client_config())).collect();
    let lanes: Vec<_> = steady
        .iter()
        .map(|id| {
            let at_server = world.wait_both_up(*id, secs(10));
            let up = world.clients[id].up.as_ref().unwrap();
            Lane {
                client: world.client(*id).data_plane(),
                server: world.server().data_plane(),
                at_client: up.session,
                at_server,
                packet: packet::udp(up.local_address, sim::INSIDE, 200, 1),
            }
        })
        .collect();
    let others: Vec<_> = (0..20).map(|_| world.add(client_config())).collect();
    let stop = AtomicBool::new(false);
    let turns: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = lanes
            .chunks(2)
            .map(|lanes| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut turns = 0u64;
                    while !stop.load(Ordering::Relaxed) || turns < 100 {
                        lanes.iter().for_each(Lane::turn);
                        turns += 1;
                    }
                    turns
                })
            })
            .collect();
        for round in 0..20 {
            for id in &others {
                if round == 0 {
                    world.call(*id);
                } else {
                    world.redial(*id, client_config());
                }
            }
            world.run_for(secs(2));
            assert_eq!(world.server().sessions().count(), steady.len() + others.len());
            for (nth, id) in others.iter().enumerate() {
                if nth % 2 == 0 {
                    world.hang_up(*id);
                } else {
                    let session = world.session_of(world.clients[id].address()).unwrap();
                    let reason = LocalReason::Requested;
                    world.with_server(|server, now| server.disconnect(now, session, reason));
                }
            }
            for id in &others {
                world.wait_end(*id, secs(20));
            }
            world.run_for(secs(2));
            assert_eq!(world.server().sessions().count(), steady.len());
        }
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    // Two lanes a thread, a packet each way on every turn; no counter was lost.
    let status = world.server().sessions();
    let passed: u64 = status.map(|status| status.counters.rx_packets).sum();
    assert_eq!(passed, turns * 2);
    for id in &steady {
        assert_eq!(world.clients[id].ended, None);
    }
}
