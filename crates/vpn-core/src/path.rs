use core::net::SocketAddr;

/// Which of the VPN's sockets a datagram belongs to: its role, whatever port is bound.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Socket {
    /// L2TP in clear, by default UDP 1701 (RFC 2661 §8.1).
    L2tp,
    /// IKE without NAT traversal, by default UDP 500 (RFC 2408 §2.5.1).
    Ike,
    /// IKE and ESP with NAT traversal, by default UDP 4500 (RFC 3947 §4, RFC 3948 §2).
    NatT,
    /// ESP directly on IP, protocol 50 (RFC 4303). Ports are 0; the driver strips the IP header
    /// of what it receives.
    Esp,
}

/// Where a datagram came from or goes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Path {
    /// The socket that the datagram is received or sent on.
    pub socket: Socket,
    /// Our address. A host with several addresses must answer from the one that was asked, so
    /// every transmit names it.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

impl Path {
    /// A path of plain L2TP between two UDP addresses.
    #[must_use]
    pub const fn l2tp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { socket: Socket::L2tp, local, remote }
    }
}

/// One datagram that a machine appended to the caller's buffer.
#[must_use = "a transmit names the datagram that must be sent"]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transmit {
    /// Where to send it.
    pub path: Path,
    /// How many octets were appended.
    pub len: usize,
}
