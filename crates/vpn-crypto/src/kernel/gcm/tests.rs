use alloc::string::String;
use alloc::vec::Vec;
use std::eprintln;

use aes_gcm::AesGcm;
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::KeyInit;
use aes_gcm::aead::consts::U12;
use serde_json::Value;

use super::*;

/// Every width that the processor has; the others are skipped with a printed line.
fn widths() -> Vec<(Path, Gcm)> {
    let paths = [Path::Bits128, Path::Bits256, Path::Bits512];
    let found = paths.into_iter().filter_map(|path| Gcm::on(path).map(|gcm| (path, gcm)));
    let found: Vec<(Path, Gcm)> = found.collect();
    for path in paths {
        if !found.iter().any(|(there, _)| *there == path) {
            eprintln!("SKIPPED: this processor has no AES-GCM kernels of {path}");
        }
    }
    found
}

fn octets(seed: usize, len: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// What the portable crate makes of the same packet: its safe twin.
fn twin(key: &[u8], nonce: &[u8; 12], aad: &[u8], text: &mut [u8]) -> [u8; 16] {
    fn with<A: KeyInit + AeadInOut<NonceSize = U12>>(
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
    ) -> [u8; 16] {
        let aead = A::new_from_slice(key).unwrap();
        let tag = aead.encrypt_inout_detached(&(*nonce).into(), aad, text.into()).unwrap();
        tag.as_slice().try_into().unwrap()
    }
    match key.len() {
        16 => with::<AesGcm<aes::Aes128, U12>>(key, nonce, aad, text),
        24 => with::<AesGcm<aes::Aes192, U12>>(key, nonce, aad, text),
        _ => with::<AesGcm<aes::Aes256, U12>>(key, nonce, aad, text),
    }
}

fn start(nonce: &[u8; 12], aad: &[u8]) -> Start {
    let mut block = [0; 16];
    block[..aad.len()].copy_from_slice(aad);
    Start::new(
        nonce[..4].try_into().unwrap(),
        nonce[4..].try_into().unwrap(),
        u128::from_be_bytes(block),
        u8::try_from(aad.len()).unwrap(),
    )
}

#[test]
fn every_length_is_as_the_twin_has_it() {
    for (path, gcm) in widths() {
        for key_len in [16, 24, 32] {
            let key = octets(key_len, key_len);
            let expanded = gcm.expand(&key).unwrap();
            for len in 0..=2100 {
                let nonce = octets(len, 12).try_into().unwrap();
                let aad = octets(len + 1, if len % 3 == 0 { 12 } else { 8 });
                let plain = octets(len, 16 + len);
                let mut want = plain.clone();
                let tag = twin(&key, &nonce, &aad, &mut want[16..]);
                let mut packet = plain.clone();
                let start = start(&nonce, &aad);
                let at = alloc::format!("{path}, AES-{}, {len} octets", 8 * key_len);
                assert_eq!(gcm.seal(&expanded, start, &mut packet), Some(tag), "{at}");
                assert!(packet == want, "{at}");
                assert_eq!(gcm.open(&expanded, start, &mut packet, &tag), Some(true), "{at}");
                assert!(packet == plain, "{at}");
            }
        }
    }
}

#[test]
fn nothing_around_the_packet_is_touched() {
    for (path, gcm) in widths() {
        let key = gcm.expand(&[7; 32]).unwrap();
        for len in (16..700).step_by(3) {
            let mut around = octets(len, len + 128);
            let before = around.clone();
            gcm.seal(&key, start(&[3; 12], &[1; 8]), &mut around[64..64 + len]).unwrap();
            assert_eq!(around[..64 + 16], before[..64 + 16], "{path} {len}");
            assert_eq!(around[64 + len..], before[64 + len..], "{path} {len}");
        }
    }
}

#[test]
fn keys_and_packets_of_impossible_length_are_refused() {
    for (_, gcm) in widths() {
        for len in (0..40).filter(|len| ![16, 24, 32].contains(len)) {
            assert!(gcm.expand(&octets(0, len)).is_none());
        }
        let key = gcm.expand(&[7; 16]).unwrap();
        assert!(gcm.seal(&key, start(&[0; 12], &[]), &mut [0; 15]).is_none());
        assert!(gcm.open(&key, start(&[0; 12], &[]), &mut [0; 15], &[0; 16]).is_none());
    }
}

/// Wycheproof, as far as its nonces are of 12 octets and its additional data fit in a block.
#[test]
fn wycheproof() {
    let path =
        [env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/wycheproof/aes_gcm_test.json"];
    let path: String = path.concat();
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {path} is absent");
        return;
    };
    let hex = |value: &Value| -> Vec<u8> {
        let text = value.as_str().unwrap().as_bytes().chunks(2);
        text.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    };
    let all: Value = serde_json::from_str(&text).unwrap();
    for (path, gcm) in widths() {
        let mut checked = 0;
        let groups = all["testGroups"].as_array().unwrap();
        for case in groups.iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let (nonce, aad) = (hex(&case["iv"]), hex(&case["aad"]));
            let Ok(nonce) = nonce.try_into() else { continue };
            if aad.len() > 16 {
                continue;
            }
            let key = gcm.expand(&hex(&case["key"])).unwrap();
            let mut packet = octets(0, 16);
            packet.extend(hex(&case["ct"]));
            let tag = hex(&case["tag"]).try_into().unwrap();
            let valid = case["result"] == "valid";
            let opened = gcm.open(&key, start(&nonce, &aad), &mut packet, &tag);
            assert_eq!(opened, Some(valid), "{path} {}", case["tcId"]);
            if valid {
                assert_eq!(packet[16..], hex(&case["msg"]), "{path} {}", case["tcId"]);
                assert_eq!(gcm.seal(&key, start(&nonce, &aad), &mut packet), Some(tag));
                assert_eq!(packet[16..], hex(&case["ct"]), "{path} {}", case["tcId"]);
            } else {
                assert!(packet.iter().all(|octet| *octet == 0));
            }
            checked += 1;
        }
        assert!(checked > 150, "{checked} cases");
    }
}

#[test]
fn every_bit_of_the_tag_counts() {
    for (path, gcm) in widths() {
        let key = gcm.expand(&[7; 32]).unwrap();
        let plain = octets(5, 100);
        let mut sealed = plain.clone();
        let tag = gcm.seal(&key, start(&[3; 12], &[1; 8]), &mut sealed).unwrap();
        for bit in 0..128 {
            let mut packet = sealed.clone();
            let tag = (u128::from_le_bytes(tag) ^ 1 << bit).to_le_bytes();
            let opened = gcm.open(&key, start(&[3; 12], &[1; 8]), &mut packet, &tag);
            assert_eq!(opened, Some(false), "{path} {bit}");
            assert!(packet.iter().all(|octet| *octet == 0), "{path} {bit}");
        }
    }
}
