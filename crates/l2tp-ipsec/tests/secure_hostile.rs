//! Strangers, forgers and corrupting wires against L2TP over IPsec.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::expect_used, clippy::print_stdout)]

mod sim;

use core::cell::RefCell;
use core::net::Ipv4Addr;
use core::net::SocketAddr;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::rc::Rc;

use l2tp_ipsec::Client;
use l2tp_ipsec::ike::Cookies;
use l2tp_ipsec::ike::ExchangeType;
use l2tp_ipsec::ike::Flags;
use l2tp_ipsec::ike::Header;
use l2tp_ipsec::ike::Lifetimes;
use l2tp_ipsec::ike::MessageBuilder;
use l2tp_ipsec::ike::NotifyType;
use l2tp_ipsec::ike::PayloadType;
use l2tp_ipsec::ike::ProtocolId;
use l2tp_ipsec::ike::fragment::Fragment;
use l2tp_ipsec::ike::payload::Delete;
use l2tp_ipsec::ike::payload::Notification;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Socket;
use vpn_netsim::Datagram;
use vpn_netsim::Fate;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;
use vpn_netsim::SeededRandom;
use vpn_netsim::Verdict;

use sim::World;
use sim::millis;
use sim::packet;
use sim::secs;
use sim::secure_client_config;

/// What a flood may have a server hold: `ipsec_ike::Limits` promises it.
const FLOOD_MEMORY: u64 = 32 << 20;

/// First messages of the flood in a second.
const FLOOD_RATE: u32 = 10_000;

fn at_server(port: u16) -> SocketAddr {
    SocketAddr::new(sim::server_address().ip(), port)
}

/// An address that nobody has.
fn stranger(random: &mut SeededRandom) -> SocketAddr {
    let host = u32::try_from(random.within(0..=0x3fff_ffff)).unwrap();
    SocketAddr::from((Ipv4Addr::from(0x4000_0000 | host), 500))
}

fn to_server(socket: Socket, source: SocketAddr, payload: Vec<u8>) -> Datagram {
    let port = match socket {
        Socket::Ike => 500,
        Socket::NatT => 4500,
        Socket::L2tp => 1701,
        Socket::Esp => 0,
    };
    Datagram { socket, source, destination: at_server(port), payload }
}

fn noise(random: &mut SeededRandom, len: usize) -> Vec<u8> {
    (0..len).map(|_| random.bits().to_le_bytes()[0]).collect()
}

/// The first message of an honest client.
fn first_message(seed: u64) -> Vec<u8> {
    let random = Box::new(SeededRandom::new(seed));
    let mut client = Client::new(secure_client_config(), vpn_crypto::provider(), random).unwrap();
    client.connect(Instant::ZERO, "192.0.2.9:500".parse().unwrap()).unwrap();
    let mut datagram = Vec::new();
    let _ = client.poll_transmit(Instant::ZERO, &mut datagram).unwrap();
    datagram
}

/// The same from somebody else: with another cookie.
fn first_message_of(template: &[u8], random: &mut SeededRandom) -> Vec<u8> {
    let mut message = template.to_vec();
    message[..8].copy_from_slice(&random.bits().to_be_bytes());
    message
}

/// A world with this many clients that are up.
fn with_clients(seed: u64, count: usize) -> (World, Vec<NodeId>) {
    let mut world = World::secure(seed);
    let ids: Vec<_> = (0..count).map(|_| world.connect(secure_client_config())).collect();
    world.run_for(secs(10));
    assert_eq!(world.server().sessions().count(), count);
    (world, ids)
}

/// Every client is still there, and gets an answer to a packet.
fn all_work(world: &mut World, ids: &[NodeId]) {
    let before: Vec<_> = ids.iter().map(|id| world.clients[id].packets.len()).collect();
    for id in ids {
        let packet = packet::udp(world.clients[id].address(), sim::INSIDE, 60, 7);
        world.send(*id, &packet).unwrap();
    }
    world.run_for(secs(1));
    for (id, before) in ids.iter().zip(before) {
        let caller = &world.clients[id];
        assert_eq!((caller.ups, &caller.ended), (1, &None), "{id:?}");
        assert_eq!(caller.packets.len(), before + 1, "{id:?}");
    }
}

