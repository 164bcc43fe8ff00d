//! IKEv1 (RFC 2407, 2408, 2409) with NAT traversal (RFC 3947), sans IO.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod v1;
