use core::net::SocketAddr;

use vpn_core::Socket;

/// The ports by which a receiver tells its sockets apart.
const L2TP: u16 = 1701;
const IKE: u16 = 500;
const NAT_T: u16 = 4500;

/// The most octets that a UDP datagram carries over IPv4 (65,535 less both headers).
pub(crate) const LONGEST: usize = 65_507;

/// A datagram on its way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Datagram {
    /// The role of the socket that sent it.
    pub socket: Socket,
    /// The address that the receiver will see, unless a NAT changes it.
    pub source: SocketAddr,
    /// The address that it is going to.
    pub destination: SocketAddr,
    /// What it carries: a UDP payload, or an ESP packet without its IP header.
    pub payload: Vec<u8>,
}

impl Datagram {
    /// Octets of the IP packet: the payload, a UDP header unless it is bare ESP, and an IP header
    /// without options.
    #[must_use]
    pub const fn ip_len(&self) -> usize {
        let ip = if self.destination.is_ipv4() { 20 } else { 40 };
        let udp = if self.is_esp() { 0 } else { 8 };
        ip + udp + self.payload.len()
    }

    /// Whether it is ESP directly on IP, which has no ports.
    #[must_use]
    pub const fn is_esp(&self) -> bool {
        matches!(self.socket, Socket::Esp)
    }

    /// The role of the socket that it arrives at: the well-known one of its destination port, and
    /// for any other port the role that the sender spoke in.
    #[must_use]
    pub const fn arrives_at(&self) -> Socket {
        match (self.socket, self.destination.port()) {
            (Socket::Esp, _) => Socket::Esp,
            (_, L2TP) => Socket::L2tp,
            (_, IKE) => Socket::Ike,
            (_, NAT_T) => Socket::NatT,
            (socket, _) => socket,
        }
    }
}

/// How the journey of a datagram ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// The receiver got it.
    Delivered,
    /// Lost at random or in a burst.
    Lost,
    /// Longer than the link's MTU.
    TooLarge,
    /// The ends are on different sides of a partition.
    Partitioned,
    /// A NAT had no mapping for it, or its filter refused the sender.
    NatRefused,
    /// Nobody has the destination address.
    Unroutable,
    /// The test's own interceptor dropped it.
    Intercepted,
}

/// What happened on a network so far.
///
/// Every datagram that was sent, and every copy that a link made, ends in one [`Fate`] or is still
/// in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Datagrams that nodes sent or a test injected.
    pub sent: u64,
    /// Copies that links made.
    pub duplicated: u64,
    /// Datagrams in which a link changed an octet.
    pub corrupted: u64,
    /// Datagrams that a link held back so that others overtake them.
    pub reordered: u64,
    /// [`Fate::Delivered`].
    pub delivered: u64,
    /// [`Fate::Lost`].
    pub lost: u64,
    /// [`Fate::TooLarge`].
    pub too_large: u64,
    /// [`Fate::Partitioned`].
    pub partitioned: u64,
    /// [`Fate::NatRefused`].
    pub nat_refused: u64,
    /// [`Fate::Unroutable`].
    pub unroutable: u64,
    /// [`Fate::Intercepted`].
    pub intercepted: u64,
}

impl Counts {
    pub(crate) const fn add(&mut self, fate: Fate) {
        let count = match fate {
            Fate::Delivered => &mut self.delivered,
            Fate::Lost => &mut self.lost,
            Fate::TooLarge => &mut self.too_large,
            Fate::Partitioned => &mut self.partitioned,
            Fate::NatRefused => &mut self.nat_refused,
            Fate::Unroutable => &mut self.unroutable,
            Fate::Intercepted => &mut self.intercepted,
        };
        *count += 1;
    }

    /// Datagrams whose journey has ended.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.delivered
            + self.lost
            + self.too_large
            + self.partitioned
            + self.nat_refused
            + self.unroutable
            + self.intercepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(socket: Socket, destination: &str) -> Datagram {
        let (source, destination) = ("10.0.0.1:9".parse().unwrap(), destination.parse().unwrap());
        Datagram { socket, source, destination, payload: vec![0; 100] }
    }

    #[test]
    fn the_port_names_the_receiving_socket() {
        let arrives = |socket, destination| to(socket, destination).arrives_at();
        assert_eq!(arrives(Socket::Ike, "10.0.0.2:4500"), Socket::NatT);
        assert_eq!(arrives(Socket::NatT, "10.0.0.2:500"), Socket::Ike);
        assert_eq!(arrives(Socket::L2tp, "10.0.0.2:1701"), Socket::L2tp);
        assert_eq!(arrives(Socket::L2tp, "10.0.0.2:40000"), Socket::L2tp);
        assert_eq!(arrives(Socket::Esp, "10.0.0.2:0"), Socket::Esp);
    }

    #[test]
    fn the_length_counts_every_header() {
        assert_eq!(to(Socket::L2tp, "10.0.0.2:1701").ip_len(), 128);
        assert_eq!(to(Socket::Esp, "10.0.0.2:0").ip_len(), 120);
        assert_eq!(to(Socket::L2tp, "[2001:db8::1]:1701").ip_len(), 148);
    }
}
