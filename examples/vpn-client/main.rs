//! An L2TP client on a TUN device, driven by tokio.
//!
//! ```sh
//! sudo target/release/examples/vpn-client --server 192.0.2.1 --user alice \
//!     --password wonderland --route 10.0.0.0/8 --plain
//! ```

mod routes;
#[path = "../vpn/mod.rs"]
mod vpn;

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ipnet::IpNet;
use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::Connected;
use l2tp_ipsec::DisconnectReason;
use serde_json::Value;
use vpn_crypto::OsRandom;

use routes::Routes;
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

/// An L2TP client (LAC) that carries this machine's IP packets through a TUN device.
#[derive(Parser)]
#[command(name = "vpn-client", version)]
struct Options {
    /// The server's address, with an optional port
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address_with_port)]
    server: SocketAddr,
    /// Who logs in
    #[arg(long, value_name = "NAME")]
    user: String,
    /// The user's password
    #[arg(long, value_name = "P")]
    password: String,
    /// Networks to send through the tunnel, beside the server's own address in it
    #[arg(long = "route", value_name = "CIDR", num_args = 1..)]
    routes: Vec<IpNet>,
    #[command(flatten)]
    common: Common,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let report = options.common.start_output();
    match run(&options, report).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vpn-client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options, report: Report) -> Result<(), Box<dyn Error>> {
    let config = ClientConfig::plain_l2tp(options.server).user(&options.user, &options.password);
    let config = apply_common!(config, options.common);
    let mut client = Client::new(config, vpn_crypto::provider(), Box::new(OsRandom))?;
    let mut udp = Udp::bind(SocketAddr::new(source_for(options.server)?, 0))?;
    client.connect(clock::now(), udp.local())?;

    let plane = client.data_plane();
    let mut packet = Outbound::new(&plane);
    let mut driver = Driver { client, tun: None, up: None, down: None };
    let mut stop = shutdown::signals()?;
    let mut asked_to_stop = false;
    let mut routes = None;
    let mut failure = None;
    let mut out = Vec::new();
    let reason = loop {
        driver.drain(&udp, &mut out);
        if let Some(reason) = driver.down.take() {
            break reason;
        }
        if let Some(up) = driver.up.take() {
            // After a change of addresses the old device goes first.
            unplug(&mut driver.tun, &mut routes).await;
            match plug_in(options, &up).await {
                Ok((tun, added)) => {
                    report.event("READY", &ready(&up, &tun));
                    driver.tun = Some(tun);
                    routes = Some(added);
                }
                Err(error) => {
                    failure = Some(error);
                    driver.client.disconnect(clock::now());
                    continue;
                }
            }
        }
        let timeout = driver.client.poll_timeout();
        let tun = driver.tun.as_ref();
        tokio::select! {
            received = udp.recv(|batch| data::receive(&plane, tun, batch, |origin, message| {
                let handled = driver.client.handle_opened(clock::now(), origin, message);
                tracing::trace!(?handled);
            })) => received?,
            len = read(tun, packet.inside()) => packet.forward(&plane, &udp, len?),
            () = clock::sleep_until(timeout) => driver.client.handle_timeout(clock::now()),
            () = stop.wait() => {
                asked_to_stop = true;
                tracing::info!("closing the session");
                driver.client.disconnect(clock::now());
                tokio::spawn(shutdown::give_up_after(Duration::from_secs(10)));
            }
        }
    };
    let was_up = driver.tun.is_some();
    unplug(&mut driver.tun, &mut routes).await;
    report.event("DISCONNECTED", &[("reason", reason.explain().into())]);
    if let Some(error) = failure {
        return Err(error.into());
    }
    if asked_to_stop && was_up { Ok(()) } else { Err(reason.explain().into()) }
}

/// The local address that packets to `server` leave from.
fn source_for(server: SocketAddr) -> Result<IpAddr, Box<dyn Error>> {
    let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let probe = std::net::UdpSocket::bind(SocketAddr::new(any, 0))?;
    probe.connect(server).map_err(|error| format!("no way to reach {server}: {error}"))?;
    Ok(probe.local_addr()?.ip())
}

/// Removes the TUN device and what would outlive it.
async fn unplug(tun: &mut Option<Tun>, routes: &mut Option<Routes>) {
    if let Some(mut routes) = routes.take() {
        routes.remove().await;
    }
    *tun = None;
}

/// Makes the TUN device with the address and routes of the session.
async fn plug_in(options: &Options, up: &Connected) -> io::Result<(Tun, Routes)> {
    let tun = Tun::create(options.common.tun.as_deref(), up.mtu).await?;
    tun.set_up(IpAddr::V4(up.local_address), 32, up.mtu).await?;
    let mut routes = Routes::of(&tun);
    if let Err(error) = add_routes(options, up, &mut routes).await {
        routes.remove().await;
        return Err(error);
    }
    Ok((tun, routes))
}

async fn add_routes(options: &Options, up: &Connected, routes: &mut Routes) -> io::Result<()> {
    routes.add(IpNet::from(IpAddr::V4(up.peer_address))).await?;
    let server = options.server.ip();
    if options.routes.iter().any(|route| route.contains(&server)) {
        routes.pin(server).await?;
    }
    for route in &options.routes {
        routes.add(*route).await?;
    }
    Ok(())
}

fn ready(up: &Connected, tun: &Tun) -> [(&'static str, Value); 5] {
    let dns: Vec<_> = up.dns.iter().flatten().map(Ipv4Addr::to_string).collect();
    [
        ("local", up.local_address.to_string().into()),
        ("remote", up.peer_address.to_string().into()),
        ("dns", dns.into()),
        ("mtu", up.mtu.into()),
        ("tun", tun.name().into()),
    ]
}

async fn read(tun: Option<&Tun>, buf: &mut [u8]) -> io::Result<usize> {
    match tun {
        Some(tun) => tun.recv(buf).await,
        None => std::future::pending().await,
    }
}

struct Driver {
    client: Client,
    tun: Option<Tun>,
    up: Option<Connected>,
    down: Option<DisconnectReason>,
}

impl Driver {
    /// Sends what the client has to send and notes what it has to tell.
    fn drain(&mut self, udp: &Udp, out: &mut Vec<u8>) {
        out.clear();
        while let Some(transmit) = self.client.poll_transmit(clock::now(), out) {
            udp.send(&transmit.path, out);
            out.clear();
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Connected(up) | ClientEvent::Changed(up) => self.up = Some(up),
                ClientEvent::Disconnected { reason } => self.down = Some(reason),
                ClientEvent::Packet { packet } => {
                    if let Some(tun) = &self.tun {
                        tun.send(&packet);
                    }
                }
                ClientEvent::Trace(trace) => tracing::debug!(%trace),
                other => tracing::info!(?other),
            }
        }
    }
}