/// Sends first messages from addresses that nobody has, and meanwhile lets somebody honest in.
fn flood(world: &mut World, ids: &mut Vec<NodeId>, count: u32) {
    let template = first_message(5);
    let mut random = SeededRandom::new(6);
    let called_after = count / 5;
    let mut honest = None;
    for sent in (0..count).step_by(10) {
        for _ in 0..10 {
            let (from, message) = (stranger(&mut random), first_message_of(&template, &mut random));
            world.net.inject(Realm::PUBLIC, millis(0), to_server(Socket::Ike, from, message));
        }
        if honest.is_none() && sent >= called_after {
            honest = Some((world.connect(secure_client_config()), world.net.now()));
        }
        world.run_for(secs(1) * 10 / FLOOD_RATE);
    }
    let (honest, called) = honest.unwrap();
    let up_at = world.clients[&honest].up_at.expect("the honest client is up");
    println!("{count} first messages; the honest client was up after {:?}", up_at.since(called));
    assert!(up_at.since(called) <= secs(10));
    ids.push(honest);
}

fn a_flood_harms_nobody(sessions: usize, count: u32) {
    let (mut world, mut ids) = with_clients(1, sessions);
    let held = allocation_counter::measure(|| flood(&mut world, &mut ids, count));
    println!("{} KiB more at most while it lasted", held.bytes_max >> 10);
    assert!(held.bytes_max <= FLOOD_MEMORY, "{held:?}");
    assert!(world.server().ike_counts().half_open <= 10_000);
    assert_eq!((&world.disconnected[..], &world.refused[..]), (&[][..], &[][..]));
    all_work(&mut world, &ids);
    // The strangers are forgotten.
    world.run_for(secs(60));
    let counts = world.server().ike_counts();
    assert_eq!((counts.half_open, counts.peers, counts.ike_sas), (0, ids.len(), ids.len()));
}

#[test]
fn a_flood_of_first_messages_harms_nobody_and_keeps_nobody_out() {
    a_flood_harms_nobody(1_000, 100_000);
}

/// `cargo test --release -p l2tp-ipsec --test secure_hostile -- --ignored --nocapture`
#[test]
#[ignore = "a million first messages take a while"]
fn a_flood_of_a_million_first_messages() {
    a_flood_harms_nobody(1_000, 1_000_000);
}

/// Octets from and to each address that is not a client's.
type Octets = Rc<RefCell<BTreeMap<SocketAddr, (usize, usize)>>>;

fn count_octets(world: &mut World) -> Octets {
    let octets = Octets::default();
    let seen = Rc::clone(&octets);
    world.net.observe(move |_, datagram, fate| {
        let mut octets = seen.borrow_mut();
        if datagram.destination.ip() == sim::server_address().ip() {
            if fate == Fate::Delivered {
                octets.entry(datagram.source).or_default().0 += datagram.payload.len();
            }
        } else {
            octets.entry(datagram.destination).or_default().1 += datagram.payload.len();
        }
    });
    octets
}

/// What the server sent to those who are not there.
fn answers(world: &mut World) -> Rc<RefCell<VecDeque<Datagram>>> {
    let answers = Rc::new(RefCell::new(VecDeque::new()));
    let keep = Rc::clone(&answers);
    world.net.observe(move |_, datagram, fate| {
        if fate == Fate::Unroutable {
            keep.borrow_mut().push_back(datagram.clone());
        }
    });
    answers
}

#[test]
fn strangers_get_no_more_than_three_times_what_they_send() {
    for seed in 0..4 {
        let mut world = World::secure(seed);
        let octets = count_octets(&mut world);
        let mut random = SeededRandom::new(seed);
        let template = first_message(seed);
        for nth in 0..2_000u32 {
            let mut message = first_message_of(&template, &mut random);
            if nth % 3 == 1 {
                let at = usize::try_from(random.within(0..=message.len() as u64 - 1)).unwrap();
                message[at] ^= random.bits().to_le_bytes()[0];
            }
            if nth % 7 == 0 {
                message.truncate(usize::try_from(random.within(1..=message.len() as u64)).unwrap());
            }
            // Some ask once, some again and again, and some on the other port.
            let source = if nth % 5 == 0 {
                SocketAddr::from(([100, 64, 0, 1], 500))
            } else {
                stranger(&mut random)
            };
            let datagram = if nth % 4 == 0 {
                to_server(Socket::NatT, source, [&[0; 4], &message[..]].concat())
            } else {
                to_server(Socket::Ike, source, message)
            };
            world.net.inject(Realm::PUBLIC, millis(0), datagram);
            world.run_for(millis(3));
        }
        world.run_for(secs(200));
        let octets = octets.borrow();
        assert!(octets.values().any(|(_, out)| *out > 0), "somebody was answered");
        for (address, (sent, got)) in &*octets {
            assert!(*got <= 3 * sent, "{address} sent {sent} octets and got {got}");
        }
        world.assert_empty();
    }
}

