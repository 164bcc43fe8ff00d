//! Writes the S-boxes of DES as circuits for bitslicing, into
//! `crates/vpn-crypto/src/kernel/des/s_boxes.rs`.
//!
//! ```text
//! cargo run --release -p vpn-crypto --example des-sboxes > crates/vpn-crypto/src/kernel/des/s_boxes.rs
//! cargo run --release -p vpn-crypto --example des-sboxes -- search 500
//! ```
//!
//! The first form writes the circuits that come of the seeds below, always the same. The second
//! tries so many seeds for each S-box and prints the best.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::expect_used, reason = "a program")]
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "small tables")]

#[path = "../../src/kernel/des/search.rs"]
#[allow(clippy::std_instead_of_alloc, reason = "shared with a test of a crate without std")]
mod search;
#[path = "../../src/kernel/des/tables.rs"]
#[allow(dead_code, reason = "the S-boxes are all that matters here")]
mod tables;

use search::Basis;
use search::circuit;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => print!("{}", search::source()),
        ["search", count] => search_seeds(count.parse().expect("how many seeds")),
        _ => eprintln!("usage: des-sboxes [search COUNT]"),
    }
}

fn search_seeds(count: u64) {
    for basis in [Basis::Two, Basis::Three] {
        for s_box in 0..8 {
            let gates = |seed| circuit(search::outputs(s_box), basis, seed).gates.len();
            let best = (1..=count).map(|seed| (gates(seed), seed)).min();
            if let Some((gates, seed)) = best {
                println!("{basis:?}, S{}: seed {seed} makes {gates} gates", s_box + 1);
            }
        }
    }
}
