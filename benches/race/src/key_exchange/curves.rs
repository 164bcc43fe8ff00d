//! Curves with ring, aws-lc-rs and OpenSSL: a key pair, then the shared secret with the same peer.

use core::hint::black_box;

use openssl::derive::Deriver;
use openssl::ec::EcGroup;
use openssl::ec::EcKey;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::pkey::Private;
use vpn_core::crypto::DhGroup;

use super::Entry;

pub(super) fn entries(group: DhGroup) -> [Entry; 3] {
    let x25519 = group == DhGroup::CURVE_25519;
    let entry = |column, work| Entry { row: group.to_string(), column, work };
    [
        entry("aws-lc-rs", aws_lc(x25519)),
        entry("ring", ring(x25519)),
        entry("OpenSSL", openssl(x25519)),
    ]
}

fn ring(x25519: bool) -> Box<dyn FnMut()> {
    use ring::agreement::ECDH_P256;
    use ring::agreement::EphemeralPrivateKey;
    use ring::agreement::UnparsedPublicKey;
    use ring::agreement::X25519;
    use ring::agreement::agree_ephemeral;

    let rng = ring::rand::SystemRandom::new();
    let algorithm = if x25519 { &X25519 } else { &ECDH_P256 };
    let peer = EphemeralPrivateKey::generate(algorithm, &rng).unwrap();
    let peer = UnparsedPublicKey::new(algorithm, peer.compute_public_key().unwrap());
    Box::new(move || {
        let private = EphemeralPrivateKey::generate(algorithm, &rng).unwrap();
        black_box(private.compute_public_key().unwrap());
        agree_ephemeral(private, &peer, |shared| {
            black_box(shared);
        })
        .unwrap();
    })
}

fn aws_lc(x25519: bool) -> Box<dyn FnMut()> {
    use aws_lc_rs::agreement::ECDH_P256;
    use aws_lc_rs::agreement::PrivateKey;
    use aws_lc_rs::agreement::UnparsedPublicKey;
    use aws_lc_rs::agreement::X25519;
    use aws_lc_rs::agreement::agree;
    use aws_lc_rs::error::Unspecified;

    let algorithm = if x25519 { &X25519 } else { &ECDH_P256 };
    let peer = PrivateKey::generate(algorithm).unwrap().compute_public_key().unwrap();
    Box::new(move || {
        let private = PrivateKey::generate(algorithm).unwrap();
        black_box(private.compute_public_key().unwrap());
        let peer = UnparsedPublicKey::new(algorithm, peer.as_ref());
        agree(&private, peer, Unspecified, |shared| {
            black_box(shared);
            Ok(())
        })
        .unwrap();
    })
}

fn openssl(x25519: bool) -> Box<dyn FnMut()> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let pair = move || -> PKey<Private> {
        if x25519 {
            PKey::generate_x25519().unwrap()
        } else {
            PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap()
        }
    };
    let peer = pair();
    let mut shared = [0; 32];
    Box::new(move || {
        let private = pair();
        let mut deriver = Deriver::new(&private).unwrap();
        deriver.set_peer(&peer).unwrap();
        deriver.derive(&mut shared).unwrap();
        black_box(&shared);
    })
}
