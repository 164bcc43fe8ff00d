use thiserror::Error;
use vpn_core::EncapError;
use vpn_core::NoRoom;

use crate::BadWindowSize;
use crate::Spi;

/// Why a packet could not be sealed. Its content is unspecified afterwards: drop it.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealError {
    /// The buffer has too little head- or tailroom.
    #[error("too little room around the packet, leave OutboundSa::room: {0}")]
    NoRoom(#[from] NoRoom),
    /// The packet would be longer than an IP packet can be.
    #[error("the ESP packet would have {len} octets and at most {max} fit")]
    TooLong {
        /// Octets of the ESP packet.
        len: usize,
        /// The most that fit.
        max: usize,
    },
    /// A hard lifetime was reached or the sequence numbers are used up (RFC 4303 §3.3.3). No packet
    /// will ever be sealed again: install a new SA.
    #[error("the SA has reached its hard lifetime, install a new one")]
    Exhausted,
    /// The SA was closed.
    #[error("the SA is closed")]
    Closed,
    /// The suite did not seal the packet: its key is of another implementation, or hardware failed.
    #[error("the crypto provider did not seal the packet")]
    Crypto,
}

impl From<SealError> for EncapError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NoRoom(no_room) => Self::NoRoom(no_room),
            SealError::TooLong { len, max } => Self::TooLong { len, max },
            SealError::Exhausted | SealError::Closed | SealError::Crypto => Self::Exhausted,
        }
    }
}

/// A packet was not opened. Its content is unspecified: drop it.
///
/// That is all that is said on the live path, so that nothing which an attacker could see depends on
/// the cause. [`InboundSa::failures`](crate::InboundSa::failures) counts each cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the packet was not opened")]
pub struct OpenError;

macro_rules! open_failures {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $text:literal;)*) => {
        /// Why a packet was not opened: for counters and for looking at captures.
        #[non_exhaustive]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
        pub enum OpenFailure {
            $($(#[$doc])* #[error($text)] $name,)*
        }

        impl OpenFailure {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// A stable, short name in lower case, fit for a metric.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

open_failures! {
    /// No packet of this suite has such a length.
    Malformed = "malformed", "no packet of this suite has such a length";
    /// There is no SA with this SPI.
    UnknownSpi = "unknown_spi", "no SA has this SPI";
    /// The sequence number was received before (RFC 4303 §3.4.3).
    Replay = "replay", "the sequence number was received before";
    /// The sequence number lies before the replay window (RFC 4303 §3.4.3).
    TooOld = "too_old", "the sequence number lies before the replay window";
    /// The ICV is wrong (RFC 4303 §3.4.4).
    BadIcv = "bad_icv", "the integrity check value is wrong";
    /// The ICV is right but the padding is not 1, 2, 3, … (RFC 4303 §2.4).
    BadPadding = "bad_padding", "the padding is not 1, 2, 3 and so on";
    /// The SA has reached a hard lifetime or was closed.
    Expired = "expired", "the SA has expired";
}

/// Why an SA could not be made.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SaError {
    /// The SPI is 0 or reserved (RFC 4303 §2.1).
    #[error("SPI {0} is reserved, choose one above 255")]
    ReservedSpi(Spi),
    /// The replay window has a size that it cannot have.
    #[error(transparent)]
    Window(#[from] BadWindowSize),
}
