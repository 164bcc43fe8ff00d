use thiserror::Error;

use crate::Number;

/// How many words a window has. Each holds 32 sequence numbers, so the ring spans 8,192: a window
/// of 4,096 and any other number that falls into the word of one of its numbers are never both
/// wanted.
const WORDS: usize = 256;

/// The anti-replay window of an inbound SA (RFC 4303 §3.4.3).
///
/// A packet is checked twice: [`check`](Self::check) before its ICV is verified, to spare the
/// work, and [`commit`](Self::commit) after it, which decides. Only `commit` changes anything.
///
/// The window is a ring of words. A word holds the bits of 32 sequence numbers, and above them which
/// turn of the ring they belong to; a number of a later turn takes the word over. So nothing has to
/// be cleared when the window moves, each number is decided by one compare-and-swap on one word,
/// and with [`Shared`](crate::Shared) numbers many threads commit without a lock. A number can go
/// from unseen to seen only once, whatever the threads do: turns only go up, and so do bits.
#[derive(Debug)]
pub struct ReplayWindow<N> {
    size: u64,
    highest: N,
    words: [N; WORDS],
}

/// What became of the window when a packet was committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committed {
    /// The highest sequence number until then; 0 when the packet is the first.
    pub before: u64,
}

/// Why the window refuses a sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refused {
    /// It was committed before.
    #[error("replayed")]
    Replayed,
    /// It lies before the window, or it is 0, which is never sent (RFC 4303 §2.2).
    #[error("before the replay window")]
    TooOld,
}

/// The size of a replay window must lie within the bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a replay window has 64 to 4096 sequence numbers, not {0}")]
pub struct BadWindowSize(pub u32);

impl<N: Number> ReplayWindow<N> {
    /// The smallest window, and the default (RFC 4303 §3.4.3).
    pub const MIN: u32 = 64;
    /// The largest window.
    pub const MAX: u32 = 4096;

    /// A window of `size` sequence numbers that has seen none.
    ///
    /// # Errors
    /// [`BadWindowSize`] when the size is not in 64 to 4096.
    pub fn new(size: u32) -> Result<Self, BadWindowSize> {
        if !(Self::MIN..=Self::MAX).contains(&size) {
            return Err(BadWindowSize(size));
        }
        Ok(Self {
            size: size.into(),
            highest: N::new(0),
            words: core::array::from_fn(|_| N::new(0)),
        })
    }

    /// How many sequence numbers the window spans.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The highest sequence number committed: the right edge of the window.
    #[must_use]
    pub fn highest(&self) -> u64 {
        self.highest.load()
    }

    /// Whether a packet with this sequence number is worth its ICV check. Changes nothing.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, sequence: u64) -> Result<(), Refused> {
        let highest = self.highest.load();
        if sequence > highest {
            return Ok(());
        }
        if sequence == 0 || highest - sequence >= self.size {
            return Err(Refused::TooOld);
        }
        let place = Place::of(sequence);
        let word = self.word(place).load();
        mark(word, place).map(drop)
    }

    /// Takes in a packet whose ICV was right.
    ///
    /// A leap ahead by 2^44 or more may be refused; [`infer`](Self::infer) leaps less than 2^32.
    ///
    /// # Errors
    /// [`Refused`]; the packet must then be dropped.
    pub fn commit(&self, sequence: u64) -> Result<Committed, Refused> {
        let highest = self.highest.load();
        if sequence == 0 || highest.saturating_sub(sequence) >= self.size {
            return Err(Refused::TooOld);
        }
        let place = Place::of(sequence);
        let slot = self.word(place);
        let mut word = slot.load();
        loop {
            match slot.replace(word, mark(word, place)?) {
                Ok(()) => break,
                Err(now) => word = now,
            }
        }
        Ok(Committed { before: self.highest.raise(sequence) })
    }

    /// Moves the right edge, as if a packet had come in there.
    #[cfg(test)]
    pub(crate) fn raise(&self, highest: u64) {
        self.highest.raise(highest);
    }

    fn word(&self, place: Place) -> &N {
        let [first, ..] = &self.words;
        self.words.get(place.index).unwrap_or(first)
    }
}

