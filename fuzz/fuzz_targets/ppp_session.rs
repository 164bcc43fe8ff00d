//! Whole sessions: any frames, timeouts, commands and answers, with the contract of
//! `vpn_core::Machine` checked after each.
#![no_main]

#[path = "../../crates/ppp-core/tests/harness/mod.rs"]
mod harness;

extern crate alloc;

use harness::driver::Driver;
use harness::driver::Operation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let [which, begun, rest @ ..] = octets else { return };
    let mut rest = rest;
    let mut driver = Driver::new(usize::from(*which), 1);
    if *begun % 4 != 0 {
        driver.establish();
    }
    while let Some(operation) = Operation::read(&mut rest) {
        driver.step(operation);
    }
});
