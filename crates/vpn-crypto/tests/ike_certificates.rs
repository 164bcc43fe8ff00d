//! Signatures and certificates, with those that `tests/data/x509/make.sh` makes.
#![cfg(feature = "x509")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::CertificateError;
use vpn_core::crypto::PeerCertificate;
use vpn_core::crypto::SignatureError;
use vpn_core::crypto::SigningKey;
use vpn_core::crypto::TrustAnchors;
use vpn_crypto::ike::NoCertificate;
use vpn_crypto::ike::RsaKey;
use vpn_crypto::ike::RsaKeyError;
use vpn_crypto::ike::TrustStore;
use vpn_crypto::ike::TrustStoreError;
use vpn_crypto::ike::certificates_from_pem;

/// The first day of 2026.
const NOW: u64 = 1_767_225_600;

fn read(name: &str) -> String {
    let path = [env!("CARGO_MANIFEST_DIR"), "/tests/data/x509/", name, ".pem"].concat();
    std::fs::read_to_string(path).unwrap()
}

fn der(name: &str) -> Vec<u8> {
    certificates_from_pem(&read(name)).unwrap().remove(0)
}

fn trust(name: &str) -> TrustStore {
    TrustStore::from_pem(&read(name)).unwrap()
}

fn verify_at(
    store: &TrustStore,
    chain: &[&str],
    unix_seconds: u64,
) -> Result<Box<dyn PeerCertificate>, CertificateError> {
    let chain: Vec<_> = chain.iter().map(|name| der(name)).collect();
    store.verify(&chain.iter().map(Vec::as_slice).collect::<Vec<_>>(), unix_seconds)
}

fn verify(root: &str, chain: &[&str]) -> Result<(), CertificateError> {
    verify_at(&trust(root), chain, NOW).map(|_| ())
}

#[test]
fn a_certificate_of_a_trusted_authority_is_accepted() {
    for leaf in
        ["direct", "nameless", "sha384", "sha512", "uncritical", "nonrepudiation", "ike", "any"]
    {
        assert_eq!(verify("root", &[leaf]), Ok(()), "{leaf}");
    }
    assert_eq!(verify("ec-root", &["under-ec-root"]), Ok(()));
    assert_eq!(verify("ec384-root", &["under-ec384-root"]), Ok(()));
}

#[test]
fn a_path_is_found_whatever_the_order() {
    for chain in [
        ["deep", "lower", "intermediate"],
        ["deep", "intermediate", "lower"],
        ["deep", "lower", "stranger"],
        ["deep", "root", "lower"],
    ] {
        let complete = chain.contains(&"intermediate");
        let expected = if complete { Ok(()) } else { Err(CertificateError::UnknownIssuer) };
        assert_eq!(verify("root", &chain), expected, "{chain:?}");
    }
    // The authority's own certificate may be among them, and others that do not belong.
    let chain = ["deep", "stranger", "direct", "root", "intermediate", "lower", "lower"];
    assert_eq!(verify("root", &chain), Ok(()));
    // An intermediate authority may itself be what is trusted.
    let intermediate = [read("intermediate"), read("stranger")].concat();
    let store = TrustStore::from_pem(&intermediate).unwrap();
    assert!(verify_at(&store, &["deep", "lower"], NOW).is_ok());
}

#[test]
fn nothing_else_is_accepted() {
    use CertificateError::Algorithm;
    use CertificateError::Key;
    use CertificateError::Malformed;
    use CertificateError::NotValidNow;
    use CertificateError::Purpose;
    use CertificateError::UnknownIssuer;
    for (root, chain, error) in [
        ("stranger", &["direct"][..], UnknownIssuer),
        ("root", &["under-stranger"], UnknownIssuer),
        ("root", &["under-stranger", "stranger"], UnknownIssuer),
        ("root", &["intermediate"], Purpose),
        ("root", &["root"], Purpose),
        ("root", &["authority"], Purpose),
        ("root", &["expired"], NotValidNow),
        ("root", &["future"], NotValidNow),
        ("root", &["under-old-ca", "old-ca"], NotValidNow),
        ("old-root", &["under-old-root"], NotValidNow),
        ("root", &["under-not-ca", "not-ca"], Purpose),
        ("root", &["under-mute-ca", "mute-ca"], Purpose),
        ("root", &["under-short-path", "below-short-path", "short-path"], Purpose),
        ("root", &["critical"], Malformed),
        ("root", &["encipherment"], Purpose),
        ("root", &["tls"], Purpose),
        ("root", &["sha1"], Algorithm),
        ("root", &["weak"], Key),
        ("root", &["pss"], Key),
        ("root", &["ecdsa"], Key),
        ("weak-root", &["under-weak-root"], UnknownIssuer),
        ("root", &[], Malformed),
    ] {
        assert_eq!(verify(root, chain), Err(error), "{root} {chain:?}");
    }
}

