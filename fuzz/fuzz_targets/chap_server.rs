//! CHAP packets in any order to a server: without the caller's yes nobody reaches the network phase
//! (RFC 1994, RFC 2759).
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
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let config = harness::server().authenticate_with(&[method]);
        let mut driver = Driver::of(harness::link(config, 1));
        driver.establish();
        for _ in 0..3 {
            driver.feed(Protocol::CHAP, octets);
            assert_ne!(driver.phase(), Phase::Network);
            driver.step(Operation::AnswerAuth(false));
        }
    }
});
