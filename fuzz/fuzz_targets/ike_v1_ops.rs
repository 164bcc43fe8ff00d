//! Two endpoints without security and a NAT between them: any commands, datagrams lost, doubled,
//! changed or made up, and any time, with the contract of `vpn_core::Machine`, the agreement of
//! events and tables, and the bound on what strangers are sent checked after each.
#![no_main]

#[path = "../../crates/ipsec-ike/tests/support/no_security.rs"]
mod no_security;
#[allow(dead_code, reason = "the crate's own tests use more of it")]
#[path = "../../crates/ipsec-ike/tests/support/operations.rs"]
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
