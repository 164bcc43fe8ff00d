//! What can be chosen: groups, encapsulation, keys, aggressive mode, certificates, fragments.

use core::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use ipsec_ike::AuthMethod;
use ipsec_ike::CertificateFault;
use ipsec_ike::CloseReason;
use ipsec_ike::Credentials;
use ipsec_ike::Encapsulation;
use ipsec_ike::EndpointConfig;
use ipsec_ike::Event;
use ipsec_ike::Lifetimes;
use ipsec_ike::PskSelector;
use ipsec_ike::RemoteIdentity;
use ipsec_ike::identity::Identity;
use ipsec_ike::proposal::EspProposal;
use ipsec_ike::proposal::IkeProposal;
use ipsec_ike::proposal::Preset;
use ipsec_ike::v1::NatTraversal;
use ipsec_ike::vendor::VendorId;
use vpn_core::Socket;
use vpn_core::crypto::TrustAnchors;
use vpn_crypto::ike::RsaKey;
use vpn_crypto::ike::TrustStore;
use vpn_crypto::ike::certificates_from_pem;
use vpn_netsim::Nat;
use vpn_netsim::Verdict;

use crate::network::*;

#[test]
fn every_group_cipher_and_hash() {
    let proposals = "aes256-sha512-modp2048,aes192-sha384-ecp384,aes128-sha256-ecp256,\
                     3des-sha1-modp1536,aes256-sha1-ecp521,aes128-sha1-modp1024,\
                     aes256-sha256-curve25519";
    for proposal in IkeProposal::list(proposals).unwrap() {
        let mut pair =
            Pair::new(1, client_config().ike(vec![proposal]), server_config().ike(vec![proposal]));
        pair.connect();
        assert!(pair.run_until(secs(5), Pair::is_up), "{proposal}: {:?}", pair.events);
        assert_eq!(pair.info(pair.client).unwrap().proposal, proposal);
        assert_match(pair.installed(pair.client)[0], pair.installed(pair.server)[0]);
    }
}

#[test]
fn every_esp_suite_and_perfect_forward_secrecy() {
    let proposals = "aes256-sha1,aes128-sha256,aes256-sha384,aes256-sha512,3des-sha1,aes128gcm16,\
                     aes256gcm16,aes256-sha256-modp2048,aes256gcm16-ecp256,aes128-sha1-curve25519";
    for proposal in EspProposal::list(proposals).unwrap() {
        let mut pair =
            Pair::new(1, client_config().esp(vec![proposal]), server_config().esp(vec![proposal]));
        pair.connect();
        assert!(pair.run_until(secs(5), Pair::is_up), "{proposal}: {:?}", pair.events);
        let (client, server) = (pair.installed(pair.client), pair.installed(pair.server));
        assert_eq!(client[0].suite, proposal.suite);
        assert_match(client[0], server[0]);
    }
}

#[test]
fn presets_meet_each_other() {
    for preset in Preset::ALL {
        let client = client_config().preset(*preset);
        let server = server_config().preset(Preset::Legacy);
        let mut pair = Pair::new(2, client, server);
        pair.connect();
        assert!(pair.run_until(secs(20), Pair::is_up), "{preset:?}: {:?}", pair.events);
    }
}

#[test]
fn encapsulation_can_be_forced_by_either_side() {
    for (client, server) in [
        (Encapsulation::Force, Encapsulation::Auto),
        (Encapsulation::Auto, Encapsulation::Force),
        (Encapsulation::Force, Encapsulation::Force),
    ] {
        let mut pair = Pair::new(
            3,
            client_config().encapsulation(client),
            server_config().encapsulation(server),
        );
        pair.connect();
        assert!(pair.run_until(secs(5), Pair::is_up), "{:?}", pair.events);
        let (at_client, at_server) = (pair.installed(pair.client), pair.installed(pair.server));
        assert_match(at_client[0], at_server[0]);
        assert!(at_client[0].encapsulated, "{client:?} {server:?}");
        assert_eq!(at_client[0].esp_path.socket, Socket::NatT);
    }
}

