//! The encryption of ISAKMP messages (RFC 2409 appendix B).

use alloc::vec::Vec;
use core::fmt;

use vpn_core::SecretBytes;
use vpn_core::crypto::CbcCrypto;
use vpn_core::crypto::CbcError;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::IkeHash;

use super::keys::PublicValues;
use super::keys::SkeyId;
use crate::Flags;
use crate::Header;

/// The initialization vector of the next message of an exchange (RFC 2409 appendix B).
///
/// It is a value. [`MessageCipher::decrypt`] returns the one that follows and moves nothing, so a
/// message that turns out to be forged has not touched the chain: whoever accepts the message
/// stores the new value in place of the old one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Iv {
    octets: [u8; Self::MAX],
    len: usize,
}

impl Iv {
    /// The longest block of any cipher, in octets.
    const MAX: usize = 16;

    /// The first one of phase 1: hash(g^xi | g^xr), as much as a block of `cipher`.
    #[must_use]
    pub fn phase_1(hash: &dyn IkeHash, cipher: EspCipher, public: PublicValues<'_>) -> Self {
        let digest = hash.hash(&[public.initiator, public.responder]);
        Self::new(digest.expose(), cipher.iv_len())
    }

    /// The first one of a quick mode or of an informational exchange: hash(last block of phase 1 |
    /// message id).
    ///
    /// `self` is the IV that phase 1 left behind.
    #[must_use]
    pub fn phase_2(&self, hash: &dyn IkeHash, message_id: u32) -> Self {
        let digest = hash.hash(&[self.octets(), &message_id.to_be_bytes()]);
        Self::new(digest.expose(), self.len)
    }

    /// The octets: as many as the cipher's block has.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    fn new(from: &[u8], len: usize) -> Self {
        let mut octets = [0; Self::MAX];
        for (to, from) in octets.iter_mut().zip(from).take(len) {
            *to = *from;
        }
        Self { octets, len: len.min(Self::MAX) }
    }
}

/// The cipher of an ISAKMP SA with its key. Each exchange has an [`Iv`] of its own.
pub struct MessageCipher {
    crypto: &'static dyn CbcCrypto,
    key: SecretBytes,
}

impl MessageCipher {
    /// Derives the key of `crypto` from SKEYID_e.
    #[must_use]
    pub fn new(crypto: &'static dyn CbcCrypto, prf: &dyn IkeHash, keys: &SkeyId) -> Self {
        Self { crypto, key: keys.cipher_key(prf, crypto.cipher().key_len()) }
    }

    /// With a key that was derived elsewhere: to read a capture with the key that a peer's log holds.
    ///
    /// # Errors
    /// [`CbcError`] when `key` does not have the cipher's length.
    pub fn with_key(crypto: &'static dyn CbcCrypto, key: SecretBytes) -> Result<Self, CbcError> {
        if key.len() != crypto.cipher().key_len() {
            return Err(CbcError);
        }
        Ok(Self { crypto, key })
    }

    /// The key, for a log that Wireshark reads. Whoever asks keeps it from everywhere else.
    #[must_use]
    pub const fn key(&self) -> &SecretBytes {
        &self.key
    }

    /// Encrypts `message`, which begins with its header: pads the payloads with zeros to whole
    /// blocks, sets the header's length and its Encryption flag, and returns the IV of the
    /// exchange's next message.
    ///
    /// # Errors
    /// [`CbcError`] when there is no header or no payload; `message` has unspecified content then.
    pub fn encrypt(&self, iv: &Iv, message: &mut Vec<u8>) -> Result<Iv, CbcError> {
        let mut header = Header::decode(message).map_err(|_| CbcError)?;
        let mut body = message.split_off(Header::LEN);
        body.resize(body.len().next_multiple_of(self.block_len()), 0);
        self.crypto.encrypt(self.key.expose(), iv.octets(), &mut body)?;
        let next = self.last_block(&body)?;

        header.flags.insert(Flags::ENCRYPTION);
        header.length = u32::try_from(Header::LEN + body.len()).map_err(|_| CbcError)?;
        message.clear();
        header.encode(message);
        message.append(&mut body);
        Ok(next)
    }

    /// Decrypts `body`, what follows the header of a received message, in place, and returns the
    /// IV of the exchange's next message. Padding remains behind the payloads.
    ///
    /// IKEv1 has no checksum here: with a wrong key or IV this succeeds and `body` is noise. Only
    /// the Hash payload tells, so the new IV is to be stored after that was verified.
    ///
    /// # Errors
    /// [`CbcError`] when `body` is empty or not a number of whole blocks; it is as it was then.
    pub fn decrypt(&self, iv: &Iv, body: &mut [u8]) -> Result<Iv, CbcError> {
        let next = self.last_block(body)?;
        self.crypto.decrypt(self.key.expose(), iv.octets(), body)?;
        Ok(next)
    }

