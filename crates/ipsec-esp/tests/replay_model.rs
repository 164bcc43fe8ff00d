//! The replay window against a set of numbers, over ten million operations.
#![allow(clippy::restriction, clippy::cast_possible_truncation, reason = "a test")]

mod support;

use std::collections::BTreeSet;

use ipsec_esp::Local;
use ipsec_esp::Number;
use ipsec_esp::Refused;
use ipsec_esp::ReplayWindow;
use ipsec_esp::Shared;
use support::Seeded;

/// All numbers that were taken in, as long as they matter, and the highest.
struct Model {
    size: u64,
    seen: BTreeSet<u64>,
    highest: u64,
}

impl Model {
    fn check(&self, sequence: u64) -> Result<(), Refused> {
        if sequence == 0 || sequence + self.size <= self.highest {
            Err(Refused::TooOld)
        } else if self.seen.contains(&sequence) {
            Err(Refused::Replayed)
        } else {
            Ok(())
        }
    }

    fn commit(&mut self, sequence: u64) {
        self.seen.insert(sequence);
        self.highest = self.highest.max(sequence);
        while self.seen.first().is_some_and(|first| first + self.size <= self.highest) {
            self.seen.pop_first();
        }
    }

    /// Which number with this low half the receiver takes it for: the only one in the 2^32 from the
    /// left edge of the window.
    fn infer(&self, low: u32) -> Option<u64> {
        let left = i128::from(self.highest) - i128::from(self.size) + 1;
        let candidates =
            (-1..=1).map(|turn| ((i128::from(self.highest >> 32) + turn) << 32) + i128::from(low));
        let mut fitting = candidates.filter(|c| (left..left + (1 << 32)).contains(c));
        let found = fitting.next().unwrap();
        assert_eq!(fitting.next(), None);
        u64::try_from(found).ok()
    }
}

/// A number near the window, or far from it.
fn draw(rng: &mut Seeded, model: &Model, extended: bool) -> u64 {
    let roll = rng.next();
    let (kind, far) = (roll % 64, roll >> 8);
    let around = |span: u64| (model.highest + span / 4).saturating_sub(far % span);
    let number = match kind {
        0 => model.highest + far % 20_000,                   // a leap
        1 => model.highest + model.size + far % 3,           // just so far that all is forgotten
        2 => (model.highest + 1).saturating_sub(model.size), // the left edge
        3 => model.highest.saturating_sub(model.size),       // just outside
        4 => model.highest,                                  // the newest again
        5 => model.highest.saturating_sub(far % 20_000),     // long ago
        6 => far % 3,                                        // the beginning
        7 if extended => model.highest + far % (1 << 32),    // across a subspace
        8..40 => model.highest + 1,                          // in order
        _ => around(model.size * 2),
    };
    if extended { number } else { number.min(u64::from(u32::MAX)) }
}

fn run<N: Number>(size: u32, start: u64, extended: bool, operations: u32, seed: u64) -> u64 {
    let window = ReplayWindow::<N>::new(size).unwrap();
    let mut model = Model { size: size.into(), seen: BTreeSet::new(), highest: 0 };
    let mut rng = Seeded(seed);
    if start > 0 {
        window.commit(start).unwrap();
        model.commit(start);
    }
    let mut taken = 0;
    for _ in 0..operations {
        let drawn = draw(&mut rng, &model, extended);
        let sequence = if extended {
            let inferred = window.infer(drawn as u32);
            assert_eq!(inferred, model.infer(drawn as u32));
            let Some(inferred) = inferred else { continue };
            inferred
        } else {
            drawn
        };
        let want = model.check(sequence);
        assert_eq!(window.check(sequence), want, "{sequence} at {}", model.highest);
        if rng.next().is_multiple_of(8) {
            continue; // its ICV was wrong
        }
        match window.commit(sequence) {
            Ok(committed) => {
                assert_eq!((want, committed.before), (Ok(()), model.highest));
                model.commit(sequence);
                taken += 1;
            }
            Err(refused) => assert_eq!(Err(refused), want),
        }
        assert_eq!(window.highest(), model.highest);
    }
    taken
}

#[test]
fn ten_million_operations() {
    const SUBSPACE: u64 = 1 << 32;
    let starts = [
        (0, false),
        (SUBSPACE - 100_000, false),
        (0, true),
        (SUBSPACE - 2_000, true),
        (5 * SUBSPACE - 50, true),
        ((1 << 43) - 9_000, true),
    ];
    let sizes = [64, 65, 96, 128, 1000, 1024, 4095, 4096];
    let runs = starts.iter().flat_map(|start| sizes.map(|size| (*start, size)));
    let each = 10_000_000 / (starts.len() * sizes.len()) as u32 + 1;
    let (mut operations, mut taken) = (0_u64, 0);
    for (((start, extended), size), seed) in runs.zip(1..) {
        taken += if seed % 4 == 0 {
            run::<Shared>(size, start, extended, each, seed)
        } else {
            run::<Local>(size, start, extended, each, seed)
        };
        operations += u64::from(each);
    }
    assert!(operations >= 10_000_000);
    assert!(taken > operations / 4, "{taken}");
}
