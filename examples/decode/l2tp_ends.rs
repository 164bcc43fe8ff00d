//! Which UDP ports besides 1701 speak L2TP.

use core::net::SocketAddr;
use std::collections::VecDeque;

/// How many ends are remembered; the oldest gives way.
const REMEMBERED: usize = 4096;

/// The ends that sent an SCCRQ to port 1701 from a port of their own. The responder may answer
/// them, and stay, on any port (RFC 2661 §8.1), so whatever goes to or from them may be L2TP.
#[derive(Default)]
pub(crate) struct L2tpEnds {
    ends: VecDeque<SocketAddr>,
}

impl L2tpEnds {
    /// Remembers an initiator.
    pub(crate) fn learn(&mut self, end: SocketAddr) {
        if self.ends.contains(&end) {
            return;
        }
        if self.ends.len() == REMEMBERED {
            self.ends.pop_front();
        }
        self.ends.push_back(end);
    }

    /// Whether one of the two is an initiator.
    pub(crate) fn know(&self, src: SocketAddr, dst: SocketAddr) -> bool {
        self.ends.iter().any(|end| *end == src || *end == dst)
    }
}
