//! LCP options, and LCP packets of any peer in any order, to a client and to a server (RFC 1661).
#![no_main]

#[path = "../../crates/ppp-core/tests/harness/mod.rs"]
mod harness;

extern crate alloc;

use harness::driver::Driver;
use libfuzzer_sys::fuzz_target;
use ppp_core::LcpOption;
use ppp_core::Options;
use ppp_core::Protocol;

fuzz_target!(|octets: &[u8]| {
    for option in Options::new(octets).flatten() {
        let (mut raw, mut typed) = (Vec::new(), Vec::new());
        option.encode(&mut raw);
        if let Ok(value) = LcpOption::decode(&option) {
            value.encode(&mut typed);
            assert_eq!(typed, raw);
        }
    }
    for which in 0..2 {
        let mut driver = Driver::new(which, 1);
        driver.establish();
        driver.feed(Protocol::LCP, octets);
    }
});
