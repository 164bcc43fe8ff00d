//! IP packets through client and server: what passes, what does not, and in which form.
#![allow(
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod sim;

use core::cell::RefCell;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use std::rc::Rc;

use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Plane;
use l2tp_ipsec::SealError;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::SessionId;
use l2tp_ipsec::Users;
use l2tp_wire::Packet;
use ppp_core::LinkConfig;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_netsim::Link;
use vpn_netsim::NodeId;

use sim::World;
use sim::client_config;
use sim::millis;
use sim::packet;
use sim::secs;
use sim::server_config;
use sim::users;
use sim::wire;

/// A session with both its ends.
struct Pair {
    world: World,
    id: NodeId,
    at_client: SessionId,
    at_server: SessionId,
    client: Plane,
    server: Plane,
    address: Ipv4Addr,
}

fn pair(server: ServerConfig, client: ClientConfig) -> Pair {
    pair_of(World::new(1, Link::default(), server, users()), client)
}

fn pair_of(mut world: World, client: ClientConfig) -> Pair {
    let id = world.connect(client);
    let at_server = world.wait_both_up(id, secs(10));
    let up = world.clients[&id].up.clone().unwrap();
    Pair {
        at_client: up.session,
        at_server,
        client: world.client(id).data_plane(),
        server: world.server().data_plane(),
        address: up.local_address,
        world,
        id,
    }
}

fn plain_pair() -> Pair {
    pair(server_config(), client_config())
}

impl Pair {
    /// A packet from the client to the server's inside.
    fn up(&self, tag: u8) -> Vec<u8> {
        packet::udp(self.address, sim::INSIDE, 60, tag)
    }

    fn down(&self, tag: u8) -> Vec<u8> {
        packet::udp(Ipv4Addr::new(8, 8, 8, 8), self.address, 60, tag)
    }

    fn sealed(&self, packet: &[u8]) -> Vec<u8> {
        wire::seal(&self.client, self.at_client, packet).unwrap().1
    }

    /// What the server makes of a datagram from the client's address.
    fn opened(&self, datagram: &[u8]) -> (Inbound, Vec<u8>) {
        let path = Path::l2tp(sim::server_address(), self.world.address(self.id));
        wire::open(&self.server, path, datagram)
    }
}

#[test]
fn packets_pass_both_ways() {
    let pair = plain_pair();
    let (path, sealed) = wire::seal(&pair.client, pair.at_client, &pair.up(1)).unwrap();
    assert_eq!(path, Path::l2tp(pair.world.address(pair.id), sim::server_address()));
    let opened = wire::open(&pair.server, wire::seen_by_peer(path), &sealed);
    assert_eq!(opened, (Inbound::Ip(pair.at_server), pair.up(1)));

    let (path, sealed) = wire::seal(&pair.server, pair.at_server, &pair.down(2)).unwrap();
    let opened = wire::open(&pair.client, wire::seen_by_peer(path), &sealed);
    assert_eq!(opened, (Inbound::Ip(pair.at_client), pair.down(2)), "from anywhere");
}

#[test]
fn drivers_without_a_data_plane_do_the_same() {
    let mut pair = plain_pair();
    for tag in 0..10 {
        pair.world.send(pair.id, &pair.up(tag)).unwrap();
    }
    pair.world.run_for(secs(1));
    let echoed: Vec<_> = (0..10).map(|tag| packet::echoed(&pair.up(tag))).collect();
    assert_eq!(pair.world.clients[&pair.id].packets, echoed);
}

#[test]
fn only_the_own_address_is_a_source() {
    for reorder in [false, true] {
        let (server, client) = if reorder {
            let server = server_config().sequencing(true).reorder(millis(100));
            (server, client_config().reorder(millis(100)))
        } else {
            (server_config(), client_config())
        };
        let mut pair = pair(server, client);
        let foreign = packet::udp(Ipv4Addr::new(10, 9, 0, 77), sim::INSIDE, 60, 0);
        let refused = wire::seal(&pair.client, pair.at_client, &foreign);
        assert_eq!(refused, Err(SealError::WrongAddress));

        let mut spoofed = pair.sealed(&pair.up(0));
        let source = spoofed.len() - 60 + 15;
        spoofed[source] ^= 1;
        pair.world.post_to_server(pair.id, spoofed);
        pair.world.run_for(secs(1));
        assert_eq!(pair.world.packets, [], "reorder {reorder}");
        if !reorder {
            assert_eq!(pair.server.drops().get(DropReason::WrongAddress), 1);
        }
        let counters = pair.world.server().session(pair.at_server).unwrap().counters;
        assert_eq!(counters.rx_packets, 0);
    }
}