#[test]
fn the_first_message_may_go_to_4500() {
    let mut pair = Pair::behind_nat(4, client_config(), server_config(), Nat::HOME_ROUTER);
    pair.net.intercept(|_, datagram| match datagram.socket {
        Socket::Ike => Verdict::Drop,
        _ => Verdict::Pass,
    });
    let config = pair.connect_config().start_on_4500(true);
    pair.connect_with(config);
    assert!(pair.run_until(secs(5), Pair::is_up), "{:?}", pair.events);
    assert!(pair.installed(pair.client)[0].encapsulated);
}

/// Old clients: all but one of the vendor IDs of NAT traversal are made unknown on the way.
#[test]
fn drafts_of_nat_traversal() {
    let all = [
        (VendorId::Rfc3947, NatTraversal::Rfc3947),
        (VendorId::NatTraversal03, NatTraversal::Draft03),
        (VendorId::NatTraversal02Newline, NatTraversal::Draft02Newline),
        (VendorId::NatTraversal02, NatTraversal::Draft02),
    ];
    for (_, wanted) in all {
        let mut pair = Pair::behind_nat(5, client_config(), server_config(), Nat::HOME_ROUTER);
        pair.net.intercept(move |_, datagram| {
            for (id, version) in all {
                let octets = id.octets();
                let payload = &mut datagram.payload;
                let at = payload.windows(octets.len()).position(|window| window == octets);
                if let Some(at) = at.filter(|_| version != wanted) {
                    payload[at] ^= 0xff;
                }
            }
            Verdict::Pass
        });
        pair.connect();
        assert!(pair.run_until(secs(5), Pair::is_up), "{wanted:?}: {:?}", pair.events);
        for node in [pair.client, pair.server] {
            assert_eq!(pair.info(node).unwrap().nat.version, Some(wanted));
        }
        let (client, server) = (pair.installed(pair.client), pair.installed(pair.server));
        assert_match(client[0], server[0]);
        assert!(client[0].encapsulated);
        assert_eq!(server[0].nat_oa.initiator, Some(pair.client_address));
    }
}

#[test]
fn each_user_may_have_a_key_of_its_own() {
    let server = EndpointConfig::new()
        .respond(true)
        .psk(PskSelector::Any, "for everybody".into())
        .psk(PskSelector::Identity("alice@example.org".parse().unwrap()), "alice's".into())
        .psk(PskSelector::Identity("bob@example.org".parse().unwrap()), "bob's".into());
    for (name, key, works) in [
        ("alice@example.org", "alice's", true),
        ("bob@example.org", "bob's", true),
        ("carol@example.org", "for everybody", true),
        ("bob@example.org", "alice's", false),
        ("alice@example.org", "nobody's", false),
    ] {
        let mut pair = Pair::new(6, client_config(), server.clone());
        let config = pair.connect_config().psk(key.into()).local_id(name.parse().unwrap());
        pair.connect_with(config);
        let up = pair.run_until(secs(5), Pair::is_up);
        assert_eq!(up, works, "{name} with {key}");
        if works {
            assert_eq!(pair.info(pair.server).unwrap().remote_id, name.parse().unwrap());
        }
    }
}

#[test]
fn keys_may_be_asked_for() {
    let server = EndpointConfig::new().respond(true).ask_for_credentials(true);
    for (keys, works) in [
        (Some(vec!["wrong", PSK]), true),
        (Some(vec!["wrong"]), false),
        (Some(vec![]), false),
        (None, false),
    ] {
        let mut pair = Pair::new(7, client_config(), server.clone());
        pair.connect();
        let asked = pair.run_until(secs(5), |pair| {
            pair.of(pair.server).any(|event| matches!(event, Event::CredentialsRequest { .. }))
        });
        assert!(asked);
        // The application takes its time; the client repeats itself meanwhile.
        pair.run(secs(2));
        let tickets: Vec<_> = pair
            .of(pair.server)
            .filter_map(|event| match event {
                Event::CredentialsRequest { ticket, .. } => Some(*ticket),
                _ => None,
            })
            .collect();
        assert_eq!(tickets.len(), 1, "one question");
        let answer = || match &keys {
            Some(keys) => Credentials::Psk(keys.iter().map(|key| (*key).into()).collect()),
            None => Credentials::Refuse,
        };
        let ticket = tickets[0];
        let first = pair
            .net
            .with(pair.server, |server, now| server.answer_credentials(now, ticket, answer()));
        assert_eq!(first, Ok(()));
        let second = pair
            .net
            .with(pair.server, |server, now| server.answer_credentials(now, ticket, answer()));
        assert!(second.is_err(), "answered already");
        let up = pair.run_until(secs(60), Pair::is_up);
        assert_eq!(up, works, "{keys:?}: {:?}", pair.events);
    }
}

