//! Messages of an established session (RFC 2661 §6.12–6.14).

use super::define::message;
use crate::Accm;
use crate::CallErrors;
use crate::PppDisconnectCause;
use crate::Q931Cause;
use crate::ResultCode;

message! {
    /// Call-Disconnect-Notify (RFC 2661 §6.12): ends a session.
    pub struct Cdn<'a> = CDN {
        /// Why: see [`ResultCode::cdn`].
        required result_code: ResultCode<'a> = RESULT_CODE;
        /// Why, in the words of the telephone network.
        optional q931_cause: Q931Cause<'a> = Q931_CAUSE_CODE;
        /// The Session ID that the sender first assigned. It may come as 0 from a peer that gives
        /// up before it has one, where [`Leniencies::ZERO_ID`](crate::Leniencies::ZERO_ID) is
        /// put up with.
        required assigned_session_id: u16 = ASSIGNED_SESSION_ID;
        /// Why PPP ended (RFC 3145): the first one, where the peer sent one for each NCP.
        optional ppp_disconnect_cause: PppDisconnectCause<'a> = PPP_DISCONNECT_CAUSE_CODE;
    }
}

message! {
    /// WAN-Error-Notify (RFC 2661 §6.13): the LAC tells of errors on the subscriber's line.
    pub struct Wen = WEN {
        /// The counters since the call was established.
        required call_errors: CallErrors = CALL_ERRORS;
    }
}

message! {
    /// Set-Link-Info (RFC 2661 §6.14): the LNS tells the LAC what PPP negotiated.
    pub struct Sli = SLI {
        /// Which control characters are escaped on the subscriber's line.
        required accm: Accm = ACCM;
    }
}
