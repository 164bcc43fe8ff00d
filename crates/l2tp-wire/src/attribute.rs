use crate::registry::registry;

registry! {
    /// The type of an AVP under Vendor ID 0 (RFC 2661 §4.4 and the registry that followed).
    ///
    /// 0 to 39 and 46 have a [typed value](crate::Avp); the others are known by name only.
    pub struct AttributeType(u16) as "attribute" {
        /// Message Type (RFC 2661 §4.4.1).
        MESSAGE_TYPE = 0, "Message Type";
        /// Result Code (RFC 2661 §4.4.2).
        RESULT_CODE = 1, "Result Code";
        /// Protocol Version (RFC 2661 §4.4.3).
        PROTOCOL_VERSION = 2, "Protocol Version";
        /// Framing Capabilities (RFC 2661 §4.4.3).
        FRAMING_CAPABILITIES = 3, "Framing Capabilities";
        /// Bearer Capabilities (RFC 2661 §4.4.3).
        BEARER_CAPABILITIES = 4, "Bearer Capabilities";
        /// Tie Breaker (RFC 2661 §4.4.3).
        TIE_BREAKER = 5, "Tie Breaker";
        /// Firmware Revision (RFC 2661 §4.4.3).
        FIRMWARE_REVISION = 6, "Firmware Revision";
        /// Host Name (RFC 2661 §4.4.3).
        HOST_NAME = 7, "Host Name";
        /// Vendor Name (RFC 2661 §4.4.3).
        VENDOR_NAME = 8, "Vendor Name";
        /// Assigned Tunnel ID (RFC 2661 §4.4.3).
        ASSIGNED_TUNNEL_ID = 9, "Assigned Tunnel ID";
        /// Receive Window Size (RFC 2661 §4.4.3).
        RECEIVE_WINDOW_SIZE = 10, "Receive Window Size";
        /// Challenge (RFC 2661 §4.4.3).
        CHALLENGE = 11, "Challenge";
        /// Q.931 Cause Code (RFC 2661 §4.4.4).
        Q931_CAUSE_CODE = 12, "Q.931 Cause Code";
        /// Challenge Response (RFC 2661 §4.4.3).
        CHALLENGE_RESPONSE = 13, "Challenge Response";
        /// Assigned Session ID (RFC 2661 §4.4.4).
        ASSIGNED_SESSION_ID = 14, "Assigned Session ID";
        /// Call Serial Number (RFC 2661 §4.4.4).
        CALL_SERIAL_NUMBER = 15, "Call Serial Number";
        /// Minimum BPS (RFC 2661 §4.4.4).
        MINIMUM_BPS = 16, "Minimum BPS";
        /// Maximum BPS (RFC 2661 §4.4.4).
        MAXIMUM_BPS = 17, "Maximum BPS";
        /// Bearer Type (RFC 2661 §4.4.4).
        BEARER_TYPE = 18, "Bearer Type";
        /// Framing Type (RFC 2661 §4.4.4).
        FRAMING_TYPE = 19, "Framing Type";
        /// Packet Processing Delay (reserved; early drafts).
        PACKET_PROCESSING_DELAY = 20, "Packet Processing Delay";
        /// Called Number (RFC 2661 §4.4.4).
        CALLED_NUMBER = 21, "Called Number";
        /// Calling Number (RFC 2661 §4.4.4).
        CALLING_NUMBER = 22, "Calling Number";
        /// Sub-Address (RFC 2661 §4.4.4).
        SUB_ADDRESS = 23, "Sub-Address";
        /// (Tx) Connect Speed (RFC 2661 §4.4.4).
        TX_CONNECT_SPEED = 24, "(Tx) Connect Speed";
        /// Physical Channel ID (RFC 2661 §4.4.4).
        PHYSICAL_CHANNEL_ID = 25, "Physical Channel ID";
        /// Initial Received LCP CONFREQ (RFC 2661 §4.4.5).
        INITIAL_RECEIVED_LCP_CONFREQ = 26, "Initial Received LCP CONFREQ";
        /// Last Sent LCP CONFREQ (RFC 2661 §4.4.5).
        LAST_SENT_LCP_CONFREQ = 27, "Last Sent LCP CONFREQ";
        /// Last Received LCP CONFREQ (RFC 2661 §4.4.5).
        LAST_RECEIVED_LCP_CONFREQ = 28, "Last Received LCP CONFREQ";
        /// Proxy Authen Type (RFC 2661 §4.4.5).
        PROXY_AUTHEN_TYPE = 29, "Proxy Authen Type";
        /// Proxy Authen Name (RFC 2661 §4.4.5).
        PROXY_AUTHEN_NAME = 30, "Proxy Authen Name";
        /// Proxy Authen Challenge (RFC 2661 §4.4.5).
        PROXY_AUTHEN_CHALLENGE = 31, "Proxy Authen Challenge";
        /// Proxy Authen ID (RFC 2661 §4.4.5).
        PROXY_AUTHEN_ID = 32, "Proxy Authen ID";
        /// Proxy Authen Response (RFC 2661 §4.4.5).
        PROXY_AUTHEN_RESPONSE = 33, "Proxy Authen Response";
        /// Call Errors (RFC 2661 §4.4.6).
        CALL_ERRORS = 34, "Call Errors";
        /// ACCM (RFC 2661 §4.4.6).
        ACCM = 35, "ACCM";
        /// Random Vector (RFC 2661 §4.4.1).
        RANDOM_VECTOR = 36, "Random Vector";
        /// Private Group ID (RFC 2661 §4.4.4).
        PRIVATE_GROUP_ID = 37, "Private Group ID";
        /// Rx Connect Speed (RFC 2661 §4.4.4).
        RX_CONNECT_SPEED = 38, "Rx Connect Speed";
        /// Sequencing Required (RFC 2661 §4.4.4).
        SEQUENCING_REQUIRED = 39, "Sequencing Required";
        /// Rx Minimum BPS (RFC 3301).
        RX_MINIMUM_BPS = 40, "Rx Minimum BPS";
        /// Rx Maximum BPS (RFC 3301).
        RX_MAXIMUM_BPS = 41, "Rx Maximum BPS";
        /// Service Category (RFC 3301).
        SERVICE_CATEGORY = 42, "Service Category";
        /// Service Name (RFC 3301).
        SERVICE_NAME = 43, "Service Name";
        /// Calling Sub-Address (RFC 3301).
        CALLING_SUB_ADDRESS = 44, "Calling Sub-Address";
        /// VPI/VCI Identifier (RFC 3301).
        VPI_VCI_IDENTIFIER = 45, "VPI/VCI Identifier";
        /// PPP Disconnect Cause Code (RFC 3145).
        PPP_DISCONNECT_CAUSE_CODE = 46, "PPP Disconnect Cause Code";
        /// Control Connection DS (RFC 3308).
        CONTROL_CONNECTION_DS = 47, "Control Connection DS";
        /// Session DS (RFC 3308).
        SESSION_DS = 48, "Session DS";
        /// LCP Want Options (RFC 3437).
        LCP_WANT_OPTIONS = 49, "LCP Want Options";
        /// LCP Allow Options (RFC 3437).
        LCP_ALLOW_OPTIONS = 50, "LCP Allow Options";
        /// LNS Last Sent LCP Confreq (RFC 3437).
        LNS_LAST_SENT_LCP_CONFREQ = 51, "LNS Last Sent LCP Confreq";
        /// LNS Last Received LCP Confreq (RFC 3437).
        LNS_LAST_RECEIVED_LCP_CONFREQ = 52, "LNS Last Received LCP Confreq";
        /// Modem On-Hold Capable (RFC 3573).
        MODEM_ON_HOLD_CAPABLE = 53, "Modem On-Hold Capable";
        /// Modem On-Hold Status (RFC 3573).
        MODEM_ON_HOLD_STATUS = 54, "Modem On-Hold Status";
        /// PPPoE Relay (RFC 3817).
        PPPOE_RELAY = 55, "PPPoE Relay";
        /// PPPoE Relay Response Capability (RFC 3817).
        PPPOE_RELAY_RESPONSE_CAPABILITY = 56, "PPPoE Relay Response Capability";
        /// PPPoE Relay Forward Capability (RFC 3817).
        PPPOE_RELAY_FORWARD_CAPABILITY = 57, "PPPoE Relay Forward Capability";
        /// Extended Vendor ID (RFC 3931).
        EXTENDED_VENDOR_ID = 58, "Extended Vendor ID";
        /// Message Digest (RFC 3931 §5.4.1).
        MESSAGE_DIGEST = 59, "Message Digest";
        /// Router ID (RFC 3931 §5.4.3).
        ROUTER_ID = 60, "Router ID";
        /// Assigned Control Connection ID (RFC 3931 §5.4.3).
        ASSIGNED_CONTROL_CONNECTION_ID = 61, "Assigned Control Connection ID";
        /// Pseudowire Capabilities List (RFC 3931 §5.4.3).
        PSEUDOWIRE_CAPABILITIES_LIST = 62, "Pseudowire Capabilities List";
        /// Local Session ID (RFC 3931 §5.4.4).
        LOCAL_SESSION_ID = 63, "Local Session ID";
        /// Remote Session ID (RFC 3931 §5.4.4).
        REMOTE_SESSION_ID = 64, "Remote Session ID";
        /// Assigned Cookie (RFC 3931 §5.4.4).
        ASSIGNED_COOKIE = 65, "Assigned Cookie";
        /// Remote End ID (RFC 3931 §5.4.4).
        REMOTE_END_ID = 66, "Remote End ID";
        /// Application Code (RFC 3931).
        APPLICATION_CODE = 67, "Application Code";
        /// Pseudowire Type (RFC 3931 §5.4.4).
        PSEUDOWIRE_TYPE = 68, "Pseudowire Type";
        /// L2-Specific Sublayer (RFC 3931 §5.4.4).
        L2_SPECIFIC_SUBLAYER = 69, "L2-Specific Sublayer";
        /// Data Sequencing (RFC 3931 §5.4.4).
        DATA_SEQUENCING = 70, "Data Sequencing";
        /// Circuit Status (RFC 3931 §5.4.5).
        CIRCUIT_STATUS = 71, "Circuit Status";
        /// Preferred Language (RFC 3931 §5.4.3).
        PREFERRED_LANGUAGE = 72, "Preferred Language";
        /// Control Message Authentication Nonce (RFC 3931 §5.4.1).
        CONTROL_MESSAGE_AUTHENTICATION_NONCE = 73, "Control Message Authentication Nonce";
        /// Tx Connect Speed (v3) (RFC 3931 §5.4.4).
        TX_CONNECT_SPEED_V3 = 74, "Tx Connect Speed (v3)";
        /// Rx Connect Speed (v3) (RFC 3931 §5.4.4).
        RX_CONNECT_SPEED_V3 = 75, "Rx Connect Speed (v3)";
        /// Failover Capability (RFC 4951).
        FAILOVER_CAPABILITY = 76, "Failover Capability";
        /// Tunnel Recovery (RFC 4951).
        TUNNEL_RECOVERY = 77, "Tunnel Recovery";
        /// Suggested Control Sequence (RFC 4951).
        SUGGESTED_CONTROL_SEQUENCE = 78, "Suggested Control Sequence";
        /// Failover Session State (RFC 4951).
        FAILOVER_SESSION_STATE = 79, "Failover Session State";
        /// Multicast Capability (RFC 4045).
        MULTICAST_CAPABILITY = 80, "Multicast Capability";
        /// New Outgoing Sessions (RFC 4045).
        NEW_OUTGOING_SESSIONS = 81, "New Outgoing Sessions";
        /// New Outgoing Sessions Acknowledgement (RFC 4045).
        NEW_OUTGOING_SESSIONS_ACKNOWLEDGEMENT = 82, "New Outgoing Sessions Acknowledgement";
        /// Withdraw Outgoing Sessions (RFC 4045).
        WITHDRAW_OUTGOING_SESSIONS = 83, "Withdraw Outgoing Sessions";
        /// Multicast Packets Priority (RFC 4045).
        MULTICAST_PACKETS_PRIORITY = 84, "Multicast Packets Priority";
        /// Frame-Relay Header Length (RFC 4591).
        FRAME_RELAY_HEADER_LENGTH = 85, "Frame-Relay Header Length";
        /// ATM Maximum Concatenated Cells (RFC 4454).
        ATM_MAXIMUM_CONCATENATED_CELLS = 86, "ATM Maximum Concatenated Cells";
        /// OAM Emulation Required (RFC 4454).
        OAM_EMULATION_REQUIRED = 87, "OAM Emulation Required";
        /// ATM Alarm Status (RFC 4454).
        ATM_ALARM_STATUS = 88, "ATM Alarm Status";
        /// Attachment Group Identifier (RFC 4667).
        ATTACHMENT_GROUP_IDENTIFIER = 89, "Attachment Group Identifier";
        /// Local End Identifier (RFC 4667).
        LOCAL_END_IDENTIFIER = 90, "Local End Identifier";
        /// Interface Maximum Transmission Unit (RFC 4667).
        INTERFACE_MAXIMUM_TRANSMISSION_UNIT = 91, "Interface Maximum Transmission Unit";
        /// FCS Retention (RFC 4720).
        FCS_RETENTION = 92, "FCS Retention";
        /// Tunnel Switching Aggregator ID (draft).
        TUNNEL_SWITCHING_AGGREGATOR_ID = 93, "Tunnel Switching Aggregator ID";
        /// Maximum Receive Unit (RFC 4623).
        MAXIMUM_RECEIVE_UNIT = 94, "Maximum Receive Unit";
        /// Maximum Reassembled Receive Unit (RFC 4623).
        MAXIMUM_REASSEMBLED_RECEIVE_UNIT = 95, "Maximum Reassembled Receive Unit";
        /// VCCV Capability (RFC 5085).
        VCCV_CAPABILITY = 96, "VCCV Capability";
        /// Connect Speed Update (RFC 5515).
        CONNECT_SPEED_UPDATE = 97, "Connect Speed Update";
        /// Connect Speed Update Enable (RFC 5515).
        CONNECT_SPEED_UPDATE_ENABLE = 98, "Connect Speed Update Enable";
        /// TDM Pseudowire (RFC 5611).
        TDM_PSEUDOWIRE = 99, "TDM Pseudowire";
        /// RTP (RFC 5611).
        RTP = 100, "RTP";
        /// PW Switching Point (RFC 6073).
        PW_SWITCHING_POINT = 101, "PW Switching Point";
        /// S-BFD Target Discriminator ID (RFC 7886).
        S_BFD_TARGET_DISCRIMINATOR_ID = 102, "S-BFD Target Discriminator ID";
        /// ECN Capability (RFC 9601).
        ECN_CAPABILITY = 103, "ECN Capability";
    }
}

