//! What a peer cannot keep up for ever, or do as often as it likes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use core::time::Duration;

use harness::assign;
use harness::client;
use harness::peer::*;
use harness::server;
use ppp_core::AuthMethod;
use ppp_core::CloseReason;
use ppp_core::Event;
use ppp_core::Ipv6Mode;
use ppp_core::LinkConfig;
use ppp_core::MsChapError;
use ppp_core::NetworkFailure;
use ppp_core::Phase;
use ppp_core::Protocol;
use ppp_core::Side;
use ppp_core::auth::AuthRequest;
use ppp_core::auth::AuthVerdict;

const LCP: Protocol = Protocol::LCP;
const CHAP: Protocol = Protocol::CHAP;

/// An option that no protocol here knows.
const UNKNOWN: [u8; 3] = [99, 3, 1];

/// Whether a negotiation is over.
type Over = fn(&Peer) -> bool;

/// Acknowledges what the link has asked for, and returns all that it has sent.
fn acknowledge_all(peer: &mut Peer, protocol: Protocol) -> Vec<Sent> {
    let mut all = peer.sent();
    for sent in all.clone() {
        if (sent.protocol, sent.code) == (protocol, REQUEST) {
            // Of several, only the last is waited for.
            let _ = peer.packet(protocol, ACK, sent.identifier, &sent.data);
        }
    }
    all.extend(peer.sent());
    all
}

/// Negotiates LCP, for the first time or anew, as a peer that asks for nothing; the Challenge comes
/// with it.
fn establish(peer: &mut Peer) -> Option<Sent> {
    peer.send(LCP, REQUEST, &[]);
    acknowledge_all(peer, LCP).into_iter().find(|sent| sent.protocol == CHAP)
}

fn demanding(method: AuthMethod) -> (Peer, Sent) {
    let (mut peer, request) = Peer::opened(server().authenticate_with(&[method]));
    peer.acknowledge(&request);
    let challenge = establish(&mut peer).unwrap();
    (peer, challenge)
}

/// Gives a wrong proof, and counts the questions to the caller so far.
fn guess(peer: &mut Peer, method: AuthMethod, challenge: &Sent) -> usize {
    let len = if method == AuthMethod::MsChapV2 { 49 } else { 16 };
    let mut data = vec![len];
    data.resize(usize::from(len) + 1, 0);
    data.extend_from_slice(b"alice");
    peer.packet(CHAP, 2, challenge.identifier, &data).unwrap();
    requests(peer).len()
}

fn requests(peer: &Peer) -> Vec<AuthRequest> {
    let requests = peer.events.iter().filter_map(|event| match event {
        Event::AuthRequest(request) => Some(request.clone()),
        _ => None,
    });
    requests.collect()
}

fn reject(peer: &mut Peer) {
    let ticket = requests(peer).pop().unwrap().ticket;
    let verdict = AuthVerdict::reject(MsChapError::AUTHENTICATION_FAILURE, true);
    peer.link.answer_auth(peer.now, ticket, verdict).unwrap();
}

/// Acknowledges all, and asks for what is refused; says after how many requests the link had
/// enough.
fn insist(peer: &mut Peer, protocol: Protocol, over: Over) -> Option<usize> {
    (1..=100).find(|_| {
        acknowledge_all(peer, protocol);
        peer.send(protocol, REQUEST, &UNKNOWN);
        peer.wait(Duration::from_secs(1));
        over(peer)
    })
}

