//! The L2TP control plane in memory: how long a tunnel with a session takes from SCCRQ to ICCN, and
//! what a datagram costs an endpoint that has 60,000 tunnels already.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

extern crate alloc;

use alloc::sync::Arc;
use core::hint::black_box;
use core::time::Duration;

use criterion::BatchSize;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use l2tp_control::Admission;
use l2tp_control::ConnectedCall;
use l2tp_control::Endpoint;
use l2tp_control::EndpointConfig;
use l2tp_control::IncomingCall;
use l2tp_control::Limits;
use l2tp_control::LinkId;
use l2tp_control::SessionHandle;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelResult;
use l2tp_wire::StopCcnResult;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_netsim::SeededRandom;

/// A LAC and an LNS without a network between them.
struct Pair {
    ends: [Endpoint; 2],
    now: Instant,
    config: Arc<TunnelConfig>,
    buf: Vec<u8>,
}

impl Pair {
    fn new(secret: bool) -> Self {
        let mut tunnel = TunnelConfig::new("lns.example.net");
        if secret {
            tunnel = tunnel.secret("shared secret");
        }
        let limits = Limits { half_open_per_source: 100, ..Limits::default() };
        let config = EndpointConfig::new(tunnel.clone())
            .tunnels(Admission::Accept)
            .incoming_calls(Admission::Accept)
            .limits(limits);
        let end = |seed| {
            let random = Box::new(SeededRandom::new(seed));
            Endpoint::new(config.clone(), vpn_crypto::provider(), random)
        };
        Self { ends: [end(1), end(2)], now: Instant::ZERO, config: tunnel.into(), buf: Vec::new() }
    }

    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for from in 0..2 {
                let (first, second) = self.ends.split_at_mut(1);
                let (sender, receiver) = if from == 0 {
                    (&mut first[0], &mut second[0])
                } else {
                    (&mut second[0], &mut first[0])
                };
                while let Some((link, transmit)) = sender.poll_transmit(self.now, &mut self.buf) {
                    quiet = false;
                    let Path { socket, local, remote } = transmit.path;
                    let path = Path { socket, local: remote, remote: local };
                    let _ = receiver.handle_datagram(self.now, link, path, &self.buf);
                    self.buf.clear();
                }
                while sender.poll_event().is_some() {}
            }
            if quiet {
                return;
            }
        }
    }

    fn connect(&mut self) -> (TunnelHandle, SessionHandle) {
        let path = Path::l2tp("192.0.2.1:1701".parse().unwrap(), "192.0.2.2:1701".parse().unwrap());
        let config = self.config.clone();
        let lac = &mut self.ends[0];
        let tunnel = lac.open_tunnel(self.now, LinkId::PLAIN, path, config).unwrap();
        let connected = Some(ConnectedCall::default());
        let call = IncomingCall::default();
        let session = lac.open_session(self.now, tunnel, call, connected).unwrap();
        self.settle();
        (tunnel, session)
    }

    /// Closes a tunnel, and lets the time pass in which it is remembered.
    fn close(&mut self, tunnel: TunnelHandle) {
        let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
        self.ends[0].close_tunnel(self.now, tunnel, result);
        self.settle();
    }

    fn forget(&mut self) {
        self.now = self.now + Duration::from_secs(63);
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
        self.settle();
    }
}

fn set_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("control/set_up");
    // Both ends' work.
    group.throughput(Throughput::Elements(1));
    for (name, secret, others) in
        [("plain", false, 0), ("tunnel_secret", true, 0), ("beside_50000", false, 50_000)]
    {
        let mut pair = Pair::new(secret);
        for _ in 0..others {
            pair.connect();
        }
        let mut open = Vec::new();
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                let mut spent = Duration::ZERO;
                for _ in 0..count {
                    let start = std::time::Instant::now();
                    open.push(pair.connect().0);
                    spent += start.elapsed();
                    if open.len() == 1_000 {
                        open.drain(..).for_each(|tunnel| pair.close(tunnel));
                        pair.forget();
                    }
                }
                spent
            });
        });
    }
}

fn datagrams(c: &mut Criterion) {
    let mut pair = Pair::new(false);
    for _ in 0..60_000 {
        pair.connect();
    }
    let sessions: Vec<SessionHandle> = pair.ends[0].sessions().map(|info| info.session).collect();
    let mut group = c.benchmark_group("control/beside_60000");
    let mut next = sessions.iter().cycle();
    group.bench_function("ppp_frame_there", |b| {
        b.iter_batched(
            || *next.next().unwrap(),
            |session| {
                pair.ends[0].send_data(pair.now, session, b"\xff\x03\xc0\x21 frame").unwrap();
                pair.settle();
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("poll_timeout", |b| b.iter(|| black_box(&pair.ends[0]).poll_timeout()));
    let stranger =
        Path::l2tp("192.0.2.2:1701".parse().unwrap(), "198.51.100.9:1701".parse().unwrap());
    let hello = [0xc8, 2, 0, 20, 0, 7, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 6];
    group.bench_function("datagram_of_a_stranger", |b| {
        b.iter(|| {
            pair.ends[1].handle_datagram(pair.now, LinkId::PLAIN, stranger, black_box(&hello))
        });
    });
}

criterion_group!(benches, set_up, datagrams);
criterion_main!(benches);