#[test]
fn what_is_no_ip_packet_is_refused() {
    let pair = plain_pair();
    for garbage in [&[][..], &[0x45], &[0x45; 19], &[0x60; 39], &[0x50; 60]] {
        let sealed = wire::seal(&pair.client, pair.at_client, garbage);
        assert_eq!(sealed, Err(SealError::NotIp), "{garbage:02x?}");
        // The same after a header that is right.
        let whole = pair.sealed(&pair.up(0));
        let mut datagram = whole[..whole.len() - 60].to_vec();
        datagram.extend(garbage);
        // Its length has changed too.
        let len = u16::try_from(datagram.len()).unwrap();
        datagram[2..4].copy_from_slice(&len.to_be_bytes());
        assert_eq!(pair.opened(&datagram).0, Inbound::Dropped(DropReason::Malformed));
    }
}

#[test]
fn packets_above_the_mtu_are_refused_by_name() {
    for (at_server, at_client, mtu) in [(1400, 1400, 1400), (1300, 1400, 1300), (1500, 1280, 1280)]
    {
        let pair = pair(server_config().mtu(at_server), client_config().mtu(at_client));
        assert_eq!(pair.world.clients[&pair.id].up.as_ref().unwrap().mtu, mtu);
        let size = usize::from(mtu);
        for (plane, session) in [(&pair.client, pair.at_client), (&pair.server, pair.at_server)] {
            let of = |len| packet::udp(pair.address, pair.address, len, 0);
            assert!(wire::seal(plane, session, &of(size)).is_ok());
            let refused = wire::seal(plane, session, &of(size + 1));
            assert_eq!(refused, Err(SealError::TooLarge { len: size + 1, mtu }));
        }
    }
}

#[test]
fn too_little_room_is_told() {
    let pair = plain_pair();
    let mut storage = pair.up(0);
    let mut batch = [(pair.at_client, PacketMut::whole(&mut storage))];
    let mut out = [Err(SealError::UnknownSession)];
    pair.client.seal_batch(&mut batch, &mut out);
    assert!(matches!(out, [Err(SealError::NoRoom(_))]), "{out:?}");
}

#[test]
fn nothing_passes_before_ipcp_is_open() {
    for reorder in [false, true] {
        // The server asks for the user and gets no answer: PPP stands still at authentication.
        let server = server_config().ask_for_users(true).sequencing(reorder).reorder(millis(10));
        let mut world = World::new(1, Link::default(), server, Users::new());
        let data = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&data);
        world.net.observe(move |_, datagram, _| {
            if matches!(Packet::decode(&datagram.payload), Ok(Packet::Data(_))) {
                seen.borrow_mut().push((datagram.destination, datagram.payload.clone()));
            }
        });
        let id = world.connect(client_config().reorder(millis(10)));
        world.run_while(secs(5), |world| world.requests.is_empty());
        world.run_for(secs(1));
        let session = world.server().sessions().next().unwrap().session;
        let server = world.server().data_plane();
        let packet = packet::udp(Ipv4Addr::new(10, 9, 0, 2), sim::INSIDE, 60, 0);
        assert_eq!(wire::seal(&server, session, &packet), Err(SealError::NotOpen));

        // An IP packet in the session's own header goes nowhere, at either end.
        let data = data.borrow().clone();
        let to_server = |(to, _): &&(SocketAddr, _)| *to == sim::server_address();
        let (_, up) = data.iter().rfind(to_server).unwrap();
        let (_, down) = data.iter().rfind(|sent| !to_server(sent)).unwrap();
        let (up, down) = (ip_in_place_of(up, &packet), ip_in_place_of(down, &packet));
        world.post_to_server(id, up);
        world.post_to_client(id, down);
        world.run_for(secs(1));
        assert_eq!(world.packets, [], "reorder {reorder}");
        assert_eq!(world.clients[&id].packets, Vec::<bytes::Bytes>::new());
        if !reorder {
            assert_eq!(server.drops().get(DropReason::ProtocolNotOpen), 1);
        }
    }
}

