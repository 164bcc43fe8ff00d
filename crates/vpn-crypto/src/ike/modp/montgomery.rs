//! Multiplication modulo a prime in Montgomery's form, twice as fast as with a general library.
//!
//! Every prime of RFC 2409 §6.2 and RFC 3526 begins and ends with 64 ones. So the digit by which a
//! reduction takes the prime is the lowest word itself, and numbers may stay *nearly* reduced:
//! below 2^n, the next power of two, and not below the prime. Nothing branches on a value or
//! reads memory by one.

use crypto_bigint::Word;

/// A number of `N` words, the lowest first.
pub(super) type Number<const N: usize> = [Word; N];

/// `x * y / 2^n` modulo `prime`, nearly reduced.
#[inline(never)]
pub(super) fn multiply<const N: usize>(
    x: &Number<N>,
    y: &Number<N>,
    prime: &Number<N>,
) -> Number<N> {
    let mut wide = [[0; N]; 2];
    add_product(wide.as_flattened_mut(), x, y);
    reduce(wide.as_flattened_mut(), prime)
}

/// `x * x / 2^n` modulo `prime`, nearly reduced.
#[inline(never)]
pub(super) fn square<const N: usize>(x: &Number<N>, prime: &Number<N>) -> Number<N> {
    let mut wide = [[0; N]; 2];
    add_square(wide.as_flattened_mut(), x);
    reduce(wide.as_flattened_mut(), prime)
}

/// Two rows of a product at a time, which are two independent chains of carries.
struct Rows {
    factors: [Word; 2],
    carries: [Word; 2],
    /// The word that the second row, which stands one column to the left, multiplies next.
    last: Word,
}

impl Rows {
    /// Adds both rows to one column.
    #[inline(always)]
    fn column(&mut self, sum: &mut Word, word: Word) {
        let (low, carry) = self.factors[0].carrying_mul_add(word, *sum, self.carries[0]);
        self.carries[0] = carry;
        (*sum, self.carries[1]) = self.factors[1].carrying_mul_add(self.last, low, self.carries[1]);
        self.last = word;
    }

    /// What goes into the two columns after the last.
    #[inline(always)]
    fn end(self) -> [Word; 2] {
        self.factors[1].carrying_mul_add(self.last, self.carries[0], self.carries[1]).into()
    }
}

/// Adds `x * y` to `wide`, which is 0 beyond the columns reached so far.
#[inline(always)]
fn add_product<const N: usize>(wide: &mut [Word], x: &Number<N>, y: &Number<N>) {
    for (pair, factors) in x.as_chunks::<2>().0.iter().enumerate() {
        let mut rows = Rows { factors: *factors, carries: [0; 2], last: 0 };
        let mut columns = wide.iter_mut().skip(2 * pair);
        for (word, sum) in y.iter().zip(columns.by_ref()) {
            rows.column(sum, *word);
        }
        for (sum, end) in columns.zip(rows.end()) {
            *sum = end;
        }
    }
}

/// Adds `x * x` to `wide`, which is 0: the products of different words once, then all of it
/// doubled, then the squares of the words.
#[inline(always)]
fn add_square<const N: usize>(wide: &mut [Word], x: &Number<N>) {
    for (pair, factors) in x.as_chunks::<2>().0.iter().enumerate() {
        let mut columns = wide.iter_mut().skip(4 * pair + 1);
        let mut carry = 0;
        if let Some(sum) = columns.next() {
            (*sum, carry) = factors[0].carrying_mul_add(factors[1], *sum, 0);
        }
        let mut rows = Rows { factors: *factors, carries: [carry, 0], last: 0 };
        for (word, sum) in x.iter().skip(2 * pair + 2).zip(columns.by_ref()) {
            rows.column(sum, *word);
        }
        for (sum, end) in columns.zip(rows.end()) {
            *sum = end;
        }
    }
    let (mut carry, mut shifted_out) = (false, 0);
    for ([low, high], word) in wide.as_chunks_mut::<2>().0.iter_mut().zip(x) {
        let (square_low, square_high) = word.carrying_mul(*word, 0);
        let doubled = [*low << 1 | shifted_out, *high << 1 | *low >> (Word::BITS - 1)];
        shifted_out = *high >> (Word::BITS - 1);
        (*low, carry) = doubled[0].carrying_add(square_low, carry);
        (*high, carry) = doubled[1].carrying_add(square_high, carry);
    }
}

