#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Whether two octet strings are equal, in time that depends only on their lengths.
#[must_use]
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// A secret of fixed length: wiped on drop, never printed, compared in constant time.
///
/// It has no `PartialEq`; use [`Secret::ct_eq`].
#[derive(Clone)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes over `octets`.
    #[must_use]
    pub const fn new(octets: [u8; N]) -> Self {
        Self(octets)
    }

    /// The secret octets. Whoever asks keeps them from logs, errors and the wire.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// Whether `other` is equal, in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        ct_eq(&self.0, other)
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({N} octets)")
    }
}

/// A secret of any length: wiped on drop, never printed, compared in constant time.
///
/// It has no `PartialEq`; use [`SecretBytes::ct_eq`].
#[cfg(feature = "alloc")]
#[derive(Clone)]
pub struct SecretBytes(Box<[u8]>);

#[cfg(feature = "alloc")]
impl SecretBytes {
    /// Copies `octets`. The copy that the caller holds is the caller's to wipe.
    #[must_use]
    pub fn new(octets: &[u8]) -> Self {
        Self(octets.into())
    }

    /// The secret octets. Whoever asks keeps them from logs, errors and the wire.
    #[must_use]
    pub const fn expose(&self) -> &[u8] {
        &self.0
    }

    /// How many octets the secret has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the secret is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` is equal, in time that depends only on the lengths.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        ct_eq(&self.0, other)
    }
}

#[cfg(feature = "alloc")]
impl From<&str> for SecretBytes {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

#[cfg(feature = "alloc")]
impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(feature = "alloc")]
impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} octets)", self.0.len())
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn debug_shows_the_length_only() {
        let text = format!("{:?} {:?}", Secret::new(*b"hunter2"), SecretBytes::from("hunter2"));
        assert_eq!(text, "Secret(7 octets) SecretBytes(7 octets)");
    }

    #[test]
    fn compares_whole_values() {
        assert!(Secret::new([1, 2]).ct_eq(&[1, 2]));
        assert!(!Secret::new([1, 2]).ct_eq(&[1, 3]));
        assert!(!SecretBytes::from("ab").ct_eq(b"abc"));
        assert!(SecretBytes::new(b"").is_empty() && SecretBytes::from("ab").len() == 2);
        assert!(ct_eq(b"x", b"x"));
    }
}
