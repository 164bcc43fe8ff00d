//! Result and error codes (RFC 2661 §4.4.2, RFC 3145 §2).

use super::value::Value;
use super::value::ValueError;
use super::value::prefixed;
use super::value::put_prefixed;
use crate::CdnResult;
use crate::DisconnectCode;
use crate::DisconnectDirection;
use crate::ErrorCode;
use crate::Leniencies;
use crate::StopCcnResult;

/// Why a tunnel or session ends: the Result Code AVP (RFC 2661 §4.4.2).
///
/// The Error Code may be absent on the wire, which reads as [`ErrorCode::NONE`]; it always goes
/// out, since the Windows 2000 family refuses an AVP without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResultCode<'a> {
    /// The number, whose meaning depends on the message: [`ResultCode::stop_ccn`] or
    /// [`ResultCode::cdn`].
    pub result: u16,
    /// What went wrong where the result is a general error. With result 5 of a StopCCN it holds
    /// the highest protocol version supported.
    pub error: ErrorCode,
    /// A text for people, in UTF-8; it may be empty.
    pub message: &'a [u8],
}

impl<'a> ResultCode<'a> {
    /// The Result Code of a StopCCN.
    #[must_use]
    pub const fn for_stop_ccn(result: StopCcnResult, error: ErrorCode, message: &'a [u8]) -> Self {
        Self { result: result.0, error, message }
    }

    /// The Result Code of a CDN.
    #[must_use]
    pub const fn for_cdn(result: CdnResult, error: ErrorCode, message: &'a [u8]) -> Self {
        Self { result: result.0, error, message }
    }

    /// What the result means in a StopCCN.
    #[must_use]
    pub const fn stop_ccn(&self) -> StopCcnResult {
        StopCcnResult(self.result)
    }

    /// What the result means in a CDN.
    #[must_use]
    pub const fn cdn(&self) -> CdnResult {
        CdnResult(self.result)
    }
}

impl<'a> Value<'a> for ResultCode<'a> {
    #[inline]
    fn decode(value: &'a [u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
        let ([r0, r1], rest) = prefixed(value)?;
        let (mut result, mut error) = (u16::from_be_bytes([*r0, *r1]), 0);
        let message = match rest.split_first_chunk() {
            Some(([e0, e1], message)) => {
                error = u16::from_be_bytes([*e0, *e1]);
                message
            }
            None => {
                // Half an Error Code: neither of the three lengths that the RFC has.
                if !rest.is_empty() {
                    departures.insert(Leniencies::LONG_VALUE);
                }
                &[]
            }
        };
        if is_swapped(result) {
            departures.insert(Leniencies::SWAPPED_RESULT_CODE);
            result = result.swap_bytes();
            if is_swapped(error) {
                error = error.swap_bytes();
            }
        }
        Ok(Self { result, error: ErrorCode(error), message })
    }

    #[inline]
    fn encoded_len(&self) -> usize {
        self.message.len().saturating_add(4)
    }

    #[inline]
    fn encode(&self, out: &mut [u8]) {
        let [r0, r1] = self.result.to_be_bytes();
        let [e0, e1] = self.error.0.to_be_bytes();
        put_prefixed(out, [r0, r1, e0, e1], self.message);
    }
}

/// A small number whose octets are in the wrong order.
const fn is_swapped(code: u16) -> bool {
    matches!(code.to_be_bytes(), [1..=255, 0])
}

/// Why PPP ended, told beside the Result Code of a CDN: the PPP Disconnect Cause Code AVP
/// (RFC 3145 §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PppDisconnectCause<'a> {
    /// The reason.
    pub code: DisconnectCode,
    /// The number of the PPP control protocol that failed, or 0.
    pub protocol: u16,
    /// Which side the code speaks of.
    pub direction: DisconnectDirection,
    /// A text for people, in UTF-8; it may be empty.
    pub message: &'a [u8],
}

impl<'a> Value<'a> for PppDisconnectCause<'a> {
    fn decode(value: &'a [u8], _: &mut Leniencies) -> Result<Self, ValueError> {
        let ([c0, c1, p0, p1, direction], message) = prefixed(value)?;
        Ok(Self {
            code: DisconnectCode(u16::from_be_bytes([*c0, *c1])),
            protocol: u16::from_be_bytes([*p0, *p1]),
            direction: DisconnectDirection(*direction),
            message,
        })
    }

    fn encoded_len(&self) -> usize {
        self.message.len().saturating_add(5)
    }

    fn encode(&self, out: &mut [u8]) {
        let [c0, c1] = self.code.0.to_be_bytes();
        let [p0, p1] = self.protocol.to_be_bytes();
        put_prefixed(out, [c0, c1, p0, p1, self.direction.0], self.message);
    }
}