/// Somebody who is where he says to be asks for one key exchange after the other, and sends noise
/// for it.
#[test]
fn garbage_for_key_exchanges_costs_no_more_than_the_budget() {
    let (mut world, mut ids) = with_clients(2, 10);
    let octets = count_octets(&mut world);
    let answers = answers(&mut world);
    let mut random = SeededRandom::new(3);
    let template = first_message(5);
    let source = SocketAddr::from(([100, 64, 0, 1], 500));
    let (mut thirds, mut fourths) = (0, 0);
    let began = world.net.now();
    for nth in 0..3_000 {
        let message = first_message_of(&template, &mut random);
        world.net.inject(Realm::PUBLIC, millis(0), to_server(Socket::Ike, source, message));
        world.run_for(millis(1));
        while let Some(answer) = answers.borrow_mut().pop_front() {
            let header = Header::decode(&answer.payload).unwrap();
            if header.next_payload != PayloadType::SECURITY_ASSOCIATION {
                fourths += 1;
                continue;
            }
            thirds += 1;
            let mut third = Vec::new();
            let answer = Header::new(header.cookies, ExchangeType::MAIN_MODE, 0);
            let len = [0, 31, 32, 33, 256][nth % 5];
            let public = if nth % 11 == 0 { vec![0; 32] } else { noise(&mut random, len) };
            let mut builder = MessageBuilder::new(&mut third, answer);
            builder.raw(PayloadType::KEY_EXCHANGE, &public);
            builder.raw(PayloadType::NONCE, &noise(&mut random, 32));
            builder.finish().unwrap();
            world.net.inject(Realm::PUBLIC, millis(0), to_server(Socket::Ike, source, third));
            // And what might pass for message 5.
            let mut fifth = Vec::new();
            let secret = Header { flags: Flags::ENCRYPTION, ..answer };
            let mut builder = MessageBuilder::new(&mut fifth, secret);
            builder.raw(PayloadType::IDENTIFICATION, &noise(&mut random, 64));
            builder.finish().unwrap();
            world.net.inject(Realm::PUBLIC, millis(1), to_server(Socket::Ike, source, fifth));
        }
    }
    let seconds = usize::try_from(world.net.now().since(began).as_secs()).unwrap();
    println!("{thirds} messages 3, {fourths} messages 4 in {seconds} s");
    assert!(fourths > 0 && fourths <= 256 + 64 * (seconds + 1), "{fourths}");
    // Others are not among those who have to wait.
    ids.push(world.connect(secure_client_config()));
    world.wait_up(ids[10], secs(10));
    all_work(&mut world, &ids);
    world.run_for(secs(100));
    let (sent, got) = octets.borrow()[&source];
    assert!(got <= 3 * sent, "{sent} in, {got} out");
    let counts = world.server().ike_counts();
    assert_eq!((counts.half_open, counts.ike_sas, counts.peers), (0, 11, 11));
}

/// Says how many datagrams the server dropped for this reason.
fn dropped(world: &World, reason: DropReason) -> u64 {
    world.server().data_plane().drops().get(reason)
}

/// The ESP packets between the clients and the server, while the clients talk.
fn overheard(world: &mut World, ids: &[NodeId]) -> Vec<Datagram> {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&heard);
    world.net.observe(move |_, datagram, _| {
        if datagram.socket == Socket::Esp {
            keep.borrow_mut().push(datagram.clone());
        }
    });
    all_work(world, ids);
    heard.take()
}

