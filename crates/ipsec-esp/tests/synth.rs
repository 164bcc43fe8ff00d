//! A generated set of ESP packets with a verdict for each (`tests/data/esp-aes256cbc-sha1.json`).
#![allow(clippy::restriction, reason = "a test")]

mod support;

use ipsec_esp::InboundSa;
use ipsec_esp::Local;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenFailure;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use serde_json::Value;
use support::crypto;
use support::hex;
use vpn_core::Decap;
use vpn_core::DecapError;
use vpn_core::DropReason;
use vpn_core::PacketMut;

/// What each verdict of the set means here.
fn wanted(verdict: &str) -> Result<NextHeader, OpenFailure> {
    match verdict.split([':', ';', '(']).map(str::trim).collect::<Vec<_>>().as_slice() {
        ["accept and throw away", ..] => Ok(NextHeader::NONE),
        ["accept", ..] => Ok(NextHeader::UDP),
        ["drop", why, ..] if why.starts_with("replay") => Err(OpenFailure::Replay),
        ["drop", "bad ICV", ..] => Err(OpenFailure::BadIcv),
        ["drop", why, ..] if why.starts_with("outside") => Err(OpenFailure::TooOld),
        ["drop", why, ..] if why.starts_with("sequence 0") => Err(OpenFailure::TooOld),
        ["drop", "cut short" | "only a header"] => Err(OpenFailure::Malformed),
        ["drop", why, ..] if why.starts_with("unknown SPI") => Err(OpenFailure::UnknownSpi),
        ["drop", why, ..] if why.starts_with("pad length") => Err(OpenFailure::BadPadding),
        ["drop or accept by policy", ..] => Err(OpenFailure::BadPadding),
        // The SA opens it; that it is not UDP is for whoever knows what the SA is for.
        ["drop", why, ..] if why.starts_with("next header is not UDP") => Ok(NextHeader::TCP),
        other => panic!("{other:?}"),
    }
}

fn set() -> Value {
    serde_json::from_slice(&support::data("esp-aes256cbc-sha1.json")).unwrap()
}

fn inbound(set: &Value) -> InboundSa<Local> {
    let text = |name: &str| set[name].as_str().unwrap().to_owned();
    let keymat = [hex(&text("encr_key")), hex(&text("integ_key"))].concat();
    let key = crypto("aes256-sha1".parse().unwrap()).open_key(&keymat).unwrap();
    let spi = Spi(u32::from_str_radix(&text("spi"), 16).unwrap());
    InboundSa::new(key, SaConfig::new(spi)).unwrap()
}

#[test]
fn every_frame_has_its_verdict() {
    let set = set();
    let sa = inbound(&set);
    let frames = set["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 21);
    for frame in frames {
        let verdict = frame["verdict"].as_str().unwrap();
        let mut storage = hex(frame["esp"].as_str().unwrap());
        let before = sa.usage();
        let mut packet = PacketMut::whole(&mut storage);
        let got = sa.open_explained(&mut packet).map(|opened| opened.next_header);
        let want = wanted(verdict);
        if want == Ok(NextHeader::TCP) {
            assert!(got.is_ok_and(|next| next != NextHeader::UDP), "{verdict}");
        } else {
            assert_eq!(got, want, "{verdict}");
        }
        match frame.get("plaintext_udp") {
            Some(plain) => assert_eq!(packet.payload(), hex(plain.as_str().unwrap())),
            None if got == Ok(NextHeader::NONE) => assert!(packet.is_empty()),
            None => {}
        }
        // Nothing that is not authentic moves the window.
        if matches!(got, Err(failure) if failure != OpenFailure::BadPadding) {
            assert_eq!(sa.usage(), before, "{verdict}");
        }
    }
    let counted: u64 = OpenFailure::ALL.iter().map(|cause| sa.failures(*cause)).sum();
    let failed = frames.iter().filter(|f| wanted(f["verdict"].as_str().unwrap()).is_err()).count();
    assert_eq!(counted, failed as u64);
}

/// As a layer, the SA lets through what it was made for, and all its refusals but the harmless ones
/// look alike.
#[test]
fn as_a_layer() {
    let set = set();
    let sa = inbound(&set);
    for frame in set["frames"].as_array().unwrap() {
        let verdict = frame["verdict"].as_str().unwrap();
        let mut storage = hex(frame["esp"].as_str().unwrap());
        let got = sa.decap(&mut PacketMut::whole(&mut storage));
        let want = match wanted(verdict) {
            Ok(NextHeader::UDP) => Ok(()),
            Ok(NextHeader::NONE) => Err(DecapError(DropReason::Dummy)),
            Ok(_) => Err(DecapError(DropReason::NotAllowed)),
            Err(_) => Err(DecapError(DropReason::Unauthenticated)),
        };
        assert_eq!(got, want, "{verdict}");
    }
}
