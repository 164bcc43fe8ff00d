//! Headers of any datagram (RFC 2661 §3.1).
#![no_main]

#[path = "../../crates/l2tp-wire/tests/fuzz_checks/mod.rs"]
#[allow(dead_code, reason = "each target uses one check")]
mod fuzz_checks;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz_checks::header(octets));
