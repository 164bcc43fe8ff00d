use core::fmt;

use super::raw::RawAvp;
use super::show;
use super::value::ValueError;
use super::value::decode_value;
use crate::AttributeType;
use crate::BearerTypes;
use crate::CallErrors;
use crate::EncodeError;
use crate::FramingTypes;
use crate::Leniencies;
use crate::MessageBuilder;
use crate::MessageType;
use crate::PppDisconnectCause;
use crate::ProtocolVersion;
use crate::ProxyAuthenId;
use crate::ProxyAuthenResponse;
use crate::ProxyAuthenType;
use crate::Q931Cause;
use crate::ResultCode;
use crate::VendorId;
use crate::avp::status::Accm;

/// Defines [`Avp`]: a line an attribute, which names the variant, the form of its value, and how
/// the value is shown.
macro_rules! avps {
    ($($(#[$doc:meta])* $attribute:ident => $variant:ident($value:ty), $show:ident;)*) => {
        /// An AVP with its value in typed form: all of RFC 2661 (0 to 39) and RFC 3145 (46).
        ///
        /// `Display` shows the value in words.
        #[non_exhaustive]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Avp<'a> {
            $($(#[$doc])* $variant($value),)*
            /// Sequence numbers must be present on the data channel (RFC 2661 §4.4.4). It has no
            /// value.
            SequencingRequired,
            /// Any other AVP: of a vendor, of another RFC, still hidden, or with a reserved bit
            /// set, which makes it unrecognized (RFC 2661 §4.1).
            Raw(RawAvp<'a>),
        }

        impl<'a> Avp<'a> {
            /// Decodes the value of `raw` and notes in `departures` each rule of RFC 2661 that it
            /// breaks and that is put up with here.
            ///
            /// # Errors
            /// [`ValueError`] when the value is too short for its attribute.
            pub fn decode_noting(
                raw: &RawAvp<'a>,
                departures: &mut Leniencies,
            ) -> Result<Self, ValueError> {
                let RawAvp { hidden, reserved, vendor_id, attribute_type, value, .. } = *raw;
                if hidden || reserved != 0 || vendor_id != VendorId::IETF {
                    return Ok(Self::Raw(*raw));
                }
                match attribute_type {
                    $(AttributeType::$attribute => {
                        decode_value(attribute_type, value, departures).map(Self::$variant)
                    })*
                    AttributeType::SEQUENCING_REQUIRED => {
                        let () = decode_value(attribute_type, value, departures)?;
                        Ok(Self::SequencingRequired)
                    }
                    _ => Ok(Self::Raw(*raw)),
                }
            }

            /// The attribute, in the numbering of the vendor where it is one of a vendor.
            #[must_use]
            pub const fn attribute_type(&self) -> AttributeType {
                match self {
                    $(Self::$variant(_) => AttributeType::$attribute,)*
                    Self::SequencingRequired => AttributeType::SEQUENCING_REQUIRED,
                    Self::Raw(raw) => raw.attribute_type,
                }
            }

            pub(crate) fn put(
                &self,
                mandatory: bool,
                builder: &mut MessageBuilder<'_, '_>,
            ) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => {
                        builder.put(AttributeType::$attribute, mandatory, value)
                    })*
                    Self::SequencingRequired => {
                        builder.put(AttributeType::SEQUENCING_REQUIRED, mandatory, &())
                    }
                    Self::Raw(raw) => builder.raw(raw),
                }
            }
        }

        impl fmt::Display for Avp<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(value) => show::$show(value, f),)*
                    Self::SequencingRequired => Ok(()),
                    Self::Raw(raw) => show::octets(raw.value, f),
                }
            }
        }
    };
}

