//! The IP Control Protocol (RFC 1332) with name server addresses (RFC 1877).

mod negotiation;
mod option;

pub(crate) use negotiation::Ipcp;
pub use option::IpcpOption;
pub use option::IpcpOptionType;
