//! What happens when nothing comes: repetitions, HELLO, deadlines.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use core::time::Duration;

use l2tp_control::Admission;
use l2tp_control::CallState;
use l2tp_control::EndpointConfig;
use l2tp_control::Event;
use l2tp_control::IncomingCall;
use l2tp_control::Limits;
use l2tp_control::SessionCloseReason;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelResult;
use l2tp_control::TunnelState;
use l2tp_control::channel::Retransmission;
use l2tp_wire::MessageType;
use l2tp_wire::StopCcnResult;
use support::*;
use vpn_core::Instant;

fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
}

fn cut(pair: &mut Pair) {
    pair.wire = Box::new(|_| vec![]);
}

/// When each message of this name was sent.
fn times(pair: &Pair, from: usize, name: &str) -> Vec<f64> {
    let sent = pair.sent.iter().filter(|sent| sent.from == from && sent.name() == name);
    sent.map(|sent| sent.at.since(Instant::ZERO).as_secs_f64()).collect()
}

#[test]
fn a_peer_that_never_answers_is_given_up_after_31_s() {
    let mut pair = Pair::of(config());
    cut(&mut pair);
    let tunnel = pair.open(LAC, config());
    pair.call(tunnel);
    pair.run_out();
    assert_eq!(times(&pair, LAC, "SCCRQ"), [0.0, 1.0, 3.0, 7.0, 15.0]);
    assert_eq!(times(&pair, LAC, "StopCCN"), [31.0]);
    let events = pair.take_events(LAC);
    let [
        Event::SessionClosed { reason: SessionCloseReason::TunnelClosed, .. },
        Event::TunnelClosed { reason, .. },
    ] = &events[..]
    else {
        panic!("{events:#?}")
    };
    assert_eq!(
        *reason,
        TunnelCloseReason::NoAnswer { state: TunnelState::WaitCtlReply, heard: false }
    );
    assert!(reason.to_string().contains("never answered: check its address"));
    // What is left is the Tunnel ID, which nobody may get at once.
    assert_eq!(pair.now, seconds(62));
}

#[test]
fn the_number_and_length_of_intervals_can_be_set() {
    let patient = Retransmission::default()
        .first_interval(Duration::from_millis(500))
        .longest_interval(Duration::from_secs(8))
        .count(7);
    let tunnel = config().retransmission(patient).setup_timeout(Duration::from_secs(600));
    let mut pair = Pair::of(tunnel.clone());
    cut(&mut pair);
    pair.open(LAC, tunnel);
    pair.run_out();
    assert_eq!(times(&pair, LAC, "SCCRQ"), [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 23.5]);
    assert_eq!(times(&pair, LAC, "StopCCN"), [31.5]);
}

#[test]
fn an_answer_that_never_arrives_is_repeated_within_the_budget_and_given_up() {
    let mut pair = Pair::of(config());
    let mut first = true;
    pair.wire = Box::new(move |sent| {
        let pass = sent.from == LAC && first;
        first &= !pass;
        if pass { vec![DELAY] } else { vec![] }
    });
    pair.open(LAC, config());
    pair.run(Duration::from_secs(40));
    assert!(times(&pair, LNS, "StopCCN").is_empty(), "no last word to a peer that is not proven");
    assert_eq!(pair.ends[LNS].counts().tunnels, 0);
    assert_eq!(pair.take_events(LNS).len(), 0, "the application never heard of it");
    let octets = |from: usize| -> usize {
        pair.sent.iter().filter(|sent| sent.from == from).map(|sent| sent.octets.len()).sum()
    };
    assert!(octets(LNS) <= 3 * pair.sent[0].octets.len());
    assert!(octets(LNS) > 0);
}

#[test]
fn silence_ends_every_state_in_time() {
    // After how many datagrams the wire is cut: each leaves the two ends in other states.
    for cut_after in 0..12 {
        let lns = EndpointConfig::new(config())
            .tunnels(Admission::Accept)
            .incoming_calls(Admission::Accept);
        let mut pair = Pair::new(client(config()), lns);
        let mut left = cut_after;
        pair.wire = Box::new(move |_| {
            if left == 0 {
                return vec![];
            }
            left -= 1;
            vec![DELAY]
        });
        let tunnel = pair.open(LAC, config());
        pair.call(tunnel);
        pair.run_out();
        // A HELLO is due after 60 s, is given up after 31 s, and the IDs come free 31 s later.
        let last_heard = pair.sent.get(cut_after).map_or(Instant::ZERO, |lost| lost.at);
        let allowed = Duration::from_secs(60 + 31 + 31 + 1);
        assert!(pair.now.since(last_heard) <= allowed, "{cut_after}: {:?}", pair.now);
        for end in &pair.ends {
            let counts = end.counts();
            assert_eq!((counts.tunnels, counts.sessions, counts.half_open), (0, 0, 0));
            assert_eq!(end.poll_timeout(), None);
        }
        let closed = pair.take_events(LAC);
        assert!(matches!(closed.last(), Some(Event::TunnelClosed { .. })), "{closed:#?}");
    }
}

