//! PAP, CHAP-MD5 and MS-CHAPv2 against a peer that is written by hand, in both roles.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use core::time::Duration;

use harness::alice;
use harness::client;
use harness::peer::*;
use harness::server;
use ppp_core::AnswerError;
use ppp_core::AuthMethod;
use ppp_core::CloseReason;
use ppp_core::Event;
use ppp_core::LcpOption;
use ppp_core::LinkConfig;
use ppp_core::MsChapError;
use ppp_core::MsChapFailure;
use ppp_core::Phase;
use ppp_core::Protocol;
use ppp_core::Side;
use ppp_core::auth::Acceptance;
use ppp_core::auth::AuthRequest;
use ppp_core::auth::AuthVerdict;
use ppp_core::auth::ChapPacket;
use ppp_core::auth::MsChapV2;
use ppp_core::auth::MsChapV2Response;
use ppp_core::auth::NtPasswordHash;
use ppp_core::auth::PapPacket;
use ppp_core::auth::Rejection;
use ppp_core::auth::chap_md5_response;
use vpn_core::DropReason;

const CHAP: Protocol = Protocol::CHAP;
const PAP: Protocol = Protocol::PAP;
const CHALLENGE: u8 = 1;
const RESPONSE: u8 = 2;
const SUCCESS: u8 = 3;
const FAILURE: u8 = 4;

fn auth_option(method: AuthMethod) -> Vec<u8> {
    let mut option = Vec::new();
    LcpOption::Auth(method.into()).encode(&mut option);
    option
}

/// A client that the peer wants to prove itself with `method`.
fn asked(config: LinkConfig, method: AuthMethod) -> Peer {
    Peer::established(config.prove_with(&[method]), &auth_option(method))
}

/// A server whose LCP is open, and its Challenge, if the method has one.
fn demanding(config: LinkConfig, method: AuthMethod) -> (Peer, Option<Sent>) {
    let (mut peer, request) = Peer::opened(config.authenticate_with(&[method]));
    peer.acknowledge(&request);
    peer.send(Protocol::LCP, REQUEST, &[]);
    let challenge = peer.sent().into_iter().find(|sent| sent.protocol == CHAP);
    assert_eq!(peer.link.phase(), Phase::Authenticate);
    (peer, challenge)
}

fn challenge(peer: &mut Peer, value: &[u8]) -> Sent {
    let mut data = Vec::new();
    ChapPacket::Challenge { value, name: b"lns" }.encode_data(&mut data);
    let identifier = peer.send(CHAP, CHALLENGE, &data);
    let response = peer.only();
    assert_eq!(
        (response.protocol, response.code, response.identifier),
        (CHAP, RESPONSE, identifier)
    );
    response
}

/// The Success text that proves to alice that we know her password.
fn success_text(value: &[u8; 16], response: &Sent) -> Vec<u8> {
    let sent = MsChapV2Response::decode(&response.data[1..50]).unwrap();
    assert_eq!(&response.data[50..], b"alice");
    let provider = vpn_crypto::provider();
    let exchange = MsChapV2 {
        authenticator_challenge: value,
        peer_challenge: &sent.peer_challenge,
        name: b"alice",
    };
    let hash = NtPasswordHash::of_password(provider, b"wonderland");
    assert_eq!(exchange.nt_response(provider, &hash), sent.nt_response);
    let proof = exchange.authenticator_response(provider, &hash, &sent.nt_response);
    let digits: String = proof.iter().map(|octet| format!("{octet:02X}")).collect();
    format!("S={digits} M=welcome").into_bytes()
}

/// A Response by which alice proves herself to `challenge`.
fn ms_response(challenge: &[u8], name: &[u8], password: &[u8]) -> Vec<u8> {
    let provider = vpn_crypto::provider();
    let exchange = MsChapV2 {
        authenticator_challenge: challenge.try_into().unwrap(),
        peer_challenge: &[0x5a; 16],
        name,
    };
    let nt_response =
        exchange.nt_response(provider, &NtPasswordHash::of_password(provider, password));
    let value = MsChapV2Response { peer_challenge: [0x5a; 16], nt_response }.encode();
    let mut data = Vec::new();
    ChapPacket::Response { value: &value, name }.encode_data(&mut data);
    data
}

