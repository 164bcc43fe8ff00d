//! The one lock of the crate: between the control machine, which changes the table of sessions,
//! and the threads of the data plane, which read it.

#[cfg(feature = "std")]
use std::sync::PoisonError;

/// A reader-writer lock: the operating system's with `std`, a spinning one without.
#[derive(Debug, Default)]
pub(crate) struct Lock<T> {
    #[cfg(feature = "std")]
    inner: std::sync::RwLock<T>,
    #[cfg(not(feature = "std"))]
    inner: spin::RwLock<T>,
}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        #[cfg(feature = "std")]
        return Self { inner: std::sync::RwLock::new(value) };
        #[cfg(not(feature = "std"))]
        return Self { inner: spin::RwLock::new(value) };
    }

    /// Reads. A writer that panicked leaves nothing half-done here, so poison is ignored.
    pub(crate) fn read(&self) -> impl core::ops::Deref<Target = T> + '_ {
        #[cfg(feature = "std")]
        return self.inner.read().unwrap_or_else(PoisonError::into_inner);
        #[cfg(not(feature = "std"))]
        return self.inner.read();
    }

    pub(crate) fn write(&self) -> impl core::ops::DerefMut<Target = T> + '_ {
        #[cfg(feature = "std")]
        return self.inner.write().unwrap_or_else(PoisonError::into_inner);
        #[cfg(not(feature = "std"))]
        return self.inner.write();
    }
}
