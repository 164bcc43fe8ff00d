use core::fmt;

/// Names a peer: everything that is agreed with one identity at one address and port. Never used
/// again within an [`Endpoint`](crate::Endpoint).
///
/// The IKE SAs and child SAs of a peer come and go by rekeying; the handle stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerHandle(pub(crate) u64);

/// Names a pair of ESP security associations. Never used again within an
/// [`Endpoint`](crate::Endpoint).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChildHandle(pub(crate) u64);

/// Stands for a peer's log-in until its credentials are given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CredentialsTicket(pub(crate) SaId);

/// Names an IKE SA, from its first message on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct SaId(pub(crate) u64);

impl fmt::Display for PeerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer {}", self.0)
    }
}

impl fmt::Display for ChildHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "child {}", self.0)
    }
}
