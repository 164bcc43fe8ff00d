//! An L2TP/IPsec server on a TUN device, driven by tokio.
//!
//! ```sh
//! sudo target/release/examples/vpn-server --listen 192.0.2.1 --psk 'a long random text' \
//!     --user alice:wonderland --pool 10.99.0.0/24 --dns 10.99.0.1
//! ```

#[path = "../vpn/mod.rs"]
mod vpn;

use std::error::Error;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use clap::Parser;
use l2tp_ipsec::AddressPool;
use l2tp_ipsec::Connected;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::Users;
use serde_json::Value;
use vpn_core::Path;
use vpn_crypto::OsRandom;

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
use vpn::tap::Tap;
use vpn::tun::Tun;

/// An L2TP/IPsec server (LNS) that carries its clients' IP packets through a TUN device.
#[derive(Parser)]
#[command(name = "vpn-server", version)]
struct Options {
    /// The address to listen on; the optional port is that of --plain
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
    let tap = Rc::new(options.common.ipsec.tap()?);
    let keys = options.common.ipsec.key_folder()?;
    let mut sockets = Sockets::new(Rc::clone(&tap));
    let (config, listen) = listen(&options, &mut sockets)?;
    let config = apply_common!(config, options.common).pool(options.pool.clone()).dns(options.dns);
    let mut users = Users::new();
    for (name, password) in &options.users {
        users = users.user(name, password);
    }
    let server = Server::new(config, users, vpn_crypto::provider(), Box::new(OsRandom))?;
    let plane = server.data_plane();

    let tun = Tun::create(options.common.tun.as_deref(), options.common.mtu).await?;
    let own = IpAddr::V4(options.pool.server());
    tun.set_up(own, options.pool.prefix(), options.common.mtu).await?;
    report.event("READY", &[("listen", listen.to_string().into()), ("tun", tun.name().into())]);

    let mut packet = Outbound::new(&plane);
    let mut driver = Driver { server, tun: &tun, keys, tap: &tap, report, drained: false };
    let mut stop = shutdown::signals()?;
    let mut hour = clock::hourly();
    let mut out = Vec::new();
    loop {
        driver.drain(&sockets, &mut out);
        if driver.drained {
            return Ok(());
        }
        let timeout = driver.server.poll_timeout();
        tokio::select! {
            received = sockets.recv(|batch| {
                data::receive(&plane, Some(&tun), &tap, batch, |kind, path, message| {
                    handle(&mut driver.server, kind, path, message);
                });
            }) => received?,
            len = tun.recv(packet.inside()) => packet.forward(&plane, &sockets, &tap, len?),
            () = clock::sleep_until(timeout) => driver.server.handle_timeout(clock::now()),
            _ = hour.tick() => driver.server.set_unix_time(clock::now(), clock::unix_seconds()),
            () = stop.wait() => {
                tracing::info!("closing every session");
                driver.server.drain(clock::now());
                tokio::spawn(shutdown::give_up_after(Duration::from_secs(10)));
            }
        }
        if plane.needs_control() {
            driver.server.handle_timeout(clock::now());
        }
    }
}

/// Binds the sockets that the options ask for, and begins the configuration. The address is that of
/// IKE, or of L2TP where it goes in clear alone.
fn listen(
    options: &Options,
    sockets: &mut Sockets,
) -> Result<(ServerConfig, SocketAddr), Box<dyn Error>> {
    let (ipsec, plain) = (&options.common.ipsec, options.common.plain);
    let mut listen = options.listen;
    if plain {
        listen = sockets.open_l2tp(options.listen)?;
    }
    if !ipsec.is_wanted() {
        return Ok((ServerConfig::plain_l2tp(), listen));
    }
    let ip = options.listen.ip();
    let [listen, _] = sockets.open_ike(ip, ipsec.ike_port, ipsec.nat_t_port)?;
    let encapsulation = sockets.open_esp(ip, ipsec.encapsulation())?;
    let certificates = ipsec.certificates()?;
    let config = match &ipsec.psk {
        Some(psk) => ServerConfig::new(psk),
        None => ServerConfig::plain_l2tp(),
    };
    let config = config
        .plain_l2tp_too(plain)
        .ipsec(|config| ipsec.apply(config, certificates, encapsulation).respond(true))
        .key_log(ipsec.needs_keys());
    Ok((config, listen))
}

/// Hands over a message that the data plane has found.
fn handle(server: &mut Server, kind: Inbound, path: Path, message: &mut [u8]) {
    let handled = match kind {
        Inbound::Control(origin) => server.handle_opened(clock::now(), origin, message),
        _ => server.handle_datagram(clock::now(), path, message),
    };
    tracing::trace!(?handled);
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
    keys: Option<KeyFolder>,
    tap: &'a Tap,
    report: Report,
    drained: bool,
}

impl Driver<'_> {
    /// Sends what the server has to send and tells what it has to tell.
    fn drain(&mut self, sockets: &Sockets, out: &mut Vec<u8>) {
        out.clear();
        let mut transmits = Vec::new();
        while let Some(transmit) = self.server.poll_transmit(clock::now(), out) {
            transmits.push(transmit);
        }
        // Keys are told before the first packet that needs them is recorded.
        self.tell_all();
        sockets.send_all(&transmits, out);
        self.tap.flush();
    }

    fn tell_all(&mut self) {
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
            ServerEvent::PeerUp(info) => self.report.event("PEER", &ipsec::peer(&info)),
            ServerEvent::Moved { path } => {
                self.report.event("MOVED", &[("peer", path.remote.to_string().into())]);
            }
            ServerEvent::KeyLog(key) => ipsec::note_key(&key, self.keys.as_ref(), self.tap),
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
