//! A LAC hands a subscriber over to an LNS (RFC 2661 §4.4.5).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use alloc::sync::Arc;
use core::time::Duration;

use harness::peer::Peer;
use harness::*;
use ppp_core::AuthMethod;
use ppp_core::CloseReason;
use ppp_core::Event;
use ppp_core::LcpOption;
use ppp_core::Link;
use ppp_core::LinkConfig;
use ppp_core::Options;
use ppp_core::Phase;
use ppp_core::Protocol;
use ppp_core::ProxyAuth;
use ppp_core::ProxyLcp;
use vpn_core::SecretBytes;
use vpn_netsim::SeededRandom;

const METHODS: [AuthMethod; 3] = [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2];

/// A subscriber that has just sent its proof to a LAC, and what the LAC passes on.
fn at_the_lac(client: LinkConfig, lac: LinkConfig) -> (Pair, ProxyLcp, ProxyAuth) {
    let mut pair = Pair::new(client, lac);
    pair.server().mute = true;
    assert!(pair.server().link.proxy_state().is_none());
    pair.open();
    pair.run_for(Duration::from_secs(1));
    let (lcp, auth) = pair.server().link.proxy_state().unwrap();
    (pair, lcp, auth)
}

/// The same subscriber with the LNS in the LAC's place.
fn taken_over(mut pair: Pair, lns: LinkConfig, lcp: &ProxyLcp, auth: Option<ProxyAuth>) -> Pair {
    let random = Box::new(SeededRandom::new(99));
    let provider = vpn_crypto::provider();
    let link = Link::resume(Arc::new(lns), provider, random, pair.now, lcp, auth);
    let taken = pair.log.len();
    pair.ends[SERVER] = End::new(link);
    pair.run_for(Duration::from_secs(20));
    pair.log.drain(..taken);
    pair
}

fn lcp_frames(pair: &Pair) -> usize {
    pair.log.iter().filter(|(_, frame)| frame[2..4] == [0xc0, 0x21]).count()
}

fn was_challenged(pair: &Pair) -> bool {
    let is_challenge = |frame: &[u8]| frame[2..4] == [0xc2, 0x23] && frame[4] == 1;
    pair.log.iter().any(|(from, frame)| *from == SERVER && is_challenge(frame))
}

#[test]
fn the_subscriber_notices_nothing() {
    for method in METHODS {
        let client = client().prove_with(&[method]).mru(1400);
        let lac = server().authenticate_with(&METHODS).mru(1450);
        let (pair, lcp, auth) = at_the_lac(client, lac);
        assert_eq!(auth.authen_type(), if method == AuthMethod::Pap { 3 } else { 2 });
        assert!(!lcp.initial_received.is_empty() && lcp.last_sent != lcp.last_received);
        let lns = server().authenticate_with(&METHODS);
        let mut pair = taken_over(pair, lns, &lcp, Some(auth));
        assert!(pair.is_up(), "{method}");
        assert_eq!(lcp_frames(&pair), 0, "{method}");
        assert!(!was_challenged(&pair));
        assert_eq!(pair.server().authenticated()[0].method, method);
        assert_eq!(pair.server().link.form().mtu, 1400);
        assert_eq!(pair.client().authenticated().len(), 1);
        // Both agree on the magic numbers: echoes are answered for hours.
        pair.run_for(Duration::from_secs(7200));
        assert!(pair.is_up());
    }
}

#[test]
fn a_wrong_password_is_found_by_the_lns() {
    for method in METHODS {
        let (mut pair, lcp, auth) =
            at_the_lac(client().prove_with(&[method]), server().authenticate_with(&[method]));
        let lns = server().authenticate_with(&[method]);
        let random = Box::new(SeededRandom::new(99));
        let provider = vpn_crypto::provider();
        let link = Link::resume(Arc::new(lns), provider, random, pair.now, &lcp, Some(auth));
        pair.ends[SERVER] = End::new(link);
        pair.server().users = vec![("alice", "other")];
        pair.run_for(Duration::from_secs(20));
        assert!(matches!(pair.server().closed(), Some(CloseReason::AuthFailed(_))));
        assert!(matches!(pair.client().closed(), Some(CloseReason::AuthFailed(_))));
    }
}

