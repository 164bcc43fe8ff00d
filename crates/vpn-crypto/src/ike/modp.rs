use crypto_bigint::Odd;
use crypto_bigint::U320;
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

use super::primes;

/// The generator of every one of these groups.
const GENERATOR: u8 = 2;

/// A group of the numbers modulo a safe prime, with generator 2.
///
/// The exponent has twice the bits that the group's strength has, as RFC 3526 §1 asks. Its §8 gives
/// two estimates of that strength; today's (NIST SP 800-57 part 1: 112 bits for a modulus of 2048,
/// 128 for 3072, and about 152 for 4096) is the lower one, and the exponents below are no shorter
/// than either says, in whole octets, and never shorter than 256 bits.
pub(super) struct Modp<const LIMBS: usize> {
    group: DhGroup,
    params: FixedMontyParams<LIMBS>,
    private_len: usize,
}

/// Group 2: 256-bit exponents.
pub(super) static MODP_1024: Modp<{ U1024::LIMBS }> =
    Modp::new(DhGroup::MODP_1024, primes::MODP_1024, 32);
/// Group 5: 256-bit exponents; RFC 3526 §8 asks for 180 or 240.
pub(super) static MODP_1536: Modp<{ U1536::LIMBS }> =
    Modp::new(DhGroup::MODP_1536, primes::MODP_1536, 32);
/// Group 14: 256-bit exponents; RFC 3526 §8 asks for 220 (or 320), NIST SP 800-56A for 224.
pub(super) static MODP_2048: Modp<{ U2048::LIMBS }> =
    Modp::new(DhGroup::MODP_2048, primes::MODP_2048, 32);
/// Group 15: 288-bit exponents; RFC 3526 §8 asks for 260 (or 420), NIST SP 800-56A for 256.
pub(super) static MODP_3072: Modp<{ U3072::LIMBS }> =
    Modp::new(DhGroup::MODP_3072, primes::MODP_3072, 36);
/// Group 16: 320-bit exponents; RFC 3526 §8 asks for 300 (or 480), NIST SP 800-56A for 304.
pub(super) static MODP_4096: Modp<{ U4096::LIMBS }> =
    Modp::new(DhGroup::MODP_4096, primes::MODP_4096, 40);

impl<const LIMBS: usize> Modp<LIMBS> {
    /// The number of octets of a value is that of `LIMBS`, since every modulus fills its limbs.
    const WIDTH: usize = Uint::<LIMBS>::BYTES;

    const fn new(group: DhGroup, prime: &str, private_len: usize) -> Self {
        let prime = Odd::from_be_hex(prime);
        Self { group, params: FixedMontyParams::new_vartime(prime), private_len }
    }

    /// Writes `base` to the power of `private`, in time that depends on the group only.
    fn power(
        &self,
        base: &Uint<LIMBS>,
        private: &[u8],
        out: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        if private.len() != self.private_len || out.len() != Self::WIDTH {
            return Err(KeyExchangeError::WrongLength);
        }
        let mut exponent = exponent(private)?;
        let bits = U320::BITS.min(8 * u32::try_from(self.private_len).unwrap_or(u32::MAX));
        let mut power = FixedMontyForm::new(base, &self.params).pow_bounded_exp(&exponent, bits);
        exponent.zeroize();
        let mut octets = power.retrieve().to_be_bytes();
        out.copy_from_slice(&octets);
        octets.zeroize();
        power.zeroize();
        Ok(())
    }
}

/// The number that `private` writes.
fn exponent(private: &[u8]) -> Result<U320, KeyExchangeError> {
    let mut octets = [0; U320::BYTES];
    let start = octets.len().checked_sub(private.len());
    let place = start.and_then(|start| octets.get_mut(start..));
    place.ok_or(KeyExchangeError::WrongLength)?.copy_from_slice(private);
    let exponent = U320::from_be_slice(&octets);
    octets.zeroize();
    if exponent.is_zero().to_bool() {
        return Err(KeyExchangeError::InvalidPrivateValue);
    }
    Ok(exponent)
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
        self.power(&Uint::from_u8(GENERATOR), private, public)
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
        let highest = self.params.modulus().as_ref().wrapping_sub(&Uint::from_u8(2));
        if peer <= Uint::ONE || peer > highest {
            return Err(KeyExchangeError::InvalidPublicValue);
        }
        self.power(&peer, private, shared)
    }
}

#[cfg(test)]
mod tests {
    use super::super::GROUPS;
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use serde_json::Value;
    use vpn_core::RandomError;

    /// A generator of nothing but one octet.
    struct Only(u8);

    impl SecureRandom for Only {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(self.0);
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
            serde_json::from_str(include_str!("../../tests/data/modp-groups.json")).unwrap();
        for group in modp() {
            let number = u64::from(group.group().0);
            let known = all["groups"].as_array().unwrap().iter().find(|g| g["group"] == number);
            let text = known.unwrap()["prime"].as_str().unwrap();
            assert_eq!(hex(text), prime(group));
            assert_eq!(known.unwrap()["generator"], GENERATOR);
            assert_eq!(text.len(), 2 * group.public_len());
        }
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
            let zero = Err(KeyExchangeError::InvalidPrivateValue);
            assert_eq!(group.generate(&mut Only(0), &mut private, &mut public), zero);
            assert_eq!(group.agree(&private, &vec![2; width], &mut shared), zero);
        }
    }
}
