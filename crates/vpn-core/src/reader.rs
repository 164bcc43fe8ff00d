use byteorder::BigEndian;
use byteorder::ByteOrder;
use thiserror::Error;

/// A bounds-checked cursor over received octets. Numbers are in network byte order.
///
/// Every read either moves forward or fails and leaves the cursor where it was, so a loop over a
/// reader ends after at most as many steps as there are octets.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// Fewer octets are left than were asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{needed} octets needed, {left} left")]
pub struct Truncated {
    /// How many octets were asked for.
    pub needed: usize,
    /// How many there are.
    pub left: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `octets`.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// Octets not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many octets are left.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads `n` octets.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    #[inline]
    pub const fn take(&mut self, n: usize) -> Result<&'a [u8], Truncated> {
        match self.rest.split_at_checked(n) {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(head)
            }
            None => Err(Truncated { needed: n, left: self.rest.len() }),
        }
    }

    /// Reads an array.
    ///
    /// # Errors
    /// [`Truncated`] when fewer octets are left.
    #[inline]
    pub const fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Truncated> {
        match self.rest.split_first_chunk() {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(head)
            }
            None => Err(Truncated { needed: N, left: self.rest.len() }),
        }
    }

    /// Reads an octet.
    ///
    /// # Errors
    /// [`Truncated`] when nothing is left.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        let [octet] = self.array()?;
        Ok(*octet)
    }

    /// Reads a 16-bit number.
    ///
    /// # Errors
    /// [`Truncated`] when fewer than 2 octets are left.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, Truncated> {
        Ok(BigEndian::read_u16(self.array::<2>()?))
    }

    /// Reads a 32-bit number.
    ///
    /// # Errors
    /// [`Truncated`] when fewer than 4 octets are left.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, Truncated> {
        Ok(BigEndian::read_u32(self.array::<4>()?))
    }

    /// Reads a 64-bit number.
    ///
    /// # Errors
    /// [`Truncated`] when fewer than 8 octets are left.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, Truncated> {
        Ok(BigEndian::read_u64(self.array::<8>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_network_byte_order() {
        let octets = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
        let mut reader = Reader::new(&octets);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(0x0203));
        assert_eq!(reader.u32(), Ok(0x0405_0607));
        assert_eq!(reader.u64(), Ok(0x0809_0a0b_0c0d_0e0f));
        assert_eq!(reader.take(1), Ok(&[16][..]));
        assert_eq!((reader.rest(), reader.len(), reader.is_empty()), (&[17][..], 1, false));
    }

    #[test]
    fn a_failed_read_moves_nothing() {
        let mut reader = Reader::new(&[7]);
        assert_eq!(reader.u16(), Err(Truncated { needed: 2, left: 1 }));
        assert_eq!(reader.take(2), Err(Truncated { needed: 2, left: 1 }));
        assert_eq!(reader.u8(), Ok(7));
        assert_eq!(reader.u8(), Err(Truncated { needed: 1, left: 0 }));
    }
}