    fn last_block(&self, ciphertext: &[u8]) -> Result<Iv, CbcError> {
        let start = ciphertext.len().checked_sub(self.block_len()).ok_or(CbcError)?;
        let block = ciphertext.get(start..).ok_or(CbcError)?;
        Ok(Iv::new(block, block.len()))
    }

    fn block_len(&self) -> usize {
        self.crypto.cipher().iv_len()
    }
}

impl fmt::Debug for MessageCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageCipher({:?})", self.crypto.cipher())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cookies;
    use crate::ExchangeType;
    use alloc::vec;

    const PUBLIC: PublicValues<'static> = PublicValues { initiator: &[1; 32], responder: &[2; 32] };

    fn ciphers() -> impl Iterator<Item = (MessageCipher, Iv, &'static dyn IkeHash)> {
        let ike = vpn_crypto::provider().ike;
        ike.ciphers.iter().map(move |crypto| {
            let key = SecretBytes::new(&(0..).take(crypto.cipher().key_len()).collect::<Vec<u8>>());
            let cipher = MessageCipher::with_key(*crypto, key).unwrap();
            let hash = ike.hashes[0];
            (cipher, Iv::phase_1(hash, crypto.cipher(), PUBLIC), hash)
        })
    }

    /// A message with `len` octets behind its header.
    fn message(len: usize) -> Vec<u8> {
        let cookies = Cookies { initiator: [1; 8], responder: [2; 8] };
        let mut message = Vec::new();
        Header::new(cookies, ExchangeType::QUICK_MODE, 7).encode(&mut message);
        message.extend((0..).take(len));
        message
    }

    /// Two messages of one exchange, and one that an attacker slips in between.
    #[test]
    fn a_message_that_is_not_accepted_does_not_move_the_chain() {
        for (cipher, first, _) in ciphers() {
            let block = cipher.block_len();
            let (mut one, mut two) = (message(2 * block), message(4 * block));
            let second = cipher.encrypt(&first, &mut one).unwrap();
            let third = cipher.encrypt(&second, &mut two).unwrap();
            assert!(one.ends_with(second.octets()) && two.ends_with(third.octets()));

            let plain = message(4 * block).split_off(Header::LEN);
            let mut body = one.split_off(Header::LEN);
            let mut chain = cipher.decrypt(&first, &mut body).unwrap();
            assert_eq!((chain, &body[..]), (second, &plain[..2 * block]));
            cipher.decrypt(&chain, &mut vec![0xee; block]).unwrap();
            let mut body = two.split_off(Header::LEN);
            chain = cipher.decrypt(&chain, &mut body).unwrap();
            assert_eq!((chain, body), (third, plain));
        }
    }

    #[test]
    fn every_length_is_padded_with_zeros_to_whole_blocks() {
        for (cipher, iv, _) in ciphers() {
            let block = cipher.block_len();
            for len in 0..=3 * block {
                let mut sealed = message(len);
                let got = cipher.encrypt(&iv, &mut sealed);
                assert_eq!(got.is_ok(), len > 0, "{len}");
                let Ok(next) = got else { continue };
                let header = Header::decode(&sealed).unwrap();
                assert!(header.is_encrypted());
                assert_eq!(usize::try_from(header.length).unwrap(), sealed.len());
                let mut body = sealed.split_off(Header::LEN);
                assert_eq!(cipher.decrypt(&iv, &mut body), Ok(next));
                assert_eq!(body.len(), len.next_multiple_of(block));
                assert_eq!(body[..len], message(len)[Header::LEN..]);
                assert!(body[len..].iter().all(|octet| *octet == 0));
            }
            for len in 0..Header::LEN {
                let mut short = message(block)[..len].to_vec();
                assert_eq!(cipher.encrypt(&iv, &mut short), Err(CbcError));
            }
        }
    }

    #[test]
    fn a_part_of_a_block_is_refused() {
        for (cipher, iv, _) in ciphers() {
            let block = cipher.block_len();
            for len in 0..=3 * block {
                let octets = message(len).split_off(Header::LEN);
                let mut opened = octets.clone();
                let whole = len > 0 && len % block == 0;
                assert_eq!(cipher.decrypt(&iv, &mut opened).is_ok(), whole, "{len}");
                assert_eq!(opened == octets, !whole);
            }
        }
    }

    #[test]
    fn each_exchange_begins_with_an_iv_of_its_own() {
        for (cipher, last, hash) in ciphers() {
            let of = |id: u32| last.phase_2(hash, id);
            assert_eq!(of(7).octets().len(), cipher.block_len());
            assert_ne!(of(7), of(8));
            assert_ne!(of(7), of(7).phase_2(hash, 7));
            let digest = hash.hash(&[last.octets(), &[0, 0, 0, 7]]);
            assert_eq!(of(7).octets(), &digest.expose()[..cipher.block_len()]);
        }
    }
}
