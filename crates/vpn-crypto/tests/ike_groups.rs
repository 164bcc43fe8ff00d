//! Every Diffie-Hellman group: two sides agree, and lengths and broken generators are refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::KeyExchange;
use vpn_core::crypto::KeyExchangeError;
use vpn_crypto::ike::GROUPS;

/// A generator with a seed, for tests only (xorshift64).
struct Seeded(u64);

impl SecureRandom for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octet in out {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *octet = self.0.to_be_bytes()[3];
        }
        Ok(())
    }
}

struct Side {
    private: Vec<u8>,
    public: Vec<u8>,
}

fn side(group: &dyn KeyExchange, seed: u64) -> Side {
    let (private, public) = (vec![0; group.private_len()], vec![0; group.public_len()]);
    let mut side = Side { private, public };
    group.generate(&mut Seeded(seed | 1), &mut side.private, &mut side.public).unwrap();
    side
}

fn agreed(group: &dyn KeyExchange, ours: &Side, theirs: &Side) -> Vec<u8> {
    let mut shared = vec![0; group.shared_len()];
    group.agree(&ours.private, &theirs.public, &mut shared).unwrap();
    shared
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn two_sides_agree_and_a_third_does_not(a in any::<u64>(), b in any::<u64>()) {
        prop_assume!(a | 1 != b | 1);
        for group in GROUPS {
            let (one, other) = (side(*group, a), side(*group, b));
            let shared = agreed(*group, &one, &other);
            prop_assert_eq!(&shared, &agreed(*group, &other, &one), "{}", group.group());
            prop_assert_ne!(shared, agreed(*group, &one, &one), "{}", group.group());
        }
    }

    /// Whatever a peer sends is agreed on or refused, and never anything else.
    #[test]
    fn no_peer_value_panics(octets in prop::collection::vec(any::<u8>(), 512), len in 0_usize..513) {
        for group in GROUPS {
            let ours = side(*group, 7);
            let mut shared = vec![0; group.shared_len()];
            for len in [len, group.public_len()] {
                let result = group.agree(&ours.private, &octets[..len], &mut shared);
                let fits = len == group.public_len();
                prop_assert_eq!(result == Err(KeyExchangeError::WrongLength), !fits);
            }
        }
    }
}

/// RFC 2409 §5 and RFC 5903 §7: values keep their width.
#[test]
fn widths() {
    for (number, private, public, shared) in [
        (DhGroup::MODP_1024, 32, 128, 128),
        (DhGroup::MODP_1536, 32, 192, 192),
        (DhGroup::MODP_2048, 32, 256, 256),
        (DhGroup::MODP_3072, 36, 384, 384),
        (DhGroup::MODP_4096, 40, 512, 512),
        (DhGroup::ECP_256, 32, 64, 32),
        (DhGroup::ECP_384, 48, 96, 48),
        (DhGroup::ECP_521, 66, 132, 66),
        (DhGroup::CURVE_25519, 32, 32, 32),
    ] {
        let group = vpn_crypto::provider().ike.group(number).unwrap();
        let lengths = (group.private_len(), group.public_len(), group.shared_len());
        assert_eq!(lengths, (private, public, shared), "{number}");
    }
}

/// g^x for x = 1 is 2, with every zero before it.
#[test]
fn leading_zeros_stay() {
    struct One;
    impl SecureRandom for One {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(0);
            *out.last_mut().unwrap() = 1;
            Ok(())
        }
    }
    for group in GROUPS.iter().filter(|group| group.group() <= DhGroup::MODP_4096) {
        let (mut private, mut public) = (vec![0; group.private_len()], vec![9; group.public_len()]);
        group.generate(&mut One, &mut private, &mut public).unwrap();
        let (last, zeros) = public.split_last().unwrap();
        assert!(*last == 2 && zeros.iter().all(|octet| *octet == 0), "{}", group.group());
        let mut shared = vec![9; group.shared_len()];
        group.agree(&private, &public, &mut shared).unwrap();
        assert_eq!(shared, public);
    }
}

#[test]
fn every_other_length_is_refused() {
    for group in GROUPS {
        let (private_len, public_len) = (group.private_len(), group.public_len());
        let shared_len = group.shared_len();
        let ours = side(*group, 3);
        let wrong = Err(KeyExchangeError::WrongLength);
        for len in (0..520).filter(|len| *len != private_len) {
            let (mut private, mut public) = (vec![1; len], vec![0; public_len]);
            assert_eq!(group.generate(&mut Seeded(5), &mut private, &mut public), wrong);
            assert_eq!(group.agree(&private, &ours.public, &mut vec![0; shared_len]), wrong);
        }
        for len in (0..520).filter(|len| *len != public_len) {
            let (mut private, mut public) = (vec![1; private_len], vec![2; len]);
            assert_eq!(group.generate(&mut Seeded(5), &mut private, &mut public), wrong);
            assert_eq!(group.agree(&private, &public, &mut vec![0; shared_len]), wrong);
        }
        for len in (0..520).filter(|len| *len != shared_len) {
            assert_eq!(group.agree(&ours.private, &ours.public, &mut vec![0; len]), wrong);
        }
    }
}

/// A generator that fails, and on the curves one that never gives a number below the order.
#[test]
fn no_random_octets_no_key() {
    struct Dead;
    impl SecureRandom for Dead {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }
    struct Ones;
    impl SecureRandom for Ones {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(0xff);
            Ok(())
        }
    }
    for group in GROUPS {
        let (mut private, mut public) = (vec![0; group.private_len()], vec![0; group.public_len()]);
        let failed = Err(KeyExchangeError::Random(RandomError));
        assert_eq!(group.generate(&mut Dead, &mut private, &mut public), failed);
        if matches!(group.group(), DhGroup::ECP_256 | DhGroup::ECP_384 | DhGroup::ECP_521) {
            assert_eq!(group.generate(&mut Ones, &mut private, &mut public), failed);
            let beyond_the_order =
                group.agree(&vec![0xff; private.len()], &public, &mut vec![0; group.shared_len()]);
            assert_eq!(beyond_the_order, Err(KeyExchangeError::InvalidPrivateValue));
        }
    }
}
