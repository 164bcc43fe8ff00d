//! What the drivers share: the clock, the sockets, the TUN device, options and output.

pub(crate) mod clock;
pub(crate) mod data;
pub(crate) mod datagram_socket;
pub(crate) mod ipsec;
pub(crate) mod keylog;
pub(crate) mod options;
pub(crate) mod report;
pub(crate) mod shutdown;
pub(crate) mod sockets;
pub(crate) mod tap;
pub(crate) mod tun;
