//! A socket that takes several datagrams a call and knows which local address each came to: UDP,
//! or ESP directly on IP.

use std::io;
use std::io::IoSliceMut;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::ops::Range;

use quinn_udp::RecvMeta;
use quinn_udp::Transmit;
use quinn_udp::UdpSocketState;
use rustix::net::AddressFamily;
use rustix::net::SocketFlags;
use rustix::net::SocketType;
use rustix::net::ipproto;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Socket;

/// How many datagrams are taken from the socket at a time.
pub(crate) const BATCH: usize = 32;
/// The largest datagram, with what the kernel may have joined (GRO).
const CHUNK: usize = 65_536;

pub(crate) struct DatagramSocket {
    role: Socket,
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    chunks: Vec<Box<[u8]>>,
    metas: [RecvMeta; quinn_udp::BATCH_SIZE],
}

impl DatagramSocket {
    /// Binds a UDP socket to `local`; from the wildcard address, each answer leaves from where it
    /// was asked.
    pub(crate) fn udp(role: Socket, local: SocketAddr) -> io::Result<Self> {
        Self::new(role, std::net::UdpSocket::bind(local)?)
    }

    /// A raw socket for ESP without UDP, IP protocol 50. It takes root or CAP_NET_RAW.
    pub(crate) fn raw_esp(local: IpAddr) -> io::Result<Self> {
        let family = if local.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let raw = rustix::net::socket_with(family, SocketType::RAW, flags, Some(ipproto::ESP))?;
        rustix::net::bind(&raw, &SocketAddr::new(local, 0))?;
        // A raw socket is read and written by the same calls as one for UDP.
        Self::new(Socket::Esp, raw.into())
    }

    fn new(role: Socket, socket: std::net::UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        socket.set_nonblocking(true)?;
        // A burst of full-size packets from many peers must fit while a batch is being worked on.
        let _ = state.set_recv_buffer_size((&socket).into(), 4 << 20);
        let _ = state.set_send_buffer_size((&socket).into(), 4 << 20);
        let local = with_port(role, socket.local_addr()?);
        let chunks = (0..quinn_udp::BATCH_SIZE).map(|_| vec![0; CHUNK].into()).collect();
        let metas = [RecvMeta::default(); quinn_udp::BATCH_SIZE];
        Ok(Self { role, socket: UdpSocket::from_std(socket)?, state, local, chunks, metas })
    }

    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Waits until something has come.
    pub(crate) async fn readable(&self) -> io::Result<Socket> {
        self.socket.readable().await?;
        Ok(self.role)
    }

    /// Hands what has come to `take`, at most [`BATCH`] datagrams at a time.
    pub(crate) fn try_recv(
        &mut self,
        mut take: impl FnMut(&mut [(Path, PacketMut<'_>)]),
    ) -> io::Result<()> {
        let (chunks, metas) = (&mut self.chunks, &mut self.metas);
        let received = self.socket.try_io(Interest::READABLE, || {
            let mut chunks: Vec<_> = chunks.iter_mut().map(|c| IoSliceMut::new(c)).collect();
            self.state.recv((&self.socket).into(), &mut chunks, metas)
        });
        let count = match received {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            received => received?,
        };
        let mut batch = Vec::with_capacity(BATCH);
        for (meta, chunk) in metas.iter().zip(chunks.iter_mut()).take(count) {
            let ip = meta.dst_ip.filter(|ip| !ip.is_unspecified());
            let local = SocketAddr::new(ip.unwrap_or(self.local.ip()), self.local.port());
            let remote = with_port(self.role, meta.addr);
            let path = Path { socket: self.role, local: unmapped(local), remote: unmapped(remote) };
            for datagram in chunk[..meta.len].chunks_mut(meta.stride.max(1)) {
                let packet = match self.role {
                    Socket::Esp if remote.is_ipv4() => {
                        let window = behind_ipv4_header(datagram);
                        window.and_then(|window| PacketMut::new(datagram, window).ok())
                    }
                    _ => Some(PacketMut::whole(datagram)),
                };
                batch.extend(packet.map(|packet| (path, packet)));
                if batch.len() == BATCH {
                    take(&mut batch);
                    batch.clear();
                }
            }
        }
        if !batch.is_empty() {
            take(&mut batch);
        }
        Ok(())
    }

    /// Sends one datagram. A full socket buffer or an unreachable peer loses it, as the network
    /// might; the protocols live with that.
    pub(crate) fn send(&self, path: &Path, contents: &[u8]) {
        let src_ip = Some(path.local.ip()).filter(|ip: &IpAddr| !ip.is_unspecified());
        let transmit =
            Transmit { destination: path.remote, ecn: None, contents, segment_size: None, src_ip };
        let sent = self.state.try_send((&self.socket).into(), &transmit);
        if let Err(error) = sent {
            tracing::debug!(remote = %path.remote, %error, "datagram not sent");
        }
    }
}

/// On IP there are no ports; the kernel has the number of the protocol there.
fn with_port(role: Socket, address: SocketAddr) -> SocketAddr {
    let port = if role == Socket::Esp { 0 } else { address.port() };
    SocketAddr::new(address.ip(), port)
}

/// An IPv4 address that a dual-stack socket shows inside IPv6 is IPv4 to us.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Where the payload of an IPv4 packet is: raw sockets show the header, for IPv4 alone.
fn behind_ipv4_header(packet: &[u8]) -> Option<Range<usize>> {
    let (header, payload) = etherparse::Ipv4Header::from_slice(packet).ok()?;
    let start = header.header_len();
    let end = usize::from(header.total_len).min(start + payload.len());
    (start <= end).then_some(start..end)
}
