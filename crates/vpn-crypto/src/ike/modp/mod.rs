//! The MODP groups (RFC 2409 §6.2, RFC 3526).

mod generator;
mod montgomery;
mod power;
mod primes;

use crypto_bigint::Odd;
use crypto_bigint::U1024;
use crypto_bigint::U1536;
use crypto_bigint::U2048;
use crypto_bigint::U3072;
use crypto_bigint::U4096;
use crypto_bigint::Uint;
use crypto_bigint::modular::FixedMontyForm;
use crypto_bigint::modular::FixedMontyParams;
use vpn_core::SecureRandom;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::KeyExchange;
use vpn_core::crypto::KeyExchangeError;
use zeroize::Zeroize;

use montgomery::Number;
use power::Field;

/// The generator of every one of these groups.
const GENERATOR: u8 = 2;

/// A group of the numbers modulo a safe prime, with generator 2.
///
/// The exponent has twice the bits that the group's strength has, as RFC 3526 §1 asks. Its §8 gives
/// two estimates of that strength. The lower one is near today's (NIST SP 800-57 part 1: 112 bits
/// for a modulus of 2048, 128 for 3072), and no exponent here is shorter than it asks for, than
/// NIST SP 800-56A asks for, or than 256 bits.
pub(super) struct Modp<const LIMBS: usize> {
    group: DhGroup,
    field: Field<LIMBS>,
    private_len: usize,
}

/// Group 2: 256-bit exponents.
pub(super) static MODP_1024: Modp<{ U1024::LIMBS }> =
    Modp::new(DhGroup::MODP_1024, primes::MODP_1024, &generator::MODP_1024, 32);
/// Group 5: 256-bit exponents; RFC 3526 §8 asks for 180 or 240.
pub(super) static MODP_1536: Modp<{ U1536::LIMBS }> =
    Modp::new(DhGroup::MODP_1536, primes::MODP_1536, &generator::MODP_1536, 32);
/// Group 14: 256-bit exponents; RFC 3526 §8 asks for 220 (or 320), NIST SP 800-56A for 224.
pub(super) static MODP_2048: Modp<{ U2048::LIMBS }> =
    Modp::new(DhGroup::MODP_2048, primes::MODP_2048, &generator::MODP_2048, 32);
/// Group 15: 288-bit exponents; RFC 3526 §8 asks for 260 (or 420), NIST SP 800-56A for 256.
pub(super) static MODP_3072: Modp<{ U3072::LIMBS }> =
    Modp::new(DhGroup::MODP_3072, primes::MODP_3072, &generator::MODP_3072, 36);
/// Group 16: 320-bit exponents; RFC 3526 §8 asks for 300 (or 480), NIST SP 800-56A for 304.
pub(super) static MODP_4096: Modp<{ U4096::LIMBS }> =
    Modp::new(DhGroup::MODP_4096, primes::MODP_4096, &generator::MODP_4096, 40);

impl<const LIMBS: usize> Modp<LIMBS> {
    /// The number of octets of a value is that of `LIMBS`, since every modulus fills its limbs.
    const WIDTH: usize = Uint::<LIMBS>::BYTES;

    const fn new(group: DhGroup, prime: &str, generator: &[&str; 3], private_len: usize) -> Self {
        let prime = Odd::<Uint<LIMBS>>::from_be_hex(prime);
        let params = FixedMontyParams::new_vartime(prime);
        let [second, third, fourth] = generator;
        let field = Field {
            prime: *prime.as_ref().as_words(),
            one: *params.one().as_words(),
            into_form: *params.r2().as_words(),
            generator: [
                *FixedMontyForm::new(&Uint::from_u8(GENERATOR), &params).as_montgomery().as_words(),
                *Uint::<LIMBS>::from_be_hex(second).as_words(),
                *Uint::<LIMBS>::from_be_hex(third).as_words(),
                *Uint::<LIMBS>::from_be_hex(fourth).as_words(),
            ],
        };
        Self { group, field, private_len }
    }

