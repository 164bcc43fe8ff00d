//! What the messages of a call say, as values that stand on their own.

use bytes::Bytes;
use l2tp_wire::BearerTypes;
use l2tp_wire::CdnResult;
use l2tp_wire::DisconnectCode;
use l2tp_wire::DisconnectDirection;
use l2tp_wire::ErrorCode;
use l2tp_wire::FramingTypes;
use l2tp_wire::ProxyAuthenType;
use vpn_core::SecretBytes;

/// An incoming call as the LAC announces it to the LNS: the content of an ICRQ (RFC 2661 §6.6).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IncomingCall {
    /// Call Serial Number, for administrators; 0 lets the endpoint choose the next one.
    pub serial: u32,
    /// Bearer of the call. Empty where it came over no physical line.
    pub bearer: Option<BearerTypes>,
    /// Physical channel, in the vendor's own coding.
    pub physical_channel: Option<u32>,
    /// Number of the caller, in ASCII.
    pub calling_number: Option<Bytes>,
    /// Number called, in ASCII.
    pub called_number: Option<Bytes>,
    /// More dialing information, in ASCII.
    pub sub_address: Option<Bytes>,
}

/// An outgoing call that the LNS asks the LAC to place: the content of an OCRQ (RFC 2661 §6.9).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutgoingCall {
    /// Call Serial Number, for administrators; 0 lets the endpoint choose the next one.
    pub serial: u32,
    /// Lowest acceptable line speed, in bits per second.
    pub minimum_bps: u32,
    /// Highest acceptable line speed, in bits per second.
    pub maximum_bps: u32,
    /// Bearers that will do. Must be among the LAC's Bearer Capabilities.
    pub bearer: BearerTypes,
    /// Framings that will do. Must be among the LAC's Framing Capabilities.
    pub framing: FramingTypes,
    /// Number to call, in ASCII.
    pub called_number: Bytes,
    /// More dialing information, in ASCII.
    pub sub_address: Option<Bytes>,
}

/// A call that is connected: the content of an ICCN (RFC 2661 §6.8) or OCCN (§6.11).
#[derive(Clone, Debug)]
pub struct ConnectedCall {
    /// Speed from the LAC to the subscriber, in bits per second.
    pub tx_speed: u32,
    /// Speed from the subscriber to the LAC, where it differs.
    pub rx_speed: Option<u32>,
    /// Framing of the call.
    pub framing: FramingTypes,
    /// Whether every data message must carry a sequence number.
    pub sequencing_required: bool,
    /// Customer group that the call belongs to. ICCN only.
    pub private_group: Option<Bytes>,
    /// LCP as the LAC negotiated it with the subscriber. ICCN only.
    pub proxy_lcp: Option<ProxyLcp>,
    /// Authentication as the LAC began it with the subscriber. ICCN only.
    pub proxy_auth: Option<ProxyAuth>,
}

impl Default for ConnectedCall {
    /// A call over no real line: 1 Gbit/s, synchronous framing, nothing negotiated.
    fn default() -> Self {
        Self {
            tx_speed: 1_000_000_000,
            rx_speed: None,
            framing: FramingTypes::SYNC,
            sequencing_required: false,
            private_group: None,
            proxy_lcp: None,
            proxy_auth: None,
        }
    }
}

/// The options of three LCP Configure-Requests, without the four octets in front
/// (RFC 2661 §4.4.5). The LNS may go on from there, or negotiate anew.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProxyLcp {
    /// The first one that the LAC received from the subscriber.
    pub initial_received: Option<Bytes>,
    /// The last one that the LAC sent.
    pub last_sent: Option<Bytes>,
    /// The last one that the LAC received.
    pub last_received: Option<Bytes>,
}

/// What the subscriber told the LAC to prove its identity (RFC 2661 §4.4.5). An LNS that does not
/// trust the LAC authenticates again (§9.5).
#[derive(Clone, Debug)]
pub struct ProxyAuth {
    /// Which authentication it was.
    pub kind: ProxyAuthenType,
    /// Name that the subscriber gave.
    pub name: Option<Bytes>,
    /// Challenge that the LAC sent. CHAP only.
    pub challenge: Option<Bytes>,
    /// Identifier of the CHAP challenge or of the PAP request.
    pub id: Option<u8>,
    /// CHAP response, or password in clear. Hidden on the wire whenever the tunnel has a secret.
    pub response: Option<SecretBytes>,
}

/// Why a call ends or is refused: the content of a CDN (RFC 2661 §6.12).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallResult {
    /// Result Code.
    pub result: CdnResult,
    /// Error Code; it counts with [`CdnResult::GENERAL_ERROR`].
    pub error: ErrorCode,
    /// A text for people.
    pub message: Bytes,
    /// Why, in the words of the telephone network.
    pub q931: Option<Q931>,
    /// Why PPP ended.
    pub ppp: Option<PppCause>,
}

/// Why a switched call ended (RFC 2661 §4.4.4), in the codes of ITU-T Q.931.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Q931 {
    /// Cause code.
    pub cause: u16,
    /// Message code, such as DISCONNECT.
    pub message: u8,
    /// A text for people, in ASCII.
    pub advisory: Bytes,
}

/// Why PPP ended (RFC 3145).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PppCause {
    /// The reason.
    pub code: DisconnectCode,
    /// Number of the PPP control protocol that failed, or 0.
    pub protocol: u16,
    /// Which side the code speaks of.
    pub direction: DisconnectDirection,
    /// A text for people.
    pub message: Bytes,
}

impl CallResult {
    /// A result that says all.
    #[must_use]
    pub const fn new(result: CdnResult) -> Self {
        Self { result, error: ErrorCode::NONE, message: Bytes::new(), q931: None, ppp: None }
    }

    /// A general error.
    #[must_use]
    pub const fn error(error: ErrorCode) -> Self {
        let mut result = Self::new(CdnResult::GENERAL_ERROR);
        result.error = error;
        result
    }

    /// Adds a text for people; 255 octets of it go out.
    #[must_use]
    pub fn message(mut self, message: impl Into<Bytes>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds what the telephone network said.
    #[must_use]
    pub fn q931(mut self, q931: Q931) -> Self {
        self.q931 = Some(q931);
        self
    }

    /// Adds why PPP ended.
    #[must_use]
    pub fn ppp(mut self, ppp: PppCause) -> Self {
        self.ppp = Some(ppp);
        self
    }
}
