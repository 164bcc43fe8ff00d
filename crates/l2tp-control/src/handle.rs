use core::fmt;

/// The carrier that a datagram came through or goes to.
///
/// The composition makes one for each security association bundle of an IPsec peer, never from
/// anything that the network says, and never uses it again. A tunnel belongs to the link that its
/// first message came through, so hosts behind one NAT can't be mixed up, and Tunnel IDs are 16
/// bits for each link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

impl LinkId {
    /// L2TP in clear. Nothing vouches for who sent a datagram here: its address must be that of
    /// the tunnel's peer, and a peer that has not answered yet gets little (see
    /// [`Limits`](crate::Limits)). Every other link is taken to authenticate what comes through.
    pub const PLAIN: Self = Self(0);

    /// Whether what comes through is authenticated.
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        self.0 != Self::PLAIN.0
    }
}

/// Names a tunnel. Never used again within an [`Endpoint`](crate::Endpoint).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TunnelHandle(pub(crate) u64);

/// Names a session. Never used again within an [`Endpoint`](crate::Endpoint).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionHandle(pub(crate) u64);

/// Stands for a peer's request to open a tunnel until it is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TunnelTicket(pub(crate) TunnelHandle);

/// Stands for a peer's request to open a session until it is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionTicket(pub(crate) SessionHandle);

impl fmt::Display for TunnelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tunnel {:#x}", self.0)
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {:#x}", self.0)
    }
}
