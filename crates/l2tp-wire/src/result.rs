//! Result and error codes (RFC 2661 §4.4.2; RFC 3145 for the PPP Disconnect Cause Code).

use crate::registry::registry;

registry! {
    /// Why a StopCCN was sent: the Result Code of that message (RFC 2661 §4.4.2, RFC 3308).
    pub struct StopCcnResult(u16) as "StopCCN result" {
        /// General request to clear the control connection.
        GENERAL_CLEAR = 1, "general request to clear control connection";
        /// General error: the [`ErrorCode`] says which.
        GENERAL_ERROR = 2, "general error";
        /// The control channel already exists.
        CHANNEL_EXISTS = 3, "control channel already exists";
        /// The requester is not authorized to establish a control channel.
        NOT_AUTHORIZED = 4, "requester is not authorized to establish a control channel";
        /// The requester's protocol version is not supported; the Error Code holds the highest one
        /// that is.
        VERSION_NOT_SUPPORTED = 5, "protocol version of the requester is not supported";
        /// The requester is being shut down.
        SHUTTING_DOWN = 6, "requester is being shut down";
        /// Finite state machine error, which includes a peer that stopped answering.
        FSM_ERROR = 7, "finite state machine error";
        /// The Control Connection DS value is not acceptable (RFC 3308).
        CCDS_MISMATCH = 8, "control connection DS value mismatch";
    }
}

registry! {
    /// Why a CDN was sent: the Result Code of that message (RFC 2661 §4.4.2 to 11, later documents
    /// from 12 on).
    pub struct CdnResult(u16) as "CDN result" {
        /// Loss of carrier.
        LOST_CARRIER = 1, "call disconnected due to loss of carrier";
        /// General error: the [`ErrorCode`] says which.
        GENERAL_ERROR = 2, "general error";
        /// Disconnected for administrative reasons.
        ADMINISTRATIVE = 3, "call disconnected for administrative reasons";
        /// No facilities at present.
        NO_FACILITIES_TEMPORARY = 4, "appropriate facilities are temporarily not available";
        /// No facilities at all.
        NO_FACILITIES_PERMANENT = 5, "appropriate facilities are permanently not available";
        /// Invalid destination.
        INVALID_DESTINATION = 6, "invalid destination";
        /// No carrier detected.
        NO_CARRIER = 7, "no carrier detected";
        /// Busy signal.
        BUSY = 8, "busy signal detected";
        /// No dial tone.
        NO_DIAL_TONE = 9, "no dial tone";
        /// Not established within the time allotted by the LAC.
        TIMED_OUT = 10, "call was not established in the time allotted by the LAC";
        /// Connected, but no appropriate framing was detected.
        NO_FRAMING = 11, "no appropriate framing detected";
        /// The Session DS value is not acceptable (RFC 3308).
        SDS_MISMATCH = 12, "session DS value mismatch";
        /// Lost the tie breaker (RFC 3931).
        LOST_TIE_BREAKER = 13, "session not established due to losing tie breaker";
        /// Unsupported pseudowire type (RFC 3931).
        UNSUPPORTED_PSEUDOWIRE = 14, "unsupported pseudowire type";
        /// Sequencing required without an L2-specific sublayer (RFC 3931).
        SEQUENCING_WITHOUT_SUBLAYER = 15, "sequencing required without valid L2-specific sublayer";
        /// Finite state machine error (RFC 3931).
        FSM_ERROR = 16, "finite state machine error";
        /// Frame Relay PVC deleted (RFC 4591).
        FR_PVC_DELETED = 17, "FR PVC was deleted permanently";
        /// Frame Relay PVC inactive for a while (RFC 4591).
        FR_PVC_INACTIVE = 18, "FR PVC has been inactive for an extended period of time";
        /// Mismatched Frame Relay header length (RFC 4591).
        FR_HEADER_LENGTH_MISMATCH = 19, "mismatched FR header length";
        /// HDLC link deleted (RFC 4349).
        HDLC_LINK_DELETED = 20, "HDLC link was deleted permanently";
        /// HDLC link inactive for a while (RFC 4349).
        HDLC_LINK_INACTIVE = 21, "HDLC link has been inactive for an extended period of time";
        /// Mismatched OAM emulation (RFC 4454).
        OAM_MISMATCH = 22, "session not established due to other LCCE can not support the OAM cell emulation";
        /// Mismatched interface MTU (RFC 4667).
        MTU_MISMATCH = 23, "mismatching interface MTU";
        /// Attempt to connect to a non-existent forwarder (RFC 4667).
        NO_SUCH_FORWARDER = 24, "attempt to connect to non-existent forwarder";
        /// Attempt to connect to an unauthorized forwarder (RFC 4667).
        FORWARDER_NOT_AUTHORIZED = 25, "attempt to connect to unauthorized forwarder";
        /// Loop detected (RFC 4667).
        LOOP_DETECTED = 26, "loop detected";
        /// The attachment circuit is bound to another peer (RFC 6074).
        BOUND_TO_OTHER_PE = 27, "attachment circuit bound to different PE";
        /// The attachment circuit is bound to another remote circuit (RFC 6074).
        BOUND_TO_OTHER_CIRCUIT = 28, "attachment circuit bound to different remote attachment circuit";
        /// Inconsistent TDM parameters (RFC 5611).
        TDM_MISMATCH = 30, "unsupported TDM pseudowire parameters";
        /// Sequencing not supported (RFC 5611).
        SEQUENCING_NOT_SUPPORTED = 31, "sequencing not supported";
    }
}

