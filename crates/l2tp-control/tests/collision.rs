//! Both peers open a tunnel at the same time (RFC 2661 §4.4.3, Tie Breaker).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

#[path = "support/by_hand.rs"]
mod by_hand;

extern crate alloc;

use alloc::rc::Rc;
use core::time::Duration;

use l2tp_control::Admission;
use l2tp_control::Event;
use l2tp_control::LinkId;
use l2tp_control::TunnelAnswer;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelInfo;
use l2tp_control::TunnelResult;
use l2tp_control::TunnelState;
use l2tp_wire::Avp;
use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::ProtocolVersion;
use l2tp_wire::StopCcnResult;
use support::*;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;

fn config(tie_breaker: bool) -> TunnelConfig {
    TunnelConfig::new("peer").tie_breaker(tie_breaker)
}

/// Both open at once, with these Tie Breakers in their SCCRQs.
fn collide(breakers: [Option<u64>; 2]) -> Pair {
    let both = server(config(false));
    let mut pair = Pair::new(both.clone(), both);
    pair.wire = Box::new(move |sent| {
        if sent.is(MessageType::SCCRQ) {
            set_tie_breaker(sent, breakers[sent.from]);
        }
        vec![DELAY]
    });
    for end in [LAC, LNS] {
        let config = config(breakers[end].is_some());
        let path = Pair::path(end);
        pair.ends[end].open_tunnel(pair.now, pair.link, path, config).unwrap();
    }
    pair.drain();
    pair
}

/// Changes the Tie Breaker that the far end sees.
fn set_tie_breaker(sent: &mut Sent, tie_breaker: Option<u64>) {
    sent.octets = rewrite(&sent.octets, |avp| {
        Some(match (avp, tie_breaker) {
            (Avp::TieBreaker(_), Some(value)) => Avp::TieBreaker(value),
            (avp, _) => avp,
        })
    });
}

/// The Tie Breaker that an end chose itself.
fn own_breaker(pair: &Pair, end: usize) -> Option<u64> {
    let sccrq = pair.sent.iter().find(|s| s.from == end && s.is(MessageType::SCCRQ)).unwrap();
    find_avp(&sccrq.octets, |avp| match avp {
        Avp::TieBreaker(value) => Some(value),
        _ => None,
    })
}

fn tunnels(pair: &Pair, end: usize) -> Vec<TunnelInfo> {
    pair.ends[end].tunnels().filter(|t| t.state == TunnelState::Established).collect()
}

#[test]
fn without_tie_breakers_there_are_two_tunnels() {
    let mut pair = collide([None, None]);
    pair.run(Duration::from_secs(1));
    for end in 0..2 {
        let tunnels = tunnels(&pair, end);
        assert_eq!(tunnels.len(), 2);
        assert_eq!(tunnels.iter().filter(|tunnel| tunnel.initiator).count(), 1);
    }
}

#[test]
fn the_lower_value_wins_and_calls_of_the_loser_go_on() {
    let both = server(config(false));
    let mut pair = Pair::new(both.clone(), both);
    let tunnel_of = [LAC, LNS].map(|end| {
        let path = Pair::path(end);
        pair.ends[end].open_tunnel(pair.now, pair.link, path, config(true)).unwrap()
    });
    // Both have a call that waits for the tunnel.
    let call = |pair: &mut Pair, end: usize| {
        let connected = Some(l2tp_control::ConnectedCall::default());
        let call = l2tp_control::IncomingCall::default();
        pair.ends[end].open_session(pair.now, tunnel_of[end], call, connected).unwrap()
    };
    let sessions = [call(&mut pair, LAC), call(&mut pair, LNS)];
    pair.drain();
    let winner =
        if own_breaker(&pair, LAC).unwrap() < own_breaker(&pair, LNS).unwrap() { LAC } else { LNS };
    pair.run(Duration::from_secs(1));
    for end in 0..2 {
        let tunnels = tunnels(&pair, end);
        assert_eq!(tunnels.len(), 1, "{tunnels:#?}");
        assert_eq!(tunnels[0].tunnel, tunnel_of[end], "the handle stays");
        assert_eq!(tunnels[0].initiator, end == winner);
        assert_eq!(tunnels[0].sessions, 2);
        assert!(pair.ends[end].session(sessions[end]).is_some());
        let events = pair.take_events(end);
        assert!(!events.iter().any(|event| matches!(event, Event::TunnelClosed { .. })));
        assert_eq!(pair.ends[end].counts().tunnels, 1);
    }
    // The loser is silent about the tunnel it gave up.
    assert!(!pair.sent.iter().any(|sent| sent.is(MessageType::STOP_CCN)));
    let sccrps = pair.sent.iter().filter(|sent| sent.is(MessageType::SCCRP));
    assert_eq!(sccrps.map(|sent| sent.from).collect::<Vec<_>>(), [1 - winner]);
}

