#![allow(clippy::restriction, reason = "a test")]

//! Messages that were captured, made up or damaged: what holds for any octets holds for all of them.

mod fuzz_checks;
mod lab;

use std::fs;
use std::path::Path;

use ipsec_ike::Cookies;
use ipsec_ike::ExchangeType;
use ipsec_ike::Header;
use ipsec_ike::Message;
use ipsec_ike::MessageBuilder;
use ipsec_ike::PayloadType;
use ipsec_ike::profile::ClientProfile;
use ipsec_ike::vendor::Fingerprint;
use lab::AGGRESSIVE;
use lab::MAIN_MODE;
use lab::messages;
use lab::shared;
use proptest::prelude::*;

/// Message 1 as a client sends it.
fn first_message(client: &ClientProfile) -> Vec<u8> {
    let mut out = Vec::new();
    let header = Header::new(Cookies::first([0x42; 8]), ExchangeType::MAIN_MODE, 0);
    let mut builder = MessageBuilder::new(&mut out, header);
    builder.payload(PayloadType::SECURITY_ASSOCIATION, |out| client.write_ike_offer(out));
    for id in client.vendor_ids {
        builder.raw(PayloadType::VENDOR_ID, id);
    }
    builder.finish().unwrap();
    out
}

#[test]
fn captured_messages_in_clear_are_written_again_octet_for_octet() {
    let (mut count, mut encrypted) = (0, 0);
    for capture in MAIN_MODE.into_iter().chain([AGGRESSIVE]) {
        for datagram in messages(capture, "wire.pcap") {
            let message = Message::decode(&datagram.message).unwrap();
            let mut out = Vec::new();
            message.header.encode(&mut out);
            assert_eq!(out, datagram.message[..Header::LEN], "{capture}");
            if message.header.is_encrypted() {
                encrypted += 1;
                continue;
            }
            out.clear();
            let mut builder = MessageBuilder::new(&mut out, message.header);
            for payload in message.payloads() {
                let payload = payload.unwrap();
                builder.raw(payload.kind, payload.body);
            }
            builder.finish().unwrap();
            assert_eq!(out, datagram.message, "{capture}");
            fuzz_checks::message(&out);
            count += 1;
        }
    }
    assert!(count >= 4 * 10 + 2 && encrypted > count, "{count} {encrypted}");
}

/// strongSwan is what both sides of the laboratory run.
#[test]
fn the_captured_initiators_are_recognised() {
    for capture in MAIN_MODE {
        let wire = messages(capture, "wire.pcap");
        let first = Message::decode(&wire[0].message).unwrap();
        let payloads: Vec<_> = first.payloads().map(Result::unwrap).collect();
        let ids = payloads.iter().filter(|one| one.kind == PayloadType::VENDOR_ID);
        let ids = ids.map(|one| one.body);
        let fingerprint = Fingerprint::guess(ids, payloads[0].body);
        assert_eq!(fingerprint, Fingerprint::StrongSwan, "{capture}");
    }
}

#[test]
fn every_truncation_and_every_changed_octet() {
    for client in ClientProfile::ALL {
        let whole = first_message(client);
        fuzz_checks::message(&whole);
        for len in 0..whole.len() {
            assert!(Message::decode(&whole[..len]).is_err());
            // Also with a Length that fits, so that the payloads are cut.
            let mut cut = whole[..len].to_vec();
            if let Some(length) = cut.get_mut(24..28) {
                length.copy_from_slice(&u32::try_from(len).unwrap().to_be_bytes());
            }
            fuzz_checks::message(&cut);
        }
    }
    let whole = first_message(&ClientProfile::ALL[0]);
    for at in 16..whole.len() {
        for value in [0, 1, 2, 3, 4, 13, 0x7f, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] = value;
            fuzz_checks::message(&changed);
        }
    }
}

/// The packets of files that broke others, whatever is in them: each is tried from every place where
/// a header could begin.
#[test]
fn captures_that_broke_others() {
    let mut count = 0;
    for folder in ["tcpdump", "wireshark", "arkime", "libreswan", "suricata-verify", "scapy"] {
        let Some(path) = shared(&format!("vectors/pcap/{folder}")) else { return };
        for file in files(&path) {
            let octets = fs::read(file).unwrap();
            for at in 0..octets.len().saturating_sub(Header::LEN).min(100_000) {
                // Version 1.0 and a length that is not absurd: a header, or chance.
                if octets[at + 17] == 0x10 && octets[at + 24..at + 26] == [0, 0] {
                    fuzz_checks::message(&octets[at..]);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 50, "{count}");
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    files.sort();
    files
}

/// The fuzzer's own inputs.
#[test]
fn the_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/ike_v1_message");
    let files = files(&folder);
    assert!(files.len() >= 20, "{}", files.len());
    for file in files {
        fuzz_checks::message(&fs::read(file).unwrap());
    }
}

fn payloads() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let body = proptest::collection::vec(any::<u8>(), 0..64);
    proptest::collection::vec((1..=255_u8, body), 0..20)
}

proptest! {
    #[test]
    fn any_payloads_come_back(payloads in payloads(), padding in 1_usize..17) {
        let mut out = Vec::new();
        let header = Header::new(Cookies::first([9; 8]), ExchangeType::QUICK_MODE, 7);
        let mut builder = MessageBuilder::new(&mut out, header);
        for (kind, body) in &payloads {
            builder.raw(PayloadType(*kind), body);
        }
        prop_assert_eq!(builder.finish_padded(padding), Ok(out.len()));
        prop_assert_eq!((out.len() - Header::LEN) % padding, 0);
        let message = Message::decode(&out).unwrap();
        let read: Vec<_> = message.payloads().map(Result::unwrap).map(|one| (one.kind.0, one.body.to_vec())).collect();
        prop_assert_eq!(read, payloads);
        fuzz_checks::message(&out);
    }

    #[test]
    fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..400), first: u8) {
        fuzz_checks::message(&octets);
        fuzz_checks::decrypted(first, &octets);
    }

    /// An SA of which some octets were changed.
    #[test]
    fn damaged_offers(client in 0..ClientProfile::ALL.len(), changes in proptest::collection::vec((28_usize..400, any::<u8>()), 1..4)) {
        let mut octets = first_message(&ClientProfile::ALL[client]);
        for (at, value) in changes {
            if let Some(octet) = octets.get_mut(at) {
                *octet = value;
            }
        }
        fuzz_checks::message(&octets);
    }
}
