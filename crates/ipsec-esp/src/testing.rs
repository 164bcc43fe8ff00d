//! What the unit tests share.

use alloc::vec;

use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::EspCrypto;

use crate::InboundSa;
use crate::Number;
use crate::OutboundSa;
use crate::SaConfig;

/// A generator of one octet.
pub(crate) struct Fixed(pub(crate) u8);

impl SecureRandom for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(self.0);
        Ok(())
    }
}

/// The sending half of an SA whose keys depend on the suite alone.
pub(crate) fn outbound<N: Number>(suite: &str, config: SaConfig) -> OutboundSa<N> {
    let (crypto, keymat) = crypto(suite);
    OutboundSa::new(crypto.seal_key(&keymat, &mut Fixed(8)).unwrap(), config).unwrap()
}

/// The receiving half of the same SA.
pub(crate) fn inbound<N: Number>(suite: &str, config: SaConfig) -> InboundSa<N> {
    let (crypto, keymat) = crypto(suite);
    InboundSa::new(crypto.open_key(&keymat).unwrap(), config).unwrap()
}

fn crypto(suite: &str) -> (&'static dyn EspCrypto, vec::Vec<u8>) {
    let suite = suite.parse().unwrap();
    let crypto = vpn_crypto::esp::portable(suite).unwrap();
    (crypto, (0..suite.keymat_len()).map(|i| u8::try_from(i).unwrap()).collect())
}
