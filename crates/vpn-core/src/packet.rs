use core::ops::Range;

use thiserror::Error;

/// A packet as a window in borrowed storage, with room before and behind it.
///
/// Headers are put in front and trailers behind without moving the payload: one buffer serves from
/// the TUN device to the socket. The storage can be any memory: a stack array, a pool, a slot of a
/// batch.
///
/// ```
/// use vpn_core::PacketMut;
///
/// let mut storage = *b"....payload....";
/// let mut packet = PacketMut::new(&mut storage, 4..11).unwrap();
/// packet.prepend(2).unwrap().copy_from_slice(b"<<");
/// packet.append(2).unwrap().copy_from_slice(b">>");
/// assert_eq!(packet.payload(), b"<<payload>>");
/// assert_eq!(packet.headroom(), 2);
/// ```
#[derive(Debug)]
pub struct PacketMut<'a> {
    storage: &'a mut [u8],
    start: usize,
    end: usize,
}

/// The storage of a packet is too small for what was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{needed} octets asked for, {left} left")]
pub struct NoRoom {
    /// How many octets were asked for.
    pub needed: usize,
    /// How many there are.
    pub left: usize,
}

impl<'a> PacketMut<'a> {
    /// A packet that occupies `window` of `storage`.
    ///
    /// # Errors
    /// [`NoRoom`] when the window does not lie inside the storage.
    pub fn new(storage: &'a mut [u8], window: Range<usize>) -> Result<Self, NoRoom> {
        if window.start > window.end || window.end > storage.len() {
            return Err(NoRoom { needed: window.end, left: storage.len() });
        }
        Ok(Self { storage, start: window.start, end: window.end })
    }

    /// A packet that occupies the whole of `storage`.
    #[must_use]
    pub const fn whole(storage: &'a mut [u8]) -> Self {
        let end = storage.len();
        Self { storage, start: 0, end }
    }

    /// The octets of the packet.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.storage.get(self.start..self.end).unwrap_or_default()
    }

    /// The octets of the packet, to change.
    #[must_use]
    pub fn payload_mut(&mut self) -> &mut [u8] {
        self.storage.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// How many octets the packet has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether the packet has no octets.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Free octets in front.
    #[must_use]
    pub const fn headroom(&self) -> usize {
        self.start
    }

    /// Free octets behind.
    #[must_use]
    pub const fn tailroom(&self) -> usize {
        self.storage.len() - self.end
    }

    /// Where the packet lies in its storage.
    #[must_use]
    pub const fn window(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Grows the packet by `n` octets in front and returns them; their content is whatever the
    /// storage held.
    ///
    /// # Errors
    /// [`NoRoom`] when there is less headroom; the packet stays as it was.
    pub fn prepend(&mut self, n: usize) -> Result<&mut [u8], NoRoom> {
        let no_room = NoRoom { needed: n, left: self.start };
        let start = self.start.checked_sub(n).ok_or(no_room)?;
        let added = self.storage.get_mut(start..self.start).ok_or(no_room)?;
        self.start = start;
        Ok(added)
    }

    /// Grows the packet by `n` octets behind and returns them; their content is whatever the
    /// storage held.
    ///
    /// # Errors
    /// [`NoRoom`] when there is less tailroom; the packet stays as it was.
    pub fn append(&mut self, n: usize) -> Result<&mut [u8], NoRoom> {
        let no_room = NoRoom { needed: n, left: self.storage.len() - self.end };
        let end = self.end.checked_add(n).ok_or(no_room)?;
        let added = self.storage.get_mut(self.end..end).ok_or(no_room)?;
        self.end = end;
        Ok(added)
    }

    /// Cuts `n` octets off the front.
    ///
    /// # Errors
    /// [`NoRoom`] when the packet is shorter; it stays as it was.
    pub const fn trim_front(&mut self, n: usize) -> Result<(), NoRoom> {
        if n > self.len() {
            return Err(NoRoom { needed: n, left: self.len() });
        }
        self.start += n;
        Ok(())
    }

    /// Cuts `n` octets off the end.
    ///
    /// # Errors
    /// [`NoRoom`] when the packet is shorter; it stays as it was.
    pub const fn trim_back(&mut self, n: usize) -> Result<(), NoRoom> {
        if n > self.len() {
            return Err(NoRoom { needed: n, left: self.len() });
        }
        self.end -= n;
        Ok(())
    }

    /// Cuts the packet down to its first `len` octets; longer lengths change nothing.
    pub const fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.end = self.start + len;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_must_lie_inside() {
        let mut storage = [0; 4];
        assert!(PacketMut::new(&mut storage, 0..5).is_err());
        #[expect(clippy::reversed_empty_ranges)]
        let reversed = 3..2;
        assert!(PacketMut::new(&mut storage, reversed).is_err());
        assert!(PacketMut::new(&mut storage, 4..4).is_ok());
    }

    #[test]
    fn refuses_what_does_not_fit_and_stays_as_it_was() {
        let mut storage = *b"abcdef";
        let mut packet = PacketMut::new(&mut storage, 1..4).unwrap();
        assert_eq!(packet.prepend(2), Err(NoRoom { needed: 2, left: 1 }));
        assert_eq!(packet.append(3), Err(NoRoom { needed: 3, left: 2 }));
        assert_eq!(packet.append(usize::MAX), Err(NoRoom { needed: usize::MAX, left: 2 }));
        assert!(packet.trim_front(4).is_err());
        assert!(packet.trim_back(4).is_err());
        assert_eq!(packet.payload(), b"bcd");
    }

    #[test]
    fn grows_and_shrinks_at_both_ends() {
        let mut storage = *b"abcdef";
        let mut packet = PacketMut::new(&mut storage, 2..4).unwrap();
        packet.prepend(1).unwrap();
        packet.append(1).unwrap();
        assert_eq!(packet.payload(), b"bcde");
        packet.trim_front(2).unwrap();
        packet.trim_back(1).unwrap();
        assert_eq!(packet.payload(), b"d");
        packet.truncate(7);
        assert_eq!((packet.headroom(), packet.tailroom(), packet.window()), (3, 2, 3..4));
        packet.truncate(0);
        assert!(packet.is_empty());
    }
}
