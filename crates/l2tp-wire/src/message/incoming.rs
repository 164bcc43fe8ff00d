//! Messages of an incoming call, from LAC to LNS (RFC 2661 §6.6–6.8).

use super::define::message;
use crate::BearerTypes;
use crate::FramingTypes;
use crate::ProxyAuthenId;
use crate::ProxyAuthenResponse;
use crate::ProxyAuthenType;

message! {
    /// Incoming-Call-Request (RFC 2661 §6.6): the LAC asks for a session.
    pub struct Icrq<'a> = ICRQ {
        /// The Session ID that the sender wants to be addressed by; not 0.
        required assigned_session_id: u16 = ASSIGNED_SESSION_ID;
        /// A reference to the call for administrators.
        defaulted call_serial_number: u32 = CALL_SERIAL_NUMBER, 0;
        /// The bearer of the call; none where it came over no physical line.
        optional bearer_type: BearerTypes = BEARER_TYPE;
        /// The number called, in ASCII.
        optional called_number: &'a [u8] = CALLED_NUMBER;
        /// The number of the caller, in ASCII.
        optional calling_number: &'a [u8] = CALLING_NUMBER;
        /// More dialing information, in ASCII.
        optional sub_address: &'a [u8] = SUB_ADDRESS;
        /// The physical channel, in the vendor's own coding.
        optional physical_channel_id: u32 = PHYSICAL_CHANNEL_ID;
    }
}

message! {
    /// Incoming-Call-Reply (RFC 2661 §6.7): the LNS accepts an ICRQ.
    pub struct Icrp = ICRP {
        /// The Session ID that the sender wants to be addressed by; not 0.
        required assigned_session_id: u16 = ASSIGNED_SESSION_ID;
    }
}

message! {
    /// Incoming-Call-Connected (RFC 2661 §6.8): the session is up.
    pub struct Iccn<'a> = ICCN {
        /// The speed from the LAC to the subscriber, in bits per second; both ways where
        /// `rx_connect_speed` is absent.
        defaulted tx_connect_speed: u32 = TX_CONNECT_SPEED, 0;
        /// The framing of the call.
        defaulted framing_type: FramingTypes = FRAMING_TYPE, FramingTypes::SYNC;
        /// Options of the first Configure-Request from the subscriber, without the LCP header.
        optional initial_received_lcp_confreq: &'a [u8] = INITIAL_RECEIVED_LCP_CONFREQ;
        /// Options of the last Configure-Request to the subscriber, without the LCP header.
        optional last_sent_lcp_confreq: &'a [u8] = LAST_SENT_LCP_CONFREQ;
        /// Options of the last Configure-Request from the subscriber, without the LCP header.
        optional last_received_lcp_confreq: &'a [u8] = LAST_RECEIVED_LCP_CONFREQ;
        /// How the LAC authenticated the subscriber. The next four belong to it: RFC 2661 §4.4.5
        /// says which type needs which.
        optional proxy_authen_type: ProxyAuthenType = PROXY_AUTHEN_TYPE;
        /// The name that the subscriber gave.
        optional proxy_authen_name: &'a [u8] = PROXY_AUTHEN_NAME;
        /// The challenge that the LAC sent to the subscriber.
        optional proxy_authen_challenge: &'a [u8] = PROXY_AUTHEN_CHALLENGE;
        /// The identifier of the authentication exchange.
        optional proxy_authen_id: ProxyAuthenId = PROXY_AUTHEN_ID;
        /// What the subscriber answered.
        optional proxy_authen_response: ProxyAuthenResponse<'a> = PROXY_AUTHEN_RESPONSE;
        /// The customer group that the call belongs to.
        optional private_group_id: &'a [u8] = PRIVATE_GROUP_ID;
        /// The speed from the subscriber to the LAC, in bits per second.
        optional rx_connect_speed: u32 = RX_CONNECT_SPEED;
        /// Whether every data message must carry sequence numbers.
        flag sequencing_required: () = SEQUENCING_REQUIRED;
    }
}
