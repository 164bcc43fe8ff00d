//! What strangers and forgers can do: nothing.

use core::cell::RefCell;
use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;
use std::rc::Rc;

use ipsec_ike::Chain;
use ipsec_ike::CloseReason;
use ipsec_ike::Cookies;
use ipsec_ike::Endpoint;
use ipsec_ike::Event;
use ipsec_ike::ExchangeType;
use ipsec_ike::Flags;
use ipsec_ike::Header;
use ipsec_ike::MessageBuilder;
use ipsec_ike::NotifyType;
use ipsec_ike::PayloadType;
use ipsec_ike::ProtocolId;
use ipsec_ike::payload::Delete;
use ipsec_ike::payload::Notification;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_netsim::SeededRandom;
use vpn_netsim::Verdict;

use crate::network::*;

fn path(remote: SocketAddr) -> Path {
    Path { socket: Socket::Ike, local: SocketAddr::new(SERVER, 500), remote }
}

/// The first message of an honest client.
fn first_message(seed: u64) -> Vec<u8> {
    let mut client = endpoint(client_config(), seed);
    let local = SocketAddr::new(CLIENT, 500);
    let config = ipsec_ike::ConnectConfig::new(SocketAddr::new(SERVER, 500), local);
    client.connect(Instant::ZERO, config).unwrap();
    let mut datagram = Vec::new();
    let _ = client.poll_transmit(Instant::ZERO, &mut datagram).unwrap();
    datagram
}

fn drain(server: &mut Endpoint, now: Instant) -> Vec<(Path, Vec<u8>)> {
    let mut all = Vec::new();
    let mut datagram = Vec::new();
    while let Some(transmit) = server.poll_transmit(now, &mut datagram) {
        all.push((transmit.path, core::mem::take(&mut datagram)));
    }
    all
}

#[test]
fn a_flood_of_first_messages_is_bounded_and_an_honest_client_gets_in() {
    let mut pair = Pair::new(1, client_config(), server_config());
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    let honest = endpoint(client_config(), 99);
    let address = IpAddr::from([198, 51, 100, 50]);
    let honest = pair.net.add(honest, &[address]);
    let message = first_message(5);
    let mut random = SeededRandom::new(6);
    let mut sent = 0u32;
    let mut connected = false;
    for step in 0..1_000u32 {
        // 100 of them each 10 ms, from random addresses.
        pair.net.with(pair.server, |server, now| {
            for _ in 0..100 {
                let mut datagram = message.clone();
                datagram[..8].copy_from_slice(&random.bits().to_be_bytes());
                let ip = u32::try_from(random.bits() >> 32).unwrap();
                let from = path(SocketAddr::new(IpAddr::V4(ip.into()), 500));
                let _ = server.handle_datagram(now, from, &datagram);
                drop(drain(server, now));
            }
        });
        sent += 100;
        if step == 200 {
            let local = SocketAddr::new(address, 500);
            let config = ipsec_ike::ConnectConfig::new(SocketAddr::new(SERVER, 500), local);
            pair.net.with(honest, |client, now| client.connect(now, config)).unwrap();
        }
        pair.run(Duration::from_millis(10));
        let counts = pair.net.node(pair.server).counts();
        assert!(counts.half_open <= 10_000, "{counts:?}");
        connected |= counts.peers == 2;
    }
    assert_eq!(sent, 100_000);
    assert!(connected, "the honest client did not get in within 8 s");
    pair.run(secs(120));
    let counts = pair.net.node(pair.server).counts();
    assert_eq!((counts.half_open, counts.peers, counts.ike_sas), (0, 2, 2));
}

