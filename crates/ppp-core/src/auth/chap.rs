use alloc::vec::Vec;

use vpn_core::Reader;
use vpn_core::crypto::CryptoProvider;

use crate::DecodeError;
use crate::Packet;
use crate::registry::registry;

registry! {
    /// The Code of a CHAP packet (RFC 1994 §4, RFC 2759 §7).
    ChapCode(u8) {
        /// What to prove the secret against.
        CHALLENGE = 1, "Challenge";
        /// The proof.
        RESPONSE = 2, "Response";
        /// The proof is right.
        SUCCESS = 3, "Success";
        /// It is not.
        FAILURE = 4, "Failure";
        /// MS-CHAPv2: change an expired password. Refused here.
        CHANGE_PASSWORD = 7, "Change-Password";
    }
}

/// A CHAP packet without its Identifier (RFC 1994 §4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChapPacket<'a> {
    /// Challenge.
    Challenge {
        /// What the proof is computed over, at most 255 octets.
        value: &'a [u8],
        /// The authenticator's name.
        name: &'a [u8],
    },
    /// Response.
    Response {
        /// The proof, at most 255 octets: 16 for MD5, 49 for MS-CHAPv2.
        value: &'a [u8],
        /// The name of the one that proves itself.
        name: &'a [u8],
    },
    /// Success, with text.
    Success(&'a [u8]),
    /// Failure, with text.
    Failure(&'a [u8]),
    /// MS-CHAPv2 Change-Password (RFC 2759 §7), unread.
    ChangePassword(&'a [u8]),
}

impl<'a> ChapPacket<'a> {
    /// Reads a CHAP packet.
    ///
    /// # Errors
    /// [`DecodeError::UnknownCode`], or [`DecodeError::Truncated`] when the Value is cut short.
    pub fn decode(packet: &Packet<'a>) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(packet.data);
        let mut value_and_name = || {
            let len = usize::from(reader.u8()?);
            let value = reader.take(len)?;
            Ok::<_, DecodeError>((value, reader.rest()))
        };
        Ok(match ChapCode(packet.code) {
            ChapCode::CHALLENGE => {
                let (value, name) = value_and_name()?;
                Self::Challenge { value, name }
            }
            ChapCode::RESPONSE => {
                let (value, name) = value_and_name()?;
                Self::Response { value, name }
            }
            ChapCode::SUCCESS => Self::Success(packet.data),
            ChapCode::FAILURE => Self::Failure(packet.data),
            ChapCode::CHANGE_PASSWORD => Self::ChangePassword(packet.data),
            ChapCode(code) => return Err(DecodeError::UnknownCode(code)),
        })
    }

    /// The packet's Code.
    #[must_use]
    pub const fn code(&self) -> ChapCode {
        match self {
            Self::Challenge { .. } => ChapCode::CHALLENGE,
            Self::Response { .. } => ChapCode::RESPONSE,
            Self::Success(_) => ChapCode::SUCCESS,
            Self::Failure(_) => ChapCode::FAILURE,
            Self::ChangePassword(_) => ChapCode::CHANGE_PASSWORD,
        }
    }

    /// Appends the data of the packet, without its header, to `out`. A value is cut at 255 octets.
    pub fn encode_data(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Challenge { value, name } | Self::Response { value, name } => {
                let value = value.get(..usize::from(u8::MAX)).unwrap_or(value);
                out.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
                out.extend_from_slice(value);
                out.extend_from_slice(name);
            }
            Self::Success(data) | Self::Failure(data) | Self::ChangePassword(data) => {
                out.extend_from_slice(data);
            }
        }
    }
}

/// The Response Value of CHAP with MD5: MD5 over Identifier, secret and Challenge Value
/// (RFC 1994 §4.1).
#[must_use]
pub fn chap_md5_response(
    provider: &CryptoProvider,
    identifier: u8,
    secret: &[u8],
    challenge: &[u8],
) -> [u8; 16] {
    provider.legacy.md5.hash(&[&[identifier], secret, challenge])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_and_response_read_write_and_refuse_cuts() {
        let data = *b"\x04abcdlns";
        for code in [1, 2] {
            let packet = Packet { code, identifier: 1, data: &data };
            let chap = ChapPacket::decode(&packet).unwrap();
            assert_eq!(chap.code().0, code);
            let mut again = Vec::new();
            chap.encode_data(&mut again);
            assert_eq!(again, data);
            for cut in 0..5 {
                let packet = Packet { data: &data[..cut], ..packet };
                assert!(ChapPacket::decode(&packet).is_err(), "{cut}");
            }
        }
    }

    #[test]
    fn text_packets_and_unknown_codes() {
        let decode = |code| ChapPacket::decode(&Packet { code, identifier: 1, data: b"hi" });
        assert_eq!(decode(3), Ok(ChapPacket::Success(b"hi")));
        assert_eq!(decode(4), Ok(ChapPacket::Failure(b"hi")));
        assert_eq!(decode(7), Ok(ChapPacket::ChangePassword(b"hi")));
        assert_eq!(decode(5), Err(DecodeError::UnknownCode(5)));
        for code in [3, 4, 7] {
            let mut again = Vec::new();
            decode(code).unwrap().encode_data(&mut again);
            assert_eq!((decode(code).unwrap().code().0, &again[..]), (code, &b"hi"[..]));
        }
    }
}
