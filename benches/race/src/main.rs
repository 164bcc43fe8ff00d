//! The race: ESP suites and key exchanges of `vpn-crypto` beside other libraries, in one run.
//!
//! `benches/race/run` installs what the peers need (Debian 12, root), builds with feature `peers`
//! and prints the tables in Markdown; its arguments are those of this program:
//!
//! | argument | what it does |
//! |---|---|
//! | `--quick` | fewer and shorter rounds: half a minute instead of a few minutes |
//! | `--only TEXT` | only the cells whose name has TEXT: `aes256gcm16`, `open 1400`, `batch` … |
//! | `--esp`, `--ike` | only the suites, or only the key exchanges |
//! | `--paths` | ours on every path that this processor has |
//! | `--avx2` | ours on its 256-bit path and intel-ipsec-mb with its AVX2 code, as on a processor without AVX-512; the others as they are |
//! | `--aes128` | the suites with AES-128 too |
//! | `--svg FILE` | writes the plot |
//!
//! Without feature `peers` (`cargo run --release --manifest-path benches/race/Cargo.toml`) ours runs
//! beside RustCrypto alone, without the key exchanges, and nothing else has to be there.
//!
//! # Method
//! A cell is a suite, a direction, a payload length and a shape: 32 calls with a packet each, one
//! call with 32 packets of one SA, or one call with a packet each of 32 SAs. Packets are ESP packets
//! in place: SPI, sequence number, IV, ciphertext with padding and trailer, ICV. First the output of
//! each contender is compared with OpenSSL's, octet by octet. Then the contenders take turns in each
//! round, each for some milliseconds of processor time of its thread (so that other processes take
//! nothing from it). Medians over the rounds count: of the times, and of the ratios of two times of
//! one round. What is opened is copied first, and the time of the copy, measured in the same round,
//! is taken off.
//!
//! Ours and RustCrypto make an IV for each packet; the other peers find it in the packet. Keys are
//! expanded before. Where a library can be called in several ways, its fastest counts.

#![allow(clippy::disallowed_methods, reason = "sealing without an SA is what is measured")]

#[path = "../../esp/bare.rs"]
mod bare;
mod contender;
#[allow(dead_code, reason = "the benches beside this one need more")]
#[path = "../../esp/fixture.rs"]
mod fixture;
mod goals;
#[cfg(feature = "peers")]
mod key_exchange;
mod machine;
mod ours;
mod packets;
#[cfg(feature = "peers")]
mod peers;
mod plot;
mod race;
mod rustcrypto;
mod table;

use core::time::Duration;
use std::env;
use std::fs;
use std::io;
use std::io::IsTerminal;
use std::process::ExitCode;

use contender::Task;
use packets::SIZES;
use packets::Shape;
use packets::Way;
use race::Cell;
use race::Effort;
use vpn_core::crypto::EspSuite;

/// What the arguments ask for.
struct Wanted {
    effort: Effort,
    only: String,
    esp: bool,
    #[cfg_attr(not(feature = "peers"), allow(dead_code))]
    ike: bool,
    every_path: bool,
    aes128: bool,
    avx2: bool,
    svg: Option<String>,
}

fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("a debug build says nothing about speed: build with --release");
        return ExitCode::FAILURE;
    }
    let wanted = match arguments(env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(wrong) => {
            eprintln!("{wrong}: see the beginning of benches/race/src/main.rs");
            return ExitCode::FAILURE;
        }
    };
    let mut names = vec!["aes256-sha1", "aes256-sha256", "aes256gcm16", "3des-sha1"];
    if wanted.aes128 {
        names.extend(["aes128-sha1", "aes128-sha256", "aes128gcm16"]);
    }
    let suites: Vec<EspSuite> = names.iter().map(|name| name.parse().unwrap()).collect();
    for line in machine::describe(&suites) {
        println!("{line}");
    }
    if wanted.avx2 {
        println!("Ours on its 256-bit path, intel-ipsec-mb with its AVX2 and SSE code.");
    }
    if wanted.esp {
        println!();
        let cells = esp(&wanted, &suites);
        if let Some(file) = &wanted.svg {
            match plot::plot(&cells, &suites[..4], &machine::processor()) {
                Ok(svg) => fs::write(file, svg).unwrap(),
                Err(wrong) => eprintln!("no plot: {wrong}"),
            }
        }
    }
    #[cfg(feature = "peers")]
    if wanted.ike {
        println!("\n{}", key_exchange::race(wanted.effort));
    }
    ExitCode::SUCCESS
}

/// Races the suites and prints their tables.
fn esp(wanted: &Wanted, suites: &[EspSuite]) -> Vec<Cell> {
    let mut tasks = Vec::new();
    for suite in suites {
        for way in Way::ALL {
            for size in SIZES {
                for shape in Shape::ALL {
                    let name = format!("{suite} {way} {size}, {shape}");
                    if name.contains(&wanted.only) {
                        tasks.push((
                            name,
                            Task { suite: *suite, way, shape, avx2: wanted.avx2 },
                            size,
                        ));
                    }
                }
            }
        }
    }
    let count = tasks.len();
    let mut cells = Vec::new();
    for (index, (name, task, size)) in tasks.into_iter().enumerate() {
        progress(&format!("{} of {count}: {name}", index + 1));
        cells.push(race::race(task, size, wanted.effort, wanted.every_path));
    }
    for suite in suites {
        if cells.iter().any(|cell| cell.task.suite == *suite) {
            println!("{}", table::suite(&cells, *suite));
        }
    }
    if let Some(variants) = table::variants(&cells) {
        println!("{variants}\n");
    }
    let goals = goals::table(&cells, suites);
    if !goals.is_empty() {
        println!("### Goals\n\nHow many times as long as ours the others take.\n\n{goals}");
    }
    cells
}

/// Shows what is being measured: on a terminal in one line, which the tables overwrite.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{what}\r");
    } else {
        eprintln!("{what}");
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        effort: Effort { rounds: 15, slot: Duration::from_millis(8) },
        only: String::new(),
        esp: true,
        ike: true,
        every_path: false,
        aes128: false,
        avx2: false,
        svg: None,
    };
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => wanted.effort = Effort { rounds: 5, slot: Duration::from_millis(2) },
            "--only" => wanted.only = value()?,
            "--esp" => wanted.ike = false,
            "--ike" => wanted.esp = false,
            "--paths" => wanted.every_path = true,
            "--avx2" => wanted.avx2 = true,
            "--aes128" => wanted.aes128 = true,
            "--svg" => wanted.svg = Some(value()?),
            _ => return Err(format!("{argument} is not an argument")),
        }
    }
    Ok(wanted)
}
