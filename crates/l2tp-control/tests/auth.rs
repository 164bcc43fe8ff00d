//! Tunnel authentication (RFC 2661 §5.1.1), versions, and hidden AVPs with the wrong secret.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use core::time::Duration;

use l2tp_control::Admission;
use l2tp_control::AuthFailure;
use l2tp_control::EndpointConfig;
use l2tp_control::Event;
use l2tp_control::TunnelAnswer;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelConfig;
use l2tp_wire::Avp;
use l2tp_wire::ErrorCode;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::ProtocolVersion;
use l2tp_wire::StopCcnResult;
use l2tp_wire::message::DecodeContext;
use support::*;
use vpn_core::Path;

fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
}

/// How a tunnel between these two comes to its end, at each end; `None` where it came up.
fn outcomes(lac: TunnelConfig, lns: TunnelConfig) -> [Option<TunnelCloseReason>; 2] {
    let mut pair = Pair::new(client(lac.clone()), server(lns));
    pair.open(LAC, lac);
    pair.run(Duration::from_secs(40));
    [LAC, LNS].map(|end| {
        let events = pair.take_events(end);
        let closed = events.into_iter().find_map(|event| match event {
            Event::TunnelClosed { reason, .. } => Some(reason),
            _ => None,
        });
        let established = pair.ends[end]
            .tunnels()
            .any(|tunnel| tunnel.state == l2tp_control::TunnelState::Established);
        assert_eq!(closed.is_none() && end == LAC, established && end == LAC);
        closed
    })
}

fn refused() -> TunnelCloseReason {
    let result = l2tp_control::TunnelResult::new(StopCcnResult::NOT_AUTHORIZED);
    TunnelCloseReason::Peer(result)
}

#[test]
fn a_shared_secret_is_proven_both_ways() {
    let secret = config().secret("s3cret");
    let mut pair = Pair::of(secret.clone());
    pair.open(LAC, secret);
    pair.run(Duration::from_secs(1));
    let has = |name: &str, wanted: &dyn Fn(&Avp<'_>) -> bool| {
        let sent = pair.sent.iter().find(|sent| sent.name() == name).unwrap();
        find_avp(&sent.octets, |avp| wanted(&avp).then_some(())).is_some()
    };
    let challenge = |avp: &Avp<'_>| matches!(avp, Avp::Challenge(octets) if octets.len() == 16);
    let response = |avp: &Avp<'_>| matches!(avp, Avp::ChallengeResponse(_));
    assert!(has("SCCRQ", &challenge) && has("SCCRP", &challenge));
    assert!(has("SCCRP", &response) && has("SCCCN", &response));
    assert!(pair.ends[LNS].tunnels().all(|t| t.state == l2tp_control::TunnelState::Established));
    assert_eq!(pair.ends[LNS].tunnels().count(), 1);
}

#[test]
fn secrets_that_differ_or_are_missing() {
    let (plain, secret, other) = (config(), config().secret("s3cret"), config().secret("other"));
    assert_eq!(outcomes(plain.clone(), plain.clone()), [None, None]);
    assert_eq!(outcomes(secret.clone(), secret.clone()), [None, None]);
    // The LAC is the first to see a response, and it is wrong.
    let wrong = TunnelCloseReason::NotAuthorized(AuthFailure::WrongResponse);
    assert_eq!(outcomes(secret.clone(), other), [Some(wrong), None]);
    // An LNS without the secret can't answer a challenge.
    assert_eq!(outcomes(secret.clone(), plain.clone()), [Some(refused()), None]);
    // A LAC without the secret can't answer one either.
    let no_secret = TunnelCloseReason::NotAuthorized(AuthFailure::NoSecret);
    assert_eq!(outcomes(plain, secret), [Some(no_secret), None]);
}