fn request(peer: &Peer) -> AuthRequest {
    let request = peer.events.iter().rev().find_map(|event| match event {
        Event::AuthRequest(request) => Some(request.clone()),
        _ => None,
    });
    request.unwrap()
}

fn requests(peer: &Peer) -> usize {
    peer.events.iter().filter(|event| matches!(event, Event::AuthRequest(_))).count()
}

fn reject(retry: bool) -> AuthVerdict {
    AuthVerdict::reject(MsChapError::AUTHENTICATION_FAILURE, retry)
}

#[test]
fn a_genuine_server_is_believed_and_no_other() {
    let value = [7; 16];
    let mut peer = asked(client(), AuthMethod::MsChapV2);
    let response = challenge(&mut peer, &value);
    let text = success_text(&value, &response);
    peer.packet(CHAP, SUCCESS, response.identifier, &text).unwrap();
    assert_eq!(peer.link.phase(), Phase::Network);

    // Each bit of the proof counts (RFC 2759 §5).
    for bit in 0..160 {
        let mut peer = asked(client(), AuthMethod::MsChapV2);
        let response = challenge(&mut peer, &value);
        let mut text = success_text(&value, &response);
        let digit = &mut text[2 + bit / 4];
        let flipped = char::from(*digit).to_digit(16).unwrap() ^ (1 << (bit % 4));
        *digit = char::from_digit(flipped, 16).unwrap().to_ascii_uppercase() as u8;
        peer.packet(CHAP, SUCCESS, response.identifier, &text).unwrap();
        assert_eq!(peer.only().code, TERMINATE);
        peer.wait(Duration::from_secs(7));
        assert_eq!(peer.closed(), Some(&CloseReason::NotGenuine), "bit {bit}");
    }
    // Cut short, missing, or somewhere else in the text, it is no proof.
    for cut in 0..42 {
        let mut peer = asked(client(), AuthMethod::MsChapV2);
        let response = challenge(&mut peer, &value);
        let text = success_text(&value, &response);
        peer.packet(CHAP, SUCCESS, response.identifier, &text[..cut]).unwrap();
        assert_eq!(peer.link.phase(), Phase::Terminate, "{cut}");
    }
    let mut peer = asked(client(), AuthMethod::MsChapV2);
    let response = challenge(&mut peer, &value);
    let text = [b"M=x ", &success_text(&value, &response)[..]].concat();
    peer.packet(CHAP, SUCCESS, response.identifier, &text).unwrap();
    assert_eq!(peer.link.phase(), Phase::Terminate);
}

#[test]
fn a_success_that_answers_nothing_counts_for_nothing() {
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let mut peer = asked(client(), method);
        for identifier in 0..=255 {
            let early = peer.packet(CHAP, SUCCESS, identifier, b"");
            assert_eq!(early, Err(DropReason::UnexpectedState));
            let early = peer.packet(CHAP, FAILURE, identifier, b"E=691 R=0");
            assert_eq!(early, Err(DropReason::UnexpectedState));
        }
        let response = challenge(&mut peer, &[1; 16]);
        let other = response.identifier.wrapping_add(1);
        assert!(peer.packet(CHAP, SUCCESS, other, b"").is_err());
        // The other protocol's reply is no reply.
        assert!(peer.packet(PAP, 2, response.identifier, b"").is_err());
        assert_eq!(peer.link.phase(), Phase::Authenticate);
    }
    let mut peer = asked(client(), AuthMethod::Pap);
    let sent = PapPacket::Request { peer_id: b"alice", password: b"wonderland" };
    // The first request went out with the Ack of LCP; the Identifier is its own.
    for identifier in 2..=255 {
        assert!(peer.packet(PAP, 2, identifier, b"").is_err(), "{identifier}");
    }
    assert!(peer.packet(PAP, 2, 0, b"").is_err());
    assert!(peer.packet(CHAP, SUCCESS, 1, b"").is_err());
    assert_eq!(peer.link.phase(), Phase::Authenticate);
    assert!(peer.packet(PAP, 2, 1, b"\x08Login ok").is_ok());
    assert_eq!(peer.link.phase(), Phase::Network);
    assert!(!format!("{sent:?}").contains("wonderland"));
}

