//! The sockets of a VPN: UDP 500 and 4500 and IP protocol 50, or UDP 1701 in clear.

use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::rc::Rc;

use l2tp_ipsec::ike::Encapsulation;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_core::Transmit;

use super::datagram_socket::DatagramSocket;
use super::tap::Direction;
use super::tap::Tap;

/// The sockets that a program has, each under its role.
pub(crate) struct Sockets {
    l2tp: Option<DatagramSocket>,
    ike: Option<DatagramSocket>,
    nat_t: Option<DatagramSocket>,
    esp: Option<DatagramSocket>,
    tap: Rc<Tap>,
}

impl Sockets {
    pub(crate) const fn new(tap: Rc<Tap>) -> Self {
        Self { l2tp: None, ike: None, nat_t: None, esp: None, tap }
    }

    /// Adds the socket for L2TP in clear.
    pub(crate) fn open_l2tp(&mut self, local: SocketAddr) -> io::Result<SocketAddr> {
        open(&mut self.l2tp, Socket::L2tp, local)
    }

    /// Adds the sockets for IKE and its NAT traversal. Returns where both are bound.
    pub(crate) fn open_ike(
        &mut self,
        ip: IpAddr,
        ike: u16,
        nat_t: u16,
    ) -> io::Result<[SocketAddr; 2]> {
        let nat_t = open(&mut self.nat_t, Socket::NatT, SocketAddr::new(ip, nat_t))?;
        let ike = open(&mut self.ike, Socket::Ike, SocketAddr::new(ip, ike))?;
        Ok([ike, nat_t])
    }

    /// Adds the socket for ESP without UDP, unless `wanted` does without. Returns how ESP goes
    /// then: without the right to raw sockets, in UDP alone.
    pub(crate) fn open_esp(
        &mut self,
        ip: IpAddr,
        wanted: Encapsulation,
    ) -> Result<Encapsulation, String> {
        if wanted == Encapsulation::Force {
            return Ok(wanted);
        }
        match (DatagramSocket::raw_esp(ip), wanted) {
            (Ok(socket), _) => {
                self.esp = Some(socket);
                Ok(wanted)
            }
            (Err(error), Encapsulation::Never) => Err(format!(
                "ESP without UDP takes a raw socket: {error} (it takes root or CAP_NET_RAW)"
            )),
            (Err(error), _) => {
                tracing::warn!(
                    "no raw socket for ESP ({error}; it takes root or CAP_NET_RAW): ESP goes in \
                     UDP, as with --encap force"
                );
                Ok(Encapsulation::Force)
            }
        }
    }

    /// Waits for datagrams on any socket, and hands those of one to `take`, a batch at a time.
    pub(crate) async fn recv(
        &mut self,
        mut take: impl FnMut(&mut [(Path, PacketMut<'_>)]),
    ) -> io::Result<()> {
        let role = tokio::select! {
            role = ready(self.ike.as_ref()) => role?,
            role = ready(self.nat_t.as_ref()) => role?,
            role = ready(self.esp.as_ref()) => role?,
            role = ready(self.l2tp.as_ref()) => role?,
        };
        let tap = Rc::clone(&self.tap);
        let socket = match role {
            Socket::Ike => &mut self.ike,
            Socket::NatT => &mut self.nat_t,
            Socket::Esp => &mut self.esp,
            Socket::L2tp => &mut self.l2tp,
        };
        let Some(socket) = socket else { return Ok(()) };
        socket.try_recv(|batch| {
            for (path, packet) in &*batch {
                tap.outer(Direction::In, path, packet.payload());
            }
            take(batch);
        })
    }

    /// Sends the datagrams that a machine has appended to `out`.
    pub(crate) fn send_all(&self, transmits: &[Transmit], mut out: &[u8]) {
        for transmit in transmits {
            let Some((datagram, rest)) = out.split_at_checked(transmit.len) else { return };
            self.send(&transmit.path, datagram);
            out = rest;
        }
    }

    /// Sends a datagram on the socket that its path names.
    pub(crate) fn send(&self, path: &Path, contents: &[u8]) {
        self.tap.outer(Direction::Out, path, contents);
        let socket = match path.socket {
            Socket::Ike => &self.ike,
            Socket::NatT => &self.nat_t,
            Socket::Esp => &self.esp,
            Socket::L2tp => &self.l2tp,
        };
        match socket {
            Some(socket) => socket.send(path, contents),
            None => tracing::debug!(socket = ?path.socket, "no such socket: datagram not sent"),
        }
    }
}

fn open(
    place: &mut Option<DatagramSocket>,
    role: Socket,
    local: SocketAddr,
) -> io::Result<SocketAddr> {
    let socket = DatagramSocket::udp(role, local).map_err(|error| {
        let text = format!("UDP {local} can't be bound: {error}");
        io::Error::new(error.kind(), text)
    })?;
    let local = socket.local();
    *place = Some(socket);
    Ok(local)
}

/// Waits until a socket has something; for ever if there is no socket.
async fn ready(socket: Option<&DatagramSocket>) -> io::Result<Socket> {
    match socket {
        Some(socket) => socket.readable().await,
        None => std::future::pending().await,
    }
}
