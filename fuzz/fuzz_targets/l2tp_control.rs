//! AVPs of any control message (RFC 2661 §4, §6).
#![no_main]

#[path = "../../crates/l2tp-wire/tests/fuzz_checks/mod.rs"]
#[allow(dead_code, reason = "each target uses one check")]
mod fuzz_checks;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz_checks::control(octets));
