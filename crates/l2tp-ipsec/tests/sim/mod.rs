//! Clients and a server on a simulated network, for all the tests beside it.
//!
//! With `SIM_TRACE=1` in the environment a test prints every message and PPP packet.
#![allow(dead_code, unreachable_pub, unused_imports)]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::print_stdout, clippy::std_instead_of_alloc)]

mod host;
pub mod packet;
pub mod wire;
mod world;

use core::net::Ipv4Addr;
use core::net::SocketAddr;
use core::time::Duration;

use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::Users;

pub use host::Host;
pub use world::World;

/// Where every server of the tests listens.
pub const SERVER: &str = "192.0.2.1:1701";

/// The server's own address inside the tunnels.
pub const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);

/// The time by which everything that is dead must have been noticed and forgotten: a HELLO and its
/// repeats, then the retained period.
pub const NOTICED: Duration = Duration::from_secs(60 + 31 + 31);

pub fn server_address() -> SocketAddr {
    SERVER.parse().unwrap()
}

pub fn server_config() -> ServerConfig {
    ServerConfig::plain_l2tp().pool("10.9.0.0/16".parse().unwrap()).trace(tracing())
}

pub fn client_config() -> ClientConfig {
    ClientConfig::plain_l2tp(server_address()).user("alice", "wonderland").trace(tracing())
}

/// The key that everybody has.
pub const PSK: &str = "5Vf1yGqM9zPtR0sWc3XbNa";

pub fn secure_server_config() -> ServerConfig {
    ServerConfig::new(PSK).pool("10.9.0.0/16".parse().unwrap()).trace(tracing())
}

pub fn secure_client_config() -> ClientConfig {
    ClientConfig::new(server_address().ip(), PSK).user("alice", "wonderland").trace(tracing())
}

pub fn users() -> Users {
    Users::new().user("alice", "wonderland")
}

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn tracing() -> bool {
    std::env::var_os("SIM_TRACE").is_some()
}