/// An IP packet with the header of another data message; a number is counted on.
fn ip_in_place_of(datagram: &[u8], packet: &[u8]) -> Vec<u8> {
    let Ok(Packet::Data(message)) = Packet::decode(datagram) else { panic!("no data message") };
    let mut header = message.header;
    if let Some(sequence) = &mut header.sequence {
        sequence.ns += 1;
    }
    let frame = [&[0xff, 3, 0, 0x21], packet].concat();
    let mut out = vec![0; header.encoded_len()];
    header.encode(frame.len(), &mut out).unwrap();
    [out, frame].concat()
}

#[test]
fn a_session_belongs_to_its_peers_address() {
    let pair = plain_pair();
    let sealed = pair.sealed(&pair.up(0));
    for remote in ["198.18.0.1:1702", "198.18.0.9:1701", "[2001:db8::1]:1701"] {
        let path = Path::l2tp(sim::server_address(), remote.parse().unwrap());
        let opened = wire::open(&pair.server, path, &sealed).0;
        assert_eq!(opened, Inbound::Dropped(DropReason::WrongPeer), "{remote}");
    }
    assert_eq!(pair.server.drops().get(DropReason::WrongPeer), 3);
}

#[test]
fn unknown_sessions_are_for_control_which_drops_them() {
    let mut pair = plain_pair();
    let mut stray = pair.sealed(&pair.up(0));
    // The Session ID, behind flags, Length and Tunnel ID.
    stray[6] ^= 0x55;
    assert!(matches!(pair.opened(&stray).0, Inbound::Control(_)));
    pair.world.post_to_server(pair.id, stray);
    pair.world.run_for(secs(1));
    let handled = pair.world.net.node(pair.world.server).server().handled;
    assert_eq!(handled, Some(Handled::Dropped(DropReason::UnknownSession)));

    let sealed = pair.sealed(&pair.up(0));
    pair.world.hang_up(pair.id);
    pair.world.wait_end(pair.id, secs(10));
    let late = wire::seal(&pair.client, pair.at_client, &pair.up(0));
    assert_eq!(late, Err(SealError::UnknownSession));
    let late = wire::seal(&pair.server, pair.at_server, &pair.down(0));
    assert_eq!(late, Err(SealError::UnknownSession));
    assert!(matches!(pair.opened(&sealed).0, Inbound::Control(_)));
}

#[test]
fn every_form_of_the_ppp_header_is_taken() {
    let pair = plain_pair();
    let ip = pair.up(0);
    let sealed = pair.sealed(&ip);
    // PFC and ACFC are offered by both ends, so one octet is left of the header.
    let header = &sealed[..sealed.len() - ip.len() - 1];
    assert_eq!(sealed[header.len()], 0x21);
    for form in [&[0x21][..], &[0, 0x21], &[0xff, 3, 0x21], &[0xff, 3, 0, 0x21]] {
        let mut datagram = [header, form, &ip].concat();
        let len = u16::try_from(datagram.len()).unwrap();
        datagram[2..4].copy_from_slice(&len.to_be_bytes());
        assert_eq!(
            pair.opened(&datagram),
            (Inbound::Ip(pair.at_server), ip.clone()),
            "{form:02x?}"
        );
    }
}

