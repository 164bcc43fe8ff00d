use core::fmt;

use crate::AuthMethod;
use crate::Protocol;
use crate::registry::registry;

registry! {
    /// The Algorithm of the CHAP form of the Authentication-Protocol option (RFC 1994 §3).
    ChapAlgorithm(u8) {
        /// CHAP with MD5 (RFC 1994 §4.1).
        MD5 = 5, "MD5";
        /// MS-CHAP version 1 (RFC 2433 §2).
        MS_CHAP_V1 = 0x80, "MS-CHAPv1";
        /// MS-CHAP version 2 (RFC 2759 §2).
        MS_CHAP_V2 = 0x81, "MS-CHAPv2";
    }
}

/// An authentication protocol as LCP names it (RFC 1661 §6.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AuthProtocol {
    /// Password Authentication Protocol (RFC 1334 §2.1).
    Pap,
    /// Challenge Handshake Authentication Protocol with an algorithm (RFC 1994 §3).
    Chap(ChapAlgorithm),
    /// Extensible Authentication Protocol (RFC 3748 §3.1); known so that it can be refused by
    /// name.
    Eap,
    /// Any other protocol.
    Other(Protocol),
}

impl AuthProtocol {
    /// The method that this crate speaks under this name, if any.
    #[must_use]
    pub const fn method(self) -> Option<AuthMethod> {
        match self {
            Self::Pap => Some(AuthMethod::Pap),
            Self::Chap(ChapAlgorithm::MD5) => Some(AuthMethod::ChapMd5),
            Self::Chap(ChapAlgorithm::MS_CHAP_V2) => Some(AuthMethod::MsChapV2),
            _ => None,
        }
    }

    /// The PPP protocol that carries it.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Pap => Protocol::PAP,
            Self::Chap(_) => Protocol::CHAP,
            Self::Eap => Protocol::EAP,
            Self::Other(protocol) => protocol,
        }
    }
}

impl From<AuthMethod> for AuthProtocol {
    fn from(method: AuthMethod) -> Self {
        match method {
            AuthMethod::Pap => Self::Pap,
            AuthMethod::ChapMd5 => Self::Chap(ChapAlgorithm::MD5),
            AuthMethod::MsChapV2 => Self::Chap(ChapAlgorithm::MS_CHAP_V2),
        }
    }
}

impl fmt::Display for AuthProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.method(), self) {
            (Some(method), _) => method.fmt(f),
            (None, Self::Chap(ChapAlgorithm::MS_CHAP_V1)) => f.write_str("MS-CHAPv1"),
            (None, Self::Chap(algorithm)) => write!(f, "CHAP with algorithm {algorithm}"),
            (None, other) => other.protocol().fmt(f),
        }
    }
}
