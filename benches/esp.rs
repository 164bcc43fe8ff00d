//! ESP: each suite that is offered, seal and open, three lengths; a packet at a time, 32 packets of
//! one SA, and 32 of an SA each. A time is that of 32 packets.
//!
//! `cargo bench --bench esp -- 'aes256-sha1/open'` narrows it down.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]
#![allow(clippy::disallowed_methods, reason = "only opening is timed, sealing before it is not")]

#[path = "esp/fixture.rs"]
mod fixture;
#[path = "esp/work.rs"]
mod work;

use core::time::Duration;
use std::time::Instant;

use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use fixture::pair;
use work::BATCH;
use work::SIZES;
use work::Sas;
use work::Slots;
use work::slots;

type Work = fn(&mut Slots, &Sas, usize);

fn esp(criterion: &mut Criterion) {
    for crypto in vpn_crypto::provider().esp {
        let suite = crypto.suite();
        let one: Sas = Some(pair(suite, 7)).into_iter().unzip();
        let many: Sas = (0..BATCH as u64).map(|n| pair(suite, 100 + n)).unzip();
        let shapes: [(&str, &Sas, Work, Work); 3] = [
            ("one", &one, work::seal_each, work::open_each),
            ("batch_1_sa", &one, work::seal_all, work::open_all),
            ("batch_32_sas", &many, work::seal_all, work::open_all),
        ];
        for size in SIZES {
            let mut group = criterion.benchmark_group(format!("esp/{suite}/seal/{size}"));
            group.throughput(Throughput::Bytes((size * BATCH) as u64));
            for (shape, sas, seal, _) in shapes {
                let mut slots = slots();
                group.bench_function(shape, |bencher| bencher.iter(|| seal(&mut slots, sas, size)));
            }
            group.finish();
            let mut group = criterion.benchmark_group(format!("esp/{suite}/open/{size}"));
            group.throughput(Throughput::Bytes((size * BATCH) as u64));
            for (shape, sas, seal, open) in shapes {
                let mut slots = slots();
                group.bench_function(shape, |bencher| {
                    bencher.iter_custom(|times| {
                        let mut spent = Duration::ZERO;
                        for _ in 0..times {
                            seal(&mut slots, sas, size);
                            let start = Instant::now();
                            open(&mut slots, sas, size);
                            spent += start.elapsed();
                        }
                        spent
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(20);
    targets = esp
}
criterion_main!(benches);
