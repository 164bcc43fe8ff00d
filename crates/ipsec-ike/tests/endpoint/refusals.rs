//! What is refused of a peer that gets further than its first message.

use core::net::SocketAddr;
use core::time::Duration;

use ipsec_ike::Chain;
use ipsec_ike::ConnectConfig;
use ipsec_ike::Cookies;
use ipsec_ike::Endpoint;
use ipsec_ike::EndpointConfig;
use ipsec_ike::Event;
use ipsec_ike::Flags;
use ipsec_ike::Header;
use ipsec_ike::IkeAttribute;
use ipsec_ike::Limits;
use ipsec_ike::MessageBuilder;
use ipsec_ike::PayloadType;
use ipsec_ike::PskSelector;
use ipsec_ike::Retransmission;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;

use crate::network::*;

const NOW: Instant = Instant::ZERO;

fn path(local: SocketAddr, remote: SocketAddr) -> Path {
    Path { socket: Socket::Ike, local, remote }
}

fn at_server(port: u16) -> Path {
    path(SocketAddr::new(SERVER, 500), SocketAddr::new(CLIENT, port))
}

fn at_client() -> Path {
    path(SocketAddr::new(CLIENT, 500), SocketAddr::new(SERVER, 500))
}

fn connect(client: &mut Endpoint, change: impl FnOnce(ConnectConfig) -> ConnectConfig) {
    let (local, remote) = (SocketAddr::new(CLIENT, 500), SocketAddr::new(SERVER, 500));
    let _ = client.connect(NOW, change(ConnectConfig::new(remote, local))).unwrap();
}

/// The only datagram that waits.
fn sent(end: &mut Endpoint) -> Vec<u8> {
    let mut datagram = Vec::new();
    let _ = end.poll_transmit(NOW, &mut datagram).unwrap();
    assert!(is_silent(end));
    datagram
}

fn is_silent(end: &mut Endpoint) -> bool {
    end.poll_transmit(NOW, &mut Vec::new()).is_none()
}

fn deliver(end: &mut Endpoint, path: Path, datagram: &[u8]) {
    assert_eq!(end.handle_datagram(NOW, path, datagram), Handled::Consumed);
}

/// Passes datagrams between the two until both are silent.
fn settle(client: &mut Endpoint, server: &mut Endpoint) {
    let mut datagram = Vec::new();
    loop {
        datagram.clear();
        if client.poll_transmit(NOW, &mut datagram).is_some() {
            let _ = server.handle_datagram(NOW, at_server(500), &datagram);
        } else if server.poll_transmit(NOW, &mut datagram).is_some() {
            let _ = client.handle_datagram(NOW, at_client(), &datagram);
        } else {
            return;
        }
    }
}

fn body_of(datagram: &[u8], kind: PayloadType) -> Vec<u8> {
    let header = Header::decode(datagram).unwrap();
    let mut chain = Chain::new(header.next_payload, &datagram[Header::LEN..]).map(Result::unwrap);
    chain.find(|payload| payload.kind == kind).unwrap().body.to_vec()
}

/// A client that has sent message 1, and a server's message 2.
fn second_message() -> (Endpoint, Endpoint, Vec<u8>) {
    let mut client = endpoint(client_config(), 1);
    let mut server = endpoint(server_config(), 2);
    connect(&mut client, |config| config);
    deliver(&mut server, at_server(500), &sent(&mut client));
    let second = sent(&mut server);
    (client, server, second)
}

/// With the same cookies and public values HASH_R would be HASH_I, and message 5 a message 6.
#[test]
fn our_own_cookie_and_public_value_are_refused() {
    let (mut client, _, second) = second_message();
    let mut forged = second.clone();
    forged.copy_within(0..8, 8);
    let handled = client.handle_datagram(NOW, at_client(), &forged);
    assert!(matches!(handled, Handled::Dropped(_)) && is_silent(&mut client));

    deliver(&mut client, at_client(), &second);
    let third = sent(&mut client);
    let mut forged = Vec::new();
    let header = Header { next_payload: PayloadType::NONE, ..Header::decode(&third).unwrap() };
    let mut builder = MessageBuilder::new(&mut forged, header);
    builder.raw(PayloadType::KEY_EXCHANGE, &body_of(&third, PayloadType::KEY_EXCHANGE));
    builder.raw(PayloadType::NONCE, &[7; 32]);
    builder.finish().unwrap();
    let handled = client.handle_datagram(NOW, at_client(), &forged);
    assert!(matches!(handled, Handled::Dropped(_)) && is_silent(&mut client));
}

