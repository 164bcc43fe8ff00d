//! The IP Control Protocol (RFC 1332) with name server addresses (RFC 1877).

mod option;

pub use option::IpcpOption;
pub use option::IpcpOptionType;
