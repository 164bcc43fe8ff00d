use core::cell::Cell;
#[cfg(all(target_has_atomic = "64", not(all(loom, test))))]
use core::sync::atomic::AtomicU64;
#[cfg(target_has_atomic = "64")]
use core::sync::atomic::Ordering;

#[cfg(all(target_has_atomic = "64", loom, test))]
use loom::sync::atomic::AtomicU64;

/// A number that an SA counts with through `&self`.
///
/// [`Local`] is for one thread and for every target, [`Shared`] for many threads. Everything that
/// changes in an SA (sequence counter, replay window, usage) is made of these, so the two forms run
/// the same code. No number guards other memory: each operation is whole in itself, and no ordering
/// between two of them is relied upon.
pub trait Number {
    /// A number that starts at `value`.
    fn new(value: u64) -> Self;

    /// The present value.
    fn load(&self) -> u64;

    /// Sets the value.
    fn store(&self, value: u64);

    /// Adds `n`, wrapping, and returns the value before.
    fn add(&self, n: u64) -> u64;

    /// Raises the value to at least `floor` and returns the value before.
    fn raise(&self, floor: u64) -> u64;

    /// Sets the value to `new` if it is `current`.
    ///
    /// # Errors
    /// The present value, when it is another one; a shared form may also fail without cause.
    fn replace(&self, current: u64, new: u64) -> Result<(), u64>;
}

/// A [`Number`] of one thread.
#[derive(Debug)]
pub struct Local(Cell<u64>);

impl Number for Local {
    #[inline]
    fn new(value: u64) -> Self {
        Self(Cell::new(value))
    }

    #[inline]
    fn load(&self) -> u64 {
        self.0.get()
    }

    #[inline]
    fn store(&self, value: u64) {
        self.0.set(value);
    }

    #[inline]
    fn add(&self, n: u64) -> u64 {
        let before = self.0.get();
        self.0.set(before.wrapping_add(n));
        before
    }

    #[inline]
    fn raise(&self, floor: u64) -> u64 {
        let before = self.0.get();
        self.0.set(before.max(floor));
        before
    }

    #[inline]
    fn replace(&self, current: u64, new: u64) -> Result<(), u64> {
        match self.0.get() {
            now if now == current => {
                self.0.set(new);
                Ok(())
            }
            now => Err(now),
        }
    }
}

/// A [`Number`] of many threads; for targets with 64-bit atomics.
#[cfg(target_has_atomic = "64")]
#[derive(Debug)]
pub struct Shared(AtomicU64);

#[cfg(target_has_atomic = "64")]
impl Number for Shared {
    #[inline]
    fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    #[inline]
    fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    fn store(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline]
    fn add(&self, n: u64) -> u64 {
        self.0.fetch_add(n, Ordering::Relaxed)
    }

    #[inline]
    fn raise(&self, floor: u64) -> u64 {
        self.0.fetch_max(floor, Ordering::Relaxed)
    }

    #[inline]
    fn replace(&self, current: u64, new: u64) -> Result<(), u64> {
        let changed =
            self.0.compare_exchange_weak(current, new, Ordering::Relaxed, Ordering::Relaxed);
        changed.map(drop)
    }
}

/// Keeps what threads write away from the cache lines that they only read.
#[repr(align(128))]
pub(crate) struct OwnLines<T>(pub(crate) T);
