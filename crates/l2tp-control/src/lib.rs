//! L2TPv2 control connection and calls (RFC 2661): LAC and LNS as sans-IO state machines.
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
pub use call::ProxyAuth;
pub use call::ProxyLcp;
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
