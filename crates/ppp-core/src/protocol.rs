use crate::registry::registry;

registry! {
    /// A PPP protocol number (RFC 1661 §2 and IANA "PPP Numbers").
    Protocol(u16) {
        /// Padding Protocol (RFC 1661 §2).
        PADDING = 0x0001, "Padding";
        /// Internet Protocol version 4 (RFC 1332).
        IPV4 = 0x0021, "IPv4";
        /// Van Jacobson compressed TCP/IP (RFC 1332 §4).
        VJ_COMPRESSED = 0x002d, "VJ compressed TCP/IP";
        /// Van Jacobson uncompressed TCP/IP (RFC 1332 §4).
        VJ_UNCOMPRESSED = 0x002f, "VJ uncompressed TCP/IP";
        /// Bridging PDU (RFC 3518).
        BRIDGING = 0x0031, "Bridging PDU";
        /// Multilink (RFC 1990 §3).
        MULTILINK = 0x003d, "Multilink";
        /// Internet Protocol version 6 (RFC 5072 §2).
        IPV6 = 0x0057, "IPv6";
        /// Datagram compressed on one link of a bundle (RFC 1962 §2.1).
        LINK_COMPRESSED = 0x00fb, "Compressed datagram on one link";
        /// Compressed datagram (RFC 1962 §2.1), which is also what MPPE uses (RFC 3078).
        COMPRESSED = 0x00fd, "Compressed datagram";
        /// Apple Client Server Protocol: routes and domains of macOS and iOS.
        ACSP = 0x0235, "ACSP";
        /// MPLS unicast (RFC 3032).
        MPLS = 0x0281, "MPLS";
        /// IP Control Protocol (RFC 1332).
        IPCP = 0x8021, "IPCP";
        /// Bridging Control Protocol (RFC 3518).
        BCP = 0x8031, "BCP";
        /// Encryption Control Protocol (RFC 1968).
        ECP = 0x8053, "ECP";
        /// IPv6 Control Protocol (RFC 5072).
        IPV6CP = 0x8057, "IPv6CP";
        /// Compression control on one link of a bundle (RFC 1962 §2).
        LINK_CCP = 0x80fb, "CCP on one link";
        /// Compression Control Protocol (RFC 1962).
        CCP = 0x80fd, "CCP";
        /// Control protocol of [`Protocol::ACSP`].
        ACSCP = 0x8235, "ACSCP";
        /// MPLS Control Protocol (RFC 3032 §4).
        MPLSCP = 0x8281, "MPLSCP";
        /// Link Control Protocol (RFC 1661).
        LCP = 0xc021, "LCP";
        /// Password Authentication Protocol (RFC 1334).
        PAP = 0xc023, "PAP";
        /// Link Quality Report (RFC 1989).
        LQR = 0xc025, "LQR";
        /// Callback Control Protocol.
        CBCP = 0xc029, "CBCP";
        /// Bandwidth Allocation Control Protocol (RFC 2125).
        BACP = 0xc02b, "BACP";
        /// Challenge Handshake Authentication Protocol (RFC 1994).
        CHAP = 0xc223, "CHAP";
        /// Extensible Authentication Protocol (RFC 3748).
        EAP = 0xc227, "EAP";
    }
}

impl Protocol {
    /// Whether the number obeys RFC 1661 §2: an odd low octet and an even high one.
    ///
    /// A frame with any other number is treated as having an unrecognised protocol.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 & 0x0101 == 0x0001
    }

    /// Whether the number fits in one octet when Protocol-Field-Compression is in force
    /// (RFC 1661 §6.5).
    #[must_use]
    pub const fn is_compressible(self) -> bool {
        self.0 < 0x0100 && self.is_valid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn numbers_obey_the_extension_rule() {
        assert!(Protocol::IPV4.is_valid() && Protocol::LCP.is_valid());
        assert!(!Protocol(0x0020).is_valid() && !Protocol(0x0121).is_valid());
        assert!(Protocol::IPV6.is_compressible() && !Protocol::IPCP.is_compressible());
    }

    #[test]
    fn prints_the_name_or_the_number() {
        assert_eq!(format!("{} {}", Protocol::IPV6CP, Protocol(0x8285)), "IPv6CP 0x8285");
        assert_eq!(format!("{:?}", Protocol::LCP), "Protocol(LCP)");
    }
}
