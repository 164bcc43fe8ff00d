//! IPv6CP options, and IPv6CP packets of any peer in any order, to both roles (RFC 5072).
#![no_main]

#[path = "../../crates/ppp-core/tests/harness/mod.rs"]
mod harness;

extern crate alloc;

use harness::driver::Driver;
use libfuzzer_sys::fuzz_target;
use ppp_core::Ipv6cpOption;
use ppp_core::Options;
use ppp_core::Phase;
use ppp_core::Protocol;

fuzz_target!(|octets: &[u8]| {
    for option in Options::new(octets).flatten() {
        let (mut raw, mut typed) = (Vec::new(), Vec::new());
        option.encode(&mut raw);
        if let Ok(value) = Ipv6cpOption::decode(&option) {
            value.encode(&mut typed);
            assert_eq!(typed, raw);
        }
    }
    for config in [harness::client(), harness::server().authenticate_with(&[])] {
        let mut driver = Driver::of(harness::link(config, 1));
        driver.establish();
        assert_eq!(driver.phase(), Phase::Network);
        driver.feed(Protocol::IPV6CP, octets);
    }
});
