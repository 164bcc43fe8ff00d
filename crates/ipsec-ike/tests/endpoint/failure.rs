//! What goes wrong, and the sentence that says what to do about it.

use core::net::IpAddr;
use core::net::SocketAddr;

use ipsec_ike::Chain;
use ipsec_ike::CloseReason;
use ipsec_ike::ConfigError;
use ipsec_ike::ConnectConfig;
use ipsec_ike::ConnectError;
use ipsec_ike::Encapsulation;
use ipsec_ike::Endpoint;
use ipsec_ike::Event;
use ipsec_ike::Header;
use ipsec_ike::Lifetimes;
use ipsec_ike::MessageBuilder;
use ipsec_ike::NotifyType;
use ipsec_ike::PayloadType;
use ipsec_ike::PskSelector;
use ipsec_ike::RemoteIdentity;
use ipsec_ike::Role;
use ipsec_ike::SelectorPolicy;
use ipsec_ike::Selectors;
use ipsec_ike::proposal::EspProposal;
use ipsec_ike::proposal::IkeProposal;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_netsim::Nat;
use vpn_netsim::Verdict;

use crate::network::*;

fn reason(pair: &Pair, client: bool) -> (CloseReason, String) {
    let node = if client { pair.client } else { pair.server };
    let reason = pair.closed(node).unwrap_or_else(|| panic!("no reason: {:?}", pair.events));
    (reason.clone(), reason.explain())
}

fn assert_nothing_left(pair: &Pair) {
    for node in [pair.client, pair.server] {
        let counts = pair.net.node(node).counts();
        let left = (counts.peers, counts.connecting, counts.ike_sas, counts.children);
        assert_eq!(left, (0, 0, 0, 0), "{:?}", pair.events);
        assert_eq!(pair.net.node(node).poll_timeout(), None);
    }
}

#[test]
fn wrong_pre_shared_key() {
    let client = client_config();
    let mut pair = Pair::new(1, client, server_config());
    let config = pair.connect_config().psk("something else".into());
    pair.connect_with(config);
    pair.run(secs(120));
    let (at_client, text) = reason(&pair, true);
    assert_eq!(at_client, CloseReason::PskMismatch { role: Role::Initiator, tried: 1 });
    assert!(text.contains("pre-shared keys differ"), "{text}");
    let (at_server, text) = reason(&pair, false);
    assert_eq!(at_server, CloseReason::PskMismatch { role: Role::Responder, tried: 1 });
    assert!(text.contains("none of 1 pre-shared keys"), "{text}");
    assert_nothing_left(&pair);
}

/// A silent server and a blocked port look alike, but a first message to 4500 tells them apart.
#[test]
fn wrong_pre_shared_key_behind_a_nat() {
    let mut pair = Pair::behind_nat(1, client_config(), server_config(), Nat::HOME_ROUTER);
    let config = pair.connect_config().psk("something else".into());
    pair.connect_with(config);
    pair.run(secs(120));
    let (at_client, _) = reason(&pair, true);
    assert_eq!(at_client, CloseReason::PskMismatch { role: Role::Initiator, tried: 1 });
    assert_nothing_left(&pair);
}

/// Both ends by hand: the server's own address is another than the one that the client sees, and
/// the client, who says that it is Windows, gives up after message 4.
#[test]
fn a_server_behind_a_nat_and_windows() {
    let mut server = endpoint(server_config(), 1);
    let mut client = endpoint(client_config(), 2);
    let mut now = Instant::ZERO;
    let inside = SocketAddr::new(IpAddr::from([10, 1, 1, 1]), 500);
    let (outside, home) = (SocketAddr::new(SERVER, 500), SocketAddr::new(CLIENT, 500));
    client.connect(now, ConnectConfig::new(outside, home)).unwrap();
    let mut datagram = Vec::new();
    for number in 0..2 {
        let _ = client.poll_transmit(now, &mut datagram).unwrap();
        if number == 0 {
            datagram = with_vendor_id(
                &datagram,
                b"\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61\0\0\0\x09",
            );
        }
        let path = Path { socket: Socket::Ike, local: inside, remote: home };
        assert_eq!(server.handle_datagram(now, path, &datagram), Handled::Consumed);
        datagram.clear();
        let _ = server.poll_transmit(now, &mut datagram).unwrap();
        let path = Path { socket: Socket::Ike, local: home, remote: outside };
        assert_eq!(client.handle_datagram(now, path, &datagram), Handled::Consumed);
        datagram.clear();
    }
    while let Some(at) = server.poll_timeout() {
        now = at;
        server.handle_timeout(now);
    }
    let Some(Event::Failed { reason, role: Role::Responder, .. }) = server.poll_event() else {
        panic!();
    };
    assert_eq!(reason, CloseReason::ServerBehindNatWindows);
    let text = reason.explain();
    assert!(text.contains("AssumeUDPEncapsulationContextOnSendRule"), "{text}");
    assert!(text.contains("PolicyAgent") && text.contains("reboot"), "{text}");
}

