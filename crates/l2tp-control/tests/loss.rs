//! Sessions over networks that lose, duplicate, delay and reorder, with every counter below its
//! wrap.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use core::time::Duration;

use l2tp_control::CallResult;
use l2tp_control::Event;
use l2tp_control::SessionInfo;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelResult;
use l2tp_control::channel::FirstNumbers;
use l2tp_wire::CdnResult;
use l2tp_wire::StopCcnResult;
use proptest::prelude::*;
use support::*;
use vpn_netsim::SeededRandom;

/// What a network does to datagrams.
#[derive(Clone, Copy, Debug)]
struct Weather {
    loss: f64,
    duplication: f64,
    reorder: f64,
    delay: Duration,
}

const FAIR: Weather =
    Weather { loss: 0.0, duplication: 0.0, reorder: 0.0, delay: Duration::from_millis(20) };

fn through(weather: Weather, seed: u64) -> Box<dyn FnMut(&mut Sent) -> Fate> {
    let mut random = SeededRandom::new(seed);
    Box::new(move |_| {
        if random.chance(weather.loss) {
            return vec![];
        }
        let copies = 1 + u32::from(random.chance(weather.duplication));
        (0..copies)
            .map(|_| {
                let late = u32::from(random.chance(weather.reorder));
                weather.delay
                    + Duration::from_millis(random.within(0..=5))
                    + late * weather.delay * 5
            })
            .collect()
    })
}

/// Counters that start 5 below their wrap, where the wire does not say otherwise.
fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
        .secret("s3cret")
        .first_numbers(FirstNumbers { ns: 65_531, nr: 65_531 })
}

fn established(pair: &Pair, end: usize) -> Vec<SessionInfo> {
    let up = |info: &SessionInfo| info.state == l2tp_control::CallState::Established;
    pair.ends[end].sessions().filter(up).collect()
}

/// Dials until a session is up at both ends; says how often that took.
fn dial(pair: &mut Pair, attempts: usize) -> Option<usize> {
    for attempt in 1..=attempts {
        let tunnel = pair.open(LAC, config());
        let session = pair.call(tunnel);
        for _ in 0..200 {
            pair.run(Duration::from_millis(500));
            let Some(info) = pair.ends[LAC].session(session) else { break };
            let at_lns = established(pair, LNS);
            let agreed = at_lns.iter().any(|lns| {
                (lns.local_tunnel_id, lns.local_session_id)
                    == (info.peer_tunnel_id, info.peer_session_id)
            });
            if agreed && info.state == l2tp_control::CallState::Established {
                return Some(attempt);
            }
        }
        let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
        pair.ends[LAC].close_tunnel(pair.now, tunnel, result);
    }
    None
}

/// Runs one network from set-up to the end, and checks that nothing is left.
fn live_and_die(weather: Weather, seed: u64, attempts: usize) -> Option<usize> {
    let mut pair = Pair::of(config());
    pair.wire = through(weather, seed);
    let dialled = dial(&mut pair, attempts);
    if dialled.is_some() {
        // More calls, some given up again, while the weather lasts.
        let tunnel = established(&pair, LAC)[0].tunnel;
        let calls: Vec<_> = (0..5).map(|_| pair.call(tunnel)).collect();
        pair.run(Duration::from_secs(2));
        for call in &calls[..2] {
            let result = CallResult::new(CdnResult::ADMINISTRATIVE);
            pair.ends[LAC].close_session(pair.now, *call, result);
        }
        pair.run(Duration::from_secs(120));
    }
    pair.wire = through(FAIR, seed);
    pair.run(Duration::from_secs(200));
    let ids = |info: &SessionInfo| (info.local_tunnel_id, info.local_session_id);
    let peer_ids = |info: &SessionInfo| (info.peer_tunnel_id, info.peer_session_id);
    let mut lac: Vec<_> = established(&pair, LAC).iter().map(ids).collect();
    let mut lns: Vec<_> = established(&pair, LNS).iter().map(peer_ids).collect();
    lac.sort_unstable();
    lns.sort_unstable();
    assert_eq!(lac, lns, "both ends agree (seed {seed})");
    let tunnels: Vec<_> = pair.ends[LAC].tunnels().map(|tunnel| tunnel.tunnel).collect();
    for tunnel in tunnels {
        let result = TunnelResult::new(StopCcnResult::SHUTTING_DOWN);
        pair.ends[LAC].close_tunnel(pair.now, tunnel, result);
    }
    pair.run_out();
    for end in 0..2 {
        let counts = pair.ends[end].counts();
        assert_eq!((counts.tunnels, counts.sessions, counts.half_open), (0, 0, 0), "seed {seed}");
        let events = pair.take_events(end);
        let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
        assert!(
            count(|event| matches!(event, Event::TunnelClosed { .. }))
                >= count(|event| matches!(event, Event::TunnelUp { .. }))
        );
        assert!(
            count(|event| matches!(event, Event::SessionClosed { .. }))
                >= count(|event| matches!(event, Event::SessionUp { .. }))
        );
    }
    dialled
}