#[test]
fn ppp_headers_are_as_short_as_the_receiver_offers() {
    type Change = fn(LinkConfig) -> LinkConfig;
    let forms: [(Change, &[u8]); 4] = [
        (|link| link.pfc(true).acfc(true), &[0x21]),
        (|link| link.pfc(false).acfc(true), &[0, 0x21]),
        (|link| link.pfc(true).acfc(false), &[0xff, 3, 0x21]),
        (|link| link.pfc(false).acfc(false), &[0xff, 3, 0, 0x21]),
    ];
    for (at_server, up_form) in forms {
        for (at_client, down_form) in forms {
            let server = server_config().change_link(at_server);
            let pair = pair(server, client_config().change_link(at_client));
            let ppp = |datagram: &[u8]| match Packet::decode(datagram) {
                Ok(Packet::Data(message)) => message.payload[..message.payload.len() - 60].to_vec(),
                _ => panic!("no data message"),
            };
            assert_eq!(ppp(&pair.sealed(&pair.up(0))), up_form);
            let down = wire::seal(&pair.server, pair.at_server, &pair.down(0)).unwrap().1;
            assert_eq!(ppp(&down), down_form);
        }
    }
}

#[test]
fn the_segment_size_fits_the_tunnel() {
    let server = Ipv4Addr::new(1, 1, 1, 1);
    for (at_server, at_client) in [(true, true), (true, false), (false, true), (false, false)] {
        for reorder in [false, true] {
            let mut server_side = server_config().clamp_mss(at_server).sequencing(reorder);
            let mut client_side = client_config().clamp_mss(at_client);
            if reorder {
                server_side = server_side.reorder(millis(10));
                client_side = client_side.reorder(millis(10));
            }
            let mut pair = pair(server_side, client_side);
            pair.world.echo = false;
            let expected = if at_server || at_client { 1400 - 40 } else { 1460 };
            let syn = packet::syn(pair.address, server, 1460);
            pair.world.send(pair.id, &syn).unwrap();
            pair.world.run_for(secs(1));
            assert_eq!(packet::mss(&pair.world.packets[0].1), expected);
            let answer = packet::syn(server, pair.address, 1460);
            pair.world.send_down(pair.at_server, &answer).unwrap();
            pair.world.run_for(secs(1));
            assert_eq!(packet::mss(&pair.world.clients[&pair.id].packets[0]), expected);
            // One that fits stays.
            pair.world.send(pair.id, &packet::syn(pair.address, server, 536)).unwrap();
            pair.world.run_for(secs(1));
            assert_eq!(packet::mss(&pair.world.packets[1].1), 536);
        }
    }
}

#[test]
fn either_end_can_ask_for_sequence_numbers() {
    for (server, client) in [(false, false), (true, false), (false, true), (true, true)] {
        let pair = pair(server_config().sequencing(server), client_config().sequencing(client));
        let numbered = |datagram: &[u8]| match Packet::decode(datagram) {
            Ok(Packet::Data(message)) => message.header.sequence.map(|sequence| sequence.ns),
            _ => panic!("no data message"),
        };
        let up: Vec<_> = (0..3).map(|tag| numbered(&pair.sealed(&pair.up(tag)))).collect();
        let down = |tag| wire::seal(&pair.server, pair.at_server, &pair.down(tag)).unwrap().1;
        let down: Vec<_> = (0..3).map(|tag| numbered(&down(tag))).collect();
        for numbers in [up, down] {
            if server || client {
                let first = numbers[0].unwrap();
                assert_eq!(numbers, [Some(first), Some(first + 1), Some(first + 2)]);
            } else {
                assert_eq!(numbers, [None; 3]);
            }
        }
    }
}

#[test]
fn what_comes_late_is_dropped_where_packets_are_numbered() {
    let pair = pair(server_config().sequencing(true), client_config());
    let sealed: Vec<_> = (0..4).map(|tag| pair.sealed(&pair.up(tag))).collect();
    let verdicts = [0, 2, 1, 2, 3].map(|n: usize| pair.opened(&sealed[n]).0);
    let (ip, late) = (Inbound::Ip(pair.at_server), Inbound::Dropped(DropReason::Late));
    assert_eq!(verdicts, [ip, ip, late, late, ip]);
    let counters = pair.world.server().session(pair.at_server).unwrap().counters;
    assert_eq!((counters.rx_packets, counters.rx_missing), (3, 1));

    // Without numbers, order is nobody's business.
    let pair = plain_pair();
    let sealed: Vec<_> = (0..3).map(|tag| pair.sealed(&pair.up(tag))).collect();
    let verdicts = [2, 0, 1].map(|n: usize| pair.opened(&sealed[n]).0);
    assert_eq!(verdicts, [Inbound::Ip(pair.at_server); 3]);
}