/// Whatever a stranger sends, and however often, at most three times as much comes back.
#[test]
fn no_amplification() {
    let mut random = SeededRandom::new(7);
    for seed in 0..50 {
        let mut server = endpoint(server_config(), seed);
        let whole = first_message(seed);
        let stranger = SocketAddr::new(CLIENT, 500);
        let (mut received, mut sent) = (0, 0);
        let mut now = Instant::ZERO;
        for _ in 0..200 {
            let mut datagram = whole.clone();
            match random.within(0..=5) {
                0 => datagram.truncate(usize::try_from(random.within(28..=100)).unwrap()),
                1 => datagram[..8].copy_from_slice(&random.bits().to_be_bytes()),
                2 => {
                    let at = usize::try_from(random.within(0..=100)).unwrap();
                    datagram[at] ^= 1;
                }
                _ => {}
            }
            let len = u32::try_from(datagram.len()).unwrap();
            datagram[24..28].copy_from_slice(&len.to_be_bytes());
            received += datagram.len();
            let _ = server.handle_datagram(now, path(stranger), &datagram);
            now = now + Duration::from_millis(random.within(0..=3_000));
            server.handle_timeout(now);
            sent += drain(&mut server, now).iter().map(|(_, one)| one.len()).sum::<usize>();
            assert!(sent <= 3 * received, "{sent} out for {received} in");
        }
        assert!(sent > 0);
    }
}

/// Forged messages in clear, with everything right that an observer of the path can see.
fn forgeries(cookies: Cookies) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (exchange, id) in [
        (ExchangeType::INFORMATIONAL, 0),
        (ExchangeType::INFORMATIONAL, 7),
        (ExchangeType::QUICK_MODE, 7),
        (ExchangeType::MAIN_MODE, 0),
        (ExchangeType::AGGRESSIVE, 0),
        (ExchangeType::TRANSACTION, 9),
        (ExchangeType::NEW_GROUP_MODE, 9),
    ] {
        for flags in [Flags::empty(), Flags::ENCRYPTION, Flags::COMMIT] {
            for (protocol, spi) in
                [(ProtocolId::ISAKMP, cookies.spi().to_vec()), (ProtocolId::ESP, vec![1, 2, 3, 4])]
            {
                let mut datagram = Vec::new();
                let header = Header { flags, ..Header::new(cookies, exchange, id) };
                let mut builder = MessageBuilder::new(&mut datagram, header);
                builder.payload(PayloadType::DELETE, |out| Delete::encode(protocol, &spi, out));
                for notify_type in [
                    NotifyType::INITIAL_CONTACT,
                    NotifyType::NO_PROPOSAL_CHOSEN,
                    NotifyType::INVALID_SPI,
                    NotifyType::R_U_THERE,
                    NotifyType::R_U_THERE_ACK,
                ] {
                    let data = [0, 0, 0, 1];
                    let notification =
                        Notification { protocol, notify_type, spi: &spi, data: &data };
                    builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
                }
                builder.finish_padded(16).unwrap();
                all.push(datagram);
            }
        }
    }
    all
}

#[test]
fn forged_deletes_and_notifications_do_nothing() {
    let mut pair = Pair::new(8, client_config(), server_config());
    let cookies = Rc::new(RefCell::new(None));
    let seen = Rc::clone(&cookies);
    pair.net.intercept(move |_, datagram| {
        *seen.borrow_mut() = Header::decode(&datagram.payload).ok().map(|one| one.cookies);
        Verdict::Pass
    });
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    pair.run(secs(2));
    pair.events.clear();
    let cookies = cookies.borrow().unwrap();
    for (node, remote) in [(pair.server, CLIENT), (pair.client, SERVER)] {
        let from = Path {
            socket: Socket::Ike,
            local: SocketAddr::new(if remote == CLIENT { SERVER } else { CLIENT }, 500),
            remote: SocketAddr::new(remote, 500),
        };
        for forged in forgeries(cookies) {
            let (handled, sent) = pair.net.with(node, |end, now| {
                let handled = end.handle_datagram(now, from, &forged);
                (handled, drain(end, now))
            });
            assert!(matches!(handled, Handled::Dropped(_)), "{forged:02x?}");
            assert!(sent.is_empty(), "{forged:02x?} was answered");
        }
    }
    pair.run(secs(1));
    assert!(pair.events.is_empty(), "{:?}", pair.events);
    for node in [pair.server, pair.client] {
        let counts = pair.net.node(node).counts();
        assert_eq!((counts.peers, counts.ike_sas, counts.children), (1, 1, 1));
    }
}