/// M is 0 for these (RFC 2661 §4.4; RFC 3145 §2 for the last).
const OPTIONAL: AttributeSet = AttributeSet::of(&[
    AttributeType::TIE_BREAKER,
    AttributeType::FIRMWARE_REVISION,
    AttributeType::VENDOR_NAME,
    AttributeType::PHYSICAL_CHANNEL_ID,
    AttributeType::INITIAL_RECEIVED_LCP_CONFREQ,
    AttributeType::LAST_SENT_LCP_CONFREQ,
    AttributeType::LAST_RECEIVED_LCP_CONFREQ,
    AttributeType::PROXY_AUTHEN_TYPE,
    AttributeType::PROXY_AUTHEN_NAME,
    AttributeType::PROXY_AUTHEN_CHALLENGE,
    AttributeType::PROXY_AUTHEN_ID,
    AttributeType::PROXY_AUTHEN_RESPONSE,
    AttributeType::PRIVATE_GROUP_ID,
    AttributeType::RX_CONNECT_SPEED,
    AttributeType::PPP_DISCONNECT_CAUSE_CODE,
]);

/// H must be 0 for these (RFC 2661 §4.4).
const NEVER_HIDDEN: AttributeSet = AttributeSet::of(&[
    AttributeType::MESSAGE_TYPE,
    AttributeType::RESULT_CODE,
    AttributeType::PROTOCOL_VERSION,
    AttributeType::TIE_BREAKER,
    AttributeType::HOST_NAME,
    AttributeType::RECEIVE_WINDOW_SIZE,
    AttributeType::Q931_CAUSE_CODE,
    AttributeType::RANDOM_VECTOR,
    AttributeType::SEQUENCING_REQUIRED,
]);

