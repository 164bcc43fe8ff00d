//! The data plane allocates nothing for a packet: the allocator counts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Plane;
use l2tp_ipsec::SealError;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::SessionId;
use l2tp_ipsec::ike::Encapsulation;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_netsim::Link;

use sim::World;
use sim::client_config;
use sim::packet;
use sim::secs;
use sim::secure_client_config;
use sim::secure_server_config;
use sim::server_config;
use sim::users;
use sim::wire;

const BATCH: usize = 32;
const SESSIONS: usize = 8;

/// Both directions of a burst of mixed sessions, counted. Returns how many allocations there were.
fn burst(server: &Plane, up: &[(Path, Vec<u8>)], down: &[(SessionId, Vec<u8>)]) -> u64 {
    let room = server.room();
    let mut received: [[u8; 256]; BATCH] = [[0; 256]; BATCH];
    let mut sent: [[u8; 256]; BATCH] = [[0; 256]; BATCH];
    for (storage, (_, datagram)) in received.iter_mut().zip(up) {
        storage[..datagram.len()].copy_from_slice(datagram);
    }
    for (storage, (_, ip)) in sent.iter_mut().zip(down) {
        storage[room.front..room.front + ip.len()].copy_from_slice(ip);
    }
    let mut received = received.iter_mut().zip(up);
    let mut received: [_; BATCH] = core::array::from_fn(|_| {
        let (storage, (path, datagram)) = received.next().unwrap();
        (*path, PacketMut::new(storage, 0..datagram.len()).unwrap())
    });
    let mut sent = sent.iter_mut().zip(down);
    let mut sent: [_; BATCH] = core::array::from_fn(|_| {
        let (storage, (session, ip)) = sent.next().unwrap();
        let window = room.front..room.front + ip.len();
        (*session, PacketMut::new(storage, window).unwrap())
    });
    let mut opened = [Inbound::Ike; BATCH];
    let mut sealed = [Err(SealError::UnknownSession); BATCH];
    let counted = allocation_counter::measure(|| {
        server.open_batch(&mut received, &mut opened);
        for (_, ip) in down {
            assert!(server.route(ip).is_some());
        }
        server.seal_batch(&mut sent, &mut sealed);
    });
    assert!(opened.iter().all(|inbound| matches!(inbound, Inbound::Ip(_))), "{opened:?}");
    assert!(sealed.iter().all(Result::is_ok), "{sealed:?}");
    counted.count_total
}

/// Bursts through the data plane of a server with these clients.
fn count(config: ServerConfig, client: fn() -> ClientConfig) {
    let mut world = World::new(1, Link::default(), config, users());
    let ids: Vec<_> = (0..SESSIONS).map(|_| world.connect(client())).collect();
    world.run_for(secs(5));
    let server = world.server().data_plane();
    let seal = |world: &World| {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for nth in 0..BATCH {
            let id = ids[nth % SESSIONS];
            let caller = world.clients[&id].up.as_ref().unwrap();
            let ip = packet::udp(caller.local_address, sim::INSIDE, 100, 0);
            let plane = world.client(id).data_plane();
            let (path, sealed) = wire::seal(&plane, caller.session, &ip).unwrap();
            up.push((wire::seen_by_peer(path), sealed));
            let session = world.session_of(caller.local_address).unwrap();
            down.push((session, packet::echoed(&ip)));
        }
        (up, down)
    };
    // The list of sessions that carried data grows once.
    let (up, down) = seal(&world);
    burst(&server, &up, &down);
    for round in 0..100 {
        let (up, down) = seal(&world);
        assert_eq!(burst(&server, &up, &down), 0, "in round {round}");
        // Control takes the list now and then.
        if round % 10 == 0 {
            world.run_for(secs(40));
        }
    }
    assert!(allocation_counter::measure(|| drop(seal(&world))).count_total > 0, "it counts");
}

#[test]
fn no_packet_in_clear_costs_an_allocation() {
    for sequencing in [false, true] {
        count(server_config().sequencing(sequencing), client_config);
    }
}

#[test]
fn no_packet_in_esp_costs_an_allocation() {
    for esp in ["aes256-sha1", "aes256-sha256", "3des-sha1", "aes256gcm16"] {
        for (encapsulation, sequencing) in
            [(Encapsulation::Auto, false), (Encapsulation::Force, true)]
        {
            let config = secure_server_config().sequencing(sequencing);
            let config = config
                .ipsec(|ipsec| ipsec.esp(vec![esp.parse().unwrap()]).encapsulation(encapsulation));
            count(config, secure_client_config);
        }
    }
}
