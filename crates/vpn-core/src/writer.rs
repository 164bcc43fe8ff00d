use byteorder::BigEndian;
use byteorder::ByteOrder;
use thiserror::Error;

/// A bounds-checked cursor that writes into a slice. Numbers go out in network byte order.
#[derive(Debug)]
pub struct Writer<'a> {
    buf: &'a mut [u8],
    len: usize,
}

/// The slice is too small for what was to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the buffer is full: {needed} octets to write, {left} left")]
pub struct Full {
    /// How many octets were to be written.
    pub needed: usize,
    /// How many fit.
    pub left: usize,
}

impl<'a> Writer<'a> {
    /// A cursor at the start of `buf`.
    #[must_use]
    pub const fn new(buf: &'a mut [u8]) -> Self {
        Self { buf, len: 0 }
    }

    /// How many octets were written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The octets written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or_default()
    }

    /// The octets written so far, to patch a length or transform in place.
    #[must_use]
    pub fn written_mut(&mut self) -> &mut [u8] {
        self.buf.get_mut(..self.len).unwrap_or_default()
    }

    /// Takes back everything after the first `len` octets.
    pub const fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.len = len;
        }
    }

    /// Makes room for `n` octets and returns it.
    ///
    /// # Errors
    /// [`Full`] when they do not fit; nothing is written.
    #[inline]
    pub fn reserve(&mut self, n: usize) -> Result<&mut [u8], Full> {
        let left = self.buf.len() - self.len;
        let full = Full { needed: n, left };
        let end = self.len.checked_add(n).ok_or(full)?;
        let room = self.buf.get_mut(self.len..end).ok_or(full)?;
        self.len = end;
        Ok(room)
    }

    /// Writes octets.
    ///
    /// # Errors
    /// [`Full`] when they do not fit; nothing is written.
    #[inline]
    pub fn put(&mut self, octets: &[u8]) -> Result<(), Full> {
        self.reserve(octets.len())?.copy_from_slice(octets);
        Ok(())
    }

    /// Writes an octet.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    #[inline]
    pub fn u8(&mut self, value: u8) -> Result<(), Full> {
        self.put(&[value])
    }

    /// Writes a 16-bit number.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    #[inline]
    pub fn u16(&mut self, value: u16) -> Result<(), Full> {
        BigEndian::write_u16(self.reserve(2)?, value);
        Ok(())
    }

    /// Writes a 32-bit number.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    #[inline]
    pub fn u32(&mut self, value: u32) -> Result<(), Full> {
        BigEndian::write_u32(self.reserve(4)?, value);
        Ok(())
    }

    /// Writes a 64-bit number.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    #[inline]
    pub fn u64(&mut self, value: u64) -> Result<(), Full> {
        BigEndian::write_u64(self.reserve(8)?, value);
        Ok(())
    }

    /// Overwrites a 16-bit number that was written at `at`; does nothing when it lies outside.
    pub fn patch_u16(&mut self, at: usize, value: u16) {
        let written = self.written_mut();
        if let Some(place) = written.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<2>()) {
            BigEndian::write_u16(place, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_in_network_byte_order() {
        let mut buf = [0; 17];
        let mut writer = Writer::new(&mut buf);
        writer.u8(1).unwrap();
        writer.u16(0x0203).unwrap();
        writer.u32(0x0405_0607).unwrap();
        writer.u64(0x0809_0a0b_0c0d_0e0f).unwrap();
        writer.put(&[16]).unwrap();
        writer.patch_u16(1, 0xffee);
        writer.patch_u16(15, 0xffee);
        assert_eq!(writer.written(), [1, 0xff, 0xee, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
        writer.truncate(1);
        assert_eq!((writer.written(), writer.len(), writer.is_empty()), (&[1][..], 1, false));
    }

    #[test]
    fn a_failed_write_writes_nothing() {
        let mut buf = [0; 3];
        let mut writer = Writer::new(&mut buf);
        writer.u16(5).unwrap();
        assert_eq!(writer.u16(6), Err(Full { needed: 2, left: 1 }));
        assert_eq!(writer.reserve(usize::MAX).unwrap_err(), Full { needed: usize::MAX, left: 1 });
        assert_eq!(writer.written(), [0, 5]);
    }
}
