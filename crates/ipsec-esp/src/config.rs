use crate::Lifetime;
use crate::NextHeader;
use crate::Spi;

/// What an SA is made of besides its keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SaConfig {
    pub(crate) spi: Spi,
    pub(crate) extended: bool,
    pub(crate) window: u32,
    pub(crate) lifetime: Lifetime,
    pub(crate) next_header: NextHeader,
}

impl SaConfig {
    /// An SA named `spi` with 32-bit sequence numbers, a replay window of 64 and no lifetime but that
    /// of its sequence numbers, carrying UDP.
    #[must_use]
    pub const fn new(spi: Spi) -> Self {
        Self {
            spi,
            extended: false,
            window: 64,
            lifetime: Lifetime::UNLIMITED,
            next_header: NextHeader::UDP,
        }
    }

    /// Whether sequence numbers have 64 bits (RFC 4303 §2.2.1), as both ends must have agreed.
    #[must_use]
    pub const fn extended_sequence_numbers(self, extended: bool) -> Self {
        Self { extended, ..self }
    }

    /// How many sequence numbers the replay window of an inbound SA spans: 64 to 4096, default 64.
    /// A fast path that reorders needs a larger one.
    #[must_use]
    pub const fn replay_window(self, window: u32) -> Self {
        Self { window, ..self }
    }

    /// When the SA must be replaced and when it ends. The default is the end of its sequence
    /// numbers.
    #[must_use]
    pub const fn lifetime(self, lifetime: Lifetime) -> Self {
        Self { lifetime, ..self }
    }

    /// What [`Encap`](vpn_core::Encap) seals and [`Decap`](vpn_core::Decap) lets through. The default
    /// is UDP, which carries L2TP.
    #[must_use]
    pub const fn next_header(self, next_header: NextHeader) -> Self {
        Self { next_header, ..self }
    }

    /// The last sequence number.
    pub(crate) const fn last(&self) -> u64 {
        if self.extended { crate::sequence::LAST_EXTENDED } else { crate::sequence::LAST_SHORT }
    }
}