#[test]
fn pap_repeats_itself_and_takes_a_late_answer() {
    let mut peer = asked(client(), AuthMethod::Pap);
    peer.wait(Duration::from_secs(10));
    let sent = peer.sent();
    // Each has an Identifier of its own (RFC 1334 §2.2.1).
    assert_eq!(sent.iter().map(|s| s.identifier).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(sent.iter().all(|s| s.data == b"\x05alice\x0awonderland"));
    assert!(peer.packet(PAP, 2, 2, b"").is_ok());
    assert_eq!(peer.link.phase(), Phase::Network);
    assert_eq!(peer.packet(PAP, 3, 4, b""), Err(DropReason::Duplicate));

    let mut peer = asked(client(), AuthMethod::Pap);
    assert!(peer.packet(PAP, 3, 1, b"\x09go away\x07!").is_ok());
    peer.wait(Duration::from_secs(7));
    let Some(CloseReason::AuthFailed(failure)) = peer.closed() else { panic!() };
    assert_eq!((failure.side, &failure.message[..]), (Side::Local, "go away.!"));
}

#[test]
fn silence_after_a_proof_ends_in_time() {
    for method in [AuthMethod::Pap, AuthMethod::ChapMd5] {
        let mut peer = asked(client(), method);
        if method == AuthMethod::ChapMd5 {
            challenge(&mut peer, &[1; 16]);
        }
        peer.wait(Duration::from_secs(59));
        let repeats = peer.sent().iter().filter(|s| s.protocol == method.protocol()).count();
        assert_eq!(repeats, 9, "{method}");
        assert!(peer.closed().is_none());
        peer.wait(Duration::from_secs(10));
        let (side, wanted) = (Side::Local, CloseReason::AuthTimeout { side: Side::Local, method });
        assert_eq!(peer.closed(), Some(&wanted), "{side:?}");
    }
    // No Challenge at all.
    let mut peer = asked(client(), AuthMethod::MsChapV2);
    peer.wait(Duration::from_secs(70));
    assert!(matches!(peer.closed(), Some(CloseReason::AuthTimeout { side: Side::Local, .. })));
}

#[test]
fn a_challenge_without_an_answer_is_repeated_ten_times() {
    let (mut peer, first) = demanding(server(), AuthMethod::MsChapV2);
    peer.wait(Duration::from_secs(29));
    let sent = peer.sent();
    assert_eq!(sent.len(), 9);
    assert!(sent.iter().all(|again| *again == *first.as_ref().unwrap()));
    peer.wait(Duration::from_secs(8));
    assert!(matches!(peer.closed(), Some(CloseReason::AuthTimeout { side: Side::Peer, .. })));
    // PAP waits for the peer to begin.
    let (mut peer, none) = demanding(server(), AuthMethod::Pap);
    assert_eq!(none, None);
    peer.wait(Duration::from_secs(59));
    assert!(peer.closed().is_none());
    peer.wait(Duration::from_secs(10));
    assert!(matches!(peer.closed(), Some(CloseReason::AuthTimeout { side: Side::Peer, .. })));
}

#[test]
fn every_error_code_is_told_apart() {
    for (code, words) in [
        (646, "hour"),
        (647, "disabled"),
        (648, "expired"),
        (649, "permission"),
        (691, "password"),
        (709, "changed"),
        (7, "0x7"),
    ] {
        let mut peer = asked(client(), AuthMethod::MsChapV2);
        let response = challenge(&mut peer, &[3; 16]);
        let text = format!("E={code} R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=no");
        peer.packet(CHAP, FAILURE, response.identifier, text.as_bytes()).unwrap();
        peer.wait(Duration::from_secs(7));
        let Some(CloseReason::AuthFailed(failure)) = peer.closed() else { panic!() };
        assert_eq!(failure.error, Some(MsChapError(code)));
        let sentence = peer.closed().unwrap().to_string();
        assert!(sentence.contains(words) && sentence.ends_with(", saying \"no\""), "{sentence}");
    }
}

#[test]
fn a_failure_in_other_words_is_a_failure() {
    for text in [&b""[..], b"E=", b"Authentication failure", &[0xff; 2000]] {
        let mut peer = asked(client(), AuthMethod::MsChapV2);
        let response = challenge(&mut peer, &[3; 16]);
        peer.packet(CHAP, FAILURE, response.identifier, text).unwrap();
        peer.wait(Duration::from_secs(7));
        let Some(CloseReason::AuthFailed(failure)) = peer.closed() else { panic!() };
        assert_eq!(failure.error, None);
        assert!(failure.message.chars().count() <= 200);
    }
}

#[test]
fn a_retry_without_a_challenge_is_none() {
    let mut peer = asked(client().ask_for_credentials(true), AuthMethod::MsChapV2);
    let response = challenge(&mut peer, &[3; 16]);
    peer.packet(CHAP, FAILURE, response.identifier, b"E=691 R=1 M=again").unwrap();
    assert!(!peer.events.iter().any(|event| matches!(event, Event::CredentialsRequest(_))));
    assert_eq!(peer.link.phase(), Phase::Terminate);
}

#[test]
fn a_retry_goes_under_the_next_identifier_and_challenge() {
    let mut peer = asked(client().ask_for_credentials(true), AuthMethod::MsChapV2);
    let response = challenge(&mut peer, &[3; 16]);
    let text = b"E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=again";
    peer.packet(CHAP, FAILURE, response.identifier, text).unwrap();
    let Some(Event::CredentialsRequest(asked)) = peer.events.last().cloned() else { panic!() };
    assert_eq!(asked.failure.message, "again");
    let copy = peer.packet(CHAP, FAILURE, response.identifier, text);
    assert_eq!(copy, Err(DropReason::UnexpectedState));
    let now = peer.now;
    peer.link.answer_credentials(now, asked.ticket, Some(alice())).unwrap();
    let again = peer.link.answer_credentials(now, asked.ticket, None);
    assert_eq!(again, Err(AnswerError::Stale));
    let second = peer.only();
    assert_eq!((second.code, second.identifier), (RESPONSE, response.identifier.wrapping_add(1)));
    let value = [
        0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
    ];
    let text = success_text(&value, &second);
    peer.packet(CHAP, SUCCESS, second.identifier, &text).unwrap();
    assert_eq!(peer.link.phase(), Phase::Network);
}

#[test]
fn a_repeated_challenge_gets_the_same_response() {
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let mut peer = asked(client(), method);
        let value = [4; 16];
        let first = challenge(&mut peer, &value);
        let mut data = Vec::new();
        ChapPacket::Challenge { value: &value, name: b"lns" }.encode_data(&mut data);
        peer.packet(CHAP, CHALLENGE, first.identifier, &data).unwrap();
        assert_eq!(peer.only(), first);
        // After the Success too, for it may have been lost.
        let text = match method {
            AuthMethod::MsChapV2 => success_text(&value, &first),
            _ => Vec::new(),
        };
        peer.packet(CHAP, SUCCESS, first.identifier, &text).unwrap();
        peer.sent();
        peer.packet(CHAP, CHALLENGE, first.identifier, &data).unwrap();
        assert_eq!(peer.only(), first);
        assert_eq!(peer.packet(CHAP, SUCCESS, first.identifier, &text), Err(DropReason::Duplicate));
        assert_eq!(peer.link.phase(), Phase::Network);
    }
}

