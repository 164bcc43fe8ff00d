use core::fmt;

use crate::Protocol;

/// A way to prove one's identity that this crate speaks, in both roles.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AuthMethod {
    /// Password Authentication Protocol (RFC 1334 §2): the password crosses the link in clear.
    Pap,
    /// CHAP with MD5 (RFC 1994).
    ChapMd5,
    /// MS-CHAP version 2 (RFC 2759): both sides prove that they know the password.
    MsChapV2,
}

impl AuthMethod {
    /// The PPP protocol that carries the method.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Pap => Protocol::PAP,
            Self::ChapMd5 | Self::MsChapV2 => Protocol::CHAP,
        }
    }

    /// The usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pap => "PAP",
            Self::ChapMd5 => "CHAP-MD5",
            Self::MsChapV2 => "MS-CHAPv2",
        }
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
