//! Whether time tells an attacker anything about ICVs: the comparison itself, and the refusal of
//! packets of equal length that differ in how nearly right they are.
//!
//! After dudect (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?"): two classes of
//! input in random order, Welch's t-test on their times, with the slowest measurements cropped at
//! several points. A |t| above 4.5 asks for a look, above 10 fails. The machine is shared, so the
//! best of three runs counts. `cargo bench --bench dudect -- 100000` sets the number of measurements.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

#[path = "esp/fixture.rs"]
mod fixture;

use core::hint::black_box;
use std::time::Instant;

use fixture::Counting;
use fixture::pair;
use ipsec_esp::NextHeader;
use vpn_core::PacketMut;
use vpn_core::SecureRandom;
use vpn_core::crypto::EspSuite;
use vpn_core::ct_eq;

const RUNS: usize = 3;
const INVESTIGATE: f64 = 4.5;
const FAIL: f64 = 10.0;

fn main() {
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let measurements = asked.unwrap_or(1_000_000);
    println!(
        "{measurements} measurements, best of {RUNS} runs; |t| above {INVESTIGATE} is suspicious"
    );
    let mut worst = 0.0_f64;
    let mut judge = |name: &str, run: &mut dyn FnMut() -> f64| {
        let t = (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min);
        let verdict = if t > FAIL {
            "FAILS"
        } else if t > INVESTIGATE {
            "look"
        } else {
            "ok"
        };
        println!("  {t:>6.2}  {verdict:<5}  {name}");
        worst = worst.max(t);
    };
    for len in [12, 16, 32] {
        judge(&format!("ct_eq of {len} octets"), &mut || comparison(len, measurements, ct_eq));
    }
    for suite in [
        "aes256-sha1",
        "aes256-sha256",
        "aes256-sha512",
        "3des-sha1",
        "aes256gcm16",
        "chacha20poly1305",
    ] {
        let suite: EspSuite = suite.parse().unwrap();
        let fewer = if suite.to_string() == "3des-sha1" { measurements / 4 } else { measurements };
        for (what, a, b) in [
            ("first or last octet of the ICV", Wrong::IcvFirst, Wrong::IcvLast),
            ("one bit of the ICV or all of it", Wrong::IcvLast, Wrong::Icv),
            ("ciphertext or ICV", Wrong::Ciphertext, Wrong::IcvLast),
        ] {
            let name = format!("{suite}: {what}");
            judge(&name, &mut || refusal(suite, a, b, fewer));
        }
    }
    let control = comparison(32, measurements, stops_early);
    println!(
        "  {control:>6.2}         a comparison that stops early, to show that it would be seen"
    );
    assert!(control > FAIL, "the measurement is too coarse to see anything");
    assert!(worst <= FAIL, "time depends on what is secret");
}

/// What is wrong with a packet.
#[derive(Clone, Copy)]
enum Wrong {
    IcvFirst,
    IcvLast,
    Icv,
    Ciphertext,
}

fn stops_early(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(a, b)| black_box(a) == black_box(b))
}

/// Equal but for the first octet, against equal but for the last.
fn comparison(len: usize, measurements: usize, equal: fn(&[u8], &[u8]) -> bool) -> f64 {
    let right: Vec<u8> = (0..len as u8).collect();
    let (mut first, mut last) = (right.clone(), right.clone());
    first[0] ^= 1;
    last[len - 1] ^= 1;
    let inputs = [first, last];
    t_test(measurements, |class, spent| {
        let input = &inputs[class];
        let start = Instant::now();
        for _ in 0..32 {
            black_box(equal(black_box(&right), black_box(input)));
        }
        *spent = start.elapsed().as_nanos();
    })
}

/// Two packets of equal length that are refused for different reasons.
fn refusal(suite: EspSuite, a: Wrong, b: Wrong, measurements: usize) -> f64 {
    let (out, inbound) = pair(suite, 7);
    let mut storage = [0x21; 512];
    let mut packet = PacketMut::new(&mut storage, 64..64 + 200).unwrap();
    out.seal(&mut packet, NextHeader::UDP).unwrap();
    let good = packet.payload();
    let spoil = |wrong: Wrong| {
        let mut packet = good.to_vec();
        let icv = packet.len() - suite.icv_len();
        match wrong {
            Wrong::IcvFirst => packet[icv] ^= 1,
            Wrong::IcvLast => *packet.last_mut().unwrap() ^= 1,
            Wrong::Icv => packet[icv..].iter_mut().for_each(|octet| *octet = !*octet),
            Wrong::Ciphertext => packet[40] ^= 1,
        }
        packet
    };
    let inputs = [spoil(a), spoil(b)];
    let mut copy = inputs[0].clone();
    t_test(measurements, |class, spent| {
        copy.copy_from_slice(&inputs[class]);
        let mut packet = PacketMut::whole(&mut copy);
        let start = Instant::now();
        let refused = black_box(inbound.open(black_box(&mut packet))).is_err();
        *spent = start.elapsed().as_nanos();
        assert!(refused);
    })
}

/// The largest |t| over all crops.
fn t_test(measurements: usize, mut measure: impl FnMut(usize, &mut u128)) -> f64 {
    let mut classes = vec![0; measurements];
    Counting(std::process::id().into()).fill(&mut classes).unwrap();
    let mut times = vec![0; measurements];
    let warm_up = measurements / 10;
    for (class, spent) in classes.iter().zip(&mut times) {
        measure(usize::from(class & 1), spent);
    }
    let (classes, times) = (&classes[warm_up..], &times[warm_up..]);
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    // As dudect: crop the upper tail at many points, close together near the top.
    let crops = (0..100).map(|n| 1.0 - 0.5_f64.powf(10.0 * f64::from(n + 1) / 100.0));
    let limits =
        crops.map(|share| sorted[(share * sorted.len() as f64) as usize]).chain([u128::MAX]);
    limits.map(|limit| welch(classes, times, limit).abs()).fold(0.0, f64::max)
}

/// Welch's t of the two classes, of the times up to `limit`.
fn welch(classes: &[u8], times: &[u128], limit: u128) -> f64 {
    let moments = |class: u8| {
        let values = || {
            let all = classes.iter().zip(times);
            all.filter(move |(c, time)| **c & 1 == class && **time <= limit)
                .map(|(_, time)| *time as f64)
        };
        let n = values().count() as f64;
        let mean = values().sum::<f64>() / n;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (n, mean, variance / n)
    };
    let ((n0, mean0, error0), (n1, mean1, error1)) = (moments(0), moments(1));
    if n0 < 1000.0 || n1 < 1000.0 || error0 + error1 == 0.0 {
        return 0.0;
    }
    (mean0 - mean1) / (error0 + error1).sqrt()
}
