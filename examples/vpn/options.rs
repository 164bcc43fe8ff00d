//! Options that client and server have alike.

use std::io;
use std::io::IsTerminal;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use clap::ValueEnum;
use ppp_core::AuthMethod;
use tracing_subscriber::EnvFilter;

use super::ipsec::Ipsec;
use super::report::Report;

/// UDP port of L2TP (RFC 2661 §8.1).
pub(crate) const L2TP_PORT: u16 = 1701;

#[derive(Args)]
pub(crate) struct Common {
    /// Authentication methods, best first [default: mschapv2,chap; with --plain: chap]
    #[arg(long, value_name = "METHOD,…", value_delimiter = ',')]
    pub(crate) auth: Vec<Auth>,
    /// A secret that both ends of the tunnel must prove to know
    #[arg(long, value_name = "S")]
    pub(crate) tunnel_secret: Option<String>,
    /// Hide the AVPs that may be hidden (needs --tunnel-secret)
    #[arg(long, requires = "tunnel_secret")]
    pub(crate) hide_avps: bool,
    /// The name of the TUN device; the kernel picks one unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) tun: Option<String>,
    /// The largest IP packet inside the tunnel
    #[arg(long, value_name = "N", default_value_t = 1400, value_parser = clap::value_parser!(u16).range(576..=1500))]
    pub(crate) mtu: u16,
    /// Seconds of silence before a tunnel asks whether its peer is there
    #[arg(long, value_name = "SECS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) hello: u64,
    /// Seconds of silence before a session asks whether its peer is there
    #[arg(long, value_name = "SECS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) echo: u64,
    /// L2TP in clear: nothing is encrypted and no packet is authenticated, so whoever is on the way
    /// can read, change and inject traffic. A server with --psk or --cert too takes both
    #[arg(long)]
    pub(crate) plain: bool,
    /// Print JSON objects instead of text lines
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ipsec: Ipsec,
}

/// An authentication method, as the command line names it.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Auth {
    /// The password in clear (RFC 1334)
    Pap,
    /// CHAP with MD5 (RFC 1994)
    Chap,
    /// MS-CHAPv2 (RFC 2759)
    Mschapv2,
}

impl From<Auth> for AuthMethod {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::Pap => Self::Pap,
            Auth::Chap => Self::ChapMd5,
            Auth::Mschapv2 => Self::MsChapV2,
        }
    }
}

impl Common {
    /// Sends logs to standard error (level by `RUST_LOG`, else `info`) and events to standard
    /// output.
    pub(crate) fn start_output(&self) -> Report {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .init();
        if self.plain {
            tracing::warn!("plain L2TP: nothing is encrypted and no packet is authenticated");
        }
        Report { json: self.json }
    }

    pub(crate) fn hello(&self) -> Duration {
        Duration::from_secs(self.hello)
    }

    pub(crate) fn echo(&self) -> Duration {
        Duration::from_secs(self.echo)
    }

    /// In clear MS-CHAPv2 can be broken by trials, so it takes IPsec to be offered by itself.
    pub(crate) fn auth(&self) -> Vec<AuthMethod> {
        let chosen = match (self.auth.as_slice(), self.plain) {
            ([], true) => &[Auth::Chap][..],
            ([], false) => &[Auth::Mschapv2, Auth::Chap],
            (chosen, _) => chosen,
        };
        chosen.iter().map(|auth| AuthMethod::from(*auth)).collect()
    }
}

/// Applies the shared options to a client's or server's configuration, which have the same setters.
macro_rules! apply_common {
    ($config:expr, $common:expr) => {{
        let common = &$common;
        let mut config = $config
            .auth(common.auth())
            .mtu(common.mtu)
            .hide_avps(common.hide_avps)
            .hello(common.hello())
            .echo(common.echo())
            .trace(true);
        if let Some(secret) = &common.tunnel_secret {
            config = config.tunnel_secret(secret);
        }
        config
    }};
}
pub(crate) use apply_common;

/// Parses `ADDR` or `ADDR:PORT`; IPv6 with a port is `[ADDR]:PORT`.
pub(crate) fn address_with_port(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    match text.parse::<IpAddr>() {
        Ok(ip) => Ok(SocketAddr::new(ip, L2TP_PORT)),
        Err(_) => Err("an IP address, with :PORT if it is not 1701, is needed here".into()),
    }
}
