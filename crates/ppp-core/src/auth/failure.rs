use alloc::format;
use alloc::string::String;

use crate::registry::registry;
use crate::text::sanitised;

registry! {
    /// The error code of an MS-CHAP Failure packet (RFC 2759 §6, RFC 2433 §5).
    MsChapError(u32) {
        /// ERROR_RESTRICTED_LOGON_HOURS.
        RESTRICTED_LOGON_HOURS = 646, "the account may not log on at this hour";
        /// ERROR_ACCT_DISABLED.
        ACCOUNT_DISABLED = 647, "the account is disabled";
        /// ERROR_PASSWD_EXPIRED.
        PASSWORD_EXPIRED = 648, "the password has expired";
        /// ERROR_NO_DIALIN_PERMISSION.
        NO_DIALIN_PERMISSION = 649, "the account has no permission to dial in";
        /// ERROR_AUTHENTICATION_FAILURE.
        AUTHENTICATION_FAILURE = 691, "wrong user name or password";
        /// ERROR_CHANGING_PASSWORD.
        CHANGING_PASSWORD = 709, "the password could not be changed";
    }
}

/// The text of an MS-CHAPv2 Failure packet, `E=691 R=1 C=… V=3 M=…` (RFC 2759 §6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MsChapFailure {
    /// Why.
    pub error: MsChapError,
    /// Whether another attempt is allowed.
    pub retry: bool,
    /// The challenge for the next attempt.
    pub challenge: Option<[u8; 16]>,
    /// The version of the password changing protocol; 3 for MS-CHAPv2.
    pub version: u32,
    /// Text for people, at most 200 characters without control characters.
    pub message: String,
}

impl MsChapFailure {
    /// Reads the text. Fields may come in any order and be left out, except E.
    ///
    /// At most 1,024 octets are looked at. `None` when there is no E field.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut rest = text.get(..1024).unwrap_or(text).trim_ascii();
        let mut error = None;
        let mut failure = Self {
            error: MsChapError::AUTHENTICATION_FAILURE,
            retry: false,
            challenge: None,
            version: 3,
            message: String::new(),
        };
        while let [key, b'=', after @ ..] = rest {
            if *key == b'M' {
                failure.message = sanitised(after);
                break;
            }
            let end = after.iter().position(|c| *c == b' ').unwrap_or(after.len());
            let (value, next) = after.split_at_checked(end)?;
            match key {
                b'E' => error = decimal(value).map(MsChapError),
                b'R' => failure.retry = decimal(value) == Some(1),
                b'C' => failure.challenge = hex(value),
                b'V' => failure.version = decimal(value).unwrap_or(failure.version),
                _ => {}
            }
            rest = next.trim_ascii_start();
        }
        failure.error = error?;
        Some(failure)
    }

    /// The text as it goes on the wire.
    #[must_use]
    pub fn encode(&self) -> String {
        let challenge = self.challenge.unwrap_or_default();
        let (e, r, c, v) = (self.error.0, u8::from(self.retry), Hex(&challenge), self.version);
        format!("E={e} R={r} C={c} V={v} M={}", self.message)
    }
}

/// Octets in upper-case hexadecimal digits, as MS-CHAP writes them.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

/// Reads exactly `2 * N` hexadecimal digits, of either case.
pub(crate) fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut octets = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let digits = str::from_utf8(pair).ok().filter(|d| !d.starts_with('+'))?;
        *octet = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(octets)
}

fn decimal(digits: &[u8]) -> Option<u32> {
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn reads_what_the_rfc_shows() {
        let text = b"E=691 R=1 C=0123456789ABCDEF0123456789abcdef V=3 M=Wrong, try again";
        let failure = MsChapFailure::parse(text).unwrap();
        assert_eq!(failure.error, MsChapError::AUTHENTICATION_FAILURE);
        assert!(failure.retry);
        assert_eq!(failure.challenge.unwrap()[..3], [1, 0x23, 0x45]);
        assert_eq!((failure.version, &failure.message[..]), (3, "Wrong, try again"));
        let again = failure.encode();
        assert_eq!(again.to_uppercase(), str::from_utf8(text).unwrap().to_uppercase());
        assert_eq!(MsChapFailure::parse(again.as_bytes()), Some(failure));
    }

    #[test]
    fn tolerates_order_gaps_and_unknown_fields() {
        let failure = MsChapFailure::parse(b"  R=0  X=9 E=0000000648 ").unwrap();
        assert_eq!(failure.error, MsChapError::PASSWORD_EXPIRED);
        assert_eq!((failure.retry, failure.challenge, failure.version), (false, None, 3));
        assert_eq!(MsChapFailure::parse(b"E=5").unwrap().error.to_string(), "0x5");
    }

    #[test]
    fn refuses_what_has_no_error_code() {
        for text in [&b""[..], b"R=1", b"E=", b"E=x", b"E=99999999999", b"Authentication failure"] {
            assert_eq!(MsChapFailure::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_bad_challenge_is_none() {
        for c in
            ["C=12", "C=+123456789ABCDEF0123456789ABCDEF", "C=zz23456789ABCDEF0123456789ABCDEF"]
        {
            let text = format!("E=691 R=1 {c}");
            assert_eq!(MsChapFailure::parse(text.as_bytes()).unwrap().challenge, None);
        }
    }

    #[test]
    fn any_cut_is_survived() {
        let text = b"E=691 R=1 C=0123456789ABCDEF0123456789ABCDEF V=3 M=x";
        for cut in 0..text.len() {
            let failure = MsChapFailure::parse(&text[..cut]);
            assert_eq!(failure.is_some(), cut > 2, "{cut}");
        }
    }
}
