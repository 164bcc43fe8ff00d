//! Two endpoints, or many, over the simulated network.
#![allow(clippy::restriction, reason = "a test")]

mod aggressive;
mod failure;
mod hostile;
mod lossy;
mod nat;
mod network;
mod refusals;
mod rekey;
mod setup;
mod variants;