    /// Refuses buffers of the wrong length, and a private value that is not there.
    fn check(&self, private: &[u8], value: &[u8]) -> Result<(), KeyExchangeError> {
        if private.len() != self.private_len || value.len() != Self::WIDTH {
            return Err(KeyExchangeError::WrongLength);
        }
        if private.iter().fold(0, |any, octet| any | octet) == 0 {
            return Err(KeyExchangeError::InvalidPrivateValue);
        }
        Ok(())
    }
}

/// Writes `number` with all its zeros, and wipes it.
fn write<const LIMBS: usize>(mut number: Number<LIMBS>, out: &mut [u8]) {
    let mut octets = Uint::from_words(number).to_be_bytes();
    out.copy_from_slice(&octets);
    octets.zeroize();
    number.zeroize();
}

impl<const LIMBS: usize> KeyExchange for Modp<LIMBS> {
    fn group(&self) -> DhGroup {
        self.group
    }

    fn private_len(&self) -> usize {
        self.private_len
    }

    fn public_len(&self) -> usize {
        Self::WIDTH
    }

    fn shared_len(&self) -> usize {
        Self::WIDTH
    }

    fn generate(
        &self,
        rng: &mut dyn SecureRandom,
        private: &mut [u8],
        public: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        rng.fill(private)?;
        self.check(private, public)?;
        write(self.field.power_of_generator(private), public);
        Ok(())
    }

    fn agree(
        &self,
        private: &[u8],
        peer_public: &[u8],
        shared: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        if peer_public.len() != Self::WIDTH {
            return Err(KeyExchangeError::WrongLength);
        }
        // 1 and p - 1 generate the only small subgroups: (p - 1) / 2 is prime.
        let peer = Uint::from_be_slice(peer_public);
        let highest = Uint::from_words(self.field.prime).wrapping_sub(&Uint::from_u8(2));
        if peer <= Uint::ONE || peer > highest {
            return Err(KeyExchangeError::InvalidPublicValue);
        }
        self.check(private, shared)?;
        write(self.field.power(peer.as_words(), private), shared);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::GROUPS;
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use serde_json::Value;
    use vpn_core::RandomError;

    /// A generator of these octets.
    struct Given<'a>(&'a [u8]);

