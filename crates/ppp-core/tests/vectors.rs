//! Published and independently computed values (RFC 2759 §9.2 and `tests/data`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use std::fs;
use std::path::Path;

use harness::driver::CONFIGS;
use harness::driver::Driver;
use harness::driver::Operation;
use ppp_core::auth::MsChapV2;
use ppp_core::auth::NtPasswordHash;
use ppp_core::auth::chap_md5_response;
use ppp_core::hdlc;
use serde_json::Value;

fn cases(text: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(text).unwrap();
    json["cases"].as_array().unwrap().clone()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

#[test]
fn ms_chap_v2() {
    let provider = vpn_crypto::provider();
    let mut checked = 0;
    for file in [include_str!("data/rfc2759-9.2-mschapv2.json"), include_str!("data/mschapv2.json")]
    {
        for case in cases(file) {
            let name = case["username"].as_str().unwrap();
            if name.contains('\\') {
                // These were made with the domain; on the wire it is left out (RFC 2759 §4).
                continue;
            }
            let exchange = MsChapV2 {
                authenticator_challenge: &array(&case["authenticator_challenge"]),
                peer_challenge: &array(&case["peer_challenge"]),
                name: name.as_bytes(),
            };
            let password = case["password"].as_str().unwrap();
            let hash = NtPasswordHash::of_password(provider, password.as_bytes());
            let nt_response = exchange.nt_response(provider, &hash);
            assert_eq!(nt_response, array(&case["nt_response"]), "{case}");
            let proof = exchange.authenticator_response(provider, &hash, &nt_response);
            let text = case["authenticator_response"].as_str().unwrap();
            assert_eq!(proof, array(&Value::from(&text[2..])), "{case}");
            let stored = NtPasswordHash::from_hash(array(&case["nt_password_hash"]));
            assert_eq!(exchange.nt_response(provider, &stored), nt_response);
            checked += 1;
        }
    }
    assert!(checked >= 6, "{checked}");
}

#[test]
fn ms_chap_v2_leaves_the_domain_out() {
    let provider = vpn_crypto::provider();
    let case = &cases(include_str!("data/rfc2759-9.2-mschapv2.json"))[0];
    let exchange = MsChapV2 {
        authenticator_challenge: &array(&case["authenticator_challenge"]),
        peer_challenge: &array(&case["peer_challenge"]),
        name: b"BIGCO\\User",
    };
    let hash = NtPasswordHash::of_password(provider, b"clientPass");
    assert_eq!(exchange.nt_response(provider, &hash), array(&case["nt_response"]));
}

#[test]
fn chap_md5() {
    let provider = vpn_crypto::provider();
    let cases = cases(include_str!("data/chap-md5.json"));
    for case in &cases {
        let identifier = u8::try_from(case["id"].as_u64().unwrap()).unwrap();
        let (secret, challenge) = (hex(&case["secret"]), hex(&case["challenge"]));
        let response = chap_md5_response(provider, identifier, &secret, &challenge);
        assert_eq!(response, array(&case["response"]));
    }
    assert!(!cases.is_empty());
}

#[test]
fn frame_check_sequences() {
    let cases = cases(include_str!("data/ppp-fcs16.json"));
    for case in &cases {
        let fcs = hdlc::fcs16(&hex(&case["frame"]));
        assert_eq!(fcs.to_le_bytes(), array(&case["fcs_on_wire"]));
    }
    assert!(!cases.is_empty());
}

/// Samples of other projects, which are read in place and are not part of this one.
#[test]
fn samples_of_other_projects_are_survived() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let mut samples = Vec::new();
    for file in fs::read_dir(shared.join("corpus/ppp")).into_iter().flatten() {
        samples.push(fs::read(file.unwrap().path()).unwrap());
    }
    if let Ok(text) = fs::read_to_string(shared.join("ppp/scapy-ppp-bytes.json")) {
        samples.extend(cases(&text).iter().map(|case| hex(&case["bytes"])));
    }
    if samples.is_empty() {
        println!("skipped: no samples in ../shared/vectors beside the project");
        return;
    }
    for which in 0..CONFIGS {
        for begun in [false, true] {
            let mut driver = Driver::new(which, 5);
            if begun {
                driver.establish();
            }
            for sample in &samples {
                for start in 0..sample.len().min(64) {
                    driver.step(Operation::Octets(sample[start..].to_vec()));
                }
            }
        }
    }
}
