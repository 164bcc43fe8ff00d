//! PAP packets in any order to both roles: only a request that the caller accepts, and only the reply
//! to our own request, lead to the network phase (RFC 1334).
#![no_main]

#[path = "../../crates/ppp-core/tests/harness/mod.rs"]
mod harness;

extern crate alloc;

use harness::driver::Driver;
use harness::driver::Operation;
use libfuzzer_sys::fuzz_target;
use ppp_core::AuthMethod;
use ppp_core::Phase;
use ppp_core::Protocol;

fuzz_target!(|octets: &[u8]| {
    let methods = [AuthMethod::Pap];
    let server = harness::server().authenticate_with(&methods);
    let mut driver = Driver::of(harness::link(server, 1));
    driver.establish();
    driver.feed(Protocol::PAP, octets);
    assert_ne!(driver.phase(), Phase::Network);
    driver.step(Operation::AnswerAuth(false));
    driver.feed(Protocol::PAP, octets);
    assert_ne!(driver.phase(), Phase::Network);

    let mut driver = Driver::of(harness::link(harness::client().prove_with(&methods), 1));
    driver.establish_with(&[3, 4, 0xc0, 0x23]);
    driver.feed(Protocol::PAP, octets);
});
