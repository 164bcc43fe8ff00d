//! Many tunnels: that they fit, what they cost, and that nothing of them is left.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

extern crate alloc;

use alloc::sync::Arc;
use core::time::Duration;

use l2tp_control::CallState;
use l2tp_control::ConnectedCall;
use l2tp_control::Endpoint;
use l2tp_control::IncomingCall;
use l2tp_control::Limits;
use l2tp_control::LinkId;
use l2tp_control::OpenError;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelResult;
use l2tp_control::TunnelState;
use l2tp_wire::StopCcnResult;
use support::*;
use vpn_core::Instant;
use vpn_core::Path;

/// Two endpoints without a network between them: what one sends, the other gets at once.
struct Direct {
    ends: [Endpoint; 2],
    now: Instant,
    config: Arc<TunnelConfig>,
    buf: Vec<u8>,
}

impl Direct {
    fn new() -> Self {
        let limits = Limits {
            tunnels: 110_000,
            half_open_per_source: 1_000,
            sessions: 110_000,
            ..Limits::default()
        };
        let config = TunnelConfig::new("host.example");
        Self {
            ends: [
                endpoint(client(config.clone()).limits(limits), 1),
                endpoint(server(config.clone()).limits(limits), 2),
            ],
            now: Instant::ZERO,
            config: config.into(),
            buf: Vec::new(),
        }
    }

    /// Carries datagrams to and fro until there are none, and drops the events.
    fn settle(&mut self) {
        let mut quiet = false;
        while !quiet {
            quiet = true;
            for from in 0..2 {
                while let Some((link, transmit)) =
                    self.ends[from].poll_transmit(self.now, &mut self.buf)
                {
                    quiet = false;
                    let path = Path {
                        local: transmit.path.remote,
                        remote: transmit.path.local,
                        ..transmit.path
                    };
                    let to = &mut self.ends[1 - from];
                    let _ = to.handle_datagram(self.now, link, path, &self.buf);
                    self.buf.clear();
                }
                while self.ends[from].poll_event().is_some() {}
            }
        }
    }

    fn wait(&mut self, duration: Duration) {
        self.now = self.now + duration;
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
        self.settle();
    }

    fn connect(&mut self, link: LinkId) -> Result<TunnelHandle, OpenError> {
        let path = Pair::path(LAC);
        let tunnel = self.ends[LAC].open_tunnel(self.now, link, path, self.config.clone())?;
        let connected = Some(ConnectedCall::default());
        let call = IncomingCall::default();
        self.ends[LAC].open_session(self.now, tunnel, call, connected).unwrap();
        self.settle();
        Ok(tunnel)
    }

    fn close(&mut self, tunnel: TunnelHandle) {
        let result = TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
        self.ends[LAC].close_tunnel(self.now, tunnel, result);
        self.settle();
    }
}

fn octets(work: impl FnOnce()) -> i64 {
    allocation_counter::measure(work).bytes_current
}

#[test]
fn a_hundred_thousand_tunnels_with_a_session_each() {
    let mut direct = Direct::new();
    let (first, second) = (LinkId::PLAIN, LinkId(1));
    let spent = octets(|| {
        for _ in 0..60_000 {
            direct.connect(first).unwrap();
        }
        assert_eq!(direct.connect(first), Err(OpenError::LimitReached));
        for _ in 0..40_000 {
            direct.connect(second).unwrap();
        }
    });
    // Both ends are in here.
    let each = spent / 200_000;
    println!("{each} octets a tunnel with a session, idle");
    assert!(each < 2_048, "{each} octets a tunnel with a session");
    for end in &direct.ends {
        let counts = end.counts();
        assert_eq!((counts.tunnels, counts.sessions, counts.half_open), (100_000, 100_000, 0));
        assert!(end.tunnels().all(|tunnel| tunnel.state == TunnelState::Established));
        assert!(end.sessions().all(|session| session.state == CallState::Established));
        let mut ids: Vec<_> = end.tunnels().map(|t| (t.link, t.local_tunnel_id)).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 100_000);
    }
    // A round of HELLOs.
    for _ in 0..70 {
        direct.wait(Duration::from_secs(1));
    }
    assert_eq!(direct.ends[LNS].counts().sessions, 100_000);
    let all: Vec<_> = direct.ends[LAC].tunnels().map(|tunnel| tunnel.tunnel).collect();
    for tunnel in all {
        direct.close(tunnel);
    }
    direct.wait(Duration::from_secs(32));
    direct.wait(Duration::from_secs(32));
    for end in &direct.ends {
        assert_eq!((end.counts().tunnels, end.poll_timeout()), (0, None));
    }
}

