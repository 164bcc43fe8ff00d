use vpn_core::SecureRandom;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::KeyExchange;
use vpn_core::crypto::KeyExchangeError;
use x25519_dalek::PublicKey;
use x25519_dalek::StaticSecret;
use zeroize::Zeroize;

/// X25519 (RFC 7748 §5, RFC 8031).
pub(super) struct Curve25519;

/// Octets of every value of it.
const LEN: usize = 32;

impl KeyExchange for Curve25519 {
    fn group(&self) -> DhGroup {
        DhGroup::CURVE_25519
    }

    fn private_len(&self) -> usize {
        LEN
    }

    fn public_len(&self) -> usize {
        LEN
    }

    fn shared_len(&self) -> usize {
        LEN
    }

    fn generate(
        &self,
        rng: &mut dyn SecureRandom,
        private: &mut [u8],
        public: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        rng.fill(private)?;
        let place = public.as_mut_array::<LEN>().ok_or(KeyExchangeError::WrongLength)?;
        *place = PublicKey::from(&secret(private)?).to_bytes();
        Ok(())
    }

    fn agree(
        &self,
        private: &[u8],
        peer_public: &[u8],
        shared: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        let peer = peer_public.as_array::<LEN>().ok_or(KeyExchangeError::WrongLength)?;
        let place = shared.as_mut_array::<LEN>().ok_or(KeyExchangeError::WrongLength)?;
        let agreed = secret(private)?.diffie_hellman(&PublicKey::from(*peer));
        // RFC 7748 §6.1: an all-zero result means a peer's value of small order.
        if !agreed.was_contributory() {
            return Err(KeyExchangeError::InvalidPublicValue);
        }
        *place = *agreed.as_bytes();
        Ok(())
    }
}

fn secret(private: &[u8]) -> Result<StaticSecret, KeyExchangeError> {
    let mut octets = *private.as_array::<LEN>().ok_or(KeyExchangeError::WrongLength)?;
    let secret = StaticSecret::from(octets);
    octets.zeroize();
    Ok(secret)
}