#[test]
fn an_lns_that_does_not_trust_the_lac_challenges_anew() {
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let (pair, lcp, auth) =
            at_the_lac(client().prove_with(&[method]), server().authenticate_with(&[method]));
        let lns = server().authenticate_with(&[method]).trust_proxy_auth(false);
        let mut pair = taken_over(pair, lns, &lcp, Some(auth));
        assert!(pair.is_up() && was_challenged(&pair));
        assert_eq!(lcp_frames(&pair), 0);
        assert_eq!(pair.server().auth_requests.len(), 1);
    }
}

#[test]
fn a_proof_that_is_missing_is_asked_for() {
    let method = AuthMethod::ChapMd5;
    let (pair, lcp, _) =
        at_the_lac(client().prove_with(&[method]), server().authenticate_with(&[method]));
    let lns = || server().authenticate_with(&[method]);
    let pair = taken_over(pair, lns(), &lcp, None);
    assert!(pair.is_up() && was_challenged(&pair));
    // So is one of the wrong kind.
    let (pair, lcp, _) =
        at_the_lac(client().prove_with(&[method]), server().authenticate_with(&[method]));
    let pair = taken_over(pair, lns(), &lcp, Some(ProxyAuth::None));
    assert!(pair.is_up() && was_challenged(&pair));
}

#[test]
fn what_the_lns_would_not_have_agreed_to_is_negotiated_anew() {
    let plain = server().authenticate_with(&[AuthMethod::Pap]);
    let only_ms = server().authenticate_with(&[AuthMethod::MsChapV2]);
    let client = client().prove_with(&[AuthMethod::Pap, AuthMethod::MsChapV2]);
    let (pair, lcp, auth) = at_the_lac(client, plain);
    let mut pair = taken_over(pair, only_ms, &lcp, Some(auth));
    assert!(pair.is_up() && lcp_frames(&pair) >= 4);
    assert_eq!(pair.server().authenticated()[0].method, AuthMethod::MsChapV2);
    assert_eq!(pair.server().auth_requests.len(), 1);
}

#[test]
fn broken_or_foreign_requests_start_anew() {
    let method = AuthMethod::ChapMd5;
    let config = || server().authenticate_with(&[method]);
    let good = |octets: &[u8]| -> Box<[u8]> { octets.into() };
    let md5 = [3, 5, 0xc2, 0x23, 5];
    for (last_sent, last_received) in [
        (good(&[]), good(&[])),
        (good(&[3]), good(&[])),
        (good(&[3, 4, 0xc2, 0x27]), good(&[])),
        (good(&[3, 3, 0xc2]), good(&[])),
        (good(&[5, 6, 1, 2, 3, 4]), good(&[])),
        (good(&md5), good(&[17, 4, 6, 0x4e])),
        (good(&md5), good(&[7, 2, 7, 2])),
        (good(&md5), good(&[1, 1])),
        (good(&md5), good(&[3, 4, 0xc0, 0x23])),
    ] {
        let lcp = ProxyLcp { initial_received: good(&[]), last_sent, last_received };
        let random = Box::new(SeededRandom::new(3));
        let provider = vpn_crypto::provider();
        let link = Link::resume(Arc::new(config()), provider, random, secs(1), &lcp, None);
        assert_eq!(link.phase(), Phase::Establish, "{lcp:?}");
    }
    let lcp = ProxyLcp { last_sent: good(&md5), ..ProxyLcp::default() };
    let random = Box::new(SeededRandom::new(3));
    let provider = vpn_crypto::provider();
    let link = Link::resume(Arc::new(config()), provider, random, secs(1), &lcp, None);
    assert_eq!(link.phase(), Phase::Authenticate);
}

#[test]
fn a_textual_login_needs_no_reply() {
    let lcp = ProxyLcp { last_sent: [5, 6, 1, 2, 3, 4].into(), ..ProxyLcp::default() };
    let text = |password: &str| ProxyAuth::Text {
        name: (*b"alice").into(),
        password: SecretBytes::from(password),
    };
    let resume = |password| {
        let random = Box::new(SeededRandom::new(3));
        let provider = vpn_crypto::provider();
        let config = Arc::new(server());
        Link::resume(config, provider, random, secs(1), &lcp, Some(text(password)))
    };
    for (password, phase) in [("wonderland", Phase::Network), ("no", Phase::Terminate)] {
        let mut link = resume(password);
        let mut request = None;
        while let Some(event) = link.poll_event() {
            if let Event::AuthRequest(found) = event {
                request = Some(found);
            }
        }
        let request = request.unwrap();
        let verdict = request.verify(b"wonderland", vpn_crypto::provider());
        link.answer_auth(secs(2), request.ticket, verdict).unwrap();
        assert_eq!(link.phase(), phase);
        let mut frame = Vec::new();
        while link.poll_frame(secs(2), &mut frame).is_some() {
            assert_ne!(frame[2..4], [0xc0, 0x23]);
            frame.clear();
        }
    }
}

