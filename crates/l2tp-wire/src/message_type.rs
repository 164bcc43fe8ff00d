use crate::registry::registry;

registry! {
    /// The type of a control message, the value of its first AVP (RFC 2661 §3.2 and the registry
    /// that followed).
    ///
    /// Types 1 to 16 are those of RFC 2661 and have a [typed form](crate::message); the others are
    /// known by name only.
    pub struct MessageType(u16) as "message type" {
        /// Start-Control-Connection-Request (RFC 2661 §6.1).
        SCCRQ = 1, "SCCRQ";
        /// Start-Control-Connection-Reply (RFC 2661 §6.2).
        SCCRP = 2, "SCCRP";
        /// Start-Control-Connection-Connected (RFC 2661 §6.3).
        SCCCN = 3, "SCCCN";
        /// Stop-Control-Connection-Notification (RFC 2661 §6.4).
        STOP_CCN = 4, "StopCCN";
        /// Hello (RFC 2661 §6.5).
        HELLO = 6, "HELLO";
        /// Outgoing-Call-Request (RFC 2661 §6.9).
        OCRQ = 7, "OCRQ";
        /// Outgoing-Call-Reply (RFC 2661 §6.10).
        OCRP = 8, "OCRP";
        /// Outgoing-Call-Connected (RFC 2661 §6.11).
        OCCN = 9, "OCCN";
        /// Incoming-Call-Request (RFC 2661 §6.6).
        ICRQ = 10, "ICRQ";
        /// Incoming-Call-Reply (RFC 2661 §6.7).
        ICRP = 11, "ICRP";
        /// Incoming-Call-Connected (RFC 2661 §6.8).
        ICCN = 12, "ICCN";
        /// Call-Disconnect-Notify (RFC 2661 §6.12).
        CDN = 14, "CDN";
        /// WAN-Error-Notify (RFC 2661 §6.13).
        WEN = 15, "WEN";
        /// Set-Link-Info (RFC 2661 §6.14).
        SLI = 16, "SLI";
        /// Modem-Status (RFC 3573).
        MDMST = 17, "MDMST";
        /// Service-Relay-Request (RFC 3817).
        SRRQ = 18, "SRRQ";
        /// Service-Relay-Reply (RFC 3817).
        SRRP = 19, "SRRP";
        /// Explicit-Acknowledgement (RFC 3931).
        ACK = 20, "ACK";
        /// Failover-Session-Query (RFC 4951).
        FSQ = 21, "FSQ";
        /// Failover-Session-Response (RFC 4951).
        FSR = 22, "FSR";
        /// Multicast-Session-Request (RFC 4045).
        MSRQ = 23, "MSRQ";
        /// Multicast-Session-Response (RFC 4045).
        MSRP = 24, "MSRP";
        /// Multicast-Session-Establishment (RFC 4045).
        MSE = 25, "MSE";
        /// Multicast-Session-Information (RFC 4045).
        MSI = 26, "MSI";
        /// Multicast-Session-End-Notify (RFC 4045).
        MSEN = 27, "MSEN";
        /// Connect-Speed-Update-Notification (RFC 5515).
        CSUN = 28, "CSUN";
        /// Connect-Speed-Update-Request (RFC 5515).
        CSURQ = 29, "CSURQ";
    }
}

impl MessageType {
    /// Whether RFC 2661 defines the message, so that [`Message`](crate::Message) has a form for it.
    #[must_use]
    pub const fn is_of_rfc_2661(self) -> bool {
        matches!(self.0, 1..=4 | 6..=12 | 14..=16)
    }

    /// Whether the message belongs to one session rather than to the whole tunnel: the call
    /// management, error reporting and session control messages of RFC 2661 §3.2.
    #[must_use]
    pub const fn is_of_session(self) -> bool {
        matches!(self.0, 7..=12 | 14..=16)
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::format;

    #[test]
    fn names_the_registered_types_and_keeps_the_others() {
        assert_eq!(MessageType::STOP_CCN.name(), Some("StopCCN"));
        assert_eq!(MessageType(29).name(), Some("CSURQ"));
        for number in [0, 5, 13, 30, 65535] {
            assert_eq!(MessageType(number).name(), None);
        }
        assert_eq!(format!("{} {}", MessageType::SLI, MessageType(30)), "SLI message type 30");
        assert_eq!(
            format!("{:?} {:?}", MessageType(6), MessageType(5)),
            "MessageType(6: HELLO) MessageType(5)"
        );
    }

    #[test]
    fn tells_session_messages_from_tunnel_messages() {
        let of_session = [7, 8, 9, 10, 11, 12, 14, 15, 16];
        for number in 0..100 {
            assert_eq!(MessageType(number).is_of_session(), of_session.contains(&number));
        }
    }
}
