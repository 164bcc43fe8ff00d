//! Known answers for what IKE is made of: from the RFCs, from transcripts in `tests/data`, and from
//! Wycheproof, read where the project's shared test data lies, or skipped with a printed line.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

use serde_json::Value;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::CbcCrypto;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::HashAlgorithm;
use vpn_core::crypto::IkeHash;
use vpn_core::crypto::KeyExchange;
use vpn_core::crypto::KeyExchangeError;

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn wycheproof(file: &str) -> Option<Value> {
    let path = [env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/wycheproof/", file].concat();
    let read = std::fs::read_to_string(&path).ok();
    if read.is_none() {
        eprintln!("SKIPPED: {path} is absent");
    }
    read.map(|text| json(&text))
}

fn cases(all: &Value) -> impl Iterator<Item = &Value> {
    let groups = all["testGroups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["tests"].as_array().unwrap())
}

fn hash(algorithm: HashAlgorithm) -> &'static dyn IkeHash {
    *vpn_crypto::ike::ALL_HASHES.iter().find(|hash| hash.algorithm() == algorithm).unwrap()
}

fn cipher(cipher: EspCipher) -> &'static dyn CbcCrypto {
    vpn_crypto::provider().ike.cipher(cipher).unwrap()
}

fn group(group: DhGroup) -> &'static dyn KeyExchange {
    vpn_crypto::provider().ike.group(group).unwrap()
}

/// RFC 2202, RFC 4231 and RFC 4868 §2.7, with keys longer than a block among them.
#[test]
fn hmac_rfc() {
    let all = json(include_str!("data/hmac.json"));
    for (list, algorithm) in [
        ("hmac_md5_rfc2202", HashAlgorithm::Md5),
        ("hmac_sha1_rfc2202", HashAlgorithm::Sha1),
        ("hmac_sha256_rfc4231_prf_rfc4868", HashAlgorithm::Sha2_256),
        ("hmac_sha384_rfc4231", HashAlgorithm::Sha2_384),
        ("hmac_sha512_rfc4231", HashAlgorithm::Sha2_512),
    ] {
        let list = all[list].as_array().unwrap();
        assert!(list.len() >= 3);
        for case in list {
            let (data, want) =
                (hex(&case["data"]), hex(case.get("mac").unwrap_or(&case["mac_128"])));
            let (head, tail) = data.split_at(data.len() / 3);
            let mac = hash(algorithm).hmac(&hex(&case["key"]), &[head, &[], tail]);
            assert_eq!(mac.expose()[..want.len()], want, "{algorithm} {case}");
            assert_eq!(mac.expose().len(), algorithm.output_len());
        }
    }
}

#[test]
fn hmac_wycheproof() {
    for (file, algorithm) in [
        ("hmac_sha1_test.json", HashAlgorithm::Sha1),
        ("hmac_sha256_test.json", HashAlgorithm::Sha2_256),
        ("hmac_sha384_test.json", HashAlgorithm::Sha2_384),
        ("hmac_sha512_test.json", HashAlgorithm::Sha2_512),
    ] {
        let Some(all) = wycheproof(file) else { continue };
        for case in cases(&all) {
            let mac = hash(algorithm).hmac(&hex(&case["key"]), &[&hex(&case["msg"])]);
            let want = hex(&case["tag"]);
            let equal = mac.expose()[..want.len()] == want;
            assert_eq!(equal, case["result"] == "valid", "{file} {}", case["tcId"]);
        }
    }
}

