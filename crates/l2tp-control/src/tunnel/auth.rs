//! Tunnel authentication (RFC 2661 §5.1.1): both ends may challenge, with one secret.

use l2tp_wire::MessageType;
use l2tp_wire::auth;
use vpn_core::SecretBytes;
use vpn_core::crypto::Hash;

use crate::AuthFailure;

/// Octets of a challenge that we send.
const CHALLENGE_LEN: usize = 16;

/// A challenge that we send.
pub(crate) type Challenge = [u8; CHALLENGE_LEN];

/// Checks the peer's answer to our challenge, which came in `message_type`.
///
/// We challenge whenever there is a secret, so without a challenge there is nothing to check.
pub(crate) fn verify(
    md5: &dyn Hash<16>,
    secret: Option<&SecretBytes>,
    challenge: Option<&Challenge>,
    message_type: MessageType,
    response: Option<[u8; 16]>,
) -> Result<(), AuthFailure> {
    let (Some(secret), Some(challenge)) = (secret, challenge) else { return Ok(()) };
    let response = response.ok_or(AuthFailure::NoResponse)?;
    if auth::verify_response(md5, message_type, secret.expose(), challenge, &response) {
        Ok(())
    } else {
        Err(AuthFailure::WrongResponse)
    }
}

/// Answers the peer's challenge, if there is one, in `message_type`.
pub(crate) fn respond(
    md5: &dyn Hash<16>,
    secret: Option<&SecretBytes>,
    challenge: Option<&[u8]>,
    message_type: MessageType,
) -> Option<[u8; 16]> {
    let (secret, challenge) = (secret?, challenge?);
    Some(auth::challenge_response(md5, message_type, secret.expose(), challenge))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked() {
        let md5 = vpn_crypto::provider().legacy.md5;
        let secret = SecretBytes::from("s3cret");
        let challenge = [7; CHALLENGE_LEN];
        let check = |secret, challenge, response| {
            verify(md5, secret, challenge, MessageType::SCCRP, response)
        };
        let right = respond(md5, Some(&secret), Some(&challenge), MessageType::SCCRP);
        let of_scccn = respond(md5, Some(&secret), Some(&challenge), MessageType::SCCCN);
        assert_eq!(check(Some(&secret), Some(&challenge), right), Ok(()));
        assert_eq!(
            check(Some(&secret), Some(&challenge), of_scccn),
            Err(AuthFailure::WrongResponse)
        );
        assert_eq!(check(Some(&secret), Some(&challenge), None), Err(AuthFailure::NoResponse));
        let mut wrong = right.unwrap();
        for octet in 0..16 {
            wrong[octet] ^= 1;
            assert!(check(Some(&secret), Some(&challenge), Some(wrong)).is_err());
            wrong[octet] ^= 1;
        }
        assert_eq!(check(None, None, None), Ok(()));
        assert_eq!(check(None, None, right), Ok(()));
        assert_eq!(respond(md5, None, Some(&challenge), MessageType::SCCRP), None);
        assert_eq!(respond(md5, Some(&secret), None, MessageType::SCCRP), None);
    }
}
