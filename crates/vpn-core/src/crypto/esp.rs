#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::any::Any;
#[cfg(not(feature = "alloc"))]
use core::convert::Infallible;
#[cfg(not(feature = "alloc"))]
use core::marker::PhantomData;

use thiserror::Error;

use super::EspSuite;
use crate::RandomError;
use crate::SecureRandom;

/// One ESP suite, computed over many packets at once.
///
/// This is the whole seam between ESP and the ciphers: not a cipher and a MAC apart, but the suite
/// over *jobs*, each with a key of its own. CBC encryption is a chain inside one packet, so speed
/// comes from many packets side by side, and a server's burst has one packet each for many clients.
/// An implementation is free to go through its jobs one by one, to run eight or sixteen of them in
/// lanes, to stitch cipher and MAC, or to slice bits; it sees the same slice.
///
/// Whoever calls it gathers the jobs of a mixed batch by suite and makes one call for each.
pub trait EspCrypto: Send + Sync {
    /// The suite that is computed here.
    fn suite(&self) -> EspSuite;

    /// Expands the keys of an outbound SA, once for its life.
    ///
    /// `keymat` is the encryption key (with its salt), then the integrity key:
    /// [`EspSuite::keymat_len`] octets. A suite that needs unpredictable IVs draws an IV key from
    /// `rng` here and nothing per packet.
    ///
    /// # Errors
    /// [`EspKeyError`].
    fn seal_key(
        &'static self,
        keymat: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<BoxedSealKey, EspKeyError>;

    /// Expands the keys of an inbound SA, once for its life.
    ///
    /// # Errors
    /// [`EspKeyError`].
    fn open_key(&'static self, keymat: &[u8]) -> Result<BoxedOpenKey, EspKeyError>;

    /// Writes the IV, encrypts, and writes the ICV of each job, and says so in [`SealJob::sealed`].
    ///
    /// A job whose key is of another implementation, or whose packet has an impossible length, is
    /// left unsealed.
    fn seal(&self, jobs: &mut [SealJob<'_>]);

    /// Verifies the ICV of each job and decrypts, and says in [`OpenJob::authentic`] whether the
    /// ICV was right. The comparison takes the same time wherever the difference lies.
    ///
    /// The packet of a job that is not authentic has unspecified content afterwards.
    fn open(&self, jobs: &mut [OpenJob<'_>]);
}

/// What a suite seals with: expanded, wiped on drop, of use only to the implementation that made
/// it.
///
/// It serves from many threads at once. It is not `Clone`: two copies would use an IV twice.
pub trait SealKey: Any + Send + Sync {
    /// The implementation that made the key.
    fn crypto(&self) -> &'static dyn EspCrypto;
}

/// What a suite opens with: expanded, wiped on drop, of use only to the implementation that made
/// it.
pub trait OpenKey: Any + Send + Sync {
    /// The implementation that made the key.
    fn crypto(&self) -> &'static dyn EspCrypto;
}

/// One packet to seal.
pub struct SealJob<'a> {
    /// The keys of the SA.
    pub key: &'a dyn SealKey,
    /// The sequence number, all 64 bits; never the same twice under one key.
    pub sequence: u64,
    /// Whether the SA has extended sequence numbers, so that the ICV covers the high half too
    /// (RFC 4303 §2.2.1).
    pub extended: bool,
    /// The whole ESP packet: header, room for the IV, plaintext with its trailer, room for the ICV.
    /// The header and the plaintext are there already.
    pub packet: &'a mut [u8],
    /// Set by the suite once the packet is fit to be sent. It starts out false.
    pub sealed: bool,
}

/// One packet to open.
pub struct OpenJob<'a> {
    /// The keys of the SA.
    pub key: &'a dyn OpenKey,
    /// The sequence number, all 64 bits, as the receiver infers it (RFC 4303 appendix A2.2).
    pub sequence: u64,
    /// Whether the SA has extended sequence numbers.
    pub extended: bool,
    /// The whole ESP packet, from the SPI to the ICV.
    pub packet: &'a mut [u8],
    /// Set by the suite when the ICV is right and the plaintext stands where the ciphertext stood.
    /// It starts out false.
    pub authentic: bool,
}

/// Keys on the heap; without feature `alloc` there are none and the type has no value.
///
/// A target without a heap keeps the concrete keys of its crypto crate in the SA instead; both are
/// `AsRef` of the key trait.
pub struct Boxed<K: ?Sized>(
    #[cfg(feature = "alloc")] Box<K>,
    #[cfg(not(feature = "alloc"))] (Infallible, PhantomData<K>),
);

/// Keys that seal, on the heap.
pub type BoxedSealKey = Boxed<dyn SealKey>;
/// Keys that open, on the heap.
pub type BoxedOpenKey = Boxed<dyn OpenKey>;

/// Why keys were refused.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum EspKeyError {
    /// The keying material has another length than the suite needs.
    #[error("the keying material has {given} octets and the suite needs {needed}")]
    WrongLength {
        /// Octets that the suite needs.
        needed: usize,
        /// Octets that were given.
        given: usize,
    },
    /// A 3DES key whose first or last two parts are equal, which is single DES (RFC 2451 §2.3).
    #[error("the key is weak: negotiate a new SA")]
    Weak,
    /// The suite may only be received.
    #[error("this suite may be received but not sent: configure a stronger one")]
    ReceiveOnly,
    /// The provider does not have the suite.
    #[error("the crypto provider does not have this suite")]
    UnknownSuite,
    /// The build has no heap for keys of any suite: keep the concrete keys in the SA.
    #[error("this build has no heap: enable feature `alloc` or keep the concrete key in the SA")]
    NoHeap,
    /// The random generator failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

macro_rules! boxed {
    ($key:ident) => {
        impl Boxed<dyn $key> {
            /// Puts `key` on the heap.
            ///
            /// # Errors
            /// [`EspKeyError::NoHeap`] in a build without feature `alloc`.
            pub fn new(key: impl $key) -> Result<Self, EspKeyError> {
                #[cfg(feature = "alloc")]
                {
                    Ok(Self(Box::new(key)))
                }
                #[cfg(not(feature = "alloc"))]
                {
                    drop(key);
                    Err(EspKeyError::NoHeap)
                }
            }
        }
    };
}

boxed!(SealKey);
boxed!(OpenKey);

impl<K: ?Sized> AsRef<K> for Boxed<K> {
    fn as_ref(&self) -> &K {
        #[cfg(feature = "alloc")]
        {
            &self.0
        }
        #[cfg(not(feature = "alloc"))]
        match self.0.0 {}
    }
}