avps! {
    /// The type of the message (RFC 2661 §4.4.1).
    MESSAGE_TYPE => MessageType(MessageType), plain;
    /// Why a tunnel or session ends (RFC 2661 §4.4.2).
    RESULT_CODE => ResultCode(ResultCode<'a>), result_code;
    /// The protocol version of the sender (RFC 2661 §4.4.3).
    PROTOCOL_VERSION => ProtocolVersion(ProtocolVersion), plain;
    /// Framing that the sender accepts or asks for (RFC 2661 §4.4.3).
    FRAMING_CAPABILITIES => FramingCapabilities(FramingTypes), framing;
    /// Bearers that the sender has for outgoing calls (RFC 2661 §4.4.3).
    BEARER_CAPABILITIES => BearerCapabilities(BearerTypes), bearer;
    /// Chooses one of two tunnels opened at once; the lower value wins (RFC 2661 §4.4.3).
    TIE_BREAKER => TieBreaker(u64), hexadecimal;
    /// The sender's firmware, in its vendor's own coding (RFC 2661 §4.4.3).
    FIRMWARE_REVISION => FirmwareRevision(u16), hexadecimal;
    /// The sender's name (RFC 2661 §4.4.3).
    HOST_NAME => HostName(&'a [u8]), text;
    /// A description of the sender (RFC 2661 §4.4.3).
    VENDOR_NAME => VendorName(&'a [u8]), text;
    /// The Tunnel ID that the sender wants to be addressed by (RFC 2661 §4.4.3).
    ASSIGNED_TUNNEL_ID => AssignedTunnelId(u16), plain;
    /// How many control messages the sender takes before it acknowledges (RFC 2661 §4.4.3).
    RECEIVE_WINDOW_SIZE => ReceiveWindowSize(u16), plain;
    /// The sender wants this answered with the shared secret (RFC 2661 §4.4.3).
    CHALLENGE => Challenge(&'a [u8]), octets;
    /// Why a switched call ended (RFC 2661 §4.4.4).
    Q931_CAUSE_CODE => Q931Cause(Q931Cause<'a>), q931_cause;
    /// The answer to a challenge (RFC 2661 §4.4.3).
    CHALLENGE_RESPONSE => ChallengeResponse([u8; 16]), octets;
    /// The Session ID that the sender wants to be addressed by (RFC 2661 §4.4.4).
    ASSIGNED_SESSION_ID => AssignedSessionId(u16), plain;
    /// A reference to the call for administrators (RFC 2661 §4.4.4).
    CALL_SERIAL_NUMBER => CallSerialNumber(u32), plain;
    /// The lowest acceptable line speed, in bits per second (RFC 2661 §4.4.4).
    MINIMUM_BPS => MinimumBps(u32), plain;
    /// The highest acceptable line speed, in bits per second (RFC 2661 §4.4.4).
    MAXIMUM_BPS => MaximumBps(u32), plain;
    /// The bearer of the call (RFC 2661 §4.4.4).
    BEARER_TYPE => BearerType(BearerTypes), bearer;
    /// The framing of the call (RFC 2661 §4.4.4).
    FRAMING_TYPE => FramingType(FramingTypes), framing;
    /// The number called or to be called, in ASCII (RFC 2661 §4.4.4).
    CALLED_NUMBER => CalledNumber(&'a [u8]), text;
    /// The number of the caller, in ASCII (RFC 2661 §4.4.4).
    CALLING_NUMBER => CallingNumber(&'a [u8]), text;
    /// More dialing information, in ASCII (RFC 2661 §4.4.4).
    SUB_ADDRESS => SubAddress(&'a [u8]), text;
    /// The speed from the LAC to the subscriber, in bits per second (RFC 2661 §4.4.4).
    TX_CONNECT_SPEED => TxConnectSpeed(u32), plain;
    /// The physical channel, in the vendor's own coding (RFC 2661 §4.4.4).
    PHYSICAL_CHANNEL_ID => PhysicalChannelId(u32), hexadecimal;
    /// Options of the first Configure-Request from the subscriber (RFC 2661 §4.4.5).
    INITIAL_RECEIVED_LCP_CONFREQ => InitialReceivedLcpConfreq(&'a [u8]), octets;
    /// Options of the last Configure-Request to the subscriber (RFC 2661 §4.4.5).
    LAST_SENT_LCP_CONFREQ => LastSentLcpConfreq(&'a [u8]), octets;
    /// Options of the last Configure-Request from the subscriber (RFC 2661 §4.4.5).
    LAST_RECEIVED_LCP_CONFREQ => LastReceivedLcpConfreq(&'a [u8]), octets;
    /// How the LAC authenticated the subscriber (RFC 2661 §4.4.5).
    PROXY_AUTHEN_TYPE => ProxyAuthenType(ProxyAuthenType), plain;
    /// The name that the subscriber gave (RFC 2661 §4.4.5).
    PROXY_AUTHEN_NAME => ProxyAuthenName(&'a [u8]), text;
    /// The challenge that the LAC sent to the subscriber (RFC 2661 §4.4.5).
    PROXY_AUTHEN_CHALLENGE => ProxyAuthenChallenge(&'a [u8]), octets;
    /// The identifier of the authentication exchange (RFC 2661 §4.4.5).
    PROXY_AUTHEN_ID => ProxyAuthenId(ProxyAuthenId), proxy_id;
    /// What the subscriber answered, which may be a password in clear (RFC 2661 §4.4.5).
    PROXY_AUTHEN_RESPONSE => ProxyAuthenResponse(ProxyAuthenResponse<'a>), proxy_response;
    /// Errors on the line (RFC 2661 §4.4.6).
    CALL_ERRORS => CallErrors(CallErrors), call_errors;
    /// Which control characters are escaped on the line (RFC 2661 §4.4.6).
    ACCM => Accm(Accm), accm;
    /// Enters into the hiding of the AVPs that follow (RFC 2661 §4.4.1).
    RANDOM_VECTOR => RandomVector(&'a [u8]), octets;
    /// The customer group that the call belongs to (RFC 2661 §4.4.4).
    PRIVATE_GROUP_ID => PrivateGroupId(&'a [u8]), text;
    /// The speed from the subscriber to the LAC, in bits per second (RFC 2661 §4.4.4).
    RX_CONNECT_SPEED => RxConnectSpeed(u32), plain;
    /// Why PPP ended (RFC 3145 §2).
    PPP_DISCONNECT_CAUSE_CODE => PppDisconnectCause(PppDisconnectCause<'a>), disconnect_cause;
}

impl<'a> Avp<'a> {
    /// Decodes the value of `raw`, as tolerantly as can be.
    ///
    /// # Errors
    /// [`ValueError`] when the value is too short for its attribute.
    pub fn decode(raw: &RawAvp<'a>) -> Result<Self, ValueError> {
        Self::decode_noting(raw, &mut Leniencies::empty())
    }
}
