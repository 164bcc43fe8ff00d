use vpn_core::SecureRandom;
use vpn_core::crypto::BoxedOpenKey;
use vpn_core::crypto::BoxedSealKey;
use vpn_core::crypto::EspAead::Aes128Gcm16;
use vpn_core::crypto::EspAead::Aes192Gcm16;
use vpn_core::crypto::EspAead::Aes256Gcm16;
use vpn_core::crypto::EspCipher::Aes128Cbc;
use vpn_core::crypto::EspCipher::Aes192Cbc;
use vpn_core::crypto::EspCipher::Aes256Cbc;
use vpn_core::crypto::EspCipher::TripleDesCbc;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspKeyError;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::EspSuite::Combined;
use vpn_core::crypto::EspSuite::Separate;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::SealJob;

#[cfg(target_arch = "x86_64")]
use super::aes_cbc;
#[cfg(target_arch = "x86_64")]
use super::gcm;
use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::triple_des;
use crate::kernel::Path;

/// An ESP suite on the fastest kernels that the processor has, or on those of one [`Path`].
#[derive(Debug)]
pub(super) struct Suite {
    portable: Portable,
    /// The path that must be taken, if it is not the fastest.
    forced: Option<Path>,
}

/// What computes a suite.
enum Family {
    /// RustCrypto on every path.
    Portable,
    AesCbc,
    Gcm,
    TripleDes,
}

const fn family(suite: EspSuite) -> Family {
    match suite {
        Separate(Aes128Cbc | Aes192Cbc | Aes256Cbc, _) => Family::AesCbc,
        Separate(TripleDesCbc, _) => Family::TripleDes,
        Combined(Aes128Gcm16 | Aes192Gcm16 | Aes256Gcm16) => Family::Gcm,
        _ => Family::Portable,
    }
}

/// Whether this processor can compute `suite` on `path`.
pub(super) fn runs_on(suite: EspSuite, path: Path) -> bool {
    match family(suite) {
        _ if path == Path::Portable => true,
        #[cfg(target_arch = "x86_64")]
        Family::AesCbc => aes_cbc::runs_on(path),
        #[cfg(target_arch = "x86_64")]
        Family::Gcm => gcm::runs_on(path),
        #[cfg(target_arch = "x86_64")]
        Family::TripleDes => triple_des::runs_on(path),
        _ => false,
    }
}

/// The fastest path of `suite` on this processor.
pub(super) fn fastest(suite: EspSuite) -> Path {
    let mut paths = Path::ALL.into_iter().rev();
    paths.find(|path| runs_on(suite, *path)).unwrap_or(Path::Portable)
}

impl Suite {
    pub(super) const fn new(suite: EspSuite, forced: Option<Path>) -> Self {
        Self { portable: Portable::new(suite), forced }
    }

    /// The family whose kernels are taken, and their path.
    fn chosen(&self) -> (Family, Path) {
        match self.forced.unwrap_or_else(|| fastest(self.suite())) {
            Path::Portable => (Family::Portable, Path::Portable),
            path => (family(self.suite()), path),
        }
    }
}

impl EspCrypto for Suite {
    fn suite(&self) -> EspSuite {
        self.portable.suite()
    }

    fn seal_key(
        &'static self,
        keymat: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<BoxedSealKey, EspKeyError> {
        match self.chosen() {
            #[cfg(target_arch = "x86_64")]
            (Family::AesCbc, _) => BoxedSealKey::new(aes_cbc::SealKey::new(self, keymat, rng)?),
            #[cfg(target_arch = "x86_64")]
            (Family::TripleDes, _) => {
                BoxedSealKey::new(triple_des::SealKey::new(self, keymat, rng)?)
            }
            #[cfg(target_arch = "x86_64")]
            (Family::Gcm, path) => BoxedSealKey::new(gcm::SealKey::new(self, path, keymat)?),
            _ => self.portable.seal_key(keymat, rng),
        }
    }

    fn open_key(&'static self, keymat: &[u8]) -> Result<BoxedOpenKey, EspKeyError> {
        match self.chosen() {
            #[cfg(target_arch = "x86_64")]
            (Family::AesCbc, _) => BoxedOpenKey::new(aes_cbc::OpenKey::new(self, keymat)?),
            #[cfg(target_arch = "x86_64")]
            (Family::TripleDes, _) => BoxedOpenKey::new(triple_des::OpenKey::new(self, keymat)?),
            #[cfg(target_arch = "x86_64")]
            (Family::Gcm, path) => BoxedOpenKey::new(gcm::OpenKey::new(self, path, keymat)?),
            _ => self.portable.open_key(keymat),
        }
    }

    fn seal(&self, jobs: &mut [SealJob<'_>]) {
        match self.chosen() {
            #[cfg(target_arch = "x86_64")]
            (Family::AesCbc, path) => aes_cbc::seal(self, path, jobs),
            #[cfg(target_arch = "x86_64")]
            (Family::TripleDes, path) => triple_des::seal(self, path, jobs),
            #[cfg(target_arch = "x86_64")]
            (Family::Gcm, _) => gcm::seal(jobs),
            _ => self.portable.seal(jobs),
        }
    }

    fn open(&self, jobs: &mut [OpenJob<'_>]) {
        match self.chosen() {
            #[cfg(target_arch = "x86_64")]
            (Family::AesCbc, path) => aes_cbc::open(self, path, jobs),
            #[cfg(target_arch = "x86_64")]
            (Family::TripleDes, path) => triple_des::open(self, path, jobs),
            #[cfg(target_arch = "x86_64")]
            (Family::Gcm, _) => gcm::open(jobs),
            _ => self.portable.open(jobs),
        }
    }
}
