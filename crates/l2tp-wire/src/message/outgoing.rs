//! Messages of an outgoing call, asked for by the LNS (RFC 2661 §6.9–6.11).

use super::define::message;
use crate::BearerTypes;
use crate::FramingTypes;

message! {
    /// Outgoing-Call-Request (RFC 2661 §6.9): the LNS asks the LAC to place a call.
    pub struct Ocrq<'a> = OCRQ {
        /// The Session ID that the sender wants to be addressed by; not 0.
        required assigned_session_id: u16 = ASSIGNED_SESSION_ID;
        /// A reference to the call for administrators.
        defaulted call_serial_number: u32 = CALL_SERIAL_NUMBER, 0;
        /// The lowest acceptable line speed, in bits per second.
        required minimum_bps: u32 = MINIMUM_BPS;
        /// The highest acceptable line speed, in bits per second.
        required maximum_bps: u32 = MAXIMUM_BPS;
        /// The bearer wanted.
        required bearer_type: BearerTypes = BEARER_TYPE;
        /// The framing wanted.
        defaulted framing_type: FramingTypes = FRAMING_TYPE, FramingTypes::SYNC;
        /// The number to be called, in ASCII.
        required called_number: &'a [u8] = CALLED_NUMBER;
        /// More dialing information, in ASCII.
        optional sub_address: &'a [u8] = SUB_ADDRESS;
    }
}

message! {
    /// Outgoing-Call-Reply (RFC 2661 §6.10): the LAC will try.
    pub struct Ocrp = OCRP {
        /// The Session ID that the sender wants to be addressed by; not 0.
        required assigned_session_id: u16 = ASSIGNED_SESSION_ID;
        /// The physical channel, in the vendor's own coding.
        optional physical_channel_id: u32 = PHYSICAL_CHANNEL_ID;
    }
}

message! {
    /// Outgoing-Call-Connected (RFC 2661 §6.11): the call was answered, the session is up.
    pub struct Occn = OCCN {
        /// The speed from the LAC to the remote system, in bits per second; both ways where
        /// `rx_connect_speed` is absent.
        defaulted tx_connect_speed: u32 = TX_CONNECT_SPEED, 0;
        /// The framing of the call.
        defaulted framing_type: FramingTypes = FRAMING_TYPE, FramingTypes::SYNC;
        /// The speed from the remote system to the LAC, in bits per second.
        optional rx_connect_speed: u32 = RX_CONNECT_SPEED;
        /// Whether every data message must carry sequence numbers.
        flag sequencing_required: () = SEQUENCING_REQUIRED;
    }
}
