//! NIST's vectors of the IKEv1 key derivation, where they lie beside the project.
#![allow(clippy::restriction, reason = "a test")]

mod lab;

use ipsec_ike::Cookies;
use ipsec_ike::v1::keys::Exchanged;
use ipsec_ike::v1::keys::Nonces;
use ipsec_ike::v1::keys::PublicValues;
use ipsec_ike::v1::keys::SkeyId;
use lab::hex;
use lab::shared;
use serde_json::Value;
use vpn_core::crypto::HashAlgorithm;

fn check(file: &str, derive: impl Fn(&Exchanged<'_>, &Value) -> SkeyId) {
    let Some(path) = shared(&format!("vectors/kdf/{file}")) else { return };
    let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut cases = 0;
    for group in json["groups"].as_array().unwrap() {
        let algorithm = match group["params"]["hash"].as_str().unwrap() {
            "SHA-1" => HashAlgorithm::Sha1,
            "SHA-256" => HashAlgorithm::Sha2_256,
            "SHA-384" => HashAlgorithm::Sha2_384,
            "SHA-512" => HashAlgorithm::Sha2_512,
            other => panic!("{other}"),
        };
        for case in group["cases"].as_array().unwrap() {
            let field = |name: &str| hex(case[name].as_str().unwrap());
            let cookie = |name| field(name).try_into().unwrap();
            let (ni, nr, shared_secret) = (field("Ni"), field("Nr"), field("g^xy"));
            let exchanged = Exchanged {
                prf: vpn_crypto::provider().ike.hash(algorithm).unwrap(),
                cookies: Cookies { initiator: cookie("CKY_I"), responder: cookie("CKY_R") },
                nonces: Nonces { initiator: &ni, responder: &nr },
                public_values: PublicValues { initiator: &[], responder: &[] },
                offer: &[],
                shared_secret: &shared_secret,
            };
            let keys = derive(&exchanged, case);
            assert_eq!(keys.skeyid.expose(), field("SKEYID"), "{case}");
            assert_eq!(keys.skeyid_d.expose(), field("SKEYID_d"), "{case}");
            assert_eq!(keys.skeyid_a.expose(), field("SKEYID_a"), "{case}");
            assert_eq!(keys.skeyid_e.expose(), field("SKEYID_e"), "{case}");
            cases += 1;
        }
    }
    assert_eq!(cases, 17 * 12);
}

#[test]
fn pre_shared_keys() {
    check("nist-cavs-ikev1_psk.json", |exchanged, case| {
        SkeyId::derive_psk(exchanged, &hex(case["pre-shared-key"].as_str().unwrap()))
    });
}

#[test]
fn signatures() {
    check("nist-cavs-ikev1_dsa.json", |exchanged, _| SkeyId::derive_signature(exchanged));
}
