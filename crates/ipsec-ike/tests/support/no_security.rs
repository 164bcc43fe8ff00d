//! A provider without any security: whoever sends zeros for a hash is believed, encryption changes
//! nothing, and every shared secret is zero. It lets made-up octets past authentication, and costs
//! no time.

use vpn_core::SecureRandom;
use vpn_core::crypto::CbcCrypto;
use vpn_core::crypto::CbcError;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::Digest;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::HashAlgorithm;
use vpn_core::crypto::IkeCrypto;
use vpn_core::crypto::IkeHash;
use vpn_core::crypto::KeyExchange;
use vpn_core::crypto::KeyExchangeError;

/// What IKE proposal it has.
pub(crate) const IKE: &str = "aes128-sha1-modp2048";

/// Octets of every hash.
pub(crate) const HASH_LEN: u8 = 20;

/// The provider.
pub(crate) static NO_SECURITY: CryptoProvider = CryptoProvider {
    ike: IkeCrypto { hashes: &[&Zero], ciphers: &[&Clear], groups: &[&Nothing] },
    ..*vpn_crypto::provider()
};

struct Zero;

impl IkeHash for Zero {
    fn algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::Sha1
    }

    /// Not a hash, but it tells octets apart: NATs are found with it, and IVs differ.
    fn hash(&self, parts: &[&[u8]]) -> Digest {
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        for octet in parts.iter().flat_map(|part| part.iter()) {
            state = (state ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut octets = [0; HASH_LEN as usize];
        for chunk in octets.chunks_mut(8) {
            let len = chunk.len();
            chunk.copy_from_slice(&state.to_be_bytes()[..len]);
        }
        Digest::new(&octets)
    }

    fn hmac(&self, _: &[u8], _: &[&[u8]]) -> Digest {
        Digest::new(&[0; HASH_LEN as usize])
    }
}

struct Clear;

impl CbcCrypto for Clear {
    fn cipher(&self) -> EspCipher {
        EspCipher::Aes128Cbc
    }

    fn encrypt(&self, key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), CbcError> {
        let whole = key.len() == 16 && iv.len() == 16 && data.len().is_multiple_of(16);
        whole.then_some(()).ok_or(CbcError)
    }

    fn decrypt(&self, key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), CbcError> {
        self.encrypt(key, iv, data)
    }
}

struct Nothing;

impl KeyExchange for Nothing {
    fn group(&self) -> DhGroup {
        DhGroup::MODP_2048
    }

    fn private_len(&self) -> usize {
        8
    }

    fn public_len(&self) -> usize {
        8
    }

    fn shared_len(&self) -> usize {
        8
    }

    fn generate(
        &self,
        rng: &mut dyn SecureRandom,
        private: &mut [u8],
        public: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        rng.fill(private)?;
        public.copy_from_slice(private);
        public[0] |= 1;
        Ok(())
    }

    fn agree(&self, _: &[u8], peer: &[u8], shared: &mut [u8]) -> Result<(), KeyExchangeError> {
        if peer.iter().all(|octet| *octet == 0) {
            return Err(KeyExchangeError::InvalidPublicValue);
        }
        shared.fill(0);
        Ok(())
    }
}
