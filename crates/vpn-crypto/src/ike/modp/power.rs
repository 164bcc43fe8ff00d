//! Exponentiation in time that depends on the lengths only.

use crypto_bigint::Word;
use zeroize::Zeroize;

use super::montgomery::Number;
use super::montgomery::multiply;
use super::montgomery::square;

/// How many parts of a private value [`Field::power_of_generator`] goes through side by side.
pub(super) const TEETH: usize = 4;

/// The powers of a base that four bits of an exponent choose from.
const TABLE: usize = 1 << TEETH;

/// Numbers modulo a prime, and what is known of the generator.
pub(super) struct Field<const N: usize> {
    pub(super) prime: Number<N>,
    /// 1 in Montgomery's form: 2^n.
    pub(super) one: Number<N>,
    /// What turns a number into Montgomery's form: 2^2n.
    pub(super) into_form: Number<N>,
    /// In Montgomery's form, the generator to the powers whose exponents are 1 at the end of each
    /// part of a private value: the last part's first.
    pub(super) generator: [Number<N>; TEETH],
}

impl<const N: usize> Field<N> {
    /// `base` to the power of `exponent`, an octet string: four bits at a time.
    pub(super) fn power(&self, base: &Number<N>, exponent: &[u8]) -> Number<N> {
        let base = multiply(base, &self.into_form, &self.prime);
        let mut table = [self.one; TABLE];
        let mut power = self.one;
        for entry in table.iter_mut().skip(1) {
            power = multiply(&power, &base, &self.prime);
            *entry = power;
        }
        let mut result = self.one;
        for octet in exponent {
            for digit in [octet >> 4, octet & 0xf] {
                for _ in 0..4 {
                    result = square(&result, &self.prime);
                }
                self.multiply_by_entry(&mut result, &table, digit);
            }
        }
        power.zeroize();
        self.out_of_form(&mut result)
    }

    /// The generator to the power of `exponent`, whose length is a multiple of [`TEETH`]: one bit of
    /// each part at a time (a comb), with a quarter of the squarings.
    pub(super) fn power_of_generator(&self, exponent: &[u8]) -> Number<N> {
        let mut table = [self.one; TABLE];
        for (tooth, base) in self.generator.iter().enumerate() {
            let (without, with) = table.split_at_mut(1 << tooth);
            for (entry, from) in with.iter_mut().zip(without) {
                *entry = multiply(from, base, &self.prime);
            }
        }
        let part = exponent.len() / TEETH;
        let mut result = self.one;
        for place in 0..part {
            for bit in (0..8).rev() {
                let octets = exponent.iter().skip(place).step_by(part);
                let digit = octets.fold(0, |digit, octet| digit << 1 | octet >> bit & 1);
                result = square(&result, &self.prime);
                self.multiply_by_entry(&mut result, &table, digit);
            }
        }
        self.out_of_form(&mut result)
    }

    /// Multiplies by the entry `digit`, and touches every entry to find it.
    fn multiply_by_entry(&self, result: &mut Number<N>, table: &[Number<N>; TABLE], digit: u8) {
        let mut chosen = [0; N];
        for (index, entry) in (0_u8..).zip(table) {
            // The difference of equal indices, less one, has the highest bit.
            let equal = (index ^ digit).wrapping_sub(1) >> 7;
            let mask = core::hint::black_box(Word::from(equal).wrapping_neg());
            for (chosen, word) in chosen.iter_mut().zip(entry) {
                *chosen |= word & mask;
            }
        }
        *result = multiply(result, &chosen, &self.prime);
        chosen.zeroize();
    }

    /// The number that `value` is Montgomery's form of, and wipes `value`.
    ///
    /// Multiplying a nearly reduced number by 1 gives one that is at most the prime, and the prime
    /// itself only from 0, which is no power of a number from 1 to the prime less 1.
    fn out_of_form(&self, value: &mut Number<N>) -> Number<N> {
        let mut one = [0; N];
        if let Some(lowest) = one.first_mut() {
            *lowest = 1;
        }
        let number = multiply(value, &one, &self.prime);
        value.zeroize();
        number
    }
}
