//! Set-ups over IPsec that one core can take as a server: main mode, quick mode, tunnel, call, LCP,
//! MS-CHAPv2 and IPCP; beside what the Diffie-Hellman of the same group alone would allow, one key
//! pair and one agreement for each.
//!
//! Only the server's calls count: the clock is read around each. Both take turns, and what the fastest
//! tenth takes is printed, which nothing interrupted: only figures of one run can be compared. Run
//! with the name of a group to narrow it down.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

mod pair;

use core::hint::black_box;
use core::time::Duration;
use std::time::Instant as Clock;

use pair::Carrier;
use pair::Pair;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::KeyExchange;
use vpn_netsim::SeededRandom;

const ROUNDS: u64 = 500;

const GROUPS: [(DhGroup, &str); 4] = [
    (DhGroup::MODP_2048, "aes256-sha256-modp2048"),
    (DhGroup::MODP_3072, "aes256-sha256-modp3072"),
    (DhGroup::ECP_256, "aes256-sha256-ecp256"),
    (DhGroup::CURVE_25519, "aes256-sha256-curve25519"),
];

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for (group, ike) in GROUPS {
        if only.as_ref().is_none_or(|only| ike.ends_with(only.as_str())) {
            measure(group, ike);
        }
    }
}

fn measure(group: DhGroup, ike: &'static str) {
    let exchange = vpn_crypto::provider().ike.group(group).expect("a group of the provider");
    let esp = "aes256-sha256".into();
    let mut pair = Pair::new(Carrier::Ipsec { ike, esp, checksum: true });
    let mut alone = Vec::new();
    let mut whole = Vec::new();
    for round in 0..ROUNDS {
        alone.push(key_exchange(exchange, round));
        pair.server_time = Duration::ZERO;
        drop(black_box(pair.set_up()));
        whole.push(pair.server_time);
    }
    let (alone, whole) = (undisturbed(alone), undisturbed(whole));
    println!(
        "{group}: {:.0} set-ups a second, {:.0} key exchanges alone ({:.0}%); {:.1} µs above them",
        1e6 / whole,
        1e6 / alone,
        alone / whole * 100.0,
        whole - alone,
    );
}

/// What one key exchange takes, as the responder computes it.
fn key_exchange(exchange: &'static dyn KeyExchange, seed: u64) -> Duration {
    let mut rng = SeededRandom::new(seed);
    let mut private = vec![0; exchange.private_len()];
    let mut peer = vec![0; exchange.public_len()];
    exchange.generate(&mut rng, &mut private, &mut peer).expect("a key pair");
    let mut public = vec![0; exchange.public_len()];
    let mut shared = vec![0; exchange.shared_len()];
    let began = Clock::now();
    exchange.generate(&mut rng, &mut private, black_box(&mut public)).expect("a key pair");
    exchange.agree(&private, black_box(&peer), &mut shared).expect("a secret");
    black_box(&shared);
    began.elapsed()
}

/// What one takes that nothing interrupted, in µs.
fn undisturbed(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 10].as_secs_f64() * 1e6
}
