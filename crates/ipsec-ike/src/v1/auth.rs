//! Who the peer is: pre-shared keys and signatures (RFC 2409 §5.1, §5.4; RFC 4945 §3).

use alloc::boxed::Box;
use alloc::vec::Vec;

use thiserror::Error;
use vpn_core::SecretBytes;
use vpn_core::SecureRandom;
use vpn_core::crypto::CbcCrypto;
use vpn_core::crypto::CertificateError;
use vpn_core::crypto::Digest;
use vpn_core::crypto::PeerCertificate;
use vpn_core::crypto::SignatureError;
use vpn_core::crypto::SigningKey;
use vpn_core::crypto::TrustAnchors;

use super::cipher::Iv;
use super::cipher::MessageCipher;
use super::hash::hash_i;
use super::keys::Exchanged;
use super::keys::SkeyId;
use crate::Chain;
use crate::IdType;
use crate::PayloadType;

/// How many pre-shared keys are tried on one message; those after them are not looked at.
pub const MAX_PSKS: usize = 32;

/// How many certificates of a peer are looked at; copies do not count, those after them are
/// passed over.
pub const MAX_CERTIFICATES: usize = 8;

/// A pre-shared key that fits the fifth message of main mode, and all that follows from it.
#[derive(Debug)]
pub struct PskFound {
    /// The place of the key among the candidates.
    pub candidate: usize,
    /// The keys of the ISAKMP SA.
    pub keys: SkeyId,
    /// The cipher of the ISAKMP SA.
    pub cipher: MessageCipher,
    /// The IV of the sixth message.
    pub next_iv: Iv,
    /// The payloads of the fifth message, decrypted, with their padding.
    pub payloads: Vec<u8>,
}

/// Finds the pre-shared key under which the fifth message of main mode is right: it decrypts to
/// payloads with an Identification and the HASH_I that belongs to it (RFC 2409 §5.4).
///
/// RFC 2409 §5.4 lets a responder choose the key by the peer's address alone, since the identity is
/// encrypted under it. Trying several gives each user or site behind a changing address a key of
/// its own. All of the first [`MAX_PSKS`] `candidates` are tried, in their order, whichever fits, so
/// the time tells nobody which one did.
///
/// `first` is the kind of the first payload, from the header; `body` is what follows the header.
/// `None` when no key fits.
pub fn find_psk<'a>(
    exchanged: &Exchanged<'_>,
    crypto: &'static dyn CbcCrypto,
    candidates: impl IntoIterator<Item = &'a SecretBytes>,
    first: PayloadType,
    body: &[u8],
) -> Option<PskFound> {
    let iv = Iv::phase_1(exchanged.prf, crypto.cipher(), exchanged.public_values);
    let mut found = None;
    for (candidate, psk) in candidates.into_iter().take(MAX_PSKS).enumerate() {
        let keys = SkeyId::derive_psk(exchanged, psk.expose());
        let cipher = MessageCipher::new(crypto, exchanged.prf, &keys);
        let mut payloads = body.to_vec();
        let next_iv = cipher.decrypt(&iv, &mut payloads).ok()?;
        if proves_initiator(exchanged, &keys, first, &payloads) && found.is_none() {
            found = Some(PskFound { candidate, keys, cipher, next_iv, payloads });
        }
    }
    found
}