/// While a client connects, somebody answers for the server: it only colours the report.
#[test]
fn forged_answers_to_the_first_message_do_nothing() {
    let mut pair = Pair::new(9, client_config(), server_config());
    pair.connect();
    let first = Rc::new(RefCell::new(None));
    let seen = Rc::clone(&first);
    pair.net.intercept(move |_, datagram| {
        if datagram.destination.ip() == SERVER {
            *seen.borrow_mut() = Header::decode(&datagram.payload).ok().map(|one| one.cookies);
        }
        Verdict::Pass
    });
    pair.run(Duration::from_millis(1));
    let cookies = match *first.borrow() {
        Some(cookies) => cookies,
        // It left before the interceptor was there.
        None => Header::decode(&first_message_of(&mut pair)).unwrap().cookies,
    };
    let from = Path {
        socket: Socket::Ike,
        local: SocketAddr::new(CLIENT, 500),
        remote: SocketAddr::new(SERVER, 500),
    };
    for forged in forgeries(cookies) {
        let _ = pair.net.with(pair.client, |end, now| end.handle_datagram(now, from, &forged));
    }
    assert!(pair.run_until(secs(10), Pair::is_up), "{:?}", pair.events);
}

fn first_message_of(pair: &mut Pair) -> Vec<u8> {
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&kept);
    pair.net.intercept(move |_, datagram| {
        *keep.borrow_mut() = datagram.payload.clone();
        Verdict::Drop
    });
    while kept.borrow().is_empty() {
        pair.run(Duration::from_millis(100));
    }
    pair.net.intercept(|_, _| Verdict::Pass);
    kept.take()
}

/// Everything that was ever sent, sent once more later, from elsewhere too: nothing new comes of
/// it.
#[test]
fn replays_do_nothing() {
    let mut pair =
        Pair::behind_nat(10, client_config(), server_config(), vpn_netsim::Nat::HOME_ROUTER);
    let all = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&all);
    pair.net.intercept(move |_, datagram| {
        keep.borrow_mut().push(datagram.clone());
        Verdict::Pass
    });
    pair.connect();
    pair.run(secs(200));
    pair.events.clear();
    let to_server: Vec<_> =
        all.borrow().iter().filter(|one| one.destination.ip() == SERVER).cloned().collect();
    assert!(to_server.len() > 8);
    for other in [false, true] {
        for datagram in &to_server {
            let mut remote = datagram.source;
            if other {
                remote.set_port(33_333);
            }
            let socket = datagram.socket;
            let path = Path { socket, local: datagram.destination, remote };
            let _ = pair.net.with(pair.server, |server, now| {
                server.handle_datagram(now, path, &datagram.payload)
            });
        }
    }
    pair.run(secs(100));
    let telling: Vec<_> =
        pair.events.iter().filter(|(_, event)| !matches!(event, Event::Failed { .. })).collect();
    assert!(telling.is_empty(), "{telling:?}");
    assert_eq!(pair.net.node(pair.server).counts().children, 1);
}

#[test]
fn what_is_not_ike_is_dropped() {
    let mut server = endpoint(server_config(), 1);
    let now = Instant::ZERO;
    let on = |socket| Path {
        socket,
        local: SocketAddr::new(SERVER, 4500),
        remote: SocketAddr::new(CLIENT, 4500),
    };
    let mut handle = |socket, octets: &[u8]| server.handle_datagram(now, on(socket), octets);
    assert_eq!(handle(Socket::NatT, &[0xff]), Handled::Consumed);
    for len in 0..64 {
        for first in [0x00, 0x01, 0xff] {
            let octets = vec![first; len];
            if (len, first) != (1, 0xff) {
                assert!(matches!(handle(Socket::NatT, &octets), Handled::Dropped(_)), "{len}");
            }
            assert!(matches!(handle(Socket::Ike, &octets), Handled::Dropped(_)), "{len}");
        }
    }
    let not_here = Handled::Dropped(DropReason::NotAllowed);
    assert_eq!(handle(Socket::Esp, &first_message(1)), not_here);
    assert_eq!(handle(Socket::L2tp, &first_message(1)), not_here);
    assert_eq!(server.counts().ike_sas, 0);
}

#[test]
fn aggressive_mode_is_refused_by_default() {
    let mut server = endpoint(server_config(), 1);
    let mut datagram = first_message(2);
    datagram[18] = ExchangeType::AGGRESSIVE.0;
    let from = path(SocketAddr::new(CLIENT, 500));
    let handled = server.handle_datagram(Instant::ZERO, from, &datagram);
    assert_eq!(handled, Handled::Dropped(DropReason::NotAllowed));
    assert!(drain(&mut server, Instant::ZERO).is_empty(), "not a word");
    let Some(Event::Failed { reason, .. }) = server.poll_event() else { panic!() };
    assert_eq!(reason, CloseReason::AggressiveRefused);
    assert!(reason.explain().contains("leave the group name"));
}