fn with_vendor_id(message: &[u8], id: &[u8]) -> Vec<u8> {
    let header = Header::decode(message).unwrap();
    let chain = Chain::new(header.next_payload, &message[Header::LEN..]);
    let mut out = Vec::new();
    let mut builder = MessageBuilder::new(&mut out, header);
    for payload in chain.map(Result::unwrap) {
        builder.raw(payload.kind, payload.body);
    }
    builder.raw(PayloadType::VENDOR_ID, id);
    builder.finish().unwrap();
    out
}

#[test]
fn no_common_ike_proposal() {
    let list = |text| IkeProposal::list(text).unwrap();
    let client = client_config().ike(list("3des-sha1-modp1024,aes128-sha1-modp1024"));
    let server = server_config().ike(list("aes256-sha256-x25519,aes128-sha1-modp2048"));
    let mut pair = Pair::new(2, client, server);
    pair.connect();
    pair.run(secs(120));
    let (at_server, text) = reason(&pair, false);
    let CloseReason::NoProposal(lists) = at_server else { panic!("{text}") };
    assert_eq!(lists.theirs, ["3des-sha1-modp1024", "aes128-sha1-modp1024"]);
    assert_eq!(lists.ours.len(), 2);
    assert!(lists.nearest.unwrap().contains("aes128-sha1-modp1024"), "{text}");
    assert!(text.contains("no common IKE proposal: we accept aes256-sha256-curve25519"), "{text}");
    assert!(text.contains("Diffie-Hellman group"), "{text}");
    let (at_client, text) = reason(&pair, true);
    assert!(matches!(at_client, CloseReason::ProposalsRefused { .. }), "{at_client:?}");
    assert!(text.contains("none of our IKE proposals (3des-sha1-modp1024"), "{text}");
    assert_nothing_left(&pair);
}

#[test]
fn no_common_esp_proposal() {
    let list = |text| EspProposal::list(text).unwrap();
    let client = client_config().esp(list("aes256gcm16"));
    let server = server_config().esp(list("aes256-sha1,aes256-sha256"));
    let mut pair = Pair::new(3, client, server);
    pair.connect();
    pair.run(secs(30));
    let (at_client, text) = reason(&pair, true);
    assert!(matches!(at_client, CloseReason::ChildProposalsRefused { .. }), "{at_client:?}");
    assert!(text.contains("none of our ESP proposals (aes256gcm16)"), "{text}");
    let (at_server, text) = reason(&pair, false);
    assert!(matches!(at_server, CloseReason::NoChildProposal(_)), "{at_server:?}");
    assert!(text.contains("we accept aes256-sha1, aes256-sha256; the peer offers aes256gcm16"));
    pair.run(secs(30));
    assert_nothing_left(&pair);
}

#[test]
fn nobody_answers() {
    let mut pair = Pair::new(4, client_config(), server_config().respond(false));
    pair.connect();
    pair.run(secs(40));
    assert_eq!(pair.closed(pair.client), None, "too early");
    pair.run(secs(20));
    let (at_client, text) = reason(&pair, true);
    assert_eq!(at_client, CloseReason::NoAnswer { hint: None });
    assert!(text.contains("never answered on UDP 500"), "{text}");
    assert_nothing_left(&pair);
}

#[test]
fn port_4500_is_blocked() {
    let mut pair = Pair::behind_nat(5, client_config(), server_config(), Nat::HOME_ROUTER);
    pair.net.intercept(|_, datagram| match datagram.socket {
        Socket::NatT => Verdict::Drop,
        _ => Verdict::Pass,
    });
    pair.connect();
    pair.run(secs(120));
    let (at_client, text) = reason(&pair, true);
    assert_eq!(at_client, CloseReason::NatTBlocked);
    assert!(text.contains("UDP 4500"), "{text}");
    let (at_server, _) = reason(&pair, false);
    assert!(matches!(at_server, CloseReason::Timeout { awaited: 5, .. }), "{at_server:?}");
    assert_nothing_left(&pair);
}

