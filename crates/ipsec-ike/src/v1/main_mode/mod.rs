//! Main mode (RFC 2409 §5): six messages, the last two of them encrypted.
//!
//! ```text
//!   initiator                                     responder
//!   1  HDR, SA, VID…                         ─▶
//!                                            ◀─   2  HDR, SA, VID…
//!   3  HDR, KE, Ni, [CR], NAT-D, NAT-D       ─▶
//!                                            ◀─   4  HDR, KE, Nr, [CR], NAT-D, NAT-D
//!   5  HDR*, IDii, HASH_I | [CERT,] SIG_I    ─▶
//!                                            ◀─   6  HDR*, IDir, HASH_R | [CERT,] SIG_R
//! ```

mod initiator;
mod responder;

pub(crate) use initiator::FirstMessage;
pub(crate) use responder::FirstAnswer;
pub(crate) use responder::MAX_OFFER;