#[test]
fn challenges_of_wrong_lengths_are_dropped() {
    let mut peer = asked(client(), AuthMethod::MsChapV2);
    for len in (0..40).filter(|len| *len != 16) {
        let mut data = vec![u8::try_from(len).unwrap()];
        data.resize(len + 1, 9);
        assert_eq!(peer.packet(CHAP, CHALLENGE, 1, &data), Err(DropReason::Malformed));
    }
    let mut peer = asked(client(), AuthMethod::ChapMd5);
    assert_eq!(peer.packet(CHAP, CHALLENGE, 1, &[0]), Err(DropReason::Malformed));
    for len in [1, 16, 255] {
        challenge(&mut peer, &vec![8; len]);
    }
}

#[test]
fn a_mirrored_challenge_is_not_answered() {
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let config = client().prove_with(&[method]).authenticate_with(&[method]);
        let (mut peer, request) = Peer::opened(config);
        peer.acknowledge(&request);
        peer.send(Protocol::LCP, REQUEST, &auth_option(method));
        let ours = peer.sent().into_iter().find(|sent| sent.protocol == CHAP).unwrap();
        // Under any Identifier and name.
        let mut data = ours.data[..17].to_vec();
        data.extend_from_slice(b"mirror");
        peer.packet(CHAP, CHALLENGE, ours.identifier.wrapping_add(9), &data).unwrap();
        let sent = peer.sent();
        assert!(sent.iter().all(|sent| sent.protocol != CHAP), "{sent:?}");
        peer.wait(Duration::from_secs(7));
        assert_eq!(peer.closed(), Some(&CloseReason::Reflected));
    }
}

