//! The hashes that authenticate messages (RFC 2409 §5, §5.5, §5.7).

use vpn_core::crypto::Digest;
use vpn_core::crypto::IkeHash;

use super::keys::Exchanged;
use super::keys::Nonces;
use super::keys::SkeyId;

/// HASH_I = prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b) (RFC 2409 §5): what proves the
/// initiator of phase 1, as it is with a pre-shared key, signed with a certificate.
///
/// `identification` is the body of the initiator's Identification payload, with type, protocol and
/// port.
#[must_use]
pub fn hash_i(exchanged: &Exchanged<'_>, keys: &SkeyId, identification: &[u8]) -> Digest {
    let parts = [
        exchanged.public_values.initiator,
        exchanged.public_values.responder,
        &exchanged.cookies.initiator,
        &exchanged.cookies.responder,
        exchanged.offer,
        identification,
    ];
    exchanged.prf.hmac(keys.skeyid.expose(), &parts)
}

/// HASH_R = prf(SKEYID, g^xr | g^xi | CKY-R | CKY-I | SAi_b | IDir_b) (RFC 2409 §5): what proves the
/// responder. The SA payload is the initiator's in both hashes.
#[must_use]
pub fn hash_r(exchanged: &Exchanged<'_>, keys: &SkeyId, identification: &[u8]) -> Digest {
    let parts = [
        exchanged.public_values.responder,
        exchanged.public_values.initiator,
        &exchanged.cookies.responder,
        &exchanged.cookies.initiator,
        exchanged.offer,
        identification,
    ];
    exchanged.prf.hmac(keys.skeyid.expose(), &parts)
}

/// HASH(1) = prf(SKEYID_a, M-ID | …) of a quick mode's first message (RFC 2409 §5.5) and of an
/// informational exchange (§5.7).
///
/// `payloads` is everything after the Hash payload as it is in the message, with the payloads'
/// headers and without the padding.
#[must_use]
pub fn hash_1(prf: &dyn IkeHash, keys: &SkeyId, message_id: u32, payloads: &[u8]) -> Digest {
    prf.hmac(keys.skeyid_a.expose(), &[&message_id.to_be_bytes(), payloads])
}

/// HASH(2) = prf(SKEYID_a, M-ID | Ni_b | …) of a quick mode's second message (RFC 2409 §5.5).
///
/// `payloads` as in [`hash_1`]. The initiator's nonce proves that the responder is alive.
#[must_use]
pub fn hash_2(
    prf: &dyn IkeHash,
    keys: &SkeyId,
    message_id: u32,
    nonce_initiator: &[u8],
    payloads: &[u8],
) -> Digest {
    prf.hmac(keys.skeyid_a.expose(), &[&message_id.to_be_bytes(), nonce_initiator, payloads])
}

/// HASH(3) = prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b) of a quick mode's third message (RFC 2409 §5.5).
#[must_use]
pub fn hash_3(prf: &dyn IkeHash, keys: &SkeyId, message_id: u32, nonces: Nonces<'_>) -> Digest {
    let parts = [&[0], &message_id.to_be_bytes()[..], nonces.initiator, nonces.responder];
    prf.hmac(keys.skeyid_a.expose(), &parts)
}
