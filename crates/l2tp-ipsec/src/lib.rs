//! L2TP/IPsec as sans-IO state machines: [`Client`] and [`Server`], and for an access network the
//! [`Lac`], which takes its subscribers' PPP to a server.
//!
//! This release speaks L2TP in clear; IPsec is not part of it yet. L2TP in clear protects nothing,
//! so it is reached only through constructors of that name.
//!
//! A machine opens no socket and reads no clock. The driver, whatever runtime it uses, passes in
//! datagrams and the time, and takes out datagrams, events and the next deadline:
//!
//! ```
//! use core::net::SocketAddr;
//!
//! use l2tp_ipsec::{Client, ClientConfig, ClientEvent, Server, ServerConfig, Users};
//! use vpn_core::{Instant, Path};
//! use vpn_crypto::OsRandom; // feature `os-random`
//!
//! let (a, b): (SocketAddr, SocketAddr) =
//!     ("192.0.2.1:1701".parse()?, "192.0.2.2:40000".parse()?);
//! let config = ServerConfig::plain_l2tp().pool("10.9.0.0/24".parse()?);
//! let users = Users::new().user("alice", "wonderland");
//! let mut server = Server::new(config, users, vpn_crypto::provider(), Box::new(OsRandom))?;
//!
//! let config = ClientConfig::plain_l2tp(a).user("alice", "wonderland");
//! let mut client = Client::new(config, vpn_crypto::provider(), Box::new(OsRandom))?;
//! client.connect(Instant::ZERO, b)?;
//!
//! // A network without loss or delay: carry datagrams until both are silent.
//! let mut datagram = Vec::new();
//! let mut address = None;
//! while address.is_none() {
//!     while client.poll_transmit(Instant::ZERO, &mut datagram).is_some() {
//!         let _ = server.handle_datagram(Instant::ZERO, Path::l2tp(a, b), &mut datagram);
//!         datagram.clear();
//!     }
//!     while server.poll_transmit(Instant::ZERO, &mut datagram).is_some() {
//!         let _ = client.handle_datagram(Instant::ZERO, Path::l2tp(b, a), &mut datagram);
//!         datagram.clear();
//!     }
//!     while let Some(event) = client.poll_event() {
//!         if let ClientEvent::Connected(up) = event {
//!             address = Some(up.local_address);
//!         }
//!     }
//! }
//! assert_eq!(address, Some("10.9.0.2".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Control is single-owner. IP packets move through the [`DataPlane`], a handle that is cheap to
//! clone and that any thread may use: it opens and seals batches of packets in place.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod client;
mod config;
mod event;
mod ip;
mod lac;
mod lock;
mod mss;
mod plane;
mod pool;
mod reason;
mod server;
mod stack;
mod trace;
mod users;

pub use client::Client;
pub use client::ConnectError;
pub use config::ClientConfig;
pub use config::ConfigError;
pub use config::LacConfig;
pub use config::ServerConfig;
pub use event::ClientEvent;
pub use event::Connected;
pub use event::Counters;
pub use event::Disconnected;
pub use event::ServerEvent;
pub use event::SessionStatus;
pub use l2tp_control::SessionHandle as SessionId;
pub use lac::Lac;
pub use lac::LacEvent;
pub use lac::SubscriberError;
pub use lac::SubscriberId;
pub use plane::DataPlane;
pub use plane::Inbound;
pub use plane::Origin;
pub use plane::Plane;
pub use plane::SealError;
pub use pool::AddressPool;
pub use pool::PoolError;
pub use ppp_core::AuthMethod;
pub use reason::DisconnectReason;
pub use reason::LocalReason;
pub use server::Server;
pub use trace::PppStep;
pub use trace::Step;
pub use trace::Trace;
pub use users::Users;
