//! crypto-bigint, with its Montgomery form of fixed width.

use core::hint::black_box;

use crypto_bigint::Odd;
use crypto_bigint::U1024;
use crypto_bigint::U2048;
use crypto_bigint::U3072;
use crypto_bigint::modular::FixedMontyForm;
use crypto_bigint::modular::FixedMontyParams;
use vpn_core::crypto::DhGroup;

use super::Modp;

/// Parameters, base, exponent and its length in bits.
macro_rules! parts {
    ($uint:ident, $modp:expr) => {{
        let modp: &Modp = $modp;
        let modulus = Odd::new($uint::from_be_slice(&modp.modulus)).unwrap();
        let params = FixedMontyParams::new_vartime(modulus);
        let peer = FixedMontyForm::new(&$uint::from_be_slice(&modp.peer), &params);
        let mut padded = vec![0; modp.modulus.len() - modp.exponent.len()];
        padded.extend_from_slice(&modp.exponent);
        (params, peer, $uint::from_be_slice(&padded), modp.exponent.len() as u32 * 8)
    }};
}

/// 2^e and peer^e, to be timed.
pub(super) fn powers(modp: &Modp) -> [Box<dyn FnMut()>; 2] {
    macro_rules! of_width {
        ($uint:ident) => {{
            let (params, peer, exponent, bits) = parts!($uint, modp);
            let two = FixedMontyForm::new(&$uint::from_u8(2), &params);
            let power = move |base: FixedMontyForm<{ $uint::LIMBS }>| -> Box<dyn FnMut()> {
                Box::new(move || {
                    black_box(base.pow_bounded_exp(black_box(&exponent), bits).retrieve());
                })
            };
            [power(two), power(peer)]
        }};
    }
    match modp.group {
        DhGroup::MODP_1024 => of_width!(U1024),
        DhGroup::MODP_2048 => of_width!(U2048),
        _ => of_width!(U3072),
    }
}

/// peer^e.
pub(super) fn shared(modp: &Modp) -> Vec<u8> {
    macro_rules! of_width {
        ($uint:ident) => {{
            let (_, peer, exponent, bits) = parts!($uint, modp);
            peer.pow_bounded_exp(&exponent, bits).retrieve().to_be_bytes().as_ref().to_vec()
        }};
    }
    match modp.group {
        DhGroup::MODP_1024 => of_width!(U1024),
        DhGroup::MODP_2048 => of_width!(U2048),
        _ => of_width!(U3072),
    }
}