registry! {
    /// What went wrong, where a Result Code says "general error" (RFC 2661 §4.4.2, later documents
    /// from 9 on).
    pub struct ErrorCode(u16) as "error code" {
        /// No general error.
        NONE = 0, "no general error";
        /// No control connection exists yet for this LAC-LNS pair.
        NO_CONTROL_CONNECTION = 1, "no control connection exists yet for this pair of LAC and LNS";
        /// A length is wrong.
        WRONG_LENGTH = 2, "length is wrong";
        /// A field was out of range, or a reserved field was not zero.
        OUT_OF_RANGE = 3, "a field was out of range or a reserved field was not zero";
        /// Not enough resources to handle this operation now.
        INSUFFICIENT_RESOURCES = 4, "insufficient resources to handle this operation now";
        /// The Session ID is invalid in this context.
        INVALID_SESSION_ID = 5, "Session ID is invalid in this context";
        /// A generic vendor-specific error.
        VENDOR_SPECIFIC = 6, "vendor-specific error";
        /// Try another LNS.
        TRY_ANOTHER = 7, "try another";
        /// An unknown AVP had the M bit set.
        UNKNOWN_MANDATORY_AVP = 8, "unknown AVP with the M bit set";
        /// Try another, directed (RFC 3931).
        TRY_ANOTHER_DIRECTED = 9, "try another, directed";
        /// The next hop of a tunnel switch is unreachable.
        NEXT_HOP_UNREACHABLE = 10, "next hop unreachable";
        /// The next hop of a tunnel switch is busy.
        NEXT_HOP_BUSY = 11, "next hop busy";
        /// The tunnel switching aggregator is busy.
        TSA_BUSY = 12, "tunnel switching aggregator busy";
    }
}

registry! {
    /// Why PPP ended: the Disconnect Code of a PPP Disconnect Cause Code AVP (RFC 3145 §3).
    pub struct DisconnectCode(u16) as "disconnect code" {
        /// No information available.
        NO_INFORMATION = 0, "no information available";
        /// Administrative disconnect.
        ADMINISTRATIVE = 1, "administrative disconnect";
        /// The LNS does not renegotiate LCP and the LAC sent no proxy LCP.
        NO_PROXY_LCP = 2, "LCP renegotiation at LNS disabled and no proxy LCP information";
        /// LCP Terminate-Request sent.
        NORMAL = 3, "normal disconnection";
        /// Compulsory encryption was refused.
        ENCRYPTION_REFUSED = 4, "compulsory encryption refused";
        /// LCP timed out.
        LCP_TIMEOUT = 5, "LCP FSM timeout";
        /// No recognizable LCP packets were received.
        NO_LCP = 6, "no recognizable LCP packets received";
        /// Magic number error: the link is possibly looped back.
        LOOPED_BACK = 7, "LCP magic number error, link possibly looped back";
        /// Echo-Request timeout.
        ECHO_TIMEOUT = 8, "LCP Echo-Request timeout";
        /// Unexpected Endpoint-Discriminator for an existing bundle.
        UNEXPECTED_DISCRIMINATOR = 9, "unexpected Endpoint-Discriminator for existing bundle";
        /// Unexpected MRRU for an existing bundle.
        UNEXPECTED_MRRU = 10, "unexpected MRRU for existing bundle";
        /// Unexpected Short-Sequence-Number option for an existing bundle.
        UNEXPECTED_SSN = 11, "unexpected Short-Sequence-Number option for existing bundle";
        /// Compulsory call-back was refused.
        CALLBACK_REFUSED = 12, "compulsory call-back refused";
        /// Authentication timed out.
        AUTH_TIMEOUT = 13, "authentication FSM timeout";
        /// Unexpected authenticated name for an existing bundle.
        UNEXPECTED_NAME = 14, "unexpected authenticated name for existing bundle";
        /// No acceptable authentication protocol.
        AUTH_UNACCEPTABLE = 15, "authentication protocol unacceptable";
        /// Bad name, password or secret.
        AUTH_FAILED = 16, "authentication failed";
        /// A network control protocol timed out.
        NCP_TIMEOUT = 17, "NCP FSM timeout";
        /// No network control protocol is available.
        NO_NCP = 18, "no NCPs available";
        /// No acceptable addresses were found.
        ADDRESS_NOT_CONVERGED = 19, "failed to converge on acceptable addresses";
        /// The user may not use any address.
        NO_ADDRESS_PERMITTED = 20, "user not permitted to use any addresses";
    }
}

registry! {
    /// Which side a [`DisconnectCode`] speaks of (RFC 3145 §2).
    pub struct DisconnectDirection(u8) as "direction" {
        /// A global error.
        GLOBAL = 0, "global";
        /// At the peer.
        PEER = 1, "at peer";
        /// At the local end.
        LOCAL = 2, "at local";
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_registered_code_has_a_text() {
        assert!((1..=8).all(|n| StopCcnResult(n).name().is_some()));
        assert!((1..=31).filter(|n| *n != 29).all(|n| CdnResult(n).name().is_some()));
        assert!((0..=12).all(|n| ErrorCode(n).name().is_some()));
        assert!((0..=20).all(|n| DisconnectCode(n).name().is_some()));
        assert_eq!(StopCcnResult(0).name(), None);
        assert_eq!(CdnResult(29).to_string(), "CDN result 29");
        assert_eq!(ErrorCode(13).to_string(), "error code 13");
    }
}
