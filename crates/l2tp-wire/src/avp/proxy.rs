//! Proxy LCP and authentication AVPs (RFC 2661 §4.4.5).

use core::fmt;

use super::value::Value;
use super::value::ValueError;
use super::value::fixed;
use crate::Leniencies;
use crate::registry::registry;

registry! {
    /// How the LAC authenticated its subscriber: the Proxy Authen Type AVP (RFC 2661 §4.4.5).
    pub struct ProxyAuthenType(u16) as "proxy authentication type" {
        /// A textual exchange of user name and password.
        TEXT = 1, "textual user name and password";
        /// PPP CHAP.
        CHAP = 2, "CHAP";
        /// PPP PAP.
        PAP = 3, "PAP";
        /// No authentication.
        NONE = 4, "no authentication";
        /// Microsoft CHAP, version 1.
        MSCHAPV1 = 5, "MS-CHAPv1";
        /// EAP (registered later).
        EAP = 7, "EAP";
    }
}

/// The identifier of the PPP authentication that the LAC saw: the Proxy Authen ID AVP
/// (RFC 2661 §4.4.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ProxyAuthenId(pub u8);

impl Value<'_> for ProxyAuthenId {
    const LEN: Option<usize> = Some(2);

    #[inline]
    fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
        let [reserved, id] = *fixed(value, departures)?;
        if reserved != 0 {
            departures.insert(Leniencies::NONZERO_RESERVED);
        }
        Ok(Self(id))
    }

    #[inline]
    fn encoded_len(&self) -> usize {
        2
    }

    #[inline]
    fn encode(&self, out: &mut [u8]) {
        out.copy_from_slice(&[0, self.0]);
    }
}

/// The subscriber's answer to authentication: the Proxy Authen Response AVP (RFC 2661 §4.4.5).
///
/// For textual authentication and PAP it is the password in clear, so `Debug` shows its length
/// only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProxyAuthenResponse<'a>(pub &'a [u8]);

impl fmt::Debug for ProxyAuthenResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyAuthenResponse({} octets)", self.0.len())
    }
}

impl<'a> Value<'a> for ProxyAuthenResponse<'a> {
    #[inline]
    fn decode(value: &'a [u8], _: &mut Leniencies) -> Result<Self, ValueError> {
        Ok(Self(value))
    }

    #[inline]
    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn encode(&self, out: &mut [u8]) {
        out.copy_from_slice(self.0);
    }
}