#[test]
fn success_is_sent_after_the_verdict_only() {
    for method in [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let (mut peer, challenge) = demanding(server(), method);
        match &challenge {
            None => peer.packet(PAP, 1, 1, b"\x05alice\x0awonderland").unwrap(),
            Some(sent) if method == AuthMethod::ChapMd5 => peer.respond(sent, b"wonderland"),
            Some(sent) => {
                let data = ms_response(&sent.data[1..17], b"DOMAIN\\alice", b"wonderland");
                peer.packet(CHAP, RESPONSE, sent.identifier, &data).unwrap();
            }
        }
        peer.wait(Duration::from_secs(20));
        assert!(peer.sent().is_empty());
        assert_eq!(peer.link.phase(), Phase::Authenticate);
        let early = peer.packet(Protocol::IPCP, REQUEST, 1, &[3, 6, 0, 0, 0, 0]);
        assert_eq!(early, Err(DropReason::UnexpectedState));
        assert_eq!(request(&peer).method(), method);
        peer.accept();
        let reply = peer.sent().remove(0);
        let wanted = if method == AuthMethod::Pap { (PAP, 2) } else { (CHAP, SUCCESS) };
        assert_eq!((reply.protocol, reply.code), wanted);
        assert_eq!(peer.link.phase(), Phase::Network);
    }
}

#[test]
fn repeated_proofs_are_answered_the_same_again() {
    // Right, and under whatever Identifier (RFC 1334 §2.2.1).
    let (mut peer, _) = demanding(server(), AuthMethod::Pap);
    let right = b"\x05alice\x0awonderland";
    peer.packet(PAP, 1, 1, right).unwrap();
    assert_eq!(peer.packet(PAP, 1, 2, right), Err(DropReason::Duplicate));
    assert_eq!(requests(&peer), 1);
    peer.accept();
    let ack = peer.sent().remove(0);
    assert_eq!((ack.code, ack.identifier), (2, 2));
    peer.packet(PAP, 1, 9, right).unwrap();
    let ack = peer.only();
    assert_eq!((ack.code, ack.identifier), (2, 9));

    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let (mut peer, challenge) = demanding(server(), method);
        let challenge = challenge.unwrap();
        let data = match method {
            AuthMethod::MsChapV2 => ms_response(&challenge.data[1..17], b"alice", b"wonderland"),
            _ => {
                peer.respond(&challenge, b"wonderland");
                [&[16][..], &[0; 16], b"alice"].concat()
            }
        };
        if method == AuthMethod::MsChapV2 {
            peer.packet(CHAP, RESPONSE, challenge.identifier, &data).unwrap();
        }
        let copy = peer.packet(CHAP, RESPONSE, challenge.identifier, &data);
        assert_eq!(copy, Err(DropReason::Duplicate));
        peer.accept();
        let success = peer.sent().remove(0);
        // The same reply to the same Identifier, whatever it says now (RFC 1994 §4.1).
        peer.packet(CHAP, RESPONSE, challenge.identifier, &data).unwrap();
        assert_eq!(peer.only(), success);
        let other = challenge.identifier.wrapping_add(1);
        assert_eq!(peer.packet(CHAP, RESPONSE, other, &data), Err(DropReason::UnexpectedState));
        assert_eq!(requests(&peer), 1);
    }
}

