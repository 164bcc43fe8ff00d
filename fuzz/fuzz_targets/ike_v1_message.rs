//! Messages of IKEv1 as they come from anyone (RFC 2408 §3), and what is chosen from their offers.
#![no_main]

#[path = "../../crates/ipsec-ike/tests/fuzz_checks/mod.rs"]
#[allow(dead_code, reason = "each target uses one check")]
mod fuzz_checks;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz_checks::message(octets));
