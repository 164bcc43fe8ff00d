use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use vpn_core::Instant;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;

/// What every exchange works with.
pub(crate) struct Tools {
    pub(crate) provider: &'static CryptoProvider,
    pub(crate) random: Box<dyn SecureRandom + Send>,
    /// The time of day at an instant, in seconds since 1970.
    unix: Option<(Instant, u64)>,
}

impl Tools {
    pub(crate) fn new(
        provider: &'static CryptoProvider,
        random: Box<dyn SecureRandom + Send>,
    ) -> Self {
        Self { provider, random, unix: None }
    }

    pub(crate) fn set_unix_time(&mut self, now: Instant, seconds: u64) {
        self.unix = Some((now, seconds));
    }

    pub(crate) fn unix_time(&self, now: Instant) -> Option<u64> {
        let (at, seconds) = self.unix?;
        Some(seconds.saturating_add(now.since(at).as_secs()))
    }

    pub(crate) fn octets<const N: usize>(&mut self) -> Result<[u8; N], RandomError> {
        let mut octets = [0; N];
        self.random.fill(&mut octets)?;
        Ok(octets)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<Vec<u8>, RandomError> {
        let mut octets = vec![0; len];
        self.random.fill(&mut octets)?;
        Ok(octets)
    }

    /// A random number below `bound`, to spread deadlines with.
    pub(crate) fn below(&mut self, bound: u32) -> Result<u32, RandomError> {
        let number = u32::from_be_bytes(self.octets()?);
        Ok(number.checked_rem(bound).unwrap_or(0))
    }

    /// A message id: never zero, which is that of phase 1 (RFC 2408 §3.1).
    pub(crate) fn message_id(&mut self) -> Result<u32, RandomError> {
        Ok(u32::from_be_bytes(self.octets()?).max(1))
    }
}