#[test]
fn purposes_of_tls_are_accepted_where_named() {
    let store = trust("root").accept_any_purpose();
    assert!(verify_at(&store, &["tls"], NOW).is_ok());
    let error = verify_at(&store, &["encipherment"], NOW).map(|_| ());
    assert_eq!(error, Err(CertificateError::Purpose));
}

/// Both ends of a certificate's life, to the second; and an authority's that is over.
#[test]
fn the_time_is_the_callers() {
    // `brief` lives through 2025.
    let start = NOW - 365 * 86_400;
    for (seconds, good) in [
        (0, false),
        (start - 1, false),
        (start, true),
        (NOW, true),
        (NOW + 1, false),
        (u64::MAX, false),
    ] {
        let result = verify_at(&trust("root"), &["brief"], seconds).map(|_| ());
        let expected = if good { Ok(()) } else { Err(CertificateError::NotValidNow) };
        assert_eq!(result, expected, "{seconds}");
    }
    // The first second of 2020 is the authority's last and the certificate's first.
    for (seconds, good) in [(1_577_836_799, false), (1_577_836_800, true), (1_577_836_801, false)] {
        let result = verify_at(&trust("old-root"), &["under-old-root"], seconds).map(|_| ());
        let expected = if good { Ok(()) } else { Err(CertificateError::NotValidNow) };
        assert_eq!(result, expected, "{seconds}");
    }
}

#[test]
fn a_changed_octet_is_noticed() {
    let (good, store) = (der("direct"), trust("root"));
    assert!(store.verify(&[&good], NOW).is_ok());
    for at in 0..good.len() {
        for bit in [1, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= bit;
            assert!(store.verify(&[&bad], NOW).is_err(), "octet {at}");
        }
        assert!(store.verify(&[&good[..at]], NOW).is_err(), "cut at {at}");
    }
    let longer = [&good[..], &[0]].concat();
    assert!(store.verify(&[&longer], NOW).is_err());
}

/// An intermediate certificate that is broken is as good as none, and no reason to fail.
#[test]
fn a_broken_companion_does_no_harm() {
    let (leaf, store) = (der("direct"), trust("root"));
    assert!(store.verify(&[&leaf, &[], b"garbage", &leaf[..100]], NOW).is_ok());
}

#[test]
fn names() {
    let peer = verify_at(&trust("root"), &["direct"], NOW).unwrap();
    for (name, has) in [
        ("vpn.example.com", true),
        ("VPN.example.COM", true),
        ("vpn.example.com.", false),
        ("example.com", false),
        ("*.example.net", true),
        ("a.example.net", false),
        ("user@example.com", false),
        ("", false),
    ] {
        assert_eq!(peer.has_dns_name(name), has, "{name}");
    }
    for (address, has) in
        [("User@example.com", true), ("user@EXAMPLE.com", true), ("example.com", false)]
    {
        assert_eq!(peer.has_mail_address(address), has, "{address}");
    }
    let six = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert!(peer.has_ip_address(&[192, 0, 2, 1]) && peer.has_ip_address(&six));
    assert!(!peer.has_ip_address(&[192, 0, 2, 2]) && !peer.has_ip_address(&six[..4]));

    // CN=direct as one relative distinguished name with a UTF8String.
    let subject = b"\x30\x11\x31\x0f\x30\x0d\x06\x03\x55\x04\x03\x0c\x06direct";
    assert_eq!(peer.subject(), subject);
    let issuer = b"\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04root".to_vec();
    assert_eq!(trust("root").issuers(), [issuer]);

    let nameless = verify_at(&trust("root"), &["nameless"], NOW).unwrap();
    assert!(!nameless.has_dns_name("nameless") && !nameless.has_mail_address(""));
    assert!(!nameless.has_ip_address(&[]));
}

#[test]
fn only_authorities_can_be_trusted() {
    let refused = |text: &str| TrustStore::from_pem(text).map(|_| ()).unwrap_err();
    assert_eq!(refused(""), TrustStoreError::Empty);
    assert_eq!(refused(&read("leaf-pkcs8")), TrustStoreError::Empty);
    assert_eq!(refused(&read("direct")), TrustStoreError::NoAuthority);
    assert_eq!(refused(&read("plain-root")), TrustStoreError::NoAuthority);
    assert_eq!(refused(&read("mute-root")), TrustStoreError::NoAuthority);
    let both = [read("root"), read("direct")].concat();
    assert_eq!(refused(&both), TrustStoreError::NoAuthority);
    let root = der("root");
    for cut in 0..root.len() {
        let error = TrustStore::from_der([&root[..cut]]).map(|_| ()).unwrap_err();
        assert_eq!(error, TrustStoreError::Malformed);
    }
}