/// The subscriber is up at the LNS.
fn up_at_the_lns() -> Pair {
    let method = AuthMethod::ChapMd5;
    let lac = server().authenticate_with(&[method]).mru(1450);
    let (pair, lcp, auth) = at_the_lac(client().prove_with(&[method]), lac);
    let pair = taken_over(pair, server().authenticate_with(&METHODS), &lcp, Some(auth));
    assert!(pair.is_up());
    pair
}

#[test]
fn a_subscriber_may_negotiate_anew() {
    let run = |lost: Option<usize>| {
        let mut pair = up_at_the_lns();
        pair.log.clear();
        let mut index = 0;
        pair.wire = Box::new(move |_, _| {
            index += 1;
            if Some(index - 1) == lost { Fate::LOST } else { Fate::ARRIVES }
        });
        let now = pair.now;
        pair.client().link.renegotiate(now);
        pair.run_for(Duration::from_secs(25));
        assert!(pair.is_up(), "frame {lost:?} lost: {:?}", pair.server().closed());
        assert_eq!(pair.server().auth_requests.len(), 2);
        pair.log
    };
    let whole = run(None);
    for lost in 0..whole.len() {
        run(Some(lost));
    }
    // The LNS asks for what it wants, not for what the LAC wanted.
    let options = first_request(&whole);
    assert!(!options.iter().any(|option| matches!(option, LcpOption::Mru(_))), "{options:?}");
    assert!(options.contains(&LcpOption::Auth(AuthMethod::Pap.into())), "{options:?}");
}

/// The options of the first Configure-Request of the server in a log.
fn first_request(log: &[(usize, Vec<u8>)]) -> Vec<LcpOption<'_>> {
    let is_request = |frame: &[u8]| frame[2..5] == [0xc0, 0x21, 1];
    let (_, frame) = log.iter().find(|(from, frame)| *from == SERVER && is_request(frame)).unwrap();
    Options::new(&frame[8..]).map(|option| LcpOption::decode(&option.unwrap()).unwrap()).collect()
}

#[test]
fn each_negotiation_has_its_own_magic_number() {
    let mut pair = up_at_the_lns();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let now = pair.now;
        pair.log.clear();
        pair.client().link.renegotiate(now);
        pair.run_for(Duration::from_secs(25));
        assert!(pair.is_up());
        let magic = first_request(&pair.log).into_iter().find_map(|option| match option {
            LcpOption::Magic(magic) => Some(magic),
            _ => None,
        });
        assert!(magic.is_some() && !seen.contains(&magic), "{magic:?} {seen:?}");
        seen.push(magic);
    }
}

#[test]
fn a_textual_login_does_not_outlive_its_link() {
    for leave in [1, 6] {
        let lcp = ProxyLcp { last_sent: [5, 6, 1, 2, 3, 4].into(), ..ProxyLcp::default() };
        let (name, password) = ((*b"alice").into(), SecretBytes::from("wonderland"));
        let text = Some(ProxyAuth::Text { name, password });
        let mut peer = Peer::of(server());
        let (random, provider) = (Box::new(SeededRandom::new(3)), vpn_crypto::provider());
        peer.link = Link::resume(Arc::new(server()), provider, random, peer.now, &lcp, text);
        peer.accept();
        assert_eq!(peer.link.phase(), Phase::Network);
        peer.sent();
        // It negotiates anew, or has forgotten the link and says so.
        peer.send(Protocol::LCP, leave, &[]);
        let demand = peer.sent().remove(0);
        assert!(demand.data.starts_with(&[3, 5, 0xc2, 0x23, 0x81]), "{demand:?}");
        peer.acknowledge(&demand);
        if leave == 6 {
            peer.send(Protocol::LCP, 1, &[]);
        }
        assert_eq!(peer.link.phase(), Phase::Authenticate);
        assert!(peer.sent().iter().any(|sent| sent.protocol == Protocol::CHAP));
    }
}
