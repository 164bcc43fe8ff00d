//! Control connection management messages (RFC 2661 §6.1–6.5).

use super::define::message;
use crate::BearerTypes;
use crate::FramingTypes;
use crate::ProtocolVersion;
use crate::ResultCode;

message! {
    /// Start-Control-Connection-Request (RFC 2661 §6.1): asks for a tunnel.
    pub struct Sccrq<'a> = SCCRQ {
        /// The protocol version of the sender.
        required protocol_version: ProtocolVersion = PROTOCOL_VERSION;
        /// Framing that the sender accepts.
        defaulted framing_capabilities: FramingTypes = FRAMING_CAPABILITIES, FramingTypes::all();
        /// Bearers on which the sender can place outgoing calls; absent if it places none.
        optional bearer_capabilities: BearerTypes = BEARER_CAPABILITIES;
        /// Chooses one of two tunnels opened at once: the lower value wins.
        optional tie_breaker: u64 = TIE_BREAKER;
        /// The sender's firmware, in its vendor's own coding.
        optional firmware_revision: u16 = FIRMWARE_REVISION;
        /// The sender's name: octets of any kind.
        required host_name: &'a [u8] = HOST_NAME;
        /// A description of the sender, in UTF-8.
        optional vendor_name: &'a [u8] = VENDOR_NAME;
        /// The Tunnel ID that the sender wants to be addressed by; not 0.
        required assigned_tunnel_id: u16 = ASSIGNED_TUNNEL_ID;
        /// Control messages that the sender takes before it acknowledges; absent means 4.
        optional receive_window_size: u16 = RECEIVE_WINDOW_SIZE;
        /// To be answered with the shared secret.
        optional challenge: &'a [u8] = CHALLENGE;
    }
}

message! {
    /// Start-Control-Connection-Reply (RFC 2661 §6.2): accepts an SCCRQ.
    pub struct Sccrp<'a> = SCCRP {
        /// The protocol version of the sender.
        required protocol_version: ProtocolVersion = PROTOCOL_VERSION;
        /// Framing that the sender accepts.
        defaulted framing_capabilities: FramingTypes = FRAMING_CAPABILITIES, FramingTypes::all();
        /// Bearers on which the sender can place outgoing calls; absent if it places none.
        optional bearer_capabilities: BearerTypes = BEARER_CAPABILITIES;
        /// The sender's firmware, in its vendor's own coding.
        optional firmware_revision: u16 = FIRMWARE_REVISION;
        /// The sender's name: octets of any kind.
        required host_name: &'a [u8] = HOST_NAME;
        /// A description of the sender, in UTF-8.
        optional vendor_name: &'a [u8] = VENDOR_NAME;
        /// The Tunnel ID that the sender wants to be addressed by; not 0.
        required assigned_tunnel_id: u16 = ASSIGNED_TUNNEL_ID;
        /// Control messages that the sender takes before it acknowledges; absent means 4.
        optional receive_window_size: u16 = RECEIVE_WINDOW_SIZE;
        /// The answer to the challenge of the SCCRQ: see [`auth`](crate::auth).
        optional challenge_response: [u8; 16] = CHALLENGE_RESPONSE;
        /// To be answered with the shared secret.
        optional challenge: &'a [u8] = CHALLENGE;
    }
}

message! {
    /// Start-Control-Connection-Connected (RFC 2661 §6.3): completes the set-up of a tunnel.
    pub struct Scccn = SCCCN {
        /// The answer to the challenge of the SCCRP: see [`auth`](crate::auth).
        optional challenge_response: [u8; 16] = CHALLENGE_RESPONSE;
    }
}

message! {
    /// Stop-Control-Connection-Notification (RFC 2661 §6.4): ends a tunnel and its sessions.
    pub struct StopCcn<'a> = STOP_CCN {
        /// The Tunnel ID that the sender first assigned. It may come as 0 from a peer that gives
        /// up before it has one, where [`Leniencies::ZERO_ID`](crate::Leniencies::ZERO_ID) is
        /// put up with.
        required assigned_tunnel_id: u16 = ASSIGNED_TUNNEL_ID;
        /// Why: see [`ResultCode::stop_ccn`].
        required result_code: ResultCode<'a> = RESULT_CODE;
    }
}

message! {
    /// Hello (RFC 2661 §6.5): finds out whether the peer is still there.
    pub struct Hello = HELLO {}
}
