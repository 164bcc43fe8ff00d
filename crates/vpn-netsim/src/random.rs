use core::ops::RangeInclusive;

use vpn_core::RandomError;
use vpn_core::RandomSource;
use vpn_core::SecureRandom;

/// A deterministic generator for tests (xoshiro256** seeded through SplitMix64). Predictable:
/// never for a product.
///
/// The same seed gives the same octets on every machine and in every release of this crate.
///
/// ```
/// use vpn_core::SecureRandom;
/// use vpn_netsim::SeededRandom;
///
/// let (mut a, mut b) = ([0; 16], [0; 16]);
/// SeededRandom::new(7).fill(&mut a)?;
/// SeededRandom::new(7).fill(&mut b)?;
/// assert_eq!(a, b);
/// # Ok::<(), vpn_core::RandomError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeededRandom {
    state: [u64; 4],
}

impl SeededRandom {
    /// The generator that `seed` stands for. Seeds close to each other give unrelated octets.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut counter = seed;
        Self { state: [(); 4].map(|()| split_mix(&mut counter)) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let out = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        out
    }

    /// A number in `range`, both ends included. A range that is empty gives its start.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        let width = range.end().saturating_sub(*range.start());
        let Some(values) = width.checked_add(1) else { return self.bits() };
        // The high half of a product is even over the range but for one part in 2^64 / values.
        let high = (u128::from(self.bits()) * u128::from(values)) >> 64;
        *range.start() + u64::try_from(high).unwrap_or(width)
    }

    /// True with the given probability: never at 0.0 or below, always at 1.0 or above.
    ///
    /// One number is drawn whatever the probability is, so a changed rate does not shift the rest
    /// of a run.
    pub fn chance(&mut self, probability: f64) -> bool {
        // 53 bits are what a double holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "the value is below 2^53")]
        let unit = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        unit < probability
    }

    /// A generator that is independent of this one.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.bits())
    }
}

/// SplitMix64: spreads any seed, zero too, over the state.
const fn split_mix(counter: &mut u64) -> u64 {
    *counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *counter;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl SecureRandom for SeededRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(8) {
            for (octet, random) in chunk.iter_mut().zip(self.bits().to_le_bytes()) {
                *octet = random;
            }
        }
        Ok(())
    }
}

impl RandomSource for SeededRandom {
    fn generator(&mut self) -> Box<dyn SecureRandom + Send> {
        Box::new(self.fork())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_reference_of_splitmix_and_xoshiro() {
        // First outputs of SplitMix64 from seed 0, as its authors publish them.
        let mut counter = 0;
        assert_eq!(split_mix(&mut counter), 0xe220_a839_7b1d_cdaf);
        assert_eq!(split_mix(&mut counter), 0x6e78_9e6a_a1b9_65f4);
        // xoshiro256** from state 1, 2, 3, 4.
        let mut random = SeededRandom { state: [1, 2, 3, 4] };
        let first = [random.bits(), random.bits(), random.bits(), random.bits()];
        assert_eq!(first, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn each_generator_of_a_source_is_its_own() {
        let mut source = SeededRandom::new(1);
        let mut octets = [[0; 24]; 3];
        for (out, mut generator) in octets.iter_mut().map(|out| (out, source.generator())) {
            generator.fill(out).unwrap();
        }
        assert!(octets[0] != octets[1] && octets[1] != octets[2] && octets[0] != octets[2]);
    }

    #[test]
    fn ranges_and_chances_are_even() {
        let mut random = SeededRandom::new(3);
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            let at = usize::try_from(random.within(10..=15)).unwrap() - 10;
            seen[at] += 1;
        }
        assert!(seen.iter().all(|n| (9_500..10_500).contains(n)), "{seen:?}");
        let hits = (0..100_000).filter(|_| random.chance(0.25)).count();
        assert!((24_500..25_500).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| !random.chance(0.0) && random.chance(1.0)));
        assert_eq!(random.within(4..=4), 4);
        random.within(0..=u64::MAX);
    }

    #[test]
    fn a_part_of_a_word_can_be_filled() {
        for len in 0..20 {
            let mut out = vec![0; len];
            SeededRandom::new(9).fill(&mut out).unwrap();
            let mut whole = [0; 24];
            SeededRandom::new(9).fill(&mut whole).unwrap();
            assert_eq!(out, whole[..len]);
        }
    }
}
