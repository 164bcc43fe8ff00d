use thiserror::Error;

/// A source of unpredictable octets, injected by the caller.
///
/// Machines take their identifiers, challenges, nonces and keys from it. There is no default: a
/// test injects a seeded one, a product the operating system's (`vpn_crypto::OsRandom`).
pub trait SecureRandom {
    /// Fills `out`.
    ///
    /// # Errors
    /// [`RandomError`] when no unpredictable octets can be had; the operation that needs them
    /// fails, and never goes on with weaker ones.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError>;
}

impl<R: SecureRandom + ?Sized> SecureRandom for &mut R {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        (**self).fill(out)
    }
}

/// The random generator failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the random generator failed")]
pub struct RandomError;

/// Makes independent generators, one for each machine of a composition.
///
/// A machine owns its generator and shares it with nobody, so a client or server that holds many
/// machines takes a source and gives each child one of its own.
#[cfg(feature = "alloc")]
pub trait RandomSource {
    /// A generator that is independent of every other one made here.
    fn generator(&mut self) -> alloc::boxed::Box<dyn SecureRandom + Send>;
}
