//! ESP in transport mode, in user space (RFC 4303), with UDP encapsulation (RFC 3948).
//!
//! A security association (SA) is one-way: an [`OutboundSa`] turns the payload of an IP packet into an
//! ESP packet, an [`InboundSa`] turns it back. Both work in place on a
//! [`PacketMut`](vpn_core::PacketMut), are used through `&self`, read no clock, draw no random numbers
//! and allocate nothing for a packet. Keys come from whatever negotiated them, ciphers from a
//! [`CryptoProvider`](vpn_core::crypto::CryptoProvider).
//!
//! # One packet
//!
//! ```
//! use ipsec_esp::InboundSa;
//! use ipsec_esp::NextHeader;
//! use ipsec_esp::OutboundSa;
//! use ipsec_esp::SaConfig;
//! use ipsec_esp::Shared;
//! use ipsec_esp::Spi;
//! use vpn_core::PacketMut;
//! # use vpn_core::{RandomError, SecureRandom};
//! # struct Rng;
//! # impl SecureRandom for Rng {
//! #     fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> { out.fill(7); Ok(()) }
//! # }
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! // What the key exchange agreed on: the suite, a key for this direction, the receiver's SPI.
//! let crypto = vpn_crypto::provider().esp_suite("aes256-sha256".parse()?)?;
//! let keymat = [0x2b; 32 + 32];
//! let config = SaConfig::new(Spi(0x1234_5678));
//!
//! // The sender. `Rng` is the operating system's generator in real life (`vpn_crypto::OsRandom`).
//! let sender = OutboundSa::<Shared>::new(crypto.seal_key(&keymat, &mut Rng)?, config)?;
//! let mut storage = [0; 256];
//! storage[64..74].copy_from_slice(b"a datagram");
//! let mut packet = PacketMut::new(&mut storage, 64..74)?;
//! let sealed = sender.seal(&mut packet, NextHeader(253))?;
//! assert_eq!(sealed.sequence, 1);
//! assert_eq!(packet.len(), sender.packet_len(10));
//! assert_eq!(packet.payload()[..8], [0x12, 0x34, 0x56, 0x78, 0, 0, 0, 1]);
//!
//! // The receiver.
//! let receiver = InboundSa::<Shared>::new(crypto.open_key(&keymat)?, config)?;
//! let opened = receiver.open(&mut packet)?;
//! assert_eq!(opened.next_header, NextHeader(253)); // always check that it is what the SA is for
//! assert_eq!(packet.payload(), b"a datagram");
//! assert!(receiver.open(&mut packet).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! [`OutboundSa::room`] says how much space must be free around a packet, and
//! [`OutboundSa::payload_len`] how long a payload may be for a given MTU.
//!
//! # Many packets
//!
//! [`seal_batch`] and [`open_batch`] take packets of any lengths and any SAs, and hand each suite all
//! of its packets at once. That is where speed comes from: CBC encryption cannot be split inside a
//! packet, but eight or sixteen packets go through the AES units together, each with a key of its
//! own. The crypto code that does so needs no change here.
//!
//! ```
//! # use ipsec_esp::{NextHeader, Outgoing, OutboundSa, SaConfig, Shared, Spi, seal_batch};
//! # use vpn_core::PacketMut;
//! # use vpn_core::{RandomError, SecureRandom};
//! # struct Rng;
//! # impl SecureRandom for Rng {
//! #     fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> { out.fill(7); Ok(()) }
//! # }
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let sa = |suite: &str, spi| -> Result<OutboundSa<Shared>, Box<dyn core::error::Error>> {
//! #     let crypto = vpn_crypto::provider().esp_suite(suite.parse()?)?;
//! #     let keymat: Vec<u8> = (0..100).take(crypto.suite().keymat_len()).collect();
//! #     Ok(OutboundSa::new(crypto.seal_key(&keymat, &mut Rng)?, SaConfig::new(Spi(spi)))?)
//! # };
//! let (alice, bob) = (sa("aes256gcm16", 1000)?, sa("3des-sha1", 2000)?);
//! let mut storages = [[0; 300]; 3];
//! let [a, b, c] = &mut storages;
//! let mut packets = [
//!     PacketMut::new(a, 64..164)?,
//!     PacketMut::new(b, 64..100)?,
//!     PacketMut::new(c, 64..65)?,
//! ];
//! let [first, second, third] = &mut packets;
//! let mut batch = [
//!     Outgoing::new(&alice, first, NextHeader::UDP),
//!     Outgoing::new(&bob, second, NextHeader::UDP),
//!     Outgoing::new(&alice, third, NextHeader::UDP),
//! ];
//! seal_batch(&mut batch);
//! assert_eq!(batch[2].outcome()?.sequence, 2); // alice's second
//! # Ok(())
//! # }
//! ```
//!
//! # Replacing an SA
//!
//! An SA must not live for ever: its sequence numbers end, and peers agree on a [`Lifetime`]. The
//! packet that crosses a soft limit says so ([`Sealed::soft_limit`], [`Opened::soft_limit`]); behind
//! the hard one nothing is sealed or opened. The [`Sad`] holds all SAs by SPI and orders the
//! replacement so that no packet is lost:
//!
//! ```
//! # use std::sync::Arc;
//! # use ipsec_esp::{InboundSa, NextHeader, OutboundSa, Sad, SadConfig, SadEvent, SaConfig, Shared, Spi};
//! # use vpn_core::{Instant, PacketMut, RandomError, SecureRandom};
//! # struct Rng(u8);
//! # impl SecureRandom for Rng {
//! #     fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
//! #         self.0 += 1;
//! #         out.fill(self.0);
//! #         Ok(())
//! #     }
//! # }
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let crypto = vpn_crypto::provider().esp_suite("aes128gcm16".parse()?)?;
//! # let mut rng = Rng(0);
//! # let keymat = [0x2b; 20];
//! # let inbound = |spi| -> Result<_, Box<dyn core::error::Error>> {
//! #     Ok(Arc::new(InboundSa::<Shared>::new(crypto.open_key(&keymat)?, SaConfig::new(spi))?))
//! # };
//! # let outbound = |spi| -> Result<_, Box<dyn core::error::Error>> {
//! #     let key = crypto.seal_key(&keymat, &mut Rng(0))?;
//! #     Ok(Arc::new(OutboundSa::<Shared>::new(key, SaConfig::new(spi))?))
//! # };
//! # let now = Instant::ZERO;
//! # let (peers_first, peers_second) = (Spi(7001), Spi(7002));
//! let mut sad = Sad::new(SadConfig::default());
//! let peer = sad.open_bundle();
//! let ours = sad.reserve_spi(&mut rng)?; // offered to the peer
//! let first = sad.install_inbound(now, peer, inbound(ours)?)?;
//! sad.install_outbound(now, peer, first, outbound(peers_first)?)?;
//! assert_eq!(sad.poll_event(), Some(SadEvent::Switched { bundle: peer, generation: first }));
//!
//! // Time to replace it. First we can receive on the new pair …
//! let ours = sad.reserve_spi(&mut rng)?;
//! let second = sad.install_inbound(now, peer, inbound(ours)?)?;
//! // … then we could send, but do not know yet whether the peer can receive.
//! sad.install_outbound(now, peer, second, outbound(peers_second)?)?;
//! assert_eq!(sad.sending(peer), Some(first));
//!
//! // Its first packet on the new pair proves it.
//! # let peers_sa = outbound(ours)?;
//! # let mut storage = [0; 128];
//! # let mut packet = PacketMut::new(&mut storage, 32..64)?;
//! # peers_sa.seal(&mut packet, NextHeader::UDP)?;
//! let (found, opened) = sad.open(&mut packet)?;
//! assert!(opened.first && found.generation == second);
//! sad.confirm(now, peer, second)?;
//! assert_eq!(sad.sending(peer), Some(second));
//! // The old pair goes on receiving until nothing has come in on it for a while.
//! assert!(sad.poll_timeout().is_some());
//! # Ok(())
//! # }
//! ```
//!
//! # What is kept
//!
//! - The ICV comes first, always, and padding is looked at only behind it. Nothing that is not
//!   authentic changes anything but counters.
//! - A packet passes the [`ReplayWindow`] before the ICV check and again after it; the second decides.
//! - Refused packets all look the same, [`OpenError`]; [`InboundSa::failures`] counts the causes, and
//!   `open_explained` tells them to whoever looks at a capture.
//! - A sequence number, and with it an IV, is used once. The counter fails closed, and no SA can be
//!   copied. A CBC IV is the counter encrypted under a key of its own, a GCM IV the counter.
//!
//! # Threads and small targets
//!
//! Each SA is made of [`Number`]s: [`Shared`] ones for many threads, without locks, or [`Local`] ones
//! for one thread on any target. Where there is no heap the SA holds its keys itself, as its second
//! type parameter:
//!
//! ```
//! # use ipsec_esp::{Local, OutboundSa, SaConfig, Spi};
//! # use vpn_core::{RandomError, SecureRandom};
//! # struct Rng;
//! # impl SecureRandom for Rng {
//! #     fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> { out.fill(7); Ok(()) }
//! # }
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! use vpn_crypto::esp::SealKey;
//!
//! let portable = vpn_crypto::esp::portable("aes128gcm16".parse()?).ok_or("no such suite")?;
//! let key = SealKey::new(portable, &[0x2b; 20], &mut Rng)?;
//! let sa: OutboundSa<Local, SealKey> = OutboundSa::new(key, SaConfig::new(Spi(1000)))?;
//! # Ok(())
//! # }
//! ```
//!
//! Feature `alloc` adds the [`Sad`]; `std`, the default, adds `std::error::Error` for error types.
//!
//! # Around ESP
//!
//! [`udp_encap`] tells apart what arrives on port 4500 and times keep-alives, [`checksum`] repairs what
//! a NAT broke, [`transport`] does transport mode on whole IP packets.
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
#[cfg(test)]
mod testing;
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
