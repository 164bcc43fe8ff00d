//! An L2TP server on a TUN device, driven by tokio.
//!
//! ```sh
//! sudo target/release/examples/vpn-server --listen 192.0.2.1 --user alice:wonderland \
//!     --pool 10.99.0.0/24 --dns 10.99.0.1 --plain
//! ```

#[path = "../vpn/mod.rs"]
mod vpn;

use std::error::Error;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use l2tp_ipsec::AddressPool;
use l2tp_ipsec::Connected;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::Users;
use serde_json::Value;
use vpn_crypto::OsRandom;

use vpn::clock;
use vpn::data;
use vpn::data::Outbound;
use vpn::options::Common;
use vpn::options::address_with_port;
use vpn::options::apply_common;
use vpn::report::Report;
use vpn::shutdown;
use vpn::tun::Tun;
use vpn::udp::Udp;

/// An L2TP server (LNS) that carries its clients' IP packets through a TUN device.
#[derive(Parser)]
#[command(name = "vpn-server", version)]
struct Options {
    /// The address to listen on, with an optional port
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address_with_port)]
    listen: SocketAddr,
    /// A user who may log in (repeat for more)
    #[arg(long = "user", value_name = "NAME:PASSWORD", required = true, num_args = 1.., value_parser = user_and_password)]
    users: Vec<(String, String)>,
    /// The addresses for clients; the server takes the first
    #[arg(long, value_name = "CIDR")]
    pool: AddressPool,
    /// DNS servers that clients are told of (at most two)
    #[arg(long, value_name = "IP", num_args = 1..=2)]
    dns: Vec<Ipv4Addr>,
    #[command(flatten)]
    common: Common,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let report = options.common.start_output();
    match run(options, report).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vpn-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options, report: Report) -> Result<(), Box<dyn Error>> {
    let mut config = ServerConfig::plain_l2tp().pool(options.pool.clone()).dns(options.dns);
    config = apply_common!(config, options.common);
    let mut users = Users::new();
    for (name, password) in &options.users {
        users = users.user(name, password);
    }
    let server = Server::new(config, users, vpn_crypto::provider(), Box::new(OsRandom))?;
    let plane = server.data_plane();

    let mut udp = Udp::bind(options.listen)
        .map_err(|error| format!("can't listen on {}: {error}", options.listen))?;
    let tun = Tun::create(options.common.tun.as_deref(), options.common.mtu).await?;
    let own = IpAddr::V4(options.pool.server());
    tun.set_up(own, options.pool.prefix(), options.common.mtu).await?;
    report
        .event("READY", &[("listen", udp.local().to_string().into()), ("tun", tun.name().into())]);

    let mut packet = Outbound::new(&plane);
    let mut driver = Driver { server, tun: &tun, report, drained: false };
    let mut stop = shutdown::signals()?;
    let mut out = Vec::new();
    loop {
        driver.drain(&udp, &mut out);
        if driver.drained {
            return Ok(());
        }
        let timeout = driver.server.poll_timeout();
        tokio::select! {
            received = udp.recv(|batch| data::receive(&plane, Some(&tun), batch, |origin, message| {
                let handled = driver.server.handle_opened(clock::now(), origin, message);
                tracing::trace!(?handled);
            })) => received?,
            len = tun.recv(packet.inside()) => packet.forward(&plane, &udp, len?),
            () = clock::sleep_until(timeout) => driver.server.handle_timeout(clock::now()),
            () = stop.wait() => {
                tracing::info!("closing every session");
                driver.server.drain(clock::now());
                tokio::spawn(shutdown::give_up_after(Duration::from_secs(10)));
            }
        }
    }
}

fn session(up: &Connected) -> [(&'static str, Value); 5] {
    [
        ("user", up.user.as_str().into()),
        ("peer", up.path.remote.to_string().into()),
        ("address", up.peer_address.to_string().into()),
        ("auth", up.auth.map(|auth| auth.to_string()).into()),
        ("mtu", up.mtu.into()),
    ]
}

struct Driver<'a> {
    server: Server,
    tun: &'a Tun,
    report: Report,
    drained: bool,
}

impl Driver<'_> {
    /// Sends what the server has to send and tells what it has to tell.
    fn drain(&mut self, udp: &Udp, out: &mut Vec<u8>) {
        out.clear();
        while let Some(transmit) = self.server.poll_transmit(clock::now(), out) {
            udp.send(&transmit.path, out);
            out.clear();
        }
        while let Some(event) = self.server.poll_event() {
            self.tell(event);
        }
    }

    fn tell(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Connected(up) => self.report.event("CONNECTED", &session(&up)),
            ServerEvent::Changed(up) => self.report.event("CHANGED", &session(&up)),
            ServerEvent::Disconnected(down) => self.report.event(
                "DISCONNECTED",
                &[
                    ("user", down.user.into()),
                    ("peer", down.path.remote.to_string().into()),
                    ("reason", down.reason.explain().into()),
                    ("rx_octets", down.counters.rx_octets.into()),
                    ("tx_octets", down.counters.tx_octets.into()),
                ],
            ),
            ServerEvent::Refused { path, reason } => self.report.event(
                "REFUSED",
                &[
                    ("peer", path.map(|path| path.remote.to_string()).into()),
                    ("reason", reason.explain().into()),
                ],
            ),
            ServerEvent::Packet { packet, .. } => self.tun.send(&packet),
            ServerEvent::Trace(trace) => tracing::debug!(%trace),
            ServerEvent::Drained => self.drained = true,
            other => tracing::info!(?other),
        }
    }
}

/// Parses `NAME:PASSWORD`.
fn user_and_password(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, password)) if !name.is_empty() => Ok((name.into(), password.into())),
        _ => Err("a user is written NAME:PASSWORD".into()),
    }
}
