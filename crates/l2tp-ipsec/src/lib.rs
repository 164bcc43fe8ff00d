//! L2TP/IPsec as sans-IO state machines: [`Client`] and [`Server`], and for an access network the
//! [`Lac`], which takes its subscribers' PPP to a server.
//!
//! Both speak the whole protocol: IKEv1 with NAT traversal on UDP 500 and 4500, ESP in transport
//! mode, the L2TP tunnel and call inside it, and PPP with the user's log-in and addresses. L2TP in
//! clear protects nothing, so it is reached only through constructors of that name.
//!
//! A machine opens no socket and reads no clock. The driver, whatever runtime it uses, passes in
//! datagrams and the time, and takes out datagrams, events and the next deadline:
//!
//! ```
//! use core::net::IpAddr;
//!
//! use l2tp_ipsec::{Client, ClientConfig, ClientEvent, Server, ServerConfig, Users};
//! use vpn_core::{Instant, Path};
//! use vpn_crypto::OsRandom; // feature `os-random`
//!
//! let psk = "AQIDjHkfV0xWn5Yt2mQzLw"; // 128 random bits
//! let config = ServerConfig::new(psk).pool("10.9.0.0/24".parse()?);
//! let users = Users::new().user("alice", "wonderland");
//! let mut server = Server::new(config, users, vpn_crypto::provider(), Box::new(OsRandom))?;
//!
//! let address: IpAddr = "192.0.2.1".parse()?;
//! let config = ClientConfig::new(address, psk).user("alice", "wonderland");
//! let mut client = Client::new(config, vpn_crypto::provider(), Box::new(OsRandom))?;
//! client.connect(Instant::ZERO, "192.0.2.2:500".parse()?)?;
//!
//! // A network without loss or delay: carry datagrams until both are silent. What one sends over
//! // a path comes to the other over the same path, seen from its own end.
//! let seen = |path: Path| Path { local: path.remote, remote: path.local, ..path };
//! let mut datagram = Vec::new();
//! let mut address = None;
//! while address.is_none() {
//!     while let Some(sent) = client.poll_transmit(Instant::ZERO, &mut datagram) {
//!         let _ = server.handle_datagram(Instant::ZERO, seen(sent.path), &mut datagram);
//!         datagram.clear();
//!     }
//!     while let Some(sent) = server.poll_transmit(Instant::ZERO, &mut datagram) {
//!         let _ = client.handle_datagram(Instant::ZERO, seen(sent.path), &mut datagram);
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
//! A driver has up to four sockets, which a [`Path`](vpn_core::Path) tells apart by their role: UDP
//! 500, UDP 4500, IP protocol 50 for ESP without a NAT (or, without the right to open a raw socket,
//! none: set the encapsulation to [`Force`](ike::Encapsulation::Force)), and UDP 1701 for L2TP in
//! clear.
//!
//! # Who a peer is
//!
//! A peer is known by the security associations that it made, never by its address: a thousand
//! clients behind one NAT, all with inner port 1701, are a thousand peers. IKE proves a machine, or
//! whoever has the key ([`ServerEvent::PeerUp`]); PPP proves the user ([`Connected::user`]). Whoever
//! may use a tunnel and has another user's password can log in as that user (RFC 3193 §5.1).
//!
//! # Moving packets
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
mod keylog;
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
pub use event::Security;
pub use event::ServerEvent;
pub use event::SessionStatus;
pub use ipsec_ike as ike;
pub use keylog::EspKeys;
pub use keylog::KeyLog;
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
