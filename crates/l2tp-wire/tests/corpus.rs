//! Replays the fuzz corpora on any toolchain.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod fuzz_checks;

use std::fs;
use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut seeds = 0;
    for seed in fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{target}: {error}")) {
        check(&fs::read(seed.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0, "{target} has no seeds");
}

#[test]
fn l2tp_header() {
    replay("l2tp_header", fuzz_checks::header);
}

#[test]
fn l2tp_control() {
    replay("l2tp_control", fuzz_checks::control);
}

#[test]
fn l2tp_avp_hidden() {
    replay("l2tp_avp_hidden", fuzz_checks::avp_hidden);
}

#[test]
fn l2tp_data() {
    replay("l2tp_data", fuzz_checks::data);
}
