//! HDLC-like framing for asynchronous lines (RFC 1662): octet stuffing and the 16-bit frame check
//! sequence.
//!
//! L2TP and PPPoE carry frames whole; a serial line or a pty has only octets, and this turns one
//! into the other.
//!
//! ```
//! use ppp_core::hdlc;
//!
//! let mut line = Vec::new();
//! hdlc::encode(&[0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0], u32::MAX, &mut line);
//! let mut decoder = hdlc::Decoder::new(1500);
//! let mut rest = &line[..];
//! assert_eq!(decoder.next_frame(&mut rest).unwrap()[2..4], [0xc0, 0x21]);
//! assert_eq!(decoder.next_frame(&mut rest), None);
//! ```

mod decode;
mod encode;
mod fcs;

pub use decode::Decoder;
pub use decode::Discarded;
pub use encode::encode;
pub use fcs::fcs16;

/// Starts and ends a frame (RFC 1662 §3.1).
const FLAG: u8 = 0x7e;

/// Says that the next octet is changed (RFC 1662 §4.2).
const ESCAPE: u8 = 0x7d;

/// What an escaped octet is changed by (RFC 1662 §4.2).
const FLIP: u8 = 0x20;
