//! Chance as it fell in a capture.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::IkeCrypto;
use vpn_core::crypto::KeyExchange;
use vpn_core::crypto::KeyExchangeError;
use vpn_netsim::SeededRandom;

/// Random octets: by the number that is asked for, those that were put in, and then the last of them
/// again and again. What was not put in is drawn.
pub(crate) struct ScriptedRandom {
    script: BTreeMap<usize, VecDeque<Vec<u8>>>,
    rest: SeededRandom,
}

impl ScriptedRandom {
    pub(crate) fn new(octets: &[&[u8]]) -> Self {
        let mut script: BTreeMap<usize, VecDeque<Vec<u8>>> = BTreeMap::new();
        for one in octets {
            script.entry(one.len()).or_default().push_back(one.to_vec());
        }
        Self { script, rest: SeededRandom::new(1) }
    }
}

impl SecureRandom for ScriptedRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let Some(script) = self.script.get_mut(&out.len()) else { return self.rest.fill(out) };
        out.copy_from_slice(&script[0]);
        if script.len() > 1 {
            script.pop_front();
        }
        Ok(())
    }
}

/// A key exchange whose private values nobody knows any more, but what came of them.
struct Scripted {
    real: &'static dyn KeyExchange,
    ours: Vec<u8>,
    theirs: Vec<u8>,
    shared: Vec<u8>,
}

impl KeyExchange for Scripted {
    fn group(&self) -> DhGroup {
        self.real.group()
    }

    fn private_len(&self) -> usize {
        self.real.private_len()
    }

    fn public_len(&self) -> usize {
        self.real.public_len()
    }

    fn shared_len(&self) -> usize {
        self.real.shared_len()
    }

    fn generate(
        &self,
        _: &mut dyn SecureRandom,
        private: &mut [u8],
        public: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        private.fill(0x5a);
        public.copy_from_slice(&self.ours);
        Ok(())
    }

    fn agree(
        &self,
        private: &[u8],
        peer_public: &[u8],
        shared: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        assert!(private.iter().all(|octet| *octet == 0x5a));
        if peer_public != self.theirs {
            return Err(KeyExchangeError::InvalidPublicValue);
        }
        shared.copy_from_slice(&self.shared);
        Ok(())
    }
}

/// The provider, with a key exchange that gives these values. It lives as long as the tests.
pub(crate) fn provider(
    group: DhGroup,
    ours: &[u8],
    theirs: &[u8],
    shared: &[u8],
) -> &'static CryptoProvider {
    let provider = vpn_crypto::provider();
    let real = provider.ike.group(group).unwrap();
    assert_eq!((ours.len(), theirs.len()), (real.public_len(), real.public_len()));
    assert_eq!(shared.len(), real.shared_len());
    let [ours, theirs, shared] = [ours, theirs, shared].map(<[u8]>::to_vec);
    let scripted: &'static dyn KeyExchange =
        Box::leak(Box::new(Scripted { real, ours, theirs, shared }));
    let groups = Box::leak(Box::new([scripted]));
    Box::leak(Box::new(CryptoProvider { ike: IkeCrypto { groups, ..provider.ike }, ..*provider }))
}
