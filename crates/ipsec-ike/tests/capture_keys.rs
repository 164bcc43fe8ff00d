//! Every value that the peers of the captures logged, derived anew from the wire, the pre-shared key
//! and the Diffie-Hellman secret; and every encrypted message of theirs decrypted.
#![allow(clippy::restriction, reason = "a test")]

mod lab;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;

use ipsec_ike::Chain;
use ipsec_ike::Cookies;
use ipsec_ike::ExchangeType;
use ipsec_ike::Flags;
use ipsec_ike::PayloadType;
use ipsec_ike::ProtocolId;
use ipsec_ike::v1::auth::find_psk;
use ipsec_ike::v1::cipher::Iv;
use ipsec_ike::v1::cipher::MessageCipher;
use ipsec_ike::v1::hash::hash_1;
use ipsec_ike::v1::hash::hash_2;
use ipsec_ike::v1::hash::hash_3;
use ipsec_ike::v1::hash::hash_i;
use ipsec_ike::v1::hash::hash_r;
use ipsec_ike::v1::keys::KeymatSeed;
use ipsec_ike::v1::keys::Nonces;
use ipsec_ike::v1::keys::SkeyId;
use ipsec_ike::v1::nat_detection::NatFound;
use ipsec_ike::v1::nat_detection::nat_detection_hash;
use lab::AGGRESSIVE;
use lab::Datagram;
use lab::MAIN_MODE;
use lab::PSK;
use lab::keys;
use lab::messages;
use lab::payload;
use lab::payloads;
use lab::phase_1::Phase1;
use lab::phase_1::algorithms;
use lab::phase_1::seen_by;
use vpn_core::SecretBytes;
use vpn_core::crypto::IkeHash;

/// The values that are derived, by the names that strongSwan gives them.
#[derive(Default)]
struct Derived(BTreeMap<String, BTreeSet<Vec<u8>>>);

impl Derived {
    fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.0.entry(name.to_owned()).or_default().insert(value.as_ref().to_vec());
    }

    fn next_iv(&mut self, message_id: u32, iv: Iv) -> Iv {
        self.add(&format!("next IV for MID {message_id}"), iv.octets());
        iv
    }

    /// Everything logged was derived, and everything derived was logged.
    fn equals(&self, capture: &str, side: &str, logged: &[(String, Vec<u8>)]) {
        let mut by_name: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
        for (name, value) in logged {
            by_name.entry(name.clone()).or_default().insert(value.clone());
        }
        for (name, values) in &by_name {
            assert_eq!(self.0.get(name), Some(values), "{capture}, {side}: {name}");
        }
        let names = |map: &BTreeMap<String, _>| map.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&self.0), names(&by_name), "{capture}, {side}");
    }
}

/// Decrypts a message, encrypts it again, and returns the payloads with their padding.
fn open(cipher: &MessageCipher, iv: &mut Iv, datagram: &Datagram) -> Vec<u8> {
    let mut body = datagram.body().to_vec();
    let next = cipher.decrypt(iv, &mut body).unwrap();
    let padding = padding(datagram.header().next_payload, &body);
    assert!(padding.iter().all(|octet| *octet == 0), "{padding:02x?}");

    let mut header = datagram.header();
    header.flags = Flags::empty();
    header.length = 0;
    let mut again = Vec::new();
    header.encode(&mut again);
    again.extend(&body); // with its padding: some peers add a whole block
    assert_eq!(cipher.encrypt(iv, &mut again).unwrap(), next);
    assert_eq!(again, datagram.message);
    *iv = next;
    body
}

fn padding(first: PayloadType, body: &[u8]) -> &[u8] {
    let mut chain = Chain::new(first, body);
    assert!(chain.by_ref().all(|payload| payload.is_ok()));
    chain.rest()
}

/// The first payload's body, which is a hash, and the octets that it covers.
fn hash_and_rest(body: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut chain = Chain::new(PayloadType::HASH, body);
    let hash = chain.next().unwrap().unwrap();
    assert_eq!(hash.kind, PayloadType::HASH);
    (hash.body.to_vec(), chain.octets().unwrap().to_vec())
}

fn nat_detection(derived: &mut Derived, prf: &dyn IkeHash, wire: &[Datagram], side: &str) {
    let cookies = wire[1].header().cookies;
    let client = wire[0].source;
    let server = wire[0].destination;
    let add = |derived: &mut Derived, address: SocketAddr| {
        let SocketAddr::V4(v4) = address else { panic!() };
        let parts = [&cookies.spi()[..], &v4.ip().octets(), &v4.port().to_be_bytes()];
        derived.add("natd_chunk", parts.concat());
        let hash = nat_detection_hash(prf, &cookies, address);
        derived.add("natd_hash", hash.expose());
        hash
    };
    let (of_client, of_server) = (add(derived, client), add(derived, server));
    let (ours, theirs) =
        if side == "client" { (of_client, of_server) } else { (of_server, of_client) };
    derived.add("precalculated src_hash", theirs.expose());
    derived.add("precalculated dst_hash", ours.expose());
}