#[test]
fn a_wrong_proof_gets_new_challenges_as_often_as_configured() {
    let (mut peer, challenge) = demanding(server(), AuthMethod::MsChapV2);
    let challenge = challenge.unwrap();
    let (mut identifier, mut value) = (challenge.identifier, challenge.data[1..17].to_vec());
    let mut seen = vec![value.clone()];
    for attempt in 1..=3 {
        let data = ms_response(&value, b"alice", b"looking-glass");
        peer.packet(CHAP, RESPONSE, identifier, &data).unwrap();
        let asked = request(&peer);
        let verdict = asked.verify(b"wonderland", vpn_crypto::provider());
        assert_eq!(verdict, AuthVerdict::wrong_password());
        let now = peer.now;
        peer.link.answer_auth(now, asked.ticket, verdict).unwrap();
        let reply = peer.sent().remove(0);
        assert_eq!((reply.code, reply.identifier), (FAILURE, identifier));
        let failure = MsChapFailure::parse(&reply.data).unwrap();
        assert_eq!(failure.error, MsChapError::AUTHENTICATION_FAILURE);
        assert_eq!(failure.retry, attempt < 3);
        // If it was lost, the same again.
        if failure.retry {
            peer.packet(CHAP, RESPONSE, identifier, &data).unwrap();
            assert_eq!(peer.only(), reply);
        }
        value = failure.challenge.unwrap().to_vec();
        assert!(!seen.contains(&value));
        seen.push(value.clone());
        identifier = identifier.wrapping_add(1);
    }
    assert_eq!(peer.link.phase(), Phase::Terminate);
    peer.wait(Duration::from_secs(7));
    let Some(CloseReason::AuthFailed(failure)) = peer.closed() else { panic!() };
    assert_eq!((failure.side, failure.retry), (Side::Peer, false));
}

#[test]
fn a_retry_may_be_right_in_the_end() {
    let (mut peer, challenge) = demanding(server(), AuthMethod::MsChapV2);
    let challenge = challenge.unwrap();
    let data = ms_response(&challenge.data[1..17], b"alice", b"looking-glass");
    peer.packet(CHAP, RESPONSE, challenge.identifier, &data).unwrap();
    let (ticket, now) = (request(&peer).ticket, peer.now);
    peer.link.answer_auth(now, ticket, reject(true)).unwrap();
    let failure = MsChapFailure::parse(&peer.only().data).unwrap();
    // The user types for a while: no short timeouts (RFC 2759 §6).
    peer.wait(Duration::from_secs(50));
    assert!(peer.sent().iter().all(|sent| sent.protocol != CHAP));
    let data = ms_response(&failure.challenge.unwrap(), b"alice", b"wonderland");
    peer.packet(CHAP, RESPONSE, challenge.identifier.wrapping_add(1), &data).unwrap();
    peer.accept();
    assert_eq!(peer.link.phase(), Phase::Network);
}

#[test]
fn a_new_challenge_is_for_the_same_name() {
    let config = || server().keep_alive(None).rechallenge(Some(Duration::from_secs(20)));
    for (name, same) in [(&b"alice"[..], true), (b"Alice", false), (b"bob", false), (b"", false)] {
        let mut peer = Peer::networked(config());
        peer.wait(Duration::from_secs(20));
        let challenge = peer.sent().into_iter().find(|sent| sent.protocol == CHAP).unwrap();
        let value = &challenge.data[1..17];
        let provider = vpn_crypto::provider();
        let response = chap_md5_response(provider, challenge.identifier, b"wonderland", value);
        let data = [&[16][..], &response, name].concat();
        peer.packet(CHAP, RESPONSE, challenge.identifier, &data).unwrap();
        if same {
            assert_eq!(requests(&peer), 2);
            peer.accept();
            assert_eq!(peer.link.phase(), Phase::Network);
            continue;
        }
        // Nobody is asked, whatever the proof is worth.
        assert_eq!(requests(&peer), 1);
        let failure = peer.sent().remove(0);
        assert_eq!((failure.protocol, failure.code), (CHAP, FAILURE));
        peer.wait(Duration::from_secs(7));
        let Some(CloseReason::AuthFailed(failure)) = peer.closed() else { panic!() };
        assert_eq!((failure.side, failure.retry), (Side::Peer, false));
        assert!(failure.message.contains("name"), "{failure:?}");
    }
}

