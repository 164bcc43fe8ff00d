//! Tunnel authentication (RFC 2661 §5.1.1, §4.4.3): a challenge answered with the shared secret.

use vpn_core::crypto::Hash;
use vpn_core::ct_eq;

use crate::MessageType;

/// The Challenge Response to `challenge`: the CHAP response of RFC 1994 §4.1 whose identifier is
/// the type of the message that carries it, 2 in an SCCRP and 3 in an SCCCN.
#[must_use]
pub fn challenge_response(
    md5: &dyn Hash<16>,
    message_type: MessageType,
    secret: &[u8],
    challenge: &[u8],
) -> [u8; 16] {
    let [_, identifier] = message_type.0.to_be_bytes();
    md5.hash(&[&[identifier], secret, challenge])
}

/// Whether `response`, which came in a message of `message_type`, answers `challenge`. The
/// comparison takes the same time wherever a difference lies.
#[must_use]
pub fn verify_response(
    md5: &dyn Hash<16>,
    message_type: MessageType,
    secret: &[u8],
    challenge: &[u8],
    response: &[u8; 16],
) -> bool {
    ct_eq(&challenge_response(md5, message_type, secret, challenge), response)
}