fn check(capture: &str, side: &str) {
    let (crypto, prf, suite) = algorithms(capture);
    let logged = keys(capture, side);
    let wire = seen_by(capture, side);
    let phase_1 = Phase1::read(&wire);
    let mut derived = Derived::default();

    let secret = "shared Diffie Hellman secret";
    let shared_secret = &logged.iter().find(|(name, _)| name == secret).unwrap().1;
    derived.add(secret, shared_secret);
    let exchanged = phase_1.exchanged(prf, shared_secret);
    let keys = SkeyId::derive_psk(&exchanged, PSK);
    derived.add("SKEYID", keys.skeyid.expose());
    derived.add("SKEYID_d", keys.skeyid_d.expose());
    derived.add("SKEYID_a", keys.skeyid_a.expose());
    derived.add("SKEYID_e", keys.skeyid_e.expose());
    let cipher = MessageCipher::new(crypto, prf, &keys);
    derived.add("encryption key Ka", cipher.key().expose());
    let mut iv = Iv::phase_1(prf, crypto.cipher(), exchanged.public_values);
    derived.add("initial IV", iv.octets());

    // The rest of phase 1.
    let mut plain: Vec<Vec<u8>> = Vec::new();
    for datagram in &wire[..phase_1.len] {
        if datagram.header().is_encrypted() {
            plain.push(open(&cipher, &mut iv, datagram));
            derived.next_iv(0, iv);
        } else {
            plain.push(datagram.body().to_vec());
        }
    }
    let all = |at: usize, kind| payloads(wire[at].header().next_payload, &plain[at], kind);
    let one = |at: usize, kind| payload(wire[at].header().next_payload, &plain[at], kind);
    let (id, hash) = (PayloadType::IDENTIFICATION, PayloadType::HASH);
    let (idii, idir, got_i, got_r) = if phase_1.main_mode {
        (one(4, id), one(5, id), one(4, hash), one(5, hash))
    } else {
        (one(0, id), one(1, id), one(2, hash), one(1, hash))
    };
    let [gxi, gxr] = &phase_1.publics;
    let Cookies { initiator, responder } = phase_1.cookies;
    let offer = &phase_1.offer;
    derived.add("HASH_I data", [gxi, gxr, &initiator[..], &responder, offer, &idii].concat());
    derived.add("HASH_R data", [gxr, gxi, &responder[..], &initiator, offer, &idir].concat());
    derived.add("HASH_I", hash_i(&exchanged, &keys, &idii).expose());
    derived.add("HASH_R", hash_r(&exchanged, &keys, &idir).expose());
    assert!(hash_i(&exchanged, &keys, &idii).ct_eq(&got_i), "{capture}");
    assert!(hash_r(&exchanged, &keys, &idir).ct_eq(&got_r), "{capture}");

    // The server finds the key among others.
    let others = ["", "lab", "lab-psk2"].map(SecretBytes::from);
    if phase_1.main_mode {
        let (first, body) = (wire[4].header().next_payload, wire[4].body());
        for at in 0..=others.len() {
            let mut candidates = others.to_vec();
            candidates.insert(at, SecretBytes::new(PSK));
            let found = find_psk(&exchanged, crypto, &candidates, first, body).unwrap();
            assert_eq!((found.candidate, &found.payloads), (at, &plain[4]));
            assert!(found.cipher.key().ct_eq(cipher.key().expose()));
            assert_eq!(found.next_iv.octets(), &body[body.len() - iv.octets().len()..]);
        }
        assert!(find_psk(&exchanged, crypto, &others, first, body).is_none());
    }

    // NAT detection.
    nat_detection(&mut derived, prf, &wire, side);
    let from = match (phase_1.main_mode, side) {
        (true, "client") => 3,
        (true, _) => 2,
        (false, "client") => 1,
        (false, _) => 2,
    };
    let [dst, src] = all(from, PayloadType::NAT_D).try_into().unwrap();
    derived.add("received dst_hash", &dst);
    derived.add("received src_hash", &src);
    let (local, remote) = (wire[from].destination, wire[from].source);
    for swapped in [[&dst[..], &src], [&src, &dst]] {
        let found = NatFound::compare(prf, &phase_1.cookies, local, remote, swapped).unwrap();
        let nat = capture.starts_with("natt");
        let expected = NatFound { local: nat && side == "client", remote: nat && side == "server" };
        assert_eq!(found, expected, "{capture}, {side}");
    }

    // Phase 2.
    let last_block = iv;
    let mut quick_modes = 0;
    let mut rest = wire[phase_1.len..].iter().peekable();
    while let Some(datagram) = rest.next() {
        let mid = datagram.header().message_id;
        let mut iv = derived.next_iv(mid, last_block.phase_2(prf, mid));
        let plain_1 = open(&cipher, &mut iv, datagram);
        derived.next_iv(mid, iv);
        let (got, covered) = hash_and_rest(&plain_1);
        assert!(hash_1(prf, &keys, mid, &covered).ct_eq(&got), "{capture}");
        derived.add("Hash(1)", &got);
        if datagram.header().exchange_type == ExchangeType::INFORMATIONAL {
            continue;
        }

        let plain_2 = open(&cipher, &mut iv, rest.next().unwrap());
        derived.next_iv(mid, iv);
        let plain_3 = open(&cipher, &mut iv, rest.next().unwrap());
        derived.next_iv(mid, iv);
        let of = |plain: &[u8], kind| payload(PayloadType::HASH, plain, kind);
        let ni = of(&plain_1, PayloadType::NONCE);
        let nr = of(&plain_2, PayloadType::NONCE);
        let nonces = Nonces { initiator: &ni, responder: &nr };
        let (got, covered) = hash_and_rest(&plain_2);
        assert!(hash_2(prf, &keys, mid, &ni, &covered).ct_eq(&got), "{capture}");
        derived.add("Hash(2)", &got);
        let (got, covered) = hash_and_rest(&plain_3);
        assert!(hash_3(prf, &keys, mid, nonces).ct_eq(&got), "{capture}");
        assert_eq!(covered, []);
        derived.add("Hash(3)", &got);

        // To the initiator goes what bears the SPI of the first message.
        let spi = |plain: &[u8]| {
            let sa = of(plain, PayloadType::SECURITY_ASSOCIATION);
            u32::from_be_bytes(sa[16..20].try_into().unwrap())
        };
        for (name, spi) in [("responder", spi(&plain_1)), ("initiator", spi(&plain_2))] {
            let parts = [&[3][..], &spi.to_be_bytes(), &ni, &nr];
            derived.add(&format!("{name} SA seed"), parts.concat());
            let seed = KeymatSeed { shared_secret: None, protocol: ProtocolId::ESP, spi, nonces };
            let keymat = keys.keymat(prf, &seed, suite.keymat_len());
            let (encryption, integrity) = keymat.expose().split_at(suite.encryption_key_len());
            derived.add(&format!("encryption {name} key"), encryption);
            if !integrity.is_empty() {
                derived.add(&format!("integrity {name} key"), integrity);
            }
        }
        quick_modes += 1;
    }
    assert_eq!(quick_modes, 1, "{capture}");
    derived.equals(capture, side, &logged);
}