#[test]
fn esp_of_strangers_and_forgers_does_nothing() {
    let (mut world, ids) = with_clients(4, 20);
    let heard = overheard(&mut world, &ids);
    assert!(heard.len() >= 40);
    let mut random = SeededRandom::new(8);
    let sent = world.net.counts().sent;
    let mut injected = 0;
    let mut inject = |world: &mut World, datagram| {
        world.net.inject(Realm::PUBLIC, millis(0), datagram);
        injected += 1;
    };
    for nth in 0..20_000 {
        let source = stranger(&mut random);
        let len = usize::try_from(random.within(0..=200)).unwrap();
        let socket = if nth % 2 == 0 { Socket::Esp } else { Socket::NatT };
        inject(&mut world, to_server(socket, source, noise(&mut random, len)));
        // An SPI that is in use, in either direction, and the highest sequence numbers.
        let mut forged = heard[nth % heard.len()].clone();
        forged.payload[4..8].fill(0xff);
        if nth % 3 == 0 {
            forged.source.set_ip(source.ip());
        }
        inject(&mut world, forged);
        let mut changed = heard[nth % heard.len()].clone();
        let last = changed.payload.len() - 1;
        changed.payload[last] ^= 1;
        changed.payload[7] ^= 0x40;
        inject(&mut world, changed);
        world.run_for(millis(1));
    }
    world.run_for(millis(100));
    assert_eq!(world.moved, []);
    assert!(dropped(&world, DropReason::UnknownSpi) >= 10_000);
    assert!(dropped(&world, DropReason::Unauthenticated) >= 15_000);
    // Nobody was answered. What was sent is keep-alives and the like.
    let answered = world.net.counts().sent - sent - injected;
    assert!(answered < 2_000, "{answered}");
    assert_eq!(world.disconnected, []);
    all_work(&mut world, &ids);
}

/// Messages in clear, or in a bad imitation of encryption, with what an observer of the path can
/// see right: deletes, notifications, and pieces of messages.
fn forgeries(cookies: Cookies, random: &mut SeededRandom) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for exchange in [
        ExchangeType::INFORMATIONAL,
        ExchangeType::QUICK_MODE,
        ExchangeType::MAIN_MODE,
        ExchangeType::AGGRESSIVE,
        ExchangeType::TRANSACTION,
        ExchangeType::NEW_GROUP_MODE,
    ] {
        for flags in [Flags::empty(), Flags::ENCRYPTION, Flags::COMMIT] {
            for id in [0, 7] {
                let header = Header { flags, ..Header::new(cookies, exchange, id) };
                let mut message = Vec::new();
                let mut builder = MessageBuilder::new(&mut message, header);
                builder.raw(PayloadType::HASH, &noise(random, 32));
                for (protocol, spi) in
                    [(ProtocolId::ISAKMP, &cookies.spi()[..]), (ProtocolId::ESP, &[1, 2, 3, 4])]
                {
                    builder.payload(PayloadType::DELETE, |out| {
                        Delete::encode(protocol, spi, out);
                    });
                    for notify_type in [
                        NotifyType::INITIAL_CONTACT,
                        NotifyType::NO_PROPOSAL_CHOSEN,
                        NotifyType::INVALID_SPI,
                        NotifyType::R_U_THERE,
                        NotifyType::R_U_THERE_ACK,
                    ] {
                        let notification =
                            Notification { protocol, notify_type, spi, data: &[0, 0, 0, 1] };
                        builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
                    }
                }
                builder.finish_padded(16).unwrap();
                all.push(message);
            }
        }
    }
    for nth in 0..64 {
        let header = Header::new(cookies, ExchangeType::MAIN_MODE, 0);
        let number = nth % 16 + 1;
        let data = all[usize::from(nth) % all.len()].clone();
        let fragment = Fragment {
            id: u16::from(nth / 16),
            number,
            last: number == 16 || nth % 5 == 0,
            data: &data,
        };
        let mut message = Vec::new();
        let mut builder = MessageBuilder::new(&mut message, header);
        builder.payload(PayloadType::FRAGMENT, |out| fragment.encode(out));
        builder.finish().unwrap();
        all.push(message);
    }
    all
}

/// The cookies of every IKE message that passes, with its way.
fn cookies_seen(world: &mut World) -> Rc<RefCell<VecDeque<(Cookies, Datagram)>>> {
    let seen = Rc::new(RefCell::new(VecDeque::new()));
    let keep = Rc::clone(&seen);
    world.net.intercept(move |_, datagram| {
        if datagram.socket == Socket::Ike
            && let Ok(header) = Header::decode(&datagram.payload)
        {
            keep.borrow_mut().push_back((header.cookies, datagram.clone()));
        }
        Verdict::Pass
    });
    seen
}

