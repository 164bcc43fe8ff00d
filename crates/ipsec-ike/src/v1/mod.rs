//! What only version 1 has (RFC 2409).
//!
//! [`keys`], [`hash`], [`cipher`], [`nat_detection`] and [`auth`] are pure functions from what the
//! two sides sent to what they then share; they hold no state and speak to no peer.

pub(crate) mod aggressive_mode;
pub mod auth;
mod choice;
pub mod cipher;
pub(crate) mod fault;
pub mod hash;
pub mod keys;
pub(crate) mod main_mode;
pub mod nat_detection;
mod nat_traversal;
pub(crate) mod negotiation;
pub(crate) mod payloads;
pub(crate) mod peer_traits;
pub(crate) mod phase_1;
mod proof;
pub(crate) mod quick_mode;
pub(crate) mod repeat;
pub(crate) mod secured;
mod subject;

pub use nat_traversal::NatTraversal;
