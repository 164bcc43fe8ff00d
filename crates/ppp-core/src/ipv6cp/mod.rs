//! The IPv6 Control Protocol (RFC 5072).

mod negotiation;
mod option;

pub(crate) use negotiation::Ipv6cp;
pub use option::InterfaceId;
pub use option::Ipv6cpOption;
pub use option::Ipv6cpOptionType;