impl AttributeType {
    /// Whether this crate has a typed value for the attribute: what RFC 2661 §4.2 calls
    /// recognized. The reserved number 20 counts as recognized: some peers still send it, as the
    /// Packet Processing Delay of early drafts, and it belongs to no message.
    #[must_use]
    pub const fn is_recognized(self) -> bool {
        self.0 <= Self::SEQUENCING_REQUIRED.0 || self.0 == Self::PPP_DISCONNECT_CAUSE_CODE.0
    }

    /// The M bit that the attribute's definition asks for. Only meaningful where
    /// [`AttributeType::is_recognized`].
    #[must_use]
    pub const fn is_mandatory(self) -> bool {
        !OPTIONAL.contains(self)
    }

    /// Whether the attribute's definition lets the H bit be set.
    #[must_use]
    pub const fn may_be_hidden(self) -> bool {
        !NEVER_HIDDEN.contains(self)
    }
}

/// A set of attributes numbered 0 to 63.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AttributeSet(u64);

impl AttributeSet {
    /// Every attribute whose definition lets the H bit be set.
    pub const HIDEABLE: Self = Self(!NEVER_HIDDEN.0);

    /// The set of the attributes listed. Those above 63 can't be in a set and are left out.
    #[must_use]
    pub const fn of(attributes: &[AttributeType]) -> Self {
        let mut bits = 0;
        let mut rest = attributes;
        while let [first, others @ ..] = rest {
            bits |= Self::bit(*first);
            rest = others;
        }
        Self(bits)
    }