/// FIPS 180-4's examples, and RFC 1321 appendix A.5.
#[test]
fn hash_of_abc() {
    for (algorithm, want) in [
        (HashAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (HashAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            HashAlgorithm::Sha2_256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            HashAlgorithm::Sha2_384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            HashAlgorithm::Sha2_512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ] {
        let want = hex(&Value::from(want));
        assert_eq!(hash(algorithm).hash(&[b"abc"]).expose(), want);
        assert_eq!(hash(algorithm).hash(&[b"a", b"", b"bc"]).expose(), want);
    }
}

/// RFC 3602 §4 and the published triple DES answer.
#[test]
fn cbc_rfc() {
    let (aes, des) =
        (json(include_str!("data/rfc3602-aes-cbc.json")), json(include_str!("data/3des-cbc.json")));
    let aes = aes["cbc"].as_array().unwrap().iter().map(|case| (EspCipher::Aes128Cbc, case));
    for (algorithm, case) in aes.chain([(EspCipher::TripleDesCbc, &des)]) {
        let (plaintext, ciphertext) = (hex(&case["plaintext"]), hex(&case["ciphertext"]));
        check_cbc(algorithm, &hex(&case["key"]), &hex(&case["iv"]), &plaintext, &ciphertext);
    }
}

fn check_cbc(algorithm: EspCipher, key: &[u8], iv: &[u8], plaintext: &[u8], ciphertext: &[u8]) {
    let mut data = plaintext.to_vec();
    cipher(algorithm).encrypt(key, iv, &mut data).unwrap();
    assert_eq!(data, ciphertext);
    cipher(algorithm).decrypt(key, iv, &mut data).unwrap();
    assert_eq!(data, plaintext);
}

/// Wycheproof pads as PKCS #5 does; IKE has its own padding, so theirs is applied here.
#[test]
fn cbc_wycheproof() {
    let Some(all) = wycheproof("aes_cbc_pkcs5_test.json") else { return };
    for case in cases(&all).filter(|case| case["result"] == "valid") {
        let (key, mut message) = (hex(&case["key"]), hex(&case["msg"]));
        let algorithm = match key.len() {
            16 => EspCipher::Aes128Cbc,
            24 => EspCipher::Aes192Cbc,
            _ => EspCipher::Aes256Cbc,
        };
        let pad = 16 - message.len() % 16;
        message.resize(message.len() + pad, pad.try_into().unwrap());
        check_cbc(algorithm, &key, &hex(&case["iv"]), &message, &hex(&case["ct"]));
    }
}

/// A generator that gives these octets once, and then fails.
struct Given(Option<Vec<u8>>);

impl SecureRandom for Given {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.copy_from_slice(&self.0.take().ok_or(RandomError)?);
        Ok(())
    }
}

/// Both sides of an exchange whose private values are known.
fn check_exchange(number: DhGroup, private: [Vec<u8>; 2], public: [Vec<u8>; 2], shared: &[u8]) {
    let group = group(number);
    for (side, peer) in [(0, 1), (1, 0)] {
        let mut drawn = vec![0; group.private_len()];
        let mut built = vec![0; group.public_len()];
        group.generate(&mut Given(Some(private[side].clone())), &mut drawn, &mut built).unwrap();
        assert_eq!((&drawn, &built), (&private[side], &public[side]), "{number}");
        let mut agreed = vec![0; group.shared_len()];
        group.agree(&drawn, &public[peer], &mut agreed).unwrap();
        assert_eq!(agreed, shared, "{number}");
    }
}

/// RFC 5903 §8.
#[test]
fn ecp_rfc5903() {
    for file in [include_str!("data/rfc5903-ecp.json"), include_str!("data/rfc5903-ecp521.json")] {
        for case in json(file)["cases"].as_array().unwrap() {
            let number = DhGroup(case["group"].as_u64().unwrap().try_into().unwrap());
            check_exchange(
                number,
                [hex(&case["i"]), hex(&case["r"])],
                [hex(&case["gi"]), hex(&case["gr"])],
                &hex(&case["shared_secret_x"]),
            );
        }
    }
}

/// Transcripts of whole exchanges, made by an independent program.
#[test]
fn modp_transcripts() {
    let group2 = json(include_str!("data/ikev1-psk-aes256-sha1-g2.json"));
    check_exchange(
        DhGroup::MODP_1024,
        [hex(&group2["initiator_private"]), hex(&group2["responder_private"])],
        [hex(&group2["g_xi"]), hex(&group2["g_xr"])],
        &hex(&group2["g_xy"]),
    );
    let group14 = json(include_str!("data/ikev2-psk-aes256cbc-sha256-g14.json"));
    // The key exchange payload follows the header and an SA payload (RFC 7296 §3.4).
    let public = [0, 1].map(|frame| {
        let message = hex(&group14["frames"][frame]["ike_message"]);
        let sa = usize::from(u16::from_be_bytes([message[30], message[31]]));
        message[28 + sa + 8..][..256].to_vec()
    });
    check_exchange(
        DhGroup::MODP_2048,
        [hex(&group14["initiator_private"]), hex(&group14["responder_private"])],
        public,
        &hex(&group14["g_ir"]),
    );
}

#[test]
fn ecdh_wycheproof() {
    for (file, number) in [
        ("ecdh_secp256r1_ecpoint_test.json", DhGroup::ECP_256),
        ("ecdh_secp384r1_ecpoint_test.json", DhGroup::ECP_384),
    ] {
        let Some(all) = wycheproof(file) else { continue };
        let group = group(number);
        for case in cases(&all) {
            let public = hex(&case["public"]);
            // IKE has no compressed points (RFC 5903 §7), and no octet that tells of it.
            let point = public.get(1..).unwrap_or_default();
            let given = hex(&case["private"]);
            // Their numbers are signed and have no fixed width.
            let width = given.len().max(group.private_len());
            let padded = [vec![0; width - given.len()], given].concat();
            let private = &padded[width - group.private_len()..];
            let mut shared = vec![0; group.shared_len()];
            let agreed = group.agree(private, point, &mut shared);
            if case["result"] == "valid" {
                assert_eq!(agreed, Ok(()), "{file} {}", case["tcId"]);
                assert_eq!(shared, hex(&case["shared"]));
            } else {
                let refused = if point.len() == group.public_len() {
                    KeyExchangeError::InvalidPublicValue
                } else {
                    KeyExchangeError::WrongLength
                };
                assert_eq!(agreed, Err(refused), "{file} {}", case["tcId"]);
            }
        }
    }
}

/// RFC 7748 §5.2 and §6.1.
#[test]
fn x25519_rfc7748() {
    let group = group(DhGroup::CURVE_25519);
    let case = json(include_str!("data/rfc7748-x25519.json"));
    let mut shared = [0; 32];
    group.agree(&hex(&case["scalar"]), &hex(&case["u"]), &mut shared).unwrap();
    assert_eq!(shared.to_vec(), hex(&case["out"]));

    let value = |text: &str| hex(&Value::from(text));
    check_exchange(
        DhGroup::CURVE_25519,
        [
            value("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
            value("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
        ],
        [
            value("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
            value("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
        ],
        &value("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
    );
}

#[test]
fn x25519_wycheproof() {
    let Some(all) = wycheproof("x25519_test.json") else { return };
    let group = group(DhGroup::CURVE_25519);
    for case in cases(&all) {
        let mut shared = [0; 32];
        let agreed = group.agree(&hex(&case["private"]), &hex(&case["public"]), &mut shared);
        let want = hex(&case["shared"]);
        if want == [0; 32] {
            assert_eq!(agreed, Err(KeyExchangeError::InvalidPublicValue), "{}", case["tcId"]);
        } else {
            assert_eq!((agreed, shared.to_vec()), (Ok(()), want), "{}", case["tcId"]);
        }
    }
}
