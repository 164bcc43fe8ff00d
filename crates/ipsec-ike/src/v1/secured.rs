use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use vpn_core::DropReason;
use vpn_core::crypto::Digest;
use vpn_core::crypto::IkeHash;

use super::cipher::Iv;
use super::cipher::MessageCipher;
use super::fault::Fault;
use super::hash::hash_1;
use super::hash::hash_2;
use super::hash::hash_3;
use super::keys::Nonces;
use super::keys::SkeyId;
use crate::Chain;
use crate::Cookies;
use crate::ExchangeType;
use crate::Header;
use crate::Message;
use crate::MessageBuilder;
use crate::PayloadType;

/// The keys of an IKE SA, and how they protect the messages of phase 2.
pub(crate) struct Secured {
    pub(crate) cookies: Cookies,
    pub(crate) prf: &'static dyn IkeHash,
    pub(crate) keys: SkeyId,
    pub(crate) cipher: MessageCipher,
    /// The last block of phase 1.
    pub(crate) phase_1_iv: Iv,
}

/// Which of the hashes of phase 2 a message begins with (RFC 2409 §5.5, §5.7).
#[derive(Clone, Copy)]
pub(crate) enum HashOf<'a> {
    /// HASH(1), also of an informational exchange.
    First,
    /// HASH(2), with the initiator's nonce.
    Second(&'a [u8]),
    /// HASH(3), with both nonces.
    Third(Nonces<'a>),
}

/// A message of phase 2 whose hash was right.
pub(crate) struct Opened {
    payloads: Vec<u8>,
    /// The kind of the payload behind the hash.
    first: PayloadType,
    /// Where it begins.
    start: usize,
    /// The IV of the exchange's next message.
    pub(crate) next_iv: Iv,
}

impl Opened {
    /// The payloads behind the hash.
    pub(crate) fn payloads(&self) -> Chain<'_> {
        Chain::new(self.first, self.payloads.get(self.start..).unwrap_or_default())
    }
}

impl Secured {
    /// The first IV of the exchange with this message id.
    pub(crate) fn first_iv(&self, message_id: u32) -> Iv {
        self.phase_1_iv.phase_2(self.prf, message_id)
    }

    /// Decrypts `message` and verifies its hash before anything else in it is looked at.
    pub(crate) fn open(
        &self,
        message: &Message<'_>,
        iv: &Iv,
        hash: HashOf<'_>,
    ) -> Result<Opened, Fault> {
        let unauthentic = Fault::Drop(DropReason::Unauthenticated);
        let mut payloads = message.body.to_vec();
        let next_iv = self.cipher.decrypt(iv, &mut payloads)?;
        let mut chain = Chain::new(message.header.next_payload, &payloads);
        let proof = match chain.next() {
            Some(Ok(payload)) if payload.kind == PayloadType::HASH => payload.body,
            _ => return Err(unauthentic),
        };
        let start = payloads.len() - chain.rest().len();
        let Some(&[first, ..]) = payloads.first_chunk::<1>() else { return Err(unauthentic) };
        let Ok(covered) = chain.octets() else { return Err(unauthentic) };
        if !self.hash(hash, message.header.message_id, covered).ct_eq(proof) {
            return Err(unauthentic);
        }
        Ok(Opened { first: PayloadType(first), start, next_iv, payloads })
    }

    /// Builds a message of phase 2: the hash, the payloads that `write` adds, encrypted. Returns it
    /// with the IV of the exchange's next message.
    pub(crate) fn seal(
        &self,
        exchange_type: ExchangeType,
        message_id: u32,
        iv: &Iv,
        hash: HashOf<'_>,
        write: impl FnOnce(&mut MessageBuilder<'_>),
    ) -> Result<(Vec<u8>, Iv), Fault> {
        /// Of a payload.
        const HEADER: usize = 4;
        let mut message = Vec::new();
        let header = Header::new(self.cookies, exchange_type, message_id);
        let mut builder = MessageBuilder::new(&mut message, header);
        let hash_len = self.prf.algorithm().output_len();
        builder.raw(PayloadType::HASH, &vec![0; hash_len]);
        write(&mut builder);
        builder.finish()?;
        let hash_at = Header::LEN + HEADER;
        let covered = message.get(hash_at + hash_len..).unwrap_or_default();
        let proof = self.hash(hash, message_id, covered);
        if let Some(place) = message.get_mut(hash_at..hash_at + hash_len) {
            place.copy_from_slice(proof.expose());
        }
        let next = self.cipher.encrypt(iv, &mut message)?;
        Ok((message, next))
    }

    /// Builds a message of an informational exchange (RFC 2409 §5.7), whole in itself.
    pub(crate) fn seal_informational(
        &self,
        message_id: u32,
        write: impl FnOnce(&mut MessageBuilder<'_>),
    ) -> Result<Vec<u8>, Fault> {
        let iv = self.first_iv(message_id);
        let kind = ExchangeType::INFORMATIONAL;
        self.seal(kind, message_id, &iv, HashOf::First, write).map(|(message, _)| message)
    }

    fn hash(&self, hash: HashOf<'_>, message_id: u32, covered: &[u8]) -> Digest {
        match hash {
            HashOf::First => hash_1(self.prf, &self.keys, message_id, covered),
            HashOf::Second(nonce) => hash_2(self.prf, &self.keys, message_id, nonce, covered),
            HashOf::Third(nonces) => hash_3(self.prf, &self.keys, message_id, nonces),
        }
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").field("cookies", &self.cookies).finish_non_exhaustive()
    }
}
