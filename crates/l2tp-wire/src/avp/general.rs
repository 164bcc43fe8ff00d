//! AVPs applicable to all control messages (RFC 2661 §4.4.1).

use super::value::Value;
use super::value::ValueError;
use crate::Leniencies;
use crate::MessageType;

impl Value<'_> for MessageType {
    #[inline]
    fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
        u16::decode(value, departures).map(Self)
    }

    #[inline]
    fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }

    #[inline]
    fn encode(&self, out: &mut [u8]) {
        self.0.encode(out);
    }
}
