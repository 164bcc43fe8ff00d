//! Two endpoints, or many, over the simulated network.
#![allow(clippy::restriction, reason = "a test")]

mod failure;
mod network;
mod rekey;
mod setup;