/// Whether `payloads` hold an Identification and the HASH_I of it.
fn proves_initiator(
    exchanged: &Exchanged<'_>,
    keys: &SkeyId,
    first: PayloadType,
    payloads: &[u8],
) -> bool {
    let (mut identification, mut hash) = (None, None);
    for payload in Chain::new(first, payloads) {
        match payload {
            Ok(payload) if payload.kind == PayloadType::IDENTIFICATION => {
                identification.get_or_insert(payload.body);
            }
            Ok(payload) if payload.kind == PayloadType::HASH => {
                hash.get_or_insert(payload.body);
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    let (Some(identification), Some(hash)) = (identification, hash) else { return false };
    hash_i(exchanged, keys, identification).ct_eq(hash)
}

/// The content of our Signature payload: HASH_I or HASH_R under our private key (RFC 2409 §5.1).
///
/// # Errors
/// [`SignatureError`].
pub fn sign(
    key: &dyn SigningKey,
    hash: &Digest,
    rng: &mut dyn SecureRandom,
) -> Result<Vec<u8>, SignatureError> {
    key.sign(hash.expose(), rng)
}

/// What a peer showed in the fifth or sixth message of main mode with signatures.
#[derive(Clone, Copy, Debug)]
pub struct SignatureProof<'a> {
    /// Its certificates, DER encoded, from the Certificate payloads in any order.
    pub certificates: &'a [&'a [u8]],
    /// The type of its Identification payload.
    pub id_type: IdType,
    /// The data of its Identification payload.
    pub id_data: &'a [u8],
    /// Its Signature payload.
    pub signature: &'a [u8],
}

impl SignatureProof<'_> {
    /// Verifies that one of the certificates leads to a trust anchor and is valid at
    /// `unix_seconds`, that it has the claimed identity, and that its key signed `hash`: HASH_I of
    /// an initiator, HASH_R of a responder (RFC 2409 §5.1).
    ///
    /// RFC 4945 §3.3.10 forbids to trust in the order of the certificates and asks to bear with
    /// copies and with some that do not belong here, so each in turn is taken for the peer's own.
    ///
    /// # Errors
    /// [`ProofError`]: of the certificate that came furthest.
    pub fn verify(
        &self,
        anchors: &dyn TrustAnchors,
        unix_seconds: u64,
        hash: &Digest,
    ) -> Result<Box<dyn PeerCertificate>, ProofError> {
        let mut chain: Vec<&[u8]> = Vec::new();
        for certificate in self.certificates {
            if chain.len() < MAX_CERTIFICATES && !chain.contains(certificate) {
                chain.push(certificate);
            }
        }
        let mut refusal = ProofError::NoCertificate;
        for own in 0..chain.len() {
            chain.swap(0, own);
            match self.verify_one(anchors, unix_seconds, hash, &chain) {
                Ok(certificate) => return Ok(certificate),
                Err(error) if error.reached() > refusal.reached() => refusal = error,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    /// With the first certificate of `chain` as the peer's own.
    fn verify_one(
        &self,
        anchors: &dyn TrustAnchors,
        unix_seconds: u64,
        hash: &Digest,
        chain: &[&[u8]],
    ) -> Result<Box<dyn PeerCertificate>, ProofError> {
        let certificate = anchors.verify(chain, unix_seconds)?;
        if !has_identity(&*certificate, self.id_type, self.id_data) {
            return Err(ProofError::Identity);
        }
        certificate.verify(hash.expose(), self.signature)?;
        Ok(certificate)
    }
}

/// Whether a certificate vouches for an identity (RFC 4945 §3.1): a distinguished name is the whole
/// subject octet for octet, anything else stands in the subjectAltName, whole.
///
/// That an address is also the one which the peer sends from (RFC 4945 §3.1.1) is for whoever knows
/// that one.
#[must_use]
pub fn has_identity(certificate: &dyn PeerCertificate, id_type: IdType, data: &[u8]) -> bool {
    let text = core::str::from_utf8(data).ok().filter(|text| !text.is_empty());
    match id_type {
        IdType::DER_ASN1_DN => data != EMPTY_NAME && data == certificate.subject(),
        IdType::FQDN => text.is_some_and(|name| certificate.has_dns_name(name)),
        IdType::USER_FQDN => text.is_some_and(|address| certificate.has_mail_address(address)),
        IdType::IPV4_ADDR => data.len() == 4 && certificate.has_ip_address(data),
        IdType::IPV6_ADDR => data.len() == 16 && certificate.has_ip_address(data),
        _ => false,
    }
}

/// A distinguished name without any part, which names nobody (RFC 4945 §3.1.5).
const EMPTY_NAME: [u8; 2] = [0x30, 0];

/// Why a peer's certificate and signature do not prove who it is.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ProofError {
    /// There was none.
    #[error("the peer sent no certificate: give it one, and the certificates of its CA with it")]
    NoCertificate,
    /// None is valid.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The certificate is valid, but for somebody else (RFC 4945 §3.1).
    #[error(
        "the certificate does not have the identity that the peer claims: set the identity to the \
         certificate's subject or to a name in its subjectAltName"
    )]
    Identity,
    /// The signature over HASH_I or HASH_R is wrong.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl ProofError {
    /// How many steps went well.
    const fn reached(self) -> u8 {
        match self {
            Self::NoCertificate => 0,
            Self::Certificate(_) => 1,
            Self::Identity => 2,
            Self::Signature(_) => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cookies;
    use crate::ExchangeType;
    use crate::Header;
    use crate::v1::keys::Nonces;
    use crate::v1::keys::PublicValues;
    use alloc::vec;
    use vpn_core::crypto::EspCipher;
    use vpn_core::crypto::HashAlgorithm;

    /// Certificates whose octets are their subject; a signature is right when it is the subject
    /// and then the hash.
    struct Authority(&'static [&'static [u8]]);

    struct Certificate(Vec<u8>);

    impl TrustAnchors for Authority {
        fn issuers(&self) -> Vec<Vec<u8>> {
            Vec::new()
        }

        fn verify(
            &self,
            chain: &[&[u8]],
            unix_seconds: u64,
        ) -> Result<Box<dyn PeerCertificate>, CertificateError> {
            let (own, others) = chain.split_first().unwrap();
            assert!(others.len() < MAX_CERTIFICATES && !others.contains(own), "copies are gone");
            match self.0.contains(own) {
                true if unix_seconds == 0 => Err(CertificateError::NotValidNow),
                true => Ok(Box::new(Certificate(own.to_vec()))),
                false => Err(CertificateError::UnknownIssuer),
            }
        }
    }

    impl PeerCertificate for Certificate {
        fn verify(&self, hash: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
            let right = [&self.0, hash].concat() == signature;
            right.then_some(()).ok_or(SignatureError::Invalid)
        }

        fn subject(&self) -> &[u8] {
            &self.0
        }

        fn has_dns_name(&self, name: &str) -> bool {
            name.eq_ignore_ascii_case("vpn.example")
        }

        fn has_mail_address(&self, address: &str) -> bool {
            address == "alice@vpn.example"
        }

        fn has_ip_address(&self, address: &[u8]) -> bool {
            address == [192, 0, 2, 1] || address == [1; 16] || address == [1; 5]
        }
    }

    impl SigningKey for Certificate {
        fn sign(&self, hash: &[u8], _: &mut dyn SecureRandom) -> Result<Vec<u8>, SignatureError> {
            Ok([&self.0, hash].concat())
        }
    }

    struct NoRandom;

    impl SecureRandom for NoRandom {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), vpn_core::RandomError> {
            Err(vpn_core::RandomError)
        }
    }

    const ALICE: &[u8] = b"alice";
    const BOB: &[u8] = b"bob";

    fn verify(
        certificates: &[&[u8]],
        id: &[u8],
        signer: &[u8],
        unix_seconds: u64,
    ) -> Result<Vec<u8>, ProofError> {
        let hash = Digest::new(&[7; 20]);
        let signature = sign(&Certificate(signer.to_vec()), &hash, &mut NoRandom).unwrap();
        let id_type = IdType::DER_ASN1_DN;
        let proof = SignatureProof { certificates, id_type, id_data: id, signature: &signature };
        let certificate = proof.verify(&Authority(&[ALICE, BOB]), unix_seconds, &hash)?;
        Ok(certificate.subject().to_vec())
    }

    #[test]
    fn a_certificate_is_found_wherever_it_stands() {
        let ca: &[u8] = b"some authority";
        for certificates in [&[ALICE][..], &[ALICE, ca], &[ca, ALICE], &[ca, ca, BOB, ALICE, ALICE]]
        {
            assert_eq!(verify(certificates, ALICE, ALICE, 1).unwrap(), ALICE);
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        let ca: &[u8] = b"some authority";
        let fault = |certificates: &[&[u8]], id, signer, time| {
            verify(certificates, id, signer, time).unwrap_err()
        };
        assert_eq!(fault(&[], ALICE, ALICE, 1), ProofError::NoCertificate);
        let unknown = ProofError::Certificate(CertificateError::UnknownIssuer);
        assert_eq!(fault(&[ca], ca, ca, 1), unknown);
        let expired = ProofError::Certificate(CertificateError::NotValidNow);
        assert_eq!(fault(&[ALICE], ALICE, ALICE, 0), expired);
        assert_eq!(fault(&[ALICE, ca], BOB, ALICE, 1), ProofError::Identity);
        let wrong = ProofError::Signature(SignatureError::Invalid);
        for certificates in [&[ca, ALICE, BOB][..], &[BOB, ALICE, ca], &[ALICE]] {
            assert_eq!(fault(certificates, ALICE, BOB, 1), wrong, "the furthest step is told");
        }
    }

    #[test]
    fn no_more_than_eight_certificates_are_looked_at() {
        let mut many: Vec<Vec<u8>> = (0..).map(|n| vec![n]).take(MAX_CERTIFICATES - 1).collect();
        many.push(ALICE.to_vec());
        let refs = |many: &[Vec<u8>]| -> Result<Vec<u8>, ProofError> {
            let refs: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
            verify(&refs, ALICE, ALICE, 1)
        };
        assert!(refs(&many).is_ok());
        many.insert(0, vec![100]);
        assert_eq!(refs(&many), Err(ProofError::Certificate(CertificateError::UnknownIssuer)));
    }

    #[test]
    fn identities_match_whole() {
        let certificate = Certificate(vec![0x30, 0]);
        let has = |id_type, data: &[u8]| has_identity(&certificate, id_type, data);
        assert!(has(IdType::FQDN, b"VPN.example"));
        assert!(has(IdType::USER_FQDN, b"alice@vpn.example"));
        assert!(has(IdType::IPV4_ADDR, &[192, 0, 2, 1]));
        assert!(has(IdType::IPV6_ADDR, &[1; 16]));
        for (id_type, data) in [
            (IdType::FQDN, &b"vpn.example\0"[..]),
            (IdType::FQDN, b""),
            (IdType::FQDN, b"alice@vpn.example"),
            (IdType::FQDN, b"\xffvpn.example"),
            (IdType::USER_FQDN, b"vpn.example"),
            (IdType::IPV4_ADDR, &[192, 0, 2, 2]),
            (IdType::IPV4_ADDR, &[1; 16]),
            (IdType::IPV4_ADDR, &[1; 5]),
            (IdType::IPV6_ADDR, &[192, 0, 2, 1]),
            (IdType::IPV4_ADDR_SUBNET, &[192, 0, 2, 1]),
            (IdType::KEY_ID, b"vpn.example"),
            (IdType::DER_ASN1_DN, &[0x30, 0]), // the subject, but empty
        ] {
            assert!(!has(id_type, data), "{id_type:?} {data:?}");
        }
        assert!(has_identity(&Certificate(vec![0x30, 1, 2]), IdType::DER_ASN1_DN, &[0x30, 1, 2]));
        assert!(!has_identity(&Certificate(vec![0x30, 1, 2]), IdType::DER_ASN1_DN, &[0x30, 1]));
    }

    fn exchanged(hash: HashAlgorithm) -> Exchanged<'static> {
        Exchanged {
            prf: vpn_crypto::provider().ike.hash(hash).unwrap(),
            cookies: Cookies { initiator: [1; 8], responder: [2; 8] },
            nonces: Nonces { initiator: &[3; 16], responder: &[4; 16] },
            public_values: PublicValues { initiator: &[5; 128], responder: &[6; 128] },
            offer: &[7; 44],
            shared_secret: &[8; 128],
        }
    }

    /// The fifth message of main mode as an initiator with `psk` encrypts it.
    fn fifth(exchanged: &Exchanged<'_>, crypto: &'static dyn CbcCrypto, chain: &[u8]) -> Vec<u8> {
        let keys = SkeyId::derive_psk(exchanged, b"right");
        let cipher = MessageCipher::new(crypto, exchanged.prf, &keys);
        let iv = Iv::phase_1(exchanged.prf, crypto.cipher(), exchanged.public_values);
        let mut message = Vec::new();
        Header::new(exchanged.cookies, ExchangeType::MAIN_MODE, 0).encode(&mut message);
        message.extend(chain);
        cipher.encrypt(&iv, &mut message).unwrap();
        message.split_off(Header::LEN)
    }

    fn payload(next: u8, body: &[u8]) -> Vec<u8> {
        [&[next, 0, 0, u8::try_from(4 + body.len()).unwrap()], body].concat()
    }

    #[test]
    fn the_key_is_found_among_others_whatever_the_order_of_the_payloads() {
        let exchanged = exchanged(HashAlgorithm::Sha1);
        let ciphers = [EspCipher::TripleDesCbc, EspCipher::Aes192Cbc, EspCipher::Aes256Cbc];
        for cipher in ciphers {
            let crypto = vpn_crypto::provider().ike.cipher(cipher).unwrap();
            let keys = SkeyId::derive_psk(&exchanged, b"right");
            let id = [1, 0, 0, 0, 10, 0, 0, 1];
            let hash = hash_i(&exchanged, &keys, &id);
            let orders = [
                (5, [payload(8, &id), payload(0, hash.expose())].concat()),
                (8, [payload(5, hash.expose()), payload(0, &id)].concat()),
                (13, [payload(5, b"x"), payload(8, &id), payload(0, hash.expose())].concat()),
            ];
            for (first, chain) in orders {
                let body = fifth(&exchanged, crypto, &chain);
                for place in [0, 1, MAX_PSKS - 1] {
                    let mut psks = vec![SecretBytes::from("wrong"); MAX_PSKS + 3];
                    psks[place] = SecretBytes::from("right");
                    psks[MAX_PSKS] = SecretBytes::from("right");
                    let first = PayloadType(first);
                    let found = find_psk(&exchanged, crypto, &psks, first, &body).unwrap();
                    assert_eq!(found.candidate, place);
                    assert!(found.payloads.starts_with(&chain));
                    psks[place] = SecretBytes::from("wrong");
                    let none = find_psk(&exchanged, crypto, &psks, first, &body);
                    assert!(none.is_none(), "beyond the bound");
                }
            }
        }
    }

    #[test]
    fn a_wrong_proof_is_no_proof() {
        let exchanged = exchanged(HashAlgorithm::Sha2_256);
        let crypto = vpn_crypto::provider().ike.cipher(EspCipher::Aes128Cbc).unwrap();
        let keys = SkeyId::derive_psk(&exchanged, b"right");
        let id = [1, 0, 0, 0, 10, 0, 0, 1];
        let hash = hash_i(&exchanged, &keys, &id);
        let responders = super::super::hash::hash_r(&exchanged, &keys, &id);
        let psks = [SecretBytes::from("right")];
        let find = |first, body: &[u8]| {
            find_psk(&exchanged, crypto, &psks, PayloadType(first), body).is_some()
        };
        let right = [payload(8, &id), payload(0, hash.expose())].concat();
        assert!(find(5, &fifth(&exchanged, crypto, &right)));
        for (first, chain) in [
            (5, [payload(8, &id), payload(0, responders.expose())].concat()),
            (5, [payload(8, &id), payload(0, &hash.expose()[..20])].concat()),
            (5, [payload(8, &id[..7]), payload(0, hash.expose())].concat()),
            (5, payload(0, &id)),
            (8, payload(0, hash.expose())),
            (5, [payload(8, &id), payload(13, hash.expose()), vec![0, 0, 0, 200]].concat()),
            (0, right.clone()),
        ] {
            assert!(!find(first, &fifth(&exchanged, crypto, &chain)), "{first} {chain:?}");
        }
        // Every bit, and every length.
        let body = fifth(&exchanged, crypto, &right);
        for bit in 0..(right.len() - 4) * 8 {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!find(5, &flipped), "{bit}");
        }
        for len in 0..right.len() {
            assert!(!find(5, &body[..len]), "{len}");
        }
    }
}
