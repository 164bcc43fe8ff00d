//! Known answers: RFC vectors from `tests/data`, and Wycheproof read where the project's shared
//! test data lies, or skipped with a printed line.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use std::eprintln;

use serde_json::Value;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;

use super::aead::Aad;
use super::aead::Aead;
use super::cbc::Decryptor;
use super::cbc::Encryptor;
use super::hmac::Mac;

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// A file that lies beside the project and is not part of it.
fn shared_path(file: &str) -> String {
    [env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/", file].concat()
}

fn shared(file: &str) -> Option<Value> {
    let path = shared_path(file);
    let read = std::fs::read_to_string(&path).ok();
    if read.is_none() {
        eprintln!("SKIPPED: {path} is absent");
    }
    read.map(|text| serde_json::from_str(&text).unwrap())
}

fn wycheproof(file: &str) -> Option<Value> {
    shared(&["wycheproof/", file].concat())
}

fn tag(algorithm: EspIntegrity, key: &[u8], message: &[u8], len: usize) -> Vec<u8> {
    let mut tag = vec![0; len];
    Mac::new(algorithm, key).unwrap().mac(message, None, &mut tag);
    #[cfg(target_arch = "x86_64")]
    kernels::check_tag(algorithm, key, message, &tag);
    tag
}

/// RFC 2202, RFC 4231 and RFC 4868 §2.7. Keys longer than a block are no ESP keys.
#[test]
fn hmac_rfc() {
    let all: Value = serde_json::from_str(include_str!("../../tests/data/hmac.json")).unwrap();
    let mut checked = 0;
    for (list, algorithm, block) in [
        ("hmac_md5_rfc2202", EspIntegrity::HmacMd5_96, 64),
        ("hmac_sha1_rfc2202", EspIntegrity::HmacSha1_96, 64),
        ("hmac_sha256_rfc4231_prf_rfc4868", EspIntegrity::HmacSha2_256_128, 64),
        ("auth_hmac_sha256_128_rfc4868", EspIntegrity::HmacSha2_256_96, 64),
        ("hmac_sha384_rfc4231", EspIntegrity::HmacSha2_384_192, 128),
        ("hmac_sha512_rfc4231", EspIntegrity::HmacSha2_512_256, 128),
    ] {
        for case in all[list].as_array().unwrap() {
            let key = hex(&case["key"]);
            let field = case.get("mac").or(case.get("mac_128")).or(case.get("icv")).unwrap();
            let want = hex(field);
            if key.len() <= block {
                assert_eq!(tag(algorithm, &key, &hex(&case["data"]), want.len()), want, "{list}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 22, "{checked} cases");
}

/// The `hmac` crate's word on every length around the ends of blocks.
#[test]
fn hmac_at_every_length() {
    fn check<H: hmac::KeyInit + hmac::Mac>(algorithm: EspIntegrity) {
        for len in 0..300_usize {
            let (key, message) = (vec![0x3a; algorithm.key_len()], vec![0xc4; len]);
            let mut mac = <H as hmac::KeyInit>::new_from_slice(&key).unwrap();
            mac.update(&message);
            let want = mac.finalize().into_bytes();
            assert_eq!(tag(algorithm, &key, &message, want.len()), want.to_vec(), "{len}");
        }
    }
    check::<hmac::Hmac<md5::Md5>>(EspIntegrity::HmacMd5_96);
    check::<hmac::Hmac<sha1::Sha1>>(EspIntegrity::HmacSha1_96);
    check::<hmac::Hmac<sha2::Sha256>>(EspIntegrity::HmacSha2_256_128);
    check::<hmac::Hmac<sha2::Sha384>>(EspIntegrity::HmacSha2_384_192);
    check::<hmac::Hmac<sha2::Sha512>>(EspIntegrity::HmacSha2_512_256);
}

/// Appending the high half of the sequence number is the same as having it in the message, at every
/// place in a block.
#[test]
fn hmac_covers_the_high_half() {
    for algorithm in EspIntegrity::ALL {
        let mac = Mac::new(*algorithm, &[7; 64]).unwrap();
        for len in 0..260 {
            let mut message = vec![0x5a; len];
            let (mut apart, mut together) = ([0; 32], [0; 32]);
            mac.mac(&message, Some(0x0102_0304), &mut apart);
            message.extend([1, 2, 3, 4]);
            mac.mac(&message, None, &mut together);
            assert_eq!(apart, together);
            mac.mac(&message, Some(0), &mut together);
            assert_ne!(apart, together);
        }
    }
}

#[test]
fn hmac_wycheproof() {
    for (file, algorithm, block) in [
        ("hmac_sha1_test.json", EspIntegrity::HmacSha1_96, 64),
        ("hmac_sha256_test.json", EspIntegrity::HmacSha2_256_128, 64),
        ("hmac_sha384_test.json", EspIntegrity::HmacSha2_384_192, 128),
        ("hmac_sha512_test.json", EspIntegrity::HmacSha2_512_256, 128),
    ] {
        let Some(all) = wycheproof(file) else { continue };
        let mut checked = 0;
        for case in cases(&all) {
            let (key, want) = (hex(&case["key"]), hex(&case["tag"]));
            if key.len() <= block {
                let equal = tag(algorithm, &key, &hex(&case["msg"]), want.len()) == want;
                assert_eq!(equal, case["result"] == "valid", "{file} {}", case["tcId"]);
                checked += 1;
            }
        }
        assert!(checked > 150, "{file}: {checked} cases");
    }
}

fn cases(all: &Value) -> impl Iterator<Item = &Value> {
    let groups = all["testGroups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["tests"].as_array().unwrap())
}

/// RFC 3602 §4 and the published triple DES answer.
#[test]
fn cbc_rfc() {
    let aes: Value =
        serde_json::from_str(include_str!("../../tests/data/rfc3602-aes-cbc.json")).unwrap();
    let des: Value = serde_json::from_str(include_str!("../../tests/data/3des-cbc.json")).unwrap();
    let aes = aes["cbc"].as_array().unwrap().iter().map(|case| (EspCipher::Aes128Cbc, case));
    for (cipher, case) in aes.chain([(EspCipher::TripleDesCbc, &des)]) {
        check_cbc(
            cipher,
            &hex(&case["key"]),
            &hex(&case["iv"]),
            &hex(&case["plaintext"]),
            &hex(&case["ciphertext"]),
        );
    }
}

fn check_cbc(cipher: EspCipher, key: &[u8], iv: &[u8], plaintext: &[u8], ciphertext: &[u8]) {
    let mut data = plaintext.to_vec();
    #[cfg(target_arch = "x86_64")]
    kernels::check_cbc(key, iv, plaintext, ciphertext);
    assert!(Encryptor::new(cipher, key).unwrap_or(Encryptor::Null).encrypt(iv, &mut data).is_ok());
    assert_eq!(data, ciphertext);
    assert!(Decryptor::new(cipher, key).unwrap_or(Decryptor::Null).decrypt(iv, &mut data).is_ok());
    assert_eq!(data, plaintext);
}

/// RFC 3602 §4 case 5: a whole ESP packet, without an ICV.
#[test]
fn cbc_esp_packet() {
    let all: Value =
        serde_json::from_str(include_str!("../../tests/data/rfc3602-aes-cbc.json")).unwrap();
    let case = &all["esp_transport_case5"];
    let packet = hex(&case["esp"]);
    let plaintext = [hex(&case["payload"]), hex(&case["padding_padlen_nexthdr"])].concat();
    check_cbc(EspCipher::Aes128Cbc, &hex(&case["key"]), &packet[8..24], &plaintext, &packet[24..]);
}

/// ESP packets that a Linux kernel made, without an ICV.
#[test]
fn cbc_kernel_packets() {
    let Some(all) = shared("esp/linux-kernel-esp.json") else { return };
    for case in all["cases"].as_array().unwrap() {
        let (cipher, iv_len) = match case["crypt"].as_str().unwrap() {
            "3DES" => (EspCipher::TripleDesCbc, 8),
            "AES-CBC" => (EspCipher::Aes128Cbc, 16),
            other => panic!("{other}"),
        };
        let packet = hex(&case["esp_after_sequence"]);
        let (iv, ciphertext) = packet.split_at(iv_len);
        let plaintext = hex(&case["plaintext_with_trailer"]);
        check_cbc(cipher, &hex(&case["crypt_key"]), iv, &plaintext, ciphertext);
    }
}

/// Tunnel-mode pings of a capture that also circulates with tcpdump: 3DES with an ICV of 96 bits
/// whose key is not known. What is deciphered is an IPv4 packet, padded as ESP pads.
#[test]
fn cbc_foreign_capture() {
    let path = shared_path("pcap/tcpdump/02-sunrise-sunset-esp.pcap");
    let Ok(file) = std::fs::read(&path) else { return eprintln!("SKIPPED: {path} is absent") };
    let key = hex(&Value::from("4043434545464649494a4a4c4c4f4f515152525454575758"));
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut opened) = (24, 0);
    while at < file.len() {
        let frame = &file[at + 16..at + 16 + word(at + 8)];
        let esp = &frame[14 + 20..];
        let mut data = esp[16..esp.len() - 12].to_vec();
        let cipher = Decryptor::new(EspCipher::TripleDesCbc, &key).unwrap_or(Decryptor::Null);
        assert!(cipher.decrypt(&esp[8..16], &mut data).is_ok());
        assert!(data.ends_with(&[1, 2, 2, 4]), "padding, its length, and IPv4 inside");
        assert_eq!((data[0], usize::from(data[3])), (0x45, data.len() - 4));
        (at, opened) = (at + 16 + frame.len(), opened + 1);
    }
    assert_eq!(opened, 8);
}

/// Wycheproof pads as PKCS #5 does; ESP has its own padding, so the cases serve with theirs applied
/// here.
#[test]
fn cbc_wycheproof() {
    let Some(all) = wycheproof("aes_cbc_pkcs5_test.json") else { return };
    let mut checked = 0;
    for case in cases(&all).filter(|case| case["result"] == "valid") {
        let (key, mut message) = (hex(&case["key"]), hex(&case["msg"]));
        let cipher = match key.len() {
            16 => EspCipher::Aes128Cbc,
            24 => EspCipher::Aes192Cbc,
            _ => EspCipher::Aes256Cbc,
        };
        let pad = 16 - message.len() % 16;
        message.resize(message.len() + pad, pad.try_into().unwrap());
        check_cbc(cipher, &key, &hex(&case["iv"]), &message, &hex(&case["ct"]));
        checked += 1;
    }
    assert!(checked >= 60, "{checked} cases");
}

#[test]
fn gcm_wycheproof() {
    let Some(all) = wycheproof("aes_gcm_test.json") else { return };
    let mut checked = 0;
    for case in cases(&all) {
        let (mut keymat, iv, aad) = (hex(&case["key"]), hex(&case["iv"]), hex(&case["aad"]));
        // ESP has nonces of 12 octets.
        let (Some((salt, iv)), 12) = (iv.split_first_chunk::<4>(), iv.len()) else { continue };
        let algorithm = match keymat.len() {
            16 => EspAead::Aes128Gcm16,
            24 => EspAead::Aes192Gcm16,
            _ => EspAead::Aes256Gcm16,
        };
        keymat.extend(salt);
        let aead = Aead::new(algorithm, &keymat).ok().unwrap();
        let iv = iv.try_into().unwrap();
        let mut data = hex(&case["ct"]);
        let opened = aead.decrypt(iv, &aad, &mut data, &hex(&case["tag"])).is_ok();
        assert_eq!(opened, case["result"] == "valid", "{}", case["tcId"]);
        if opened {
            assert_eq!(data, hex(&case["msg"]));
            let mut icv = [0; 16];
            assert!(aead.encrypt(iv, &aad, &mut data, &mut icv).is_ok());
            assert_eq!((data, icv.to_vec()), (hex(&case["ct"]), hex(&case["tag"])));
        }
        checked += 1;
    }
    assert!(checked > 150, "{checked} cases");
}

/// draft-mcgrew-gcm-test-01: ESP packets with 32-bit and extended sequence numbers.
#[test]
fn gcm_esp_packets() {
    let all: Value =
        serde_json::from_str(include_str!("../../tests/data/draft-mcgrew-gcm-test-01-esp.json"))
            .unwrap();
    for case in all["cases"].as_array().unwrap() {
        let mut keymat = hex(&case["key"]);
        let algorithm = if keymat.len() == 16 {
            EspAead::Aes128Gcm16
        } else if keymat.len() == 24 {
            EspAead::Aes192Gcm16
        } else {
            EspAead::Aes256Gcm16
        };
        keymat.extend(hex(&case["salt"]));
        let (packet, aad) = (hex(&case["esp_packet"]), hex(&case["aad"]));
        let high = (case["esn"] == true).then(|| u32::from_be_bytes(aad[4..8].try_into().unwrap()));
        let built = Aad::new(packet.first_chunk().unwrap(), high);
        assert_eq!(built.octets(), aad);
        let aead = Aead::new(algorithm, &keymat).ok().unwrap();
        let iv = hex(&case["iv"]).try_into().unwrap();
        let mut data = hex(&case["plaintext_with_trailer"]);
        let mut icv = [0; 16];
        assert!(aead.encrypt(iv, &aad, &mut data, &mut icv).is_ok());
        data.extend(icv);
        assert_eq!(data, hex(&case["ciphertext_and_icv"]));
        assert_eq!(data, packet[16..]);
    }
}

/// RFC 7634 appendix A.
#[test]
fn chacha20_poly1305_esp_packet() {
    let keymat: Vec<u8> = (0x80..0xa4).collect();
    let aead = Aead::new(EspAead::ChaCha20Poly1305, &keymat).ok().unwrap();
    let aad = &[1, 2, 3, 4, 0, 0, 0, 5];
    let iv = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17];
    let mut data = hex(&Value::from(concat!(
        "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10",
        "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223",
        "2425262728292a2b2c2d2e2f303132333435363701020204"
    )));
    let plaintext = data.clone();
    let mut icv = [0; 16];
    assert!(aead.encrypt(iv, aad, &mut data, &mut icv).is_ok());
    let ciphertext = hex(&Value::from(concat!(
        "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6",
        "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3",
        "cbec163fac469b502773f6fb94e664da9165b82829f641e0"
    )));
    assert_eq!(data, ciphertext);
    assert_eq!(icv.to_vec(), hex(&Value::from("76aaa8266b7fb0f7b11b369907e1ad43")));
    assert!(aead.decrypt(iv, aad, &mut data, &icv).is_ok());
    assert_eq!(data, plaintext);
}

/// The same answers from the kernels of each path, in batches of several sizes.
#[cfg(target_arch = "x86_64")]
mod kernels {
    use alloc::vec;
    use alloc::vec::Vec;

    use vpn_core::crypto::EspIntegrity;

    use crate::esp::hmac::Mac;
    use crate::esp::macs::MacJob;
    use crate::esp::macs::macs;
    use crate::kernel::Path;
    use crate::kernel::aes_schedule::Schedule;
    use crate::kernel::cbc_decrypt::decrypt;
    use crate::kernel::cbc_encrypt::Job;
    use crate::kernel::cbc_encrypt::Kernel;
    use crate::kernel::cbc_encrypt::encrypt;
    use crate::kernel::cpu::AesNi;
    use crate::kernel::hash::Kernels;

    const BATCHES: [usize; 5] = [1, 3, 7, 16, 33];

    pub(super) fn check_tag(algorithm: EspIntegrity, key: &[u8], message: &[u8], tag: &[u8]) {
        let mac = Mac::new(algorithm, key).unwrap();
        for (path, batch) in Path::ALL.into_iter().flat_map(|path| BATCHES.map(|n| (path, n))) {
            let mut tags = vec![vec![0; tag.len()]; batch];
            let job = |icv| MacJob { mac: &mac, message, high: None, icv };
            let mut jobs: Vec<_> = tags.iter_mut().map(|tag| job(tag.as_mut_slice())).collect();
            macs(Kernels::new(path), &mut jobs);
            assert!(tags.iter().all(|made| made == tag), "{path}, {batch} packets");
        }
    }

    /// Does nothing for a cipher that is not AES.
    pub(super) fn check_cbc(key: &[u8], iv: &[u8], plaintext: &[u8], ciphertext: &[u8]) {
        let Ok(iv) = iv.try_into() else { return };
        let Some(ni) = AesNi::new() else { return };
        let encrypting = Schedule::encrypting(ni, key).unwrap();
        let decrypting = Schedule::decrypting(ni, key).unwrap();
        for kernel in Path::ALL.into_iter().filter_map(Kernel::new) {
            for batch in BATCHES {
                let mut packets = vec![plaintext.to_vec(); batch];
                let mut jobs: Vec<_> = packets
                    .iter_mut()
                    .map(|data| Job { keys: &encrypting, iv, data: data.as_chunks_mut().0 })
                    .collect();
                encrypt(kernel, &mut jobs);
                assert!(packets.iter().all(|packet| packet == ciphertext), "{kernel:?}");
                decrypt(kernel, &decrypting, &iv, packets[0].as_chunks_mut().0);
                assert_eq!(packets[0], plaintext, "{kernel:?}");
            }
        }
    }
}