#[test]
fn a_server_that_must_be_genuine_has_to_ask() {
    use AuthMethod::ChapMd5;
    use AuthMethod::MsChapV2;
    let only_ms = || client().prove_with(&[MsChapV2]);
    for (config, refused) in [
        (only_ms(), true),
        (only_ms().require_proof_of_peer(false), false),
        (client(), false),
        (client().require_proof_of_peer(true), true),
        (client().prove_with(&[ChapMd5]), false),
        (server().authenticate_with(&[]), false),
        (server().authenticate_with(&[]).prove_with(&[MsChapV2]), false),
    ] {
        let (mut peer, request) = Peer::opened(config);
        peer.acknowledge(&request);
        peer.send(Protocol::LCP, REQUEST, &[]);
        let phase = if refused { Phase::Terminate } else { Phase::Network };
        assert_eq!(peer.link.phase(), phase);
        let packets = peer.sent().into_iter().skip(1).map(|sent| sent.protocol);
        assert!(!refused || packets.eq([Protocol::LCP]));
        peer.wait(Duration::from_secs(7));
        assert_eq!(peer.closed() == Some(&CloseReason::PeerUnproved), refused);
    }
    let text = CloseReason::PeerUnproved.to_string();
    assert!(text.contains("require_proof_of_peer"), "{text}");

    // Nor may it ask for no more once it has proved itself.
    let mut peer = asked(only_ms(), MsChapV2);
    let response = challenge(&mut peer, &[7; 16]);
    let text = success_text(&[7; 16], &response);
    peer.packet(CHAP, SUCCESS, response.identifier, &text).unwrap();
    peer.sent();
    peer.send(Protocol::LCP, REQUEST, &[]);
    let request = peer.sent().remove(0);
    peer.acknowledge(&request);
    assert_eq!(peer.link.phase(), Phase::Terminate);

    // A method by which the server proves nothing is talked out of.
    let (mut peer, request) = Peer::opened(client().require_proof_of_peer(true));
    peer.acknowledge(&request);
    peer.send(Protocol::LCP, REQUEST, &auth_option(ChapMd5));
    let reply = peer.only();
    assert_eq!((reply.code, reply.data), (NAK, auth_option(MsChapV2)));

    // A proof of its own that we have asked for will do.
    let both = only_ms().authenticate_with(&[ChapMd5]).require_proof_of_peer(true);
    let peer = Peer::established(both, &[]);
    assert_eq!(peer.link.phase(), Phase::Authenticate);
}

#[test]
fn the_reason_of_a_rejection_reaches_the_peer() {
    let (mut peer, challenge) = demanding(server(), AuthMethod::MsChapV2);
    let challenge = challenge.unwrap();
    let data = ms_response(&challenge.data[1..17], b"alice", b"wonderland");
    peer.packet(CHAP, RESPONSE, challenge.identifier, &data).unwrap();
    let (ticket, now) = (request(&peer).ticket, peer.now);
    let verdict = AuthVerdict::Reject(Rejection {
        error: MsChapError::ACCOUNT_DISABLED,
        retry: false,
        message: "ask the office".into(),
    });
    peer.link.answer_auth(now, ticket, verdict).unwrap();
    let sent = peer.sent();
    let failure = MsChapFailure::parse(&sent[0].data).unwrap();
    assert_eq!(failure.error, MsChapError::ACCOUNT_DISABLED);
    assert_eq!((failure.retry, &failure.message[..]), (false, "ask the office"));
    assert_eq!(sent[1].code, TERMINATE);
}

#[test]
fn proofs_of_wrong_lengths_are_refused_at_once() {
    for (method, right) in [(AuthMethod::ChapMd5, 16), (AuthMethod::MsChapV2, 49)] {
        for len in (0..=60).filter(|len| *len != right) {
            let (mut peer, challenge) = demanding(server(), method);
            let mut data = vec![u8::try_from(len).unwrap()];
            data.resize(len + 1, 0);
            data.extend_from_slice(b"alice");
            peer.packet(CHAP, RESPONSE, challenge.unwrap().identifier, &data).unwrap();
            assert_eq!(requests(&peer), 0);
            assert_eq!(peer.sent()[0].code, FAILURE);
            assert_eq!(peer.link.phase(), Phase::Terminate);
        }
    }
}

