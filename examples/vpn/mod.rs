//! What the drivers share: the clock, the socket, the TUN device, options and output.

pub(crate) mod clock;
pub(crate) mod data;
pub(crate) mod options;
pub(crate) mod report;
pub(crate) mod shutdown;
pub(crate) mod tun;
pub(crate) mod udp;
