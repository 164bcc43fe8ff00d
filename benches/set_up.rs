//! Whole set-ups in memory: tunnel, call, LCP, CHAP and IPCP, client and server on one core.
//!
//! Each iteration is one new client against one server that keeps every session it gets, so the
//! server's tables grow while it is measured.

mod pair;

use core::hint::black_box;

use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;

use pair::Carrier;
use pair::Pair;

fn set_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("set_up");
    group.throughput(Throughput::Elements(1));
    let mut pair = Pair::new(Carrier::Clear);
    group.bench_function("tunnel, call and PPP", |b| b.iter(|| black_box(pair.set_up())));
    group.finish();
}

criterion_group!(benches, set_up);
criterion_main!(benches);
