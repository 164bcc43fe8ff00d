//! Keys and SAs for benchmarks.

use ipsec_esp::InboundSa;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Shared;
use ipsec_esp::Spi;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspSuite;

/// Octets that a packet never repeats: no benchmark needs better.
pub(crate) struct Counting(pub(crate) u64);

impl SecureRandom for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octet in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *octet = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

/// Keying material that differs with `seed`.
pub(crate) fn keymat(suite: EspSuite, seed: u64) -> Vec<u8> {
    let mut keymat = vec![0; suite.keymat_len()];
    Counting(seed).fill(&mut keymat).unwrap();
    keymat
}

/// Both ends of an SA, on what the provider has for the suite.
#[allow(dead_code, reason = "not every bench takes it")]
pub(crate) fn pair(suite: EspSuite, seed: u64) -> (OutboundSa<Shared>, InboundSa<Shared>) {
    pair_on(vpn_crypto::provider().esp_suite(suite).unwrap(), seed)
}

/// Both ends of an SA, on this implementation of its suite.
pub(crate) fn pair_on(
    crypto: &'static dyn EspCrypto,
    seed: u64,
) -> (OutboundSa<Shared>, InboundSa<Shared>) {
    let keymat = keymat(crypto.suite(), seed);
    let spi = Spi(0x1000 + u32::try_from(seed).unwrap());
    let config = SaConfig::new(spi).replay_window(4096);
    let seal = crypto.seal_key(&keymat, &mut Counting(seed)).unwrap();
    let open = crypto.open_key(&keymat).unwrap();
    (OutboundSa::new(seal, config).unwrap(), InboundSa::new(open, config).unwrap())
}
