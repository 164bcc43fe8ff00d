//! The numbers of ISAKMP and of IPsec's Domain of Interpretation.

/// Defines a registry: a newtype over a number, one constant a registered value, names, `Display`.
///
/// Unknown values stay what they are and go out again unchanged.
macro_rules! registry {
    (
        $(#[$doc:meta])*
        pub struct $name:ident($number:ty) as $what:literal {
            $($(#[$value_doc:meta])* $constant:ident = $value:literal, $text:literal;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);

        impl $name {
            $($(#[$value_doc])* pub const $constant: Self = Self($value);)*

            /// The registered name, or `None` for a number without one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => write!(f, concat!($what, " {}"), self.0),
                }
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({}: {})"), self.0, self)
            }
        }
    };
}

registry! {
    /// What a payload is (RFC 2408 §3.1, RFC 3947 §7).
    pub struct PayloadType(u8) as "type" {
        /// No more payloads.
        NONE = 0, "NONE";
        /// Security Association (RFC 2408 §3.4).
        SECURITY_ASSOCIATION = 1, "SA";
        /// Proposal, inside a Security Association only (RFC 2408 §3.5).
        PROPOSAL = 2, "P";
        /// Transform, inside a Proposal only (RFC 2408 §3.6).
        TRANSFORM = 3, "T";
        /// Key Exchange (RFC 2408 §3.7).
        KEY_EXCHANGE = 4, "KE";
        /// Identification (RFC 2408 §3.8).
        IDENTIFICATION = 5, "ID";
        /// Certificate (RFC 2408 §3.9).
        CERTIFICATE = 6, "CERT";
        /// Certificate Request (RFC 2408 §3.10).
        CERTIFICATE_REQUEST = 7, "CR";
        /// Hash (RFC 2408 §3.11).
        HASH = 8, "HASH";
        /// Signature (RFC 2408 §3.12).
        SIGNATURE = 9, "SIG";
        /// Nonce (RFC 2408 §3.13).
        NONCE = 10, "NONCE";
        /// Notification (RFC 2408 §3.14).
        NOTIFICATION = 11, "N";
        /// Delete (RFC 2408 §3.15).
        DELETE = 12, "D";
        /// Vendor ID (RFC 2408 §3.16).
        VENDOR_ID = 13, "VID";
        /// Attributes of Mode Config (draft-ietf-ipsec-isakmp-mode-cfg).
        ATTRIBUTES = 14, "ATTR";
        /// NAT-D as old Mac OS X numbers it.
        NAT_D_APPLE = 15, "NAT-D";
        /// NAT-OA as old Mac OS X numbers it.
        NAT_OA_APPLE = 16, "NAT-OA";
        /// NAT-D (RFC 3947 §3.2).
        NAT_D = 20, "NAT-D";
        /// NAT-OA (RFC 3947 §5.2).
        NAT_OA = 21, "NAT-OA";
        /// NAT-D in the drafts before RFC 3947.
        NAT_D_DRAFT = 130, "NAT-D";
        /// NAT-OA in the drafts before RFC 3947.
        NAT_OA_DRAFT = 131, "NAT-OA";
        /// A fragment of a message, Cisco's and Microsoft's way.
        FRAGMENT = 132, "FRAGMENT";
    }
}

impl PayloadType {
    /// Whether the payload is a NAT-D, by any of its numbers.
    #[must_use]
    pub const fn is_nat_d(self) -> bool {
        matches!(self, Self::NAT_D | Self::NAT_D_DRAFT | Self::NAT_D_APPLE)
    }

    /// Whether the payload is a NAT-OA, by any of its numbers.
    #[must_use]
    pub const fn is_nat_oa(self) -> bool {
        matches!(self, Self::NAT_OA | Self::NAT_OA_DRAFT | Self::NAT_OA_APPLE)
    }
}

registry! {
    /// Which exchange a message belongs to (RFC 2408 §3.1, RFC 2409 appendix A).
    pub struct ExchangeType(u8) as "exchange" {
        /// Base exchange (RFC 2408 §4.4).
        BASE = 1, "base";
        /// Identity Protection exchange, which IKE calls Main Mode (RFC 2409 §5).
        MAIN_MODE = 2, "main mode";
        /// Authentication Only exchange (RFC 2408 §4.6).
        AUTHENTICATION_ONLY = 3, "authentication only";
        /// Aggressive exchange (RFC 2409 §5).
        AGGRESSIVE = 4, "aggressive mode";
        /// Informational exchange (RFC 2409 §5.7).
        INFORMATIONAL = 5, "informational";
        /// Transaction exchange of Mode Config and XAUTH (draft-ietf-ipsec-isakmp-mode-cfg).
        TRANSACTION = 6, "transaction";
        /// Quick Mode (RFC 2409 §5.5).
        QUICK_MODE = 32, "quick mode";
        /// New Group Mode (RFC 2409 §5.6).
        NEW_GROUP_MODE = 33, "new group mode";
    }
}

registry! {
    /// What a proposal, a notification or a deletion is about (RFC 2407 §4.4.1).
    pub struct ProtocolId(u8) as "protocol" {
        /// ISAKMP itself: phase 1.
        ISAKMP = 1, "ISAKMP";
        /// Authentication Header.
        AH = 2, "AH";
        /// Encapsulating Security Payload.
        ESP = 3, "ESP";
        /// IP compression.
        IPCOMP = 4, "IPCOMP";
    }
}

registry! {
    /// What a notification says (RFC 2408 §3.14.1, RFC 2407 §4.6.3, RFC 3706 §5.3).
    pub struct NotifyType(u16) as "notify type" {
        /// INVALID-PAYLOAD-TYPE.
        INVALID_PAYLOAD_TYPE = 1, "INVALID-PAYLOAD-TYPE";
        /// DOI-NOT-SUPPORTED.
        DOI_NOT_SUPPORTED = 2, "DOI-NOT-SUPPORTED";
        /// SITUATION-NOT-SUPPORTED.
        SITUATION_NOT_SUPPORTED = 3, "SITUATION-NOT-SUPPORTED";
        /// INVALID-COOKIE.
        INVALID_COOKIE = 4, "INVALID-COOKIE";
        /// INVALID-MAJOR-VERSION.
        INVALID_MAJOR_VERSION = 5, "INVALID-MAJOR-VERSION";
        /// INVALID-MINOR-VERSION.
        INVALID_MINOR_VERSION = 6, "INVALID-MINOR-VERSION";
        /// INVALID-EXCHANGE-TYPE.
        INVALID_EXCHANGE_TYPE = 7, "INVALID-EXCHANGE-TYPE";
        /// INVALID-FLAGS.
        INVALID_FLAGS = 8, "INVALID-FLAGS";
        /// INVALID-MESSAGE-ID.
        INVALID_MESSAGE_ID = 9, "INVALID-MESSAGE-ID";
        /// INVALID-PROTOCOL-ID.
        INVALID_PROTOCOL_ID = 10, "INVALID-PROTOCOL-ID";
        /// INVALID-SPI.
        INVALID_SPI = 11, "INVALID-SPI";
        /// INVALID-TRANSFORM-ID.
        INVALID_TRANSFORM_ID = 12, "INVALID-TRANSFORM-ID";
        /// ATTRIBUTES-NOT-SUPPORTED.
        ATTRIBUTES_NOT_SUPPORTED = 13, "ATTRIBUTES-NOT-SUPPORTED";
        /// NO-PROPOSAL-CHOSEN.
        NO_PROPOSAL_CHOSEN = 14, "NO-PROPOSAL-CHOSEN";
        /// BAD-PROPOSAL-SYNTAX.
        BAD_PROPOSAL_SYNTAX = 15, "BAD-PROPOSAL-SYNTAX";
        /// PAYLOAD-MALFORMED.
        PAYLOAD_MALFORMED = 16, "PAYLOAD-MALFORMED";
        /// INVALID-KEY-INFORMATION.
        INVALID_KEY_INFORMATION = 17, "INVALID-KEY-INFORMATION";
        /// INVALID-ID-INFORMATION.
        INVALID_ID_INFORMATION = 18, "INVALID-ID-INFORMATION";
        /// INVALID-CERT-ENCODING.
        INVALID_CERT_ENCODING = 19, "INVALID-CERT-ENCODING";
        /// INVALID-CERTIFICATE.
        INVALID_CERTIFICATE = 20, "INVALID-CERTIFICATE";
        /// CERT-TYPE-UNSUPPORTED.
        CERT_TYPE_UNSUPPORTED = 21, "CERT-TYPE-UNSUPPORTED";
        /// INVALID-CERT-AUTHORITY.
        INVALID_CERT_AUTHORITY = 22, "INVALID-CERT-AUTHORITY";
        /// INVALID-HASH-INFORMATION.
        INVALID_HASH_INFORMATION = 23, "INVALID-HASH-INFORMATION";
        /// AUTHENTICATION-FAILED.
        AUTHENTICATION_FAILED = 24, "AUTHENTICATION-FAILED";
        /// INVALID-SIGNATURE.
        INVALID_SIGNATURE = 25, "INVALID-SIGNATURE";
        /// ADDRESS-NOTIFICATION.
        ADDRESS_NOTIFICATION = 26, "ADDRESS-NOTIFICATION";
        /// NOTIFY-SA-LIFETIME.
        NOTIFY_SA_LIFETIME = 27, "NOTIFY-SA-LIFETIME";
        /// CERTIFICATE-UNAVAILABLE.
        CERTIFICATE_UNAVAILABLE = 28, "CERTIFICATE-UNAVAILABLE";
        /// UNSUPPORTED-EXCHANGE-TYPE.
        UNSUPPORTED_EXCHANGE_TYPE = 29, "UNSUPPORTED-EXCHANGE-TYPE";
        /// UNEQUAL-PAYLOAD-LENGTHS.
        UNEQUAL_PAYLOAD_LENGTHS = 30, "UNEQUAL-PAYLOAD-LENGTHS";
        /// CONNECTED: answers the commit bit.
        CONNECTED = 16384, "CONNECTED";
        /// RESPONDER-LIFETIME (RFC 2407 §4.6.3.1).
        RESPONDER_LIFETIME = 24576, "RESPONDER-LIFETIME";
        /// REPLAY-STATUS (RFC 2407 §4.6.3.2).
        REPLAY_STATUS = 24577, "REPLAY-STATUS";
        /// INITIAL-CONTACT (RFC 2407 §4.6.3.3).
        INITIAL_CONTACT = 24578, "INITIAL-CONTACT";
        /// R-U-THERE of Dead Peer Detection (RFC 3706 §5.3).
        R_U_THERE = 36136, "R-U-THERE";
        /// R-U-THERE-ACK of Dead Peer Detection (RFC 3706 §5.3).
        R_U_THERE_ACK = 36137, "R-U-THERE-ACK";
    }
}

impl NotifyType {
    /// Whether it reports an error rather than a status (RFC 2408 §3.14.1).
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(self.0, 1..=16383)
    }
}

registry! {
    /// What kind of identity an Identification payload holds (RFC 2407 §4.6.2.1).
    pub struct IdType(u8) as "ID type" {
        /// An IPv4 address.
        IPV4_ADDR = 1, "ID_IPV4_ADDR";
        /// A domain name.
        FQDN = 2, "ID_FQDN";
        /// A user at a domain name.
        USER_FQDN = 3, "ID_USER_FQDN";
        /// An IPv4 address and a network mask.
        IPV4_ADDR_SUBNET = 4, "ID_IPV4_ADDR_SUBNET";
        /// An IPv6 address.
        IPV6_ADDR = 5, "ID_IPV6_ADDR";
        /// An IPv6 address and a network mask.
        IPV6_ADDR_SUBNET = 6, "ID_IPV6_ADDR_SUBNET";
        /// Two IPv4 addresses and all between them.
        IPV4_ADDR_RANGE = 7, "ID_IPV4_ADDR_RANGE";
        /// Two IPv6 addresses and all between them.
        IPV6_ADDR_RANGE = 8, "ID_IPV6_ADDR_RANGE";
        /// An X.500 Distinguished Name in DER.
        DER_ASN1_DN = 9, "ID_DER_ASN1_DN";
        /// An X.500 GeneralName in DER.
        DER_ASN1_GN = 10, "ID_DER_ASN1_GN";
        /// Octets that only the peers understand.
        KEY_ID = 11, "ID_KEY_ID";
    }
}

registry! {
    /// What a Certificate payload holds (RFC 2408 §3.9).
    pub struct CertEncoding(u8) as "certificate encoding" {
        /// PKCS #7 wrapped X.509 certificate.
        PKCS7 = 1, "PKCS #7";
        /// PGP certificate.
        PGP = 2, "PGP";
        /// DNS signed key.
        DNS_SIGNED_KEY = 3, "DNS signed key";
        /// X.509 certificate for signatures.
        X509_SIGNATURE = 4, "X.509 signature";
        /// X.509 certificate for key exchange.
        X509_KEY_EXCHANGE = 5, "X.509 key exchange";
        /// Kerberos tokens.
        KERBEROS_TOKENS = 6, "Kerberos tokens";
        /// Certificate revocation list.
        CRL = 7, "CRL";
        /// Authority revocation list.
        ARL = 8, "ARL";
        /// SPKI certificate.
        SPKI = 9, "SPKI";
        /// X.509 attribute certificate.
        X509_ATTRIBUTE = 10, "X.509 attribute";
    }
}

registry! {
    /// The class of an attribute of phase 1 (RFC 2409 appendix A).
    pub struct IkeAttribute(u16) as "attribute" {
        /// An [`EncryptionAlgorithm`].
        ENCRYPTION_ALGORITHM = 1, "Encryption Algorithm";
        /// A [`HashId`].
        HASH_ALGORITHM = 2, "Hash Algorithm";
        /// An [`AuthMethod`].
        AUTHENTICATION_METHOD = 3, "Authentication Method";
        /// The number of a Diffie-Hellman group.
        GROUP_DESCRIPTION = 4, "Group Description";
        /// Group Type.
        GROUP_TYPE = 5, "Group Type";
        /// Group Prime or Irreducible Polynomial.
        GROUP_PRIME = 6, "Group Prime";
        /// Group Generator One.
        GROUP_GENERATOR_ONE = 7, "Group Generator One";
        /// Group Generator Two.
        GROUP_GENERATOR_TWO = 8, "Group Generator Two";
        /// Group Curve A.
        GROUP_CURVE_A = 9, "Group Curve A";
        /// Group Curve B.
        GROUP_CURVE_B = 10, "Group Curve B";
        /// A [`LifeType`]: the unit of the Life Duration that follows.
        LIFE_TYPE = 11, "Life Type";
        /// Life Duration.
        LIFE_DURATION = 12, "Life Duration";
        /// PRF: none is defined.
        PRF = 13, "PRF";
        /// Key Length in bits.
        KEY_LENGTH = 14, "Key Length";
        /// Field Size in bits.
        FIELD_SIZE = 15, "Field Size";
        /// Group Order.
        GROUP_ORDER = 16, "Group Order";
    }
}

registry! {
    /// The class of an attribute of phase 2 (RFC 2407 §4.5).
    pub struct IpsecAttribute(u16) as "attribute" {
        /// A [`LifeType`]: the unit of the SA Life Duration that follows.
        SA_LIFE_TYPE = 1, "SA Life Type";
        /// SA Life Duration.
        SA_LIFE_DURATION = 2, "SA Life Duration";
        /// The number of the Diffie-Hellman group for perfect forward secrecy.
        GROUP_DESCRIPTION = 3, "Group Description";
        /// An [`EncapsulationMode`].
        ENCAPSULATION_MODE = 4, "Encapsulation Mode";
        /// An [`AuthAlgorithm`].
        AUTHENTICATION_ALGORITHM = 5, "Authentication Algorithm";
        /// Key Length in bits.
        KEY_LENGTH = 6, "Key Length";
        /// Key Rounds.
        KEY_ROUNDS = 7, "Key Rounds";
        /// Compress Dictionary Size.
        COMPRESS_DICTIONARY_SIZE = 8, "Compress Dictionary Size";
        /// Compress Private Algorithm.
        COMPRESS_PRIVATE_ALGORITHM = 9, "Compress Private Algorithm";
        /// ECN Tunnel (RFC 3168).
        ECN_TUNNEL = 10, "ECN Tunnel";
        /// Extended (64-bit) Sequence Number (RFC 4304).
        EXTENDED_SEQUENCE_NUMBER = 11, "Extended Sequence Number";
    }
}

registry! {
    /// An encryption algorithm of phase 1 (RFC 2409 appendix A, RFC 3602 §5.2).
    pub struct EncryptionAlgorithm(u16) as "encryption algorithm" {
        /// DES-CBC: broken.
        DES_CBC = 1, "DES-CBC";
        /// IDEA-CBC.
        IDEA_CBC = 2, "IDEA-CBC";
        /// Blowfish-CBC.
        BLOWFISH_CBC = 3, "Blowfish-CBC";
        /// RC5-R16-B64-CBC.
        RC5_CBC = 4, "RC5-CBC";
        /// 3DES-CBC.
        TRIPLE_DES_CBC = 5, "3DES-CBC";
        /// CAST-CBC.
        CAST_CBC = 6, "CAST-CBC";
        /// AES-CBC, with a Key Length.
        AES_CBC = 7, "AES-CBC";
        /// Camellia-CBC, with a Key Length.
        CAMELLIA_CBC = 8, "Camellia-CBC";
    }
}

registry! {
    /// A hash algorithm of phase 1 (RFC 2409 appendix A, RFC 4868 §4).
    pub struct HashId(u16) as "hash algorithm" {
        /// MD5.
        MD5 = 1, "MD5";
        /// SHA-1.
        SHA = 2, "SHA-1";
        /// Tiger.
        TIGER = 3, "Tiger";
        /// SHA-256.
        SHA2_256 = 4, "SHA2-256";
        /// SHA-384.
        SHA2_384 = 5, "SHA2-384";
        /// SHA-512.
        SHA2_512 = 6, "SHA2-512";
    }
}

registry! {
    /// How the sides of phase 1 prove who they are (RFC 2409 appendix A).
    pub struct AuthMethod(u16) as "authentication method" {
        /// Pre-shared key (RFC 2409 §5.4).
        PRE_SHARED_KEY = 1, "pre-shared key";
        /// DSS signatures.
        DSS_SIGNATURES = 2, "DSS signatures";
        /// RSA signatures (RFC 2409 §5.1).
        RSA_SIGNATURES = 3, "RSA signatures";
        /// Encryption with RSA (RFC 2409 §5.2): not spoken here.
        RSA_ENCRYPTION = 4, "encryption with RSA";
        /// Revised encryption with RSA (RFC 2409 §5.3): not spoken here.
        REVISED_RSA_ENCRYPTION = 5, "revised encryption with RSA";
        /// ECDSA with SHA-256 on P-256 (RFC 4754 §7).
        ECDSA_256 = 9, "ECDSA with SHA-256";
        /// ECDSA with SHA-384 on P-384 (RFC 4754 §7).
        ECDSA_384 = 10, "ECDSA with SHA-384";
        /// ECDSA with SHA-512 on P-521 (RFC 4754 §7).
        ECDSA_521 = 11, "ECDSA with SHA-512";
        /// Hybrid RSA, initiator by XAUTH (draft-ietf-ipsec-isakmp-hybrid-auth).
        HYBRID_INIT_RSA = 64221, "hybrid RSA";
        /// Pre-shared key, then XAUTH of the initiator (draft-ietf-ipsec-isakmp-xauth).
        XAUTH_INIT_PRE_SHARED = 65001, "XAUTH with pre-shared key";
        /// RSA signatures, then XAUTH of the initiator (draft-ietf-ipsec-isakmp-xauth).
        XAUTH_INIT_RSA = 65005, "XAUTH with RSA signatures";
    }
}

registry! {
    /// The unit of a lifetime (RFC 2409 appendix A, RFC 2407 §4.5).
    pub struct LifeType(u16) as "life type" {
        /// Seconds.
        SECONDS = 1, "seconds";
        /// Kilobytes: 1,024 octets each.
        KILOBYTES = 2, "kilobytes";
    }
}

registry! {
    /// How ESP wraps what it carries (RFC 2407 §4.5, RFC 3947 §5.1).
    pub struct EncapsulationMode(u16) as "encapsulation mode" {
        /// A whole IP packet.
        TUNNEL = 1, "tunnel";
        /// What an IP packet carries.
        TRANSPORT = 2, "transport";
        /// Tunnel mode in UDP.
        UDP_TUNNEL = 3, "UDP-encapsulated tunnel";
        /// Transport mode in UDP.
        UDP_TRANSPORT = 4, "UDP-encapsulated transport";
        /// Tunnel mode in UDP, in the drafts before RFC 3947.
        UDP_TUNNEL_DRAFT = 61443, "UDP-encapsulated tunnel (draft)";
        /// Transport mode in UDP, in the drafts before RFC 3947.
        UDP_TRANSPORT_DRAFT = 61444, "UDP-encapsulated transport (draft)";
    }
}

impl EncapsulationMode {
    /// Whether it is transport mode, in UDP or not.
    #[must_use]
    pub const fn is_transport(self) -> bool {
        matches!(self, Self::TRANSPORT | Self::UDP_TRANSPORT | Self::UDP_TRANSPORT_DRAFT)
    }

    /// Whether it is in UDP.
    #[must_use]
    pub const fn is_udp(self) -> bool {
        matches!(
            self,
            Self::UDP_TUNNEL
                | Self::UDP_TRANSPORT
                | Self::UDP_TUNNEL_DRAFT
                | Self::UDP_TRANSPORT_DRAFT
        )
    }
}

registry! {
    /// The Transform-Id of phase 1 (RFC 2407 §4.4.2).
    pub struct IkeTransform(u8) as "transform" {
        /// KEY_IKE: the only one.
        KEY_IKE = 1, "KEY_IKE";
    }
}

registry! {
    /// The Transform-Id of ESP: its cipher (RFC 2407 §4.4.4, RFC 3602 §5.2, RFC 4106 §8.2).
    pub struct EspTransform(u8) as "ESP transform" {
        /// DES-CBC: broken.
        DES = 2, "DES";
        /// 3DES-CBC.
        TRIPLE_DES = 3, "3DES";
        /// Blowfish-CBC.
        BLOWFISH = 7, "Blowfish";
        /// No encryption.
        NULL = 11, "NULL";
        /// AES-CBC, with a Key Length.
        AES_CBC = 12, "AES-CBC";
        /// AES in counter mode, with a Key Length.
        AES_CTR = 13, "AES-CTR";
        /// AES-CCM with an ICV of 8 octets.
        AES_CCM_8 = 14, "AES-CCM-8";
        /// AES-CCM with an ICV of 12 octets.
        AES_CCM_12 = 15, "AES-CCM-12";
        /// AES-CCM with an ICV of 16 octets.
        AES_CCM_16 = 16, "AES-CCM-16";
        /// AES-GCM with an ICV of 8 octets.
        AES_GCM_8 = 18, "AES-GCM-8";
        /// AES-GCM with an ICV of 12 octets.
        AES_GCM_12 = 19, "AES-GCM-12";
        /// AES-GCM with an ICV of 16 octets, with a Key Length.
        AES_GCM_16 = 20, "AES-GCM-16";
        /// SEED-CBC.
        SEED_CBC = 21, "SEED-CBC";
        /// Camellia-CBC, with a Key Length.
        CAMELLIA_CBC = 22, "Camellia-CBC";
        /// No encryption, authenticated by AES-GMAC.
        NULL_AUTH_AES_GMAC = 23, "NULL with AES-GMAC";
    }
}

registry! {
    /// The integrity algorithm of an IPsec SA (RFC 2407 §4.5, RFC 4868 §4).
    pub struct AuthAlgorithm(u16) as "authentication algorithm" {
        /// HMAC-MD5-96.
        HMAC_MD5 = 1, "HMAC-MD5";
        /// HMAC-SHA-1-96.
        HMAC_SHA = 2, "HMAC-SHA-1";
        /// DES-MAC.
        DES_MAC = 3, "DES-MAC";
        /// KPDK.
        KPDK = 4, "KPDK";
        /// HMAC-SHA-256-128.
        HMAC_SHA2_256 = 5, "HMAC-SHA2-256";
        /// HMAC-SHA-384-192.
        HMAC_SHA2_384 = 6, "HMAC-SHA2-384";
        /// HMAC-SHA-512-256.
        HMAC_SHA2_512 = 7, "HMAC-SHA2-512";
        /// HMAC-RIPEMD-160-96.
        HMAC_RIPEMD = 8, "HMAC-RIPEMD";
        /// AES-XCBC-MAC-96.
        AES_XCBC_MAC = 9, "AES-XCBC-MAC";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn known_numbers_have_names_and_others_stay_themselves() {
        assert_eq!(
            format!("{} {:?}", PayloadType(20), PayloadType(20)),
            "NAT-D PayloadType(20: NAT-D)"
        );
        assert_eq!(format!("{}", ExchangeType(77)), "exchange 77");
        assert_eq!(NotifyType(14), NotifyType::NO_PROPOSAL_CHOSEN);
        assert_eq!(NotifyType(36136).name(), Some("R-U-THERE"));
        assert_eq!(NotifyType(31).name(), None);
    }

    #[test]
    fn nat_payloads_by_any_number() {
        let kinds = |test: fn(PayloadType) -> bool| {
            (0..=255).filter(|kind| test(PayloadType(*kind))).collect::<alloc::vec::Vec<u8>>()
        };
        assert_eq!(kinds(PayloadType::is_nat_d), [15, 20, 130]);
        assert_eq!(kinds(PayloadType::is_nat_oa), [16, 21, 131]);
    }

    #[test]
    fn modes() {
        for (mode, transport, udp) in [
            (1, false, false),
            (2, true, false),
            (3, false, true),
            (4, true, true),
            (61443, false, true),
            (61444, true, true),
            (5, false, false),
        ] {
            let mode = EncapsulationMode(mode);
            assert_eq!((mode.is_transport(), mode.is_udp()), (transport, udp), "{mode}");
        }
    }

    #[test]
    fn errors_and_statuses() {
        assert!(NotifyType(1).is_error() && NotifyType(16383).is_error());
        assert!(!NotifyType(0).is_error() && !NotifyType(16384).is_error());
        assert!(!NotifyType::R_U_THERE.is_error());
    }
}
