//! ESP in transport mode, in user space.
#![no_std]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod batch;
pub mod checksum;
mod config;
mod error;
#[cfg(test)]
mod far_tests;
mod header;
mod inbound;
mod layout;
mod lifetime;
#[cfg(all(test, loom))]
mod loom_tests;
mod number;
mod outbound;
mod replay;
#[cfg(feature = "alloc")]
mod sad;
mod sequence;
pub mod transport;
pub mod udp_encap;

pub use batch::Incoming;
pub use batch::MAX_BATCH;
pub use batch::Outgoing;
pub use batch::open_batch;
pub use batch::seal_batch;
pub use config::SaConfig;
pub use error::OpenError;
pub use error::OpenFailure;
pub use error::SaError;
pub use error::SealError;
pub use header::EspHeader;
pub use header::NextHeader;
pub use header::Spi;
pub use inbound::InboundSa;
pub use inbound::Opened;
pub use lifetime::Lifetime;
pub use lifetime::Limits;
pub use lifetime::Usage;
pub use number::Local;
pub use number::Number;
#[cfg(target_has_atomic = "64")]
pub use number::Shared;
pub use outbound::OutboundSa;
pub use outbound::Sealed;
pub use replay::BadWindowSize;
pub use replay::Committed;
pub use replay::Refused;
pub use replay::ReplayWindow;
#[cfg(feature = "alloc")]
pub use sad::BundleId;
#[cfg(feature = "alloc")]
pub use sad::Found;
#[cfg(feature = "alloc")]
pub use sad::Generation;
#[cfg(feature = "alloc")]
pub use sad::Removal;
#[cfg(feature = "alloc")]
pub use sad::Sad;
#[cfg(feature = "alloc")]
pub use sad::SadConfig;
#[cfg(feature = "alloc")]
pub use sad::SadError;
#[cfg(feature = "alloc")]
pub use sad::SadEvent;