#[test]
fn a_killed_peer_is_noticed_through_hello_within_91_s() {
    for from in [LAC, LNS] {
        let mut pair = Pair::of(config());
        pair.connect(config());
        let idle_since = pair.sent.last().unwrap().at;
        pair.sent.clear();
        cut(&mut pair);
        pair.run_out();
        let hellos = times(&pair, from, "HELLO");
        assert_eq!(hellos.len(), 5);
        let base = hellos[0] - idle_since.since(Instant::ZERO).as_secs_f64();
        assert!((45.0..=60.01).contains(&base), "{base}");
        let after: Vec<_> = hellos.iter().map(|at| at - hellos[0]).collect();
        assert!((after[4] - 15.0).abs() < 0.001, "{after:?}");
        let events = pair.take_events(from);
        assert!(matches!(
            events.last(),
            Some(Event::TunnelClosed {
                reason: TunnelCloseReason::NoAnswer { heard: true, .. },
                ..
            })
        ));
        // A last word, in case it is only deaf.
        assert_eq!(times(&pair, from, "StopCCN").len(), 1);
    }
}

#[test]
fn hello_keeps_an_idle_tunnel_for_two_days() {
    let mut pair = Pair::of(config());
    pair.connect(config());
    pair.sent.clear();
    let days = Duration::from_secs(48 * 3600);
    pair.run(days);
    for end in 0..2 {
        assert_eq!(pair.ends[end].counts().sessions, 1);
        assert_eq!(pair.take_events(end).len(), 0);
    }
    let hellos = pair.sent.iter().filter(|sent| sent.is(MessageType::HELLO)).count();
    // Each end's HELLO spares the other its own, and the interval is shortened by up to a quarter.
    assert!((48 * 60 - 10..=2 * 48 * 80).contains(&hellos), "{hellos}");
    assert!(pair.sent.len() <= 2 * hellos, "each is acknowledged once, or by one that crosses it");
}

#[test]
fn anything_from_the_peer_puts_hello_off() {
    for noted in [false, true] {
        let mut pair = Pair::of(config());
        let [(tunnel, lac), (_, lns)] = pair.connect(config());
        pair.sent.clear();
        for _ in 0..100 {
            pair.run(Duration::from_secs(7));
            if noted {
                // A data plane that the endpoint does not see.
                let at_lns = pair.ends[LNS].tunnels().next().unwrap().tunnel;
                pair.ends[LAC].note_data(pair.now, tunnel);
                pair.ends[LNS].note_data(pair.now, at_lns);
            } else {
                pair.ends[LAC].send_data(pair.now, lac, b"x").unwrap();
                pair.ends[LNS].send_data(pair.now, lns, b"y").unwrap();
            }
        }
        assert!(!pair.sent.iter().any(|sent| sent.is(MessageType::HELLO)));
        pair.run(Duration::from_secs(70));
        assert!(pair.sent.iter().any(|sent| sent.is(MessageType::HELLO)));
    }
}

#[test]
fn hello_can_be_left_to_the_peer() {
    let mut pair = Pair::of(config().hello_interval(None));
    pair.connect(config().hello_interval(None));
    pair.sent.clear();
    pair.run(Duration::from_secs(10_000));
    assert_eq!(pair.sent, []);
}

#[test]
fn many_tunnels_do_not_say_hello_at_once() {
    let limits = Limits { half_open_per_source: 1000, ..Limits::default() };
    let mut pair = Pair::new(client(config()), server(config()).limits(limits));
    for _ in 0..1000 {
        pair.open(LAC, config());
    }
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.ends[LNS].counts().half_open, 0);
    pair.sent.clear();
    pair.run(Duration::from_secs(600));
    let mut slots = [0_u32; 600];
    for sent in pair.sent.iter().filter(|sent| sent.is(MessageType::HELLO)) {
        let slot = sent.at.since(seconds(1)).as_secs();
        slots[usize::try_from(slot).unwrap().min(599)] += 1;
    }
    // The first round is spread over a quarter of the interval, and it gets better from there.
    let busiest = slots[300..].iter().max().unwrap();
    let mean = slots[300..].iter().sum::<u32>() / 300;
    assert!(*busiest <= 3 * mean, "{busiest} in the busiest second, {mean} in the mean");
}

