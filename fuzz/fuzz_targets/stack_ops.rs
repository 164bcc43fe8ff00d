//! A server and a client of L2TP over IPsec, without security and with a NAT between them or none:
//! any commands, datagrams lost, doubled, changed or made up (behind authentication too), and any
//! time, with the contract of `vpn_core::Machine` and the agreement of events and tables checked
//! after each.
#![no_main]

#[path = "../../crates/ipsec-ike/tests/support/no_security.rs"]
mod no_security;
#[path = "stack/operations.rs"]
mod operations;
#[path = "stack/provider.rs"]
mod provider;
mod trusting;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use operations::Driver;
use operations::Operation;

#[derive(Arbitrary, Debug)]
struct Input {
    which: u8,
    /// Whether the session is up before the operations begin.
    up: bool,
    operations: Vec<Operation>,
}

fuzz_target!(|input: Input| {
    let mut driver = Driver::new(input.which);
    if input.up {
        for _ in 0..4 {
            driver.step(Operation::Deliver { count: 63 });
            driver.step(Operation::Wait { millis: 20 });
        }
        assert!(driver.is_up());
    }
    for operation in input.operations.into_iter().take(64) {
        driver.step(operation);
    }
    driver.finish();
});