#[test]
fn identity_refused() {
    let allowed = RemoteIdentity::OneOf(vec!["alice@example.org".parse().unwrap()]);
    let mut pair = Pair::new(6, client_config(), server_config().remote_id(allowed));
    pair.connect();
    pair.run(secs(60));
    let (at_server, text) = reason(&pair, false);
    assert!(matches!(at_server, CloseReason::IdentityRejected(_)));
    assert!(text.contains("proved to be 198.51.100.7, who is not expected"), "{text}");
    let (at_client, text) = reason(&pair, true);
    assert_eq!(at_client, CloseReason::PeerNotify(NotifyType::INVALID_ID_INFORMATION));
    assert!(text.contains("does not expect our identity"), "{text}");
    assert_nothing_left(&pair);
}

#[test]
fn the_client_refuses_the_server() {
    let mut pair = Pair::new(7, client_config(), server_config());
    let wanted = RemoteIdentity::OneOf(vec!["vpn.example.org".parse().unwrap()]);
    let config = pair.connect_config().remote_id(wanted);
    pair.connect_with(config);
    pair.run(secs(60));
    let (at_client, text) = reason(&pair, true);
    assert!(matches!(at_client, CloseReason::IdentityRejected(_)), "{at_client:?}");
    assert!(text.contains("192.0.2.1"), "{text}");
    assert_eq!(pair.net.node(pair.client).counts().connecting, 0);
}

#[test]
fn selectors_refused() {
    let mut pair = Pair::new(8, client_config(), server_config());
    let wanted = Selectors { protocol: 6, local_port: 0, remote_port: 80 };
    let config = pair.connect_config().selectors(wanted);
    pair.connect_with(config);
    pair.run(secs(30));
    let (at_client, text) = reason(&pair, true);
    assert_eq!(at_client, CloseReason::SelectorMismatch { by_peer: true });
    assert!(text.contains("UDP with port 1701"), "{text}");
    let (at_server, text) = reason(&pair, false);
    assert_eq!(at_server, CloseReason::SelectorMismatch { by_peer: false });
    assert!(text.contains("17/1701"), "{text}");
}

#[test]
fn any_selectors_where_allowed() {
    let mut pair = Pair::new(8, client_config(), server_config().selectors(SelectorPolicy::Any));
    let wanted = Selectors { protocol: 6, local_port: 0, remote_port: 80 };
    let config = pair.connect_config().selectors(wanted);
    pair.connect_with(config);
    assert!(pair.run_until(secs(10), Pair::is_up));
    assert_eq!(pair.installed(pair.server)[0].local.port, 80);
}

#[test]
fn lifetime_too_short() {
    // Our own configuration refuses such a thing, so the wire is changed: main mode is in clear.
    let mut pair = Pair::new(9, client_config(), server_config());
    pair.net.intercept(|_, datagram| {
        let seconds = 28_800u32.to_be_bytes();
        let octets = &mut datagram.payload;
        if let Some(at) = octets.windows(4).position(|window| window == seconds) {
            // Each transform has it; the first of them is enough where there is but one.
            octets[at..at + 4].copy_from_slice(&5u32.to_be_bytes());
        }
        Verdict::Pass
    });
    let config = pair
        .connect_config()
        .lifetimes(Lifetimes { ike: secs(28_800), ..Lifetimes::default() })
        .ike(IkeProposal::list("aes256-sha256-x25519").unwrap());
    pair.connect_with(config);
    pair.run(secs(60));
    let (at_server, text) = reason(&pair, false);
    assert_eq!(at_server, CloseReason::LifetimeTooShort(secs(5)));
    assert!(text.contains("new keys every 5 s"), "{text}");
}

#[test]
fn no_key_for_this_peer() {
    let other = PskSelector::Address([203, 0, 113, 9].into());
    let server = ipsec_ike::EndpointConfig::new().respond(true).psk(other, PSK.into());
    let mut pair = Pair::new(10, client_config(), server);
    pair.connect();
    pair.run(secs(60));
    let (at_server, text) = reason(&pair, false);
    assert_eq!(at_server, CloseReason::NoCredentials);
    assert!(text.contains("no pre-shared key for this peer"), "{text}");
}