    impl SecureRandom for Given<'_> {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.copy_from_slice(self.0);
            Ok(())
        }
    }

    fn modp() -> impl Iterator<Item = &'static dyn KeyExchange> {
        GROUPS
            .iter()
            .copied()
            .filter(|group| group.group().name().is_some_and(|name| name.starts_with("modp")))
    }

    fn prime(group: &dyn KeyExchange) -> Vec<u8> {
        hex(match group.group() {
            DhGroup::MODP_1024 => primes::MODP_1024,
            DhGroup::MODP_1536 => primes::MODP_1536,
            DhGroup::MODP_2048 => primes::MODP_2048,
            DhGroup::MODP_3072 => primes::MODP_3072,
            _ => primes::MODP_4096,
        })
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits = (0..text.len()).step_by(2);
        digits.map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// The file's primes come from the formula, and passed a test for safe primes.
    #[test]
    fn primes_of_the_rfcs() {
        let all: Value =
            serde_json::from_str(include_str!("../../../tests/data/modp-groups.json")).unwrap();
        for group in modp() {
            let number = u64::from(group.group().0);
            let known = all["groups"].as_array().unwrap().iter().find(|g| g["group"] == number);
            let text = known.unwrap()["prime"].as_str().unwrap();
            assert_eq!(hex(text), prime(group));
            assert_eq!(known.unwrap()["generator"], GENERATOR);
            assert_eq!(text.len(), 2 * group.public_len());
        }
    }

    /// What the library says: `base` to the power of `private` modulo `group`'s prime.
    fn library<const LIMBS: usize>(group: &Modp<LIMBS>, base: &[u8], private: &[u8]) -> Vec<u8> {
        let prime = Odd::new(Uint::from_words(group.field.prime)).into_option().unwrap();
        let params = FixedMontyParams::new_vartime(prime);
        let exponent = [&vec![0; Modp::<LIMBS>::WIDTH - private.len()], private].concat();
        let power = FixedMontyForm::new(&Uint::from_be_slice(base), &params)
            .pow_bounded_exp(&Uint::<LIMBS>::from_be_slice(&exponent), 320);
        power.retrieve().to_be_bytes().to_vec()
    }

    fn check<const LIMBS: usize>(group: &Modp<LIMBS>, private: &[u8], base: &[u8]) {
        let width = Modp::<LIMBS>::WIDTH;
        let private = &private[..group.private_len];
        let (mut public, mut shared) = (vec![0; width], vec![0; width]);
        let mut drawn = vec![0; group.private_len];
        group.generate(&mut Given(private), &mut drawn, &mut public).unwrap();
        let mut generator = vec![0; width];
        generator[width - 1] = GENERATOR;
        assert_eq!(public, library(group, &generator, private), "{}", group.group);
        let base = [&[0], &base[1..width]].concat();
        group.agree(private, &base, &mut shared).unwrap();
        assert_eq!(shared, library(group, &base, private), "{}", group.group);
    }

    fn check_all(private: &[u8], base: &[u8]) {
        check(&MODP_1024, private, base);
        check(&MODP_1536, private, base);
        check(&MODP_2048, private, base);
        check(&MODP_3072, private, base);
        check(&MODP_4096, private, base);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn powers_equal_the_library_s(private: [u8; 40], base in prop::collection::vec(any::<u8>(), 512)) {
            check_all(&private, &base);
        }
    }

    /// Every single bit of a private value, alone and alone missing.
    #[test]
    fn every_bit_of_a_private_value_counts() {
        for bit in 0..8 * MODP_2048.private_len {
            for rest in [0, 0xff] {
                let mut private = vec![rest; 40];
                private[bit / 8] ^= 1 << (bit % 8);
                check(&MODP_2048, &private, &[0x55; 256]);
            }
        }
        check_all(&[0xff; 40], &[0xff; 512]);
    }

    #[test]
    fn values_of_small_subgroups_and_from_outside_are_refused() {
        for group in modp() {
            let (private, width) = (vec![3; group.private_len()], group.public_len());
            let prime = prime(group);
            let near = |change: i16| {
                let mut value = prime.clone();
                let last = value.last_mut().unwrap();
                *last = u8::try_from(i16::from(*last) + change).unwrap();
                value
            };
            let small = |last: u8| [vec![0; width - 1], vec![last]].concat();
            let mut shared = vec![0; width];
            for (peer, good) in [
                (small(0), false),
                (small(1), false),
                (small(2), true),
                (near(-2), true),
                (near(-1), false),
                (near(0), false),
                (vec![0xff; width], false),
            ] {
                let result = group.agree(&private, &peer, &mut shared);
                assert_eq!(result == Ok(()), good, "{} {peer:02x?}", group.group());
                let refused = result == Err(KeyExchangeError::InvalidPublicValue);
                assert_eq!(refused, !good);
            }
        }
    }

    #[test]
    fn a_dead_generator_and_a_wiped_private_value_are_refused() {
        for group in modp() {
            let (mut private, width) = (vec![1; group.private_len()], group.public_len());
            let (mut public, mut shared) = (vec![0; width], vec![0; width]);
            let zeros = vec![0; group.private_len()];
            let zero = Err(KeyExchangeError::InvalidPrivateValue);
            assert_eq!(group.generate(&mut Given(&zeros), &mut private, &mut public), zero);
            assert_eq!(group.agree(&zeros, &vec![2; width], &mut shared), zero);
        }
    }
}
