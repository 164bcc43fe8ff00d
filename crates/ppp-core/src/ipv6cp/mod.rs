//! The IPv6 Control Protocol (RFC 5072).

mod option;

pub use option::InterfaceId;
pub use option::Ipv6cpOption;
pub use option::Ipv6cpOptionType;
