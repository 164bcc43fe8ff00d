//! A whole VPN on one machine: a server and a client, two drivers over real UDP sockets on
//! 127.0.0.1: IKE, ESP in UDP, L2TP and PPP. No root, no set-up, nothing left behind.
//!
//! ```sh
//! cargo run --release --example loopback
//! ```

pub(crate) mod client;
mod net;
mod server;
pub(crate) mod timeline;

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ike::Encapsulation;
use serde_json::json;
use vpn_core::Socket;

use client::Traffic;
use net::Net;
use timeline::Timeline;

/// Runs a VPN server and a client against each other over 127.0.0.1, sends IP packets through the
/// tunnel and back, and prints what happened.
#[derive(Parser)]
#[command(name = "loopback", version)]
pub(crate) struct Options {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// L2TP in clear, without IPsec
    #[arg(long)]
    pub(crate) plain: bool,
    /// How many IP packets to send through the tunnel and back
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) packets: u32,
}

/// What both sides know of each other. A key for more than this should be long and random.
const PSK: &str = "only on this machine";

/// What the run came to.
pub(crate) struct Summary {
    local: Ipv4Addr,
    remote: Ipv4Addr,
    mtu: u16,
    set_up: Duration,
    pub(crate) traffic: Traffic,
    closed: &'static str,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let timeline = Timeline::new();
    let result = run(&options, &timeline);
    match (&result, options.json) {
        (Ok(summary), true) => println!("{}", as_json(summary, &timeline)),
        (Ok(summary), false) => {
            timeline.print();
            print(summary);
        }
        (Err(error), true) => println!("{}", json!({ "ok": false, "error": error.to_string() })),
        (Err(error), false) => {
            timeline.print();
            eprintln!("loopback: {error}");
        }
    }
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(crate) fn run(options: &Options, timeline: &Arc<Timeline>) -> Result<Summary, Box<dyn Error>> {
    let roles: &[_] = if options.plain { &[Socket::L2tp] } else { &[Socket::Ike, Socket::NatT] };
    let server_net = Net::bind(roles)?;
    let (address, nat_t_port) = (server_net.first()?, server_net.last_port()?);
    let (plain, packets) = (options.plain, options.packets);
    let server = {
        let timeline = Arc::clone(timeline);
        thread::spawn(move || server::run(&server_net, plain, &timeline).map_err(|e| e.to_string()))
    };
    let net = Net::bind(roles)?;
    let config = if plain {
        ClientConfig::plain_l2tp(address)
    } else {
        ClientConfig::new(address.ip(), PSK)
            .ike_port(address.port())
            .nat_t_ports(net.last_port()?, nat_t_port)
            .ipsec(|ipsec| ipsec.encapsulation(Encapsulation::Force))
            .key_log(true)
    };
    let summary = client::run(&net, config, packets, timeline);
    let served = server.join().map_err(|_| "the server's thread panicked")?;
    let summary = summary?;
    served?;
    Ok(summary)
}

fn print(summary: &Summary) {
    let Summary { local, remote, mtu, set_up, traffic, .. } = summary;
    let Traffic { sent, returned, octets, took } = traffic;
    let seconds = took.as_secs_f64();
    println!();
    println!("tunnel up in {:.1} ms: client {local}, server {remote}, MTU {mtu}", millis(*set_up));
    println!(
        "{sent} IP packets sent through the tunnel, {returned} came back, in {:.1} ms",
        millis(*took)
    );
    println!(
        "{:.0} packets/s, {:.0} Mbit/s of IP each way, one packet a system call",
        f64::from(*returned) / seconds,
        *octets as f64 * 8.0 / seconds / 1e6
    );
    println!("closed in order: {}", summary.closed);
}

fn as_json(summary: &Summary, timeline: &Timeline) -> serde_json::Value {
    let Summary { local, remote, mtu, set_up, traffic, .. } = summary;
    let Traffic { sent, returned, octets, took } = traffic;
    json!({
        "ok": true,
        "local": local,
        "remote": remote,
        "mtu": mtu,
        "set_up_ms": millis(*set_up),
        "packets_sent": sent,
        "packets_returned": returned,
        "octets_returned": octets,
        "traffic_ms": millis(*took),
        "packets_per_second": f64::from(*returned) / took.as_secs_f64(),
        "timeline": timeline.as_json(),
    })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
