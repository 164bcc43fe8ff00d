//! What the tests share.
#![allow(
    dead_code,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    reason = "each test file uses a part, and says what it skips"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipsec_esp::InboundSa;
use ipsec_esp::Number;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

/// Every suite there is.
pub(crate) static LAB: CryptoProvider =
    CryptoProvider { esp: vpn_crypto::esp::ALL_SUITES, ..*vpn_crypto::provider() };

/// A generator whose octets depend on nothing but its seed.
pub(crate) struct Seeded(pub(crate) u64);

impl SecureRandom for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octet in out {
            *octet = self.next().to_be_bytes()[7];
        }
        Ok(())
    }
}

impl Seeded {
    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The suites that may be sent.
pub(crate) fn sendable() -> impl Iterator<Item = EspSuite> {
    EspSuite::all().filter(|s| !matches!(s, EspSuite::Separate(_, EspIntegrity::HmacMd5_96)))
}

pub(crate) fn crypto(suite: EspSuite) -> &'static dyn EspCrypto {
    LAB.esp_suite(suite).unwrap()
}

pub(crate) fn keymat(suite: EspSuite, seed: u64) -> Vec<u8> {
    let mut keymat = vec![0; suite.keymat_len()];
    Seeded(seed).fill(&mut keymat).unwrap();
    keymat
}

/// Both ends of an SA.
pub(crate) fn pair<N: Number>(
    suite: EspSuite,
    seed: u64,
    config: SaConfig,
) -> (OutboundSa<N>, InboundSa<N>) {
    let keymat = keymat(suite, seed);
    let seal = crypto(suite).seal_key(&keymat, &mut Seeded(!seed)).unwrap();
    let open = crypto(suite).open_key(&keymat).unwrap();
    (OutboundSa::new(seal, config).unwrap(), InboundSa::new(open, config).unwrap())
}

pub(crate) const SPI: Spi = Spi(0x0102_0304);

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let text = text.trim_start_matches("0x");
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// A file of this crate's test data.
pub(crate) fn data(path: &str) -> Vec<u8> {
    std::fs::read([env!("CARGO_MANIFEST_DIR"), "/tests/data/", path].concat()).unwrap()
}

/// A path in the test data that lies beside the project and is not part of it; `None`, with a
/// printed line, where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from([env!("CARGO_MANIFEST_DIR"), "/../../../shared/", path].concat());
    if !full.exists() {
        eprintln!("SKIPPED: {path} is absent");
        return None;
    }
    Some(full)
}

/// The IP packets of a classic pcap file with Ethernet frames.
pub(crate) fn pcap(file: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(20)), (0xa1b2_c3d4, 1), "little-endian, Ethernet");
    let (mut at, mut packets) = (24, Vec::new());
    while at < file.len() {
        let len = word(at + 8) as usize;
        let frame = &file[at + 16..at + 16 + len];
        if matches!(frame[12..14], [0x08, 0x00] | [0x86, 0xdd]) {
            packets.push(frame[14..].to_vec());
        }
        at += 16 + len;
    }
    packets
}

/// The keys of a capture: by SPI, from what `ip xfrm state` printed.
pub(crate) fn xfrm(text: &str) -> BTreeMap<Spi, (EspSuite, Vec<u8>)> {
    let mut sas = BTreeMap::new();
    let (mut spi, mut auth) = (None, None);
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["proto", "esp", "spi", number, ..] => {
                let digits = number.trim_start_matches("0x");
                spi = Some(Spi(u32::from_str_radix(digits, 16).unwrap()));
            }
            ["auth-trunc", name, key, bits] => auth = Some((name, hex(key), bits)),
            ["enc", name, key] => {
                let (mac, mac_key, bits) = auth.take().unwrap();
                let mut keymat = hex(key);
                let cipher = match (name, keymat.len()) {
                    ("cbc(aes)", 16) => "aes128",
                    ("cbc(aes)", 32) => "aes256",
                    ("cbc(des3_ede)", 24) => "3des",
                    other => panic!("{other:?}"),
                };
                let mac = match (mac, bits) {
                    ("hmac(sha1)", "96") => "sha1",
                    ("hmac(sha256)", "128") => "sha256",
                    other => panic!("{other:?}"),
                };
                keymat.extend(mac_key);
                let suite = format!("{cipher}-{mac}").parse().unwrap();
                sas.insert(spi.take().unwrap(), (suite, keymat));
            }
            ["aead", "rfc4106(gcm(aes))", key, "128"] => {
                let suite = "aes256gcm16".parse().unwrap();
                sas.insert(spi.take().unwrap(), (suite, hex(key)));
            }
            _ => {}
        }
    }
    sas
}