#[test]
fn a_shorter_lifetime_of_the_responder_is_told() {
    let short = Lifetimes { esp: secs(600), esp_kilobytes: Some(250_000), ..Lifetimes::default() };
    let mut pair = Pair::new(8, client_config(), server_config().lifetimes(short));
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    for node in [pair.client, pair.server] {
        let lifetime = pair.installed(node)[0].lifetime;
        assert_eq!((lifetime.time, lifetime.kilobytes), (secs(600), Some(250_000)));
    }
}

fn pem(name: &str) -> String {
    let path = format!("{}/tests/data/x509/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The first day of 2026.
const TODAY: u64 = 1_767_225_600;

fn with_certificate(config: EndpointConfig, key: &str, chain: &[&str]) -> EndpointConfig {
    let key = RsaKey::from_pem(&pem(key)).unwrap();
    let chain = chain.iter().map(|name| certificates_from_pem(&pem(name)).unwrap().remove(0));
    let trust = TrustStore::from_pem(&pem("root")).unwrap();
    config
        .certificate(Arc::new(key), chain.collect())
        .trust(Arc::new(trust))
        .ike(IkeProposal::list("aes256-sha256-x25519").unwrap())
}

fn subject_of(chain: &[&str]) -> Identity {
    let chain: Vec<_> =
        chain.iter().map(|name| certificates_from_pem(&pem(name)).unwrap().remove(0)).collect();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let trust = TrustStore::from_pem(&pem("root")).unwrap();
    Identity::DistinguishedName(trust.verify(&chain, TODAY).unwrap().subject().into())
}

/// Every holder of a certificate could pass for the server, if nobody said who it is.
#[test]
fn a_certificate_that_names_nobody_we_called() {
    let chain = ["deep", "lower", "intermediate"];
    let client = with_certificate(EndpointConfig::new(), "leaf-pkcs8", &chain);
    let server = with_certificate(EndpointConfig::new().respond(true), "leaf-pkcs8", &chain);
    let mut pair = Pair::behind_nat(9, client, server, Nat::HOME_ROUTER);
    for node in [pair.client, pair.server] {
        pair.net.with(node, |end, now| end.set_unix_time(now, TODAY));
    }
    pair.connect();
    pair.run(secs(100));
    let stranger = pair.events.iter().any(|(node, event)| {
        *node == pair.client
            && matches!(
                event,
                Event::PeerClosed {
                    reason: CloseReason::CertificateRejected(CertificateFault::Stranger(_)),
                    ..
                }
            )
    });
    assert!(stranger, "{:?}", pair.events);
}

fn certified(time: bool) -> Pair {
    let chain = ["deep", "lower", "intermediate"];
    let client = with_certificate(EndpointConfig::new(), "leaf-pkcs8", &chain);
    let client = client.remote_id(RemoteIdentity::OneOf(vec![subject_of(&chain)]));
    let server = with_certificate(EndpointConfig::new().respond(true), "leaf-pkcs8", &chain);
    let mut pair = Pair::behind_nat(9, client, server, Nat::HOME_ROUTER);
    for node in [pair.client, pair.server] {
        if time {
            pair.net.with(node, |end, now| end.set_unix_time(now, TODAY));
        }
    }
    pair
}

#[test]
fn certificates_and_fragments() {
    let mut pair = certified(true);
    let largest = Rc::new(RefCell::new(0));
    let seen = Rc::clone(&largest);
    pair.net.intercept(move |_, datagram| {
        let mut largest = seen.borrow_mut();
        *largest = (*largest).max(datagram.payload.len());
        Verdict::Pass
    });
    pair.connect();
    assert!(pair.run_until(secs(10), Pair::is_up), "{:?}", pair.events);
    let info = pair.info(pair.server).unwrap();
    assert_eq!(info.auth, AuthMethod::RSA_SIGNATURES);
    assert!(matches!(info.remote_id, Identity::DistinguishedName(_)));
    assert!(*largest.borrow() <= 1_204, "{largest:?}: long messages go in fragments");
    assert_match(pair.installed(pair.client)[0], pair.installed(pair.server)[0]);
    // And it is renewed.
    let peer = pair.handle(pair.server).unwrap();
    pair.net.with(pair.server, |server, now| server.rekey_peer(now, peer)).unwrap();
    pair.run(secs(10));
    let rekeyed = pair.of(pair.client).any(|event| matches!(event, Event::PeerRekeyed { .. }));
    assert!(rekeyed, "{:?}", pair.events);
}

#[test]
fn a_certificate_needs_the_time_and_an_authority() {
    let mut pair = certified(false);
    pair.connect();
    pair.run(secs(60));
    let text = pair.closed(pair.server).unwrap().explain();
    assert!(text.contains("time of day is not known"), "{text}");
    let text = pair.closed(pair.client).unwrap().explain();
    assert!(text.contains("certificate"), "{text}");
}

/// RFC 4945 §3.1.1: the address has to be the one that the peer sends from, and then stand in its
/// certificate, where it does not.
#[test]
fn who_goes_by_an_address_comes_from_it() {
    for (address, at_fault) in [("10.0.0.2", "comes from another"), ("198.51.100.7", "subjectAlt")]
    {
        let mut pair = certified(true);
        let config = pair.connect_config().local_id(address.parse().unwrap());
        pair.connect_with(config);
        pair.run(secs(20));
        let text = pair.closed(pair.server).unwrap().explain();
        assert!(text.contains(at_fault), "{text}");
    }
}

#[test]
fn keys_are_logged_only_if_wanted() {
    for wanted in [false, true] {
        let client = client_config().key_log(wanted);
        let mut pair = Pair::new(10, client, server_config());
        pair.connect();
        assert!(pair.run_until(secs(5), Pair::is_up));
        let logged = |event: &&Event| matches!(event, Event::KeyLog(_));
        assert_eq!(pair.of(pair.client).filter(logged).count(), usize::from(wanted));
        assert_eq!(pair.of(pair.server).filter(logged).count(), 0);
    }
}

#[test]
fn traces_tell_every_message() {
    let mut pair = Pair::new(11, client_config().trace(true), server_config());
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    let traces: Vec<bool> = pair
        .of(pair.client)
        .filter_map(|event| match event {
            Event::Trace(trace) => Some(trace.sent),
            _ => None,
        })
        .collect();
    assert_eq!(traces.len(), 9);
    assert_eq!(traces.iter().filter(|sent| **sent).count(), 5);
}

#[test]
fn nothing_secret_is_printed() {
    let mut pair = Pair::new(12, client_config(), server_config());
    pair.connect();
    assert!(pair.run_until(secs(5), Pair::is_up));
    let keymat: Vec<u8> = pair.installed(pair.client)[0].inbound.keymat.expose().to_vec();
    let printed = format!("{:?} {:?}", pair.events, pair.net.node(pair.client));
    let config = format!("{:?} {:?}", client_config(), pair.connect_config().psk(PSK.into()));
    assert!(!printed.contains(PSK) && !config.contains(PSK));
    let hex: String = keymat.iter().map(|octet| format!("{octet:02x}")).collect();
    let list = format!("{:?}", &keymat[..4]);
    assert!(!printed.contains(&hex) && !printed.contains(list.trim_matches(['[', ']'])));
}
