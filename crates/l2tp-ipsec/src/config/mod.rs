//! What a client and a server are told before they start.

mod client;
mod common;
mod lac;
mod server;

use core::net::Ipv4Addr;

use thiserror::Error;

pub use client::ClientConfig;
pub(crate) use client::L2TP_PORT;
pub(crate) use common::Common;
pub use lac::LacConfig;
pub use server::ServerConfig;

/// Why a configuration can't be used.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ConfigError {
    /// A server has no addresses to give.
    #[error("the server has no address pool: set one with pool(\"10.9.0.0/24\".parse()?)")]
    NoPool,
    /// A user is to get the address that the server has itself.
    #[error("{0} is the server's own address, so no user can have it")]
    UserAtServer(Ipv4Addr),
    /// No way for users to prove who they are.
    #[error("no authentication method is allowed: set at least one with auth([…])")]
    NoAuth,
    /// A client has no user to log in as.
    #[error("the client has no user name: set one with user(name, password)")]
    NoUser,
    /// The MTU is outside of what IP and PPP can do.
    #[error("the MTU is {0}; it must be from 576 to 1500")]
    Mtu(u16),
    /// The MTU of the network below leaves no room.
    #[error("the path MTU is {0}; it must be at least 576")]
    PathMtu(u16),
    /// IPsec can't work like this.
    #[error("IPsec: {0}")]
    Ipsec(#[from] ipsec_ike::ConfigError),
    /// AVPs can't be hidden without a secret that both ends know (RFC 2661 §4.3).
    #[error("hidden AVPs need a tunnel secret: set one with tunnel_secret(…)")]
    HideWithoutSecret,
    /// A tunnel secret without octets authenticates nobody.
    #[error("the tunnel secret is empty")]
    EmptySecret,
}
