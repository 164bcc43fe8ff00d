//! One side's sockets on 127.0.0.1, each under its role.

use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::time::Duration;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::event::poll;
use vpn_core::Path;
use vpn_core::Socket;

pub(crate) struct Net(Vec<(Socket, UdpSocket)>);

/// No wait is longer, so that a driver that is told to stop does.
const MAX_WAIT: Duration = Duration::from_millis(50);

impl Net {
    /// Binds a port that is free for each of `roles`.
    pub(crate) fn bind(roles: &[Socket]) -> io::Result<Self> {
        let bind = |role: &Socket| Ok((*role, UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?));
        roles.iter().map(bind).collect::<io::Result<_>>().map(Self)
    }

    /// Where the first socket of the list is: that for IKE, or for L2TP in clear.
    pub(crate) fn first(&self) -> io::Result<SocketAddr> {
        self.0[0].1.local_addr()
    }

    /// The port of the last socket: that for NAT traversal.
    pub(crate) fn last_port(&self) -> io::Result<u16> {
        Ok(self.0[self.0.len() - 1].1.local_addr()?.port())
    }

    pub(crate) fn send(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        match self.0.iter().find(|(role, _)| *role == path.socket) {
            Some((_, socket)) => socket.send_to(contents, path.remote).map(drop),
            None => Ok(()),
        }
    }

    /// Waits for a datagram up to `wait`, and returns where it came from and its length.
    pub(crate) fn recv(&self, wait: Duration, buf: &mut [u8]) -> io::Result<Option<(Path, usize)>> {
        let wait = wait.clamp(Duration::from_millis(1), MAX_WAIT);
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        let mut fds: Vec<_> =
            self.0.iter().map(|(_, socket)| PollFd::new(socket, PollFlags::IN)).collect();
        if poll(&mut fds, Some(&timeout))? == 0 {
            return Ok(None);
        }
        let ready = fds.iter().position(|fd| !fd.revents().is_empty());
        let Some((role, socket)) = ready.and_then(|at| self.0.get(at)) else { return Ok(None) };
        let (len, remote) = socket.recv_from(buf)?;
        Ok(Some((Path { socket: *role, local: socket.local_addr()?, remote }, len)))
    }
}