/// Nothing vouches for message 2: a lifetime of a second would have us renew for ever.
#[test]
fn a_lifetime_of_seconds_in_message_2_is_refused() {
    let (mut client, _, second) = second_message();
    let mut forged = second.clone();
    let [high, low] = IkeAttribute::LIFE_DURATION.0.to_be_bytes();
    let duration = [high, low, 0, 4];
    let at = forged.windows(4).position(|window| window == duration).unwrap() + 4;
    forged[at..at + 4].copy_from_slice(&[0, 0, 0, 1]);
    let handled = client.handle_datagram(NOW, at_client(), &forged);
    assert!(matches!(handled, Handled::Dropped(_)) && is_silent(&mut client));
    deliver(&mut client, at_client(), &second);
}

#[test]
fn a_repeated_message_3_is_answered_to_nobody_else() {
    let (mut client, mut server, second) = second_message();
    deliver(&mut client, at_client(), &second);
    let third = sent(&mut client);
    deliver(&mut server, at_server(500), &third);
    let fourth = sent(&mut server);
    let handled = server.handle_datagram(NOW, at_server(501), &third);
    assert_eq!(handled, Handled::Dropped(DropReason::WrongPeer));
    assert!(is_silent(&mut server));
    deliver(&mut server, at_server(500), &third);
    assert_eq!(sent(&mut server), fourth);
}

/// What comes on port 500 after the change to 4500 is old (RFC 3947 §4).
#[test]
fn a_repeated_message_5_on_the_port_before_the_change_is_not_answered() {
    let force = |config: EndpointConfig| config.encapsulation(ipsec_ike::Encapsulation::Force);
    let mut client = endpoint(force(client_config()), 1);
    let mut server = endpoint(server_config(), 2);
    connect(&mut client, |config| config);
    deliver(&mut server, at_server(500), &sent(&mut client));
    deliver(&mut client, at_client(), &sent(&mut server));
    deliver(&mut server, at_server(500), &sent(&mut client));
    deliver(&mut client, at_client(), &sent(&mut server));
    let fifth = sent(&mut client);
    let on_4500 = Path {
        socket: Socket::NatT,
        local: SocketAddr::new(SERVER, 4500),
        remote: SocketAddr::new(CLIENT, 4500),
    };
    deliver(&mut server, on_4500, &fifth);
    let sixth = sent(&mut server);
    let handled = server.handle_datagram(NOW, at_server(500), &fifth[4..]);
    assert_eq!(handled, Handled::Dropped(DropReason::Duplicate));
    assert!(is_silent(&mut server));
    deliver(&mut server, on_4500, &fifth);
    assert_eq!(sent(&mut server), sixth);
}

/// Each key is tried on it.
#[test]
fn a_message_5_of_any_length_is_not_decrypted() {
    let (mut client, mut server, second) = second_message();
    deliver(&mut client, at_client(), &second);
    let third = sent(&mut client);
    deliver(&mut server, at_server(500), &third);
    let fourth = sent(&mut server);
    let mut long = Vec::new();
    let header = Header { flags: Flags::ENCRYPTION, ..Header::decode(&third).unwrap() };
    let mut builder = MessageBuilder::new(&mut long, header);
    builder.raw(PayloadType::IDENTIFICATION, &[0; 9_000]);
    builder.finish_padded(16).unwrap();
    let handled = server.handle_datagram(NOW, at_server(500), &long);
    assert_eq!(handled, Handled::Dropped(DropReason::TooLarge));
    deliver(&mut client, at_client(), &fourth);
    deliver(&mut server, at_server(500), &sent(&mut client));
    assert_eq!(server.counts().peers, 1);
}

/// What can't be answered pushes nobody out.
#[test]
fn a_useless_first_message_evicts_nobody() {
    let mut limits = Limits::default();
    limits.half_open = 1;
    let mut server = endpoint(server_config().limits(limits), 1);
    let first_of = |list: &str, seed| {
        let list = ipsec_ike::proposal::IkeProposal::list(list).unwrap();
        let mut client = endpoint(client_config().ike(list), seed);
        connect(&mut client, |config| config);
        sent(&mut client)
    };
    let honest = first_of("aes256-sha256-x25519", 2);
    deliver(&mut server, at_server(500), &honest);
    let answer = sent(&mut server);
    let useless = first_of("aes192-sha1-modp1536", 3);
    let handled = server.handle_datagram(NOW, at_server(501), &useless);
    assert_eq!(handled, Handled::Dropped(DropReason::NotAllowed));
    drop(sent(&mut server));
    deliver(&mut server, at_server(500), &honest);
    assert_eq!(sent(&mut server), answer);
}