#[test]
fn a_request_that_nobody_answers_is_withdrawn() {
    let lns = EndpointConfig::new(config()).tunnels(Admission::Ask);
    let mut pair = Pair::new(client(config()), lns.clone());
    pair.open(LAC, config());
    pair.run(Duration::from_secs(61));
    // Repetitions of the SCCRQ are not new requests, and the LAC says when it gives up.
    let events = pair.take_events(LNS);
    let [Event::TunnelRequest(first), Event::TunnelClosed { tunnel, reason }] = &events[..] else {
        panic!("{events:#?}")
    };
    assert_eq!(first.tunnel, *tunnel);
    assert!(matches!(reason, TunnelCloseReason::Peer(_)));

    let mut pair = Pair::new(client(config()), lns);
    pair.wire = Box::new(|sent| if sent.is(MessageType::SCCRQ) { vec![DELAY] } else { vec![] });
    pair.open(LAC, config());
    pair.run(Duration::from_secs(61));
    let events = pair.take_events(LNS);
    let [Event::TunnelRequest(_), Event::TunnelClosed { reason, .. }] = &events[..] else {
        panic!("{events:#?}")
    };
    assert_eq!(*reason, TunnelCloseReason::TimedOut(TunnelState::Idle));

    let lns = server(config()).incoming_calls(Admission::Ask);
    let mut pair = Pair::new(client(config()), lns);
    let tunnel = pair.open(LAC, config());
    pair.call(tunnel);
    pair.run(Duration::from_secs(62));
    let events = pair.take_events(LNS);
    let [Event::TunnelUp { .. }, Event::SessionRequest(_), Event::SessionClosed { reason, .. }] =
        &events[..]
    else {
        panic!("{events:#?}")
    };
    assert_eq!(*reason, SessionCloseReason::TimedOut(CallState::Idle));
    assert_eq!(pair.ends[LNS].counts().sessions, 0);
    assert_eq!(pair.ends[LAC].counts().sessions, 0);
    assert_eq!(pair.ends[LAC].counts().tunnels, 1);
}

#[test]
fn a_call_that_is_accepted_and_never_connected_is_ended_by_both() {
    let mut pair = Pair::of(config());
    let tunnel = pair.open(LAC, config());
    pair.ends[LAC].open_session(pair.now, tunnel, IncomingCall::default(), None).unwrap();
    pair.run(Duration::from_secs(62));
    let events = pair.take_events(LAC);
    assert!(matches!(
        &events[..],
        [
            Event::TunnelUp { .. },
            Event::CallAccepted { .. },
            Event::SessionClosed { reason: SessionCloseReason::TimedOut(CallState::WaitReply), .. }
        ]
    ));
    assert_eq!(pair.ends[LNS].counts().sessions, 0);
}

#[test]
fn a_stopccn_that_is_lost_is_repeated_until_it_is_acknowledged() {
    let mut pair = Pair::of(config());
    let [(tunnel, _), _] = pair.connect(config());
    let mut lost = 0;
    pair.wire = Box::new(move |sent| {
        lost += 1;
        if lost <= 3 && sent.is(MessageType::STOP_CCN) { vec![] } else { vec![DELAY] }
    });
    pair.sent.clear();
    let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
    pair.ends[LAC].close_tunnel(pair.now, tunnel, result);
    pair.run(Duration::from_secs(6));
    assert_eq!(pair.ends[LAC].counts().stopping, 1);
    pair.run(Duration::from_secs(6));
    assert_eq!(pair.ends[LAC].counts().stopping, 0);
    assert_eq!(times(&pair, LAC, "StopCCN").len(), 4);
    assert_eq!(pair.ends[LNS].counts().sessions, 0);
    // A peer that is gone for good is not waited for longer than a cycle.
    let mut pair = Pair::of(config());
    let [(tunnel, _), _] = pair.connect(config());
    cut(&mut pair);
    let closed_at = pair.now;
    let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
    pair.ends[LAC].close_tunnel(pair.now, tunnel, result);
    while pair.ends[LAC].counts().tunnels > 0 {
        pair.run(Duration::from_millis(100));
    }
    assert_eq!(pair.now.since(closed_at), Duration::from_secs(31));
}
