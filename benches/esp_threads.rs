//! One SA, one and two threads: how much more two threads seal and open.
//!
//! The two are measured in turn, in many short rounds, and the rounds at nine tenths are compared: on
//! a shared machine most of the others say how often two cores were free, not how threads get on.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::std_instead_of_core,
    reason = "a benchmark"
)]

#[path = "esp/fixture.rs"]
mod fixture;
#[path = "esp/work.rs"]
mod work;

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use fixture::pair;
use work::BATCH;
use work::SIZES;
use work::Sas;
use work::Slots;
use work::open_all;
use work::open_each;
use work::seal_all;
use work::seal_each;
use work::slots;

const ROUNDS: usize = 101;
/// Batches that one thread works on in a round.
const BATCHES: usize = 32;

fn main() {
    println!("two threads on one SA, times one thread (nine tenths of {ROUNDS} rounds)");
    for suite in ["aes256-sha1", "aes256-sha256", "aes256gcm16"] {
        for size in SIZES {
            let sas: Sas = Some(pair(suite.parse().unwrap(), 7)).into_iter().unzip();
            let ratio = |work: Work| {
                let rounds =
                    (0..ROUNDS).map(|_| (rate(&sas, size, work, 1), rate(&sas, size, work, 2)));
                let (one, two): (Vec<f64>, Vec<f64>) = rounds.unzip();
                undisturbed(two) / undisturbed(one)
            };
            println!(
                "  {suite:>14} {size:>4}: seal {:.2}, in batches {:.2}; open {:.2}, in batches {:.2}",
                ratio(Work { open: false, batch: false }),
                ratio(Work { open: false, batch: true }),
                ratio(Work { open: true, batch: false }),
                ratio(Work { open: true, batch: true }),
            );
        }
    }
}

#[derive(Clone, Copy)]
struct Work {
    open: bool,
    batch: bool,
}

fn undisturbed(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() * 9 / 10]
}

/// Batches a second, all threads together.
fn rate(sas: &Sas, size: usize, work: Work, threads: usize) -> f64 {
    // What is opened is sealed before, by turns, so that the threads' packets interleave.
    let mut all: Vec<Vec<Slots>> = (0..threads).map(|_| vec![slots(); BATCHES]).collect();
    if work.open {
        for at in 0..BATCHES {
            for slots in &mut all {
                seal_each(&mut slots[at], sas, size);
            }
        }
    }
    let barrier = Barrier::new(threads);
    let run = |mut batches: Vec<Slots>| {
        barrier.wait();
        let start = Instant::now();
        for slots in &mut batches {
            match work {
                Work { open: false, batch: false } => seal_each(slots, sas, size),
                Work { open: false, batch: true } => seal_all(slots, sas, size),
                Work { open: true, batch: false } => open_each(slots, sas, size),
                Work { open: true, batch: true } => open_all(slots, sas, size),
            }
        }
        start.elapsed().as_secs_f64()
    };
    let times: Vec<f64> = thread::scope(|scope| {
        let running: Vec<_> = all.into_iter().map(|batches| scope.spawn(|| run(batches))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let longest = times.into_iter().fold(0.0, f64::max);
    (threads * BATCHES) as f64 / longest * BATCH as f64
}
