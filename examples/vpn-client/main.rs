//! An L2TP/IPsec client on a TUN device, driven by tokio.
//!
//! ```sh
//! sudo target/release/examples/vpn-client --server 192.0.2.1 --psk 'a long random text' \
//!     --user alice --password wonderland --route 10.0.0.0/8
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
use std::rc::Rc;
use std::time::Duration;

use clap::Parser;
use ipnet::IpNet;
use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::Connected;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::ike::Encapsulation;
use serde_json::Value;
use vpn_core::Path;
use vpn_crypto::OsRandom;

use routes::Routes;
use vpn::clock;
use vpn::data;
use vpn::data::Outbound;
use vpn::ipsec;
use vpn::keylog::KeyFolder;
use vpn::options::Common;
use vpn::options::address_with_port;
use vpn::options::apply_common;
use vpn::report::Report;
use vpn::shutdown;
use vpn::sockets::Sockets;
use vpn::tap::Direction;
use vpn::tap::Tap;
use vpn::tun::Tun;

/// An L2TP/IPsec client (LAC) that carries this machine's IP packets through a TUN device.
#[derive(Parser)]
#[command(name = "vpn-client", version)]
struct Options {
    /// The server's address; the optional port is that of --plain
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
    let tap = Rc::new(options.common.ipsec.tap()?);
    let keys = options.common.ipsec.key_folder()?;
    let mut sockets = Sockets::new(Rc::clone(&tap));
    let (config, local) = bind(options, &mut sockets)?;
    let config = apply_common!(config, options.common).user(&options.user, &options.password);
    let mut client = Client::new(config, vpn_crypto::provider(), Box::new(OsRandom))?;
    client.set_unix_time(clock::now(), clock::unix_seconds());
    client.connect(clock::now(), local)?;

    let plane = client.data_plane();
    let mut packet = Outbound::new(&plane);
    let mut driver = Driver { client, tun: None, keys, tap: &tap, report, up: None, down: None };
    let mut stop = shutdown::signals()?;
    let mut hour = clock::hourly();
    let mut asked_to_stop = false;
    let mut routes = None;
    let mut failure = None;
    let mut out = Vec::new();
    let reason = loop {
        driver.drain(&sockets, &mut out);
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
            received = sockets.recv(|batch| {
                data::receive(&plane, tun, &tap, batch, |kind, path, message| {
                    handle(&mut driver.client, kind, path, message);
                });
            }) => received?,
            len = read(tun, packet.inside()) => packet.forward(&plane, &sockets, &tap, len?),
            () = clock::sleep_until(timeout) => driver.client.handle_timeout(clock::now()),
            _ = hour.tick() => driver.client.set_unix_time(clock::now(), clock::unix_seconds()),
            () = stop.wait() => {
                asked_to_stop = true;
                tracing::info!("closing the session");
                driver.client.disconnect(clock::now());
                tokio::spawn(shutdown::give_up_after(Duration::from_secs(10)));
            }
        }
        if plane.needs_control() {
            driver.client.handle_timeout(clock::now());
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

/// Binds the sockets that the options ask for, and begins the configuration. The address is that of
/// IKE, or of L2TP where it goes in clear.
fn bind(
    options: &Options,
    sockets: &mut Sockets,
) -> Result<(ClientConfig, SocketAddr), Box<dyn Error>> {
    let ipsec = &options.common.ipsec;
    let ip = source_for(options.server)?;
    if ipsec.is_wanted() && options.common.plain {
        return Err(
            "--plain leaves no place for --psk or --cert: a client speaks one or the other".into(),
        );
    }
    if !ipsec.is_wanted() {
        let local = sockets.open_l2tp(SocketAddr::new(ip, 0))?;
        return Ok((ClientConfig::plain_l2tp(options.server), local));
    }
    let mut encapsulation = ipsec.encapsulation();
    let [local, nat_t] = match sockets.open_ike(ip, 500, 4500) {
        Ok(bound) => bound,
        // Another IPsec program has the ports, or we have no right to them. Any others will do.
        Err(error) => {
            tracing::info!(%error, "IKE leaves from other ports");
            if encapsulation == Encapsulation::Auto {
                encapsulation = Encapsulation::Force;
            }
            sockets.open_ike(ip, 0, 0)?
        }
    };
    let encapsulation = sockets.open_esp(ip, encapsulation)?;
    let certificates = ipsec.certificates()?;
    let config = match &ipsec.psk {
        Some(psk) => ClientConfig::new(options.server.ip(), psk),
        None => ClientConfig::plain_l2tp(options.server),
    };
    let config = config
        .ike_port(ipsec.ike_port)
        .nat_t_ports(nat_t.port(), ipsec.nat_t_port)
        .ipsec(|config| ipsec.apply(config, certificates, encapsulation))
        .key_log(ipsec.needs_keys());
    Ok((config, local))
}

/// Hands over a message that the data plane has found.
fn handle(client: &mut Client, kind: Inbound, path: Path, message: &mut [u8]) {
    let handled = match kind {
        Inbound::Control(origin) => client.handle_opened(clock::now(), origin, message),
        _ => client.handle_datagram(clock::now(), path, message),
    };
    tracing::trace!(?handled);
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

struct Driver<'a> {
    client: Client,
    tun: Option<Tun>,
    keys: Option<KeyFolder>,
    tap: &'a Tap,
    report: Report,
    up: Option<Connected>,
    down: Option<DisconnectReason>,
}

impl Driver<'_> {
    /// Sends what the client has to send and notes what it has to tell.
    fn drain(&mut self, sockets: &Sockets, out: &mut Vec<u8>) {
        out.clear();
        let mut transmits = Vec::new();
        while let Some(transmit) = self.client.poll_transmit(clock::now(), out) {
            transmits.push(transmit);
        }
        // Keys are told before the first packet that needs them is recorded.
        self.note_all();
        sockets.send_all(&transmits, out);
        self.tap.flush();
    }

    fn note_all(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.note(event);
        }
    }

    fn note(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Connected(up) | ClientEvent::Changed(up) => self.up = Some(up),
            ClientEvent::Disconnected { reason } => self.down = Some(reason),
            ClientEvent::PeerUp(info) => self.report.event("PEER", &ipsec::peer(&info)),
            ClientEvent::Moved { path } => {
                self.report.event("MOVED", &[("peer", path.remote.to_string().into())]);
            }
            ClientEvent::KeyLog(key) => ipsec::note_key(&key, self.keys.as_ref(), self.tap),
            ClientEvent::Packet { packet } => {
                if let Some(tun) = &self.tun {
                    self.tap.inner(Direction::In, &packet);
                    tun.send(&packet);
                }
            }
            ClientEvent::Trace(trace) => tracing::debug!(%trace),
            other => tracing::info!(?other),
        }
    }
}
