//! OpenSSL's numbers, with the flag that asks for constant time.

use core::hint::black_box;

use openssl::bn::BigNum;
use openssl::bn::BigNumContext;
use vpn_core::crypto::DhGroup;

use super::Modp;

/// The prime of a group.
pub(super) fn modulus(group: DhGroup) -> Vec<u8> {
    let prime = match group {
        DhGroup::MODP_1024 => BigNum::get_rfc2409_prime_1024(),
        DhGroup::MODP_2048 => BigNum::get_rfc3526_prime_2048(),
        _ => BigNum::get_rfc3526_prime_3072(),
    };
    prime.unwrap().to_vec()
}

/// 2^e and peer^e, to be timed.
pub(super) fn powers(modp: &Modp) -> [Box<dyn FnMut()>; 2] {
    let power = |base: BigNum| -> Box<dyn FnMut()> {
        let (exponent, modulus) = (exponent(modp), BigNum::from_slice(&modp.modulus).unwrap());
        let mut context = BigNumContext::new().unwrap();
        let mut result = BigNum::new().unwrap();
        Box::new(move || {
            result.mod_exp(black_box(&base), &exponent, &modulus, &mut context).unwrap();
        })
    };
    [power(BigNum::from_u32(2).unwrap()), power(BigNum::from_slice(&modp.peer).unwrap())]
}

/// peer^e.
pub(super) fn shared(modp: &Modp) -> Vec<u8> {
    let (base, modulus) = (BigNum::from_slice(&modp.peer), BigNum::from_slice(&modp.modulus));
    let mut result = BigNum::new().unwrap();
    let mut context = BigNumContext::new().unwrap();
    result.mod_exp(&base.unwrap(), &exponent(modp), &modulus.unwrap(), &mut context).unwrap();
    result.to_vec_padded(modp.modulus.len() as i32).unwrap()
}

fn exponent(modp: &Modp) -> BigNum {
    let mut exponent = BigNum::from_slice(&modp.exponent).unwrap();
    exponent.set_const_time();
    exponent
}