/// Where a sequence number is kept.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    /// Which turn of the ring, in the high half; 32 bits of it last for 2^45 sequence numbers.
    turn: u64,
    bit: u64,
}

impl Place {
    const fn of(sequence: u64) -> Self {
        const TURN: u64 = 32 * WORDS as u64;
        #[allow(clippy::cast_possible_truncation, reason = "less than WORDS")]
        let index = (sequence % TURN / 32) as usize;
        Self { index, turn: (sequence / TURN) << 32, bit: 1 << (sequence % 32) }
    }
}

/// The word with this number marked as seen.
const fn mark(word: u64, place: Place) -> Result<u64, Refused> {
    const BITS: u64 = u32::MAX as u64;
    let ahead = place.turn.wrapping_sub(word & !BITS);
    if ahead == 0 {
        if word & place.bit != 0 { Err(Refused::Replayed) } else { Ok(word | place.bit) }
    } else if ahead < 1 << 63 {
        Ok(place.turn | place.bit)
    } else {
        Err(Refused::TooOld)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Local;

    fn window(size: u32) -> ReplayWindow<Local> {
        ReplayWindow::new(size).unwrap()
    }

    #[test]
    fn sizes_are_bounded() {
        for size in [0, 1, 63, 4097, u32::MAX] {
            assert_eq!(ReplayWindow::<Local>::new(size).unwrap_err(), BadWindowSize(size));
        }
        assert_eq!(window(64).size(), 64);
        assert_eq!(window(4096).size(), 4096);
    }

    #[test]
    fn edges() {
        for size in [64, 65, 100, 1024, 4095, 4096] {
            let window = window(size);
            let size = u64::from(size);
            assert_eq!(window.check(0), Err(Refused::TooOld));
            assert_eq!(window.commit(0), Err(Refused::TooOld));
            assert_eq!(window.commit(5), Ok(Committed { before: 0 }));
            assert_eq!(window.commit(5), Err(Refused::Replayed));
            assert_eq!(window.check(5), Err(Refused::Replayed));
            assert_eq!(window.commit(4), Ok(Committed { before: 5 }));
            assert_eq!(window.commit(4 + size), Ok(Committed { before: 5 }));
            assert_eq!(window.check(5), Err(Refused::Replayed), "the left edge is 5");
            assert_eq!(window.check(4), Err(Refused::TooOld));
            assert_eq!(window.check(6), Ok(()));
            assert_eq!(window.commit(5 + size), Ok(Committed { before: 4 + size }));
            assert_eq!(window.commit(5), Err(Refused::TooOld));
            assert_eq!(window.highest(), 5 + size);
        }
    }

    #[test]
    fn a_check_changes_nothing() {
        let window = window(64);
        window.check(1000).unwrap();
        assert_eq!(window.highest(), 0);
        assert_eq!(window.commit(1), Ok(Committed { before: 0 }));
    }

    #[test]
    fn a_leap_forgets_everything_before() {
        let window = window(4096);
        let mut at = 1;
        for leap in [4096, 8191, 8192, 8193, 16_384, 1 << 20, 1 << 32, (1 << 32) + 8192, 1 << 43] {
            at += leap;
            assert_eq!(
                window.commit(at - leap).err(),
                (at > leap + 1).then_some(Refused::Replayed)
            );
            assert_eq!(window.commit(at), Ok(Committed { before: at - leap }));
            for back in 1..4096 {
                assert_eq!(window.check(at - back), Ok(()), "{at} - {back}");
            }
            assert_eq!(window.check(at - 4096), Err(Refused::TooOld));
        }
    }
}
