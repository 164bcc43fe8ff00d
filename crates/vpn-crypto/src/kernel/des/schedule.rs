use zeroize::Zeroize;

use super::tables::CHOICE_1;
use super::tables::CHOICE_2;
use super::tables::ROTATED;

/// Rounds of triple DES.
pub(crate) const ROUNDS: usize = 48;

/// The round keys of triple DES in the order in which they are used, wiped on drop.
///
/// Octet `s` of a round key, from the least significant, has the six bits for S-box `s`, the first
/// of them most significant.
pub(crate) struct Schedule {
    round_keys: [u64; ROUNDS],
}

impl Schedule {
    /// To encrypt with (EDE, RFC 2451 §2.2).
    pub(crate) fn encrypting(key: &[u8; 24]) -> Self {
        let (keys, _) = key.as_chunks::<8>();
        let mut round_keys = [0; ROUNDS];
        for (part, (place, key)) in round_keys.chunks_mut(16).zip(keys).enumerate() {
            place.copy_from_slice(&single(u64::from_be_bytes(*key)));
            if part == 1 {
                place.reverse();
            }
        }
        Self { round_keys }
    }

    /// To decrypt with.
    pub(crate) fn decrypting(key: &[u8; 24]) -> Self {
        let mut schedule = Self::encrypting(key);
        schedule.round_keys.reverse();
        schedule
    }

    pub(super) const fn round_keys(&self) -> &[u64; ROUNDS] {
        &self.round_keys
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.round_keys.zeroize();
    }
}

/// The round keys of DES. Which bit goes where does not depend on the key.
fn single(key: u64) -> [u64; 16] {
    let mut round_keys = [0; 16];
    for (round_key, rotated) in round_keys.iter_mut().zip(ROTATED) {
        for (place, choice) in CHOICE_2.into_iter().enumerate() {
            // C and D have 28 bits each and are rotated apart.
            let (half, at) = (usize::from(choice - 1) / 28 * 28, usize::from(choice - 1) % 28);
            let bit = CHOICE_1[half + (at + rotated) % 28];
            *round_key |= (key >> (64 - bit) & 1) << (8 * (place / 6) + 5 - place % 6);
        }
    }
    round_keys
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The round keys of the key 13 34 57 79 9B BC DF F1 (J. O. Grabbe, "The DES Algorithm
    /// Illustrated"), which are 6 bits for each S-box.
    #[test]
    fn round_keys() {
        let keys = single(0x1334_5779_9bbc_dff1);
        let six = |key: u64| key.to_le_bytes();
        assert_eq!(six(keys[0]), [0o06, 0o60, 0o13, 0o57, 0o77, 0o07, 0o01, 0o62]);
        assert_eq!(six(keys[15]), [0o62, 0o63, 0o66, 0o13, 0o03, 0o41, 0o37, 0o65]);
    }
}