fn sweep(weather: Weather, seeds: u64, attempts: usize) -> usize {
    let up = |seed: &u64| live_and_die(weather, *seed, attempts).is_some();
    (0..seeds).filter(up).count()
}

#[test]
fn sessions_come_up_at_ten_per_cent_loss_and_less() {
    for loss in [0.0, 0.01, 0.05, 0.1] {
        assert_eq!(sweep(Weather { loss, ..FAIR }, 100, 2), 100, "{loss}");
    }
}

#[test]
fn sessions_come_up_at_thirty_per_cent_loss_with_redialling() {
    for (loss, least) in [(0.2, 60), (0.3, 59)] {
        let up = sweep(Weather { loss, ..FAIR }, 60, 4);
        assert!(up >= least, "{up} of 60 at {loss}");
    }
}

#[test]
fn duplicates_and_disorder_do_no_harm() {
    for (duplication, reorder) in [(0.1, 0.0), (0.0, 0.25), (0.1, 0.25), (1.0, 0.5)] {
        let weather = Weather { duplication, reorder, ..FAIR };
        assert_eq!(sweep(weather, 60, 1), 60, "{weather:?}");
    }
}

#[test]
fn long_delays_only_take_longer() {
    for delay in [500, 1_000, 2_000] {
        let weather = Weather { delay: Duration::from_millis(delay), ..FAIR };
        assert_eq!(sweep(weather, 10, 1), 10, "{weather:?}");
    }
}

#[test]
fn numbers_pass_their_wrap() {
    let mut pair = Pair::of(config());
    let [(tunnel, lac), (_, lns)] = pair.connect(config());
    let lines = pair.lines(0);
    assert_eq!(lines[0], "LAC SCCRQ 65531,65531");
    for _ in 0..10 {
        pair.call(tunnel);
        pair.ends[LNS].set_sequencing(lns, true).unwrap();
        pair.ends[LNS].send_data(pair.now, lns, b"down").unwrap();
        pair.run(Duration::from_secs(1));
        pair.ends[LAC].send_data(pair.now, lac, b"up").unwrap();
        pair.run(Duration::from_secs(1));
    }
    assert_eq!(pair.ends[LNS].counts().sessions, 11);
    for end in 0..2 {
        let data = pair.take_events(end);
        let frames = data.iter().filter(|event| matches!(event, Event::Data { .. })).count();
        assert_eq!(frames, 10);
    }
    assert!(pair.lines(0).iter().any(|line| line.contains(" 0,") || line.contains(",0")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_weather_ends_in_agreement(
        seed in any::<u64>(),
        loss in 0.0..0.6,
        duplication in 0.0..0.5,
        reorder in 0.0..0.5,
        delay in 0_u64..1500,
    ) {
        let delay = Duration::from_millis(delay);
        let weather = Weather { loss, duplication, reorder, delay };
        live_and_die(weather, seed, 2);
    }
}
