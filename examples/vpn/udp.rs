//! A UDP socket that takes several datagrams a call and knows which local address each came to.

use std::io;
use std::io::IoSliceMut;
use std::net::IpAddr;
use std::net::SocketAddr;

use quinn_udp::RecvMeta;
use quinn_udp::Transmit;
use quinn_udp::UdpSocketState;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use vpn_core::PacketMut;
use vpn_core::Path;

/// How many datagrams are taken from the socket at a time.
pub(crate) const BATCH: usize = 32;
/// The largest datagram, with what the kernel may have joined (GRO).
const CHUNK: usize = 65_536;

pub(crate) struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    chunks: Vec<Box<[u8]>>,
    metas: [RecvMeta; quinn_udp::BATCH_SIZE],
}

impl Udp {
    /// Binds `local`; from the wildcard address, each answer leaves from where it was asked.
    pub(crate) fn bind(local: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(local)?;
        let state = UdpSocketState::new((&socket).into())?;
        socket.set_nonblocking(true)?;
        // A burst of full-size packets from many peers must fit while a batch is being worked on.
        let _ = state.set_recv_buffer_size((&socket).into(), 4 << 20);
        let _ = state.set_send_buffer_size((&socket).into(), 4 << 20);
        let local = socket.local_addr()?;
        let chunks = (0..quinn_udp::BATCH_SIZE).map(|_| vec![0; CHUNK].into()).collect();
        let metas = [RecvMeta::default(); quinn_udp::BATCH_SIZE];
        Ok(Self { socket: UdpSocket::from_std(socket)?, state, local, chunks, metas })
    }

    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Waits for datagrams and hands them to `take`, at most [`BATCH`] at a time.
    pub(crate) async fn recv(
        &mut self,
        mut take: impl FnMut(&mut [(Path, PacketMut<'_>)]),
    ) -> io::Result<()> {
        let (chunks, metas) = (&mut self.chunks, &mut self.metas);
        let count = self
            .socket
            .async_io(Interest::READABLE, || {
                let mut chunks: Vec<_> = chunks.iter_mut().map(|c| IoSliceMut::new(c)).collect();
                self.state.recv((&self.socket).into(), &mut chunks, metas)
            })
            .await?;
        let mut batch = Vec::with_capacity(BATCH);
        for (meta, chunk) in metas.iter().zip(chunks.iter_mut()).take(count) {
            let ip = meta.dst_ip.filter(|ip| !ip.is_unspecified());
            let local = SocketAddr::new(ip.unwrap_or(self.local.ip()), self.local.port());
            let path = Path::l2tp(unmapped(local), unmapped(meta.addr));
            for datagram in chunk[..meta.len].chunks_mut(meta.stride.max(1)) {
                batch.push((path, PacketMut::whole(datagram)));
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

/// An IPv4 address that a dual-stack socket shows inside IPv6 is IPv4 to us.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