#[test]
fn a_reorder_queue_puts_packets_back_in_order() {
    let server = server_config().sequencing(true).reorder(millis(200));
    let mut pair = pair(server, client_config());
    pair.world.echo = false;
    let sealed: Vec<_> = (0..8).map(|tag| pair.sealed(&pair.up(tag))).collect();
    // Number 5 is lost for good.
    for n in [2, 0, 1, 4, 3, 7, 6] {
        pair.world.post_to_server(pair.id, sealed[n].clone());
        pair.world.run_for(millis(1));
    }
    pair.world.run_for(millis(100));
    let came = |world: &World| -> Vec<Vec<u8>> {
        world.packets.iter().map(|(_, packet)| packet.to_vec()).collect()
    };
    let sent = |tags: &[u8]| -> Vec<_> { tags.iter().map(|tag| pair.up(*tag)).collect() };
    let before_the_gap = sent(&[0, 1, 2, 3, 4]);
    let in_all = sent(&[0, 1, 2, 3, 4, 6, 7]);
    assert_eq!(came(&pair.world), before_the_gap, "the rest waits for number 5");
    pair.world.run_for(millis(200));
    assert_eq!(came(&pair.world), in_all);
    let counters = pair.world.server().session(pair.at_server).unwrap().counters;
    assert_eq!(counters.rx_packets, 7);
}

#[test]
fn packets_come_in_order_over_a_line_that_reorders() {
    let link = Link { reorder: 0.3, hold: millis(40), ..Link::default() };
    for seed in 0..10 {
        let server = server_config().sequencing(true).reorder(millis(500));
        let world = World::new(seed, link, server, users());
        let mut pair = pair_of(world, client_config().reorder(millis(500)));
        for tag in 0..200 {
            pair.world.send(pair.id, &pair.up(tag)).unwrap();
            pair.world.run_for(millis(5));
        }
        pair.world.run_for(secs(2));
        let tags =
            |packets: Vec<&[u8]>| packets.iter().map(|packet| packet[20]).collect::<Vec<_>>();
        let all: Vec<u8> = (0..200).collect();
        assert_eq!(tags(pair.world.packets.iter().map(|(_, packet)| &packet[..]).collect()), all);
        let back = &pair.world.clients[&pair.id].packets;
        assert_eq!(tags(back.iter().map(|packet| &packet[..]).collect()), all);
    }
}

#[test]
fn ipv6_passes_with_link_local_addresses_only() {
    let pair = plain_pair();
    let (local, global) = ("fe80::1".parse().unwrap(), "2001:db8::1".parse().unwrap());
    for source in [local, global] {
        let refused = wire::seal(&pair.client, pair.at_client, &packet::udp6(source, global));
        assert_eq!(refused, Err(SealError::WrongAddress), "{source} is not the client's");
        let down = packet::udp6(source, local);
        let (path, sealed) = wire::seal(&pair.server, pair.at_server, &down).unwrap();
        let opened = wire::open(&pair.client, wire::seen_by_peer(path), &sealed);
        assert_eq!(opened, (Inbound::Ip(pair.at_client), down));
    }
}

