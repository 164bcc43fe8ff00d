//! The contract of `vpn_core::Machine`, and that events and tables agree, under any operations.
#![allow(clippy::restriction, reason = "a test")]

#[path = "support/no_security.rs"]
mod no_security;
#[path = "support/operations.rs"]
mod operations;

use operations::Driver;
use operations::Forgery;
use operations::Operation;
use proptest::prelude::*;

/// Both ends up, with a pair each way.
fn connected(which: u8) -> Driver {
    let mut driver = Driver::new(which, 7);
    driver.step(Operation::Connect { end: 0 });
    for _ in 0..4 {
        driver.quiesce();
        driver.step(Operation::Answer { end: 1, accept: true });
    }
    assert_eq!((driver.up(0), driver.up(1)), (1, 1), "{which:#b}");
    assert_eq!((driver.ready(0), driver.ready(1)), (1, 1), "{which:#b}");
    driver
}

#[test]
fn every_configuration_connects_and_ends() {
    for which in 0..32 {
        connected(which).finish();
    }
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<(u8, u8, u8)>(), 0..200)
        .prop_map(|operations| operations.into_iter().flat_map(|(a, b, c)| [a, b, c]).collect())
}

fn run(mut driver: Driver, mut octets: &[u8]) {
    while let Some(operation) = Operation::read(&mut octets) {
        driver.step(operation);
    }
    driver.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_operations_from_the_start(which: u8, seed: u64, octets in octets()) {
        run(Driver::new(which, seed), &octets);
    }

    #[test]
    fn any_operations_while_connected(which in 0_u8..32, octets in octets()) {
        run(connected(which), &octets);
    }

    /// Every kind of message with any payloads, hash right or wrong, at any time.
    #[test]
    fn any_payloads(
        which in 0_u8..32,
        delivered in 0_usize..12,
        messages in prop::collection::vec(
            (any::<[u8; 4]>(), any::<[bool; 4]>(), prop::collection::vec(any::<u8>(), 0..120)),
            1..6,
        ),
    ) {
        let mut driver = Driver::new(which, 3);
        driver.step(Operation::Connect { end: 0 });
        for _ in 0..delivered {
            driver.step(Operation::Deliver { place: 0 });
            driver.step(Operation::Answer { end: 1, accept: true });
        }
        for ([sa, exchange, first, message_id], [to, stranger, hash, encrypted], octets) in messages {
            let forgery = Forgery {
                end: usize::from(to),
                stranger,
                sa,
                exchange,
                first: first % 24,
                message_id,
                hash,
                encrypted,
                octets,
            };
            driver.step(Operation::Forge(forgery));
        }
        driver.quiesce();
        driver.finish();
    }
}