    /// Whether `attribute` is in the set.
    #[must_use]
    pub const fn contains(self, attribute: AttributeType) -> bool {
        self.0 & Self::bit(attribute) != 0
    }

    const fn bit(attribute: AttributeType) -> u64 {
        if attribute.0 < 64 { 1 << attribute.0 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_to_103_has_a_name_and_none_above() {
        for number in 0..=103 {
            assert!(AttributeType(number).name().is_some(), "{number}");
        }
        assert_eq!(AttributeType(104).name(), None);
        assert_eq!(AttributeType(21).name(), Some("Called Number"));
    }

    /// The M column of RFC 2661 §4.4, attribute by attribute.
    #[test]
    fn mandatory_bits() {
        let zero = [5, 6, 8, 25, 26, 27, 28, 29, 30, 31, 32, 33, 37, 38];
        for number in 0..=39 {
            assert_eq!(AttributeType(number).is_mandatory(), !zero.contains(&number), "{number}");
        }
    }

    /// The H column of RFC 2661 §4.4, attribute by attribute.
    #[test]
    fn hidden_bits() {
        let never = [0, 1, 2, 5, 7, 10, 12, 36, 39];
        for number in 0..=63 {
            let attribute = AttributeType(number);
            assert_eq!(attribute.may_be_hidden(), !never.contains(&number), "{number}");
            assert_eq!(AttributeSet::HIDEABLE.contains(attribute), attribute.may_be_hidden());
        }
        assert!(!AttributeSet::HIDEABLE.contains(AttributeType(64)));
        assert!(AttributeType(64).may_be_hidden());
    }

    #[test]
    fn recognizes_rfc_2661_and_the_disconnect_cause() {
        for number in 0..=200 {
            let expected = number <= 39 || number == 46;
            assert_eq!(AttributeType(number).is_recognized(), expected, "{number}");
        }
    }
}
