//! The ESP security associations whose keys are known.

use std::collections::BTreeMap;

use ipsec_esp::InboundSa;
use ipsec_esp::Local;
use ipsec_esp::SaConfig;
use ipsec_esp::Spi;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

/// Whatever was captured may be looked at, NULL encryption and HMAC-MD5 included.
static CRYPTO: CryptoProvider =
    CryptoProvider { esp: vpn_crypto::esp::ALL_SUITES, ..*vpn_crypto::provider() };

/// SAs by SPI, each with the replay window that the frames so far have left.
#[derive(Default)]
pub(crate) struct EspSas(BTreeMap<Spi, InboundSa<Local>>);

impl EspSas {
    /// SAs that have received nothing: each given as `SPI:SUITE:ENCKEYHEX[:AUTHKEYHEX]`, with a
    /// replay window of `window` sequence numbers.
    ///
    /// # Errors
    /// A sentence that shows no key.
    pub(crate) fn new(given: &[String], window: u32) -> Result<Self, String> {
        let mut sas = BTreeMap::new();
        for text in given {
            let sa = sa(text, window).map_err(|sentence| format!("--esp-sa: {sentence}"))?;
            let spi = sa.spi();
            if sas.insert(spi, sa).is_some() {
                return Err(format!("--esp-sa: SPI {spi} is given twice, and it names one SA"));
            }
        }
        Ok(Self(sas))
    }

    /// The SA that packets with `spi` belong to.
    pub(crate) fn find(&self, spi: Spi) -> Option<&InboundSa<Local>> {
        self.0.get(&spi)
    }
}

fn sa(text: &str, window: u32) -> Result<InboundSa<Local>, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (spi, suite, encryption_key, integrity_key) = match *parts.as_slice() {
        [spi, suite, encryption_key] => (spi, suite, encryption_key, ""),
        [spi, suite, encryption_key, integrity_key] => (spi, suite, encryption_key, integrity_key),
        _ => return Err("it takes SPI:SUITE:ENCKEYHEX[:AUTHKEYHEX]".into()),
    };
    let spi = spi_of(spi)?;
    let suite = suite_of(suite)?;
    let name = match suite {
        EspSuite::Separate(..) => "encryption key",
        EspSuite::Combined(_) => "encryption key, with its salt,",
    };
    let mut keymat = key(name, suite, suite.encryption_key_len(), encryption_key)?;
    keymat.extend(key("integrity key", suite, suite.integrity_key_len(), integrity_key)?);
    let crypto = CRYPTO.esp_suite(suite).map_err(|error| error.to_string())?;
    let key = crypto.open_key(&keymat).map_err(|error| format!("SPI {spi}: {error}"))?;
    let config = SaConfig::new(spi).replay_window(window);
    InboundSa::new(key, config).map_err(|error| error.to_string())
}

fn spi_of(text: &str) -> Result<Spi, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    let spi = number.ok().map(Spi).filter(|spi| spi.is_usable());
    spi.ok_or_else(|| format!("an SPI is a number from 256 to 0xffffffff, not {text:?}"))
}

fn suite_of(text: &str) -> Result<EspSuite, String> {
    text.parse().map_err(|_| {
        let ciphers: Vec<_> = EspCipher::ALL.iter().map(|cipher| cipher.name()).collect();
        let macs: Vec<_> = EspIntegrity::ALL.iter().map(|integrity| integrity.name()).collect();
        let combined: Vec<_> = EspAead::ALL.iter().map(|aead| aead.name()).collect();
        format!(
            "there is no suite {text:?}: it takes {}, or CIPHER-INTEGRITY of {} and {}",
            combined.join(", "),
            ciphers.join(", "),
            macs.join(", "),
        )
    })
}

/// The key of `len` octets that `digits` are.
fn key(name: &str, suite: EspSuite, len: usize, digits: &str) -> Result<Vec<u8>, String> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    if digits.len() != len * 2 {
        return Err(format!(
            "the {name} of {suite} has {len} octets, which are {} hexadecimal digits, not {}",
            len * 2,
            digits.len(),
        ));
    }
    hexadecimal(digits)
        .ok_or_else(|| format!("the {name} of {suite} is not all hexadecimal digits"))
}

/// The octets that an even number of hexadecimal digits are.
pub(crate) fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let octet = |pair: &[u8]| {
        let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|v| u8::try_from(v).ok());
        pair.iter().map(value).try_fold(0, |octet, value| Some(octet << 4 | value?))
    };
    digits.as_bytes().chunks(2).map(octet).collect()
}
