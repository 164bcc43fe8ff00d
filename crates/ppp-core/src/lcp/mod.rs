//! The Link Control Protocol (RFC 1661 §5–6, RFC 1570).

mod auth_protocol;
mod negotiation;
mod option;
mod packet;

pub use auth_protocol::AuthProtocol;
pub use auth_protocol::ChapAlgorithm;
pub(crate) use negotiation::Lcp;
pub(crate) use negotiation::Peer as LcpPeer;
pub use option::LcpOption;
pub use option::LcpOptionType;
pub use packet::Maintenance;
