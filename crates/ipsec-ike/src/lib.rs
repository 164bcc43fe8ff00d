//! IKEv1 (RFC 2407, 2408, 2409) with NAT traversal (RFC 3947), sans IO.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod attribute;
pub mod chain;
mod error;
pub mod fragment;
mod header;
pub mod identity;
mod message;
pub mod payload;
pub mod profile;
pub mod proposal;
mod registry;
pub mod v1;
pub mod vendor;

pub use chain::Chain;
pub use chain::Payload;
pub use error::DecodeError;
pub use error::EncodeError;
pub use header::Cookie;
pub use header::Cookies;
pub use header::Flags;
pub use header::Header;
pub use message::MAX_MESSAGE_LEN;
pub use message::Message;
pub use message::MessageBuilder;
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
