use core::time::Duration;

use thiserror::Error;
use vpn_core::RandomError;

use crate::Spi;

/// The SAs with one peer: all that replaced each other. The name is never given twice by one
/// [`Sad`](super::Sad).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BundleId(pub u64);

/// Which of the SA pairs of a bundle: 0, then one more with each replacement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Generation(pub u32);

/// How a [`Sad`](super::Sad) times replacements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SadConfig {
    /// How long an old pair goes on receiving after a newer one took over sending. Default 60 s.
    pub linger: Duration,
    /// How long sending waits for a sign that the peer has the new pair, before it changes over
    /// without one. Default 10 s.
    pub switch_after: Duration,
}

impl Default for SadConfig {
    fn default() -> Self {
        Self { linger: Duration::from_secs(60), switch_after: Duration::from_secs(10) }
    }
}

/// What a [`Sad`](super::Sad) reports.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SadEvent {
    /// The pair has reached a soft limit and is the newest: negotiate a new one.
    Replace {
        /// The bundle.
        bundle: BundleId,
        /// The pair.
        generation: Generation,
    },
    /// The bundle sends on this pair from now on.
    Switched {
        /// The bundle.
        bundle: BundleId,
        /// The pair.
        generation: Generation,
    },
    /// The pair is gone. The peer must be told by a Delete, unless it asked.
    Removed {
        /// The bundle.
        bundle: BundleId,
        /// The pair.
        generation: Generation,
        /// The SPI on which we received.
        inbound: Spi,
        /// Why.
        reason: Removal,
    },
}

/// Why a pair was removed.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    /// A newer pair took over and the time to linger is over.
    Replaced,
    /// It reached its hard time limit.
    Expired,
    /// The peer deleted its half and no packet can still be on its way.
    Deleted,
}

/// What the caller of a [`Sad`](super::Sad) did wrong.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SadError {
    /// There is no such bundle, or it was closed.
    #[error("no bundle has this name")]
    UnknownBundle,
    /// There is no such pair.
    #[error("no pair of the bundle has this generation; install its inbound SA first")]
    UnknownGeneration,
    /// Another SA has the SPI.
    #[error("SPI {0} is taken, reserve another")]
    SpiTaken(Spi),
    /// The random generator failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}
