//! Exchanges of other people's peers, decrypted with the cipher key alone: certificates and a message
//! of 18 transforms, and whole exchanges with every value known.
#![allow(clippy::restriction, reason = "a test")]

mod lab;

use ipsec_ike::Chain;
use ipsec_ike::Cookies;
use ipsec_ike::ExchangeType;
use ipsec_ike::Message;
use ipsec_ike::PayloadType;
use ipsec_ike::ProtocolId;
use ipsec_ike::v1::cipher::Iv;
use ipsec_ike::v1::cipher::MessageCipher;
use ipsec_ike::v1::hash::hash_1;
use ipsec_ike::v1::hash::hash_2;
use ipsec_ike::v1::hash::hash_3;
use ipsec_ike::v1::hash::hash_i;
use ipsec_ike::v1::hash::hash_r;
use ipsec_ike::v1::keys::Exchanged;
use ipsec_ike::v1::keys::KeymatSeed;
use ipsec_ike::v1::keys::Nonces;
use ipsec_ike::v1::keys::PublicValues;
use ipsec_ike::v1::keys::SkeyId;
use lab::data;
use lab::hex;
use lab::ike_of;
use lab::payload;
use lab::payloads;
use lab::pcap;
use lab::pcapng;
use lab::shared;
use serde_json::Value;
use std::collections::BTreeMap;
use vpn_core::SecretBytes;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::HashAlgorithm;
use vpn_core::crypto::IkeHash;

fn hash(algorithm: HashAlgorithm) -> &'static dyn IkeHash {
    *vpn_crypto::ike::ALL_HASHES.iter().find(|hash| hash.algorithm() == algorithm).unwrap()
}

/// Decrypts all messages of a capture with one ISAKMP SA, each exchange with its own chain of IVs.
fn decrypt(messages: &[Vec<u8>], hash: &dyn IkeHash, cipher: EspCipher, key: &str) -> Vec<Vec<u8>> {
    let crypto = vpn_crypto::provider().ike.cipher(cipher).unwrap();
    let cipher = MessageCipher::with_key(crypto, SecretBytes::new(&hex(key))).unwrap();
    let ke = |at: usize| {
        let message = Message::decode(&messages[at]).unwrap();
        payload(message.header.next_payload, message.body, PayloadType::KEY_EXCHANGE)
    };
    let (initiator, responder) = (ke(2), ke(3));
    let public = PublicValues { initiator: &initiator, responder: &responder };
    let mut phase_1 = Iv::phase_1(hash, crypto.cipher(), public);
    let mut chains: BTreeMap<u32, Iv> = BTreeMap::new();
    let mut plain = Vec::new();
    let mut seen: Vec<&[u8]> = Vec::new();
    for octets in messages {
        let Message { header, body } = Message::decode(octets).unwrap();
        if !header.is_encrypted() || seen.contains(&body) {
            continue;
        }
        seen.push(body);
        let iv = match header.message_id {
            0 => &mut phase_1,
            id => chains.entry(id).or_insert_with(|| phase_1.phase_2(hash, id)),
        };
        let mut octets = body.to_vec();
        *iv = cipher.decrypt(iv, &mut octets).unwrap();
        let walked: Result<Vec<_>, _> = Chain::new(header.next_payload, &octets).collect();
        assert!(walked.is_ok_and(|all| !all.is_empty()), "{header:?}");
        plain.push(octets);
    }
    plain
}

#[test]
fn certificates() {
    let Some(path) = shared("vectors/pcap/wireshark/ikev1-certs.pcap") else { return };
    let wire = ike_of(&pcap(&std::fs::read(path).unwrap()));
    let messages: Vec<Vec<u8>> = wire.into_iter().map(|datagram| datagram.message).collect();
    let key = "735be0cb62f82675c4f7bf8fbab9b56834ba76d6ab4fa240";
    let plain = decrypt(&messages, hash(HashAlgorithm::Md5), EspCipher::TripleDesCbc, key);
    assert_eq!(plain.len(), 5);
    assert!(plain[..2].concat().windows(8).any(|octets| octets == b"OpenSwan"));
    for message in &plain[..2] {
        let all = |kind| payloads(PayloadType::IDENTIFICATION, message, kind);
        let subject = &all(PayloadType::IDENTIFICATION)[0][4..];
        let certificate = &all(PayloadType::CERTIFICATE)[0];
        assert_eq!(certificate[..3], [4, 0x30, 0x82], "X.509 for signatures, DER");
        assert!(certificate.windows(subject.len()).any(|octets| octets == subject));
        assert_eq!(all(PayloadType::SIGNATURE).len(), 1);
    }
}

#[test]
fn several_exchanges_at_once() {
    let Some(path) = shared("vectors/pcap/wireshark/ikev1-bug-12610.pcapng") else { return };
    let wire = ike_of(&pcapng(&std::fs::read(path).unwrap()));
    let messages: Vec<Vec<u8>> = wire.into_iter().map(|datagram| datagram.message).collect();
    let key = "928392441e00ece5e8af3bc545416e86afa1291e7c013271514738b70ef25d22";
    let plain = decrypt(&messages, hash(HashAlgorithm::Sha2_256), EspCipher::Aes256Cbc, key);
    assert_eq!(plain.len(), 12);
    let hash = hex("b52521f774967402c9f6cee95fd17e5b");
    assert!(plain.iter().any(|octets| octets[4..].starts_with(&hash)));
}

