//! L2TPv2 control connection and calls (RFC 2661): LAC and LNS as sans-IO state machines.
//!
//! An [`Endpoint`] opens and answers tunnels, opens and answers calls in them, and carries their
//! PPP frames. It has no socket and no clock: a driver passes datagrams and the time in, and takes
//! datagrams, events and the next deadline out. PPP itself is somebody else's; frames pass through
//! as octets.
//!
//! ```
//! use core::time::Duration;
//!
//! use l2tp_control::{
//!     Admission, ConnectedCall, Endpoint, EndpointConfig, Event, IncomingCall, LinkId,
//!     TunnelConfig,
//! };
//! use vpn_core::{Instant, Path};
//! use vpn_netsim::SeededRandom;
//!
//! // A server that takes whoever comes, and a client. A product uses vpn_crypto::OsRandom.
//! let config = EndpointConfig::new(TunnelConfig::new("lns.example.net"))
//!     .tunnels(Admission::Accept)
//!     .incoming_calls(Admission::Accept);
//! let provider = vpn_crypto::provider();
//! let mut lns = Endpoint::new(config, provider, Box::new(SeededRandom::new(1)));
//! let config = EndpointConfig::new(TunnelConfig::new("lac.example.net"));
//! let mut lac = Endpoint::new(config, provider, Box::new(SeededRandom::new(2)));
//!
//! // The client opens a tunnel, and a call in it.
//! let now = Instant::ZERO;
//! let there = Path::l2tp("192.0.2.1:1701".parse()?, "192.0.2.2:1701".parse()?);
//! let back = Path::l2tp(there.remote, there.local);
//! let tunnel = lac.open_tunnel(now, LinkId::PLAIN, there, TunnelConfig::new("lac"))?;
//! let call = lac.open_session(now, tunnel, IncomingCall::default(), Some(ConnectedCall::default()))?;
//!
//! // The network: what one sends, the other gets.
//! let mut buf = Vec::new();
//! loop {
//!     if lac.poll_transmit(now, &mut buf).is_some() {
//!         let _ = lns.handle_datagram(now, LinkId::PLAIN, back, &buf);
//!     } else if lns.poll_transmit(now, &mut buf).is_some() {
//!         let _ = lac.handle_datagram(now, LinkId::PLAIN, there, &buf);
//!     } else {
//!         break;
//!     }
//!     buf.clear();
//! }
//! assert!(matches!(lac.poll_event(), Some(Event::TunnelUp { .. })));
//! assert!(matches!(lac.poll_event(), Some(Event::SessionUp { session, .. }) if session == call));
//!
//! // From here on PPP frames pass, and silence is noticed.
//! lac.send_data(now, call, &[0xff, 0x03, 0xc0, 0x21])?;
//! assert!(lac.poll_timeout().is_some_and(|at| at <= now + Duration::from_secs(60)));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What is where
//!
//! | part | what it does |
//! |---|---|
//! | [`Endpoint`] | any number of tunnels and sessions; the only thing that most users touch |
//! | [`channel`] | the reliable channel under each control connection (RFC 2661 §5.8) |
//! | [`sequence`], [`ReorderQueue`] | sequence numbers of data messages (RFC 2661 §5.4) |
//! | [`seq`] | the arithmetic of 16-bit sequence numbers |
//!
//! The control connection runs the table of RFC 2661 §7.2, and each call one of the four of
//! §7.4 and §7.5, written as one `match` each:
//!
//! ```text
//!            open             SCCRP             LAC in   idle ─▶ wait-tunnel ─▶ wait-reply ─▶ established
//!    idle ────────▶ wait-ctl-reply ──▶ established
//!      │ SCCRQ                           ▲      LNS in   idle ─▶ wait-connect ─▶ established
//!      └──────────▶ wait-ctl-conn ───────┘      LAC out  idle ─▶ wait-cs-answer ─▶ established
//!                               SCCCN           LNS out  idle ─▶ wait-tunnel ─▶ wait-reply ─▶ wait-connect ─▶ established
//! ```
//!
//! # What is chosen where the RFC leaves a choice
//!
//! - A message is sent at most five times, 1, 2, 4 and 8 s apart, and the peer is given up 16 s
//!   after the last: 31 s in all ([`Retransmission`](channel::Retransmission)).
//! - An acknowledgement rides on a message where one follows within 20 ms, and goes at once where
//!   none will.
//! - An SCCRQ that is refused outright gets its StopCCN and is forgotten; the peer's repetition of
//!   the SCCRQ repeats the StopCCN. A peer that has not shown that it gets our answers gets at
//!   most three times the octets that it sent.
//! - Messages for tunnels that do not exist get no answer.
//! - A message out of place ends the call (CDN 2/5, or 2/3 for a request) or the tunnel (StopCCN 7).
//! - A call whose tunnel closes ends without a CDN (RFC 2661 §6.4).
//! - PPP frames that overtake the ICCN or OCCN are kept, up to 8.
//! - A host that asks for a second tunnel gets it. When it asks under the Tunnel ID of a tunnel
//!   that has been open for long, it has started anew, and the old tunnel goes when the new one
//!   is proven.
//!
//! The crate is `no_std` with `alloc`. Feature `std`, the default, adds `std::error::Error` for
//! error types.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod call;
pub mod channel;
mod close;
mod config;
mod endpoint;
mod error;
mod event;
mod handle;
mod info;
mod reorder;
pub mod seq;
pub mod sequence;
mod session;
#[cfg(test)]
mod table;
mod tunnel;

pub use call::CallResult;
pub use call::ConnectedCall;
pub use call::IncomingCall;
pub use call::OutgoingCall;
pub use call::PppCause;
pub use call::ProxyAuth;
pub use call::ProxyLcp;
pub use call::Q931;
pub use close::AuthFailure;
pub use close::SessionCloseReason;
pub use close::TunnelCloseReason;
pub use close::TunnelResult;
pub use config::Admission;
pub use config::EndpointConfig;
pub use config::Limits;
pub use config::ReplyFrom;
pub use config::TunnelConfig;
pub use endpoint::Endpoint;
pub use error::AnswerError;
pub use error::CallError;
pub use error::OpenError;
pub use error::SendError;
pub use event::Event;
pub use event::RequestedCall;
pub use event::SessionAnswer;
pub use event::SessionRequest;
pub use event::Trace;
pub use event::TunnelAnswer;
pub use event::TunnelRequest;
pub use handle::LinkId;
pub use handle::SessionHandle;
pub use handle::SessionTicket;
pub use handle::TunnelHandle;
pub use handle::TunnelTicket;
pub use info::Counts;
pub use info::PeerInfo;
pub use info::SessionInfo;
pub use info::TunnelInfo;
pub use reorder::ReorderConfig;
pub use reorder::ReorderQueue;
pub use reorder::Reordered;
pub use session::state::CallKind;
pub use session::state::CallState;
pub use tunnel::state::TunnelState;
