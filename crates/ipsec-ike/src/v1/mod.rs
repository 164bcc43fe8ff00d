//! What only version 1 has (RFC 2409).
//!
//! [`keys`], [`hash`], [`cipher`], [`nat_detection`] and [`auth`] are pure functions from what the
//! two sides sent to what they then share; they hold no state and speak to no peer.

pub mod auth;
pub mod cipher;
pub mod hash;
pub mod keys;
pub mod nat_detection;