#[test]
fn forged_deletes_notifications_and_fragments_do_nothing() {
    let mut world = World::secure(5);
    let seen = cookies_seen(&mut world);
    let id = world.connect(secure_client_config());
    world.wait_both_up(id, secs(10));
    world.run_for(secs(1));
    all_work(&mut world, &[id]);
    let sent = world.net.counts().sent;
    let all: Vec<_> = seen.borrow().iter().cloned().collect();
    let cookies = all.last().unwrap().0;
    assert!(!cookies.is_first());
    let mut random = SeededRandom::new(1);
    let mut injected = 0;
    for way in [false, true] {
        let mut toward = all.iter().map(|(_, datagram)| datagram);
        let there = toward.find(|one| (one.destination == at_server(500)) == way).unwrap();
        for forged in forgeries(cookies, &mut random) {
            for round in 0..3 {
                let source = if round == 2 { stranger(&mut random) } else { there.source };
                let datagram = Datagram { source, payload: forged.clone(), ..there.clone() };
                world.net.inject(Realm::PUBLIC, millis(0), datagram);
                injected += 1;
            }
            world.run_for(millis(1));
        }
    }
    assert_eq!(world.net.counts().sent - injected, sent, "somebody was answered");
    all_work(&mut world, &[id]);
    let counts = world.server().ike_counts();
    assert_eq!((counts.peers, counts.ike_sas, counts.children), (1, 1, 1));
    world.run_for(secs(300));
    all_work(&mut world, &[id]);
}

/// The same while the exchange is under way: whoever sees a datagram sends what may follow it.
///
/// But for what passes as a proof of the key: of those a few are looked at, so that nobody can try
/// many keys on one exchange, and who comes first with them ends it.
#[test]
fn forgeries_do_not_keep_an_exchange_from_ending() {
    for seed in 1..9 {
        let mut world = World::secure(seed);
        let seen = cookies_seen(&mut world);
        let id = world.connect(secure_client_config());
        let mut random = SeededRandom::new(seed);
        let up = world.net.now() + secs(20);
        while world.clients[&id].up.is_none() {
            let caller = &world.clients[&id];
            assert!(world.net.now() < up && caller.ended.is_none(), "seed {seed}: {caller:?}");
            let new: Vec<_> = seen.borrow_mut().drain(..).collect();
            for (cookies, datagram) in new {
                // The answer comes later: what is forged is there first, and after it again.
                let (source, destination) = (datagram.destination, datagram.source);
                for payload in forgeries(cookies, &mut random) {
                    let header = Header::decode(&payload).unwrap();
                    if header.is_encrypted() && header.exchange_type == ExchangeType::MAIN_MODE {
                        continue;
                    }
                    for delay in [millis(0), millis(15)] {
                        let forged =
                            Datagram { payload: payload.clone(), source, destination, ..datagram };
                        world.net.inject(Realm::PUBLIC, delay, forged);
                        let forged = Datagram { payload: payload.clone(), ..datagram.clone() };
                        world.net.inject(Realm::PUBLIC, delay + millis(11), forged);
                    }
                }
            }
            world.run_for(millis(1));
        }
        world.run_for(secs(1));
        all_work(&mut world, &[id]);
    }
}

/// A StopCCN for any tunnel, in clear.
fn stop_ccn(tunnel_id: u16) -> Vec<u8> {
    let [high, low] = tunnel_id.to_be_bytes();
    let mut message = vec![0xc8, 2, 0, 38, high, low, 0, 0, 0, 2, 0, 2];
    message.extend([0x80, 8, 0, 0, 0, 0, 0, 4]);
    message.extend([0x80, 8, 0, 0, 0, 9, high, low]);
    message.extend([0x80, 10, 0, 0, 0, 1, 0, 1, 0, 0]);
    message
}