#[test]
fn passwords_are_not_changed_here() {
    let (mut peer, challenge) = demanding(server(), AuthMethod::MsChapV2);
    let identifier = challenge.unwrap().identifier.wrapping_add(1);
    peer.packet(CHAP, 7, identifier, &[0; 582]).unwrap();
    let reply = peer.sent().remove(0);
    assert_eq!((reply.code, reply.identifier), (FAILURE, identifier));
    let failure = MsChapFailure::parse(&reply.data).unwrap();
    assert_eq!(failure.error, MsChapError::CHANGING_PASSWORD);
    peer.wait(Duration::from_secs(7));
    assert!(matches!(peer.closed(), Some(CloseReason::AuthFailed(_))));

    let (mut peer, _) = demanding(server(), AuthMethod::ChapMd5);
    assert_eq!(peer.packet(CHAP, 7, 1, &[0; 582]), Err(DropReason::UnexpectedState));
}

#[test]
fn ms_chap_v2_is_not_accepted_without_our_own_proof() {
    let (mut peer, challenge) = demanding(server(), AuthMethod::MsChapV2);
    let challenge = challenge.unwrap();
    let data = ms_response(&challenge.data[1..17], b"alice", b"wonderland");
    peer.packet(CHAP, RESPONSE, challenge.identifier, &data).unwrap();
    let (ticket, now) = (request(&peer).ticket, peer.now);
    let bare = AuthVerdict::Accept(Acceptance::default());
    let answer = peer.link.answer_auth(now, ticket, bare);
    assert_eq!(answer, Err(AnswerError::NoAuthenticatorResponse));
    assert_eq!(peer.link.phase(), Phase::Authenticate);
    assert!(peer.sent().is_empty());
    peer.accept();
    assert_eq!(peer.link.phase(), Phase::Network);
}

#[test]
fn the_other_protocol_is_not_heard() {
    let (mut peer, _) = demanding(server(), AuthMethod::ChapMd5);
    let pap = peer.packet(PAP, 1, 1, b"\x05alice\x0awonderland");
    assert_eq!(pap, Err(DropReason::ProtocolNotOpen));
    let (mut peer, _) = demanding(server(), AuthMethod::Pap);
    let data = [&[16][..], &[0; 16], b"alice"].concat();
    assert_eq!(peer.packet(CHAP, RESPONSE, 1, &data), Err(DropReason::ProtocolNotOpen));
    assert_eq!(peer.packet(CHAP, CHALLENGE, 1, &data), Err(DropReason::ProtocolNotOpen));
    assert_eq!(requests(&peer), 0);
    for (protocol, code) in [(PAP, 0), (PAP, 4), (CHAP, 5), (CHAP, 6)] {
        assert_eq!(peer.packet(protocol, code, 1, b""), Err(DropReason::Malformed));
    }
}

#[test]
fn every_cut_of_a_proof_is_survived() {
    for method in [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let (mut peer, challenge) = demanding(server(), method);
        let (protocol, code, data) = match &challenge {
            None => (PAP, 1, b"\x05alice\x0awonderland".to_vec()),
            Some(sent) => {
                let data = ms_response(&sent.data[1..17], b"", b"wonderland");
                (CHAP, RESPONSE, data)
            }
        };
        for cut in 0..data.len() {
            let taken = peer.packet(protocol, code, 1, &data[..cut]);
            assert!(taken.is_err(), "{method} {cut}");
        }
        assert_eq!(requests(&peer), 0);
    }
}

#[test]
fn nothing_prints_a_secret() {
    let (mut peer, _) = demanding(server(), AuthMethod::Pap);
    peer.packet(PAP, 1, 1, b"\x05alice\x0awonderland").unwrap();
    let (lcp, auth) = peer.link.proxy_state().unwrap();
    let text =
        format!("{:?} {:?} {lcp:?} {auth:?} {:?} {:?}", peer.events, peer.link, client(), alice());
    assert!(text.contains("alice"));
    assert!(!text.contains("wonderland"), "{text}");
    let octets = format!("{:?}", b"wonderland");
    assert!(!text.contains(&octets[1..octets.len() - 1]), "{text}");
    let hash = NtPasswordHash::from_hash([0xab; 16]);
    assert!(!format!("{hash:?}").contains("171"));
}
