//! IKEv1 (RFC 2407, 2408, 2409) with NAT traversal (RFC 3947), sans IO: who the peer is, and the
//! keys of ESP.
//!
//! An [`Endpoint`] connects to peers and answers them. It has no socket and no clock: a driver
//! passes datagrams and the time in, and takes datagrams, events and the next deadline out. It
//! knows nothing of ESP: what it negotiates comes out as a [`ChildSa`] with keys, SPIs and the path.
//!
//! ```
//! use ipsec_ike::{ConnectConfig, Endpoint, EndpointConfig, Event, PskSelector};
//! use vpn_core::{Instant, Path, Socket};
//! use vpn_netsim::SeededRandom;
//!
//! // A server and a client with one key. A product uses vpn_crypto::OsRandom.
//! let config = || EndpointConfig::new().psk(PskSelector::Any, "a long random text".into());
//! let provider = vpn_crypto::provider();
//! let random = |seed| Box::new(SeededRandom::new(seed));
//! let mut server = Endpoint::new(config().respond(true), provider, random(1))?;
//! let mut client = Endpoint::new(config(), provider, random(2))?;
//!
//! let (here, there) = ("192.0.2.1:500".parse()?, "192.0.2.2:500".parse()?);
//! let to_server = Path { socket: Socket::Ike, local: here, remote: there };
//! let to_client = Path { socket: Socket::Ike, local: there, remote: here };
//! let now = Instant::ZERO;
//! client.connect(now, ConnectConfig::new(there, here))?;
//!
//! // The network: what one sends, the other gets.
//! let mut datagram = Vec::new();
//! loop {
//!     if client.poll_transmit(now, &mut datagram).is_some() {
//!         let _ = server.handle_datagram(now, to_client, &datagram);
//!     } else if server.poll_transmit(now, &mut datagram).is_some() {
//!         let _ = client.handle_datagram(now, to_server, &datagram);
//!     } else {
//!         break;
//!     }
//!     datagram.clear();
//! }
//!
//! // Both are up, with the same keys.
//! let Some(Event::PeerUp { .. }) = client.poll_event() else { panic!() };
//! let Some(Event::ChildInstall(at_client)) = client.poll_event() else { panic!() };
//! let Some(Event::PeerUp { .. }) = server.poll_event() else { panic!() };
//! let Some(Event::ChildInstall(at_server)) = server.poll_event() else { panic!() };
//! assert_eq!(at_client.inbound.spi, at_server.outbound.spi);
//! assert_eq!(at_client.inbound.keymat.expose(), at_server.outbound.keymat.expose());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What is where
//!
//! | part | what it does |
//! |---|---|
//! | [`Endpoint`] | any number of peers and their SAs; the only thing that most users touch |
//! | [`Event`], [`CloseReason`] | what it reports, and why something ended, with a sentence for people |
//! | [`proposal`], [`identity`], [`vendor`] | what is negotiated, who a side is, what a peer runs |
//! | [`Message`], [`payload`], [`fragment`] | messages on the wire |
//! | [`v1`] | the keys, hashes and proofs of RFC 2409 |
//!
//! # What is chosen where the RFCs leave a choice
//!
//! - A request is sent 11 times within 48 s ([`Retransmission`]). In phase 1 only its initiator
//!   repeats; in quick mode both sides do.
//! - Peers are bundles of SAs by identity, remote address *and* port. INITIAL-CONTACT acts within
//!   such a bundle alone, though RFC 3947 §6 would have it act on the identity: clients behind one
//!   NAT name themselves by the same private address.
//! - Keys are renewed by either side after 85 to 90 % of their life, and before the old ones go.
//!   Pairs that were replaced receive for another 60 s. Where both sides renew at once, both keep
//!   the pair with the smaller SPIs, and the IKE SA with the smaller cookie.
//! - An IKE SA that ends takes no pair along. While there are pairs a new one is negotiated.
//! - Notifications in clear change nothing: they colour the reason of a failure.
//! - The Commit bit is never set, and ignored: RFC 2408 §3.1 would have us wait for a CONNECTED, but
//!   who sets it can use the pair already.
//! - What fails to decrypt is dropped without a word. An initiator whose message 5 stays
//!   unanswered on port 4500 sends a first message there, to tell a firewall from a wrong key.
//! - Aggressive mode is answered only where a setter with the word weak in it says so.
//! - Reserved octets of payloads are not looked at, although RFC 2408 §5.3 would have a message
//!   dropped for them, and trailing octets are cut off. A responder may answer an offer with a shorter
//!   lifetime, although RFC 2409 §5 takes any change for an error. Peers do both.
//! - An IKE SA joins a bundle only if it was proven by the same method and the same key, so that
//!   nobody with a key of its own gets into the bundle of another by claiming its identity.
//!
//! # What is left out
//!
//! Aggressive mode as initiator, authentication with public key encryption (RFC 2409 §5.2, §5.3: it
//! is what Bleichenbacher's attack on IKE needs), New Group Mode, XAUTH and Mode Config, AH and IPCOMP,
//! tunnel mode, PKCS #7 certificates, NAT traversal before draft 02, and notifications within quick
//! mode but for RESPONDER-LIFETIME. L2TP over IPsec has no use for them, or they are weak.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod admission;
pub mod attribute;
pub mod chain;
mod config;
mod endpoint;
mod error;
mod event;
pub mod fragment;
mod handle;
mod header;
pub mod identity;
mod message;
pub mod payload;
pub mod profile;
pub mod proposal;
mod reason;
mod registry;
mod tools;
mod trace;
pub mod v1;
pub mod vendor;

pub use chain::Chain;
pub use chain::Payload;
pub use config::ConfigError;
pub use config::ConnectConfig;
pub use config::Credentials;
pub use config::Dpd;
pub use config::Encapsulation;
pub use config::EndpointConfig;
pub use config::Lifetimes;
pub use config::Limits;
pub use config::PskSelector;
pub use config::RemoteIdentity;
pub use config::Retransmission;
pub use config::SelectorPolicy;
pub use config::Selectors;
pub use endpoint::CommandError;
pub use endpoint::ConnectError;
pub use endpoint::Counts;
pub use endpoint::Endpoint;
pub use error::DecodeError;
pub use error::EncodeError;
pub use event::ChildKeys;
pub use event::ChildLifetime;
pub use event::ChildSa;
pub use event::Event;
pub use event::KeyLogEntry;
pub use event::NatOa;
pub use event::NatStatus;
pub use event::PeerInfo;
pub use event::Role;
pub use event::Selector;
pub use handle::ChildHandle;
pub use handle::CredentialsTicket;
pub use handle::PeerHandle;
pub use header::Cookie;
pub use header::Cookies;
pub use header::Flags;
pub use header::Header;
pub use message::MAX_MESSAGE_LEN;
pub use message::Message;
pub use message::MessageBuilder;
pub use reason::CertificateFault;
pub use reason::ChildCloseReason;
pub use reason::CloseReason;
pub use reason::Exchange;
pub use reason::ListsDiffer;
pub use registry::AuthAlgorithm;
pub use registry::AuthMethod;
pub use registry::CertEncoding;
pub use registry::EncapsulationMode;
pub use registry::EncryptionAlgorithm;
pub use registry::EspTransform;
pub use registry::ExchangeType;
pub use registry::HashId;
pub use registry::IdType;
pub use registry::IkeAttribute;
pub use registry::IkeTransform;
pub use registry::IpsecAttribute;
pub use registry::LifeType;
pub use registry::NotifyType;
pub use registry::PayloadType;
pub use registry::ProtocolId;
pub use trace::Trace;