#[test]
fn requests_that_are_refused_are_not_waited_for() {
    let (mut peer, request) = Peer::opened(client().ipv6(Ipv6Mode::Off));
    peer.acknowledge(&request);
    let count = insist(&mut peer, LCP, |peer| peer.link.phase() == Phase::Terminate);
    assert_eq!(count, Some(21));
    peer.wait(Duration::from_secs(7));
    assert_eq!(peer.closed(), Some(&CloseReason::NotConverging { protocol: LCP }));

    let mut peer = Peer::networked(server());
    let hint = [3, 6, 0, 0, 0, 0];
    peer.send(Protocol::IPCP, REQUEST, &hint);
    let Some(Event::AddressRequest(asked)) = peer.events.last().cloned() else { panic!() };
    peer.link.answer_address(peer.now, asked.ticket, assign()).unwrap();
    let failed: Over = |peer| {
        let not_converging = NetworkFailure::NotConverging;
        peer.events.iter().any(|e| matches!(e, Event::Ipv4Failed(why) if *why == not_converging))
    };
    assert!(insist(&mut peer, Protocol::IPCP, failed).is_some());
}

#[test]
fn a_peer_may_be_slow_to_find_out_what_is_wanted() {
    let (mut peer, request) = Peer::opened(client().ipv6(Ipv6Mode::Off));
    peer.acknowledge(&request);
    for _ in 0..20 {
        peer.send(LCP, REQUEST, &UNKNOWN);
        assert_eq!(peer.only().code, REJECT);
    }
    peer.send(LCP, REQUEST, &[]);
    assert_eq!(peer.link.phase(), Phase::Network);
}

#[test]
fn a_peer_that_acknowledges_and_asks_for_nothing_is_left() {
    let (mut peer, request) = Peer::opened(client().ipv6(Ipv6Mode::Off));
    peer.acknowledge(&request);
    for _ in 0..100 {
        peer.wait(Duration::from_secs(3));
        acknowledge_all(&mut peer, LCP);
    }
    assert_eq!(peer.closed(), Some(&CloseReason::NotConverging { protocol: LCP }));
}

#[test]
fn negotiating_lcp_anew_does_not_buy_guesses() {
    let method = AuthMethod::MsChapV2;
    let (mut peer, mut challenge) = demanding(method);
    for attempt in 1..=3 {
        assert_eq!(guess(&mut peer, method, &challenge), attempt);
        reject(&mut peer);
        if attempt < 3 {
            peer.sent();
            challenge = establish(&mut peer).unwrap();
        }
    }
    assert_eq!(peer.link.phase(), Phase::Terminate);
    peer.wait(Duration::from_secs(7));
    let Some(CloseReason::AuthFailed(failure)) = peer.closed() else { panic!() };
    assert_eq!((failure.side, failure.retry), (Side::Peer, false));
}

#[test]
fn negotiating_lcp_anew_before_the_verdict_does_not_either() {
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let (mut peer, challenge) = demanding(method);
        let mut next = Some(challenge);
        let mut asked = 0;
        while let Some(challenge) = next {
            asked = guess(&mut peer, method, &challenge);
            assert!(asked < 100);
            peer.sent();
            next = establish(&mut peer);
        }
        assert_eq!(asked, 4, "{method}");
        peer.wait(Duration::from_secs(7));
        let Some(CloseReason::AuthFailed(failure)) = peer.closed() else { panic!() };
        assert_eq!((failure.side, failure.method), (Side::Peer, method));
    }
}

#[test]
fn negotiating_lcp_anew_does_not_buy_time() {
    let (mut peer, _) = demanding(AuthMethod::ChapMd5);
    for _ in 0..5 {
        peer.wait(Duration::from_secs(10));
        peer.sent();
        assert!(establish(&mut peer).is_some());
    }
    peer.wait(Duration::from_secs(17));
    let (side, method) = (Side::Peer, AuthMethod::ChapMd5);
    assert_eq!(peer.closed(), Some(&CloseReason::AuthTimeout { side, method }));
}

#[test]
fn who_has_proved_itself_starts_afresh() {
    let config: LinkConfig = server().keep_alive(None).auth_attempts(1);
    let mut peer = Peer::networked(config);
    for round in 2..10 {
        peer.wait(Duration::from_secs(100));
        peer.sent();
        let challenge = establish(&mut peer).unwrap();
        peer.respond(&challenge, b"wonderland");
        peer.accept();
        assert_eq!((peer.link.phase(), requests(&peer).len()), (Phase::Network, round));
    }
}
