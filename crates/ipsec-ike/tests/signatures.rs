//! HASH_I and HASH_R signed and verified with RSA and real certificates (RFC 2409 §5.1, RFC 4945 §3).
//!
//! `tests/data/x509` holds some of the files that `make.sh` of `vpn-crypto` makes.
#![allow(clippy::restriction, reason = "a test")]

mod lab;

use ipsec_ike::Cookies;
use ipsec_ike::IdType;
use ipsec_ike::v1::auth::ProofError;
use ipsec_ike::v1::auth::SignatureProof;
use ipsec_ike::v1::auth::sign;
use ipsec_ike::v1::hash::hash_i;
use ipsec_ike::v1::hash::hash_r;
use ipsec_ike::v1::keys::Exchanged;
use ipsec_ike::v1::keys::Nonces;
use ipsec_ike::v1::keys::PublicValues;
use ipsec_ike::v1::keys::SkeyId;
use vpn_core::crypto::CertificateError;
use vpn_core::crypto::Digest;
use vpn_core::crypto::SignatureError;
use vpn_core::crypto::TrustAnchors;
use vpn_crypto::ike::RsaKey;
use vpn_crypto::ike::TrustStore;
use vpn_crypto::ike::certificates_from_pem;
use vpn_netsim::SeededRandom;

/// The first day of 2026.
const NOW: u64 = 1_767_225_600;

fn read(name: &str) -> String {
    String::from_utf8(lab::data(&format!("x509/{name}.pem"))).unwrap()
}

fn der(name: &str) -> Vec<u8> {
    certificates_from_pem(&read(name)).unwrap().remove(0)
}

/// HASH_I and HASH_R of one exchange under each hash function.
fn hashes(identification: &[u8]) -> Vec<[Digest; 2]> {
    let of = |prf| {
        let exchanged = Exchanged {
            prf,
            cookies: Cookies { initiator: [1; 8], responder: [2; 8] },
            nonces: Nonces { initiator: &[3; 32], responder: &[4; 32] },
            public_values: PublicValues { initiator: &[5; 256], responder: &[6; 256] },
            offer: &[7; 44],
            shared_secret: &[8; 256],
        };
        let keys = SkeyId::derive_signature(&exchanged);
        [hash_i(&exchanged, &keys, identification), hash_r(&exchanged, &keys, identification)]
    };
    vpn_crypto::ike::ALL_HASHES.iter().map(|prf| of(*prf)).collect()
}

fn verify(
    certificates: &[&str],
    (id_type, id_data): (IdType, &[u8]),
    hash: &Digest,
    signature: &[u8],
) -> Result<Vec<u8>, ProofError> {
    let trust = TrustStore::from_pem(&read("root")).unwrap();
    let certificates: Vec<Vec<u8>> = certificates.iter().map(|name| der(name)).collect();
    let certificates: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
    let proof = SignatureProof { certificates: &certificates, id_type, id_data, signature };
    let certificate = proof.verify(&trust, NOW, hash)?;
    Ok(certificate.subject().to_vec())
}

fn subject(name: &str) -> Vec<u8> {
    let chain = [der(name), der("lower"), der("intermediate")];
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let trust = TrustStore::from_pem(&read("root")).unwrap();
    trust.verify(&chain, NOW).unwrap().subject().to_vec()
}

#[test]
fn each_side_proves_itself_under_every_hash() {
    let key = RsaKey::from_pem(&read("leaf-pkcs8")).unwrap();
    let name = subject("deep");
    let id = (IdType::DER_ASN1_DN, &name[..]);
    let chains = [
        &["deep", "lower", "intermediate"][..],
        &["intermediate", "lower", "deep"],
        &["stranger", "lower", "lower", "deep", "root", "intermediate"],
    ];
    for [of_initiator, of_responder] in hashes(&[&[9, 0, 0, 0], &name[..]].concat()) {
        for (hash, other) in [(&of_initiator, &of_responder), (&of_responder, &of_initiator)] {
            let signature = sign(&key, hash, &mut SeededRandom::new(1)).unwrap();
            for chain in chains {
                assert_eq!(verify(chain, id, hash, &signature), Ok(name.clone()));
            }
            // What the initiator signed is no proof of a responder.
            let wrong = Err(ProofError::Signature(SignatureError::Invalid));
            assert_eq!(verify(chains[0], id, other, &signature), wrong);
        }
    }
}

#[test]
fn nobody_else_does() {
    let key = RsaKey::from_pem(&read("leaf-pkcs8")).unwrap();
    let name = subject("deep");
    let id = (IdType::DER_ASN1_DN, &name[..]);
    let chain = &["deep", "lower", "intermediate"][..];
    let [hash, _] = &hashes(&name)[0];
    let signature = sign(&key, hash, &mut SeededRandom::new(1)).unwrap();
    let other = RsaKey::from_pem(&read("other-key")).unwrap();
    let stolen = sign(&other, hash, &mut SeededRandom::new(1)).unwrap();
    let invalid = Err(ProofError::Signature(SignatureError::Invalid));
    assert_eq!(verify(chain, id, hash, &stolen), invalid);
    assert_eq!(verify(chain, id, hash, &signature[1..]), invalid);
    assert_eq!(verify(chain, id, hash, &[]), invalid);
    let unknown = Err(ProofError::Certificate(CertificateError::UnknownIssuer));
    assert_eq!(verify(&["deep", "lower"], id, hash, &signature), unknown);
    let authority = Err(ProofError::Certificate(CertificateError::Purpose));
    assert_eq!(verify(&["stranger"], id, hash, &signature), authority);
    assert_eq!(verify(&[], id, hash, &signature), Err(ProofError::NoCertificate));
    // Valid, and of the same key, but somebody else's.
    assert_eq!(verify(&["direct"], id, hash, &signature), Err(ProofError::Identity));
}

#[test]
fn names_are_those_of_the_certificate() {
    let key = RsaKey::from_pem(&read("leaf-pkcs8")).unwrap();
    let [hash, _] = &hashes(b"name")[0];
    let signature = sign(&key, hash, &mut SeededRandom::new(1)).unwrap();
    let right = [
        (IdType::DER_ASN1_DN, subject("direct")),
        (IdType::FQDN, b"VPN.Example.com".to_vec()),
        (IdType::USER_FQDN, b"user@example.com".to_vec()),
        (IdType::IPV4_ADDR, vec![192, 0, 2, 1]),
        (IdType::IPV6_ADDR, [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[1]].concat()),
    ];
    for (id_type, data) in &right {
        let got = verify(&["direct"], (*id_type, data), hash, &signature);
        assert_eq!(got, Ok(subject("direct")), "{id_type:?}");
        for other in [IdType::FQDN, IdType::USER_FQDN, IdType::IPV4_ADDR, IdType::KEY_ID] {
            if other != *id_type {
                let got = verify(&["direct"], (other, data), hash, &signature);
                assert_eq!(got, Err(ProofError::Identity), "{other:?} {data:?}");
            }
        }
        let cut = &data[..data.len() - 1];
        let got = verify(&["direct"], (*id_type, cut), hash, &signature);
        assert_eq!(got, Err(ProofError::Identity), "{id_type:?}");
    }
}
