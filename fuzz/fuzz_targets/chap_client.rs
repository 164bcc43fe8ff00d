//! CHAP packets in any order to a client: MS-CHAPv2 never ends in the network phase, for nobody here
//! can know the answer; CHAP-MD5 only after a Challenge (RFC 1994, RFC 2759 §5).
#![no_main]

#[path = "../../crates/ppp-core/tests/harness/mod.rs"]
mod harness;

extern crate alloc;

use harness::driver::Driver;
use libfuzzer_sys::fuzz_target;
use ppp_core::AuthMethod;
use ppp_core::Phase;
use ppp_core::Protocol;

fuzz_target!(|octets: &[u8]| {
    for (method, algorithm) in [(AuthMethod::ChapMd5, 5), (AuthMethod::MsChapV2, 0x81)] {
        let config = harness::client().prove_with(&[method]).ask_for_credentials(true);
        let mut driver = Driver::of(harness::link(config, 1));
        driver.establish_with(&[3, 5, 0xc2, 0x23, algorithm]);
        assert_eq!(driver.phase(), Phase::Authenticate);
        driver.feed(Protocol::CHAP, octets);
        assert!(method == AuthMethod::ChapMd5 || driver.phase() != Phase::Network);
    }
});