#[test]
fn batches_mix_sessions() {
    let mut world = World::ordinary(1);
    let ids: Vec<_> = (0..8).map(|_| world.connect(client_config())).collect();
    world.run_for(secs(5));
    let server = world.server().data_plane();
    let mut datagrams = Vec::new();
    for tag in 0..4 {
        for id in &ids {
            let up = world.clients[id].up.as_ref().unwrap();
            let ip = packet::udp(up.local_address, sim::INSIDE, 40 + usize::from(tag), tag);
            let (path, sealed) =
                wire::seal(&world.client(*id).data_plane(), up.session, &ip).unwrap();
            datagrams.push((wire::seen_by_peer(path), sealed, up.local_address, ip));
        }
    }
    // One of them is spoilt: the others do not care.
    datagrams[5].1[1] = 9;

    let mut storage: Vec<Vec<u8>> =
        datagrams.iter().map(|(_, sealed, ..)| sealed.clone()).collect();
    let mut batch: Vec<_> = storage
        .iter_mut()
        .zip(&datagrams)
        .map(|(storage, (path, ..))| (*path, PacketMut::whole(storage)))
        .collect();
    let mut out = vec![Inbound::Ike; batch.len()];
    server.open_batch(&mut batch, &mut out);
    for (nth, ((_, packet), (_, _, address, ip))) in batch.iter().zip(&datagrams).enumerate() {
        if nth == 5 {
            assert_eq!(out[nth], Inbound::Dropped(DropReason::UnsupportedVersion));
            continue;
        }
        assert_eq!(out[nth], Inbound::Ip(world.session_of(*address).unwrap()));
        assert_eq!(packet.payload(), ip);
    }

    // Back through the sessions that the destinations belong to.
    let room = server.room();
    let mut storage: Vec<Vec<u8>> = datagrams
        .iter()
        .map(|(.., ip)| [vec![0; room.front], packet::echoed(ip), vec![0; room.back]].concat())
        .collect();
    let mut batch: Vec<_> = storage
        .iter_mut()
        .zip(&datagrams)
        .map(|(storage, (.., ip))| {
            let session = server.route(&packet::echoed(ip)).unwrap();
            (session, PacketMut::new(storage, room.front..room.front + ip.len()).unwrap())
        })
        .collect();
    let mut out = vec![Err(SealError::UnknownSession); batch.len()];
    server.seal_batch(&mut batch, &mut out);
    for (nth, ((_, packet), (.., ip))) in batch.iter().zip(&datagrams).enumerate() {
        let id = ids[nth % ids.len()];
        let path = out[nth].unwrap();
        assert_eq!(path.remote, world.address(id));
        let plane = world.client(id).data_plane();
        let (inbound, back) = wire::open(&plane, wire::seen_by_peer(path), packet.payload());
        assert_eq!(inbound, Inbound::Ip(world.clients[&id].up.as_ref().unwrap().session));
        assert_eq!(back, packet::echoed(ip));
    }
}

#[test]
fn packets_are_routed_by_their_destination() {
    let mut pair = plain_pair();
    let to = |destination| packet::udp(Ipv4Addr::new(8, 8, 8, 8), destination, 40, 0);
    assert_eq!(pair.server.route(&to(pair.address)), Some(pair.at_server));
    assert_eq!(pair.server.route(&to(Ipv4Addr::new(10, 9, 3, 3))), None);
    assert_eq!(pair.server.route(&[]), None);
    assert_eq!(pair.client.route(&to(Ipv4Addr::new(9, 9, 9, 9))), Some(pair.at_client));
    pair.world.hang_up(pair.id);
    pair.world.wait_end(pair.id, secs(5));
    assert_eq!(pair.server.route(&to(pair.address)), None);
    assert_eq!(pair.client.route(&to(Ipv4Addr::new(9, 9, 9, 9))), None);
}

#[test]
fn counters_equal_what_was_sent() {
    let mut pair = plain_pair();
    let (mut packets, mut octets) = (0, 0);
    for len in (28..1400).step_by(37) {
        pair.world.send(pair.id, &packet::udp(pair.address, sim::INSIDE, len, 0)).unwrap();
        (packets, octets) = (packets + 1, octets + u64::try_from(len).unwrap());
    }
    // What is refused is not counted.
    assert!(pair.world.send(pair.id, &pair.down(0)).is_err());
    pair.world.run_for(secs(1));
    pair.world.hang_up(pair.id);
    pair.world.wait_end(pair.id, secs(5));
    pair.world.run_for(secs(1));
    let counters = pair.world.disconnected[0].counters;
    assert_eq!((counters.rx_packets, counters.rx_octets), (packets, octets));
    assert_eq!((counters.tx_packets, counters.tx_octets), (packets, octets));
    assert_eq!(counters.rx_missing, 0);
}
