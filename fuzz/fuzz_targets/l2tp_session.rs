//! Two endpoints: any commands, answers, datagrams lost, doubled, changed or made up, and any time,
//! with the contract of `vpn_core::Machine` and the agreement of events and tables checked after
//! each.
#![no_main]

#[allow(dead_code, reason = "the crate's own tests use more of it")]
#[path = "../../crates/l2tp-control/tests/support/operations.rs"]
mod operations;

use libfuzzer_sys::fuzz_target;
use operations::Driver;
use operations::Operation;

fuzz_target!(|octets: &[u8]| {
    let [which, rest @ ..] = octets else { return };
    let mut rest = rest;
    let mut driver = Driver::new(*which, 1);
    while let Some(operation) = Operation::read(&mut rest) {
        driver.step(operation);
    }
    driver.finish();
});