#[test]
fn the_server_of_every_capture() {
    MAIN_MODE.iter().chain([&AGGRESSIVE]).for_each(|capture| check(capture, "server"));
}

#[test]
fn the_client_of_every_capture() {
    MAIN_MODE.iter().chain([&AGGRESSIVE]).for_each(|capture| check(capture, "client"));
}

#[test]
fn keys_without_a_log() {
    let (crypto, prf, _) = algorithms("esp-aes256-sha1");
    let logged = keys("esp-aes256-sha1", "server");
    let key = &logged.iter().find(|(name, _)| name == "encryption key Ka").unwrap().1;
    let cipher = MessageCipher::with_key(crypto, SecretBytes::new(key)).unwrap();
    let wire = messages("esp-aes256-sha1", "wire.pcap");
    let phase_1 = Phase1::read(&wire);
    let mut iv = Iv::phase_1(prf, crypto.cipher(), phase_1.exchanged(prf, &[]).public_values);
    let body = open(&cipher, &mut iv, &wire[4]);
    let id = payload(PayloadType::IDENTIFICATION, &body, PayloadType::IDENTIFICATION);
    assert_eq!(id[4..], [10, 77, 0, 1]);
    for len in [0, 16, 24, 31, 33] {
        assert!(MessageCipher::with_key(crypto, SecretBytes::new(&vec![0; len])).is_err());
    }
    assert_eq!(format!("{cipher:?}"), "MessageCipher(Aes256Cbc)");
}