#[test]
fn pem() {
    let mixed =
        [read("leaf-pkcs8"), read("direct"), String::from("words\n"), read("root")].concat();
    assert_eq!(certificates_from_pem(&mixed).unwrap(), [der("direct"), der("root")]);
    assert_eq!(certificates_from_pem("words"), Err(NoCertificate));
    let cut = &read("root")[..200];
    assert_eq!(certificates_from_pem(cut), Err(NoCertificate));
}

#[test]
fn private_keys() {
    let mixed = [read("root"), read("leaf-pkcs8")].concat();
    for text in [read("leaf-pkcs8"), read("leaf-pkcs1"), mixed] {
        let key = RsaKey::from_pem(&text).unwrap();
        assert!(key.belongs_to(&der("direct")) && !key.belongs_to(&der("root")));
        assert!(!key.belongs_to(&[]));
        assert_eq!(format!("{key:?}"), "RsaKey");
    }
    for (text, error) in [
        (read("root"), RsaKeyError::NotFound),
        (String::new(), RsaKeyError::NotFound),
        (read("leaf-encrypted"), RsaKeyError::Encrypted),
        (read("ecdsa-key"), RsaKeyError::NotRsa),
        (read("weak-key"), RsaKeyError::TooShort),
    ] {
        assert_eq!(RsaKey::from_pem(&text).map(|_| ()), Err(error));
    }
}

/// A generator with a seed, for tests only.
struct Seeded(u64);

impl SecureRandom for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octet in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *octet = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

struct Dead;

impl SecureRandom for Dead {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

fn key() -> RsaKey {
    RsaKey::from_pem(&read("leaf-pkcs8")).unwrap()
}

/// A signature by OpenSSL: PKCS#1 v1.5 has one only for each message, whatever the blinding.
#[test]
fn signatures_are_those_of_openssl() {
    let foreign = include_bytes!("data/x509/signature.bin");
    let hash = b"abcdefghijklmnopqrst";
    let peer = verify_at(&trust("root"), &["direct"], NOW).unwrap();
    assert_eq!(peer.verify(hash, foreign), Ok(()));
    for seed in 0..3 {
        assert_eq!(key().sign(hash, &mut Seeded(seed)).unwrap(), foreign);
    }
}

#[test]
fn signatures_of_every_hash_length_verify_and_no_others() {
    let peer = verify_at(&trust("root"), &["direct"], NOW).unwrap();
    for len in [16, 20, 32, 48, 64] {
        let hash = vec![0xa5; len];
        let signature = key().sign(&hash, &mut Seeded(1)).unwrap();
        assert_eq!(peer.verify(&hash, &signature), Ok(()));
        let invalid = Err(SignatureError::Invalid);
        // The end of what was signed, or more than it, is not what was signed.
        assert_eq!(peer.verify(&hash[1..], &signature), invalid);
        assert_eq!(peer.verify(&[&[0], &hash[..]].concat(), &signature), invalid);
        assert_eq!(peer.verify(&[], &signature), invalid);
        for at in 0..signature.len() {
            let mut bad = signature.clone();
            bad[at] ^= 1;
            assert_eq!(peer.verify(&hash, &bad), invalid);
        }
        assert_eq!(peer.verify(&hash, &signature[1..]), invalid);
        assert_eq!(peer.verify(&hash, &[&[0], &signature[..]].concat()), invalid);
        assert_eq!(peer.verify(&hash, &[]), invalid);
        assert_eq!(peer.verify(&hash, &[0xff; 256]), invalid);
    }
    let other = RsaKey::from_pem(&read("other-key")).unwrap();
    let signature = other.sign(&[1; 20], &mut Seeded(1)).unwrap();
    assert_eq!(peer.verify(&[1; 20], &signature), Err(SignatureError::Invalid));
}

#[test]
fn no_signature_without_random_octets_or_room() {
    let dead = Err(SignatureError::Random(RandomError));
    assert_eq!(key().sign(&[1; 20], &mut Dead), dead);
    // 11 octets of padding at least.
    assert!(key().sign(&[1; 245], &mut Seeded(1)).is_ok());
    assert_eq!(key().sign(&[1; 246], &mut Seeded(1)), Err(SignatureError::Key));
}
