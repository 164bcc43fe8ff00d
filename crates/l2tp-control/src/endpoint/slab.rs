use alloc::boxed::Box;
use alloc::vec::Vec;

/// Bits of a key that say where its value lies; the others make it unique.
const PLACE_BITS: u32 = 24;

/// Values under keys that are never used again, found in constant time and walked in the same
/// order each time. An empty place costs 16 octets.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
    serial: u64,
}

#[derive(Debug)]
struct Place<T> {
    key: u64,
    value: Option<Box<T>>,
}

impl<T> Slab<T> {
    /// How many values there may be at once.
    pub(super) const CAPACITY: usize = 1 << PLACE_BITS;

    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), serial: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Puts in what `make` makes of its key. `None` when all places are taken.
    ///
    /// Keys grow with time: an earlier value has the smaller key.
    pub(super) fn insert_with(&mut self, make: impl FnOnce(u64) -> T) -> Option<u64> {
        let place = match self.free.pop() {
            Some(place) => place,
            None if self.places.len() < Self::CAPACITY => {
                let place = u32::try_from(self.places.len()).ok()?;
                self.places.push(Place { key: 0, value: None });
                place
            }
            None => return None,
        };
        self.serial += 1;
        let key = self.serial << PLACE_BITS | u64::from(place);
        if let Some(slot) = self.places.get_mut(usize::try_from(place).ok()?) {
            *slot = Place { key, value: Some(Box::new(make(key))) };
        }
        Some(key)
    }

    pub(super) fn get(&self, key: u64) -> Option<&T> {
        self.places.get(place_of(key)).filter(|place| place.key == key)?.value.as_deref()
    }

    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        self.places.get_mut(place_of(key)).filter(|place| place.key == key)?.value.as_deref_mut()
    }

    pub(super) fn remove(&mut self, key: u64) -> Option<Box<T>> {
        let slot = self.places.get_mut(place_of(key)).filter(|place| place.key == key)?;
        let value = slot.value.take()?;
        slot.key = 0;
        self.free.push(u32::try_from(place_of(key)).ok()?);
        if self.free.len() == self.places.len() {
            // All gone: give the memory back.
            self.places = Vec::new();
            self.free = Vec::new();
        }
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.places.iter().filter_map(|place| Some((place.key, place.value.as_deref()?)))
    }
}

fn place_of(key: u64) -> usize {
    usize::try_from(key & ((1 << PLACE_BITS) - 1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_key_is_never_used_again() {
        let mut slab = Slab::new();
        let first = slab.insert_with(|key| key).unwrap();
        assert_eq!(slab.get(first), Some(&first));
        assert_eq!(slab.remove(first).as_deref(), Some(&first));
        assert!(slab.remove(first).is_none());
        let second = slab.insert_with(|key| key).unwrap();
        assert!(second > first);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get_mut(second), Some(&mut { second }));
        assert_eq!(slab.get(0), None);
    }

    #[test]
    fn walks_in_the_same_order_and_reuses_places() {
        let mut slab = Slab::new();
        let keys: Vec<u64> = (0..5).map(|n| slab.insert_with(|_| n).unwrap()).collect();
        slab.remove(keys[1]);
        slab.remove(keys[3]);
        assert_eq!(slab.len(), 3);
        let sixth = slab.insert_with(|_| 5).unwrap();
        let seen: Vec<(u64, i32)> = slab.iter().map(|(key, n)| (key, *n)).collect();
        assert_eq!(seen, vec![(keys[0], 0), (keys[2], 2), (sixth, 5), (keys[4], 4)]);
        assert_eq!(slab.places.len(), 5);
    }

    #[test]
    fn gives_memory_back_when_empty() {
        let mut slab = Slab::new();
        let keys: Vec<u64> = (0..100).map(|n| slab.insert_with(|_| n).unwrap()).collect();
        for key in keys {
            slab.remove(key);
        }
        assert_eq!((slab.len(), slab.places.capacity(), slab.free.capacity()), (0, 0, 0));
    }
}