/// An exchange with both private values and every value in between.
#[test]
fn a_whole_life_from_the_private_values_on() {
    let json: Value = serde_json::from_slice(&data("ikev1-psk-aes256-sha1-g2.json")).unwrap();
    let text = |value: &Value| hex(value.as_str().unwrap());
    let field = |name: &str| text(&json[name]);
    let group = vpn_crypto::provider().ike.group(DhGroup::MODP_1024).unwrap();
    let (gxi, gxr) = (field("g_xi"), field("g_xr"));
    let mut shared_secret = vec![0; group.shared_len()];
    for (private, public) in [("initiator_private", &gxr), ("responder_private", &gxi)] {
        group.agree(&field(private), public, &mut shared_secret).unwrap();
        assert_eq!(shared_secret, field("g_xy"));
    }

    let cookie = |name| field(name).try_into().unwrap();
    let (ni, nr, offer) = (field("ni_b"), field("nr_b"), field("sai_b"));
    let prf = hash(HashAlgorithm::Sha1);
    let exchanged = Exchanged {
        prf,
        cookies: Cookies { initiator: cookie("cky_i"), responder: cookie("cky_r") },
        nonces: Nonces { initiator: &ni, responder: &nr },
        public_values: PublicValues { initiator: &gxi, responder: &gxr },
        offer: &offer,
        shared_secret: &shared_secret,
    };
    let keys = SkeyId::derive_psk(&exchanged, json["psk"].as_str().unwrap().as_bytes());
    assert_eq!(keys.skeyid.expose(), field("skeyid"));
    assert_eq!(keys.skeyid_d.expose(), field("skeyid_d"));
    assert_eq!(keys.skeyid_a.expose(), field("skeyid_a"));
    assert_eq!(keys.skeyid_e.expose(), field("skeyid_e"));
    let crypto = vpn_crypto::provider().ike.cipher(EspCipher::Aes256Cbc).unwrap();
    let cipher = MessageCipher::new(crypto, prf, &keys);
    assert_eq!(cipher.key().expose(), field("cipher_key"));
    assert_eq!(hash_i(&exchanged, &keys, &field("idii_b")).expose(), field("hash_i"));
    assert_eq!(hash_r(&exchanged, &keys, &field("idir_b")).expose(), field("hash_r"));

    let mut phase_1 = Iv::phase_1(prf, crypto.cipher(), exchanged.public_values);
    assert_eq!(phase_1.octets(), field("phase1_iv"));
    let mut chains: BTreeMap<u32, Iv> = BTreeMap::new();
    let qm = |name: &str| text(&json["qm"][name]);
    let (qm_ni, qm_nr) = (qm("ni_b"), qm("nr_b"));
    let nonces = Nonces { initiator: &qm_ni, responder: &qm_nr };
    let (mut ike_messages, mut hashes) = (0, 0);
    for frame in json["frames"].as_array().unwrap() {
        let Some(octets) = frame["ike_message"].as_str().map(hex) else { continue };
        ike_messages += 1;
        let Message { header, body } = Message::decode(&octets).unwrap();
        if !header.is_encrypted() {
            continue;
        }
        let id = header.message_id;
        let iv = match id {
            0 => &mut phase_1,
            id => chains.entry(id).or_insert_with(|| phase_1.phase_2(prf, id)),
        };
        assert_eq!(iv.octets(), text(&frame["iv"]), "{frame}");
        let mut plain = body.to_vec();
        *iv = cipher.decrypt(iv, &mut plain).unwrap();
        assert_eq!(plain, text(&frame["plaintext_payloads"]), "{frame}");
        if header.exchange_type == ExchangeType::MAIN_MODE {
            continue;
        }
        let mut chain = Chain::new(header.next_payload, &plain);
        let got = chain.next().unwrap().unwrap().body;
        let covered = chain.octets().unwrap();
        let expected = match frame["name"].as_str().unwrap() {
            "QM2" => hash_2(prf, &keys, id, &qm_ni, covered),
            "QM3" => hash_3(prf, &keys, id, nonces),
            _ => hash_1(prf, &keys, id, covered),
        };
        assert!(expected.ct_eq(got), "{frame}");
        hashes += 1;
    }
    assert_eq!((ike_messages, hashes), (13, 7));
    assert_eq!(phase_1.octets(), field("last_phase1_block"));

    for (direction, spi) in
        [("initiator_to_responder", "spi_r"), ("responder_to_initiator", "spi_i")]
    {
        let spi = u32::from_be_bytes(qm(spi).try_into().unwrap());
        let seed = KeymatSeed { shared_secret: None, protocol: ProtocolId::ESP, spi, nonces };
        let key = &json["qm"][direction];
        let expected = [text(&key["encr"]), text(&key["integ"])].concat();
        assert_eq!(keys.keymat(prf, &seed, expected.len()).expose(), expected);
    }
}