#[test]
fn equal_values_end_both() {
    let both = server(config(false));
    let mut pair = Pair::new(both.clone(), both);
    // Each sees its own value in the other's SCCRQ.
    let values = Rc::new(core::cell::RefCell::new([None, None]));
    let known = values.clone();
    pair.wire = Box::new(move |sent| {
        if sent.is(MessageType::SCCRQ) {
            set_tie_breaker(sent, known.borrow()[1 - sent.from]);
        }
        vec![DELAY]
    });
    for end in [LAC, LNS] {
        let path = Pair::path(end);
        pair.ends[end].open_tunnel(pair.now, pair.link, path, config(true)).unwrap();
    }
    // The values are known once both were sent; the first transmission is for looking only.
    let wire = core::mem::replace(&mut pair.wire, Box::new(|_| vec![]));
    pair.drain();
    *values.borrow_mut() = [own_breaker(&pair, LAC), own_breaker(&pair, LNS)];
    pair.wire = wire;
    pair.run(Duration::from_millis(1500));
    for end in 0..2 {
        let events = pair.take_events(end);
        assert!(
            matches!(
                &events[..],
                [Event::TunnelClosed { reason: TunnelCloseReason::TieBreaker, .. }]
            ),
            "{events:#?}"
        );
        assert_eq!(pair.ends[end].counts().tunnels, 0);
    }
    assert!(pair.sent.iter().all(|sent| sent.is(MessageType::SCCRQ)));
}

#[test]
fn who_has_a_value_wins_over_who_has_none() {
    for winner in [LAC, LNS] {
        let mut breakers = [None, None];
        breakers[winner] = Some(u64::MAX);
        let mut pair = collide(breakers);
        pair.run(Duration::from_secs(1));
        for end in 0..2 {
            let tunnels = tunnels(&pair, end);
            assert_eq!(tunnels.len(), 1);
            assert_eq!(tunnels[0].initiator, end == winner);
            assert_eq!(pair.ends[end].counts().tunnels, 1);
        }
    }
}

#[test]
fn the_winner_may_hear_of_the_other_attempt_late() {
    // The winner's SCCRQ arrives first: the loser answers it, and its own SCCRQ, on its way for
    // long, finds the tunnel established.
    let both = server(config(false));
    let mut pair = Pair::new(both.clone(), both);
    pair.wire = Box::new(|sent| {
        let slow = sent.from == LNS && sent.is(MessageType::SCCRQ);
        vec![if slow { DELAY * 8 } else { DELAY }]
    });
    for (end, tie_breaker) in [(LAC, true), (LNS, false)] {
        let path = Pair::path(end);
        pair.ends[end].open_tunnel(pair.now, pair.link, path, config(tie_breaker)).unwrap();
    }
    pair.run(Duration::from_secs(1));
    for end in 0..2 {
        assert_eq!(tunnels(&pair, end).len(), 1);
    }
    // What the late SCCRQ began at the winner comes to nothing.
    pair.run(Duration::from_secs(120));
    for end in 0..2 {
        assert_eq!(pair.ends[end].counts().tunnels, 1);
        assert_eq!(tunnels(&pair, end).len(), 1);
    }
}

#[test]
fn who_takes_no_tunnels_loses_a_tie_only_if_it_wants_a_single_one() {
    for wants_single in [false, true] {
        let mut pair = Pair::new(client(config(false)), server(config(false)));
        pair.wire = Box::new(|sent| {
            if sent.from == LNS && sent.is(MessageType::SCCRQ) {
                set_tie_breaker(sent, Some(0));
            }
            vec![DELAY]
        });
        for (end, tie_breaker) in [(LAC, wants_single), (LNS, true)] {
            let path = Pair::path(end);
            let config = config(tie_breaker);
            pair.ends[end].open_tunnel(pair.now, pair.link, path, config).unwrap();
        }
        pair.run(DELAY * 3 / 2);
        let at_lac = pair.ends[LAC].tunnels().next().unwrap();
        assert_eq!(at_lac.initiator, !wants_single);
        pair.run(Duration::from_secs(1));
        assert_eq!(tunnels(&pair, LAC).len(), usize::from(wants_single));
    }
}

