//! The ISAKMP SAs of version 1 whose keys are known, followed through a capture (RFC 2409 appendix B).

use std::collections::BTreeMap;

use ipsec_ike::Chain;
use ipsec_ike::Cookie;
use ipsec_ike::Message;
use ipsec_ike::PayloadType;
use ipsec_ike::payload::SecurityAssociation;
use ipsec_ike::proposal::OfferedIke;
use ipsec_ike::v1::cipher::Iv;
use ipsec_ike::v1::cipher::MessageCipher;
use ipsec_ike::v1::keys::PublicValues;
use vpn_core::SecretBytes;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::IkeHash;

use super::esp_sas::hexadecimal;
use super::fault::At;
use super::fault::Fault;

/// Of how many messages of an exchange the IV is kept, for when they are repeated.
const REPEATS: usize = 8;

/// The SAs by the initiator's cookie.
#[derive(Default)]
pub(crate) struct IkeSas(BTreeMap<Cookie, IkeSa>);

/// An SA, as far as the capture told about it.
struct IkeSa {
    key: Vec<u8>,
    algorithms: Option<(EspCipher, &'static dyn IkeHash)>,
    /// The initiator's public value, then the responder's.
    public: Vec<Vec<u8>>,
    /// By message ID. That of phase 1 is 0.
    chains: BTreeMap<u32, Exchange>,
}

/// The messages of one exchange.
struct Exchange {
    next: Iv,
    /// Ciphertexts, each with the IV that opens it.
    seen: Vec<(Vec<u8>, Iv)>,
}

impl IkeSas {
    /// SAs that nothing was seen of, each given as `INITIATORCOOKIEHEX:KEYHEX`.
    ///
    /// # Errors
    /// A sentence that shows no key.
    pub(crate) fn new(given: &[String]) -> Result<Self, String> {
        let mut sas = BTreeMap::new();
        for text in given {
            let parts = text.split_once(':').map(|(cookie, key)| (octets(cookie), octets(key)));
            let Some((Some(cookie), Some(key))) = parts else {
                return Err("--ikev1-key: it takes INITIATORCOOKIEHEX:KEYHEX".into());
            };
            let cookie = Cookie::try_from(cookie).map_err(|cookie| {
                format!("--ikev1-key: a cookie has 8 octets, not {}", cookie.len())
            })?;
            if !matches!(key.len(), 16 | 24 | 32) {
                return Err(format!(
                    "--ikev1-key: a key has 16, 24 or 32 octets, not {}",
                    key.len()
                ));
            }
            let sa = IkeSa { key, algorithms: None, public: Vec::new(), chains: BTreeMap::new() };
            if sas.insert(cookie, sa).is_some() {
                return Err("--ikev1-key: one cookie is given twice, and it names one SA".into());
            }
        }
        Ok(Self(sas))
    }

    /// Looks at the next message of the capture. `None` where there is nothing to open: it is in
    /// clear, its key is not known, or the capture lacks the beginning of its exchange.
    pub(crate) fn follow(&mut self, message: &Message<'_>) -> Option<Result<Vec<u8>, Fault>> {
        let sa = self.0.get_mut(&message.header.cookies.initiator)?;
        if message.header.is_encrypted() {
            sa.open(message)
        } else {
            sa.learn(message);
            None
        }
    }
}

impl IkeSa {
    /// Takes the algorithms and the public values out of the messages in clear.
    fn learn(&mut self, message: &Message<'_>) {
        for payload in message.payloads().flatten() {
            match payload.kind {
                // The last SA payload is the responder's.
                PayloadType::SECURITY_ASSOCIATION => {
                    self.algorithms = algorithms(payload.body).or(self.algorithms);
                }
                PayloadType::KEY_EXCHANGE
                    if self.public.len() < 2
                        && !self.public.iter().any(|one| one == payload.body) =>
                {
                    self.public.push(payload.body.to_vec());
                }
                _ => {}
            }
        }
    }

    fn open(&mut self, message: &Message<'_>) -> Option<Result<Vec<u8>, Fault>> {
        let (cipher, hash) = self.algorithms?;
        let [initiator, responder] = self.public.as_slice() else { return None };
        let public = PublicValues { initiator, responder };
        let crypto = vpn_crypto::provider().ike.cipher(cipher)?;
        let phase_1 = self.chains.get(&0).map(|exchange| exchange.next);
        let phase_1 = phase_1.unwrap_or_else(|| Iv::phase_1(hash, cipher, public));
        let message_id = message.header.message_id;
        let exchange = self.chains.entry(message_id).or_insert_with(|| {
            let next = if message_id == 0 { phase_1 } else { phase_1.phase_2(hash, message_id) };
            Exchange { next, seen: Vec::new() }
        });
        let repeated = exchange.seen.iter().find(|(octets, _)| octets == message.body);
        let iv = repeated.map_or(exchange.next, |(_, iv)| *iv);
        let repeated = repeated.is_some();

        let mut body = message.body.to_vec();
        let opened = MessageCipher::with_key(crypto, SecretBytes::new(&self.key))
            .and_then(|cipher| cipher.decrypt(&iv, &mut body));
        let next = match opened.at("its key or length does not fit its cipher") {
            Ok(next) => next,
            Err(fault) => return Some(Err(fault)),
        };
        // There is no checksum: a chain of payloads that ends is what tells plaintext from noise.
        if let Err(error) = Chain::new(message.header.next_payload, &body).octets() {
            return Some(Err(error).at("the key does not open it"));
        }
        if !repeated {
            exchange.next = next;
            exchange.seen.push((message.body.to_vec(), iv));
            if exchange.seen.len() > REPEATS {
                exchange.seen.remove(0);
            }
        }
        Some(Ok(body))
    }
}

/// Cipher and hash function of the first transform that has both.
fn algorithms(body: &[u8]) -> Option<(EspCipher, &'static dyn IkeHash)> {
    let sa = SecurityAssociation::decode(body).ok()?;
    let transform = sa.proposals().next()?.transforms().next()?;
    let proposal = OfferedIke::read(&transform).proposal().ok()?;
    Some((proposal.cipher, vpn_crypto::provider().ike.hash(proposal.hash)?))
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    (digits.len().is_multiple_of(2)).then(|| hexadecimal(digits)).flatten()
}
