//! Simulated network with virtual time for testing sans-IO protocol machines.

mod random;

pub use random::SeededRandom;