/// One identity, address and port, but two keys: they are two.
#[test]
fn who_has_another_key_is_another_peer() {
    let config = EndpointConfig::new().respond(true);
    let config = config.psk(PskSelector::Any, "a's".into()).psk(PskSelector::Any, "b's".into());
    let mut server = endpoint(config, 1);
    let mut came = Vec::new();
    for (seed, key) in [(2, "a's"), (3, "b's"), (4, "b's")] {
        let mut client = endpoint(client_config(), seed);
        connect(&mut client, |config| config.psk(key.into()));
        settle(&mut client, &mut server);
        while let Some(event) = server.poll_event() {
            match event {
                Event::PeerUp { .. } => came.push("up"),
                Event::PeerClosed { .. } => came.push("closed"),
                _ => {}
            }
        }
    }
    // The last one says that it remembers nothing: that ends what had the same key.
    assert_eq!(came, ["up", "up", "closed", "up"]);
    assert_eq!(server.counts().peers, 2);
}

#[test]
fn one_key_may_be_that_of_two_identities() {
    let (alice, bob) = ("alice@example.org", "bob@example.org");
    let both = |config: EndpointConfig, name: &str| {
        config.psk(PskSelector::Identity(name.parse().unwrap()), PSK.into())
    };
    let config = both(both(EndpointConfig::new().respond(true), alice), bob);
    for (name, works) in [(alice, true), (bob, true), ("carol@example.org", false)] {
        let mut server = endpoint(config.clone(), 1);
        let mut client = endpoint(client_config(), 2);
        connect(&mut client, |config| config.local_id(name.parse().unwrap()));
        settle(&mut client, &mut server);
        assert_eq!(server.counts().peers, usize::from(works), "{name}");
    }
}

#[test]
fn renewing_without_end_keeps_few_old_ike_sas() {
    let mut pair = Pair::new(5, client_config(), server_config());
    let peer = pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    for _ in 0..20 {
        pair.net.with(pair.client, |client, now| client.rekey_peer(now, peer)).unwrap();
        pair.run(secs(1));
    }
    for node in [pair.client, pair.server] {
        let counts = pair.net.node(node).counts();
        assert!((2..=5).contains(&counts.ike_sas), "{counts:?}");
        assert_eq!((counts.peers, counts.children), (1, 1));
    }
}

/// Fragments of a message that never gets whole are given up when their time is over.
#[test]
fn fragments_are_kept_for_half_a_minute() {
    let mut client = endpoint(client_config(), 1);
    let mut server = endpoint(server_config().dpd(None), 2);
    connect(&mut client, |config| config);
    let mut first = Vec::new();
    let _ = client.poll_transmit(NOW, &mut first).unwrap();
    deliver(&mut server, at_server(500), &first);
    let second = sent(&mut server);
    deliver(&mut client, at_client(), &second);
    settle(&mut client, &mut server);
    let fragment = |cookies: Cookies| {
        let mut datagram = Vec::new();
        let header = Header::new(cookies, ipsec_ike::ExchangeType::QUICK_MODE, 9);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        builder.raw(PayloadType::FRAGMENT, &[0, 1, 1, 0, 9]);
        builder.finish().unwrap();
        datagram
    };
    let later = NOW + Duration::from_secs(61);
    server.handle_timeout(later);
    let before = server.poll_timeout().unwrap();
    let cookies = Header::decode(&second).unwrap().cookies;
    let datagram = fragment(cookies);
    assert_eq!(server.handle_datagram(later, at_server(500), &datagram), Handled::Consumed);
    let over = server.poll_timeout().unwrap();
    assert_eq!(over, later + Duration::from_secs(30));
    server.handle_timeout(over);
    assert_eq!(server.poll_timeout(), Some(before));
}

#[test]
fn events_that_nobody_takes_are_bounded() {
    let mut limits = Limits::default();
    limits.queue = 10;
    let mut server = endpoint(server_config().limits(limits).trace(true), 1);
    for seed in 0..50 {
        let mut client = endpoint(client_config(), seed);
        connect(&mut client, |config| config);
        let _ = server.handle_datagram(NOW, at_server(500), &sent(&mut client));
    }
    assert_eq!(core::iter::from_fn(|| server.poll_event()).count(), 10);
}

#[test]
fn extreme_times_to_repeat_do_not_overflow() {
    let retransmission = Retransmission { first: Duration::MAX, longest: Duration::MAX, tries: 3 };
    let mut client = endpoint(client_config().retransmission(retransmission), 1);
    let mut server = endpoint(server_config().retransmission(retransmission), 2);
    connect(&mut client, |config| config);
    settle(&mut client, &mut server);
    assert_eq!((client.counts().peers, client.counts().children), (1, 1));
}
