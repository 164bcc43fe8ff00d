//! Simulated network with virtual time for testing sans-IO protocol machines.
//!
//! A [`Net`] owns any number of [machines](vpn_core::DatagramMachine), carries their datagrams over
//! [links](Link) that lose, delay, reorder, duplicate and corrupt, and through [NATs](Nat), and
//! jumps in time from one arrival or deadline to the next: two days with ten thousand clients take
//! seconds. Everything follows from a seed, which every failure prints.
//!
//! ```
//! use core::time::Duration;
//! use vpn_core::{DatagramMachine, Handled, Instant, Machine, Path, Transmit};
//! use vpn_netsim::{Link, Net};
//!
//! /// Sends one datagram, and reports what it gets.
//! struct Pigeon { letter: Option<Path>, got: Option<Vec<u8>> }
//!
//! impl Machine for Pigeon {
//!     type Event = Vec<u8>;
//!     fn handle_timeout(&mut self, _: Instant) {}
//!     fn poll_timeout(&self) -> Option<Instant> { None }
//!     fn poll_event(&mut self) -> Option<Vec<u8>> { self.got.take() }
//! }
//! impl DatagramMachine for Pigeon {
//!     fn handle_datagram(&mut self, _: Instant, _: Path, datagram: &mut [u8]) -> Handled {
//!         self.got = Some(datagram.to_vec());
//!         Handled::Consumed
//!     }
//!     fn poll_transmit(&mut self, _: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
//!         let path = self.letter.take()?;
//!         buf.extend(b"coo");
//!         Some(Transmit { path, len: 3 })
//!     }
//! }
//!
//! let (alice, bob) = ("192.0.2.1:1701".parse().unwrap(), "192.0.2.2:1701".parse().unwrap());
//! let letter = Some(Path::l2tp(alice, bob));
//! let mut net = Net::new(1);
//! net.set_default_link(Link { delay: Duration::from_millis(20), ..Link::PERFECT });
//! net.add(Pigeon { letter, got: None }, &[alice.ip()]);
//! let at_bob = net.add(Pigeon { letter: None, got: None }, &[bob.ip()]);
//! let event = net.next_event(Instant::ZERO + Duration::from_secs(1));
//! assert_eq!(event, Some((at_bob, b"coo".to_vec())));
//! assert_eq!(net.now().as_micros(), 20_000);
//! ```
//!
//! - [`Net::with`] calls a node's own methods; [`Net::next_event`], [`Net::run_for`] and
//!   [`Net::run_while`] let time pass.
//! - [`Net::add_nat`], [`Net::rebind`] and [`Net::partition`] change what the network is;
//!   [`Net::intercept`] loses or changes exactly the datagram that a test has in mind.
//! - [`Net::observe`] and [`Net::capture`] show what crossed; [`Net::counts`] counts it.
//! - [`seeds`] gives a sweep its seeds, or the one to replay; [`SeededRandom`] is the generator for
//!   machines under test.

extern crate alloc;

mod datagram;
mod flight;
mod link;
mod nat;
mod net;
mod pcap;
mod random;
mod role;
mod run;
mod seeds;
mod topology;

pub use datagram::Counts;
pub use datagram::Datagram;
pub use datagram::Fate;
pub use link::Burst;
pub use link::Link;
pub use nat::Nat;
pub use nat::NatFiltering;
pub use nat::NatMapping;
pub use net::Net;
pub use net::NodeId;
pub use net::Verdict;
pub use pcap::PcapWriter;
pub use random::SeededRandom;
pub use role::Role;
pub use seeds::seeds;
pub use topology::Realm;