/// `wide / 2^n` modulo `prime`, nearly reduced: adds multiples of the prime until the lower half is
/// 0, two words at a time. Since the prime's lowest word is -1, a column's own word is the multiple
/// that clears it, and is what is carried on.
#[inline(always)]
fn reduce<const N: usize>(wide: &mut [Word], prime: &Number<N>) -> Number<N> {
    let second = prime.get(1).copied().unwrap_or_default();
    let mut beyond = false;
    for pair in 0..N / 2 {
        let mut columns = wide.iter_mut().skip(2 * pair);
        let (Some(first), Some(next)) = (columns.next(), columns.next()) else { break };
        let (cleared, carry) = first.carrying_mul_add(second, *next, *first);
        let factors = [*first, cleared];
        let mut rows = Rows { factors, carries: [carry, cleared], last: second };
        for (word, sum) in prime.iter().skip(2).zip(columns.by_ref()) {
            rows.column(sum, *word);
        }
        for (sum, end) in columns.zip(rows.end()) {
            (*sum, beyond) = sum.carrying_add(end, beyond);
        }
    }
    // The sum is below 2^n plus the prime, so taking the prime away once is enough.
    let mask = core::hint::black_box(Word::from(beyond).wrapping_neg());
    let (mut reduced, mut borrow) = ([0; N], false);
    for ((out, sum), word) in reduced.iter_mut().zip(wide.iter().skip(N)).zip(prime) {
        (*out, borrow) = sum.borrowing_sub(word & mask, borrow);
    }
    reduced
}

#[cfg(test)]
mod tests {
    use super::super::primes;
    use super::*;
    use crypto_bigint::Odd;
    use crypto_bigint::U1024;
    use crypto_bigint::U1536;
    use crypto_bigint::U2048;
    use crypto_bigint::U3072;
    use crypto_bigint::U4096;
    use crypto_bigint::Uint;
    use crypto_bigint::modular::FixedMontyForm;
    use crypto_bigint::modular::FixedMontyParams;
    use proptest::prelude::*;

    /// Whether both operations equal the library's; `x` and `y` may be nearly reduced.
    fn check<const N: usize>(prime: &str, x: &Number<N>, y: &Number<N>) -> bool {
        let prime = Odd::<Uint<N>>::from_be_hex(prime);
        let params = FixedMontyParams::new_vartime(prime);
        let form = |words: &Number<N>| {
            let number = Uint::from_words(*words).rem_vartime(prime.as_nz_ref());
            FixedMontyForm::from_montgomery(number, &params)
        };
        let equal = |ours: Number<N>, library: FixedMontyForm<N>| {
            let ours = Uint::from_words(ours).rem_vartime(prime.as_nz_ref());
            ours == library.to_montgomery()
        };
        let words = prime.as_ref().as_words();
        equal(multiply(x, y, words), form(x).mul(&form(y)))
            && equal(square(x, words), form(x).square())
    }

    fn check_all(x: &[Word; U4096::LIMBS], y: &[Word; U4096::LIMBS]) {
        fn part<const N: usize>(words: &[Word]) -> &Number<N> {
            words.first_chunk().unwrap()
        }
        assert!(check::<{ U1024::LIMBS }>(primes::MODP_1024, part(x), part(y)));
        assert!(check::<{ U1536::LIMBS }>(primes::MODP_1536, part(x), part(y)));
        assert!(check::<{ U2048::LIMBS }>(primes::MODP_2048, part(x), part(y)));
        assert!(check::<{ U3072::LIMBS }>(primes::MODP_3072, part(x), part(y)));
        assert!(check::<{ U4096::LIMBS }>(primes::MODP_4096, part(x), part(y)));
    }

    /// Words that make long carries as often as any.
    fn word() -> impl Strategy<Value = Word> {
        prop_oneof![Just(0), Just(1), Just(Word::MAX), Just(1 << (Word::BITS - 1)), any::<Word>()]
    }

    fn number() -> impl Strategy<Value = [Word; U4096::LIMBS]> {
        let any_words = prop::collection::vec(word(), U4096::LIMBS);
        any_words.prop_map(|words| words.try_into().unwrap())
    }

    proptest! {
        #[test]
        fn equals_the_library(x in number(), y in number()) {
            check_all(&x, &y);
        }
    }

    #[test]
    fn equals_the_library_at_the_ends() {
        let mut one = [0; U4096::LIMBS];
        one[0] = 1;
        for x in [[0; U4096::LIMBS], one, [Word::MAX; U4096::LIMBS]] {
            for y in [[0; U4096::LIMBS], one, [Word::MAX; U4096::LIMBS]] {
                check_all(&x, &y);
            }
        }
        fn around<const N: usize>(text: &str) {
            let prime = Uint::<N>::from_be_hex(text);
            let one = Uint::ONE;
            let edges = [prime.wrapping_sub(&one), prime, prime.wrapping_add(&one)];
            for x in edges {
                for y in edges {
                    assert!(check(text, x.as_words(), y.as_words()));
                }
            }
        }
        around::<{ U1024::LIMBS }>(primes::MODP_1024);
        around::<{ U1536::LIMBS }>(primes::MODP_1536);
        around::<{ U2048::LIMBS }>(primes::MODP_2048);
        around::<{ U3072::LIMBS }>(primes::MODP_3072);
        around::<{ U4096::LIMBS }>(primes::MODP_4096);
    }
}
