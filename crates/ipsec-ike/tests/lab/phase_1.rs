//! What is in clear of an exchange, and what was agreed on.

use ipsec_ike::Cookies;
use ipsec_ike::ExchangeType;
use ipsec_ike::PayloadType;
use ipsec_ike::v1::keys::Exchanged;
use ipsec_ike::v1::keys::Nonces;
use ipsec_ike::v1::keys::PublicValues;
use vpn_core::crypto::CbcCrypto;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::HashAlgorithm;
use vpn_core::crypto::IkeHash;

use super::Datagram;
use super::messages;
use super::payload;

/// IKE's cipher and hash and ESP's suite of a capture.
pub(crate) fn algorithms(
    capture: &str,
) -> (&'static dyn CbcCrypto, &'static dyn IkeHash, EspSuite) {
    use EspCipher::*;
    use HashAlgorithm::*;
    let (cipher, hash, suite) = match capture.split_once('-').unwrap().1 {
        "strongswan" => (Aes128Cbc, Sha2_256, "aes128-sha256"),
        "3des-sha1" => (TripleDesCbc, Sha1, "3des-sha1"),
        "aes128-sha1" => (Aes128Cbc, Sha1, "aes128-sha1"),
        "aes256-sha1" | "aggressive" => (Aes256Cbc, Sha1, "aes256-sha1"),
        "aes256-sha256" => (Aes256Cbc, Sha2_256, "aes256-sha256"),
        "aes256gcm" => (Aes256Cbc, Sha2_256, "aes256gcm16"),
        other => panic!("{other}"),
    };
    let ike = vpn_crypto::provider().ike;
    (ike.cipher(cipher).unwrap(), ike.hash(hash).unwrap(), suite.parse().unwrap())
}

/// The messages as `side` saw them: the client sits behind a NAT in some captures.
pub(crate) fn seen_by(capture: &str, side: &str) -> Vec<Datagram> {
    let file = if side == "client" && capture.starts_with("natt") {
        "wire-client.pcap"
    } else {
        "wire.pcap"
    };
    messages(capture, file)
}

/// What phase 1 exchanged, taken from the wire.
pub(crate) struct Phase1 {
    pub(crate) cookies: Cookies,
    pub(crate) offer: Vec<u8>,
    pub(crate) publics: [Vec<u8>; 2],
    pub(crate) nonces: [Vec<u8>; 2],
    /// How many messages phase 1 has.
    pub(crate) len: usize,
    pub(crate) main_mode: bool,
}

impl Phase1 {
    pub(crate) fn read(wire: &[Datagram]) -> Self {
        let main_mode = wire[0].header().exchange_type == ExchangeType::MAIN_MODE;
        let (len, initiators, responders) = if main_mode { (6, 2, 3) } else { (3, 0, 1) };
        let of = |at: usize, kind| payload(wire[at].header().next_payload, wire[at].body(), kind);
        let both = |kind| [of(initiators, kind), of(responders, kind)];
        Self {
            cookies: wire[1].header().cookies,
            offer: of(0, PayloadType::SECURITY_ASSOCIATION),
            publics: both(PayloadType::KEY_EXCHANGE),
            nonces: both(PayloadType::NONCE),
            len,
            main_mode,
        }
    }

    pub(crate) fn exchanged<'a>(
        &'a self,
        prf: &'static dyn IkeHash,
        shared_secret: &'a [u8],
    ) -> Exchanged<'a> {
        let ([gxi, gxr], [ni, nr]) = (&self.publics, &self.nonces);
        Exchanged {
            prf,
            cookies: self.cookies,
            nonces: Nonces { initiator: ni, responder: nr },
            public_values: PublicValues { initiator: gxi, responder: gxr },
            offer: &self.offer,
            shared_secret,
        }
    }
}
