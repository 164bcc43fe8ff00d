//! PPP as a sans-IO state machine: LCP, PAP, CHAP, MS-CHAPv2, IPCP, IPv6CP, both roles.
//!
//! A [`Link`] is one end of a PPP link. It takes frames, time and answers to its questions, and
//! gives frames, events and a deadline; it has no socket, clock or thread, and does not care whether
//! its frames travel in L2TP, in PPPoE or over a serial line ([`hdlc`]). Many links share one
//! [`LinkConfig`].
//!
//! IP packets do not go through the link: a data plane asks [`Link::form`] which may pass and how
//! they must look, and reads and writes their headers with [`frame`].
//!
//! ```
//! use std::sync::Arc;
//! use ppp_core::{AddressAnswer, Credentials, Event, Link, LinkConfig};
//! use vpn_core::Instant;
//! use vpn_netsim::SeededRandom; // a product takes vpn_crypto::OsRandom
//!
//! let provider = vpn_crypto::provider();
//! let alice = LinkConfig::client(Credentials::new("alice", "wonderland"));
//! let mut client = Link::new(Arc::new(alice), provider, Box::new(SeededRandom::new(1)));
//! let lns = Arc::new(LinkConfig::server("lns"));
//! let mut server = Link::new(lns, provider, Box::new(SeededRandom::new(2)));
//!
//! let now = Instant::ZERO;
//! client.open(now);
//! server.open(now);
//! let mut frame = Vec::new();
//! let mut addresses = None;
//! while addresses.is_none() {
//!     while client.poll_frame(now, &mut frame).is_some() {
//!         let _ = server.handle_frame(now, &frame);
//!         frame.clear();
//!     }
//!     while let Some(event) = server.poll_event() {
//!         match event {
//!             Event::AuthRequest(request) => {
//!                 let password = if request.user() == "alice" { "wonderland" } else { "" };
//!                 let verdict = request.verify(password.as_bytes(), provider);
//!                 server.answer_auth(now, request.ticket, verdict)?;
//!             }
//!             Event::AddressRequest(request) => {
//!                 let (local, peer) = ([10, 9, 0, 1].into(), [10, 9, 0, 2].into());
//!                 let (dns, nbns) = ([Some(local), None], [None, None]);
//!                 let answer = AddressAnswer::Assign { local, peer, dns, nbns };
//!                 server.answer_address(now, request.ticket, answer)?;
//!             }
//!             _ => {}
//!         }
//!     }
//!     while server.poll_frame(now, &mut frame).is_some() {
//!         let _ = client.handle_frame(now, &frame);
//!         frame.clear();
//!     }
//!     while let Some(event) = client.poll_event() {
//!         if let Event::Ipv4Up(settings) = event {
//!             addresses = Some(settings);
//!         }
//!     }
//!     // A driver would wait here for a frame, or until the earlier poll_timeout.
//! }
//! assert_eq!(addresses.unwrap().local.octets(), [10, 9, 0, 2]);
//! # Ok::<(), ppp_core::AnswerError>(())
//! ```
//!
//! | RFC | what | where |
//! |---|---|---|
//! | 1661 | frames, the automaton, LCP | [`frame`], [`automaton`], [`LcpOption`] |
//! | 1570 | Identification, Time-Remaining; Callback refused | [`Maintenance`] |
//! | 1662 | framing for asynchronous lines | [`hdlc`] |
//! | 1334, 1994, 2759 | PAP, CHAP with MD5, MS-CHAPv2 | [`auth`] |
//! | 1332, 1877 | IPCP with name servers | [`IpcpOption`] |
//! | 5072 | IPv6CP | [`Ipv6cpOption`] |
//! | 2661 §4.4.5 | hand-over from LAC to LNS | [`Link::proxy_state`], [`Link::resume`] |
//!
//! CCP, ECP, multilink, link quality reports, callback, header compression and EAP are refused as
//! their RFCs say, and named for whoever shows packets.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod auth;
pub mod automaton;
mod ccp;
mod close;
mod config;
mod context;
mod control;
mod decode_error;
mod event;
pub mod frame;
pub mod hdlc;
mod ipcp;
mod ipv6cp;
mod lcp;
mod link;
mod option;
mod packet;
mod protocol;
mod proxy;
mod registry;
mod text;

pub use auth::AuthMethod;
pub use auth::AuthRequest;
pub use auth::AuthVerdict;
pub use auth::MsChapError;
pub use auth::MsChapFailure;
pub use ccp::CcpOptionType;
pub use close::AuthFailure;
pub use close::CloseReason;
pub use close::NetworkFailure;
pub use close::Phase;
pub use config::Credentials;
pub use config::DEFAULT_MRU;
pub use config::Ipv4Mode;
pub use config::Ipv6Mode;
pub use config::KeepAlive;
pub use config::LinkConfig;
pub use config::MIN_MRU;
pub use config::Restart;
pub use decode_error::DecodeError;
pub use event::AddressAnswer;
pub use event::AddressRequest;
pub use event::AnswerError;
pub use event::Authenticated;
pub use event::CredentialsRequest;
pub use event::DataForm;
pub use event::Event;
pub use event::Ipv4Settings;
pub use event::Ipv6Settings;
pub use event::LcpUp;
pub use event::Side;
pub use event::Ticket;
pub use ipcp::IpcpOption;
pub use ipcp::IpcpOptionType;
pub use ipv6cp::InterfaceId;
pub use ipv6cp::Ipv6cpOption;
pub use ipv6cp::Ipv6cpOptionType;
pub use lcp::AuthProtocol;
pub use lcp::ChapAlgorithm;
pub use lcp::LcpOption;
pub use lcp::LcpOptionType;
pub use lcp::Maintenance;
pub use link::Link;
pub use option::OPTION_HEADER_LEN;
pub use option::Options;
pub use option::RawOption;
pub use packet::ControlCode;
pub use packet::PACKET_HEADER_LEN;
pub use packet::Packet;
pub use packet::code_name;
pub use protocol::Protocol;
pub use proxy::ProxyAuth;
pub use proxy::ProxyLcp;
