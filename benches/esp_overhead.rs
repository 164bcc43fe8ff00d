//! What our ESP costs above the bare cipher calls, and the whole data path above ESP, both on the
//! portable ciphers: on kernels of our own there would be nothing to compare with.
//!
//! Contenders take turns, and the median time of a batch of each is printed: on a shared machine only
//! figures of one run can be compared. Run with the name of a suite to narrow it down:
//! `cargo bench --bench esp_overhead -- aes256gcm16`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

#[path = "esp/bare.rs"]
mod bare;
#[path = "esp/fixture.rs"]
mod fixture;
#[path = "esp/work.rs"]
mod work;

use core::hint::black_box;
use std::time::Instant;

use fixture::pair_on;
use ipsec_esp::NextHeader;
use l2tp_wire::DataHeader;
use ppp_core::Protocol;
use ppp_core::frame::Header;
use vpn_core::PacketMut;
use vpn_core::crypto::EspSuite;
use vpn_crypto::esp::Path;
use work::BATCH;
use work::SIZES;
use work::Sas;
use work::Slots;
use work::open_all;
use work::open_each;
use work::payload;
use work::seal_all;
use work::seal_each;
use work::sealed;
use work::slots;

const ROUNDS: usize = 25;
/// Time of one contender in one round, in ns.
const TURN: u128 = 2_000_000;

/// Something to time: `prepare` is not timed.
struct Contender<'a> {
    name: &'static str,
    prepare: Box<dyn FnMut(&mut Slots) + 'a>,
    run: Box<dyn FnMut(&mut Slots) + 'a>,
}

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for crypto in vpn_crypto::provider().esp {
        let suite = crypto.suite();
        if only.as_ref().is_none_or(|only| *only == suite.to_string()) {
            println!("\n{suite}: ns a packet, and above the bare calls");
            for size in SIZES {
                measure(suite, size);
            }
        }
    }
}

fn measure(suite: EspSuite, size: usize) {
    let crypto = vpn_crypto::esp::suite_on(suite, Path::Portable).unwrap();
    let one: Sas = Some(pair_on(crypto, 7)).into_iter().unzip();
    let many: Sas = (0..BATCH as u64).map(|n| pair_on(crypto, 100 + n)).unzip();
    let bare = bare::bare(suite, &fixture::keymat(suite, 7)).unwrap();
    let whole = || sealed(&one.0[0], size);

    let seal = [
        Contender {
            name: "bare",
            prepare: Box::new(|_| {}),
            run: Box::new(|slots| {
                slots.iter_mut().for_each(|slot| (bare.seal)(&mut slot[whole()]))
            }),
        },
        Contender {
            name: "one",
            prepare: Box::new(|_| {}),
            run: Box::new(|slots| seal_each(slots, &one, size)),
        },
        Contender {
            name: "batch, 1 SA",
            prepare: Box::new(|_| {}),
            run: Box::new(|slots| seal_all(slots, &one, size)),
        },
        Contender {
            name: "batch, 32 SAs",
            prepare: Box::new(|_| {}),
            run: Box::new(|slots| seal_all(slots, &many, size)),
        },
        Contender {
            name: "data path",
            prepare: Box::new(|_| {}),
            run: Box::new(|slots| data_path(slots, &one, size)),
        },
        Contender {
            name: "its ESP step",
            prepare: Box::new(|_| {}),
            run: Box::new(|slots| seal_each(slots, &one, size + 4 + 8 + 8)),
        },
    ];
    report("seal", size, seal);
    let open = [
        Contender {
            name: "bare",
            prepare: Box::new(|slots| {
                slots.iter_mut().for_each(|slot| (bare.seal)(&mut slot[whole()]))
            }),
            run: Box::new(|slots| {
                slots.iter_mut().for_each(|slot| (bare.open)(&mut slot[whole()]))
            }),
        },
        Contender {
            name: "one",
            prepare: Box::new(|slots| seal_each(slots, &one, size)),
            run: Box::new(|slots| open_each(slots, &one, size)),
        },
        Contender {
            name: "batch, 1 SA",
            prepare: Box::new(|slots| seal_each(slots, &one, size)),
            run: Box::new(|slots| open_all(slots, &one, size)),
        },
        Contender {
            name: "batch, 32 SAs",
            prepare: Box::new(|slots| seal_all(slots, &many, size)),
            run: Box::new(|slots| open_all(slots, &many, size)),
        },
    ];
    report("open", size, open);
}

fn report<const N: usize>(what: &str, size: usize, mut contenders: [Contender<'_>; N]) {
    let mut slots = slots();
    let mut times: [Vec<u128>; N] = core::array::from_fn(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let mut spent = 0;
            while spent < TURN {
                (contender.prepare)(&mut slots);
                let start = Instant::now();
                (contender.run)(black_box(&mut slots));
                let time = start.elapsed().as_nanos();
                times.push(time);
                spent += time;
            }
        }
    }
    // The median of single batches does not see those that the system interrupted.
    let medians = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2] as f64 / BATCH as f64
    });
    print!("  {what} {size:>4}:");
    for (at, (contender, median)) in contenders.iter().zip(medians).enumerate() {
        let against = match contender.name {
            "data path" => medians[at + 1],
            "its ESP step" => median,
            _ => medians[0],
        };
        let above = median - against;
        print!("  {} {median:.0} ({above:+.0}, {:+.1}%)", contender.name, above / against * 100.0);
    }
    println!();
}

/// An IP packet through PPP, L2TP, UDP without a checksum, ESP, and the UDP header of NAT traversal.
fn data_path(slots: &mut Slots, sas: &Sas, size: usize) {
    for slot in slots {
        let mut packet = payload(slot, size);
        Header::full(Protocol::IPV4).prepend(&mut packet).unwrap();
        let header = DataHeader { tunnel_id: 7, session_id: 9, length: true, ..Default::default() };
        header.prepend(&mut packet).unwrap();
        udp(&mut packet, 1701);
        assert!(black_box(sas.0[0].seal(&mut packet, NextHeader::UDP)).is_ok());
        udp(&mut packet, 4500);
        black_box(packet.payload());
    }
}

fn udp(packet: &mut PacketMut<'_>, port: u16) {
    let len = u16::try_from(packet.len() + 8).unwrap();
    let header = packet.prepend(8).unwrap();
    header[..2].copy_from_slice(&port.to_be_bytes());
    header[2..4].copy_from_slice(&port.to_be_bytes());
    header[4..6].copy_from_slice(&len.to_be_bytes());
    header[6..].fill(0);
}
