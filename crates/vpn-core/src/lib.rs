//! The vocabulary that every crate of the L2TP/IPsec workspace speaks.
//!
//! Nothing here knows a protocol. The crate holds [time](Instant) as a number, [paths](Path) that
//! datagrams travel, the [machine traits](Machine) with the contract that every control machine
//! keeps, the [packet window](PacketMut) on which the data path works in place, bounds-checked
//! [readers](Reader) and [writers](Writer), [secrets](Secret), [randomness](SecureRandom) and the
//! [crypto provider](crypto::CryptoProvider).
//!
//! The crate is `no_std`. Feature `alloc` adds what needs a heap ([`SecretBytes`], [`Deadlines`],
//! [`DatagramMachine`]); `std`, the default, adds `std::error::Error` for error types.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod crypto;
#[cfg(feature = "alloc")]
mod deadlines;
mod encap;
mod handled;
mod machine;
mod packet;
mod path;
mod random;
mod reader;
mod secret;
mod time;
mod timer;
mod writer;

#[cfg(feature = "alloc")]
pub use deadlines::Deadlines;
pub use encap::Decap;
pub use encap::DecapError;
pub use encap::Encap;
pub use encap::EncapError;
pub use encap::Room;
pub use handled::DropCounters;
pub use handled::DropReason;
pub use handled::Handled;
#[cfg(feature = "alloc")]
pub use machine::DatagramMachine;
pub use machine::Machine;
pub use packet::NoRoom;
pub use packet::PacketMut;
pub use path::Path;
pub use path::Socket;
pub use path::Transmit;
pub use random::RandomError;
#[cfg(feature = "alloc")]
pub use random::RandomSource;
pub use random::SecureRandom;
pub use reader::Reader;
pub use reader::Truncated;
pub use secret::Secret;
#[cfg(feature = "alloc")]
pub use secret::SecretBytes;
pub use secret::ct_eq;
pub use time::Instant;
pub use timer::TimerTable;
pub use writer::Full;
pub use writer::Writer;
