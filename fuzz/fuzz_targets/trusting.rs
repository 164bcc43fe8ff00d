//! An ESP suite without any security, for targets that want to get past authentication.

use vpn_core::SecureRandom;
use vpn_core::crypto::BoxedOpenKey;
use vpn_core::crypto::BoxedSealKey;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspKeyError;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::OpenKey;
use vpn_core::crypto::SealJob;
use vpn_core::crypto::SealKey;

/// Encrypts nothing and believes everything.
pub(crate) struct Trusting(pub(crate) EspSuite);

impl EspCrypto for Trusting {
    fn suite(&self) -> EspSuite {
        self.0
    }

    fn seal_key(
        &'static self,
        _: &[u8],
        _: &mut dyn SecureRandom,
    ) -> Result<BoxedSealKey, EspKeyError> {
        BoxedSealKey::new(TrustingKey(self))
    }

    fn open_key(&'static self, _: &[u8]) -> Result<BoxedOpenKey, EspKeyError> {
        BoxedOpenKey::new(TrustingKey(self))
    }

    fn seal(&self, jobs: &mut [SealJob<'_>]) {
        jobs.iter_mut().for_each(|job| job.sealed = true);
    }

    fn open(&self, jobs: &mut [OpenJob<'_>]) {
        jobs.iter_mut().for_each(|job| job.authentic = true);
    }
}

struct TrustingKey(&'static Trusting);

impl SealKey for TrustingKey {
    fn crypto(&self) -> &'static dyn EspCrypto {
        self.0
    }
}

impl OpenKey for TrustingKey {
    fn crypto(&self) -> &'static dyn EspCrypto {
        self.0
    }
}
