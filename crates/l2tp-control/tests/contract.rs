//! The contract of `vpn_core::Machine`, and that events and tables agree, under any operations.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[allow(unreachable_pub, reason = "the fuzz target uses it too")]
#[path = "support/operations.rs"]
mod operations;

use std::fs;
use std::path::Path;

use operations::Driver;
use operations::Operation;
use proptest::prelude::*;

fn run(which: u8, seed: u64, mut octets: &[u8]) {
    let mut driver = Driver::new(which, seed);
    while let Some(operation) = Operation::read(&mut octets) {
        driver.step(operation);
    }
    driver.finish();
}

/// Operations that mostly bring things up.
fn lively() -> impl Strategy<Value = Vec<u8>> {
    let operation = prop_oneof![
        2 => (Just(0_u8), any::<u8>(), any::<u8>()),
        3 => (1_u8..3, any::<u8>(), any::<u8>()),
        4 => (3_u8..5, any::<u8>().prop_map(|a| a | 2), any::<u8>()),
        2 => (Just(5_u8), any::<u8>(), any::<u8>()),
        1 => (6_u8..9, any::<u8>(), any::<u8>()),
        3 => (9_u8..13, any::<u8>(), any::<u8>()),
        1 => (13_u8..16, any::<u8>(), any::<u8>()),
        1 => (17_u8..19, 0_u8..8, any::<u8>()),
        20 => (Just(19_u8), any::<u8>(), 0_u8..3),
    ];
    prop::collection::vec(operation, 1..300)
        .prop_map(|operations| operations.into_iter().flat_map(|(a, b, c)| [a, b, c]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn holds_when_things_come_up(which: u8, seed: u64, octets in lively()) {
        run(which, seed, &octets);
    }

    #[test]
    fn holds_whatever_happens(
        which: u8,
        seed: u64,
        octets in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        run(which, seed, &octets);
    }
}

#[test]
fn holds_for_what_the_fuzzer_found_interesting() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/l2tp_session");
    let mut seeds: Vec<_> =
        fs::read_dir(corpus).unwrap().map(|seed| seed.unwrap().path()).collect();
    seeds.sort_unstable();
    assert!(!seeds.is_empty());
    for seed in seeds {
        let octets = fs::read(seed).unwrap();
        run(octets.first().copied().unwrap_or(0), 1, octets.get(1..).unwrap_or_default());
    }
}

#[test]
fn time_that_runs_backwards_or_jumps_does_no_harm() {
    use core::time::Duration;
    use vpn_core::Instant;

    let mut driver = Driver::new(0, 1);
    for operation in [
        Operation::Open { end: 0, tie_breaker: false },
        Operation::Deliver { place: 0 },
        Operation::Deliver { place: 0 },
        Operation::Deliver { place: 0 },
        Operation::Deliver { place: 0 },
        Operation::Call { end: 0, tunnel: 0, connected: true },
    ] {
        driver.step(operation);
    }
    driver.set_time(Instant::ZERO + Duration::from_secs(40));
    driver.step(Operation::Deliver { place: 0 });
    driver.set_time(Instant::ZERO);
    driver.step(Operation::Deliver { place: 0 });
    driver.set_time(Instant::ZERO + Duration::from_secs(10 * 365 * 86_400));
    driver.step(Operation::Timeout);
    driver.set_time(Instant::MAX);
    driver.step(Operation::Timeout);
}
