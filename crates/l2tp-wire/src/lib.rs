//! L2TPv2 on the wire (RFC 2661): headers, AVPs, control messages, both ways.
//!
//! Decoding borrows from the datagram, allocates nothing and never panics, whatever comes. Building
//! writes into a slice. There is no socket, clock, state or random number in here: the reliable
//! channel and the state machines are in `l2tp-control`.
//!
//! # Decode a datagram
//!
//! Three steps, each of which can be the last one. [`Packet::decode`] reads the header and tells
//! control from data. [`ControlMessage::avps`] walks over the AVPs as they came, which is what a
//! proxy or a decoder tool wants. [`Message::decode`] checks a message against RFC 2661 §6 and gives
//! it typed fields, which is what a tunnel endpoint wants.
//!
//! ```
//! use l2tp_wire::Message;
//! use l2tp_wire::Packet;
//! use l2tp_wire::message::DecodeContext;
//!
//! # let datagram = [
//! #     0xc8, 0x02, 0x00, 0x1c, 0x22, 0x66, 0xd8, 0xf2, 0x00, 0x01, 0x00, 0x03, 0x80, 0x08, 0x00,
//! #     0x00, 0x00, 0x00, 0x00, 0x0b, 0x80, 0x08, 0x00, 0x00, 0x00, 0x0e, 0xcd, 0x62,
//! # ];
//! match Packet::decode(&datagram)? {
//!     Packet::Data(data) => println!("{} octets of PPP", data.payload.len()),
//!     Packet::Control(control) if control.is_zlb() => println!("acknowledges {}", control.nr),
//!     Packet::Control(control) => {
//!         for avp in control.avps() {
//!             println!("{:?}", avp?);
//!         }
//!         match Message::decode(&control, DecodeContext::new()) {
//!             Ok(Message::Icrp(icrp)) => assert_eq!(icrp.assigned_session_id, 0xcd62),
//!             Ok(other) => println!("{}", other.message_type()),
//!             Err(error) => println!("{error}: this ends the {:?}", error.scope()),
//!         }
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`MessageError`](message::MessageError) says what RFC 2661 wants done: whether the
//! [session or the tunnel](message::Scope) ends, with which error code, and a line of text for the
//! peer. What real peers get wrong is put up with as long as [`Leniencies`] say so; an
//! [`Observer`](message::Observer) hears of it, and of every AVP left out.
//!
//! # Build a message
//!
//! Each message is a struct with public fields. A [`MessageBuilder`] writes it, and AVPs of a vendor
//! behind it. Ns and Nr follow when the message is sent, through [`set_ns_nr`].
//!
//! ```
//! use l2tp_wire::FramingTypes;
//! use l2tp_wire::MessageBuilder;
//! use l2tp_wire::ProtocolVersion;
//! use l2tp_wire::message::Sccrq;
//!
//! let sccrq = Sccrq {
//!     protocol_version: ProtocolVersion::RFC_2661,
//!     framing_capabilities: FramingTypes::all(),
//!     bearer_capabilities: None,
//!     tie_breaker: None,
//!     firmware_revision: None,
//!     host_name: b"lac.example",
//!     vendor_name: None,
//!     assigned_tunnel_id: 8806,
//!     receive_window_size: Some(4),
//!     challenge: None,
//! };
//! let mut buf = [0; 1500];
//! let mut builder = MessageBuilder::new(&mut buf, 0, 0)?;
//! sccrq.encode(&mut builder)?;
//! let len = builder.finish()?;
//! l2tp_wire::set_ns_nr(&mut buf, 0, 0);
//! assert_eq!(buf[..4], [0xc8, 2, 0, len as u8]);
//! # Ok::<(), l2tp_wire::EncodeError>(())
//! ```
//!
//! # Data messages
//!
//! [`DataHeader::strip`] and [`DataHeader::prepend`] take a header off a
//! [`PacketMut`](vpn_core::PacketMut) and put one on, in place.
//!
//! # Secrets
//!
//! [`auth`] answers tunnel challenges; [`hidden`] and [`Hiding`] hide values. Both take MD5 as an
//! argument (`vpn_crypto::provider().legacy.md5`).
//!
//! The crate is `no_std` and needs no `alloc`. Feature `std`, the default, only adds
//! `std::error::Error` to the errors of its dependencies.
#![no_std]

mod attribute;
pub mod auth;
mod avp;
mod builder;
mod control;
mod data;
mod error;
mod flags;
mod leniency;
pub mod message;
mod message_type;
mod packet;
mod registry;
mod result;
mod vendor;

pub use attribute::AttributeSet;
pub use attribute::AttributeType;
pub use avp::Accm;
pub use avp::Avp;
pub use avp::AvpError;
pub use avp::Avps;
pub use avp::BearerTypes;
pub use avp::CallErrors;
pub use avp::FramingTypes;
pub use avp::PppDisconnectCause;
pub use avp::ProtocolVersion;
pub use avp::ProxyAuthenId;
pub use avp::ProxyAuthenResponse;
pub use avp::ProxyAuthenType;
pub use avp::Q931Cause;
pub use avp::RawAvp;
pub use avp::ResultCode;
pub use avp::ValueError;
pub use avp::hidden;
pub use builder::Hiding;
pub use builder::MessageBuilder;
pub use control::ControlMessage;
pub use control::set_ns_nr;
pub use control::zlb;
pub use data::DataHeader;
pub use data::DataMessage;
pub use data::Sequence;
pub use error::DecodeError;
pub use error::EncodeError;
pub use leniency::Leniencies;
pub use message::Message;
pub use message_type::MessageType;
pub use packet::Packet;
pub use result::CdnResult;
pub use result::DisconnectCode;
pub use result::DisconnectDirection;
pub use result::ErrorCode;
pub use result::StopCcnResult;
pub use vendor::VendorId;