#[test]
fn l2tp_in_clear_is_refused_and_counted() {
    let (mut world, ids) = with_clients(6, 3);
    let client = world.address(ids[0]);
    let before = dropped(&world, DropReason::NotAllowed);
    let sent = world.net.counts().sent;
    let mut injected = 0;
    for tunnel_id in 0..=u16::MAX {
        for source in [client, SocketAddr::from(([100, 64, 0, 1], 1701))] {
            let stop = to_server(Socket::L2tp, source, stop_ccn(tunnel_id));
            world.net.inject(Realm::PUBLIC, millis(0), stop);
            injected += 1;
        }
        if tunnel_id % 64 == 0 {
            world.run_for(millis(1));
        }
    }
    world.run_for(millis(1));
    assert_eq!(world.net.counts().sent - injected, sent, "somebody was answered");
    assert_eq!(dropped(&world, DropReason::NotAllowed) - before, injected);
    let handled = world.net.node(world.server).server().handled;
    assert_eq!(handled, Some(Handled::Dropped(DropReason::NotAllowed)));
    assert_eq!(world.server().tunnels(), 3);
    all_work(&mut world, &ids);
    // A client that speaks L2TP alone comes to nothing.
    let plain = world.connect(sim::client_config());
    world.run_for(secs(100));
    assert!(world.clients[&plain].up.is_none());
    assert_eq!(world.server().counts().tunnels, 3);
}

/// An authenticated peer can't send in another's name.
#[test]
fn a_client_does_not_speak_for_another() {
    let (mut world, ids) = with_clients(7, 2);
    let stolen = packet::udp(world.clients[&ids[1]].address(), sim::INSIDE, 60, 7);
    // Its own data plane lets it send only what comes from its own address.
    assert!(world.send(ids[0], &stolen).is_err());
    // What the one sealed, sent by the other, is the first one's once and then nobody's.
    let heard = overheard(&mut world, &ids);
    let [one, other] = [0, 1].map(|nth| world.address(ids[nth]).ip());
    for datagram in heard.iter().filter(|heard| heard.source.ip() == one) {
        let replayed = Datagram { source: SocketAddr::new(other, 0), ..datagram.clone() };
        world.net.inject(Realm::PUBLIC, millis(0), replayed);
    }
    world.run_for(secs(1));
    assert!(dropped(&world, DropReason::Unauthenticated) > 0);
    assert_eq!(world.moved, []);
    all_work(&mut world, &ids);
}

/// Each datagram of a session from its first to its last is followed by a changed copy, and once the
/// session is up such a copy also comes before it. Keys are replaced meanwhile.
#[test]
fn a_changed_copy_of_every_datagram_changes_nothing() {
    for seed in 0..12 {
        let mut world = World::secure(seed);
        let queue = Rc::new(RefCell::new(Vec::new()));
        let keep = Rc::clone(&queue);
        world.net.intercept(move |_, datagram| {
            keep.borrow_mut().push(datagram.clone());
            Verdict::Drop
        });
        let mut random = SeededRandom::new(seed);
        let mut run = |world: &mut World, time: u64| {
            for _ in 0..time * 1_000 {
                world.run_for(millis(1));
                for datagram in queue.borrow_mut().drain(..) {
                    let mut changed = || {
                        let mut copy = datagram.clone();
                        let last = copy.payload.len() as u64 - 1;
                        let at = usize::try_from(random.within(0..=last)).unwrap();
                        copy.payload[at] ^= 1 << random.within(0..=7);
                        copy
                    };
                    let is_up = world.connected.len() == 1;
                    if is_up {
                        world.net.inject(Realm::PUBLIC, millis(8), changed());
                    }
                    world.net.inject(Realm::PUBLIC, millis(12), changed());
                    world.net.inject(Realm::PUBLIC, millis(10), datagram);
                }
            }
        };
        let lifetimes = Lifetimes { ike: secs(3_600), esp: secs(60), esp_kilobytes: None };
        let config = secure_client_config().ipsec(|ipsec| ipsec.lifetimes(lifetimes));
        let id = world.connect(config);
        run(&mut world, 3);
        let address = world.clients[&id].address();
        for n in 0..20 {
            world.send(id, &packet::udp(address, sim::INSIDE, 100, n)).unwrap();
            run(&mut world, 10);
            let caller = &world.clients[&id];
            assert_eq!((caller.ups, &caller.ended), (1, &None), "seed {seed}");
            assert_eq!(caller.packets.len(), usize::from(n) + 1, "seed {seed}: no less, no more");
        }
        assert!(world.rekeyed(id) >= 2, "seed {seed}: {}", world.rekeyed(id));
        assert_eq!(world.moved, []);
        world.hang_up(id);
        run(&mut world, 5);
        assert!(world.clients[&id].ended.is_some());
        run(&mut world, 100);
        world.assert_empty();
    }
}
