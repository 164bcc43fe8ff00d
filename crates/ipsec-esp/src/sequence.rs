use crate::Number;
use crate::ReplayWindow;

/// The last sequence number of an SA without extended sequence numbers (RFC 4303 §2.2).
pub(crate) const LAST_SHORT: u64 = u32::MAX as u64;

/// The last sequence number of an SA with extended ones. It stops short of 2^64 by more than threads
/// could ever reserve at once, so that no counter wraps.
pub(crate) const LAST_EXTENDED: u64 = u64::MAX - LAST_SHORT;

impl<N: Number> ReplayWindow<N> {
    /// The whole sequence number of a packet that carries its low half, for extended sequence numbers
    /// (RFC 4303 appendix A2.2).
    ///
    /// It is the one number in the 2^32 that start at the left edge of the window. `None` when that
    /// number would lie before the first or behind the last one there is.
    #[must_use]
    pub fn infer(&self, low: u32) -> Option<u64> {
        let highest = self.highest();
        let ahead_of = |left: u64| {
            let [.., l0, l1, l2, l3] = left.to_be_bytes();
            u64::from(low.wrapping_sub(u32::from_be_bytes([l0, l1, l2, l3])))
        };
        match highest.checked_sub(self.size() - 1) {
            Some(left) => left.checked_add(ahead_of(left)),
            // The window reaches back before number 0: what lies there was never sent.
            None => {
                let before = self.size() - 1 - highest;
                ahead_of(before.wrapping_neg()).checked_sub(before)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Local;
    use proptest::prelude::*;

    #[expect(clippy::cast_possible_truncation)]
    /// The pseudo-code of appendix A2.3, as far as it chooses Seqh.
    fn by_the_letter(highest: u64, size: u32, seql: u32) -> Option<u64> {
        let (th, tl) = ((highest >> 32) as u32, highest as u32);
        let left = tl.wrapping_sub(size - 1);
        let seqh = match (tl >= size - 1, seql >= left) {
            (true, true) => Some(th),
            (true, false) => th.checked_add(1),
            (false, true) => th.checked_sub(1),
            (false, false) => Some(th),
        };
        seqh.map(|seqh| u64::from(seqh) << 32 | u64::from(seql))
    }

    fn at(highest: u64, size: u32) -> ReplayWindow<Local> {
        let window = ReplayWindow::new(size).unwrap();
        window.raise(highest);
        window
    }

    #[test]
    fn boundary_table() {
        const HALF: u64 = 1 << 32;
        for (highest, low, want) in [
            (0, 0, Some(0)),
            (0, 1, Some(1)),
            (0, u32::MAX - 63, Some(HALF - 64)),
            (0, u32::MAX, None),
            (62, u32::MAX, None),
            (63, u32::MAX, Some(HALF - 1)),
            (64, 0, Some(HALF)),
            (HALF - 1, u32::MAX, Some(HALF - 1)),
            (HALF - 1, u32::MAX - 63, Some(HALF - 64)),
            (HALF - 1, u32::MAX - 64, Some(2 * HALF - 65)),
            (HALF - 1, 0, Some(HALF)),
            (HALF, u32::MAX, Some(HALF - 1)),
            (HALF + 62, u32::MAX, Some(HALF - 1)),
            (HALF + 63, u32::MAX, Some(2 * HALF - 1)),
            (7 * HALF + 1000, 937, Some(7 * HALF + 937)),
            (7 * HALF + 1000, 936, Some(8 * HALF + 936)),
            (u64::MAX, u32::MAX, Some(u64::MAX)),
            (u64::MAX, 0, None),
        ] {
            assert_eq!(at(highest, 64).infer(low), want, "{highest:#x} {low:#x}");
            assert_eq!(by_the_letter(highest, 64, low), want, "{highest:#x} {low:#x}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_pseudo_code(
            high in prop_oneof![Just(0_u32), Just(1), Just(u32::MAX), any::<u32>()],
            low_highest in prop_oneof![0..5000_u32, u32::MAX - 5000.., any::<u32>()],
            size in 64..4097_u32,
            low in prop_oneof![0..5000_u32, u32::MAX - 5000.., any::<u32>()],
        ) {
            let highest = u64::from(high) << 32 | u64::from(low_highest);
            prop_assert_eq!(at(highest, size).infer(low), by_the_letter(highest, size, low));
        }
    }
}
