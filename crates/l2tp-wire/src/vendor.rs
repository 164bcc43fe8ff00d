use crate::registry::registry;

registry! {
    /// The SMI enterprise number of whoever defined an AVP (RFC 2661 §4.1).
    pub struct VendorId(u16) as "vendor" {
        /// Attributes of the IETF: an [`AttributeType`](crate::AttributeType) says which.
        IETF = 0, "IETF";
        /// Cisco Systems: L2TPv3 before it had a standard.
        CISCO = 9, "Cisco";
        /// 3Com: early drafts of the PPP Disconnect Cause Code.
        THREE_COM = 43, "3Com";
        /// Microsoft: the Correlation ID that Windows puts into its ICRQ ([MS-L2TPIE] §2.2.1.1).
        MICROSOFT = 311, "Microsoft";
        /// Redback Networks, later Ericsson.
        ERICSSON = 2352, "Ericsson";
        /// Broadband Forum: access line attributes (RFC 5515).
        BROADBAND_FORUM = 3561, "Broadband Forum";
        /// CableLabs.
        CABLE_LABS = 4491, "CableLabs";
    }
}

/// The name of an attribute in its vendor's own numbering, where it is a well-known one.
pub(crate) const fn attribute_name(vendor: VendorId, attribute: u16) -> Option<&'static str> {
    match (vendor, attribute) {
        (VendorId::MICROSOFT, 1) => Some("Correlation ID"),
        (VendorId::BROADBAND_FORUM, 1) => Some("Agent Circuit ID"),
        (VendorId::BROADBAND_FORUM, 2) => Some("Agent Remote ID"),
        (VendorId::BROADBAND_FORUM, 129) => Some("Actual Data Rate Upstream"),
        (VendorId::BROADBAND_FORUM, 130) => Some("Actual Data Rate Downstream"),
        (VendorId::BROADBAND_FORUM, 131) => Some("Minimum Data Rate Upstream"),
        (VendorId::BROADBAND_FORUM, 132) => Some("Minimum Data Rate Downstream"),
        (VendorId::BROADBAND_FORUM, 133) => Some("Attainable Data Rate Upstream"),
        (VendorId::BROADBAND_FORUM, 134) => Some("Attainable Data Rate Downstream"),
        (VendorId::BROADBAND_FORUM, 135) => Some("Maximum Data Rate Upstream"),
        (VendorId::BROADBAND_FORUM, 136) => Some("Maximum Data Rate Downstream"),
        (VendorId::BROADBAND_FORUM, 137) => Some("Minimum Data Rate Upstream Low-Power"),
        (VendorId::BROADBAND_FORUM, 138) => Some("Minimum Data Rate Downstream Low-Power"),
        (VendorId::BROADBAND_FORUM, 139) => Some("Maximum Interleaving Delay Upstream"),
        (VendorId::BROADBAND_FORUM, 140) => Some("Actual Interleaving Delay Upstream"),
        (VendorId::BROADBAND_FORUM, 141) => Some("Maximum Interleaving Delay Downstream"),
        (VendorId::BROADBAND_FORUM, 142) => Some("Actual Interleaving Delay Downstream"),
        (VendorId::BROADBAND_FORUM, 144) => Some("Access Loop Encapsulation"),
        (VendorId::BROADBAND_FORUM, 145) => Some("ANCP Access Line Type"),
        (VendorId::BROADBAND_FORUM, 254) => Some("IWF Session"),
        _ => None,
    }
}
