use crate::EncapsulationMode;
use crate::PayloadType;

/// Which document of NAT traversal both sides follow: the RFC, or one of the drafts that old
/// clients still speak, with private numbers for payloads and encapsulation modes.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NatTraversal {
    /// Apple's `draft-ietf-ipsec-nat-t-ike` of old Mac OS X, with payload numbers that later were
    /// given to others.
    Apple,
    /// draft-ietf-ipsec-nat-t-ike-02.
    Draft02,
    /// The same, from a peer that hashed its name with a newline behind it.
    Draft02Newline,
    /// draft-ietf-ipsec-nat-t-ike-03.
    Draft03,
    /// RFC 3947.
    Rfc3947,
}

impl NatTraversal {
    /// All of them, best first.
    pub const ALL: &'static [Self] =
        &[Self::Rfc3947, Self::Draft03, Self::Draft02Newline, Self::Draft02, Self::Apple];

    /// The number of a NAT-D payload (RFC 3947 §3.2).
    #[must_use]
    pub const fn nat_d(self) -> PayloadType {
        match self {
            Self::Rfc3947 => PayloadType::NAT_D,
            Self::Draft03 | Self::Draft02Newline | Self::Draft02 => PayloadType::NAT_D_DRAFT,
            Self::Apple => PayloadType::NAT_D_APPLE,
        }
    }

    /// The number of a NAT-OA payload (RFC 3947 §5.2).
    #[must_use]
    pub const fn nat_oa(self) -> PayloadType {
        match self {
            Self::Rfc3947 => PayloadType::NAT_OA,
            Self::Draft03 | Self::Draft02Newline | Self::Draft02 => PayloadType::NAT_OA_DRAFT,
            Self::Apple => PayloadType::NAT_OA_APPLE,
        }
    }

    /// The number of transport mode in UDP (RFC 3947 §5.1).
    #[must_use]
    pub const fn udp_transport(self) -> EncapsulationMode {
        match self {
            Self::Rfc3947 => EncapsulationMode::UDP_TRANSPORT,
            _ => EncapsulationMode::UDP_TRANSPORT_DRAFT,
        }
    }
}
