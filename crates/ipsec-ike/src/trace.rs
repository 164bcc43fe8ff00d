use vpn_core::Path;

use crate::header::Cookies;
use crate::registry::ExchangeType;
use crate::registry::PayloadType;

/// One message that came or went, in clear text but without content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// Whether we sent it.
    pub sent: bool,
    /// Whether it was sent before.
    pub repeated: bool,
    /// From where to where.
    pub path: Path,
    /// The SA.
    pub cookies: Cookies,
    /// Which exchange.
    pub exchange: ExchangeType,
    /// Which exchange of phase 2; zero in phase 1.
    pub message_id: u32,
    /// The payloads in order; none of an encrypted message.
    pub payloads: alloc::vec::Vec<PayloadType>,
    /// What the state machine of the exchange is in after it.
    pub state: &'static str,
}