#[test]
fn a_half_open_tunnel_costs_little() {
    let config = || TunnelConfig::new("host.example").secret("s3cret");
    let limits = Limits { half_open_per_source: 1_000, ..Limits::default() };
    let mut lac = endpoint(client(config()), 1);
    let mut lns = endpoint(server(config()).limits(limits), 2);
    let path = Pair::path(LAC);
    let mut sccrqs = Vec::new();
    for _ in 0..1_000 {
        lac.open_tunnel(Instant::ZERO, LinkId::PLAIN, path, config()).unwrap();
        let mut buf = Vec::new();
        let _ = lac.poll_transmit(Instant::ZERO, &mut buf).unwrap();
        sccrqs.push(buf);
    }
    let spent = octets(|| {
        let mut buf = Vec::new();
        for sccrq in &sccrqs {
            let path = Pair::path(LNS);
            let _ = lns.handle_datagram(Instant::ZERO, LinkId::PLAIN, path, sccrq);
            let _ = lns.poll_transmit(Instant::ZERO, &mut buf).unwrap();
            buf.clear();
        }
    });
    assert_eq!(lns.counts().half_open, 1_000);
    let each = spent / 1_000;
    println!("{each} octets a half-open tunnel");
    assert!(each <= 2_048, "{each} octets a half-open tunnel");
}

/// Connects and disconnects `cycles` times; what is kept must not grow.
fn churn(cycles: u32) {
    let mut direct = Direct::new();
    let step = |direct: &mut Direct| {
        let tunnel = direct.connect(LinkId::PLAIN).unwrap();
        direct.wait(Duration::from_millis(20));
        direct.close(tunnel);
        direct.wait(Duration::from_millis(20));
    };
    // A closed tunnel is kept for 31 s, and its ID for 31 s more.
    for _ in 0..5_000 {
        step(&mut direct);
    }
    let grown = octets(|| {
        for _ in 0..cycles {
            step(&mut direct);
        }
    });
    assert!(grown.abs() < 64 * 1024, "{grown} octets more after {cycles} cycles");
    direct.wait(Duration::from_secs(62));
    direct.wait(Duration::from_secs(62));
    for end in &direct.ends {
        assert_eq!((end.counts().tunnels, end.counts().sessions), (0, 0));
        assert_eq!(end.poll_timeout(), None);
    }
}

#[test]
fn memory_stays_flat_under_churn() {
    churn(5_000);
}

#[test]
#[ignore = "takes a minute: the soak"]
fn memory_stays_flat_under_a_million_cycles() {
    churn(1_000_000);
}

#[test]
fn sessions_come_and_go_in_one_tunnel() {
    let mut direct = Direct::new();
    let tunnel = direct.connect(LinkId::PLAIN).unwrap();
    let cycle = |direct: &mut Direct| {
        let connected = Some(ConnectedCall::default());
        let call = IncomingCall::default();
        let session = direct.ends[LAC].open_session(direct.now, tunnel, call, connected).unwrap();
        direct.settle();
        assert_eq!(direct.ends[LNS].counts().sessions, 2);
        let result = l2tp_control::CallResult::new(l2tp_wire::CdnResult::ADMINISTRATIVE);
        direct.ends[LAC].close_session(direct.now, session, result);
        direct.settle();
    };
    // All at one time: IDs that come free early keep it going.
    for _ in 0..70_000 {
        cycle(&mut direct);
    }
    assert_eq!(direct.ends[LNS].counts().sessions, 1);
}
