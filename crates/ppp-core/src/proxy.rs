use alloc::boxed::Box;
use core::fmt;

use vpn_core::SecretBytes;

use crate::text::Shown;

/// What a LAC negotiated with its subscriber, for the LNS that takes over (RFC 2661 §4.4.5).
///
/// Each is the data of an LCP Configure-Request: the options without the 4-octet header. An empty
/// one is a request without options, or unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProxyLcp {
    /// The first Configure-Request that the LAC received (Initial Received LCP CONFREQ).
    pub initial_received: Box<[u8]>,
    /// The last Configure-Request that the LAC sent (Last Sent LCP CONFREQ).
    pub last_sent: Box<[u8]>,
    /// The last Configure-Request that the LAC received (Last Received LCP CONFREQ).
    pub last_received: Box<[u8]>,
}

/// The proof of identity that a LAC received from its subscriber and did not check
/// (RFC 2661 §4.4.5).
#[derive(Clone)]
pub enum ProxyAuth {
    /// Proxy Authen Type 1: a textual exchange before PPP. The peer expects no reply to it.
    Text {
        /// The user's name.
        name: Box<[u8]>,
        /// The password in clear.
        password: SecretBytes,
    },
    /// Proxy Authen Type 2: CHAP, with MD5 or as MS-CHAPv2; LCP's Authentication-Protocol option
    /// says which.
    Chap {
        /// The name in the Response.
        name: Box<[u8]>,
        /// The Value of the Challenge that the LAC sent.
        challenge: Box<[u8]>,
        /// The Identifier of the Challenge.
        identifier: u8,
        /// The Value of the Response.
        response: Box<[u8]>,
    },
    /// Proxy Authen Type 3: PAP.
    Pap {
        /// The Peer-ID.
        name: Box<[u8]>,
        /// The Identifier of the Authenticate-Request.
        identifier: u8,
        /// The Password in clear.
        password: SecretBytes,
    },
    /// Proxy Authen Type 4: the peer proved nothing.
    None,
}

impl ProxyAuth {
    /// The value of the Proxy Authen Type AVP.
    #[must_use]
    pub const fn authen_type(&self) -> u16 {
        match self {
            Self::Text { .. } => 1,
            Self::Chap { .. } => 2,
            Self::Pap { .. } => 3,
            Self::None => 4,
        }
    }

    /// The name that the peer gave, as it stands; empty where it proved nothing.
    #[must_use]
    pub const fn name(&self) -> &[u8] {
        match self {
            Self::Text { name, .. } | Self::Chap { name, .. } | Self::Pap { name, .. } => name,
            Self::None => &[],
        }
    }
}

impl fmt::Debug for ProxyAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Text { .. } => "Text",
            Self::Chap { .. } => "Chap",
            Self::Pap { .. } => "Pap",
            Self::None => "None",
        };
        write!(f, "{kind} {{ name: {:?}, .. }}", Shown(self.name()))
    }
}