/// The SCCRQ of a peer, with a Tie Breaker.
fn crossing(version: u8, tie_breaker: u64, challenge: Option<&[u8]>) -> Vec<u8> {
    let Message::Sccrq(mut sccrq) = by_hand::sccrq(9) else { panic!() };
    sccrq.protocol_version = ProtocolVersion { version, revision: 0 };
    sccrq.tie_breaker = Some(tie_breaker);
    sccrq.challenge = challenge;
    by_hand::encode((0, 0), (0, 0), &Message::Sccrq(sccrq))
}

#[test]
fn what_could_open_no_tunnel_ends_none_of_ours() {
    let now = Instant::ZERO;
    let (link, path) = (LinkId::PLAIN, Pair::path(LAC));
    let challenge = &[7; 16][..];
    let attempts = [crossing(2, 0, None), crossing(1, 0, Some(challenge))];
    for (admission, attempts) in [
        (Admission::Refuse, &attempts[..]),
        (Admission::Accept, &attempts[..]),
        (Admission::Ask, &attempts[..1]),
    ] {
        for sccrq in attempts {
            let mut endpoint = endpoint(server(config(false)).tunnels(admission), 1);
            for _ in 0..3 {
                endpoint.open_tunnel(now, link, path, config(true)).unwrap();
            }
            by_hand::drain(&mut endpoint, now);
            let handled = endpoint.handle_datagram(now, link, path, sccrq);
            assert!(matches!(handled, Handled::Dropped(_)), "{handled:?}");
            let waits =
                |tunnel: &TunnelInfo| tunnel.initiator && tunnel.state == TunnelState::WaitCtlReply;
            assert_eq!(endpoint.tunnels().filter(waits).count(), 3);
            assert_eq!(endpoint.counts().tunnels, 3);
            assert!(endpoint.poll_event().is_none());
            assert_eq!(by_hand::drain(&mut endpoint, now).len(), 1, "a refusal");
        }
    }
}

#[test]
fn an_sccrq_that_loses_against_one_ends_none() {
    let (now, link, path) = (Instant::ZERO, LinkId::PLAIN, Pair::path(LAC));
    let mut endpoint = endpoint(server(config(false)), 1);
    // The older one would lose.
    endpoint.open_tunnel(now, link, path, config(false)).unwrap();
    endpoint.open_tunnel(now, link, path, config(true)).unwrap();
    let sccrq = crossing(1, u64::MAX, None);
    let handled = endpoint.handle_datagram(now, link, path, &sccrq);
    assert_eq!(handled, Handled::Dropped(DropReason::UnexpectedState));
    assert!(endpoint.tunnels().all(|tunnel| tunnel.initiator));
    assert_eq!(endpoint.counts().tunnels, 2);
}

#[test]
fn who_asks_the_application_asks_it_about_a_tunnel_that_won_as_well() {
    let (now, link, path) = (Instant::ZERO, LinkId::PLAIN, Pair::path(LAC));
    for accept in [true, false] {
        let mut endpoint = endpoint(server(config(false)).tunnels(Admission::Ask), 1);
        let tunnel = endpoint.open_tunnel(now, link, path, config(true)).unwrap();
        by_hand::drain(&mut endpoint, now);
        let sccrq = crossing(1, 0, None);
        assert_eq!(endpoint.handle_datagram(now, link, path, &sccrq), Handled::Consumed);
        assert_eq!(by_hand::drain(&mut endpoint, now), [], "nobody has decided yet");
        let Some(Event::TunnelRequest(request)) = endpoint.poll_event() else { panic!() };
        assert_eq!(request.tunnel, tunnel);
        let answer = if accept {
            TunnelAnswer::Accept(None)
        } else {
            TunnelAnswer::Reject(TunnelResult::new(StopCcnResult::NOT_AUTHORIZED))
        };
        endpoint.answer_tunnel(now, request.ticket, answer).unwrap();
        let (_, reply) = by_hand::drain(&mut endpoint, now).pop().unwrap();
        let Ok(Packet::Control(control)) = Packet::decode(&reply) else { panic!() };
        let told = if accept { MessageType::SCCRP } else { MessageType::STOP_CCN };
        assert_eq!((control.message_type(), control.tunnel_id), (Some(told), 9));
        let closed = matches!(endpoint.poll_event(), Some(Event::TunnelClosed { .. }));
        assert_eq!(closed, !accept);
    }
}