/// Each payload of a first message left out, or twice: no panic, and no SA without what it needs.
#[test]
fn payloads_left_out_or_doubled() {
    let whole = first_message(3);
    let header = Header::decode(&whole).unwrap();
    let chain = Chain::new(header.next_payload, &whole[Header::LEN..]);
    let payloads: Vec<_> = chain.map(Result::unwrap).collect();
    for at in 0..payloads.len() {
        for copies in [0, 2] {
            let mut server = endpoint(server_config(), 1);
            let mut datagram = Vec::new();
            let mut builder = MessageBuilder::new(&mut datagram, header);
            for (place, payload) in payloads.iter().enumerate() {
                for _ in 0..if place == at { copies } else { 1 } {
                    builder.raw(payload.kind, payload.body);
                }
            }
            builder.finish().unwrap();
            let from = path(SocketAddr::new(CLIENT, 500));
            let handled = server.handle_datagram(Instant::ZERO, from, &datagram);
            let offer = payloads[at].kind == PayloadType::SECURITY_ASSOCIATION;
            assert_eq!(matches!(handled, Handled::Dropped(_)), offer, "payload {at}");
            assert_eq!(server.counts().half_open, usize::from(!offer));
        }
    }
}

/// Who can't receive at an address can't have a key exchange computed in its name: message 3 has to
/// show our cookie.
#[test]
fn message_3_has_to_show_our_cookie() {
    let mut server = endpoint(server_config(), 1);
    let from = path(SocketAddr::new(CLIENT, 500));
    let first = first_message(2);
    assert_eq!(server.handle_datagram(Instant::ZERO, from, &first), Handled::Consumed);
    drop(drain(&mut server, Instant::ZERO));
    let header = Header::decode(&first).unwrap();
    let mut third = Vec::new();
    let mut builder = MessageBuilder::new(&mut third, header);
    builder.raw(PayloadType::KEY_EXCHANGE, &[9; 32]).raw(PayloadType::NONCE, &[1; 32]);
    builder.finish().unwrap();
    let handled = server.handle_datagram(Instant::ZERO, from, &third);
    assert_eq!(handled, Handled::Dropped(DropReason::Duplicate));
    assert!(drain(&mut server, Instant::ZERO).is_empty());
}

#[test]
fn a_clock_that_jumps_ends_everything_in_order() {
    let mut pair = Pair::new(12, client_config(), server_config());
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    let far = pair.net.now() + secs(10 * 365 * 86_400);
    for node in [pair.client, pair.server] {
        let end = pair.net.remove(node);
        let mut end = end;
        end.handle_timeout(far);
        // An older time is taken as the newest seen.
        end.handle_timeout(Instant::ZERO);
        let mut steps = 0;
        while let Some(at) = end.poll_timeout() {
            end.handle_timeout(at);
            drop(drain(&mut end, at));
            steps += 1;
            assert!(steps < 10_000);
        }
        let counts = end.counts();
        assert_eq!((counts.peers, counts.ike_sas, counts.children), (0, 0, 0));
    }
}

/// Both ends have the same keys, so what one sent might pass for the other's when it comes back.
#[test]
fn what_is_reflected_does_nothing() {
    let mut pair = Pair::new(13, client_config(), server_config());
    let all = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&all);
    pair.net.intercept(move |_, datagram| {
        keep.borrow_mut().push(datagram.clone());
        Verdict::Pass
    });
    pair.connect();
    pair.run(secs(100));
    pair.events.clear();
    for datagram in all.take() {
        let back = if datagram.source.ip() == SERVER { pair.server } else { pair.client };
        let path =
            Path { socket: datagram.socket, local: datagram.source, remote: datagram.destination };
        let sent = pair.net.with(back, |end, now| {
            let _ = end.handle_datagram(now, path, &datagram.payload);
            drain(end, now)
        });
        assert!(sent.is_empty(), "{sent:?}");
    }
    pair.run(secs(1));
    assert!(pair.events.is_empty(), "{:?}", pair.events);
    assert_eq!(pair.net.node(pair.client).counts().ike_sas, 1);
}