/// Changes the AVPs of the first message of a type.
fn tamper(
    pair: &mut Pair,
    message: MessageType,
    change: impl Fn(Avp<'_>) -> Option<Avp<'_>> + 'static,
) {
    pair.wire = Box::new(move |sent| {
        if sent.is(message) {
            sent.octets = rewrite(&sent.octets, &change);
        }
        vec![DELAY]
    });
}

#[test]
fn a_response_that_is_dropped_or_changed_on_the_way() {
    let secret = config().secret("s3cret");
    let cases = [
        (MessageType::SCCRP, LAC, false, AuthFailure::NoResponse),
        (MessageType::SCCRP, LAC, true, AuthFailure::WrongResponse),
        (MessageType::SCCCN, LNS, false, AuthFailure::NoResponse),
        (MessageType::SCCCN, LNS, true, AuthFailure::WrongResponse),
    ];
    for (message, judge, keep, expected) in cases {
        let lns = EndpointConfig::new(secret.clone()).tunnels(Admission::Ask);
        let mut pair = Pair::new(client(secret.clone()), lns);
        tamper(&mut pair, message, move |avp| match avp {
            Avp::ChallengeResponse(mut response) if keep => {
                response[15] ^= 1;
                Some(Avp::ChallengeResponse(response))
            }
            Avp::ChallengeResponse(_) => None,
            avp => Some(avp),
        });
        pair.open(LAC, secret.clone());
        pair.run(Duration::from_millis(500));
        let events = pair.take_events(LNS);
        let [Event::TunnelRequest(request)] = &events[..] else { panic!("{events:#?}") };
        assert!(request.challenges);
        let answer = TunnelAnswer::Accept(None);
        pair.ends[LNS].answer_tunnel(pair.now, request.ticket, answer).unwrap();
        pair.run(Duration::from_millis(500));
        let at_judge = pair.take_events(judge);
        assert!(
            matches!(at_judge.last(), Some(Event::TunnelClosed {
                reason: TunnelCloseReason::NotAuthorized(failure), .. }) if *failure == expected),
            "{at_judge:#?}"
        );
        let at_other = pair.take_events(1 - judge);
        assert!(
            matches!(at_other.last(), Some(Event::TunnelClosed { reason, .. })
                if *reason == refused()),
            "{at_other:#?}"
        );
        // What the peer is told does not say what was wrong.
        let stop = pair.sent.iter().find(|sent| sent.is(MessageType::STOP_CCN)).unwrap();
        let Ok(Packet::Control(control)) = Packet::decode(&stop.octets) else { panic!() };
        let Ok(Message::StopCcn(stop)) = Message::decode(&control, DecodeContext::new()) else {
            panic!()
        };
        assert_eq!(stop.result_code.stop_ccn(), StopCcnResult::NOT_AUTHORIZED);
        assert_eq!((stop.result_code.error, stop.result_code.message), (ErrorCode::NONE, &b""[..]));
    }
}

#[test]
fn a_secret_of_the_peers_own_comes_with_the_answer() {
    let lns = EndpointConfig::new(config()).tunnels(Admission::Ask);
    for (of_lac, up) in [("for this lac", true), ("another", false)] {
        let mut pair = Pair::new(client(config()), lns.clone());
        pair.open(LAC, config().secret(of_lac));
        pair.run(Duration::from_millis(100));
        let events = pair.take_events(LNS);
        let [Event::TunnelRequest(request)] = &events[..] else { panic!("{events:#?}") };
        let own = config().secret("for this lac");
        let answer = TunnelAnswer::Accept(Some(own.into()));
        pair.ends[LNS].answer_tunnel(pair.now, request.ticket, answer).unwrap();
        pair.run(Duration::from_millis(100));
        let events = pair.take_events(LNS);
        assert_eq!(matches!(&events[..], [Event::TunnelUp { .. }]), up, "{events:#?}");
    }
    // And an answer without one can't satisfy a peer that challenges.
    let mut pair = Pair::new(client(config()), lns);
    pair.open(LAC, config().secret("s3cret"));
    pair.run(Duration::from_millis(100));
    let events = pair.take_events(LNS);
    let [Event::TunnelRequest(request)] = &events[..] else { panic!("{events:#?}") };
    pair.ends[LNS].answer_tunnel(pair.now, request.ticket, TunnelAnswer::Accept(None)).unwrap();
    pair.run(Duration::from_millis(100));
    let events = pair.take_events(LNS);
    assert!(matches!(
        &events[..],
        [Event::TunnelClosed {
            reason: TunnelCloseReason::NotAuthorized(AuthFailure::NoSecret),
            ..
        }]
    ));
}

#[test]
fn a_challenge_that_comes_back_is_not_answered() {
    // An attacker without the secret lets the victim answer its own challenge, in a tunnel that
    // the attacker opens to it.
    let secret = config().secret("s3cret");
    let both = server(secret.clone());
    let mut pair = Pair::new(both.clone(), both);
    pair.wire = Box::new(|_| vec![]);
    pair.open(LAC, secret.clone());
    let sccrq = pair.sent[0].clone();
    let before = pair.sent.len();
    // The reflected SCCRQ keeps the challenge and comes from the attacker, with an ID of its own.
    let reflected = rewrite(&sccrq.octets, |avp| {
        Some(match avp {
            Avp::AssignedTunnelId(_) => Avp::AssignedTunnelId(77),
            avp => avp,
        })
    });
    let path = Path::l2tp(ADDRESSES[LAC], address(66));
    let _ = pair.ends[LAC].handle_datagram(pair.now, pair.link, path, &reflected);
    pair.drain();
    let names: Vec<_> = pair.sent[before..].iter().map(Sent::name).collect();
    assert_eq!(names, ["StopCCN"]);
    // With a challenge of its own the attacker gets an answer, as any peer does.
    let own = rewrite(&sccrq.octets, |avp| {
        Some(match avp {
            Avp::AssignedTunnelId(_) => Avp::AssignedTunnelId(78),
            Avp::Challenge(_) => Avp::Challenge(&[1; 16]),
            avp => avp,
        })
    });
    let _ = pair.ends[LAC].handle_datagram(pair.now, pair.link, path, &own);
    pair.drain();
    assert_eq!(pair.sent.last().unwrap().name(), "SCCRP");

    // The same the other way: an SCCRP whose challenge is ours.
    let mut pair = Pair::of(secret.clone());
    let mut ours = Vec::new();
    pair.wire = Box::new(move |sent| {
        let challenge = find_avp(&sent.octets, |avp| match avp {
            Avp::Challenge(octets) => Some(octets.to_vec()),
            _ => None,
        });
        if sent.is(MessageType::SCCRQ) {
            ours = challenge.unwrap();
        } else if sent.is(MessageType::SCCRP) {
            sent.octets = rewrite(&sent.octets, |avp| {
                Some(match avp {
                    Avp::Challenge(_) => Avp::Challenge(&ours),
                    avp => avp,
                })
            });
        }
        vec![DELAY]
    });
    pair.open(LAC, secret);
    pair.run(Duration::from_secs(1));
    let events = pair.take_events(LAC);
    assert!(
        matches!(
            &events[..],
            [Event::TunnelClosed {
                reason: TunnelCloseReason::NotAuthorized(AuthFailure::Reflection),
                ..
            }]
        ),
        "{events:#?}"
    );
}

#[test]
fn another_protocol_version_is_refused_with_the_highest_that_we_speak() {
    let newer = ProtocolVersion { version: 1, revision: 1 };
    for (message, teller, told) in [(MessageType::SCCRQ, LNS, LAC), (MessageType::SCCRP, LAC, LNS)]
    {
        let mut pair = Pair::of(config());
        tamper(&mut pair, message, move |avp| {
            Some(match avp {
                Avp::ProtocolVersion(_) => Avp::ProtocolVersion(newer),
                avp => avp,
            })
        });
        pair.open(LAC, config());
        pair.run(Duration::from_secs(1));
        let stop = pair.sent.iter().find(|sent| sent.from == teller && sent.name() == "StopCCN");
        let Ok(Packet::Control(control)) = Packet::decode(&stop.unwrap().octets) else { panic!() };
        let Ok(Message::StopCcn(stop)) = Message::decode(&control, DecodeContext::new()) else {
            panic!()
        };
        assert_eq!(stop.result_code.stop_ccn(), StopCcnResult::VERSION_NOT_SUPPORTED);
        assert_eq!(stop.result_code.error, ErrorCode(0x0100));
        let events = pair.take_events(told);
        if told == LAC {
            assert!(matches!(
                &events[..],
                [Event::TunnelClosed { reason: TunnelCloseReason::Peer(_), .. }]
            ));
        }
        assert_eq!(pair.ends[LNS].counts().half_open, 0);
    }
}

#[test]
fn an_avp_hidden_with_another_secret_ends_the_attempt() {
    // A peer may hide even in its SCCRQ. Here nothing of it can be read, the Assigned Tunnel ID
    // included, so it can't be told either.
    let md5 = vpn_crypto::provider().legacy.md5;
    let lac = config().secret("s3cret");
    let lns = config().secret("another");
    for (secret, readable) in [("s3cret", false), ("another", true)] {
        let mut pair = Pair::new(client(lac.clone()), server(lns.clone()));
        pair.wire = Box::new(move |sent| {
            if sent.is(MessageType::SCCRQ) {
                let mut out = [0; 1500];
                let mut builder = MessageBuilder::new(&mut out, 0, 0).unwrap();
                builder.hide(l2tp_wire::Hiding {
                    key: l2tp_wire::hidden::HidingKey {
                        md5,
                        secret: secret.as_bytes(),
                        random_vector: &[7; 16],
                    },
                    attributes: l2tp_wire::AttributeSet::HIDEABLE,
                    padding: &[],
                });
                let Ok(Packet::Control(control)) = Packet::decode(&sent.octets) else { panic!() };
                for avp in control.avps() {
                    builder.avp(&Avp::decode(&avp.unwrap()).unwrap()).unwrap();
                }
                let len = builder.finish().unwrap();
                sent.octets = out[..len].to_vec();
            }
            vec![DELAY]
        });
        pair.open(LAC, lac.clone());
        pair.run(Duration::from_secs(40));
        let malformed = pair.ends[LNS].counts().drops.get(vpn_core::DropReason::Malformed);
        assert_eq!(pair.names(LNS).is_empty(), !readable);
        assert_eq!(malformed > 0, !readable);
        assert_eq!(pair.ends[LNS].counts().half_open, 0);
    }
}