#[test]
fn a_limit_is_reached() {
    let mut limits = ipsec_ike::Limits::default();
    limits.peers = 0;
    let mut pair = Pair::new(11, client_config(), server_config().limits(limits));
    pair.connect();
    pair.run(secs(10));
    let (at_server, text) = reason(&pair, false);
    assert_eq!(at_server, CloseReason::LimitReached("peers"));
    assert!(text.contains("raise it"), "{text}");
}

#[test]
fn nat_without_nat_traversal_fails_as_it_must() {
    let client = client_config().encapsulation(Encapsulation::Never);
    let mut pair = Pair::behind_nat(12, client, server_config(), Nat::HOME_ROUTER);
    pair.connect();
    assert!(pair.run_until(secs(10), Pair::is_up));
    assert!(!pair.installed(pair.client)[0].encapsulated);
    let info = pair.info(pair.client).unwrap();
    assert_eq!(info.nat.version, None);
}

#[test]
fn initial_contact_replaces_what_was() {
    let mut pair = Pair::new(13, client_config(), server_config());
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    // The client forgets everything and comes back.
    let fresh = endpoint(client_config(), 77);
    pair.net.with(pair.client, |client, _| *client = fresh);
    pair.connect();
    pair.run(secs(5));
    let (at_server, text) = reason(&pair, false);
    assert_eq!(at_server, CloseReason::Replaced);
    assert!(text.contains("INITIAL-CONTACT"), "{text}");
    let ups = pair.of(pair.server).filter(|event| matches!(event, Event::PeerUp { .. })).count();
    assert_eq!((ups, pair.net.node(pair.server).counts().peers), (2, 1));
}

struct NoRandom;

impl vpn_core::SecureRandom for NoRandom {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), vpn_core::RandomError> {
        Err(vpn_core::RandomError)
    }
}

#[test]
fn without_random_octets_nothing_begins() {
    let provider = vpn_crypto::provider();
    let end = |config| Endpoint::new(config, provider, Box::new(NoRandom)).unwrap();
    let (here, there) = (SocketAddr::new(CLIENT, 500), SocketAddr::new(SERVER, 500));
    let mut client = end(client_config());
    let error = client.connect(Instant::ZERO, ConnectConfig::new(there, here)).unwrap_err();
    assert_eq!(error, ConnectError::Internal("the random generator"));
    assert_eq!(client.counts().connecting, 0);
    let mut honest = endpoint(client_config(), 1);
    honest.connect(Instant::ZERO, ConnectConfig::new(there, here)).unwrap();
    let mut datagram = Vec::new();
    let _ = honest.poll_transmit(Instant::ZERO, &mut datagram).unwrap();
    let mut server = end(server_config());
    let path = Path { socket: Socket::Ike, local: there, remote: here };
    assert!(matches!(server.handle_datagram(Instant::ZERO, path, &datagram), Handled::Dropped(_)));
    assert_eq!(server.counts().half_open, 0);
}

#[test]
fn what_can_not_be_configured() {
    let provider = vpn_crypto::provider();
    let new = |config| {
        let random = Box::new(vpn_netsim::SeededRandom::new(1));
        Endpoint::new(config, provider, random).map(drop)
    };
    assert_eq!(new(client_config().ike(vec![])), Err(ConfigError::NoProposals));
    assert_eq!(new(client_config().esp(vec![])), Err(ConfigError::NoProposals));
    let short = Lifetimes { esp: secs(59), ..Lifetimes::default() };
    assert_eq!(new(client_config().lifetimes(short)), Err(ConfigError::LifetimeTooShort));
    let nothing = ipsec_ike::EndpointConfig::new();
    assert_eq!(new(nothing.clone()), Ok(()));
    assert_eq!(new(nothing.clone().respond(true)), Err(ConfigError::NoCredentials));
    let md5 = IkeProposal::list("3des-md5-modp1024").unwrap();
    let error = new(client_config().ike(md5.clone())).unwrap_err();
    assert_eq!(error, ConfigError::UnknownIke(md5[0]));
    let mut client = endpoint(nothing, 1);
    let (here, there) = (SocketAddr::new(CLIENT, 500), SocketAddr::new(SERVER, 500));
    let error = client.connect(Instant::ZERO, ConnectConfig::new(there, here)).unwrap_err();
    assert_eq!(error, ConnectError::NoCredentials);
    let v6 = SocketAddr::new("2001:db8::1".parse().unwrap(), 500);
    let config = ConnectConfig::new(there, v6).psk(PSK.into());
    assert_eq!(client.connect(Instant::ZERO, config), Err(ConnectError::AddressFamilies));
}
